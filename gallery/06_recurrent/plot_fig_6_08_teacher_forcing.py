r"""
Teacher forcing
===============

A network that feeds back its output can be told in training what that output should have been,
equation :eq:`teacher-forcing`. Then no step waits for another, and early mistakes do not spoil what
later steps learn. In prediction there is no teacher, and the network reads its own output.

The chapter's page: :doc:`/06_recurrent/teacher_forcing`.
"""

# Textbook figure 6-8: Teacher forcing, above in training, below in prediction
import matplotlib.pyplot as plt
import numpy as np

from ketkar import datasets, drawing, training
from ketkar import recurrent as rnn

# %%
# Two graphs
# ----------
# The parameters are the same in both. Only the tail of the dashed arrows has moved: from the target
# to the output.

sheet = drawing.canvas(5.6, 7.32)
drawing.unrolled_graph(
    4, "target", start=False, pitch=(1.3, 0.86), title="Training", at=(0.0, 2.9), ax=sheet
)
drawing.unrolled_graph(
    4, "output", start=False, loss=False, pitch=(1.3, 0.86), title="Prediction", ax=sheet,
    at=(0.0, 0.0),
)  # fmt: skip
# Alt text: Two unrolled graphs of four columns. Above, Training: each column holds input, hidden
# state, output, loss and target, and dashed arrows W lead from each target down to the next hidden
# state. Below, Prediction: there are neither losses nor targets, and the arrows W lead from each
# output to the next hidden state.
plt.show()

# %%
# What the teacher is good for
# ----------------------------
# The task: after each bit, say whether the number of ones so far is even or odd. The networks are
# trained on sequences of 8 steps, with and without a teacher, from the same parameters on the same
# sequences. Both are tested alone, on 100 sequences of 30 steps. A step can learn its part only if
# what it reads is right: alone, the steps learn one after the other, with a teacher all at once.


def learn(seed, forced, updates=130):
    """The accuracy without a teacher after every 5 updates."""
    rng = np.random.default_rng(seed)
    params = rnn.rnn_params(1, 16, 2, rng=rng, feedback="output")
    test, accuracies = datasets.running_parity(100, 30, rng), []

    def value_and_grad(params):
        x, y = datasets.running_parity(64, 8, rng)
        y_hat, trace = rnn.output_rnn_forward(params, x, teacher=y if forced else None)
        dy = rnn.sequence_cross_entropy_grad(y_hat, y, reduction="mean")
        loss = rnn.sequence_cross_entropy(y_hat, y, reduction="mean")
        return loss, rnn.output_rnn_backward(params, dy, trace).params

    def watch(step, params):
        if step % 5 == 0:
            y_hat, _ = rnn.output_rnn_forward(params, test.x)
            accuracies.append((y_hat.argmax(axis=2) == test.y).mean())

    training.descend(params, value_and_grad, updates, lr=0.03, callback=watch)
    return accuracies


looks = {True: ("with a teacher", "#0072B2", "-"), False: ("without", "#D55E00", "--")}
fig, ax = plt.subplots(figsize=(6.4, 3.4))
for forced, (name, colour, dashes) in looks.items():
    runs = np.array([learn(seed, forced) for seed in range(3)])
    ax.plot(range(5, 131, 5), runs.T, color=colour, linestyle=dashes, label=[name, "", ""])
    reached = 5 * (1 + (runs > 0.99).argmax(axis=1))
    print(f"{name}: above 99 % after {sorted(reached.tolist())} updates")
ax.axhline(0.5, color=drawing.COLOURS["grey"], linestyle=":")
ax.set(xlabel="updates", ylabel="accuracy without a teacher", ylim=(0.45, 1.03))
ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
# Alt text: Accuracy over 130 updates, three runs each. All start at chance, one half. The solid
# curves, trained with a teacher, rise to 1 within 30 to 45 updates; the dashed ones, trained
# without, stay at one half for longer and rise to 1 within 85 to 120.
plt.show()
