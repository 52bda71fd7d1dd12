r"""
One network, four lengths
=========================

The same network, unrolled for sequences of one, two, three and four steps. The graphs differ, the
parameters do not. Sequences of one length can be computed together, so they are put in groups.

The chapter's page: :doc:`/06_recurrent/unrolling`.
"""

# Textbook figure 6-7: Unrolling the RNN of figure 6-1 for inputs of different sizes
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import recurrent as rnn

# %%
# Four graphs
# -----------

sheet = drawing.canvas(6.4, 5.5)
corners = {1: (0.1, 2.8), 2: (1.3, 2.8), 3: (3.5, 2.8), 4: (0.1, 0.0)}
for tau, corner in corners.items():
    drawing.unrolled_graph(
        tau, loss=False, start=False, pitch=(0.96, 0.88),
        title=f"$\\tau$ = {tau}", at=corner, ax=sheet,
    )  # fmt: skip
# Alt text: Four unrolled graphs of one, two, three and four columns. Each column holds an input, a
# hidden state and an output; the arrows U, W and V and the biases b and c look the same in all.
plt.show()

# %%
# Groups of equal length
# ----------------------
# Twelve sequences of one to four steps make four batches, and nothing has to be filled up.

rng = np.random.default_rng(0)
sequences = [rng.normal(size=(tau, 3)) for tau in rng.integers(1, 5, 12)]
params = rnn.rnn_params(3, 8, 2, rng=rng)
groups = rnn.group_by_length(sequences)
for group in groups:
    y, _ = rnn.rnn_forward(params, group.x)
    print("x", group.x.shape, " y", y.shape, " sequences", group.places.tolist())
print("parameters, for all lengths:", sum(array.size for array in params))

# %%
# Each sequence alone gives the same outputs as within its group.

for group in groups:
    y, _ = rnn.rnn_forward(params, group.x)
    for k, place in enumerate(group.places):
        alone, _ = rnn.rnn_forward(params, sequences[place][:, None])
        assert np.allclose(alone[:, 0], y[:, k], rtol=1e-12)
