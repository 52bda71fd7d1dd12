r"""
Gradients and depth
===================

Every sigmoid layer takes at least three quarters of the gradient away, so in a deep network the
first layer hardly learns. Rectifiers with He's weights keep the gradient's size; so does tanh with
Glorot's, and so the gain over the sigmoid is not the rectifier's alone. Read :ref:`sec-relu`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import feedforward as ff
from ketkar.network import initial

# %%
# First layer against last
# ------------------------
# Networks of width 64, untrained, with the initialisation that suits the activation, equations
# :eq:`glorot` and :eq:`he`. The gradient of the first layer's weights is divided by that of the
# last layer's.

WIDTH, DEPTHS, SEEDS = 64, (2, 5, 10, 20), range(10)
starts = {"relu": "he_normal", "tanh": "glorot_uniform", "sigmoid": "glorot_uniform"}


def ratio(activation, depth, seed):
    """The norm of the first layer's gradient over that of the last layer's."""
    rng = np.random.default_rng(seed)
    params = [
        ff.DenseParams(initial(starts[activation], rng, (WIDTH, WIDTH)), np.zeros(WIDTH))
        for _ in range(depth)
    ]
    trace = ff.mlp_trace(rng.normal(size=(32, WIDTH)), params, activation)
    grads = ff.mlp_backward(rng.normal(size=(32, WIDTH)), trace, params, activation)
    return np.linalg.norm(grads[0].W) / np.linalg.norm(grads[-1].W)


ratios = {
    name: np.array([[ratio(name, depth, seed) for seed in SEEDS] for depth in DEPTHS])
    for name in starts
}

fig, ax = plt.subplots()
for marker, (name, found) in zip("osD", ratios.items(), strict=True):
    (line,) = ax.semilogy(DEPTHS, np.median(found, axis=1), marker=marker, label=name)
    ax.fill_between(DEPTHS, found.min(axis=1), found.max(axis=1), color=line.get_color(), alpha=0.2)
ax.set(xlabel="layers", ylabel="gradient of first layer / last layer")
ax.set_xticks(DEPTHS)
ax.legend(loc="lower left")
# Alt text: The ratio of the gradients of the first and the last layer against the number of layers,
# on a logarithmic scale. The lines of relu and tanh stay near one up to 20 layers; that of the
# sigmoid falls straight to below ten to the minus ten.
plt.show()

# %%
# The medians over ten seeds:

print("layers " + "".join(f"{depth:>10d}" for depth in DEPTHS))
for name, found in ratios.items():
    print(f"{name:7s}" + "".join(f"{value:10.2g}" for value in np.median(found, axis=1)))
