r"""
Three regions of the sigmoid
============================

Far to the left the sigmoid says 0, far to the right it says 1, and at zero it says one half. The
three answers belong to three ways for a unit to behave: off, undecided, on. In between lies the
only region where the output tells how large the sum is.

The chapter's page: :doc:`/03_feedforward/sigmoid`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff

# %%
# Where the regions end
# ---------------------
# There is no sharp border. Here a unit counts as off or on when its output is within one per cent
# of the limit; inverting equation :eq:`sigmoid` gives the border :math:`\ln 99`.

border = np.log(99)
print(
    f"the border is z = {border:.3f}: sigmoid {ff.sigmoid(-border):.2f}, {ff.sigmoid(border):.2f}"
)

z = np.linspace(-10, 10, 401)
ax = drawing.function_panel(
    z,
    {"sigmoid": ff.sigmoid(z)},
    points={f"undecided:\n{ff.sigmoid(0.0):g}": (0, ff.sigmoid(0.0))},
)
for side, name in ((-1, "off: nearly 0"), (1, "on: nearly 1")):
    ax.axvspan(side * border, side * 10, color=drawing.COLOURS["light"], zorder=0)
    ax.axvline(side * border, color=drawing.COLOURS["grey"], linestyle=":", linewidth=1.5)
    drawing.label(
        ax,
        (side * 7.3, 0.5),
        name,
        bbox={"facecolor": "white", "edgecolor": "none"},
    )
ax.set(ylabel=r"$\sigma(z)$", xlim=(-10, 10))
# Alt text: The sigmoid over the sum z. Two shaded regions at the left and
# right ends, beyond z = -4.6 and z = 4.6, are named "off: nearly 0" and "on:
# nearly 1". A dot marks the value one half at z = 0, named undecided.
plt.show()

# %%
# Outputs at the ends
# -------------------
# The limits are reached in floating point, without overflow, however large the sum.

for at in (-1000.0, -10.0, 0.0, 10.0, 1000.0):
    print(f"z = {at:6.0f}   sigmoid {ff.sigmoid(at):.12f}")
