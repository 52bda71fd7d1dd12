r"""
Rectifiers learn sooner
=======================

The first large convolutional networks were trained with rectifiers, because those learned several
times faster than units that saturate :cite:p:`krizhevsky2012`. The same comparison on a small
network and real digits, with two learning rates and two seeds each.

The chapter's page: :doc:`/05_convolutional/block`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar.datasets import digits
from ketkar.network import Conv2d, Dense, Flatten, MaxPool2d, chain
from ketkar.training import fit

# %%
# Training
# --------
# Plain mini-batch descent on digits of 8 by 8 pixels. The kernels of each network are drawn with
# the size that suits its activation.

train, _ = digits(rng=0)
x = train.x.reshape(-1, 1, 8, 8)
INITIAL = {"relu": "he_normal", "tanh": "glorot_uniform", "sigmoid": "glorot_uniform"}


def losses(activation, lr, seed, epochs=8):
    """The training loss of each epoch."""
    look = {"padding": 1, "activation": activation, "init_kernel": INITIAL[activation]}
    net = chain(
        Conv2d(1, 8, 3, **look), MaxPool2d(2), Conv2d(8, 16, 3, **look), MaxPool2d(2), Flatten(),
        Dense(64, 10),
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    return fit(net, net.init(rng), x, train.y, loss="cross_entropy", lr=lr, batch_size=32,
               epochs=epochs, rng=rng).history.loss  # fmt: skip


# %%
# The losses
# ----------
# A thin line is one seed, a thick one their mean.

fig, panels = plt.subplots(1, 2, figsize=(6.4, 3.6), sharey=True)
for ax, lr in zip(panels, (0.05, 0.2), strict=True):
    for activation in INITIAL:
        both = np.array([losses(activation, lr, seed) for seed in (0, 1)])
        epochs = np.arange(1, both.shape[1] + 1)
        (mean,) = ax.plot(epochs, both.mean(axis=0), label=activation)
        look = {"color": mean.get_color(), "linestyle": mean.get_linestyle()}
        ax.plot(epochs, both.T, linewidth=0.8, **look)
        print(f"learning rate {lr}, {activation:8s} loss after 8 epochs", both[:, -1].round(2))
    ax.set(xlabel="epoch", title=f"learning rate {lr}", ylim=(0, None))
panels[0].set_ylabel("training loss")
panels[0].legend()
# Alt text: Two panels of losses over eight epochs. With the learning rate 0.05 the rectifier's loss
# falls first, and that of tanh needs about twice as many epochs. With 0.2 both fall at once and end
# side by side. The sigmoid's loss stays near 2.3 in both, where it began.
plt.show()

# %%
# Against sigmoids the difference is as large as promised: eight epochs are not enough for them to
# begin. Against tanh it is clear with the small learning rate and all but gone with the large one.
# The network is shallow, and its tanh units hardly saturate.
