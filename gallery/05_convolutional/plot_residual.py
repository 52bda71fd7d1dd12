r"""
A way around each block
=======================

A residual block adds its input to what its layers make of it, so that they have to learn only the
difference, and the gradient has a way around them :cite:p:`he2016`. How much of the gradient comes
through a stack of blocks, with and without that way?

The chapter's page: :doc:`/05_convolutional/summary`.
"""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing
from ketkar import feedforward as ff

# %%
# The block
# ---------

boxes = {
    "x": ("$x$", (0.4, 0.4)),
    "first": ("conv", (1.4, 0.4)),
    "relu": ("relu", (2.45, 0.4)),
    "second": ("conv", (3.5, 0.4)),
    "sum": ("+", (4.4, 0.4)),
    "last": ("relu", (5.2, 0.4)),
    "y": ("$y$", (6.1, 0.4)),
}
around = {"bend": -0.32, "text": "$x$, unchanged"}
drawing.flow(boxes, [*pairwise(boxes), ("x", "sum", around)], size=(6.4, 1.6))
# Alt text: A chain of boxes: x, conv, relu, conv, plus, relu, y. An arc leads from x over the
# convolutions straight to the plus; it is marked x, unchanged.
plt.show()

# %%
# Gradients through many blocks
# -----------------------------
# Blocks of two convolutions between 8 maps of 8 by 8, not trained. The weights have the size that
# suits layers without rectifiers :cite:p:`glorot2010`, or that which makes up for them
# :cite:p:`he2015`, or a tenth of the first. Drawn is the size of the gradient at the input divided
# by its size at the output, the geometric mean of five stacks.

DEPTHS = (1, 2, 5, 10, 20, 50)
PIECES = {"padding": 1}


def through(depth, scale, residual, rng):
    """The ratio of the gradient's sizes before and after a stack of blocks."""
    x, steps = ff.relu(rng.normal(size=(1, 8, 8, 8))), []
    for _ in range(depth):
        K, L = rng.normal(0, np.sqrt(scale / (9 * 8)), (2, 8, 8, 3, 3))
        h = ff.relu(cnn.conv2d(x, K, **PIECES))
        y = ff.relu(residual * x + cnn.conv2d(h, L, **PIECES))
        steps.append((x, K, h, L, y))
        x = y
    gradient = start = rng.normal(size=x.shape)
    for x, K, h, L, y in reversed(steps):
        outer = gradient * (y > 0)
        inner = cnn.conv2d_backward(outer, h, L, **PIECES).x * (h > 0)
        gradient = residual * outer + cnn.conv2d_backward(inner, x, K, **PIECES).x
    return np.linalg.norm(gradient) / np.linalg.norm(start)


ways = {
    "plain, Glorot": (1, 0), "plain, He": (2, 0), "residual, Glorot": (1, 1),
    "residual, a tenth": (0.01, 1),
}  # fmt: skip
fig, ax = plt.subplots(figsize=(6.4, 3.8))
for (name, (scale, residual)), mark in zip(ways.items(), "osD^", strict=True):
    rng = np.random.default_rng(0)
    sizes = [
        np.exp(np.mean([np.log(through(depth, scale, residual, rng)) for _ in range(5)]))
        for depth in DEPTHS
    ]
    ax.loglog(DEPTHS, sizes, marker=mark, label=name)
    print(f"{name:18s}", *(f"{size:9.2g}" for size in sizes))
ax.set(xlabel="blocks", ylabel="gradient at the input / at the output")
ax.set_xticks(DEPTHS, DEPTHS)
ax.minorticks_off()
ax.legend()
# Alt text: Four curves over 1 to 50 blocks on logarithmic axes. Plain blocks lose the gradient:
# with Glorot's weights it falls to about 1e-18, with He's to about 1e-3. In residual blocks it
# grows to about 70 with Glorot's weights, and stays near 1 with a tenth of them.
plt.show()

# %%
# The way around keeps the gradient from vanishing, but not from growing: every block adds its part.
# That is why residual networks also normalise what a block adds, or let it start small.
