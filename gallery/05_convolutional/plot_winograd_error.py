r"""
Three ways to round
===================

The sum of a convolution layer, equation :eq:`convolution-layer`, can be computed as it is written,
by Winograd's algorithm :cite:p:`lavin2016`, which multiplies less and adds more, or by the fast
Fourier transform. In real numbers the three agree. In 32 bits each rounds in its own way, and the
error is measured here against the sum in 64 bits. All three are arguments of
:func:`~ketkar.convolutional.conv2d`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing

ALGORITHMS = ("direct", "winograd", "fft")


def errors(x, K, algorithm):
    """What 32 bits lose, beside an output of the size 1."""
    exact = cnn.conv2d(x.astype(float), K.astype(float), algorithm="direct")
    return cnn.conv2d(x, K, algorithm=algorithm) - exact


def root_mean_square(values, axis=None):
    """The usual size of numbers around zero."""
    return np.sqrt(np.mean(np.square(values), axis=axis))


# %%
# More channels, longer sums
# --------------------------
# Inputs are drawn from the normal distribution, and so are weights, scaled so that outputs have the
# size 1 for any number of channels. A float of 32 bits then has steps of about :math:`10^{-7}`.

channels = [1, 4, 16, 64, 256]
found = {algorithm: [] for algorithm in ALGORITHMS}
for C in channels:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, C, 34, 34)).astype(np.float32)
    K = rng.normal(0, 1 / np.sqrt(9 * C), (16, C, 3, 3)).astype(np.float32)
    for algorithm, sizes in found.items():
        sizes.append(root_mean_square(errors(x, K, algorithm)))

fig, ax = plt.subplots(figsize=(6.4, 3.6))
for (algorithm, sizes), mark in zip(found.items(), "osD", strict=True):
    ax.loglog(channels, sizes, marker=mark, label=algorithm)
ax.set(xlabel="channels", ylabel="error of an output", xticks=channels, xticklabels=channels)
ax.minorticks_off()
ax.legend()
# Alt text: Three curves of the error over 1 to 256 channels, on logarithmic axes. The direct sum
# begins lowest, near 6e-8, and rises to 9e-7. Winograd is highest throughout, from 5e-7 to 2e-6.
# The Fourier transform hardly rises at first, from 1.4e-7, and has the least error from 16 channels
# on.
plt.show()

# %%
# The direct sum adds its products one after another, so its error grows with their number. The
# others add fewer numbers at a time, but lose something on the way there and back.

# %%
# The tiles shine through
# -----------------------
# Winograd's algorithm works in tiles of 4 by 4 outputs, and within a tile not all outputs are as
# exact. Here is the error at each of 12 by 12 outputs, over 400 images, on one scale.

rng = np.random.default_rng(1)
x = rng.normal(size=(400, 16, 14, 14)).astype(np.float32)
K = rng.normal(0, 1 / np.sqrt(9 * 16), (16, 16, 3, 3)).astype(np.float32)
maps = {name: root_mean_square(errors(x, K, name), (0, 1)) for name in ALGORITHMS}
largest = max(values.max() for values in maps.values())

fig, panels = plt.subplots(1, len(maps), figsize=(6.4, 2.8))
for ax, (name, values) in zip(panels, maps.items(), strict=True):
    drawing.picture(values, largest=largest, title=name, ax=ax)
    ax.set_xlabel(f"{values.min():.1e} to\n{values.max():.1e}")
# Alt text: Three maps of 12 by 12 places. The direct sum's and the Fourier transform's are evenly
# light. Winograd's repeats every four places: dark at the corners of each tile of 4 by 4, light in
# the middle.
plt.show()

# %%
# In 64 bits
# ----------
# The same differences shrink to the last places of a float of 64 bits.

x, K = x.astype(float), K.astype(float)
exact = cnn.conv2d(x, K, algorithm="direct")
for name in ALGORITHMS[1:]:
    away = np.abs(cnn.conv2d(x, K, algorithm=name) - exact).max()
    print(f"{name:9s} differs from the direct sum by at most {away:.1e}")
