r"""
ALVINN: four hidden units steer a car
=====================================

ALVINN saw the road as 30 by 32 pixels and steered by the highest of 30 output units, with four
hidden units in between (:cite:t:`pomerleau1989`). On generated roads the same network learns to
steer within a unit: see what its hidden units look for. Read :ref:`sec-connectionist`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar.datasets import roads
from ketkar.network import count_parameters
from ketkar.systems import (
    alvinn_network,
    centred,
    steering_direction,
    steering_targets,
    train_alvinn,
)

# %%
# Train on 2000 roads
# -------------------
# The mean picture is subtracted first. The target is a hump around the right direction, not a
# single unit.

train, test = roads(2000, rng=1), roads(400, rng=2)
mean = train.x.mean(axis=0)
net = alvinn_network()
run = train_alvinn(net, centred(train.x, mean), train.y, rng=0)
outputs = net(run.params, centred(test.x, mean))

example = int(np.flatnonzero(test.y == 22)[0])
fig = plt.figure(figsize=(6.4, 4.9))
above, below = fig.subfigures(2, 1, height_ratios=[1.25, 1])
road, hump = above.subplots(1, 2, width_ratios=[1, 2.2])
road.imshow(test.x[example].reshape(30, 32), cmap="gray", vmin=0, vmax=1)
road.set(title="a road", xticks=[], yticks=[])
hump.bar(range(30), outputs[example], color=drawing.COLOURS["sky"], edgecolor="black",
         linewidth=0.6, label="output")  # fmt: skip
hump.plot(range(30), steering_targets(test.y[[example]])[0], "o-", markersize=4, linewidth=1.2,
          color=drawing.COLOURS["vermillion"], label="target")  # fmt: skip
hump.set(xlabel="direction, from left to right", ylim=(0, 1))
hump.legend(loc="upper left")
weights = run.params.dense1.W.T.reshape(4, 30, 32)
drawing.image_grid(weights, titles=[f"hidden unit {k}" for k in range(1, 5)], signed=True,
                   figure=below)  # fmt: skip
# Alt text: Above, a generated road of 30 by 32 pixels that bends to the right, and the 30 outputs
# as bars: a hump around direction 22 that follows the target curve. Below, the weights of the four
# hidden units as grey images, with light and dark bands along the lines of roads that bend one way
# or the other.
plt.show()

# %%
# Does the centring matter?
# -------------------------
# The same network, settings and seed on the plain grey values:

plain = train_alvinn(net, train.x, train.y, rng=0)
guess = np.abs(np.round(train.y.mean()) - test.y).mean()
print(f"parameters: {count_parameters(run.params)}")
for name, found in (("centred", outputs), ("not centred", net(plain.params, test.x))):
    error = np.abs(steering_direction(found) - test.y).mean()
    print(f"{name:12s} mean error {error:5.2f} of 30 units (seeds 0, 1 and 2)")
print(f"always the middle {guess:5.2f}")
