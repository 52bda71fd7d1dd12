r"""
Pooling: one number a patch
===========================

Pooling cuts an image into patches and keeps one number of each: the largest, equation
:eq:`max-pooling`, the mean, equation :eq:`average-pooling`, or the root of the sum of squares,
equation :eq:`l2-pooling`. It has no weights to learn.

The chapter's page: :doc:`/05_convolutional/pooling`.
"""

# Textbook figure 5-7: Pooling or subsampling (number inferred)
import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing

# %%
# Which inputs belong to which output
# -----------------------------------
# The gradient of an average knows: it is zero at every input outside the patch.

letters = np.array(list("abcdefghijklmnop")).reshape(4, 4)
image = np.zeros((1, 1, 4, 4))
pooled = np.empty((2, 2), dtype=object)
for place in np.ndindex(2, 2):
    dy = np.zeros((1, 1, 2, 2))
    dy[0, 0][place] = 1
    reached = cnn.avg_pool2d_backward(dy, image, 2)[0, 0] != 0
    pooled[place] = f"f({', '.join(letters[reached])})"

patches = [(0, 0, 2, 2), (0, 2, 2, 2), (2, 0, 2, 2), (2, 2, 2, 2)]
outputs = [(0, 0, 1, 1), (0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 1, 1)]
fig, (left, right) = plt.subplots(1, 2, figsize=(6.0, 3.0))
drawing.window_grid(letters, patches, size=14, title=r"input, $4 \times 4$", ax=left)
drawing.window_grid(pooled.astype(str), outputs, size=12, title=r"output, $2 \times 2$", ax=right)
# Alt text: Left, a 4 by 4 grid with the letters a to p, its four 2 by 2
# patches framed in four ways. Right, a 2 by 2 grid with the same four frames:
# f(a, b, e, f), f(c, d, g, h), f(i, j, m, n) and f(k, l, o, p).
plt.show()

# %%
# Three functions
# ---------------

x = np.array([[74, 44, 56, 78], [80, 40, 43, 13], [78, 88, 90, 96], [70, 55, 80, 35]], dtype=float)
kinds = {"max": cnn.max_pool2d, "average": cnn.avg_pool2d, "L2": cnn.l2_pool2d}

fig, panels = plt.subplots(1, 4, figsize=(6.8, 2.1), width_ratios=[4, 3, 3, 3])
drawing.window_grid(x, patches, title="input", ax=panels[0])
for ax, (name, pool) in zip(panels[1:], kinds.items(), strict=True):
    drawing.window_grid(pool(x[None, None], 2)[0, 0], outputs, title=name, decimals=2, ax=ax)
# Alt text: A 4 by 4 grid of numbers with its patches framed, and three 2 by 2
# grids: the maxima 80, 78, 88, 96; the averages 59.5, 47.5, 72.75, 75.25; and
# the L2 norms 124.15, 106.01, 147.49, 157.93.
plt.show()

# %%
# The L2 norm is at least the largest number, and equal to it only where the others are zero.
# In a patch of four it is also at least twice the average, and equal to that only where all four
# are the same.

for name, pool in kinds.items():
    print(f"{name:8s}", *(f"{value:9.3f}" for value in pool(x[None, None], 2).ravel()))
