r"""
Features for another task
=========================

A network learns to tell L, T and plus signs apart. Then its convolutions are kept as they are, and
a new last layer learns another question, whether a bar lies or stands, for which they were not made
:cite:p:`yosinski2014`. Are their features of more use than pixels?

The chapter's page: :doc:`/05_convolutional/features`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar.datasets import bars, two_bars
from ketkar.network import Conv2d, Dense, GlobalMaxPool2d, MaxPool2d, chain
from ketkar.training import accuracy, fit

# %%
# The first task
# --------------
# The same convolutions with the weights that they were drawn with, never trained, are a third
# candidate: random features can be good ones too :cite:p:`jarrett2009`.

front = [
    Conv2d(1, 6, 3, activation="relu", init_kernel="he_normal"), MaxPool2d(2),
    Conv2d(6, 12, 3, activation="relu", init_kernel="he_normal"), GlobalMaxPool2d(),
]  # fmt: skip
body, net = chain(*front), chain(*front, Dense(12, 3))
shapes, rng = two_bars(600, rng=0, size=14), np.random.default_rng(1)
start = net.init(rng)
params = fit(net, start, *shapes, loss="cross_entropy", lr=0.05, momentum=0.9, batch_size=32,
             epochs=12, rng=rng).params  # fmt: skip
print(f"L, T or plus: {accuracy(net, params, *two_bars(600, rng=1, size=14)):.3f} right (seed 1)")

# %%
# The second task
# ---------------
# From few examples and from many; all that is trained is one unit. Each point is the mean of five
# draws of the examples, asked about 1000 other pictures.

train, test = bars(400, rng=2, size=14), bars(1000, rng=3, size=14)
pictures = (train.x, test.x)
inputs = {
    "pixels": [x.reshape(len(x), -1) for x in pictures],
    "random features": [body(start[:-1], x) for x in pictures],
    "learned features": [body(params[:-1], x) for x in pictures],
}
sizes = [10, 20, 50, 100, 200, 400]


def share(known, new, N, seed):
    """The share of right answers after N examples, features scaled to a spread of one."""
    rng, spread = np.random.default_rng(seed), known.std(axis=0)
    spread[spread == 0] = 1  # a feature that is always the same
    known, new = ((x - known.mean(axis=0)) / spread for x in (known, new))
    chosen, unit = rng.permutation(400)[:N], Dense(known.shape[1], 1)
    learned = fit(unit, unit.init(rng), known[chosen], train.y[chosen],
                  loss="binary_cross_entropy", lr=0.5, epochs=200).params  # fmt: skip
    return accuracy(unit, learned, new, test.y)


fig, ax = plt.subplots(figsize=(6.4, 3.6))
for (name, features), mark in zip(inputs.items(), "osD", strict=True):
    shares = [np.mean([share(*features, N, seed) for seed in range(5)]) for N in sizes]
    ax.semilogx(sizes, shares, marker=mark, label=name)
    print(f"{name:17s}", *(f"{value:6.3f}" for value in shares))
ax.set(xlabel="examples of bars", ylabel="share of right answers", ylim=(0.45, 1))
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.legend(ncols=3, loc="upper center", columnspacing=1.0)
# Alt text: Three curves of the share of right answers over 10 to 400 examples. Pixels stay near one
# half, which is chance. Random features rise from 0.65 to 0.80, and learned features lie a little
# above them throughout, from 0.68 to 0.83.
plt.show()

# %%
# Most of what helps is in the layers themselves, small windows and the largest value of each map;
# what was learned for the other task adds a little.
