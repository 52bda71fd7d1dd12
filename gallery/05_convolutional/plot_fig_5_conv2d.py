r"""
A window slides over an image
=============================

In two dimensions the kernel is a small grid. It is laid on a window of the image, each pair of
numbers that lie on each other is multiplied, and the sum of the products is one number of the
output, equation :eq:`cross-correlation-2d`. Then the window moves on.

The chapter's page: :doc:`/05_convolutional/convolution`.
"""

# Textbook figure 5-3: The convolution of an image with a kernel (number inferred)
import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing

# %%
# One window
# ----------
# A kernel of 3 x 3 has 3 x 3 places on an image of 5 x 5. The kernel here takes the right column
# of its window from the left one.

I = np.array(  # noqa: E741
    [
        [1, -1, 1, -1, 1],
        [-1, 1, -1, 1, -1],
        [1, 1, -1, -1, 1],
        [-1, -1, 1, 1, -1],
        [1, -1, -1, 1, 1],
    ]
)
K = np.array([[1, 0, -1], [1, 0, -1], [1, 0, -1]])
s = cnn.cross_correlate2d(I, K)

row, column = 0, 2
window = I[row : row + 3, column : column + 3]
products = (window * K).ravel()
print("products:", *products.astype(int), " sum:", int(products.sum()))

fig, panels = plt.subplots(1, 3, figsize=(6.4, 2.9), width_ratios=[5, 3, 3])
drawing.window_grid(I, [(row, column, 3, 3)], title="image $I$", ax=panels[0])
drawing.window_grid(K, [(0, 0, 3, 3)], title="kernel $K$", ax=panels[1])
drawing.window_grid(s, [(row, column, 1, 1)], title="output $s$", ax=panels[2])
panels[1].set_xlabel("times the window,\nnumber by number")
panels[2].set_xlabel(f"the sum: $s(0, 2) = {int(s[row, column])}$")
# Alt text: Three grids of numbers. On the 5 by 5 image a 3 by 3 window in the
# upper right corner is framed. Beside it stands the 3 by 3 kernel, whose rows
# are 1, 0, -1, and the 3 by 3 output, in which the number in the upper right
# corner, -2, is framed.
plt.show()

# %%
# Three places of nine
# --------------------

places = [(0, 0), (0, 1), (2, 2)]
fig, panels = plt.subplots(2, 3, figsize=(6.4, 4.3), height_ratios=[5, 3])
for (m, n), above, below in zip(places, *panels, strict=True):
    drawing.window_grid(I, [(m, n, 3, 3)], title=f"row {m}, column {n}", ax=above)
    drawing.window_grid(s, [(m, n, 1, 1)], ax=below)
for ax, name in zip(panels[:, 0], ("image", "output"), strict=True):
    ax.set_ylabel(name)
# Alt text: Three copies of the image with the output below. The window stands
# at the upper left corner, one column further right, and at the lower right
# corner; the number of the output that belongs to it is framed: 2, 2 and -2.
plt.show()

# %%
# With the kernel turned around
# -----------------------------
# Convolution in the strict sense, equation :eq:`convolution-2d`, turns the kernel by 180 degrees
# first. Turning this one changes the sign of all its numbers, and so of the whole output.

print(cnn.convolve2d(I, K, mode="valid").astype(int))
print("the same with the opposite sign:", np.array_equal(cnn.convolve2d(I, K, mode="valid"), -s))
