r"""
Overfitting and early stopping
==============================

A network with many units goes on to fit the noise in its 30 examples: the training loss keeps
falling while the loss on points it has not seen rises. The validation set says when to stop.
Read :ref:`sec-training`; :cite:t:`prechelt1998` compares stopping rules.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar.datasets import noisy_sine
from ketkar.network import Dense, chain
from ketkar.training import fit, loss_value

# %%
# Thirty points of a noisy sine
# -----------------------------
# Two hidden layers of tanh units; the inputs are scaled to [-3, 3]. Validation points come from
# the same source as the examples. The true sine is only for looking at in the end.

EPOCHS, NOISE = 2000, 0.4


def scaled(data):
    """The same data with inputs in [-3, 3]."""
    return data._replace(x=6 * data.x - 3)


def trained(hidden, seed):
    """A network of that width, its run, and its parameters at the best and at the last epoch."""
    train = scaled(noisy_sine(30, NOISE, rng=seed))
    validation = scaled(noisy_sine(60, NOISE, rng=seed + 50))
    net = chain(Dense(1, hidden, "tanh", "he_normal"), Dense(hidden, hidden, "tanh"),
                Dense(hidden, 1))  # fmt: skip
    ends = {}
    run = fit(net, net.init(rng=0), *train, loss="squared_error", lr=0.02, momentum=0.9,
              epochs=EPOCHS, validation=validation, patience=EPOCHS,
              callback=lambda epoch, params: ends.update(last=params))  # fmt: skip
    return net, train, run, ends["last"]


net, train, run, last = trained(hidden=20, seed=2)
best = run.history.best_epoch

fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.7))
epochs = np.arange(1, EPOCHS + 1)
left.semilogx(epochs, run.history.loss, label="training")
left.semilogx(epochs, run.history.validation_loss, label="validation")
left.axvline(best, color=drawing.COLOURS["grey"], linewidth=1, linestyle=":")
left.annotate(f"best: {best}", (best, 0.98), (-4, 0), textcoords="offset points", ha="right",
              va="top", xycoords=("data", "axes fraction"))  # fmt: skip
left.set(xlabel="epoch", title="loss, two layers of 20", xlim=(30, EPOCHS), ylim=(0, 0.4))
left.legend(loc="lower left")
x = np.linspace(-3, 3, 400)
right.plot(*train, "o", color=drawing.COLOURS["grey"], markersize=4, label="examples")
for params, name in ((run.params, "best epoch"), (last, "last epoch")):
    right.plot(x, net(params, x[:, None])[:, 0], label=name)
right.set(xlabel="$x$", title="what was learned")
fig.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3)
# Alt text: Left, the training and the validation loss against the epoch on a logarithmic axis: the
# training loss keeps falling, the validation loss has its minimum early, marked by a dotted line,
# and rises. Right, thirty noisy points: the network of the best epoch follows one smooth wave, that
# of the last epoch bends towards single points.
plt.show()

# %%
# More units, more overfitting
# ----------------------------
# How much farther from the true sine the last epoch is than the best one, as a squared distance.
# Single sets of examples differ a good deal, so this is the median of five.

truth = scaled(noisy_sine(400, 0.0, rng=93))
print("units  at the best epoch  increase to the last  sets that got worse")
for hidden in (3, 30):
    found = []
    for seed in range(1, 6):
        net, _, run, last = trained(hidden, seed)
        found.append([loss_value(net, p, *truth, "squared_error") for p in (run.params, last)])
    there, end = np.transpose(found)
    print(f"{hidden:5d} {np.median(there):18.3f} {np.median(end - there):21.3f} "
          f"{(end > there).sum():14d} of 5  (seeds 1 to 5)")  # fmt: skip
