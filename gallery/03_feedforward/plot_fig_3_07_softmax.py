r"""
A softmax layer
===============

A softmax layer turns as many numbers as there are classes, the logits, into probabilities that
add up to one, equation :eq:`softmax`. Unlike the other activations it does not act on each number
alone: :func:`~ketkar.feedforward.softmax` divides each exponential by the sum of all.

The chapter's page: :doc:`/03_feedforward/softmax`.
"""

# Textbook figure 3-7: The softmax layer
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff

# %%
# Three logits
# ------------

logits = np.array([2.0, 1.0, 0.1])
o = ff.softmax(logits)
print("probabilities", o, "sum", o.sum())

# %%
# The layer
# ---------
# Every output depends on every input, because they share the sum below the fraction bar.

ax = drawing.layered_network(
    [3, 3],
    [logits, o],
    symbols=["x", "o"],
    labels=["logits", "probabilities"],
    size=(4.4, None),
)
drawing.label(ax, (2.2, 0.2), "softmax")
# Alt text: Three circles with the logits 2, 1 and 0.1 on the left, three
# circles with the probabilities 0.659, 0.2424 and 0.0986 on the right. Arrows
# join each logit to each probability.
plt.show()

# %%
# Before and after
# ----------------
# The order of the classes stays, the differences become ratios: one more in the logit is
# :math:`e \approx 2.718` times the probability.

print("ratio of the first two probabilities", o[0] / o[1])
fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.0))
names = ["class 1", "class 2", "class 3"]
drawing.bars(logits, names, title="logits $x$", ax=left)
drawing.bars(o, names, title="probabilities $o$", highlight=int(np.argmax(o)), ax=right)
# Alt text: Two bar charts of three classes. Left, the logits 2, 1 and 0.1.
# Right, the probabilities 0.659, 0.242 and 0.099; the first bar, the largest,
# is hatched.
plt.show()
