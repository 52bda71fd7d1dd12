"""The detector of a convolution layer: its activation, in place, and the way back from its value.

A feature map is large, so its weighted sums are not kept beside their activations: each activation
here has a derivative that its value tells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketkar.feedforward.activations import activation

__all__ = ["activate", "times_slope"]

Array = NDArray[Any]


def activate(z: Array, name: str) -> Array:
    """Put the activation of weighted sums into their place; the same array comes back.

    Examples
    --------
    >>> activate(np.array([-1.0, 2.0]), "relu")
    array([0., 2.])
    """
    if name == "relu":
        return np.maximum(z, z.dtype.type(0), out=z)  # (3.36)
    if name == "tanh":
        return np.tanh(z, out=z)  # (3.39)
    if name != "identity":
        z[...] = activation(name).value(z)
    return z


def times_slope(dy: Array, y: Array, name: str) -> Array:
    """`dy` times the derivative of the activation, told by its value y; `dy` stays as it is.

    Examples
    --------
    >>> times_slope(np.array([3.0, 3.0]), np.array([0.0, 2.0]), "relu")
    array([0., 3.])
    """
    return _SLOPES[name](dy, y)  # (3.16)


def _tanh(dy: Array, y: Array) -> Array:
    slope = y * y
    np.subtract(1, slope, out=slope)  # (3.40)
    return np.multiply(dy, slope, out=slope)


def _sigmoid(dy: Array, y: Array) -> Array:
    slope = y - y * y  # (3.32)
    return np.multiply(dy, slope, out=slope)


_SLOPES: dict[str, Callable[[Array, Array], Array]] = {
    "identity": lambda dy, y: dy,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "relu": lambda dy, y: dy * (y > 0),  # (3.37)
    "step": lambda dy, y: np.zeros_like(dy),
}
