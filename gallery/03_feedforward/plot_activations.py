r"""
Activations and their derivatives
=================================

What a unit does with its weighted sum, and how much of the gradient it lets through. Near zero,
tanh is almost the identity; far from zero, only the rectifier and the identity still have a
slope. Read :ref:`sec-activations`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff

# %%
# Side by side
# ------------
# :data:`~ketkar.feedforward.ACTIVATIONS` names them; :func:`~ketkar.feedforward.activation` finds
# the function and its derivative. The step is left out of the right panel: its derivative is zero
# wherever it has one.

z = np.linspace(-4, 4, 400)
values = {name: ff.activation(name).value(z) for name in ff.ACTIVATIONS}
slopes = {name: ff.activation(name).grad(z) for name in ff.ACTIVATIONS if name != "step"}

fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.6))
for ax, family, title in ((left, values, "value"), (right, slopes, "derivative")):
    ax.set_prop_cycle(None)
    for name in ff.ACTIVATIONS:
        line = ax.plot(z, family.get(name, np.full_like(z, np.nan)), label=name)
    ax.axhline(0, color=drawing.COLOURS["grey"], linewidth=0.6, zorder=0)
    ax.set(title=title, xlabel="$z$")
left.set_ylim(-1.6, 2.6)
right.set_ylim(-0.08, 1.15)
fig.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
# Alt text: Left, five activations over z from -4 to 4: the step, the straight line of the identity,
# the sigmoid between 0 and 1, tanh between -1 and 1, and the rectifier, zero and then straight.
# Right, their derivatives: the identity at 1 throughout, the rectifier 0 and then 1, tanh a hump
# of height 1, the sigmoid a hump of height one quarter.
plt.show()

# %%
# What is true near zero, and far away
# ------------------------------------
# "Like the identity near zero" means slope 1 there: tanh has it, the sigmoid does not. The distance
# of tanh from the identity is at most :math:`|z|^3/3`.

print(f"{'':8s}  slope at 0   at 5")
for name in ("sigmoid", "tanh", "relu"):
    grad = ff.activation(name).grad
    print(f"{name:8s} {float(grad(1e-9)):10.4f} {float(grad(5.0)):10.6f}")
small = np.linspace(-1, 1, 1001)
distance = np.abs(ff.tanh(small) - small)
print("|tanh z - z| <= |z|^3 / 3 everywhere:", bool((distance <= np.abs(small) ** 3 / 3).all()))
