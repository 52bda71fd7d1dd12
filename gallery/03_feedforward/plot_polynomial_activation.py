r"""
Non-linear is not enough
========================

A layer with a polynomial activation computes a polynomial of that degree, however many units it
has. So "a hidden layer with a non-linear activation approximates any function" is false for the
square, and true for every activation that is not a polynomial (:cite:t:`leshno1993`). Read
:ref:`sec-activations`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff

# %%
# The same hidden layer, four activations
# ---------------------------------------
# The target is :math:`|x|`. Weights and biases of the hidden layer are random, the output layer
# is the best there is for them, found by least squares.

x = np.linspace(-1, 1, 401)
target = np.abs(x)
activations = {"linear": ff.identity, "square": np.square, "tanh": ff.tanh, "relu": ff.relu}


def best_fit(activation, units, rng):
    """The best output for `units` random hidden units, and how many of them are independent."""
    z = ff.dense(x[:, None], rng.normal(0, 4, (1, units)), rng.normal(0, 2, units))
    columns = np.column_stack([activation(z), np.ones(len(x))])
    weights, _, rank, _ = np.linalg.lstsq(columns, target, rcond=1e-10)
    return columns @ weights, rank


def rms(values):
    """The root of the mean square."""
    return np.sqrt(np.mean(np.square(values)))


widths = np.array([2, 4, 8, 16, 32, 64])
errors, fits, ranks = {}, {}, {}
for name, activation in activations.items():
    rng = np.random.default_rng(1)
    errors[name] = [
        np.median([rms(best_fit(activation, units, rng)[0] - target) for _ in range(3)])
        for units in widths
    ]
    fits[name], ranks[name] = best_fit(activation, 64, rng)

fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.6))
for marker, name in zip("osD^", activations, strict=True):
    left.plot(x, fits[name])
    right.loglog(widths, errors[name], marker=marker, markersize=5, label=name)
left.plot(x, target, "-", color=drawing.COLOURS["grey"], linewidth=6, alpha=0.35, label="$|x|$")
left.set(xlabel="$x$", title="64 hidden units")
right.set(xlabel="hidden units", title="error (root mean square)")
right.set_xticks(widths[::2], widths[::2])
right.minorticks_off()
fig.legend(loc="outside lower center", ncols=5, handlelength=2.2, columnspacing=1.2)
# Alt text: Left, the absolute value of x and four fits with 64 hidden units: linear units give a
# flat line, squares a parabola that misses the corner, tanh and relu lie on the target. Right, the
# error against the number of units: constant for linear units and squares, falling for tanh and
# relu.
plt.show()

# %%
# The columns that a layer of squares offers to the next layer span three dimensions: the constant,
# :math:`x` and :math:`x^2`. A 65th unit adds nothing.

for name in activations:
    print(f"{name:7s} 64 units, {ranks[name]:2d} independent columns, error {errors[name][5]:.4f}")
best = np.polynomial.Polynomial.fit(x, target, 2)(x)
print(f"error of the best parabola: {rms(best - target):.4f} (seed 1)")
