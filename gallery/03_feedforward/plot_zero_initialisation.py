r"""
Starting from zero
==================

Weights that start alike stay alike: if all are zero, descent on XOR does not move at all. Zero
hidden weights are harmless only where random output weights give each hidden unit a gradient of
its own *and* the data pull on it. Read :ref:`sec-training`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar.datasets import synthetic_faces, xor
from ketkar.network import Dense, chain, flatten
from ketkar.systems import face_network, train_faces
from ketkar.training import accuracy, fit

# %%
# Two tasks
# ---------
# On XOR, the gradient of a hidden layer of zeros vanishes: each input is as often with one answer
# as with the other. On faces it does not, and Mitchell's choice of zero hidden weights works.

data = xor()
starts = {
    "all weights 0": ("zeros", "zeros"),
    "hidden weights 0": ("zeros", "glorot_uniform"),
    "all weights random": ("glorot_uniform", "glorot_uniform"),
}
runs, scores, moved = {}, {}, {}
for name, (hidden, output) in starts.items():
    net = chain(Dense(2, 4, "tanh", hidden), Dense(4, 1, init_weights=output))
    params = net.init(rng=0)
    run = fit(net, params, *data, loss="binary_cross_entropy", lr=0.5, epochs=400)
    runs[name] = run.history.loss
    scores[name] = accuracy(net, run.params, *data)
    moved[name] = np.abs(flatten(run.params) - flatten(params)).max()

faces = synthetic_faces(rng=0)
chosen = np.random.default_rng(0).permutation(len(faces.x))[:260]
net = face_network()
run = train_faces(net, faces.x[chosen], faces.pose[chosen], rng=0, epochs=40)

fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.6))
for width, (name, loss) in zip((6, 2, 2), runs.items(), strict=True):
    left.plot(loss, label=name, linewidth=width, alpha=0.4 if width > 2 else 1)
left.set(xlabel="epoch", ylabel="loss", title="XOR", ylim=(-0.03, 1.0))
left.legend(loc="upper right")
right.plot(np.arange(1, 41), run.history.loss, color="C1", linestyle="--")
right.set(xlabel="epoch", title="faces, hidden weights 0", ylim=(0, None))
# Alt text: Left, the loss on XOR over 400 epochs: flat at 0.69 where all weights start at zero,
# equally flat where only the hidden ones do, and falling to zero from a random start.
# Right, the loss of the face network with hidden weights that start at zero falls.
plt.show()

# %%
# Numbers
# -------

for name in starts:
    print(f"XOR, {name:18s}: accuracy {scores[name]:.2f}, largest change {moved[name]:.3g}")
found = accuracy(net, run.params, faces.x[chosen], faces.pose[chosen])
print(f"faces, hidden weights 0  : accuracy on the training set {found:.2f} (seed 0)")
