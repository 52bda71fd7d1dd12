r"""
How noisy is the gradient of a batch?
=====================================

A batch of :math:`B` examples drawn at random estimates the gradient over all of them. The mean
squared error of the estimate is the variance of one example's gradient divided by :math:`B`: four
times the work halves the error. Equation :eq:`minibatch`; read :ref:`sec-batches`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar.datasets import two_moons
from ketkar.network import Dense, chain, flatten
from ketkar.training import value_and_grad

# %%
# A frozen network
# ----------------
# The parameters stay as they are; only the examples of the batch are drawn anew, with replacement.

data = two_moons(512, noise=0.15, rng=0)
net = chain(Dense(2, 16, "tanh"), Dense(16, 1))
params = net.init(rng=0)


def gradient(indices):
    """The gradient over some of the examples, as one vector."""
    x, y = data.x[indices], data.y[indices]
    return flatten(value_and_grad(net, params, x, y, "binary_cross_entropy", backend="numpy")[1])


everything = gradient(np.arange(512))
one_by_one = np.array([gradient([i]) for i in range(512)])
variance = np.mean(np.sum((one_by_one - everything) ** 2, axis=1))

sizes = np.array([1, 4, 16, 64, 256])
rng = np.random.default_rng(0)
errors = np.array([
    np.mean([np.sum((gradient(rng.integers(0, 512, B)) - everything) ** 2) for _ in range(400)])
    for B in sizes
])  # fmt: skip

fig, ax = plt.subplots(figsize=(5.4, 3.8))
ax.loglog(sizes, variance / sizes, ":", color=drawing.COLOURS["black"], label="variance / $B$")
ax.loglog(sizes, errors, "o", markersize=8, label="measured")
ax.set(xlabel="batch size $B$", ylabel="mean squared error of the gradient")
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.legend()
# Alt text: The mean squared error of the gradient against the batch size from 1 to 256, both
# logarithmic. Five measured points lie on the dotted straight line of the variance divided by the
# batch size.
plt.show()

# %%
# Measured over 400 batches of each size (seed 0), the error times :math:`B` is the same number,
# the variance of a single example's gradient.

print(f"variance of one example's gradient: {variance:.3f}")
for B, error in zip(sizes, errors, strict=True):
    print(f"B = {B:3d}: error {error:.5f}, times B {B * error:.3f}")
