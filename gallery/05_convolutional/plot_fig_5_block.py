r"""
Convolution, detector, pooling
==============================

The block from which convolutional networks are built has three stages, equation :eq:`block`: a
convolution measures how much each window looks like the kernel, an activation keeps what is
positive, and pooling keeps the largest response of each neighbourhood.

The chapter's page: :doc:`/05_convolutional/block`.
"""

# Textbook figure 5-8: Convolution followed by detector stage and pooling (number inferred)
import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing
from ketkar import feedforward as ff

# %%
# A bar and a kernel for edges
# ----------------------------
# The kernel answers where it is darker on the right than on the left: at the left edge of the
# dark bar. At its right edge it answers with the opposite sign.

image = np.zeros((12, 12))
image[2:10, 5:8] = 1
K = np.array([[-1.0, 0.0, 1.0]] * 3)

x, kernels = image[None, None], K[None, None]
response = cnn.conv2d(x, kernels)
detected = ff.relu(response)
pooled = cnn.max_pool2d(detected, 2)

# %%
# The three stages
# ----------------
# The map of responses has both signs: white is positive, black negative, grey zero. In the other
# pictures white is zero and black the largest number.

stages = {"image": (x, False), "convolution": (response, True)}
stages |= {"detector": (detected, False), "pooling": (pooled, False)}
fig, panels = plt.subplots(1, 4, figsize=(6.8, 2.3))
for ax, (name, (stage, signed)) in zip(panels, stages.items(), strict=True):
    drawing.picture(stage[0, 0], signed=signed, title=name, ax=ax)
    low, high = (drawing.number(end(stage)) for end in (np.min, np.max))
    ax.set_xlabel(rf"${stage.shape[2]} \times {stage.shape[3]}$" f"\nfrom {low} to {high}")
fig.get_layout_engine().set(wspace=0.14)
for ax in panels[:-1]:
    look = {"arrowstyle": "-|>", "linewidth": 1.4}
    ax.annotate("", (1.14, 0.5), (1.02, 0.5), "axes fraction", arrowprops=look)
# Alt text: Four pictures joined by arrows. An image of 12 by 12 shows a dark
# vertical bar. The convolution's map of 10 by 10 is white along the bar's left
# edge, black along its right edge and grey elsewhere. The detector keeps only
# the left edge, and pooling shrinks it to a map of 5 by 5.
plt.show()

# %%
# In one call
# -----------

block = cnn.conv_detector_pool(x, kernels, activation="relu", pool="max", size=2)
print("the block gives the last picture:", np.array_equal(block, pooled))
print(block[0, 0])
