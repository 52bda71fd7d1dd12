r"""
Letter by letter
================

A network that has learned which letter comes next can write: it draws a letter, reads it as the
next input, and so on. An LSTM of 96 cells learns four poems by Lewis Carroll. Six thousand letters
are very little, and what it writes is what one would expect of that.

The chapter's page: :doc:`/06_recurrent/teacher_forcing`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import recurrent as rnn
from ketkar.datasets import Sequences, text
from ketkar.systems import train_sequences

# %%
# Training
# --------
# Batches of 16 pieces of 32 letters, cut anywhere from the text; the target of a letter is the
# letter after it. In training the network reads the poem, never what it would have written: that is
# teacher forcing.

KIND, PIECE = np.float32, 32
poems = text().lower()
letters = sorted(set(poems))
codes = np.array([letters.index(letter) for letter in poems])
one_hot = np.eye(len(letters), dtype=KIND)
rng = np.random.default_rng(0)


def draw():
    """A batch: x (PIECE, 16, letters) and the letter that follows each."""
    places = np.arange(PIECE)[:, None] + rng.integers(0, len(codes) - PIECE, 16)
    return Sequences(one_hot[codes[places]], codes[places + 1])


start = (
    rnn.lstm_params(len(letters), 96, rng=rng, dtype=KIND),
    rnn.output_params(96, len(letters), rng=rng, dtype=KIND),
)
run = train_sequences(start, draw, 700)

# %%
# How well it guesses
# -------------------
# The loss in bits a letter. Somebody who knows how often each letter occurs, and nothing else, can
# get down to the dotted line.

share = np.bincount(codes) / len(codes)
frequencies = -(share * np.log2(share)).sum()
fig, ax = plt.subplots(figsize=(6.4, 3.4))
ax.plot(run.losses / np.log(2), linewidth=1)
ax.axhline(frequencies, color="#5F6B76", linestyle=":", label="by frequency alone")
ax.set(xlabel="updates", ylabel="bits a letter", ylim=(0, 5.5))
ax.legend()
# Alt text: The loss over 700 updates: it falls from more than 5 bits a letter below 4, what the
# frequencies give, within a few dozen updates, and then steadily to less than 1.
plt.show()
print(f"by frequency {frequencies:.2f} bits, at the end {run.losses[-50:].mean() / np.log(2):.2f}")

# %%
# Writing
# -------
# The scores are divided by a temperature before a letter is drawn: below 1 the likely letters
# become likelier still. Printed with each is the longest piece that stands in the poems as it is.


def write(steps, temperature, rng):
    """Draw letters, each from what was drawn before."""
    (lstm, output), state, said = run.params, None, "\n"
    for _ in range(steps):
        x = one_hot[letters.index(said[-1])][None, None]
        y, trace = rnn.lstm_forward(lstm, x, state)
        p = rnn.rnn_output(y[0, 0], output.V / temperature, output.c / temperature)
        said += letters[min(np.searchsorted(p.cumsum(), rng.random()), len(p) - 1)]
        state = trace.last
    return said.strip()


for temperature in (0.3, 0.7, 1.0, 1.5):
    said = write(240, temperature, np.random.default_rng(1))
    pieces = (said[i:j] for i in range(len(said)) for j in range(i, len(said) + 1))
    copied = max((piece for piece in pieces if piece in poems), key=len)
    print(f"--- temperature {temperature}, copied: {len(copied)} letters\n{said}\n")

# %%
# At low temperatures lines are copied: the network has learned the poems rather than English. At
# high ones words fall apart. In between there are words that Carroll could have made up, and
# sentences that mean nothing; the network has read too little for more.
