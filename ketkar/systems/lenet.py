"""LeNet-5 as it is built today: two convolutions, each with max pooling after it, and dense layers.

The sizes are those of 1998, the rest is today's: rectified units, max pooling, every map of C3
reading every map of S2, and ten logits under a softmax. :mod:`ketkar.systems.lenet_1998` is the
network as it was published.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.network import Chain, Conv2d, Dense, Flatten, MaxPool2d, chain
from ketkar.training import Fit, fit

__all__ = ["enlarge_digits", "falling_rates", "lenet5", "train_lenet5"]

SIDE = 28


def lenet5(activation: str = "relu") -> Chain:
    """1 x 28 x 28 pixels to 10 logits, by two convolutions, two poolings and three dense layers.

    Parameters
    ----------
    activation : str
        The activation of all layers but the last, one of :data:`ketkar.feedforward.ACTIVATIONS`.

    Returns
    -------
    Chain
        The network; it takes images (N, 1, 28, 28).

    Raises
    ------
    ValueError
        If there is no such activation.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, *Gradient-based learning applied to document
    recognition*, Proceedings of the IEEE 86, 1998.

    Examples
    --------
    >>> from ketkar.network import count_parameters
    >>> net = lenet5()
    >>> net.output_shape((1, 28, 28))
    (10,)
    >>> count_parameters(net.init(rng=0))
    61706
    """
    start = "he_normal" if activation == "relu" else "glorot_uniform"
    return chain(
        Conv2d(1, 6, 5, padding=2, activation=activation, init_kernel=start),
        MaxPool2d(2),
        Conv2d(6, 16, 5, activation=activation, init_kernel=start),
        MaxPool2d(2),
        Flatten(),
        Dense(400, 120, activation, start),
        Dense(120, 84, activation, start),
        Dense(84, 10),
    )


def falling_rates(epochs: int, highest: float = 0.05) -> list[float]:
    """A learning rate for each epoch, falling as half a cosine from the highest towards zero.

    Examples
    --------
    >>> [round(rate, 4) for rate in falling_rates(4)]
    [0.05, 0.0427, 0.025, 0.0073]
    """
    epochs, highest = checks.count(epochs, "epochs"), checks.positive(highest, "highest")
    return [float(highest * (1 + np.cos(np.pi * e / epochs)) / 2) for e in range(epochs)]


def enlarge_digits(x: ArrayLike) -> NDArray[Any]:
    """Digits of 8 x 8 pixels as images of 28 x 28: each pixel three times as wide, then a margin.

    Parameters
    ----------
    x : array_like
        Grey values, (N, 64).

    Returns
    -------
    ndarray
        (N, 1, 28, 28): 24 x 24 pixels in a margin of two zeros.

    Raises
    ------
    ValueError
        If `x` is not (N, 64).

    Examples
    --------
    >>> from ketkar.datasets import digits
    >>> train, test = digits(rng=0)
    >>> enlarge_digits(test.x).shape
    (450, 1, 28, 28)
    """
    array = checks.float_array(x, "x")
    checks.axes(array, "x", ("batch", "pixel"), "enlarge_digits")
    if array.shape[1] != 64:
        raise ValueError(f"x has {array.shape[1]} pixels {array.shape}; enlarge_digits expects 64")
    large = array.reshape(-1, 8, 8).repeat(3, axis=1).repeat(3, axis=2)
    return np.pad(large, ((0, 0), (2, 2), (2, 2)))[:, None]


def train_lenet5(
    network: Chain,
    x: ArrayLike,
    y: ArrayLike,
    rng: np.random.Generator | int,
    *,
    epochs: int = 10,
    **settings: Any,
) -> Fit:
    """Train LeNet-5 by mini-batch descent with momentum; the learning rate falls to zero.

    The network computes in float32.

    Parameters
    ----------
    network : Chain
        The network, as :func:`lenet5` makes it.
    x : array_like
        Grey values in [0, 1], (N, 1, 28, 28), such as those of :func:`ketkar.datasets.mnist`.
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
    >>> net = lenet5()
    >>> run = train_lenet5(net, enlarge_digits(train.x), train.y, rng=0, epochs=4)
    >>> accuracy(net, run.params, enlarge_digits(test.x), test.y) > 0.94
    True
    """
    rng = checks.generator(rng)
    own: dict[str, Any] = {
        "loss": "cross_entropy", "lr": falling_rates(epochs), "momentum": 0.9, "batch_size": 64,
    }  # fmt: skip
    params = network.init(rng, np.float32)
    return fit(network, params, x, y, epochs=epochs, rng=rng, **(own | settings))
