r"""
A question that a convolution cannot answer
===========================================

Fewer weights mean less capacity: there are questions that a dense layer answers and a convolution
with pooling over the whole map does not. One of them is *where*. Whether the bright pixel stands in
an even or an odd column is lost as soon as places are forgotten. Read
:doc:`/05_convolutional/intuition`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar.datasets import one_pixel
from ketkar.network import Conv2d, Dense, Flatten, GlobalMaxPool2d, chain
from ketkar.training import accuracy, fit

# %%
# All 64 pictures
# ---------------
# Each picture has one bright pixel. There is nothing to generalise to: the networks are asked about
# the pictures that they learn from. With two rows of zeros on each side, a kernel of 3 by 3 meets
# the pixel with each of its weights, wherever it stands.

data = one_pixel(8)


def conv(**moves):
    """Four kernels of 3 by 3 and a rectifier."""
    return Conv2d(1, 4, 3, activation="relu", **moves)


networks = {
    "dense": [Flatten(), Dense(64, 1)],
    "convolution,\nglobal max": [conv(padding=2), GlobalMaxPool2d(), Dense(4, 1)],
    "the same,\nno padding": [conv(), GlobalMaxPool2d(), Dense(4, 1)],
    "the same,\nstride 2": [conv(padding=2, stride=2), GlobalMaxPool2d(), Dense(4, 1)],
    "convolution,\ndense": [conv(padding=2), Flatten(), Dense(400, 1)],
}
shares, vectors = [], []
for layers in networks.values():
    network, front = chain(*layers), chain(*layers[:-1])
    params = fit(network, network.init(rng=0), *data, loss="binary_cross_entropy", lr=0.5,
                 momentum=0.9, epochs=300).params  # fmt: skip
    shares.append(accuracy(network, params, *data))
    vectors.append(len(np.unique(front(params[:-1], data.x).round(9), axis=0)))

fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.5), width_ratios=[1, 1.5])
drawing.window_grid(data.y.reshape(8, 8), title="class by place", size=10.5, ax=left)
drawn = right.barh(range(5), shares, color=drawing.COLOURS["sky"], edgecolor="black")
right.bar_label(drawn, [f"{share:.0%}" for share in shares], padding=3)
right.axvline(0.5, color=drawing.COLOURS["black"], linewidth=1, linestyle="--")
right.set(xlim=(0, 1.2), xticks=[0, 0.5, 1], xlabel="share of right answers")
right.set_yticks(range(5), networks)
right.invert_yaxis()
# Alt text: Left, a grid of 8 by 8 places with the class of a pixel there: columns of zeros and ones
# in turn. Right, bars of the share of right answers: dense 100 percent, convolution with global max
# 50 percent, which is chance, the same without padding about 70 percent, with stride 2 and with a
# dense layer instead of the pooling 100 percent.
plt.show()

# %%
# What the last layer gets to see
# -------------------------------
# All 64 pictures have the same four largest values: that is invariance, and here it is a loss. The
# other networks have ways out. Without padding, a pixel at the edge does not meet all weights, so
# the edge tells something about places :cite:p:`islam2020`. With stride 2 the places of the kernel
# are two apart, and some weights meet pixels of even columns only.

print("network                  feature vectors   right")
for name, count, share in zip(networks, vectors, shares, strict=True):
    print(f"{name.replace(chr(10), ' '):24s} {count:15d}   {share:.3f}")
