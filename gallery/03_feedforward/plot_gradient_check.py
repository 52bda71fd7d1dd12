r"""
How small a step for a gradient check?
======================================

A difference quotient has two errors: the curve between its two points, which grows with the step,
and rounding, which grows as the step shrinks. The best step is in between, and the central
difference, equation :eq:`finite-difference`, gets further than the one-sided one. Read
:ref:`sec-backpropagation`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff
from ketkar.gradcheck import STEP, numerical_gradient
from ketkar.systems import inference_network, inference_params
from ketkar.training import loss_value, value_and_grad

# %%
# One gradient, many steps
# ------------------------
# The network of the inference example and its squared error; the exact gradient is that of
# backpropagation.

net, params = inference_network(), inference_params()
x, y = np.array([[0.5, 0.9, -0.3]]), np.array([[0.0, 1.0]])
exact = value_and_grad(net, params, x, y, "squared_error")[1].dense1.W


def loss(W):
    """The loss as a function of the hidden weights alone."""
    changed = params._replace(dense1=ff.DenseParams(W, params.dense1.b))
    return loss_value(net, changed, x, y, "squared_error", backend="numpy")


def one_sided(h):
    """The forward difference: step in one direction only."""
    W, found = params.dense1.W, np.empty((3, 3))
    for i in np.ndindex(3, 3):
        nudge = np.zeros((3, 3))
        nudge[i] = h
        found[i] = (loss(W + nudge) - loss(W)) / h
    return found


def error(found):
    """The distance from the exact gradient, relative to its length."""
    return np.linalg.norm(found - exact) / np.linalg.norm(exact)


# numerical_gradient steps h times the size of the weight, where that is above 1
steps = np.logspace(-13, 0, 40)
central = [error(numerical_gradient(loss, params.dense1.W, step=h)) for h in steps]
forward = [error(one_sided(h)) for h in steps]

fig, ax = plt.subplots()
ax.loglog(steps, forward, label="one-sided difference")
ax.loglog(steps, central, label="central difference")
ax.axvline(STEP, color=drawing.COLOURS["grey"], linestyle=":", linewidth=1.2)
ax.annotate("used by gradcheck", (STEP, 0.97), (-5, 0), textcoords="offset points", va="top",
            ha="right", xycoords=("data", "axes fraction"))  # fmt: skip
ax.set(xlabel="step $h$", ylabel="relative error of the gradient")
ax.legend(loc="lower left")
# Alt text: The relative error of the gradient against the step from 1e-13 to 1, both logarithmic:
# two V-shaped curves. The one-sided difference has its minimum near 1e-8; the central difference
# reaches a smaller error, near 1e-5, where a dotted line marks the step that gradcheck uses.
plt.show()

# %%
# Numbers
# -------

for name, errors in (("one-sided", forward), ("central", central)):
    best = int(np.argmin(errors))
    slope = np.polyfit(np.log(steps[28:37]), np.log(errors[28:37]), 1)[0]
    print(f"{name:9s} best {errors[best]:.0e} at h = {steps[best]:.0e}; grows as h^{slope:.1f}")
