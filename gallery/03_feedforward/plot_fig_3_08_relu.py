r"""
The rectifier and its derivative
================================

The rectifier passes what is positive and stops the rest, equation :eq:`relu`. Its derivative is
exactly one wherever the unit is on, equation :eq:`relu-derivative`, however large the sum is:
an active rectified linear unit does not make the gradient smaller.

The chapter's page: :doc:`/03_feedforward/relu`.
"""

# Textbook figure 3-8: The rectified linear unit
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff

# %%
# Value and slope
# ---------------
# At zero the curve has a corner, so its slope there has to be chosen.
# :func:`~ketkar.feedforward.relu_grad` chooses 0, as equation :eq:`relu-derivative` does.

z = np.linspace(-5, 5, 401)
value, slope = ff.relu(z), ff.relu_grad(z)
jump = np.where(np.diff(slope) > 0)[0][0] + 1

fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.2))
drawing.function_panel(z, {"value": value}, ax=left)
left.set_title(r"$\max(0, z)$")
right.plot(z[:jump], slope[:jump], color=drawing.COLOURS["vermillion"], linestyle="--")
right.plot(z[jump:], slope[jump:], color=drawing.COLOURS["vermillion"], linestyle="--")
right.plot(0, ff.relu_grad(0.0), "o", color="black", markersize=7)
right.plot(0, 1, "o", markerfacecolor="white", markeredgecolor="black", markersize=7)
right.set(title="derivative", xlabel="$z$", ylim=(-0.15, 1.25))
right.grid(alpha=0.25)
# Alt text: Left, the rectifier: zero for negative z, then a straight line of
# slope one with a corner at zero. Right, its derivative as two dashed levels:
# 0 up to and including z = 0, marked by a filled dot, and 1 beyond it, which
# starts with an open dot.
plt.show()

# %%
# Far from zero
# -------------
# Where the slopes of the saturating units have faded, that of the rectifier has not.

at = 5.0
slopes = {
    "relu": ff.relu_grad(at),
    "sigmoid": ff.sigmoid_grad(at),
    "tanh": ff.tanh_grad(at),
}
for name, slope_at in slopes.items():
    print(f"{name:8s} slope at z = {at:g}: {slope_at:.6f}")
