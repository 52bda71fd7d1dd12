"""Where training starts: initial weights, drawn from a generator that the caller passes in.

The weights of a dense layer are (n, m): n inputs, m units. Of other layers it has to be said how
many inputs a unit reads and how many units read an input. Biases start at zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketkar import checks
from ketkar.equations import equation

__all__ = ["INITIALISERS", "glorot_uniform", "he_normal", "initial", "uniform", "zeros"]

Shape = tuple[int, ...]


def zeros(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> NDArray[Any]:
    """All zero: every unit of the layer stays like every other."""
    return np.zeros(shape)


def uniform(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> NDArray[Any]:
    """Uniform in [-0.05, 0.05): the small random weights of Mitchell's chapter 4."""
    return rng.uniform(-0.05, 0.05, shape)


@equation("glorot")
def glorot_uniform(
    rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int
) -> NDArray[Any]:
    """Uniform, so wide that neither signals nor gradients shrink: for tanh, sigmoid and linear.

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of randomness.
    shape : tuple of int
        Shape of the weights.
    fan_in, fan_out : int
        How many inputs a unit reads, and how many units read an input.

    References
    ----------
    X. Glorot and Y. Bengio, *Understanding the difficulty of training deep feedforward neural
    networks*, AISTATS 2010.

    Examples
    --------
    >>> W = glorot_uniform(np.random.default_rng(0), (64, 32), 64, 32)
    >>> bool(abs(W).max() <= 0.25)
    True
    """
    limit = np.sqrt(6 / (fan_in + fan_out))  # (3.19)
    return rng.uniform(-limit, limit, shape)


@equation("he")
def he_normal(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> NDArray[Any]:
    """Normal, with twice the variance per input that a linear unit needs: for ReLU.

    Parameters are those of :func:`glorot_uniform`.

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun, *Delving deep into rectifiers*, ICCV 2015.

    Examples
    --------
    >>> W = he_normal(np.random.default_rng(0), (50, 400), 50, 400)
    >>> round(float(W.std()), 2)
    0.2
    """
    return rng.normal(0, np.sqrt(2 / fan_in), shape)  # (3.20)


Initialiser = Callable[[np.random.Generator, Shape, int, int], NDArray[Any]]
_TABLE: dict[str, Initialiser] = {
    "zeros": zeros,
    "uniform": uniform,
    "glorot_uniform": glorot_uniform,
    "he_normal": he_normal,
}
INITIALISERS: tuple[str, ...] = tuple(_TABLE)
"""The names of the initialisers."""


def initial(
    name: str,
    rng: np.random.Generator | int,
    shape: Shape,
    dtype: Any = np.float64,
    *,
    fans: tuple[int, int] | None = None,
) -> NDArray[Any]:
    """Initial weights, by the name of the initialiser.

    Parameters
    ----------
    name : str
        One of :data:`INITIALISERS`.
    rng : numpy.random.Generator or int
        The source of randomness, or a seed.
    shape : tuple of int
        Shape of the weights: (n, m), or any where `fans` are given.
    dtype : dtype
        float32 or float64.
    fans : (int, int), optional
        How many inputs a unit reads, and how many units read an input; (n, m) if left out.

    Raises
    ------
    ValueError
        If there is no such initialiser, a size is below 1, or `shape` is not (n, m) and there are
        no `fans`.
    TypeError
        If `dtype` is neither float32 nor float64, or `rng` is missing.

    Examples
    --------
    >>> initial("zeros", 0, (2, 3))
    array([[0., 0., 0.],
           [0., 0., 0.]])
    """
    draw = _TABLE[checks.one_of(name, "name", INITIALISERS)]
    sizes = checks.listed(shape, "shape", "whole numbers")
    if fans is None and len(sizes) != 2:
        raise ValueError(f"shape must be (input, unit), got {checks.shown(shape)}")
    sizes = [checks.count(size, f"shape[{i}]") for i, size in enumerate(sizes)]
    fan_in, fan_out = sizes if fans is None else fans
    dtype = checks.float_type(dtype)
    return draw(checks.generator(rng), tuple(sizes), fan_in, fan_out).astype(dtype, copy=False)
