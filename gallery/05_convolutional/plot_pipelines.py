r"""
Features by hand, or learned
============================

Machine learning, as it was long done, puts a trainable classifier behind features that people have
designed. Deep learning trains both together. On pictures of a single bar, the classifier alone does
badly; with good features of either kind it makes no mistake. Read
:doc:`/05_convolutional/representation`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing
from ketkar.datasets import bars
from ketkar.network import Conv2d, Dense, GlobalMaxPool2d, chain, count_parameters
from ketkar.training import accuracy, fit

# %%
# Three ways to the same answer
# -----------------------------
# Is the bar upright or lying? The feature made by hand is the energy of the edges: the mean square
# of the differences between neighbours, once along the rows and once down the columns. Someone had
# to think of it.

train, test = bars(400, rng=0), bars(2000, rng=1)


def pixels(x):
    """Every pixel is a feature."""
    return x.reshape(len(x), -1)


def edges(x):
    """The energy of the edges in both directions, scaled to about 1."""
    across, down = np.array([[[[-1.0, 1.0]]]]), np.array([[[[-1.0], [1.0]]]])
    return 10 * np.column_stack([np.mean(cnn.conv2d(x, K) ** 2, axis=(1, 2, 3))
                                 for K in (across, down)])  # fmt: skip


maps = Conv2d(1, 4, 3, padding=1, activation="relu", init_kernel="he_normal")
ways = {
    "pixels,\nclassifier": (pixels, Dense(144, 1)),
    "features by hand,\nclassifier": (edges, Dense(2, 1)),
    "convolutional\nnetwork": (np.asarray, chain(maps, GlobalMaxPool2d(), Dense(4, 1))),
}
shares = []
for name, (features, network) in ways.items():
    x, rng = features(train.x), np.random.default_rng(0)
    params = fit(network, network.init(rng), x, train.y, loss="binary_cross_entropy", lr=0.2,
                 momentum=0.9, batch_size=40, epochs=40, rng=rng).params  # fmt: skip
    shares.append([accuracy(network, params, features(part.x), part.y) for part in (train, test)])
    print(f"{name.replace(chr(10), ' '):29s} {count_parameters(params):4d} learned numbers, right: "
          f"{shares[-1][0]:.3f} of the examples, {shares[-1][1]:.3f} of others")  # fmt: skip

# %%
# The picture
# -----------
# Yellow is what training finds. Pixels alone give the classifier something to learn by heart; only
# features help with pictures that it has not seen.

fig, (chains, heights) = plt.subplots(2, 1, figsize=(6.4, 5.2), height_ratios=[1, 1.3])
drawing.canvas(6.4, 2.2, ax=chains)
for y, kind in ((1.65, "designed"), (0.55, "learned")):
    features = drawing.box(chains, (2.2, y), f"features\n({kind})")
    classifier = drawing.box(chains, (4.2, y), "classifier\n(learned)")
    for box in (features, classifier)[kind == "designed" :]:
        box.get_bbox_patch().set_facecolor(drawing.COLOURS["yellow"])
    drawing.label(chains, (0.5, y), "picture")
    drawing.label(chains, (5.95, y), "class")
    drawing.arrow(chains, (0.85, y), features)
    drawing.arrow(chains, features, classifier)
    drawing.arrow(chains, classifier, (5.65, y))

looks = {"400 examples": ("sky", ""), "2000 other pictures": ("orange", "//")}
for (name, (colour, hatch)), values, shift in zip(
    looks.items(), np.transpose(shares), (-0.2, 0.2), strict=True
):
    look = {"color": drawing.COLOURS[colour], "hatch": hatch, "edgecolor": "black"}
    drawn = heights.bar(np.arange(3) + shift, values, 0.4, label=name, **look)
    heights.bar_label(drawn, fmt="%.2f", padding=2)
heights.set_xticks(range(3), ways)
heights.set(ylabel="share of right answers", ylim=(0, 1.45), yticks=[0, 0.5, 1])
heights.legend(loc="upper right", ncols=2)
# Alt text: Above, two chains from picture through features and classifier to class: in one the
# features are designed and only the classifier is learned, in the other both are learned. Below,
# pairs of bars. Pixels and a classifier: 0.8 of the examples are right, but little more than half
# of other pictures. Features by hand, and the convolutional network: all right in both.
plt.show()
