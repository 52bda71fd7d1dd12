r"""
Shift in, shift out
===================

One kernel serves all places, so a convolution treats them alike: shift the image, and the feature
map is the same one, shifted. The sum says so itself, equation :eq:`cross-correlation-2d`; here it
is put to the test, with the conditions under which it holds. Read
:doc:`/05_convolutional/intuition`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing
from ketkar import feedforward as ff
from ketkar.datasets import digits

# %%
# First shift or first convolve?
# ------------------------------
# The edges need care. A shift that lets pixels leave at one side and come back at the other goes
# together with a padding that does the same: the image is continued by its other end.

digit = digits(rng=0).test.x[2].reshape(8, 8)
x = np.pad(digit, 3)[None, None]  # (1, 1, 14, 14)
EDGE = np.array([[[[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]]])
SHIFT = (3, 2)


def shifted(maps):
    """Moved 3 rows down and 2 columns to the right, around the edges."""
    return np.roll(maps, SHIFT, axis=(2, 3))


def circular(images, K=EDGE):
    """A convolution of images that are continued by their other end."""
    return cnn.conv2d(np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="wrap"), K)


ways = {"shift, then convolve": circular(shifted(x)), "convolve, then shift": shifted(circular(x))}
largest = max(np.abs(maps).max() for maps in ways.values())

fig, axes = plt.subplots(2, 3, figsize=(6.4, 4.5))
drawing.picture(x[0, 0], title="image", ax=axes[0, 0])
drawing.picture(shifted(x)[0, 0], title="shifted", ax=axes[0, 1])
drawing.picture(x[0, 0], title="image", ax=axes[1, 0])
maps = circular(x)[0, 0]
drawing.picture(maps, signed=True, largest=largest, title="its feature map", ax=axes[1, 1])
for ax, (title, maps) in zip(axes[:, 2], ways.items(), strict=True):
    drawing.picture(maps[0, 0], signed=True, largest=largest, title=title, ax=ax)
# Alt text: Two rows of three small pictures. Above: a handwritten digit, the digit moved down and
# to the right, the feature map of the moved digit. Below: the digit, its feature map, the feature
# map moved. The last pictures of both rows are the same: dark at one side of the strokes, light
# at the other.
plt.show()

# %%
# Under which conditions?
# -----------------------
# The largest difference between the two ways, for layers of random weights. A dense layer has no
# reason to treat places alike. Zeros around the image, as layers usually have them, break the rule
# near the edges alone. A layer of stride 2 keeps it for even shifts only: an odd shift shows it the
# pixels that it skipped before.

rng = np.random.default_rng(0)
W, K = rng.normal(size=(196, 196)), rng.normal(size=(1, 1, 3, 3))
layers = {
    "convolution, circular": lambda v: circular(v, K),
    "convolution, zero padding": lambda v: cnn.conv2d(v, K, padding=1),
    "the same, inner places": lambda v: cnn.conv2d(v, K, padding=1),
    "dense": lambda v: ff.dense(v.reshape(1, 196), W, np.zeros(196)).reshape(v.shape),
}
for name, layer in layers.items():
    difference = np.abs(layer(shifted(x)) - shifted(layer(x)))[0, 0]
    if name.startswith("the same"):
        difference = difference[SHIFT[0] + 1 : -1, SHIFT[1] + 1 : -1]
    print(f"{name:28s} {difference.max():.2g}")
for shift in (1, 2):
    first = circular(np.roll(x, shift, axis=3), K)[..., ::2]
    after = np.roll(circular(x, K)[..., ::2], shift // 2, axis=3)
    print(f"stride 2, shift by {shift:<9d} {np.abs(first - after).max():.2g}")
