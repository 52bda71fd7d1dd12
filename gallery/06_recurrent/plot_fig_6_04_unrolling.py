r"""
Unrolled: hidden states
=======================

Once the length of a sequence is known, the loop can be unrolled: a copy of the step for each input,
one behind the other, equation :eq:`unrolling`. What comes out is an ordinary network, except that
all copies share their parameters.

The chapter's page: :doc:`/06_recurrent/unrolling`.
"""

# Textbook figure 6-4: Unrolling the RNN of figure 6-1
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import recurrent as rnn

# %%
# Four steps
# ----------
# The network of :ref:`sphx_glr_auto_gallery_06_recurrent_plot_fig_6_01_rnn.py` says after each bit
# whether the number of ones so far is even or odd.

params = rnn.RNNParams(
    U=np.array([[4.0], [4.0]]),
    W=np.array([[2.0, -2.0], [2.0, -2.0]]),
    b=np.array([-2.0, -6.0]),
    V=np.array([[-2.0, 2.0], [2.0, -2.0]]),
    c=np.array([2.0, -2.0]),
)
bits = np.array([1, 0, 1, 1])
x, labels = bits.reshape(-1, 1, 1).astype(float), bits.cumsum()[:, None] % 2
y_hat, trace = rnn.rnn_forward(params, x)
losses = [rnn.sequence_cross_entropy(y_hat[[t]], labels[[t]]) for t in range(4)]

drawing.unrolled_graph(
    4,
    "hidden",
    values={
        "x": bits,
        "h": trace.h[:, 0],
        "y_hat": y_hat[:, 0],
        "L": losses,
        "y": np.eye(2)[labels[:, 0]],
    },
)
# Alt text: Four columns, one a step. In each an arrow U leads from the input up to the hidden
# state and an arrow V from there to the output; output and target lead to the loss. A dashed
# arrow W leads from each hidden state to the next, the first of them from h of step 0, which is
# zero. The outputs say odd, odd, even, odd, as the targets do.
plt.show()

# %%
# The recurrence is the composition
# ---------------------------------
# The same states by the step alone, applied to its own result.

states = rnn.unroll(
    lambda x, h: rnn.elman_cell(x, h, params.U, params.W, params.b), x[:, 0], np.zeros(2)
)
print("largest difference:", np.abs(np.array(states) - trace.h[1:, 0]).max())

# %%
# Shared parameters
# -----------------
# Give each step its own copy of W and ask, by finite differences, how the loss depends on each. The
# gradient of the shared W is the sum of the four.


def loss(copies):
    """The loss of the sequence when step t uses copies[t]."""
    h, total = np.zeros(2), 0.0
    for t, W in enumerate(copies):
        h = rnn.elman_cell(x[t, 0], h, params.U, W, params.b)
        total -= np.log(rnn.rnn_output(h, params.V, params.c)[labels[t, 0]])
    return total


of_copies = np.zeros((4, 2, 2))
for index in np.ndindex(of_copies.shape):
    nudge = np.zeros((4, 2, 2))
    nudge[index] = 1e-6
    up, down = loss(params.W + nudge), loss(params.W - nudge)
    of_copies[index] = (up - down) / 2e-6
shared = rnn.rnn_value_and_grad(params, x, labels, reduction="sum").params.W
print("sizes of the four:", np.linalg.norm(of_copies, axis=(1, 2)).round(4))
print("largest difference from their sum:", f"{np.abs(of_copies.sum(axis=0) - shared).max():.0e}")
