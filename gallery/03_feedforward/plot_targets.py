r"""
Why targets of 0.9 and 0.1
==========================

A sigmoid reaches 1 only with an infinite weight. Asked for 1, descent therefore never ends, and
the weight grows with the logarithm of the number of steps. Asked for 0.9, it stops at
:math:`\ln 9`, where the sigmoid is 0.9. Read :ref:`sec-sigmoid`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar.network import Dense, flatten
from ketkar.training import training_step

# %%
# One weight
# ----------
# A sigmoid unit with the inputs 1 and -1, which should answer with the target and with one minus
# the target. By symmetry the bias stays at zero.

x = np.array([[1.0], [-1.0]])
moments = np.union1d(np.logspace(0, 4, 60).astype(int), [100, 1000])


def weights(target, activation, loss, lr):
    """The weight after each of the `moments`."""
    unit = Dense(1, 1, activation, init_weights="zeros")
    theta, found = flatten(unit.init(0)), {}
    step = training_step(unit, loss=loss, lr=lr)
    y = np.array([[target], [1 - target]])
    for number in range(1, moments[-1] + 1):
        step(theta, np.empty(0), x, y)
        found[number] = theta[0]
    return np.array([found[number] for number in moments])


paths = {
    "target 1, cross entropy": weights(1.0, "identity", "binary_cross_entropy", 0.3),
    "target 1, squared error": weights(1.0, "sigmoid", "squared_error", 0.3),
    "target 0.9, squared error": weights(0.9, "sigmoid", "squared_error", 0.3),
}

fig, ax = plt.subplots()
for name, path in paths.items():
    ax.semilogx(moments, path, label=name)
ax.axhline(np.log(9), color=drawing.COLOURS["grey"], linewidth=0.8)
ax.annotate(r"$\ln 9$", (1.1, np.log(9)), (0, 4), textcoords="offset points")
ax.set(xlabel="step", ylabel="weight")
ax.legend(loc="upper left")
# Alt text: The weight against the number of steps on a logarithmic scale. With target 0.9 it levels
# off at the natural logarithm of nine; with target 1 it keeps rising along a straight line, twice
# as steeply with the cross entropy as with the squared error.
plt.show()

# %%
# Numbers
# -------
# The slope of the upper curves is a weight per power of ten; it does not get smaller.

for name, path in paths.items():
    at = path[np.isin(moments, (100, 1000, 10000))]
    print(f"{name:26s} after 100, 1000, 10000 steps: " + ", ".join(f"{w:.4f}" for w in at))
print(f"ln 9 = {np.log(9):.4f}")
