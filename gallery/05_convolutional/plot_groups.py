r"""
Kernels that see some channels only
===================================

A kernel usually reads all channels. In groups, each kernel reads those of its own group, which
saves weights, equation :eq:`convolution-parameters`; AlexNet did so because its halves ran on two
graphics cards :cite:p:`krizhevsky2012`. With as many groups as channels, every channel is filtered
by itself.

The chapter's page: :doc:`/05_convolutional/variants`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing

# %%
# Who reads whom
# --------------
# The layer says so itself: the kernels are ones of 1 by 1, and each image has a one in a single
# channel. The maps that answer are those that read this channel.

C = 6
images = np.eye(C)[:, :, None, None]

fig, panels = plt.subplots(1, 3, figsize=(6.8, 2.7))
for ax, groups in zip(panels, (1, 2, C), strict=True):
    K = np.ones((C, C // groups, 1, 1))
    reads = cnn.conv2d(images, K, groups=groups)[:, :, 0, 0].T
    blocks = [(k, k, C // groups, C // groups) for k in range(0, C, C // groups)]
    marks = np.where(reads != 0, "x", "·")
    drawing.window_grid(marks, blocks, title=f"{groups} group" + "s" * (groups > 1), ax=ax)
    ax.set_xlabel("channel")
panels[0].set_ylabel("map")
# Alt text: Three grids of 6 maps by 6 channels with a cross where a map reads a channel. With one
# group all 36 places are crossed. With 2 groups two blocks of 3 by 3 on the diagonal are crossed,
# with 6 groups the diagonal alone. The blocks are framed.
plt.show()

# %%
# What it saves
# -------------
# Layers between 64 maps, with kernels of 3 by 3. A depthwise layer has a group for each channel; as
# it does not mix the channels, a layer of 1 by 1 kernels often follows.

full = cnn.conv2d_num_params(3, 64, 64)
halves = cnn.conv2d_num_params(3, 64, 64, groups=2)
depthwise = cnn.conv2d_num_params(3, 64, 64, groups=64)
mixing = cnn.conv2d_num_params(1, 64, 64)
print(f"one group        {full:6,d} parameters")
print(f"two groups       {halves:6,d}")
print(f"depthwise        {depthwise:6,d}")
print(f"and mixing 1 x 1 {depthwise + mixing:6,d}, {full / (depthwise + mixing):.1f} times fewer")
