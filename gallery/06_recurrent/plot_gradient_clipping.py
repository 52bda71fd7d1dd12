r"""
Clipping an exploding gradient
==============================

A recurrent network whose weights stretch what they read shall name the first of 40 symbols. Now and
then a batch has a gradient that is a hundred times as long as the others, and one step along it
leads far away. Clipping, equation :eq:`clip-norm`, keeps its direction and bounds its length.

The chapter's page: :doc:`/06_recurrent/clipping`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import recurrent as rnn
from ketkar.systems import train_recall
from ketkar.training import TrainingDivergedError

# %%
# Training
# --------
# Plain descent with a learning rate of 0.5, five seeds. The recurrent weights start as an
# orthogonal matrix times 1.5.


def learn(seed, max_norm):
    """Losses and norms of 300 updates; None if they do not stay finite."""
    start = rnn.rnn_params(2, 24, 2, rng=seed, radius=1.5, dtype=np.float32)
    try:
        run = train_recall(start, 40, rng=seed, updates=300, noise=0.1, method="sgd", lr=0.5,
                           max_norm=max_norm)  # fmt: skip
    except TrainingDivergedError:
        return None
    return run


runs = {limit: [learn(seed, limit) for seed in range(5)] for limit in (1.0, None)}
for limit, of in runs.items():
    ends = [np.nan if run is None else run.losses[-20:].mean() for run in of]
    print(f"{'clipped at 1' if limit else 'not clipped':13s} loss at the end", np.round(ends, 4))

# %%
# One seed
# --------
# Above the norms, before they are clipped, below the losses. The dotted lines are the limit, and
# the loss of somebody who only guesses.

fig, panels = plt.subplots(2, 2, figsize=(6.4, 5), sharex=True, sharey="row")
for (limit, of), column in zip(runs.items(), panels.T, strict=True):
    run = of[2]
    for ax, values in zip(column, (run.norms, run.losses), strict=True):
        ax.semilogy(range(1, len(values) + 1), values, linewidth=1)
    column[0].set_title("clipped at 1" if limit else "not clipped")
    column[0].axhline(1, color="#5F6B76", linestyle=":")
    column[1].axhline(np.log(2), color="#5F6B76", linestyle=":")
    column[1].set_xlabel("update")
panels[0, 0].set_ylabel("norm of the gradient")
panels[1, 0].set_ylabel("loss")
# Alt text: Norms and losses over 300 updates on logarithmic axes. With clipping, the norms jump up
# to nearly 100 in the first twenty updates, then they and the losses fall, the loss to below 0.001.
# Without it the loss falls to about 0.01 too, then one update with a large gradient throws it above
# that of guessing, and there it stays.
plt.show()

# %%
# Where it is thrown to, the units are saturated, and plain descent does not find back. Clipping has
# a price, one more number to choose. And it does nothing against gradients that vanish.
