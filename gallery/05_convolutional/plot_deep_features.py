r"""
What the last layer gets to see
===============================

A network's last layer only draws straight lines between classes. All layers before it have one
task: to move the examples so that straight lines are enough. Here real digits are shown as two
numbers each, once computed from their pixels and once from the features that a convolutional
network has learned. Read :doc:`/05_convolutional/features`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar.datasets import digits
from ketkar.network import Conv2d, Dense, Flatten, MaxPool2d, chain
from ketkar.training import fit

# %%
# Features, and a view of them
# ----------------------------
# The features of an image are the 32 values that the last layer reads. Principal components are the
# directions in which the training examples differ most; they know nothing of the classes. What is
# drawn are test images, which took no part in the training.

train, test = digits(rng=0)
x, x_test = (part.x.reshape(-1, 1, 8, 8) for part in (train, test))
front = [
    Conv2d(1, 6, 3, padding=1, activation="tanh"), MaxPool2d(2),
    Conv2d(6, 16, 3, padding=1, activation="tanh"), MaxPool2d(2),
    Flatten(), Dense(64, 32, "tanh"),
]  # fmt: skip
net, body = chain(*front, Dense(32, 10)), chain(*front)
rng = np.random.default_rng(0)
params = fit(net, net.init(rng), x, train.y, loss="cross_entropy", lr=0.05, momentum=0.9,
             batch_size=32, epochs=12, rng=rng).params  # fmt: skip
learned = body(params[:-1], x), body(params[:-1], x_test)


def two_components(known, new):
    """Both sets in the two directions in which the known examples differ most."""
    middle = known.mean(axis=0)
    directions = np.linalg.svd(known - middle, full_matrices=False)[2][:2]
    return (known - middle) @ directions.T, (new - middle) @ directions.T


def nearest_mean(known, new):
    """The share of new examples that lie nearest to the middle of their own class."""
    means = np.array([known[train.y == digit].mean(axis=0) for digit in range(10)])
    distance = np.linalg.norm(new[:, None] - means, axis=2)
    return np.mean(distance.argmin(axis=1) == test.y)


views = {"pixels": (train.x, test.x), "learned features": learned}
colours = 0.75 * np.array(plt.get_cmap("tab10").colors)  # darker, to be read on white
fig, axes = plt.subplots(2, 1, figsize=(6.4, 8.0))
for ax, (name, (known, new)) in zip(axes, views.items(), strict=True):
    plane = two_components(known, new)
    ax.plot(*plane[1].T, linestyle="none")  # for the limits of the axes
    for (a, b), digit in zip(plane[1], test.y, strict=True):
        ax.text(a, b, f"{digit}", color=colours[digit], size=10.5, ha="center", va="center")
    ax.set(xticks=[], yticks=[], title=f"{name}, two components")
    ax.spines[:].set_visible(True)
    right = nearest_mean(known, new), nearest_mean(*plane)
    print(f"{name:17s} nearest to the mean of its class: {right[0]:.3f} in all {known.shape[1]} "
          f"dimensions, {right[1]:.3f} in these two")  # fmt: skip
# Alt text: Test images drawn as their digits, in two panels. By pixels, above, only 0, 4 and 6 have
# a place of their own, and the other digits lie mixed in the middle. By learned features, below, 3
# and 6 stand alone, and the others lie in tighter clouds, of which some still overlap: 0 with 4, 1
# and 2 with 8, 5 and 7 with 9.
plt.show()
