r"""
The hyperbolic tangent
======================

The hyperbolic tangent is a sigmoid stretched to the interval from -1 to 1, equation :eq:`tanh`.
It is odd, and near zero it hardly differs from its argument: a tanh unit with a small sum acts
like a linear unit.

The chapter's page: :doc:`/03_feedforward/tanh`.
"""

# Textbook figure 3-9: The hyperbolic tangent
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff

# %%
# Value, slope and the line y = z
# -------------------------------

z = np.linspace(-4, 4, 401)
curves = {
    "$\\tanh z$": ff.tanh(z),
    "derivative": ff.tanh_grad(z),
    "$z$": ff.identity(z),
}
ax = drawing.function_panel(z, curves, points={"(0, 0)": (0, ff.tanh(0.0))})
ax.set_ylim(-1.5, 1.5)
# Alt text: A solid S-shaped curve from -1 to 1 through the origin. A dash-
# dotted straight line touches it at the origin and leaves it beyond about
# half a unit. The dashed derivative is bell-shaped with its largest value 1
# at zero.
plt.show()

# %%
# How near the line it is
# -----------------------
# The difference from the line stays below :math:`|z|^3 / 3`, and the hyperbolic tangent is the
# sigmoid in other units: :math:`\tanh z = 2\sigma(2z) - 1`.

gap = np.abs(ff.tanh(z) - z)
print("below the bound everywhere:", bool(np.all(gap <= np.abs(z) ** 3 / 3)))
print(
    "largest difference from 2 sigma(2z) - 1:",
    np.abs(2 * ff.sigmoid(2 * z) - 1 - ff.tanh(z)).max(),
)
for at in (0.1, 0.5, 1.0):
    print(f"z = {at:.1f}   tanh z = {ff.tanh(at):.4f}")
