r"""
What excites a filter most?
===========================

To learn what a filter looks for, one can ask for the pieces of images to which it answers most
:cite:p:`zeiler2014`. In a network that tells L, T and plus signs apart, the first layer answers to
bits of lines, and the second, which sees more of the image, to parts of shapes. Read
:doc:`/05_convolutional/features`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing
from ketkar.datasets import two_bars
from ketkar.network import Conv2d, Dense, GlobalMaxPool2d, MaxPool2d, chain
from ketkar.training import accuracy, fit

# %%
# Training
# --------
# How much of the image a value of each layer depends on follows from the sizes, equation
# :eq:`receptive-field`.

SETTINGS = {"size": 14, "arm": 3, "gap": 0}
train, test = two_bars(600, rng=0, **SETTINGS), two_bars(600, rng=1, **SETTINGS)
layers = [
    Conv2d(1, 6, 3, activation="relu", init_kernel="he_normal"), MaxPool2d(2),
    Conv2d(6, 8, 3, activation="relu", init_kernel="he_normal"), GlobalMaxPool2d(), Dense(8, 3),
]  # fmt: skip
net = chain(*layers)
rng = np.random.default_rng(1)
params = fit(net, net.init(rng), *train, loss="cross_entropy", lr=0.05, momentum=0.9,
             batch_size=32, epochs=12, rng=rng).params  # fmt: skip
print(f"right on 600 other images: {accuracy(net, params, *test):.3f} (seed 1)")

# %%
# The nine most exciting pieces
# -----------------------------
# For each filter, the nine test images with the largest value anywhere in its map, and of each the
# piece that this value depends on. At most one piece comes from an image.


def exciting(depth, step, side):
    """The nine best pieces of each filter, (M, 9, side, side), and the classes of their images."""
    maps = chain(*layers[:depth])(params[:depth], test.x)  # (N, M, rows, columns)
    best = np.argsort(-maps.max(axis=(2, 3)), axis=0)[:9].T
    pieces = np.empty((*best.shape, side, side))
    for m, k in np.ndindex(best.shape):
        i, j = np.unravel_index(maps[best[m, k], m].argmax(), maps.shape[2:])
        pieces[m, k] = test.x[best[m, k], 0, step * i :, step * j :][:side, :side]
    return pieces, test.y[best]


def mosaic(pieces, side=24):
    """Nine pieces in three rows, each about `side` points wide, with white lines between them."""
    fine = np.kron(np.clip(pieces, 0, 1), np.ones((side // pieces.shape[1],) * 2))
    framed = np.pad(fine, ((0, 0), (0, 1), (0, 1)), constant_values=np.nan)
    rows = framed.reshape(3, 3, *framed.shape[1:]).transpose(0, 2, 1, 3)
    return rows.reshape(3 * framed.shape[1], -1)[:-1, :-1]


sides = [cnn.receptive_field(sizes) for sizes in ([(3, 1)], [(3, 1), (2, 2), (3, 1)])]
found = {"first": exciting(1, 1, sides[0]), "second": exciting(3, 2, sides[1])}
shading = plt.get_cmap("gray_r").with_extremes(bad=drawing.COLOURS["sky"])
fig = plt.figure(figsize=(6.4, 6.0))
parts = fig.subfigures(2, 1, height_ratios=[1, 2.3])
for part, (name, (pieces, classes)), (n, m) in zip(
    parts, found.items(), ((1, 6), (2, 4)), strict=True
):
    part.suptitle(f"{name} layer: pieces of {pieces.shape[2]} by {pieces.shape[3]} pixels")
    for ax, nine, kinds in zip(part.subplots(n, m).flat, pieces, classes, strict=True):
        counts = np.bincount(kinds, minlength=3)
        ax.imshow(mosaic(nine), cmap=shading, vmin=0, vmax=1)
        ax.set(title=f"{'LT+'[counts.argmax()]}: {counts.max()} of 9", xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color=drawing.COLOURS["grey"])
# Alt text: Above, six mosaics of nine pieces of 3 by 3 pixels: short lines, corners, ends of lines,
# and for one filter blank paper. Below, eight mosaics of pieces of 8 by 8 pixels: four show nine
# plus signs each, three show L shapes or corners turned in some direction, and one is mixed.
plt.show()

# %%
# How choosy are they?
# --------------------
# Above each filter stands the commonest class among its nine images. Of nine images drawn at random
# it has about half. Plus signs are frequent because they have the most arms: much of what excites a
# filter is in them.

for name, (_, classes) in found.items():
    purest = [np.bincount(kinds).max() for kinds in classes]
    print(f"{name:6s} layer: {np.sum(np.equal(purest, 9))} of {len(purest)} filters chose nine "
          f"images of one class")  # fmt: skip
