r"""
Long short-term memory
======================

An LSTM carries a cell state from step to step. The input gate says how much of the block input gets
in, the forget gate how much of the old state stays, equation :eq:`lstm-cell`, and the output gate
how much of it shows, equation :eq:`lstm-output`.

The chapter's page: :doc:`/06_recurrent/lstm`.
"""

# Textbook figure 6-11: Long short-term memory
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import recurrent as rnn

# %%
# A cell that stores on command
# -----------------------------
# One cell with weights set by hand. Its first input is a value, its second a command: 1 opens the
# input gate and closes the forget gate, 0 does the opposite. The output gate sees the cell state
# through its peephole, and opens where this is positive.


def row(*entries):
    """A matrix of one row."""
    return np.array([entries])


zero = np.zeros((1, 1))
params = rnn.LSTMParams(
    Wz=row(1.5, 0.0), Wi=row(0.0, 10.0), Wf=row(0.0, -10.0), Wo=row(0.0, 0.0),
    Rz=zero, Ri=zero, Rf=zero, Ro=zero,
    pi=np.zeros(1), pf=np.zeros(1), po=np.array([6.0]),
    bz=np.zeros(1), bi=np.array([-5.0]), bf=np.array([5.0]), bo=np.array([-1.0]),
)  # fmt: skip
rng = np.random.default_rng(4)
values = rng.uniform(-1, 1, 24).round(2)
commands = np.isin(np.arange(1, 25), (3, 9, 16, 21)).astype(float)
x = np.column_stack([values, commands])[:, None]
y, trace = rnn.lstm_forward(params, x)

# %%
# One step
# --------
# Step 9, where a new value is stored: what was in the cell before hardly gets through the forget
# gate. The products and the sum in the picture are those of the numbers beside them.

step = rnn.lstm_cell(x[8, 0], trace.y[8, 0], trace.c[8, 0], params)
drawing.lstm_diagram(step, x=x[8, 0], before=(trace.y[8, 0], trace.c[8, 0]))
print("largest difference from the whole sequence:", abs(step.y - y[8, 0]).max())
# Alt text: The cell state of the step before enters at the upper left. It is multiplied with
# the forget gate, the product of input gate and block input is added, and the sum is the new
# cell state; its tanh times the output gate is the output. Input and previous output feed all
# three gates and the block input. Dashed peepholes lead from the old cell state to forget and
# input gate and from the new one to the output gate; dash-dotted arrows bring cell state and
# output to the next step.
plt.show()

# %%
# Twenty-four steps
# -----------------
# Below the two inputs stand block input, gates, cell state and output. The cell state is set at
# the steps 3, 9, 16 and 21. In between it loses less than one part in a hundred a step,
# whatever the block input does: the forget gate stands at 0.993.

parts = [trace.z, trace.i, trace.f, trace.o, trace.c[1:], trace.y[1:]]
ax = drawing.sequence_heatmap(
    np.column_stack([x[:, 0], *(part[:, 0] for part in parts)]),
    units=["value", "command", "$z$", "$i$", "$f$", "$o$", "$c$", "$y$"],
)
ax.set_ylabel("")
# Alt text: A map of 24 steps and eight rows. The value and the block input change at every
# step. The command is 1 at the steps 3, 9, 16 and 21; there the input gate is open and the
# forget gate closed, and the cell state takes a new value, which it keeps until the next
# command. The output shows the cell state where it is positive and is near zero elsewhere.
plt.show()
