r"""
Deep stacks
===========

Blocks of small kernels and pooling, one upon the other: the maps get smaller, there are more of
them, and each value sees more of the image. The network drawn here is VGG-16
:cite:p:`simonyan2015`; its sizes follow from equation :eq:`output-size`, and what a value sees from
equation :eq:`receptive-field`.

The chapter's page: :doc:`/05_convolutional/stride_padding`.
"""

# sphinx_gallery_thumbnail_number = 1
import matplotlib.pyplot as plt

from ketkar import convolutional as cnn
from ketkar import drawing

# %%
# Five blocks
# -----------
# A block has two or three convolutions of 3 by 3 that keep the size, and a max pooling of 2 by 2
# that halves it. Under each box stands how many pixels on a side one of its values depends on.

IMAGE = 224
BLOCKS = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]

layers, side, sides, shapes = [], IMAGE, [], [(3, IMAGE, IMAGE)]
names, steps = ["sees 1"], []
for convolutions, maps in BLOCKS:
    for kernel, stride, padding in [(3, 1, 1)] * convolutions + [(2, 2, 0)]:
        layers.append((kernel, stride))
        side = cnn.conv_output_size(side, kernel, stride, padding)
        sides.append(side)
    shapes.append((maps, side, side))
    names.append(f"sees {cnn.receptive_field(layers)}")
    steps.append(f"{convolutions} conv,\npool")
drawing.shape_flow(shapes, steps, names=names, size=(6.8, 2.7))
# Alt text: A chain of six boxes that get smaller and deeper: the image of 3 by 224 by 224, then
# 64 by 112 by 112, 128 by 56 by 56, 256 by 28 by 28, 512 by 14 by 14 and 512 by 7 by 7. A value of
# the image sees 1 pixel; after each block it sees 6, 16, 44, 100 and 212 pixels on a side.
plt.show()

# %%
# Adding and doubling
# -------------------
# A convolution adds to the field, and a pooling doubles what all later layers add. In the end a
# value sees nearly the whole image.

depth = range(1, len(layers) + 1)
fields = [cnn.receptive_field(layers[:k]) for k in depth]
fig, ax = plt.subplots(figsize=(6.4, 3.8))
ax.semilogy(depth, sides, marker="o", label="side of the maps")
ax.semilogy(depth, fields, marker="s", label="receptive field")
ax.axhline(IMAGE, color=drawing.COLOURS["black"], linestyle=":", linewidth=1.2)
ax.annotate("the image", (4.2, IMAGE), xytext=(0, 4), textcoords="offset points")
for k in (k for k, (kernel, _) in enumerate(layers, start=1) if kernel == 2):
    ax.axvline(k, color=drawing.COLOURS["grey"], linewidth=0.8, linestyle="--")
    ax.annotate("pool", (k, 2.1), xytext=(-3, 0), textcoords="offset points", ha="right")
ax.set(xlabel="layer", ylabel="pixels", xticks=[1, 3, 6, 10, 14, 18], ylim=(1.7, 400))
ax.set_yticks([3, 10, 30, 100], ["3", "10", "30", "100"])
ax.minorticks_off()
ax.legend(loc=(0.56, 0.12), facecolor="white", framealpha=1)
# Alt text: Two step curves over 18 layers on a logarithmic axis. The side of the maps falls from
# 224 to 7, by half at each of five layers marked pool. The receptive field grows from 3 to 212,
# in steeper steps after each pooling, and ends just below the dotted line of the image.
plt.show()

# %%
# Why small kernels?
# ------------------
# Two layers of 3 by 3 see as much as one of 5 by 5, and three as much as one of 7 by 7, with fewer
# weights and with an activation between them. Here between 64 maps, without bias.

for count, kernel in ((2, 5), (3, 7)):
    assert cnn.receptive_field([(3, 1)] * count) == kernel
    stack = count * cnn.conv2d_num_params(3, 64, 64, bias=False)
    single = cnn.conv2d_num_params(kernel, 64, 64, bias=False)
    print(f"{count} layers of 3 x 3: {stack:7,d} weights; one of {kernel} x {kernel}: {single:7,d}")
