r"""
A finite range keeps numbers finite
===================================

With weights three times too large, the values in a network of rectifiers or linear units grow from
layer to layer without limit. A tanh unit cannot exceed one. Stable numbers are not yet useful
ones: these tanh units are saturated. Read :ref:`sec-tanh`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import feedforward as ff

# %%
# Twenty layers
# -------------
# All three networks have the same weights: width 64, normal, with a standard deviation of
# :math:`3/\sqrt{64}`.

WIDTH, DEPTH = 64, 20
rng = np.random.default_rng(0)
x = rng.normal(size=(100, WIDTH))
params = [
    ff.DenseParams(rng.normal(0, 3 / np.sqrt(WIDTH), (WIDTH, WIDTH)), np.zeros(WIDTH))
    for _ in range(DEPTH)
]
traces = {
    name: ff.mlp_trace(x, params, activation)
    for name, activation in (("linear", "identity"), ("relu", "relu"), ("tanh", "tanh"))
}
sizes = {name: [np.sqrt(np.mean(y**2)) for _, _, y in trace] for name, trace in traces.items()}

fig, ax = plt.subplots()
for marker, (name, size) in zip("osD", sizes.items(), strict=True):
    ax.semilogy(range(1, DEPTH + 1), size, marker=marker, markersize=4, label=name)
ax.set(xlabel="layer", ylabel="size of the activations")
ax.set_xticks(range(2, DEPTH + 1, 2))
ax.legend()
# Alt text: The root mean square of the activations against the layer, on a logarithmic scale.
# Linear units rise straight to above a billion, rectifiers to some millions; tanh stays just
# below one.
plt.show()

# %%
# The price of the finite range: most tanh units sit where the curve is flat, and their slope lets
# little of the gradient through.

for name, size in sizes.items():
    print(f"{name:7s} after {DEPTH} layers: {size[-1]:.3g} (seed 0)")
slope = np.median(ff.tanh_grad(traces["tanh"][-1].z))
print(f"median slope of the tanh units in the last layer: {slope:.3f}")
