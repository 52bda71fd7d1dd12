r"""
Inference in a network of five units
====================================

Three inputs, three hidden sigmoid units, two sigmoid outputs, no biases: small enough to follow
every number. The hidden values are the inputs of the output layer, equation :eq:`composition`.

The chapter's page: :doc:`/03_feedforward/vector_form`.
"""

import matplotlib.pyplot as plt

from ketkar import drawing
from ketkar import feedforward as ff
from ketkar.datasets import inference_example

# %%
# Layer by layer
# --------------
# :func:`~ketkar.feedforward.dense` computes one layer; the weights come from
# :func:`~ketkar.datasets.inference_example`.

example = inference_example()
x, W, V = example.x, example.W_hidden, example.W_output
h = ff.dense(x, W, activation="sigmoid")
y = ff.dense(h, V, activation="sigmoid")
for name, values in (("hidden", h), ("output", y)):
    print(name, *(f"{value:.9f}" for value in values))

# %%
# The network with its numbers
# ----------------------------
# The number on a line is its weight, the number in a circle the value of the unit. Thick lines are
# large weights; solid ones are positive, dashed ones negative.

labels = ["inputs", "hidden units", "outputs"]
drawing.layered_network(
    [3, 3, 2],
    [x, h, y],
    [W, V],
    symbols=["x", "h", "y"],
    labels=labels,
    edge_labels=True,
)
# Alt text: A network of three inputs 0.5, 0.9 and -0.3, three hidden units
# 0.1301, 0.9569 and 0.4013, and two outputs 0.3458 and 0.8531. Each line
# between two layers carries its weight, a whole number from -4 to 2; negative
# weights are dashed.
plt.show()

# %%
# Rounding on the way
# -------------------
# By hand one rounds the hidden values to two digits and carries on. The sums move a little; the
# outputs still agree to two digits.

rounded = h.round(2)
print("sums of the outputs, exact:  ", ff.dense(h, V))
print("sums of the outputs, rounded:", ff.dense(rounded, V))
print("outputs, rounded:            ", ff.dense(rounded, V, activation="sigmoid"))
