r"""
Momentum in a narrow valley
===========================

In a long valley, the learning rate that the steep sides allow is too small for the flat floor.
Momentum, equation :eq:`momentum`, adds up the steps along the floor, which agree, and cancels
those across, which do not. Read :ref:`sec-training`; the idea is that of
:cite:t:`polyak1964`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar.training import momentum_step, sgd_step

# %%
# A valley thirty times as steep across as along
# ----------------------------------------------
# Both start at the same point and use the same learning rate. Above 2/30 steepest descent would
# diverge.

STEEPNESS = np.array([1.0, 30.0])
LR, STEPS = 0.05, 40


def loss(theta):
    """A narrow valley with its lowest point at zero."""
    return 0.5 * np.sum(STEEPNESS * theta**2)


def path(momentum):
    """The parameters after each step."""
    theta, velocity = np.array([-8.0, 1.0]), None
    points = [theta]
    for _ in range(STEPS):
        gradient = STEEPNESS * theta
        if momentum:
            theta, velocity = momentum_step(theta, gradient, velocity, LR, momentum)
        else:
            theta = sgd_step(theta, gradient, LR)
        points.append(theta)
    return np.array(points)


paths = {"steepest descent": path(0.0), "momentum 0.7": path(0.7)}

fig, (above, below) = plt.subplots(2, 1, figsize=(6.4, 6.0))
drawing.contour_path(loss, paths, xlim=(-9, 2), ylim=(-1.6, 1.9), ax=above)
for name, points in paths.items():
    below.semilogy([loss(theta) for theta in points], label=name)
below.set(xlabel="step", ylabel="loss")
below.legend()
# Alt text: Above, two paths on the contour lines of a narrow valley. Both first zigzag across;
# steepest descent then creeps along the floor and stops short, momentum takes longer and longer
# steps and reaches the lowest point. Below, the loss against the step: that of momentum falls many
# orders of magnitude lower.
plt.show()

# %%
# Numbers
# -------
# Along the floor, a steady slope makes the step longer by the factor :math:`1/(1-\mu)`.

for name, points in paths.items():
    print(f"{name:16s} loss after {STEPS} steps: {loss(points[-1]):.2e}")
theta, velocity = np.zeros(1), None
for _ in range(50):
    theta, velocity = momentum_step(theta, np.ones(1), velocity, LR, 0.7)
print(f"longest step on a steady slope: {-velocity[0] / LR:.4f} times the learning rate")
