r"""
The threshold unit
==================

The oldest artificial neuron fires when the weighted sum of its inputs plus its bias exceeds zero,
equation :eq:`step`. With two inputs it can compute AND and OR; the line where the sum is zero
cuts the plane into the inputs that fire it and those that do not
(:func:`~ketkar.feedforward.threshold_unit`).

The chapter's page: :doc:`/03_feedforward/unit`.
"""

import itertools

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff

# %%
# One firing
# ----------
# The weights of an AND unit, and the input (1, 1).

x, w, b = [1.0, 1.0], [1.0, 1.0], -1.5
drawing.unit_diagram(
    x, w, b, ff.linear_unit(x, w, b), ff.threshold_unit(x, w, b), activation="step"
)
# Alt text: Two inputs of 1 with weights 1 and 1 and a bias of -1.5 add up to
# z = 0.5. The sum passes through a step and leaves as y = 1.
plt.show()

# %%
# Two functions of two inputs
# ---------------------------
# AND and OR differ in the bias alone: it moves the line and does not turn it. No line has the two
# corners of XOR on one side and the other two on the other, so no single unit computes XOR.

corners = np.array(list(itertools.product([0.0, 1.0], repeat=2)))
fig, panels = plt.subplots(1, 2, figsize=(6.4, 3.2))
for ax, (name, b) in zip(panels, {"AND": -1.5, "OR": -0.5}.items(), strict=True):
    y = ff.threshold_unit(corners, w, b)
    print(
        name,
        {tuple(map(int, corner)): int(out) for corner, out in zip(corners, y, strict=True)},
    )
    ax.plot(
        *corners[y == 0].T,
        "o",
        color="black",
        markerfacecolor="white",
        markersize=10,
    )
    ax.plot(*corners[y == 1].T, "o", color="black", markersize=10)
    x1 = np.array([-0.6, 1.6])
    ax.plot(x1, -(b + w[0] * x1) / w[1], "--", color=drawing.COLOURS["vermillion"])
    ax.set(title=f"{name}: $b$ = {drawing.number(b)}", xlabel="$x_1$", ylabel="$x_2$")
    ax.set(
        xlim=(-0.5, 1.6),
        ylim=(-0.5, 1.6),
        aspect="equal",
        xticks=[0, 1],
        yticks=[0, 1],
    )
# Alt text: Two squares of four corners, filled where the unit fires. AND: a
# dashed line cuts off the corner (1, 1), the only filled one. OR: a parallel
# line nearer to the origin leaves only the corner (0, 0) empty.
plt.show()
