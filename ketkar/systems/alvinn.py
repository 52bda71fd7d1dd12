"""How far to steer? The network of Pomerleau's ALVINN: 960 pixels, 4 hidden units, 30 directions.

The output is not one number but a hump over 30 units, highest at the direction to steer:
neighbouring directions are nearly right, and the targets say so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.network import Chain, Dense, chain
from ketkar.training import Fit, fit

__all__ = [
    "alvinn_network",
    "centred",
    "steering_direction",
    "steering_targets",
    "train_alvinn",
]

DIRECTIONS = 30


def alvinn_network(hidden: int = 4) -> Chain:
    """960 pixels, a few sigmoid units, 30 sigmoid units from sharp left to sharp right.

    Parameters
    ----------
    hidden : int
        Number of hidden units.

    Examples
    --------
    >>> from ketkar.network import count_parameters
    >>> count_parameters(alvinn_network().init(rng=0))
    3994
    """
    return chain(Dense(960, hidden, "sigmoid"), Dense(hidden, DIRECTIONS, "sigmoid"))


def steering_targets(direction: ArrayLike, width: float = 2.5) -> NDArray[np.float64]:
    """A hump from 0.1 up to 0.9 over the 30 output units, highest at the direction.

    Parameters
    ----------
    direction : array_like
        Directions 0 .. 29, (N,); values in between are allowed.
    width : float
        The standard deviation of the Gaussian hump, in units.

    Returns
    -------
    ndarray
        (N, 30).

    Examples
    --------
    >>> steering_targets([10])[0, 8:13].round(2)
    array([0.68, 0.84, 0.9 , 0.84, 0.68])
    """
    middle = checks.float_array(direction, "direction")
    checks.axes(middle, "direction", ("batch",), "steering_targets")
    away = (np.arange(DIRECTIONS) - middle[:, None]) / checks.positive(width, "width")
    return 0.1 + 0.8 * np.exp(-(away**2) / 2)


def steering_direction(output: ArrayLike) -> NDArray[np.int64]:
    """Where the network wants to steer: the unit with the largest output, (N,).

    Examples
    --------
    >>> steering_direction(steering_targets([3, 28]))
    array([ 3, 28])
    """
    array = checks.float_array(output, "output")
    checks.axes(array, "output", ("batch", "direction"), "steering_direction")
    return array.argmax(axis=1)


def centred(x: ArrayLike, mean: ArrayLike) -> NDArray[Any]:
    """Pictures minus the mean picture of the training set.

    Grey values are all positive. Without this step the sums of the hidden units are large, and
    alike for all roads.

    Examples
    --------
    >>> centred([[0.5, 0.9], [0.7, 0.5]], mean=[0.6, 0.7]).round(1)
    array([[-0.1,  0.2],
           [ 0.1, -0.2]])
    """
    pictures, middle = checks.float_array(x, "x"), checks.float_array(mean, "mean")
    if pictures.shape[-1:] != middle.shape:
        raise ValueError(f"x has shape {pictures.shape} but mean has {middle.shape}")
    return pictures - middle


def train_alvinn(
    network: Chain,
    x: ArrayLike,
    direction: ArrayLike,
    rng: np.random.Generator | int,
    *,
    epochs: int = 20,
    **settings: Any,
) -> Fit:
    """Train the steering network by mini-batch descent with momentum.

    Parameters
    ----------
    network : Chain
        The network, as :func:`alvinn_network` makes it.
    x : array_like
        Pictures, :func:`centred`, (N, 960).
    direction : array_like
        The right directions 0 .. 29, (N,).
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
    >>> from ketkar.datasets import roads
    >>> data = roads(50, rng=0)
    >>> net = alvinn_network()
    >>> run = train_alvinn(net, centred(data.x, data.x.mean(axis=0)), data.y, rng=0, epochs=2)
    >>> run.history.epochs
    2
    """
    rng = checks.generator(rng)
    own: dict[str, Any] = {"loss": "squared_error", "lr": 0.1, "momentum": 0.9, "batch_size": 32}
    targets = steering_targets(direction)
    return fit(network, network.init(rng), x, targets, epochs=epochs, rng=rng, **(own | settings))
