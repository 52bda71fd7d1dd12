r"""
What one threshold unit cannot do
=================================

A threshold unit answers 1 on one side of a straight line. That is enough for AND and for OR, and
never for XOR, whose ones no line separates from its zeros; two layers do it. Equations :eq:`unit`
and :eq:`step`; read :ref:`sec-connectionist`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff
from ketkar.datasets import logic_gate

# %%
# Weights by hand
# ---------------
# XOR is "OR, but not AND": its network is made of the two units before it and a third one.

AND = (np.array([1.0, 1.0]), -1.5)
OR = (np.array([1.0, 1.0]), -0.5)
hidden = ff.DenseParams(np.column_stack([OR[0], AND[0]]), np.array([OR[1], AND[1]]))
output = ff.DenseParams(np.array([[1.0], [-1.0]]), np.array([-0.5]))

gates = {
    "and": lambda x: ff.threshold_unit(x, *AND),
    "or": lambda x: ff.threshold_unit(x, *OR),
    "xor": lambda x: ff.mlp(x, [hidden, output], "step")[:, 0],
}
titles = {"and": "AND: one unit", "or": "OR: one unit", "xor": "XOR: two layers"}

side = np.linspace(-0.5, 1.5, 200)
plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
fig, axes = plt.subplots(1, 3, figsize=(6.4, 2.9))
for ax, (name, network) in zip(axes, gates.items(), strict=True):
    answers = network(plane).reshape(200, 200)
    ax.contourf(side, side, answers, levels=[0.5, 2], colors=[drawing.COLOURS["sky"]], alpha=0.5)
    ax.contour(side, side, answers, levels=[0.5], colors=drawing.COLOURS["blue"], linewidths=1.5)
    x, y = logic_gate(name)
    for label, marker, face in ((0, "o", "white"), (1, "s", "black")):
        ax.plot(*x[y == label].T, marker, markerfacecolor=face, markeredgecolor="black",
                markersize=9, linestyle="", label=f"should be {label}")  # fmt: skip
    ax.set(title=titles[name], aspect="equal", xticks=[0, 1], yticks=[0, 1], xlabel="$x_1$")
axes[0].set_ylabel("$x_2$")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
# Alt text: Three squares with the four corners (0, 0) to (1, 1). AND: a line cuts off the corner
# (1, 1). OR: a line cuts off (0, 0). XOR: a strip between two parallel lines holds (0, 1) and
# (1, 0). Corners that should be 1 are filled squares, all inside the shaded side.
plt.show()

# %%
# Is XOR only hard to find?
# -------------------------
# No: the four conditions :math:`b\le 0`, :math:`w_1+b>0`, :math:`w_2+b>0` and
# :math:`w_1+w_2+b\le 0` contradict each other, since the two in the middle add up to
# :math:`w_1+w_2+2b>0`. A search among random units agrees: none gets more than three corners.

rng = np.random.default_rng(0)
corners = logic_gate("xor").x
answers = ff.dense(corners, rng.uniform(-2, 2, (2, 100_000)), rng.uniform(-2, 2, 100_000), "step")
for name, network in gates.items():
    y = logic_gate(name).y
    right = (answers == y[:, None]).sum(axis=0)
    print(
        f"{name.upper():3s}: {np.mean(right == 4):6.2%} of random units are right; the best gets "
        f"{right.max()} of 4; ours {int((network(corners) == y).sum())} (seed 0)"
    )
