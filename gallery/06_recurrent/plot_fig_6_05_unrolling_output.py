r"""
Unrolled: outputs
=================

Unrolled over four steps, the network that feeds back its output is a chain too, but one that leads
from each output down to the next hidden state, equation :eq:`output-recurrence-hidden`.

The chapter's page: :doc:`/06_recurrent/unrolling`.
"""

# Textbook figure 6-5: Unrolling the RNN of figure 6-2
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import recurrent as rnn

# %%
# Four steps
# ----------
# The parameters are those of
# :ref:`sphx_glr_auto_gallery_06_recurrent_plot_fig_6_02_output_recurrence.py`; the output
# before the first step is zero.

params = rnn.RNNParams(
    U=np.array([[4.0], [4.0]]),
    W=np.array([[0.0, 4.0], [0.0, 4.0]]),
    b=np.array([-2.0, -6.0]),
    V=np.array([[-2.0, 2.0], [2.0, -2.0]]),
    c=np.array([2.0, -2.0]),
)
bits = np.array([1, 0, 1, 1])
x, labels = bits.reshape(-1, 1, 1).astype(float), bits.cumsum()[:, None] % 2
y_hat, trace = rnn.output_rnn_forward(params, x)
before = np.zeros((1, 2))

drawing.unrolled_graph(
    4,
    "output",
    values={
        "x": bits,
        "h": trace.h[:, 0],
        "y_hat": np.vstack([before, y_hat[:, 0]]),
        "L": [rnn.sequence_cross_entropy(y_hat[[t]], labels[[t]]) for t in range(4)],
        "y": np.eye(2)[labels[:, 0]],
    },
)
# Alt text: Four columns, one a step, each with input, hidden state, output, loss and target from
# below to above. A dashed arrow W leads from each output down to the next hidden state, the first
# of them from the output of step 0, which is zero. The outputs say odd, odd, even, odd.
plt.show()

# %%
# The recurrence is the composition
# ---------------------------------
# The state that is handed on is the output, so the step to be composed ends with it.


def step(x, y):
    """The next output, from an input and the output before it."""
    return rnn.rnn_output(rnn.jordan_cell(x, y, params.U, params.W, params.b), params.V, params.c)


outputs = rnn.unroll(step, x[:, 0], np.zeros(2))
print("largest difference:", np.abs(np.array(outputs) - y_hat[:, 0]).max())
