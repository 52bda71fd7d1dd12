r"""
Many kernels, many maps
=======================

One kernel looks for one thing. A layer has several, and each makes a feature map of its own from
the same image: the output of equation :eq:`convolution-layer` has as many channels as there are
kernels.

The chapter's page: :doc:`/05_convolutional/block`.
"""

# Textbook figure 5-9: Multiple filters giving multiple feature maps (number inferred)
import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing
from ketkar import feedforward as ff

# %%
# Four kernels
# ------------
# The outline of a disc runs in all directions. Each kernel answers where the image grows darker in
# one of them: to the right, downwards, and along the two diagonals.

down, right = np.mgrid[:20, :20] - 9.5
disc = (down**2 + right**2 <= 6.5**2).astype(float)

vertical = np.array([[-1.0, 0.0, 1.0]] * 3)
falling = np.array([[0.0, 1.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, -1.0, 0.0]])
kernels = {"right": vertical, "down": vertical.T, "up right": falling, "down right": falling[::-1]}
K = np.stack(list(kernels.values()))[:, None]

maps = ff.relu(cnn.conv2d(disc[None, None], K))[0]
print("image", disc.shape, " kernels", K.shape, " feature maps", maps.shape)

# %%
# Four maps
# ---------
# All maps share one scale, from white for 0 to black for the largest response.

fig = plt.figure(figsize=(6.8, 3.1))
grid = fig.add_gridspec(2, 5, width_ratios=[1.5, 1, 1, 1, 1])
drawing.picture(disc, title="image", ax=fig.add_subplot(grid[:, 0]))
for k, name in enumerate(kernels):
    drawing.window_grid(K[k, 0], title=name, ax=fig.add_subplot(grid[0, k + 1]))
    drawing.picture(maps[k], largest=maps.max(), ax=fig.add_subplot(grid[1, k + 1]))
# Alt text: Left, an image of a black disc. Right of it four 3 by 3 kernels with
# their numbers, called right, down, up right and down right, and below each its
# feature map: an arc on the side of the disc where it grows darker in this
# direction, at the left, at the top, at the lower left and at the upper left.
plt.show()

# %%
# Where each map is strongest, as seen from the middle of the disc:

for name, values in zip(kernels, maps, strict=True):
    row, column = np.mean(np.argwhere(values == values.max()), axis=0) - (len(values) - 1) / 2
    print(f"{name:11s} {row:+5.1f} rows  {column:+5.1f} columns")
