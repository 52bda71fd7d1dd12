r"""
The sigmoid and its derivative
==============================

The logistic sigmoid squeezes any number into the interval from 0 to 1, equation :eq:`sigmoid`.
Its derivative, equation :eq:`sigmoid-derivative`, is never above one quarter and fades quickly
on both sides: a sure unit learns slowly.

The chapter's page: :doc:`/03_feedforward/sigmoid`.
"""

# Textbook figure 3-6: The sigmoid function
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff

# %%
# Value and slope
# ---------------
# :func:`~ketkar.feedforward.sigmoid` and :func:`~ketkar.feedforward.sigmoid_grad` on the same
# axis. The marked points are computed, not placed by hand.

z = np.linspace(-8, 8, 401)
value, slope = ff.sigmoid(z), ff.sigmoid_grad(z)
steepest = int(np.argmax(slope))

tallest = f"largest slope {slope[steepest]:g}"
points = {
    f"({z[steepest]:g}, {value[steepest]:g})": (z[steepest], value[steepest]),
    tallest: (z[steepest], slope[steepest]),
}
curves = {r"$\sigma(z)$": value, r"$\sigma\,'(z)$": slope}
drawing.function_panel(z, curves, points=points, above=[tallest])
# Alt text: A solid S-shaped curve rises from 0 at the left to 1 at the right
# and passes through 0.5 at z = 0. A dashed bell-shaped curve, its derivative,
# has its largest value 0.25 at z = 0 and is close to zero below -6 and above
# 6.
plt.show()

# %%
# How fast the slope fades
# ------------------------
# At z = 5 the slope is less than a hundredth; at z = 10 it is almost nothing.

for at in (0.0, 2.0, 5.0, 10.0):
    print(f"z = {at:4.0f}   value {ff.sigmoid(at):.6f}   slope {ff.sigmoid_grad(at):.6f}")
