"""Handwritten digits from 8 x 8 pixels: a hidden layer of tanh units and a softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ketkar import checks
from ketkar.network import Chain, Dense, chain
from ketkar.training import Fit, fit

__all__ = ["digit_network", "train_digits"]


def digit_network(hidden: int = 32) -> Chain:
    """64 pixels, a hidden layer of tanh units, 10 logits: one a digit.

    The output layer is linear because the cross entropy brings its own softmax.

    Parameters
    ----------
    hidden : int
        Number of hidden units.

    Examples
    --------
    >>> from ketkar.network import count_parameters
    >>> net = digit_network()
    >>> count_parameters(net.init(rng=0))
    2410
    """
    return chain(Dense(64, hidden, "tanh"), Dense(hidden, 10))


def train_digits(
    network: Chain,
    x: ArrayLike,
    y: ArrayLike,
    rng: np.random.Generator | int,
    *,
    epochs: int = 30,
    **settings: Any,
) -> Fit:
    """Train the digit network by mini-batch descent on the cross entropy.

    Parameters
    ----------
    network : Chain
        The network, as :func:`digit_network` makes it.
    x : array_like
        Grey values in [0, 1], (N, 64).
    y : array_like
        The digits, (N,).
    rng : numpy.random.Generator or int
        Draws the initial weights and the order of the examples.
    epochs : int
        How often to go through the data.
    **settings
        Anything else that :func:`ketkar.training.fit` takes; it goes before the settings here.

    Returns
    -------
    Fit
        The trained parameters and the history.

    Examples
    --------
    >>> from ketkar.datasets import digits
    >>> from ketkar.training import accuracy
    >>> train, test = digits(rng=0)
    >>> net = digit_network()
    >>> run = train_digits(net, *train, rng=0)
    >>> accuracy(net, run.params, *test) > 0.96
    True
    """
    rng = checks.generator(rng)
    own: dict[str, Any] = {"loss": "cross_entropy", "lr": 0.1, "momentum": 0.9, "batch_size": 16}
    return fit(network, network.init(rng), x, y, epochs=epochs, rng=rng, **(own | settings))
