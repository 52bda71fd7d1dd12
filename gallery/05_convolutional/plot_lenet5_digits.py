r"""
A small LeNet reads digits
==========================

LeNet-5 in miniature: two convolutions, each with a pooling after it, then dense layers. It learns
to read real handwritten digits of 8 by 8 pixels in a few seconds. What did it learn, and what does
it get wrong? Read :doc:`/05_convolutional/lenet`; the network is that of :cite:t:`lecun1998`,
made smaller.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar.datasets import digits
from ketkar.network import Conv2d, Dense, Flatten, MaxPool2d, chain, count_parameters
from ketkar.training import confusion_matrix, fit, predict_class

# %%
# Training
# --------
# Kernels of 3 by 3 instead of 5 by 5, because the images are small. The test images took no part in
# the training.

train, test = digits(rng=0)
image = (1, 8, 8)
net = chain(
    Conv2d(1, 6, 3, padding=1, activation="tanh"),
    MaxPool2d(2),
    Conv2d(6, 16, 3, padding=1, activation="tanh"),
    MaxPool2d(2),
    Flatten(),
    Dense(64, 32, "tanh"),
    Dense(32, 10),
)
rng = np.random.default_rng(0)
run = fit(net, net.init(rng), train.x.reshape(-1, *image), train.y, loss="cross_entropy",
          lr=0.05, momentum=0.9, batch_size=32, epochs=12, rng=rng)  # fmt: skip
found = predict_class(net, run.params, test.x.reshape(-1, *image))
wrong = np.flatnonzero(found != test.y)
print(f"{count_parameters(run.params)} parameters, {np.mean(found == test.y):.1%} right: "
      f"{len(wrong)} of {len(test.y)} test images wrong (seed 0)")  # fmt: skip

# %%
# Kernels, mistakes and confusions
# --------------------------------
# The first layer's kernels are black where they are negative and white where they are positive:
# several of them look for an edge in some direction.

fig = plt.figure(figsize=(6.4, 6.4))
above, below = fig.subfigures(2, 1, height_ratios=[1, 2.9])
above.suptitle("the six kernels of the first layer")
drawing.image_grid(run.params[0].K[:, 0], signed=True, figure=above)
left, right = below.subfigures(1, 2, width_ratios=[1, 1.35])
left.suptitle("mistakes: digit, answer")
shown = wrong[:12]
names = [f"{test.y[k]}, {found[k]}" for k in shown]
drawing.image_grid(test.x[shown].reshape(-1, 8, 8), titles=names, columns=3, figure=left)
confusions = confusion_matrix(test.y, found, 10)
ax = right.subplots()
ticks = [f"{digit}" for digit in range(10)]
drawing.number_grid(confusions, rows=ticks, columns=ticks, title="450 test images", ax=ax)
ax.set(xlabel="answer", ylabel="digit")
# Alt text: Above, six kernels of 3 by 3 weights as grey images, several light on one side and dark
# on the other. Below, left, digits that the network got wrong, some of them hard to read for people
# too. Right, the confusion matrix of the ten digits: almost all of the 450 test images lie on the
# diagonal.
plt.show()
