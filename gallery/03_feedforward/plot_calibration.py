r"""
The sigmoid's output is a probability
=====================================

A sigmoid unit trained with the binary cross entropy models a Bernoulli variable, equation
:eq:`bernoulli-nll`. Where it says 0.8, about eight in ten are ones. Twice the weights give the
same decisions, and wrong probabilities. Read :ref:`sec-binary_cross_entropy`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar.datasets import coin_flips
from ketkar.network import Dense
from ketkar.training import accuracy, fit, loss_value, predict

# %%
# Coins whose bias depends on x
# -----------------------------
# The true probability of a one at :math:`x` is :math:`\sigma(2x-0.5)`. One unit learns it from
# 20,000 tosses; the calibration is measured on 20,000 others, in ten bins of what it predicts.

train, test = (coin_flips(20_000, w=2.0, b=-0.5, rng=seed) for seed in (0, 1))
unit = Dense(1, 1)
run = fit(unit, unit.init(rng=0), *train, loss="binary_cross_entropy", lr=1.0, epochs=100)
doubled = run.params._replace(W=2 * run.params.W, b=2 * run.params.b)


def calibration(params):
    """In each bin: the mean prediction, and the share of ones."""
    p = predict(unit, params, test.x, "binary_cross_entropy")[:, 0]
    place = (p * 10).astype(int).clip(0, 9)
    count = np.bincount(place, minlength=10)
    return np.bincount(place, p, 10) / count, np.bincount(place, test.y, 10) / count


fig, ax = plt.subplots(figsize=(4.8, 4.4))
ax.plot([0, 1], [0, 1], ":", color=drawing.COLOURS["black"], label="calibrated")
for name, params, look in (("trained", run.params, "o-"), ("weights doubled", doubled, "s--")):
    ax.plot(*calibration(params), look, label=name)
ax.set(xlabel="predicted probability", ylabel="share of ones", aspect="equal")
ax.legend()
# Alt text: The share of ones against the predicted probability in ten bins. The points of the
# trained unit lie on the dotted diagonal; with doubled weights they form an S-curve that is above
# the diagonal for small predictions and below it for large ones.
plt.show()

# %%
# Numbers
# -------

W, b = (array.item() for array in run.params)
print(f"learned w = {W:.3f}, b = {b:.3f}; the coins have 2 and -0.5 (seeds 0 and 1)")
for name, params in (("trained", run.params), ("weights doubled", doubled)):
    said, seen = calibration(params)
    print(
        f"{name:15s} largest gap {np.abs(said - seen).max():.3f}, "
        f"accuracy {accuracy(unit, params, *test):.3f}, "
        f"loss {loss_value(unit, params, *test, 'binary_cross_entropy'):.4f}"
    )
