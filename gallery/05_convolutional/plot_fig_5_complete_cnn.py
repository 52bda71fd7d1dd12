r"""
A complete network
==================

Blocks of convolution, detector and pooling turn an image into ever more and ever smaller maps.
Then the maps are laid out as one vector, and dense layers do the rest. All sizes follow from
equation :eq:`output-size`.

The chapter's page: :doc:`/05_convolutional/lenet`.
"""

# Textbook figure 5-11: A complete convolution neural network architecture (number inferred)
import itertools
import math

import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing
from ketkar import feedforward as ff

# %%
# Sizes and parameters
# --------------------
# The layers are those of LeNet-5 in the form in which it is taught today: each map reads all maps
# of the layer before, pooling has no parameters.

channels, size = 1, 32
shapes, steps, counts = [(channels, size, size)], [], []
for maps in (6, 16):
    counts.append(cnn.conv2d_num_params(5, channels, maps))
    channels, size = maps, cnn.conv_output_size(size, 5)
    shapes.append((channels, size, size))
    size = cnn.conv_output_size(size, 2, stride=2)
    shapes.append((channels, size, size))
    steps += ["conv\n5 by 5", "pool\n2 by 2"]

widths = [math.prod(shapes[-1]), 120, 84, 10]
shapes += [(width,) for width in widths]
steps += ["flatten", *["dense"] * 3]
counts += [ff.count_parameters(pair) for pair in itertools.pairwise(widths)]
print("parameters:", " + ".join(map(str, counts)), "=", sum(counts))

# %%
# The picture
# -----------
# Under each box stand its channels, then its rows and columns.

drawing.shape_flow(shapes, steps, size=(6.8, 2.3))
# Alt text: A chain of boxes joined by arrows: an image of 1 by 32 by 32; a
# convolution makes it 6 by 28 by 28, pooling 6 by 14 by 14, a convolution 16
# by 10 by 10, pooling 16 by 5 by 5. Laid out, these are a bar of 400 numbers,
# from which dense layers make bars of 120, 84 and 10.
plt.show()

# %%
# An image sent through
# ---------------------
# The blocks themselves agree with the arithmetic.

rng = np.random.default_rng(0)
y = rng.normal(size=(1, *shapes[0]))
for before, after in ((shapes[0], shapes[2]), (shapes[2], shapes[4])):
    y = cnn.conv_detector_pool(y, rng.normal(size=(after[0], before[0], 5, 5)), activation="tanh")
    print("computed", y.shape[1:], " expected", after)
