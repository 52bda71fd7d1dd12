r"""
Networks that cling to the past
===============================

A network without recurrence forgets an input as soon as it sees the next one. A recurrent network
keeps something: its hidden state, equation :eq:`rnn-hidden`, which every input changes and none
wipes out at once.

The chapter's page: :doc:`/06_recurrent/index`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import recurrent as rnn

# %%
# Two inputs in thirty steps
# --------------------------
# Twelve hidden units with random weights read a sequence that is zero but for two steps.

x = np.zeros((30, 1, 1))
x[[2, 17]] = 1.5
params = rnn.rnn_params(1, 12, None, rng=3, radius=0.93)
h, _ = rnn.rnn_forward(params, x)

ax = drawing.sequence_heatmap(h[:, 0], name="hidden state", limit=0.8)
for step in (2, 17):
    ax.annotate(
        "input", (step, -0.5), (step, -1.5), ha="center", va="bottom", annotation_clip=False,
        arrowprops={"arrowstyle": "-|>", "color": drawing.COLOURS["black"]},
    )  # fmt: skip
# Alt text: A map of 12 units over 30 steps. It is blank until the input of step 3, then all units
# change from step to step and slowly fade. The input of step 18 starts them anew.
plt.show()

# %%
# How long does it last?
# ----------------------
# The size of the state after the first input, with recurrence and without. Without it, W is zero,
# and what is left of an input after one step is nothing.

forgetful = params._replace(W=np.zeros((12, 12)))
for name, network in (("with", params), ("without", forgetful)):
    sizes = np.linalg.norm(rnn.rnn_forward(network, x)[0], axis=(1, 2))
    print(f"{name:8s}", sizes[[1, 2, 3, 7, 12, 16]].round(3))
