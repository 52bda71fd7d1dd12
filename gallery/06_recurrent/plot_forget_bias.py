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
    print(f"bias {bias}: {kept:.3f} after one step, {kept**30:.1e} after 30, {kept**60:.1e} after 60")

# %%
# How far they learn to look
# --------------------------
# Eight units or cells, 150 updates, the mean of two seeds. The noise is half as large as the symbol
# and there at every step.

KIND, NOISE = np.float32, 0.5
LAGS = (10, 30, 60)


def lstm(bias):
    """An LSTM with this bias, to be drawn from a seed."""
    return lambda seed: (
        rnn.lstm_params(2, 8, rng=seed, forget_bias=bias, dtype=KIND),
        rnn.output_params(8, 2, rng=seed, dtype=KIND),
    )


starts = {f"LSTM, bias {bias}": lstm(float(bias)) for bias in (0, 1, 5)}
starts["plain RNN"] = lambda seed: rnn.rnn_params(2, 8, 2, rng=seed, dtype=KIND)


def right(start, tau, seed):
    """The share of right answers of a trained network."""
    run = train_recall(start(seed), tau, rng=seed, updates=150, noise=NOISE, lr=0.01)
    return sequence_accuracy(run.params, recall_task(500, tau, 100, NOISE, dtype=KIND))


fig, ax = plt.subplots(figsize=(6.4, 3.8))
for (name, start), mark in zip(starts.items(), "osD^", strict=True):
    shares = [np.mean([right(start, tau, seed) for seed in (0, 1)]) for tau in LAGS]
    ax.plot(LAGS, shares, marker=mark, label=name)
    print(f"{name:13s}", "  ".join(f"{tau} steps: {s:.2f}" for tau, s in zip(LAGS, shares)))
ax.axhline(0.5, color="#5F6B76", linestyle=":")
ax.set(xlabel="steps", ylabel="right answers", xticks=LAGS, ylim=(0.45, 1.03))
ax.legend(loc="center left")
# Alt text: The share of right answers over sequences of 10, 30 and 60 steps. All networks are right
# at 10. With bias 5 the LSTM stays near 1; with bias 1, and the plain network, it falls to one half
# at 60; with bias 0 already at 30.
plt.show()
