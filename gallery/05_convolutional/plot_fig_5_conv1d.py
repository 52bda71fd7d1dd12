r"""
A kernel finds its own shape
============================

The kernel slides over the signal, and at each place the output is the sum of the products of the
two, equation :eq:`cross-correlation`. Where the signal looks like the kernel, all products are
positive and the sum is large: the output says where.

The chapter's page: :doc:`/05_convolutional/convolution`.
"""

# Textbook figure 5-1: A signal, a kernel and their cross-correlation (number inferred)
import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing

# %%
# The kernel in the noise
# -----------------------
# The signal is noise, except for six places from 37 on: there it is the kernel itself. So the
# output at 37 is the sum of the kernel's squares, 11.

K = np.array([1.0, -1.0, 2.0, 0.0, -2.0, 1.0])
rng = np.random.default_rng(5)
I = rng.normal(0, 0.3, 60)  # noqa: E741
I[37:43] = K
s = cnn.cross_correlate1d(I, K)
print(f"largest output: {s.max():.1f} at {s.argmax()}; the sum of squares is {K @ K:.1f}")


def panel(ax, values, title, start=0):
    """Values over the time at which they stand."""
    places = start + np.arange(len(values))
    ax.plot(places, values, "-o", color=drawing.COLOURS["blue"], linewidth=1.2, markersize=3)
    ax.axvspan(36.5, 42.5, facecolor="#FBE3D3", hatch="///", edgecolor="#E3A37C", zorder=0)
    ax.axhline(0, color=drawing.COLOURS["grey"], linewidth=0.8, linestyle="-", zorder=1)
    ax.set_title(title, loc="left")
    ax.margins(y=0.15)


fig, (top, middle, bottom) = plt.subplots(
    3, 1, figsize=(6.4, 5.0), sharex=True, height_ratios=[3, 2.4, 4]
)
panel(top, I, "signal $I$")
panel(middle, K, "kernel $K$, at $t = 37$", start=37)
panel(bottom, s, "output $s$")
bottom.plot(s.argmax(), s.max(), "D", color="black", markersize=7)
bottom.annotate(
    f"{s.max():.1f} at $t = {s.argmax()}$", (s.argmax(), s.max()), (-10, -4),
    textcoords="offset points", ha="right", va="top",
)  # fmt: skip
bottom.set_xlabel("$t$")
# Alt text: Three panels over the same time axis. The signal is noise around
# zero but for a hatched stretch from 37 to 42, where it repeats the kernel of
# six values shown in the middle panel. The output below is small everywhere
# but for a single peak of 11 at 37, marked by a diamond.
plt.show()

# %%
# A loud stretch
# --------------
# Loud noise makes large sums too. Divided by the lengths of window and kernel, equation
# :eq:`normalised-correlation`, the output is the cosine of the angle between them: it is 1 where
# the window is a multiple of the kernel, however small, and less everywhere else.

# Textbook figure 5-2: The same output, normalised (number inferred)
loud = I.copy()
loud[8:22] *= 15
raw = cnn.cross_correlate1d(loud, K)
cosine = cnn.normalised_cross_correlate1d(loud, K)

fig, panels = plt.subplots(3, 1, figsize=(6.4, 5.0), sharex=True)
for ax, values, title in zip(
    panels, (loud, raw, cosine), ("signal, louder from 8 to 21", "output", "normalised output"),
    strict=True,
):  # fmt: skip
    panel(ax, values, title)
    if values is not loud:
        ax.plot(values.argmax(), values.max(), "D", color="black", markersize=7)
panels[2].axhline(1, color="black", linestyle=":", linewidth=1.2)
panels[2].set(xlabel="$t$", ylim=(-1.2, 1.2))
# Alt text: Three panels over time. The signal now has a loud stretch from 8
# to 21, many times larger than the kernel at 37 to 42, which is hatched. The
# largest output, a diamond, lies in the loud stretch. In the normalised
# output below, the diamond is at 37 and touches a dotted line at 1.
plt.show()

print(f"largest output at {raw.argmax()}, largest normalised output at {cosine.argmax()}")
print(f"normalised output at 37: {cosine[37]:.4f}; next largest: {np.sort(cosine)[-2]:.4f}")
