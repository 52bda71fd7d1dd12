r"""
A network finds out what a bar is
=================================

Pictures with one bar each, upright or lying, anywhere. A convolution, a rectifier and the largest
value of each map, equation :eq:`block` with a window as large as the map, are enough to tell them
apart, with 45 parameters. Nobody designs the four kernels: they are learned. Read
:doc:`/05_convolutional/intuition`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar.datasets import bars
from ketkar.network import Conv2d, Dense, Flatten, GlobalMaxPool2d, chain, count_parameters
from ketkar.training import accuracy, fit

# %%
# Three seeds
# -----------
# 400 pictures of 12 by 12 pixels to learn from, 2000 others to be asked about. The dense network
# has four hidden units too, each with a weight for every pixel.

train, test = bars(400, rng=0), bars(2000, rng=1)
maps = Conv2d(1, 4, 3, padding=1, activation="relu", init_kernel="he_normal")
networks = {
    "convolution": chain(maps, GlobalMaxPool2d(), Dense(4, 1)),
    "dense": chain(Flatten(), Dense(144, 4, "relu", "he_normal"), Dense(4, 1)),
}


def trained(network, seed):
    """The parameters after 30 epochs of mini-batch descent."""
    rng = np.random.default_rng(seed)
    return fit(network, network.init(rng), *train, loss="binary_cross_entropy", lr=0.2,
               momentum=0.9, batch_size=40, epochs=30, rng=rng).params  # fmt: skip


runs = {name: [trained(net, seed) for seed in range(3)] for name, net in networks.items()}
print("             parameters   right on training pictures, and on others (seeds 0, 1, 2)")
for name, net in networks.items():
    shares = [
        f"{accuracy(net, params, *train):.3f} {accuracy(net, params, *test):.3f}"
        for params in runs[name]
    ]
    print(f"{name:12s} {count_parameters(runs[name][0]):10d}   " + "   ".join(shares))

# %%
# What was learned
# ----------------
# Black is negative, white positive. A kernel with one light row answers to lying bars, one with a
# light column to upright bars; the weight says for which class its answer counts.

fig = plt.figure(figsize=(6.4, 5.6))
examples, learned = fig.subfigures(2, 1, height_ratios=[1, 2.2])
chosen = [*np.flatnonzero(test.y == 0)[:3], *np.flatnonzero(test.y == 1)[:3]]
names = ["lying"] * 3 + ["upright"] * 3
drawing.image_grid(np.clip(test.x[chosen, 0], 0, 1), titles=names, figure=examples)
kernels = np.array([params[0].K[:, 0] for params in runs["convolution"]])
weights = np.array([params[2].W[:, 0] for params in runs["convolution"]])
titles = [f"weight {drawing.number(w, 1)}" for w in weights.ravel()]
drawing.image_grid(kernels.reshape(12, 3, 3), titles=titles, columns=4, signed=True, figure=learned)
for ax, name in zip(learned.axes[::4], ("seed 0", "seed 1", "seed 2"), strict=True):
    ax.set_ylabel(name)
# Alt text: Above, six noisy pictures with a short bar, three lying and three upright. Below, the
# four kernels of 3 by 3 weights learned with each of three seeds, and above each its weight in the
# output unit: several have a row or a column that is much lighter or darker than the others.
plt.show()

# %%
# Is one of them a bar detector?
# ------------------------------
# The largest correlation, without its sign, of a seed's kernels with a row or column of ones on
# zeros, whichever of the three it is.

row = np.array([[1.0, 1, 1], [0, 0, 0], [0, 0, 0]])
lines = {"row": [np.roll(row, k, axis=0) for k in range(3)],
         "column": [np.roll(row.T, k, axis=1) for k in range(3)]}  # fmt: skip
for seed, found in enumerate(kernels):
    best = {
        name: max(abs(np.corrcoef(K.ravel(), line.ravel())[0, 1]) for K in found for line in three)
        for name, three in lines.items()
    }
    print(f"seed {seed}: " + ", ".join(f"{name} {value:.2f}" for name, value in best.items()))
