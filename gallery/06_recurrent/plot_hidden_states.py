r"""
What the hidden state holds
===========================

A network reads bits and says after each whether the number of ones so far is odd. One bit of memory
is enough for that; the network has eight units, equation :eq:`rnn-hidden`, and nobody tells it how
to use them. What do they hold after training?

The chapter's page: :doc:`/06_recurrent/basics`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import recurrent as rnn
from ketkar.datasets import running_parity
from ketkar.systems import sequence_accuracy, train_sequences

# %%
# Training
# --------
# On sequences of 10 bits. What is learned is a rule and not a table: the network is right about
# sequences that are ten times as long.

rng = np.random.default_rng(0)
start = rnn.rnn_params(1, 8, 2, rng=rng)
run = train_sequences(start, lambda: running_parity(32, 10, rng), 600, lr=0.05)
right = sequence_accuracy(run.params, running_parity(500, 100, rng))
print(f"right at step 10: {right[9]:.1%}, at step 100: {right[99]:.1%}")

# %%
# The states of one sequence
# --------------------------
# Below the columns stand the bits that were read. The first row is the truth, 1 for odd and -1 for
# even; the second what the output says, its probability brought to the same range. Then come the
# eight units.

x, y = running_parity(200, 24, rng)
y_hat, trace = rnn.rnn_forward(run.params, x)
h = trace.h[1:]
rows = np.column_stack([2 * y[:, 0] - 1, 2 * y_hat[:, 0, 1] - 1, h[:, 0]])
drawing.sequence_heatmap(
    rows, steps=[str(int(bit)) for bit in x[:, 0, 0]], name="hidden state",
    units=["parity", "output", *(str(k + 1) for k in range(8))],
).set(xlabel="bit that was read", ylabel="")  # fmt: skip
# Alt text: A map of 24 steps in red and blue. The upper two rows, the parity and the output, are
# the same: they change their colour where the bit is 1. None of the eight rows of units below looks
# like them; most change with the bits in patterns of their own.
plt.show()

# %%
# Who knows the parity?
# ---------------------
# No unit alone shows it, but all together do. Over 200 sequences, the correlation of each unit with
# the parity, and that of the difference of the two scores that the output layer computes from all
# units.

scores = h @ run.params.V.T + run.params.c
for k in range(8):
    print(f"unit {k + 1}: {np.corrcoef(h[:, :, k].ravel(), y.ravel())[0, 1]:5.2f}")
print(f"scores: {np.corrcoef((scores[..., 1] - scores[..., 0]).ravel(), y.ravel())[0, 1]:5.2f}")
