r"""
Where does this person look?
============================

Mitchell's network sees 960 pixels and has three hidden units for four poses. Its hidden weights
start at zero, so that pictures of them show nothing but what was learned. The faces here are drawn;
:func:`~ketkar.datasets.cmu_faces` reads the photographs. Read :ref:`sec-connectionist`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar.datasets import POSES, synthetic_faces
from ketkar.network import count_parameters
from ketkar.systems import face_network, train_faces
from ketkar.training import accuracy

# %%
# Train on 260 faces
# ------------------
# One example a step, as in :cite:t:`mitchell1997`; the parameters after the first epoch are kept.
# Weights are black where they are negative and white where they are positive, each group of
# pictures on its own scale; the first block of an output unit is its bias.

faces = synthetic_faces(rng=0)
order = np.random.default_rng(0).permutation(len(faces.x))
train, test = faces.subset(order[:260]), faces.subset(order[260:])
net = face_network()
kept = {}


def keep(epoch, params):
    """Remember the parameters of the epochs that are drawn."""
    if epoch in (1, 100):
        kept[epoch] = params


train_faces(net, train.x, train.pose, rng=1, epochs=100, callback=keep)

fig = plt.figure(figsize=(6.4, 6.6))
rows = fig.subfigures(3, 1)
shown = [int(np.flatnonzero((faces.pose == k) & (faces.person == 4 + k))[k]) for k in range(4)]
images = 1 - faces.x[shown].reshape(4, 30, 32)  # image_grid draws large values dark
drawing.image_grid(images, titles=POSES, figure=rows[0])
for row, (epoch, params) in zip(rows[1:], kept.items(), strict=True):
    hidden, output = row.subfigures(1, 2, width_ratios=[3, 1.25])
    row.suptitle(f"weights after epoch {epoch}")
    pictures = params.dense1.W.T.reshape(3, 30, 32)
    titles = ["hidden 1", "hidden 2", "hidden 3"]
    drawing.image_grid(pictures, titles=titles, signed=True, figure=hidden)
    ax = output.subplots()
    blocks = np.vstack([params.dense2.b, params.dense2.W]).T
    limit = np.abs(blocks).max()
    ax.imshow(blocks, cmap="gray", vmin=-limit, vmax=limit)
    ax.set(title="output", xticks=range(4), yticks=range(4))
    ax.set_xticklabels(["bias", "1", "2", "3"])
    ax.set_yticklabels(POSES)
# Alt text: Four drawn faces that look left, straight, right and up. Below, the weights of the three
# hidden units as grey images, black negative and white positive, and the output weights as blocks,
# one row a pose: after one epoch the pictures are blurred heads, much alike; after 100 epochs
# eyes, hair and shoulders stand out, at other places in each unit.
plt.show()

# %%
# Numbers
# -------

print(f"parameters: {count_parameters(kept[1])}")
for epoch, params in kept.items():
    found = accuracy(net, params, test.x, test.pose)
    print(f"after epoch {epoch:3d}: accuracy on 364 other faces {found:.3f} (seeds 0, 0 and 1)")
print("chance: 0.25")
