r"""
A network that reads its own hidden state
=========================================

A recurrent network reads a sequence step by step. At each step its hidden state comes from the
input and from the hidden state before it, equation :eq:`rnn-hidden`, and the output from the hidden
state, equation :eq:`rnn-output`. The diagram shows one step with its numbers.

The chapter's page: :doc:`/06_recurrent/basics`.
"""

# Textbook figure 6-1: RNN, recurrence using the previous hidden state
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import recurrent as rnn

# %%
# A network that counts modulo two
# --------------------------------
# The inputs are bits, and the outputs the probabilities that there have been an even or an odd
# number of ones so far. Two hidden units are enough, and their weights can be set by hand: one
# unit is near 1 if the bit *or* the parity so far is one, the other if *both* are. Half the
# difference of the two is the new parity.

params = rnn.RNNParams(
    U=np.array([[4.0], [4.0]]),
    W=np.array([[2.0, -2.0], [2.0, -2.0]]),
    b=np.array([-2.0, -6.0]),
    V=np.array([[-2.0, 2.0], [2.0, -2.0]]),
    c=np.array([2.0, -2.0]),
)
bits = np.array([1, 0, 1, 1])
parity = bits.cumsum() % 2

y_hat, trace = rnn.rnn_forward(params, bits.reshape(-1, 1, 1).astype(float))
for t, bit in enumerate(bits):
    even, odd = y_hat[t, 0]
    print(f"t = {t + 1}: bit {bit}, even {even:.3f}, odd {odd:.3f}, truly {parity[t]}")

# %%
# One step
# --------
# What the loop brings back is the hidden state of step 1; nothing else is known of the past. The
# loss compares the output with the target, a one at the class that is true.

t = 2
target = np.eye(2)[parity[t - 1]]
drawing.recurrent_graph(
    "hidden",
    values={
        "x": bits[t - 1],
        "fed": trace.h[t - 1, 0],
        "h": trace.h[t, 0],
        "y_hat": y_hat[t - 1, 0],
        "L": rnn.sequence_cross_entropy(y_hat[t - 1 : t], [[parity[t - 1]]]),
        "y": target,
    },
)
# Alt text: A chain of five circles. The input x of step t, 0, leads by U to the hidden state h,
# 0.95 and -0.97, and this by V to the output, 0.02 and 0.98. The output and the target y, 0 and
# 1, both lead to the loss L, 0.02. A dashed loop from the hidden state to itself is marked: W
# reads h of step t - 1, 0.96 and -0.96. The biases b and c come in from below.
plt.show()

# %%
# The same five arrays serve at every step, so the network can read a sequence of any length.

rng = np.random.default_rng(0)
for tau in (1, 10, 100):
    x = rng.integers(0, 2, (tau, 50))
    y_hat, _ = rnn.rnn_forward(params, x[:, :, None].astype(float))
    right = (y_hat.argmax(axis=2) == x.cumsum(axis=0) % 2).mean()
    print(f"{tau:3d} steps, {sum(a.size for a in params)} parameters: {right:.0%} right")
