r"""
The window slides
=================

Start the player below: a kernel moves over an image, one place after the other. At each place it
is multiplied with the pixels under it, and the sum of the nine products is one number of the
output, equation :eq:`cross-correlation-2d`. Read :doc:`/05_convolutional/convolution`.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation

from ketkar import convolutional as cnn
from ketkar import drawing

# %%
# One place
# ---------
# The kernel has negative weights on the left and positive ones on the right: it answers where the
# image gets brighter from left to right. A bright square of 3 by 3 pixels on a dark ground has
# such a place at its left edge, and the opposite of it at its right edge.

I = np.zeros((6, 6))  # noqa: E741
I[2:5, 2:5] = 2
K = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])
s = cnn.cross_correlate2d(I, K)
places = list(np.ndindex(s.shape))

PLACES = [(0.01, 0.1, 0.42, 0.8), (0.46, 0.54, 0.21, 0.36), (0.46, 0.04, 0.21, 0.36),
          (0.7, 0.22, 0.29, 0.6)]  # fmt: skip


def empty():
    """A figure with room for four grids."""
    figure = plt.figure(figsize=(6.4, 3.5), layout="none")
    return figure, [figure.add_axes(place) for place in PLACES]


def draw(axes, number):
    """The image, the kernel, the products under it and the output up to this place."""
    m, n = places[number]
    under = I[m : m + 3, n : n + 3]
    done = np.full(s.shape, "", dtype="<U4")
    for at in places[: number + 1]:
        done[at] = drawing.number(s[at])
    parts = [
        (I, [(m, n, 3, 3)], "image $I$"),
        (K, [], "kernel $K$"),
        (under * K, [(0, 0, 3, 3)], "products"),
        (done, [(m, n, 1, 1)], "output $s$"),
    ]
    for ax, (values, frames, title) in zip(axes, parts, strict=True):
        ax.clear()
        drawing.window_grid(values, frames, title=title, ax=ax)
    axes[3].set_xlabel(f"$s({m}, {n})$ = {drawing.number(s[m, n])}", fontsize=13, labelpad=14)


figure, axes = empty()
draw(axes, 5)
# Alt text: An image of 6 by 6 numbers with a square of twos, and a frame around the 3 by 3 pixels
# under the kernel. In the middle the kernel, whose rows are -1, 0, 1, and the nine products. Right,
# the output of 4 by 4 numbers, filled in row by row up to the place of the frame.
plt.show()

# %%
# All places
# ----------
# Every place is one frame of the player. Its slider and its buttons also work from the keyboard.

moving, grids = empty()
animation = FuncAnimation(moving, lambda k: draw(grids, k), frames=16, interval=900, repeat=False)
# Alt text: An animation of 16 frames. The frame of 3 by 3 pixels moves over the image from left to
# right, row by row, and one number of the output after the other appears: positive where the left
# edge of the square is under the kernel, negative at its right edge, zero in its middle.
plt.show()

# %%
# The whole output
# ----------------
# No place needs the result of another, so they can be visited in any order, or at the same time:
# that is one reason why the operation is fast on machines that do many things at once.

print(s.astype(int))
