r"""
The adding problem
==================

One hundred pairs of a number and a mark: two numbers are marked, and at the end their sum is asked
for. This is one of the tasks for which the LSTM was invented :cite:p:`hochreiter1997`. An answer
counts as right if it is off by less than 0.04.

The chapter's page: :doc:`/06_recurrent/lstm`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import recurrent as rnn
from ketkar.datasets import adding_problem
from ketkar.systems import adding_answers, train_adding

# %%
# One sequence
# ------------

x, y = adding_problem(1, 100, rng=3)
marked = np.flatnonzero(x[:, 0, 1] == 1)
fig, ax = plt.subplots(figsize=(6.4, 2.4))
ax.plot(range(1, 101), x[:, 0, 0], ".", color="#5F6B76")
ax.plot(marked + 1, x[marked, 0, 0], "o", color="#D55E00", markersize=9)
ax.set(xlabel="step $t$", ylabel="number", ylim=(-1.1, 1.1))
# Alt text: One hundred points scattered between -1 and 1; two in the first half are marked with
# large dots.
plt.show()
print(f"marked: {x[marked, 0, 0].round(3)}; to be answered: {y[0]:.3f}")

# %%
# Training
# --------
# Eight cells. The forget gates start open; the input gates start all but closed, with a bias of -3
# as one of them had in the paper, or half open, with the usual 0. Every 50 updates the network is
# asked about 250 other sequences.

TAU, UPDATES, KIND = 100, 400, np.float32
test = adding_problem(250, TAU, rng=100, dtype=KIND)


def learn(input_bias, seed):
    """The share of right answers after every 50 updates, and the trained network."""
    rng = np.random.default_rng(seed)
    lstm = rnn.lstm_params(2, 8, rng=rng, forget_bias=5.0, dtype=KIND)
    lstm = lstm._replace(bi=np.full(8, input_bias, KIND))
    network, right = (lstm, rnn.output_params(8, 1, rng=rng, dtype=KIND)), []

    def ask(step, params):
        if step % 50 == 0:
            right.append((abs(adding_answers(params, test.x) - test.y) < 0.04).mean())

    return right, train_adding(network, TAU, rng, updates=UPDATES, lr=0.02, callback=ask).params


fig, ax = plt.subplots(figsize=(6.4, 4.2))
for bias, name, colour in ((-3, "closed input gates", "#0072B2"), (0, "half open", "#D55E00")):
    for seed, dashes in enumerate(("-", "--")):
        right, trained = learn(bias, seed)
        ax.plot(range(50, UPDATES + 1, 50), right, dashes, color=colour,
                label=f"{name}, seed {seed}")  # fmt: skip
        print(f"{name}, seed {seed}: {right[-1]:.1%} right after {UPDATES} updates")
guess = (abs(0.5 - test.y) < 0.04).mean()
ax.axhline(guess, color="#5F6B76", linestyle=":", label="always 0.5")
ax.set(xlabel="updates", ylabel="right answers", ylim=(0, 1.03))
fig.legend(loc="outside lower center", ncols=3)
# Alt text: The share of right answers over 400 updates, two runs each. With closed input gates both
# rise from one in six at 50 updates to more than nine in ten. With half open ones the runs stay at
# one in six, what always answering 0.5 gets, for 150 updates or for all the 400.
plt.show()

# %%
# For as long as the input gates let in everything, each cell adds up a hundred numbers, and the two
# that count are lost among them. That is overcome too, but only after many more updates, how many
# depends on the seed.
