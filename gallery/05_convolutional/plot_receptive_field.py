r"""
The receptive field grows
=========================

An output of a convolution with a kernel of 3 x 3 depends on 9 inputs, an output of two such layers
on 25: the layers above see further, equation :eq:`receptive-field`. The gradient of one output
says which inputs it depends on.

The chapter's page: :doc:`/05_convolutional/stride_padding`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing

# %%
# What one output sees
# --------------------
# The output in the middle gets the gradient one, and it is sent back through one to five layers.
# All weights are one, so the gradient at an input counts the paths from there to the output.

size, K = 13, np.ones((1, 1, 3, 3))
x = np.zeros((1, 1, size, size))
gradient = x.copy()
gradient[0, 0, size // 2, size // 2] = 1

fig, panels = plt.subplots(1, 5, figsize=(6.8, 2.0))
for layers, ax in enumerate(panels, start=1):
    gradient = cnn.conv2d_backward(gradient, x, K, padding=1).x
    seen = int((gradient[0, 0, size // 2] != 0).sum())
    drawing.picture(gradient[0, 0], title=f"{layers} layer" + "s" * (layers > 1), ax=ax)
    edge = (size - seen) / 2 - 0.5
    frame = plt.Rectangle((edge, edge), seen, seen, fill=False, linestyle="--", linewidth=1.6)
    frame.set_edgecolor(drawing.COLOURS["vermillion"])
    ax.add_patch(frame)
    ax.set_xlabel(rf"${seen} \times {seen}$")
    print(f"{layers} layers: seen {seen}, by the formula {cnn.receptive_field([(3, 1)] * layers)}")
# Alt text: Five pictures of 13 by 13 inputs. A dashed frame of 3, 5, 7, 9 and
# 11 inputs on a side encloses the inputs that the output in the middle depends
# on after one to five layers. From two layers on they are darkest in the middle
# and fade towards the frame.
plt.show()

# %%
# The frame grows by two with each layer, but the paths crowd in the middle: the inputs at the rim
# count for little.

share = gradient[0, 0, 4:9, 4:9].sum() / gradient.sum()
print(f"five layers: {share:.0%} of all paths start in the middle 5 x 5 of 11 x 11")

# %%
# With stride
# -----------
# A stride multiplies all that comes after it: with stride two in each layer the field doubles
# rather than grows by a constant.

depths = range(1, 7)
ways = {"3, stride 1": (3, 1), "5, stride 1": (5, 1), "3, stride 2": (3, 2)}
fields = {
    f"kernel {name}": [cnn.receptive_field([w] * d) for d in depths] for name, w in ways.items()
}
ax = drawing.curves(fields, depths, xlabel="layers", ylabel="receptive field (inputs on a side)")
ax.set_xticks(depths)
# Alt text: Three curves of the receptive field over one to six layers. With
# stride 1 they are straight lines, up to 13 for kernels of 3 and 25 for kernels
# of 5; with stride 2 the curve bends upwards to 127.
plt.show()
