r"""
A digit through a network
=========================

An image of 8 by 8 pixels is a vector of 64 numbers; a network that reads it ends in ten
outputs, one a digit. The network is trained here on real handwritten digits
(:func:`~ketkar.datasets.digits`) and asked about one it has never seen.

The chapter's page: :doc:`/03_feedforward/digits`.
"""

# sphinx_gallery_thumbnail_number = 2
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff
from ketkar.datasets import digits
from ketkar.network import Dense, chain
from ketkar.training import accuracy, fit, predict

# %%
# The digits
# ----------

data = digits(rng=0)
first = [int(np.flatnonzero(data.test.y == digit)[0]) for digit in range(10)]
drawing.image_grid(
    data.test.x[first].reshape(-1, 8, 8),
    titles=[f"{digit}" for digit in range(10)],
    columns=5,
)
# Alt text: Ten handwritten digits of 8 by 8 pixels, one of each from 0 to 9,
# dark ink on white.
plt.show()

# %%
# Training
# --------
# Sixteen hidden units are enough for most digits. The share of right answers is counted on images
# that took no part in the training.

rng = np.random.default_rng(0)
net = chain(Dense(64, 16, "relu", "he_normal"), Dense(16, 10))
done = fit(
    net,
    net.init(rng),
    data.train.x,
    data.train.y,
    loss="cross_entropy",
    lr=0.1,
    momentum=0.9,
    batch_size=32,
    epochs=20,
    rng=rng,
)
right = accuracy(net, done.params, data.test.x, data.test.y)
print(f"{right:.1%} of {len(data.test.y)} test images are recognised")

# %%
# From image to answer
# --------------------
# The picture shows the test image about which the network is least sure: its largest probability
# is the smallest of all.

probabilities = predict(net, done.params, data.test.x, "cross_entropy")
unsure = int(np.argmin(probabilities.max(axis=1)))
image, probability = data.test.x[unsure], probabilities[unsure]
hidden = ff.dense(image, *done.params[0], activation="relu")

fig, (left, middle, last) = plt.subplots(1, 3, figsize=(6.4, 3.6), width_ratios=[1.1, 1.6, 1.5])
left.imshow(image.reshape(8, 8), cmap="gray_r")
left.set(xticks=[], yticks=[], title=f"64 pixels: a {data.test.y[unsure]}")
left.spines[:].set_visible(True)
drawing.layered_network([64, 16, 10], labels=["64", "16", "10"], most=5, size=(3.6, 4.6), ax=middle)
middle.set_title("network")
last.barh(range(10), probability, color=drawing.COLOURS["sky"], edgecolor="black")
last.set(yticks=range(10), xlim=(0, 1.05), xlabel="probability", title="10 outputs")
last.invert_yaxis()
print(f"answer {np.argmax(probability)} with probability {probability.max():.2f}")
print(f"{(hidden > 0).sum()} of {len(hidden)} hidden units are active")
# Alt text: Left, an image of a badly written digit. In the middle the
# network, 64 inputs, 16 hidden units and 10 outputs, most of them left out.
# Right, ten horizontal bars with the probabilities of the digits: several
# digits share them, and none is near one.
plt.show()
