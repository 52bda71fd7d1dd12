r"""
Which gate opens when
=====================

In the adding problem two of many numbers are marked, and their sum is asked for at the end
:cite:p:`hochreiter1997`. An LSTM that has learned it should open its input gates,
equation :eq:`lstm-input-gate`, at the marked numbers alone, and keep its forget gates,
equation :eq:`lstm-forget-gate`, open in between. Does it?

The chapter's page: :doc:`/06_recurrent/lstm`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import recurrent as rnn
from ketkar.datasets import adding_problem
from ketkar.systems import adding_answers, train_adding

# %%
# Training
# --------
# Four cells, sequences of 40 steps. As in the paper, the input gates start all but closed; the
# forget gates start all but open.

rng = np.random.default_rng(0)
kind = np.float32
lstm = rnn.lstm_params(2, 4, rng=rng, forget_bias=5.0, dtype=kind)
start = lstm._replace(bi=np.full(4, -3, kind)), rnn.output_params(4, 1, rng=rng, dtype=kind)
trained = train_adding(start, 40, rng, updates=600, lr=0.02).params
test = adding_problem(1000, 40, rng, dtype=kind)
answers = adding_answers(trained, test.x)
print(f"off by less than 0.04: {(abs(answers - test.y) < 0.04).mean():.1%} of 1000 sequences")

# %%
# One sequence
# ------------
# The one with the largest sum. Arrows stand at the marked steps.

n = int(test.y.argmax())
marked = np.flatnonzero(test.x[:, n, 1] == 1)
print(f"marked steps {marked + 1}, numbers {test.x[marked, n, 0].round(2)}")
print(f"answer {answers[n]:.3f}, should be {test.y[n]:.3f}")

_, trace = rnn.lstm_forward(trained[0], test.x[:, n : n + 1])
maps = {
    "input gate": (trace.i, "gate"), "forget gate": (trace.f, "gate"),
    "output gate": (trace.o, "gate"), "cell state": (trace.c[1:], "state"),
}  # fmt: skip
fig, axes = plt.subplots(4, 1, figsize=(6.4, 7.2), sharex=True)
for ax, (name, (values, look)) in zip(axes, maps.items(), strict=True):
    drawing.sequence_heatmap(values[:, 0], kind=look, name=name, ax=ax)
    for step in marked:
        ax.annotate("", (step, -0.5), (step, -1.1), arrowprops={"arrowstyle": "->"})
    ax.set(ylabel="cell", xlabel="")
axes[-1].set_xlabel("step $t$")
# Alt text: Four maps of 40 steps by 4 cells, and arrows at two marked steps. The input gate of one
# cell opens half way at these two steps and is shut at all others; the other input gates stay shut.
# The forget gates are open nearly everywhere. The output gates are half open. The state of that
# first cell jumps at each marked step and then stays.
plt.show()

# %%
# The forget gates start open and have little to learn here: nothing is ever to be forgotten. The
# input gates do the work.
