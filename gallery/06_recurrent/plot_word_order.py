r"""
Words in their order
====================

"Plot is good, acting not bad" is praise; exchange *is* and *not*, and it is blame, in the same
words. A classifier that is given a sentence as a bag of words cannot tell them apart. A recurrent
network with a single output, equation :eq:`single-output`, reads them in order.

The chapter's page: :doc:`/06_recurrent/basics`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import recurrent as rnn
from ketkar.datasets import POLARITY_WORDS, Sequences, polarity_sentences
from ketkar.network import Dense, chain
from ketkar.systems import sequence_accuracy, sequence_outputs, train_sequences
from ketkar.training import accuracy, fit

# %%
# Two ways to read
# ----------------
# 400 sentences to learn from, 1000 to be asked about. Both networks have 16 hidden tanh units.

KIND, WORDS = np.float32, len(POLARITY_WORDS)
x, y = polarity_sentences(400, rng=0, dtype=KIND)
test = polarity_sentences(1000, rng=1, dtype=KIND)


def reader(seed):
    """A recurrent network after 150 updates."""
    rng = np.random.default_rng(seed)

    def draw():
        chosen = rng.integers(0, 400, 32)
        return Sequences(x[:, chosen], y[chosen])

    start = rnn.rnn_params(WORDS, 16, 2, rng=rng, dtype=KIND)
    return train_sequences(start, draw, 150).params


bag = chain(Dense(WORDS, 16, "tanh"), Dense(16, 2))
for seed in range(3):
    rng = np.random.default_rng(seed)
    counts = fit(bag, bag.init(rng), x.sum(axis=0), y, loss="cross_entropy", lr=0.1, momentum=0.9,
                 batch_size=32, epochs=20, rng=rng).params  # fmt: skip
    network = reader(seed)
    print(f"seed {seed}: bag of words {accuracy(bag, counts, test.x.sum(axis=0), test.y):.3f}, "
          f"recurrent {sequence_accuracy(network, test):.3f}")  # fmt: skip

# %%
# Word by word
# ------------
# What the last of the three would answer after each word, if the sentence ended there.

sentences = ["plot is good acting not bad", "plot not good acting is bad",
             "music not dull ending is funny", "music is dull ending not funny"]  # fmt: skip
words = np.array([[POLARITY_WORDS.index(word) for word in s.split()] for s in sentences]).T
praise = sequence_outputs(network, np.eye(WORDS, dtype=KIND)[words])[:, :, 1]

fig, panels = plt.subplots(2, 2, figsize=(6.4, 4.4), sharey=True)
for ax, sentence, p in zip(panels.ravel(), sentences, praise.T, strict=True):
    ax.axhline(0.5, color="#5F6B76", linewidth=1, linestyle=":")
    ax.plot(range(6), p, "o-")
    ax.set_xticks(range(6), sentence.split(), rotation=45)
    ax.set(ylim=(-0.05, 1.05), yticks=(0, 0.5, 1))
for ax in panels[:, 0]:
    ax.set_ylabel("P(praise)")
# Alt text: Four panels, one a sentence, with the probability of praise after each of its six words.
# It goes up and down in the middle, and after the last word it is close to 1 for the two sentences
# of praise and close to 0 for the two of blame.
plt.show()

# %%
# In training the network was asked at the end alone, so what it would say before the last word need
# not mean anything.
