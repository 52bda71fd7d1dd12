r"""
One answer for a whole sequence
===============================

A network may read to the end before it says anything. The hidden states are those of equation
:eq:`single-output-hidden`; the only output comes from the last of them, equation
:eq:`single-output`.

The chapter's page: :doc:`/06_recurrent/basics`.
"""

# Textbook figure 6-3: RNN, a single output for the entire input sequence
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import recurrent as rnn

# %%
# Was the number of ones even or odd?
# -----------------------------------
# The network counts modulo two, with the parameters of
# :ref:`sphx_glr_auto_gallery_06_recurrent_plot_fig_6_01_rnn.py`, but it is asked only once.

params = rnn.RNNParams(
    U=np.array([[4.0], [4.0]]),
    W=np.array([[2.0, -2.0], [2.0, -2.0]]),
    b=np.array([-2.0, -6.0]),
    V=np.array([[-2.0, 2.0], [2.0, -2.0]]),
    c=np.array([2.0, -2.0]),
)
bits = np.array([1, 0, 1, 1])
y_hat, trace = rnn.many_to_one(params, bits.reshape(-1, 1, 1).astype(float))
h = trace.states.h[:, 0]
truth = bits.sum() % 2
print("even, odd:", y_hat[0].round(3), " truly:", truth)

# %%
# The graph of one step
# ---------------------
# At every step the loop brings back the hidden state. Output, loss and target have no step in their
# names: there is one of each. The numbers are those of the last step.

drawing.recurrent_graph(
    "hidden",
    outputs="last",
    values={
        "x": bits[-1],
        "fed": h[-2],
        "h": h[-1],
        "y_hat": y_hat[0],
        "L": -np.log(y_hat[0, truth]),
        "y": np.eye(2)[truth],
    },
)
# Alt text: A chain of five circles: input x and hidden state h of step t, then output, loss and
# target without a step. A dashed loop leads from the hidden state to itself. Below the arrow from
# the hidden state to the output stands: once, t equals tau.
plt.show()

# %%
# With outputs at every step, the last of them is the same as this one: the parameters are the same,
# and the other outputs do not change what is remembered.

every, _ = rnn.rnn_forward(params, bits.reshape(-1, 1, 1).astype(float))
print("largest difference from the last of all outputs:", np.abs(every[-1] - y_hat).max())
