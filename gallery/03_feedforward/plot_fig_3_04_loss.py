r"""
From a prediction to a loss
===========================

A loss compares what the network says with what it should have said, example by example, and
the loss of a data set is the mean, equation :eq:`loss`. Here the loss is the
:func:`~ketkar.feedforward.binary_cross_entropy` of eight examples under a network that was not
trained yet.

The chapter's page: :doc:`/03_feedforward/evaluating`.
"""

# Textbook figure 3-4: The loss of a network over a set of examples
# sphinx_gallery_thumbnail_number = 2
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff

# %%
# What leads to the loss
# ----------------------

drawing.flow(
    {
        "x": ("examples\n$x_1, \\ldots, x_N$", (0.75, 1.5)),
        "f": ("network\n$f_\\theta$", (2.55, 1.5)),
        "p": ("predictions\n$\\hat y_1, \\ldots, \\hat y_N$", (4.3, 1.5)),
        "y": ("targets\n$y_1, \\ldots, y_N$", (4.3, 0.45)),
        "l": ("loss\n$l(\\hat y, y)$", (5.8, 0.98)),
    },
    [("x", "f"), ("f", "p"), ("p", "l"), ("y", "l")],
    size=(6.4, 1.95),
)
# Alt text: Boxes joined by arrows: the examples enter the network, which
# gives the predictions. The predictions and the targets together enter the
# loss.
plt.show()

# %%
# Eight examples
# --------------
# The network has two inputs, three hidden tanh units and a sigmoid output. Its weights are random.

rng = np.random.default_rng(3)
X = rng.normal(size=(8, 2))
y = (X[:, 0] > 0).astype(float)
params = [
    (rng.normal(size=(2, 3)), np.zeros(3)),
    (3 * rng.normal(size=(3, 1)), np.zeros(1)),
]

p = ff.mlp(X, params, ["tanh", "sigmoid"])[:, 0]
each = ff.binary_cross_entropy(p, y, reduction="none")
mean = ff.binary_cross_entropy(p, y)

# %%
# The price of an example is small where the prediction leans to the right side and grows without
# bound as it becomes both sure and wrong. The network that says one half every time pays
# :math:`\ln 2` for each example.

names = [f"{target:.0f}\n{guess:.2f}" for target, guess in zip(y, p, strict=True)]
ax = drawing.bars(each, names, decimals=2, ylabel="loss of the example")
for height, dashes, name in (
    (mean, "--", f"mean loss {mean:.2f}"),
    (np.log(2), ":", r"$\ln 2$"),
):
    ax.axhline(height, color="black", linestyle=dashes, linewidth=1.2, zorder=3, label=name)
ax.set_xlabel("target $y$ (above) and prediction $\\hat y$ (below)")
ax.legend()
# Alt text: Eight bars, one an example, with the target and the prediction
# under each. Bars are low where the two are close and highest where the
# prediction is far from the target. A dashed line marks the mean loss, a
# dotted line the loss ln 2 of always saying one half.
plt.show()
