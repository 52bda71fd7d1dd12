r"""
A forget gate that starts open
==============================

The cell state of an LSTM lives as long as its forget gate is open, equation :eq:`lstm-cell`, and
the bias of the gate decides how open it is before anything is learned :cite:p:`gers2000`. Networks
are asked for the first symbol of noisy sequences: how far back do they learn to look?

The chapter's page: :doc:`/06_recurrent/lstm`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import recurrent as rnn
from ketkar.datasets import recall_task
from ketkar.systems import sequence_accuracy, train_recall

# %%
# How long the gate lets remember
# -------------------------------
# While nothing else moves it, a gate with the bias b leaves sigmoid(b) of the state at each step.

for bias in (0, 1, 5):
    kept = 1 / (1 + np.exp(-bias))
    print(f"bias {bias}: after 1, 30, 60 steps {kept:.3f}, {kept**30:.1e}, {kept**60:.1e}")

# %%
# How far they learn to look
# --------------------------
# Eight cells, 150 updates, two seeds. The noise is half as large as the symbol and there at every
# later step.

KIND, NOISE = np.float32, 0.5
LAGS = (10, 30, 60)


def right(bias, tau, seed):
    """The share of right answers of an LSTM after training."""
    lstm = rnn.lstm_params(2, 8, rng=seed, forget_bias=bias, dtype=KIND)
    start = lstm, rnn.output_params(8, 2, rng=seed, dtype=KIND)
    run = train_recall(start, tau, rng=seed, updates=150, batch=16, noise=NOISE, lr=0.01)
    return sequence_accuracy(run.params, recall_task(500, tau, 100, NOISE, dtype=KIND))


fig, ax = plt.subplots(figsize=(6.4, 3.8))
for bias, mark in zip((0.0, 1.0, 5.0), "osD", strict=True):
    shares = np.array([[right(bias, tau, seed) for seed in (0, 1)] for tau in LAGS])
    (line,) = ax.plot(LAGS, shares.mean(axis=1), label=f"bias {bias:g}")
    ax.plot(LAGS, shares, mark, color=line.get_color(), alpha=0.7)
    print(f"bias {bias:g}: right over {LAGS} steps", *shares.mean(axis=1).round(2))
ax.axhline(0.5, color="#5F6B76", linestyle=":")
ax.set(xlabel="steps", ylabel="right answers", xticks=LAGS, ylim=(0.4, 1.03))
ax.legend(loc="center")
# Alt text: The share of right answers over sequences of 10, 30 and 60 steps; dots are seeds, lines
# their mean. All three are right at 10 steps. With bias 0 nothing is learned over 30, with bias 1
# little over 60; with bias 5 nearly all answers are right everywhere.
plt.show()

# %%
# An open gate is not better in itself. It forgets nothing, noise included, and where only what is
# recent counts, a network has to learn to close it.
