r"""
Ten thousand single steps
=========================

The hands-on example of the textbook trains a network with 100 inputs, ten hidden tanh units and
one output by single examples and plots the error on all 1000 examples during its 10,000
updates. Here the error is a true root of the mean squared error, and a second run shows what
the same network does when there is something to learn.

The chapter's page: :doc:`/03_feedforward/hands_on`.
"""

# Textbook figure 3-10: The error of the hands-on network during its updates
import matplotlib.pyplot as plt
import numpy as np

from ketkar import feedforward as ff
from ketkar.network import Dense, chain, unflatten
from ketkar.training import sgd_step, value_and_grad

# %%
# One run
# -------
# One example a step, ten times through the data in order. The error on the 1000 examples is
# computed after every tenth update, the error on 1000 fresh ones after every hundredth.

EPOCHS, LR = 10, 0.01


def rmse(net, params, data):
    """The root mean squared error over a set of examples."""
    return np.sqrt(ff.squared_error(net(params, data[0]), data[1]))


def run(net, params, train, fresh):
    """The errors on the training examples and on the fresh ones."""
    x, y = train
    errors, fresh_errors = [], []
    for update in range(EPOCHS * len(x)):
        example = slice(update % len(x), update % len(x) + 1)
        _, grads = value_and_grad(net, params, x[example], y[example], "squared_error")
        params = sgd_step(params, grads, LR)
        if update % 10 == 9:
            errors.append(rmse(net, params, train))
        if update % 100 == 99:
            fresh_errors.append(rmse(net, params, fresh))
    return errors, fresh_errors


# %%
# The textbook's setting
# ----------------------
# Inputs and targets are independent draws from the standard normal distribution: the inputs say
# nothing about the targets. The tanh output cannot reach targets beyond -1 and 1. Weights
# between 0 and 1 make the sums of 100 inputs large, so most hidden units start saturated.

rng = np.random.default_rng(0)
x, x_fresh = rng.normal(size=(2, 1000, 100))
noise, noise_fresh = rng.normal(size=(2, 1000, 1))
squashed = chain(Dense(100, 10, "tanh"), Dense(10, 1, "tanh"))
start = unflatten(rng.uniform(0, 1, ff.count_parameters([100, 10, 1])), squashed.init(rng))
hidden = ff.dense(x, *start[0], activation="tanh")
print(f"{ff.count_parameters([100, 10, 1])} parameters")
print(f"{np.mean(np.abs(hidden) > 0.99):.0%} of the hidden values start beyond 0.99")
random = run(squashed, start, (x, noise), (x_fresh, noise_fresh))

# %%
# Something to learn
# ------------------
# The targets now come from a teacher, another tanh network with fixed weights, scaled to the same
# spread. The output is linear and the weights start by Glorot's rule, equation :eq:`glorot`.
# All else stays.

teacher = chain(Dense(100, 3, "tanh"), Dense(3, 1))
answers = teacher(teacher.init(rng), np.concatenate([x, x_fresh]))
target, target_fresh = np.split((answers - answers.mean()) / answers.std(), 2)
linear = chain(Dense(100, 10, "tanh"), Dense(10, 1))
learnt = run(linear, linear.init(rng), (x, target), (x_fresh, target_fresh))

# %%
# Who always answers with the mean of the targets makes the error of the dotted line. With random
# targets the error on the training examples ends below it, but not the error on fresh examples:
# the network has learnt its examples by heart. With a teacher's targets both fall.

fig, panels = plt.subplots(1, 2, figsize=(6.4, 3.4), sharey=True)
for ax, name, (errors, fresh) in zip(panels, ("random", "teacher"), (random, learnt), strict=True):
    ax.plot(10 * np.arange(1, len(errors) + 1), errors, label="training examples")
    ax.plot(100 * np.arange(1, len(fresh) + 1), fresh, label="fresh examples")
    ax.axhline(1.0, color="black", linestyle=":", label="answering with the mean")
    ax.set(title=f"{name} targets", xlabel="update", ylim=(0, 1.6))
    print(f"{name:8s} first {errors[0]:.3f}   last {errors[-1]:.3f}   fresh {fresh[-1]:.3f}")
panels[0].set_ylabel("root mean squared error")
panels[0].legend(loc="lower left")
# Alt text: Two panels with the error over 10,000 updates. With random targets
# the error on the training examples, solid, falls slowly from about 1.4 to
# below the dotted line at 1, while the error on fresh examples, dashed, stays
# above it. With a teacher's targets both fall quickly and end far below the
# line.
plt.show()
