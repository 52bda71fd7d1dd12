r"""
Full batch, mini-batch, one example
===================================

The same network, the same data, the same learning rate, and the same number of looks at each
example: what differs is how many examples a step averages over, equation :eq:`minibatch`. More
steps get further, and wander more. Read :ref:`sec-batches`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar.datasets import noisy_line, two_moons
from ketkar.network import Dense, chain
from ketkar.training import fit, iterate_minibatches, loss_value, sgd_step, value_and_grad

# %%
# Above, two moons and a network of 16 tanh units; the loss over the whole set is taken after each
# epoch. Below, the paths of the three regimes where there are only two parameters to look at: the
# weight and the bias of a linear unit.

moons = two_moons(512, noise=0.15, rng=0)
net = chain(Dense(2, 16, "tanh"), Dense(16, 1))
start = net.init(rng=0)
regimes = {"full batch": None, "batches of 32": 32, "one example": 1}


def losses(batch_size):
    """The loss over the whole set after each of 40 epochs, and of each step's batch."""
    after = []

    def watch(_, params):
        after.append(loss_value(net, params, *moons, "binary_cross_entropy"))

    run = fit(net, start, *moons, loss="binary_cross_entropy", lr=0.1, epochs=40,
              batch_size=batch_size, rng=1, callback=watch)  # fmt: skip
    return np.array(after), run.history.step_losses


line = noisy_line(64, slope=1.5, intercept=1.0, noise=0.7, rng=2)
unit = Dense(1, 1, init_weights="zeros")


def path(batch_size, steps=40):
    """Weight and bias over `steps` steps of descent on the squared error."""
    params, rng, points = unit.init(0), np.random.default_rng(3), [(0.0, 0.0)]
    while len(points) <= steps:
        for xb, yb in iterate_minibatches(*line, batch_size, rng):
            params = sgd_step(params, value_and_grad(unit, params, xb, yb, "squared_error")[1], 0.1)
            points.append((float(params.W[0, 0]), float(params.b[0])))
    return np.array(points[: steps + 1])


def surface(theta):
    """The squared error over the whole set."""
    return np.mean((theta[0] * line.x[:, 0] + theta[1] - line.y) ** 2)


curves = {name: losses(size) for name, size in regimes.items()}
fig, axes = plt.subplot_mosaic("ab;cc", figsize=(6.4, 6.8), height_ratios=[1, 1.15])
for name, (after, step_losses) in curves.items():
    axes["a"].plot(range(1, 41), after, label=name)
    axes["b"].plot(range(1, 41), step_losses[:40], label=name, linewidth=1.4)
axes["a"].set(xlabel="epoch", ylabel="loss", title="over the whole set", ylim=(0, 0.75))
axes["b"].set(xlabel="step", title="of the step's batch", ylim=(0, 1.9))
axes["a"].legend(loc="upper right", fontsize=10)
drawing.contour_path(
    surface, {name: path(size) for name, size in regimes.items()},
    xlim=(-0.45, 2.75), ylim=(-0.25, 1.75), names=("weight", "bias"), ax=axes["c"],
)  # fmt: skip
axes["c"].set_title("forty steps of a linear unit")
# Alt text: Three panels. Loss over the whole set against the epoch: full batch falls slowly and
# smoothly, batches of 32 faster, single examples fastest with small rises. Loss of each step's
# batch over the first 40 steps: smooth for the full batch, jumping for single examples. Paths on
# contour lines: the full batch goes straight to the minimum, single examples stagger around it.
plt.show()

# %%
# Numbers
# -------

print(f"{'loss after epoch':16s}      1      5     40  rises between epochs")
for name, (after, _) in curves.items():
    rises = int((np.diff(after) > 0).sum())
    print(f"{name:16s} {after[0]:6.3f} {after[4]:6.3f} {after[39]:6.3f}  {rises}  (seeds 0 and 1)")
