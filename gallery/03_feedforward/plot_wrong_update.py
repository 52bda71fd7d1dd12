r"""
Subtract the gradient, not the loss
===================================

A step of descent subtracts the *gradient* of the loss, equation :eq:`steepest-descent`. Without
the gradient sign, the formula subtracts the loss itself, which is never negative: the parameter
then only ever goes down, whichever side the minimum is on. Read :ref:`sec-training`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar.training import sgd_step

# %%
# Fifty steps on a parabola
# -------------------------
# The loss is :math:`(\theta-1)^2`, the learning rate 0.1. From above, the wrong rule looks right
# for a while.


def loss(theta, floor=0.0):
    """A parabola with its minimum, of height `floor`, at 1."""
    return (theta - 1) ** 2 + floor


def path(rule, start, steps=50):
    """The parameter after each step, as long as it stays on the page."""
    theta, points = np.array([start]), [start]
    while len(points) <= steps and theta[0] > -1e6:
        theta = sgd_step(theta, rule(theta), lr=0.1)
        points.append(float(theta[0]))
    return np.array(points)


def gradient(theta):
    """What should be subtracted."""
    return 2 * (theta - 1)


paths = {
    "gradient, from 3": path(gradient, 3.0),
    "gradient, from 0.5": path(gradient, 0.5),
    "loss, from 3": path(loss, 3.0),
    "loss, from 0.5": path(loss, 0.5),
    "loss + 0.2, from 3": path(lambda theta: loss(theta, 0.2), 3.0),
}

fig, ax = plt.subplots(figsize=(6.4, 4.0))
ax.axhline(1, color=drawing.COLOURS["grey"], linewidth=0.8)
ax.text(1.01, 1, "minimum", va="center", transform=ax.get_yaxis_transform())
looks = (("-", "o"), ("-", "s"), ("--", "^"), ("--", "v"), ("--", "D"))
colours = ("blue", "blue", "vermillion", "vermillion", "orange")
for (name, points), (dash, marker), colour in zip(paths.items(), looks, colours, strict=True):
    ax.plot(points, dash, marker=marker, markevery=5, markersize=5, label=name,
            color=drawing.COLOURS[colour])  # fmt: skip
ax.set(xlabel="step", ylabel=r"$\theta$", ylim=(-1.6, 3.2))
ax.legend(loc="upper right", ncols=2, fontsize=10, title="what is subtracted")
# Alt text: The parameter over fifty steps. Subtracting the gradient leads to the minimum at 1 from
# both sides. Subtracting the loss creeps towards 1 from 3, runs away downwards from 0.5, and walks
# through the minimum and away where the smallest loss is 0.2.
plt.show()

# %%
# Numbers
# -------

for name, points in paths.items():
    print(f"{name:19s} after 10 steps {points[10]:8.5f}, after {len(points) - 1} {points[-1]:.5g}")
correct = loss(paths["gradient, from 3"])
print("the right rule lowers the loss at every step:", bool((np.diff(correct) < 0).all()))
