r"""
Stride makes the output smaller
===============================

The stride is the distance from one window to the next. On seven rows a window of three has five
places with stride one and three with stride two, equation :eq:`output-size`.

The chapter's page: :doc:`/05_convolutional/stride_padding`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing

# %%
# Two windows, one or two columns apart
# -------------------------------------
# The kernel takes the mean of its window. The first two windows are framed, and in the output the
# two numbers that they make.

x = np.random.default_rng(0).integers(0, 10, (7, 7)).astype(float)
K = np.full((1, 1, 3, 3), 1 / 9)

fig, panels = plt.subplots(2, 2, figsize=(5.6, 6.2))
for stride, (left, right) in zip((1, 2), panels, strict=True):
    y = cnn.conv2d(x[None, None], K, stride=stride)[0, 0]
    windows = [(0, 0, 3, 3), (0, stride, 3, 3)]
    drawing.window_grid(x, windows, title=f"input, stride {stride}", ax=left)
    drawing.window_grid(y, [(0, 0, 1, 1), (0, 1, 1, 1)], decimals=1, ax=right)
    right.set_title(rf"output, ${y.shape[0]} \times {y.shape[1]}$")
    right.set(xlim=(-0.55, 6.55), ylim=(6.55, -0.55))  # cells as large as the input's
# Alt text: Two rows, each a grid of 7 by 7 numbers and its output. With stride
# 1 the second framed window lies one column right of the first, and the output
# is 5 by 5. With stride 2 it lies two columns further, and the output is 3 by 3.
# The first two numbers of each output are framed like their windows.
plt.show()

# %%
# The formula and the layer
# -------------------------

print("size  kernel  stride  padding  output")
for size, kernel, stride, padding in (
    (7, 3, 1, 0), (7, 3, 2, 0), (7, 3, 1, 1), (32, 5, 1, 0), (28, 2, 2, 0), (227, 11, 4, 0),
    (224, 7, 2, 3),
):  # fmt: skip
    length = cnn.conv_output_size(size, kernel, stride, padding)
    signal, weights = np.zeros((1, 1, size)), np.zeros((1, 1, kernel))
    assert length == cnn.conv1d(signal, weights, stride=stride, padding=padding).shape[2]
    print(f"{size:4d}{kernel:8d}{stride:8d}{padding:9d}{length:8d}")
