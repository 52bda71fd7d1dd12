r"""
Deeper, but not larger
======================

From 2012 to 2015 the leading networks of the ImageNet challenge :cite:p:`russakovsky2015` became
deeper every time and their errors smaller, but they did not need more parameters. The numbers of
parameters are counted here layer by layer, equation :eq:`convolution-parameters`. Read
:doc:`/05_convolutional/summary`.
"""

from itertools import pairwise

import matplotlib.pyplot as plt

from ketkar import drawing
from ketkar.convolutional import conv2d_num_params, conv_output_size

# %%
# AlexNet's layers
# ----------------
# Kernel, input and output channels, groups, stride, padding; a number after them is the side of the
# max pooling of stride 2 that follows. Two halves of AlexNet ran on two graphics cards, so some
# layers have two groups :cite:p:`krizhevsky2012`. A dense layer is a convolution whose kernel is as
# large as its input.

ALEXNET = [
    (11, 3, 96, 1, 4, 0, 3), (5, 96, 256, 2, 1, 2, 3), (3, 256, 384, 1, 1, 1, 0),
    (3, 384, 384, 2, 1, 1, 0), (3, 384, 256, 2, 1, 1, 3), (6, 256, 4096, 1, 1, 0, 0),
    (1, 4096, 4096, 1, 1, 0, 0), (1, 4096, 1000, 1, 1, 0, 0),
]  # fmt: skip

side, shapes, steps, alexnet = 227, [(3, 227, 227)], [], []
for kernel, inputs, outputs, groups, stride, padding, pool in ALEXNET:
    alexnet.append(conv2d_num_params(kernel, inputs, outputs, groups=groups))
    side = conv_output_size(side, kernel, stride, padding)
    shapes.append((outputs, side, side) if side > 1 else (outputs,))
    steps.append(f"conv\n{kernel}" if side > 1 else "dense")
    if pool:
        side = conv_output_size(side, pool, 2)
drawing.shape_flow(shapes, steps, size=(7.0, 2.4))
# Alt text: AlexNet as a row of boxes: 3 by 227 by 227, 96 by 55 by 55, 256 by 27 by 27, 384 by 13
# by 13 twice, 256 by 13 by 13, then bars of 4096, 4096 and 1000 values. Convolutions with kernels
# of 11, 5, 3, 3 and 3 lead from box to box, and three dense layers follow.
plt.show()

# %%
# The others
# ----------
# VGG-16 uses kernels of 3 by 3 only :cite:p:`simonyan2015`. GoogLeNet has nine modules of four
# branches side by side :cite:p:`szegedy2015`; its two auxiliary outputs for training are not
# counted. A block of ResNet-152 has kernels of 1, 3 and 1, normalisation with two parameters a
# channel after each, and its input is added to its output :cite:p:`he2016`.

WIDTHS = [3, 64, 64, 128, 128, *[256] * 3, *[512] * 6]
vgg = [conv2d_num_params(3, *pair) for pair in pairwise(WIDTHS)]
DENSE = [(7, 512, 4096), (1, 4096, 4096), (1, 4096, 1000)]
vgg += [conv2d_num_params(*layer) for layer in DENSE]

MODULES = [
    (192, 64, 96, 128, 16, 32, 32), (256, 128, 128, 192, 32, 96, 64),
    (480, 192, 96, 208, 16, 48, 64), (512, 160, 112, 224, 24, 64, 64),
    (512, 128, 128, 256, 24, 64, 64), (512, 112, 144, 288, 32, 64, 64),
    (528, 256, 160, 320, 32, 128, 128), (832, 256, 160, 320, 32, 128, 128),
    (832, 384, 192, 384, 48, 128, 128),
]  # fmt: skip
googlenet = [conv2d_num_params(*layer) for layer in [(7, 3, 64), (1, 64, 64), (3, 64, 192)]]
for n, one, before3, three, before5, five, pooled in MODULES:
    first = conv2d_num_params(1, n, one + before3 + before5 + pooled)
    second = conv2d_num_params(3, before3, three) + conv2d_num_params(5, before5, five)
    googlenet += [first, second]
googlenet += [conv2d_num_params(1, 1024, 1000)]


def normalised(kernel, inputs, outputs):
    """A convolution without bias, and a scale and a shift for each channel after it."""
    return conv2d_num_params(kernel, inputs, outputs, bias=False) + 2 * outputs


resnet, inputs = [normalised(7, 3, 64)], 64
for blocks, width in [(3, 64), (8, 128), (36, 256), (3, 512)]:
    for block in range(blocks):
        resnet += [normalised(1, inputs, width), normalised(3, width, width)]
        resnet += [normalised(1, width, 4 * width)]
        if block == 0:  # the input is brought to the width of the output
            resnet[-1] += normalised(1, inputs, 4 * width)
        inputs = 4 * width
resnet += [conv2d_num_params(1, 2048, 1000)]

# %%
# Side by side
# ------------
# The errors are those of the papers: the share of test images whose class is not among five
# guesses. All four belong to several networks that vote together, not to one network alone. In 2014
# GoogLeNet won, and VGG came second.

networks = {"AlexNet\n2012": alexnet, "VGG-16\n2014": vgg, "GoogLeNet\n2014": googlenet,
            "ResNet-152\n2015": resnet}  # fmt: skip
columns = {
    "layers with weights": [len(layers) for layers in networks.values()],
    "million parameters": [sum(layers) / 1e6 for layers in networks.values()],
    "top-5 error in %": [15.3, 7.3, 6.67, 3.57],
}
fig, axes = plt.subplots(1, 3, figsize=(6.4, 3.2), sharey=True)
for ax, (title, values), hatch in zip(axes, columns.items(), ("", "//", ".."), strict=True):
    drawn = ax.barh(range(4), values, color=drawing.COLOURS["sky"], edgecolor="black", hatch=hatch)
    ax.bar_label(drawn, [drawing.number(value, 1) for value in values], padding=3)
    ax.set(title=title, yticks=range(4), xticks=[], xlim=(0, 1.35 * max(values)))
    ax.set_yticklabels(networks)
    ax.spines["bottom"].set_visible(False)
axes[0].invert_yaxis()
# Alt text: Three columns of bars for AlexNet, VGG-16, GoogLeNet and ResNet-152. Layers: 8, 16, 22
# and 152. Million parameters: 61, 138.4, 7 and 60.2. Top-5 error: 15.3, 7.3, 6.7 and 3.6 percent.
plt.show()

for name, layers in networks.items():
    print(f"{name[:-5]:11s}{len(layers):4d} layers, {sum(layers):11,d} parameters")
