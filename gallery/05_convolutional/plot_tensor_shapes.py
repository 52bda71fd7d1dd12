r"""
Images, kernels and maps as tensors
===================================

An image has rows, columns and channels. A kernel reaches over a few rows and columns and over all
channels, and a bank of kernels makes one map a kernel: equation :eq:`convolution-layer` in shapes.
Its parameters do not depend on the size of the image, equation :eq:`convolution-parameters`.

The chapter's page: :doc:`/05_convolutional/tensors`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing

# %%
# A bank of kernels
# -----------------
# The shapes in the picture are those of the three arrays; the padding keeps rows and columns.

x = np.zeros((1, 3, 32, 32))
K = np.zeros((32, 3, 5, 5))
y = cnn.conv2d(x, K, np.zeros(32), padding=cnn.same_padding(5)[0])
count = cnn.conv2d_num_params(5, x.shape[1], len(K))
print("x", x.shape, " K", K.shape, " y", y.shape, " parameters", count)

ax = drawing.canvas(6.6, 2.9)
times = r" $\times$ "
image = drawing.volume(ax, (0.95, 1.65), (1.3, 1.3, 0.25), slices=x.shape[1])
first = drawing.volume(ax, (3.1, 2.45), (0.4, 0.4, 0.25), slices=K.shape[1])
second = drawing.volume(ax, (3.1, 1.85), (0.4, 0.4, 0.25), slices=K.shape[1])
drawing.label(ax, (3.1, 1.4), "⋮", size=16)
last = drawing.volume(ax, (3.1, 0.95), (0.4, 0.4, 0.25), slices=K.shape[1])
maps = drawing.volume(ax, (5.5, 1.65), (1.3, 1.3, 0.9), slices=8)
for kernel in (first, second, last):
    drawing.arrow(ax, image.right, kernel.left, color=drawing.COLOURS["grey"], linewidth=1.0)
    drawing.arrow(ax, kernel.right, maps.left, color=drawing.COLOURS["grey"], linewidth=1.0)
for place, name, shape in ((0.95, "image", x[0]), (3.1, "kernels", K), (5.5, "maps", y[0])):
    text = times.join(map(str, shape.shape))
    drawing.label(ax, (place, 0.38), name, va="baseline")
    drawing.label(ax, (place, 0.14), text, va="baseline")
# Alt text: Left, a box of three slices, the image, 3 by 32 by 32. Arrows lead
# from it to a column of small boxes of three slices, the kernels, 32 by 3 by 5
# by 5, and from each kernel to a deep box, the maps, 32 by 32 by 32.
plt.show()

# %%
# Counting
# --------
# Each kernel has its weights and one bias.

print("kernel  channels  kernels  parameters")
for kernel, inputs, outputs in ((5, 1, 6), (3, 1, 32), (3, 3, 64), (5, 3, 32), (11, 3, 96)):
    parameters = cnn.conv2d_num_params(kernel, inputs, outputs)
    print(f"{kernel:2d} x {kernel:<2d} {inputs:8d} {outputs:8d} {parameters:11,d}")

# %%
# A dense layer from this image to maps of the same shape needs a weight for each pair of numbers.

dense = x[0].size * y[0].size + y[0].size
print(f"dense {dense:,}, convolution {count:,}: {dense / count:,.0f} times as many")
