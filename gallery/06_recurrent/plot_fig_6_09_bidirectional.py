r"""
Reading from both ends
======================

A bidirectional network has two chains of hidden states. One reads forward, equation
:eq:`bidirectional-forward`, the other backward, equation :eq:`bidirectional-backward`; the output
sees both, equation :eq:`bidirectional-output`, and so the whole sequence.

The chapter's page: :doc:`/06_recurrent/bidirectional`.
"""

# Textbook figure 6-9: Bidirectional RNN (number inferred)
import matplotlib.pyplot as plt
import numpy as np

from ketkar import datasets, drawing, training
from ketkar import recurrent as rnn

# %%
# The graph
# ---------
# Each input goes to both chains, and each chain to the output of its step.

drawing.bidirectional_graph(4)
# Alt text: Four columns with an input below and an output above. Between them stand two states: the
# lower ones, h with index f, are joined by dashed arrows from left to right, the upper ones, h with
# index b, by dashed arrows from right to left. Each input leads to both states of its column, and
# both lead to its output.
plt.show()

# %%
# A task that asks for the future
# -------------------------------
# Twelve random bits; the output of a step shall be the bit *after* it. Nothing in the past says
# which it is. The network that reads forward has 24 hidden units, the bidirectional one twice
# 12.

TAU = 12


def learn(seed, both, updates=80):
    """The accuracy at each position after training."""
    rng = np.random.default_rng(seed)
    if both:
        params = rnn.bidirectional_params(1, 12, 2, rng=rng)
        forward, backward = rnn.bidirectional, rnn.bidirectional_backward
    else:
        params = rnn.rnn_params(1, 24, 2, rng=rng)
        forward, backward = rnn.rnn_forward, rnn.rnn_backward

    def value_and_grad(params):
        x, y = datasets.next_bit(32, TAU, rng)
        y_hat, trace = forward(params, x)
        dy = rnn.sequence_cross_entropy_grad(y_hat, y, reduction="mean")
        loss = rnn.sequence_cross_entropy(y_hat, y, reduction="mean")
        return loss, backward(params, dy, trace).params

    run = training.descend(params, value_and_grad, updates, lr=0.05)
    x, y = datasets.next_bit(500, TAU, rng)
    y_hat, _ = forward(run.params, x)
    return (y_hat.argmax(axis=2) == y).mean(axis=1)


fig, ax = plt.subplots(figsize=(6.4, 3.4))
for name, both, mark in (("bidirectional", True, "o"), ("forward only", False, "s")):
    accuracy = np.mean([learn(seed, both) for seed in range(3)], axis=0)
    ax.plot(range(1, TAU + 1), accuracy, marker=mark, label=name)
    print(f"{name}:", accuracy.round(2))
ax.axhline(0.5, color=drawing.COLOURS["grey"], linestyle=":")
ax.set(xlabel="position $t$", ylabel="accuracy", ylim=(0.4, 1.05), xticks=range(1, TAU + 1))
ax.legend(loc="center left", bbox_to_anchor=(0.0, 0.6))
# Alt text: Accuracy at the positions 1 to 12, mean of three runs. The bidirectional network is
# right at all positions but the last, where it falls to one half. The one that reads forward
# stays near one half throughout.
plt.show()

# %%
# At the last position even the bidirectional network has to guess: the bit after it is not part of
# the sequence.
