r"""
A network that reads its own output
===================================

Here the hidden state comes from the input and from the *output* of the step before, equation
:eq:`output-recurrence-hidden`. What the network wants to remember it has to say, equation
:eq:`output-recurrence-output`: the matrix W is as narrow as the output.

The chapter's page: :doc:`/06_recurrent/basics`.
"""

# Textbook figure 6-2: RNN, recurrence using the previous output
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import recurrent as rnn

# %%
# The parity, said aloud
# ----------------------
# The outputs are the probabilities that the number of ones so far is even or odd. Together with the
# next bit this is all that the next step needs, so the task suits this kind of network. One hidden
# unit is near 1 if the bit *or* the parity is one, the other if *both* are.

params = rnn.RNNParams(
    U=np.array([[4.0], [4.0]]),
    W=np.array([[0.0, 4.0], [0.0, 4.0]]),
    b=np.array([-2.0, -6.0]),
    V=np.array([[-2.0, 2.0], [2.0, -2.0]]),
    c=np.array([2.0, -2.0]),
)
bits = np.array([1, 0, 1, 1])
parity = bits.cumsum() % 2

y_hat, trace = rnn.output_rnn_forward(params, bits.reshape(-1, 1, 1).astype(float))
for t, bit in enumerate(bits):
    even, odd = y_hat[t, 0]
    print(f"t = {t + 1}: bit {bit}, even {even:.3f}, odd {odd:.3f}, truly {parity[t]}")

# %%
# One step
# --------
# The loop starts at the output. Compare the hidden state's loop in
# :ref:`sphx_glr_auto_gallery_06_recurrent_plot_fig_6_01_rnn.py`.

t = 3
drawing.recurrent_graph(
    "output",
    values={
        "x": bits[t - 1],
        "fed": y_hat[t - 2, 0],
        "h": trace.h[t - 1, 0],
        "y_hat": y_hat[t - 1, 0],
        "L": rnn.sequence_cross_entropy(y_hat[t - 1 : t], [[parity[t - 1]]]),
        "y": np.eye(2)[parity[t - 1]],
    },
)
# Alt text: A chain of five circles: input x, 1; hidden state h; output; loss L; target y. The
# dashed arrow that is fed back leads from the output over the top to the hidden state. It is
# marked: W reads the output of step t - 1, 0.02 and 0.98.
plt.show()

# %%
# What passes from step to step has the size of the output. For 8 inputs, 16 hidden units and 4
# outputs the matrix W is four times as small, and so is the memory.

for feedback in ("hidden", "output"):
    W = rnn.rnn_params(8, 16, 4, rng=0, feedback=feedback).W
    total = rnn.rnn_parameter_count(8, 16, 4, feedback=feedback)
    print(f"{feedback}: W {W.shape}, {total} parameters in all")
