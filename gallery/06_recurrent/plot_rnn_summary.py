r"""
Five shapes
===========

One or many in, one or many out: what a recurrent network reads and says need not have the same
length. The overview of five shapes follows Andrew Ng's lectures on sequence models; the graphs are
drawn anew.

The chapter's page: :doc:`/06_recurrent/summary`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import recurrent as rnn

# %%
# The graphs
# ----------
# One step, unrolled in different ways. Where there is one input and many outputs, the outputs are
# fed back. In the last graph an encoder reads, and a decoder with parameters of its own speaks; it
# starts from what the encoder remembers.

sheet = drawing.canvas(6.5, 5.45)
plain = {"loss": False, "start": False, "parameters": False, "pitch": (0.88, 0.86), "ax": sheet}
drawing.unrolled_graph(1, title="one to one", at=(0.1, 2.7), **plain)
drawing.unrolled_graph(3, "output", inputs="first", title="one to many", at=(1.45, 2.7), **plain)
drawing.unrolled_graph(3, outputs="last", title="many to one", at=(4.0, 2.7), **plain)
drawing.unrolled_graph(3, title="many to many", at=(0.1, 0.0), **plain)
drawing.encoder_decoder_graph(
    2, 2, title="many to many, in turn", parameters=False, pitch=(0.88, 0.86), at=(2.8, 0.0),
    ax=sheet,
)  # fmt: skip
# Alt text: Five small graphs. One to one: input, hidden state, output. One to many: one input,
# three hidden states, each output fed back to the next state. Many to one: three inputs and
# hidden states, an output above the last. Many to many: three of each. Many to many, in turn:
# two hidden states read two inputs, two more, which read the previous targets, give two
# outputs.
plt.show()

# %%
# The same, computed
# ------------------
# Three inputs, eight hidden units, four outputs, five sequences of six steps. Time comes first in
# all shapes. :func:`~ketkar.recurrent.sample` draws labels, and shows the one input at every step.

rng = np.random.default_rng(0)
x = rng.normal(size=(6, 5, 3))
params = rnn.rnn_params(3, 8, 4, rng=rng)
speaker = rnn.rnn_params(3, 8, 4, rng=rng, feedback="output")
decoder = rnn.rnn_params(4, 8, 4, rng=rng)
given = np.zeros((7, 5, 4))
for name, said in {
    "one to one": rnn.rnn_forward(params, x[:1])[0],
    "one to many": rnn.sample(speaker, x[0], 7, rng=rng),
    "many to one": rnn.many_to_one(params, x)[0],
    "many to many": rnn.rnn_forward(params, x)[0],
    "many to many, in turn": rnn.encoder_decoder(params, decoder, x, given)[0],
}.items():
    print(f"{name:22s} {said.shape}")
