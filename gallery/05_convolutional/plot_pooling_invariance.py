r"""
How much does pooling forget of places?
=======================================

Pooling, equations :eq:`max-pooling` to :eq:`l2-pooling`, is said to make a network indifferent to
where a feature is. That is true of pooling over the whole map. A small window hides only the moves
that stay inside of it. Read :doc:`/05_convolutional/pooling`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing
from ketkar.datasets import one_pixel

# %%
# Move everything by one pixel
# ----------------------------
# Left, a single bright pixel on 8 by 8 moves one place to the right: does the 2 by 2 max-pooled map
# change? Right, 500 maps of 16 by 16 random numbers are moved, around the edges, and the mean
# change after pooling is compared with the spread of the pooled map's own values.

pixels = one_pixel(8).x
pooled = cnn.max_pool2d(pixels, 2).reshape(8, 8, -1)
same = np.all(pooled[:, :-1] == pooled[:, 1:], axis=2)
signs = np.pad(np.where(same, "=", "x"), ((0, 0), (0, 1)), constant_values="")

maps = np.random.default_rng(0).normal(size=(500, 1, 16, 16))
moved = np.roll(maps, 1, axis=3)
SIZES = (1, 2, 4, 8, 16)
KINDS = {"max": cnn.max_pool2d, "average": cnn.avg_pool2d, "L2": cnn.l2_pool2d}


def change(pool, size):
    """The change in units of the spread, in units of the values, and the share of same values."""
    before, after = pool(maps, size), pool(moved, size)
    away = np.linalg.norm(after - before)
    spread = np.linalg.norm(before - before.mean())
    return away / spread, away / np.linalg.norm(before), np.mean(np.isclose(before, after))


changes = {name: np.array([change(pool, k) for k in SIZES]) for name, pool in KINDS.items()}

fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.6), width_ratios=[1, 1.25])
windows = [(i, j, 2, 2) for i in range(0, 8, 2) for j in range(0, 8, 2)]
drawing.window_grid(signs, title="pixel moves right", ax=left)
for row, column, rows, columns in windows:
    left.add_patch(plt.Rectangle((column - 0.5, row - 0.5), columns, rows, fill=False, lw=2))
left.set_xlabel("= same map, x another map")
for marker, (name, found) in zip("osD", changes.items(), strict=True):
    right.plot(range(5), found[:, 0], marker=marker, label=name)
right.set_xticks(range(5), SIZES)
right.set(xlabel="side of the window", title="change / spread", ylim=(0, 1.55))
right.legend()
# Alt text: Left, a grid of 8 by 8 places, divided into windows of 2 by 2. In the left column of
# each window stands an equals sign, in its right column a cross: from there the pixel leaves the
# window. Right, the change of random maps against the side of the window: it falls from 1.4 without
# pooling to about 1.0, 0.7 and 0.5 for all three kinds, and is zero for the whole map.
plt.show()

# %%
# What to compare with?
# ---------------------
# Max pooling looks better when the change is divided by the values themselves. That is because the
# maxima of random numbers are all large: they have a mean that carries no information. What sets
# max pooling apart is that many of its values do not change at all.

print(f"2 by 2 max pooling of one pixel: the same in {same.sum()} of {same.size} moves\n")
print("side    change / values         values that stay the same")
print("        " + "".join(f"{name:>8s}" for name in (*KINDS, *KINDS)))
for i, size in enumerate(SIZES):
    numbers = [found[i, column] for column in (1, 2) for found in changes.values()]
    print(f"{size:4d}    " + "".join(f"{value:8.2f}" for value in numbers))
