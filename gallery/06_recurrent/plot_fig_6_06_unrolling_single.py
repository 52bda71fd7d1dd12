r"""
Unrolled: a single output
=========================

With one output for the whole sequence, the unrolled network has one loss, at its far end. Whatever
the first step has to learn must come from there, back through all steps in between.

The chapter's page: :doc:`/06_recurrent/unrolling`.
"""

# Textbook figure 6-6: Unrolling the RNN of figure 6-3
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import recurrent as rnn

# %%
# Four steps
# ----------
# Was the number of ones even or odd? The parameters are those of
# :ref:`sphx_glr_auto_gallery_06_recurrent_plot_fig_6_03_single_output.py`.

params = rnn.RNNParams(
    U=np.array([[4.0], [4.0]]),
    W=np.array([[2.0, -2.0], [2.0, -2.0]]),
    b=np.array([-2.0, -6.0]),
    V=np.array([[-2.0, 2.0], [2.0, -2.0]]),
    c=np.array([2.0, -2.0]),
)
bits = np.array([1, 0, 1, 1])
x, truth = bits.reshape(-1, 1, 1).astype(float), bits.sum() % 2
y_hat, trace = rnn.many_to_one(params, x)

drawing.unrolled_graph(
    4,
    "hidden",
    outputs="last",
    values={
        "x": bits,
        "h": trace.states.h[:, 0],
        "y_hat": y_hat[0],
        "L": -np.log(y_hat[0, truth]),
        "y": np.eye(2)[truth],
    },
)
# Alt text: Four columns, one a step. The first three hold an input and a hidden state, the fourth
# also the only output, the loss and the target above it. Dashed arrows W lead from each hidden
# state to the next. The output says odd, as the target does.
plt.show()

# %%
# The output is a composition of all steps
# ----------------------------------------

states = rnn.unroll(
    lambda x, h: rnn.elman_cell(x, h, params.U, params.W, params.b), x[:, 0], np.zeros(2)
)
composed = rnn.rnn_output(states[-1], params.V, params.c)
print("largest difference:", np.abs(composed - y_hat[0]).max())

# %%
# One loss, felt at every step
# ----------------------------
# How the loss depends on each input: for networks as they are before training, 16 hidden units and
# sequences of 12 random steps. It comes back through the tanh of every step in between, and gets
# smaller on the way.

rng = np.random.default_rng(0)
network, x = rnn.rnn_params(3, 16, 2, rng=rng), rng.normal(size=(12, 200, 3))
y_hat, trace = rnn.many_to_one(network, x)
dy = -np.eye(2)[rng.integers(0, 2, 200)] / y_hat
sizes = np.linalg.norm(rnn.many_to_one_backward(network, dy, trace).x, axis=2).mean(axis=1)
print("from the first step to the last:", sizes.round(3))
