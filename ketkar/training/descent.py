"""Steepest descent, with and without momentum, and the batches it walks over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.equations import equation
from ketkar.trees import tree_map

__all__ = ["iterate_minibatches", "momentum_step", "sgd_step"]


@equation("steepest-descent")
def sgd_step(params: Any, grads: Any, lr: float) -> Any:
    """One step downhill: against the gradient, as long as the learning rate says.

    Parameters
    ----------
    params : array or nest of arrays
        The parameters theta before the step; they are not changed.
    grads : array or nest of arrays
        The gradient of the loss there, of the same shapes.
    lr : float
        The learning rate, above zero.

    Returns
    -------
    array or nest of arrays
        The parameters after the step.

    Raises
    ------
    ValueError
        If the shapes differ or `lr` is not above zero.

    References
    ----------
    Textbook chapter 3, *Training the Neural Network*.

    Examples
    --------
    >>> sgd_step(np.array([3.0]), np.array([4.0]), lr=0.1)
    array([2.6])
    """
    lr = checks.positive(lr, "lr")

    def step(theta: NDArray[Any], g: NDArray[Any]) -> NDArray[Any]:
        theta, g = _same_type(theta, "params", g, "grads")
        return theta - theta.dtype.type(lr) * g  # (3.12)

    return tree_map(step, params, grads, names=("params", "grads"))


def _same_type(
    a: NDArray[Any], a_name: str, b: NDArray[Any], b_name: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both as float arrays of the type of the first."""
    a, b = checks.float_array(a, a_name), checks.float_array(b, b_name)
    return a, b.astype(a.dtype, copy=False)


@equation("momentum")
def momentum_step(
    params: Any, grads: Any, velocity: Any, lr: float, momentum: float
) -> tuple[Any, Any]:
    """One step of a ball that rolls downhill: part of the last step is taken again.

    Parameters
    ----------
    params, grads, lr
        As for :func:`sgd_step`.
    velocity : array or nest of arrays, or None
        The last step; None before the first.
    momentum : float
        Which part of the last step is kept, at least 0 and below 1.

    Returns
    -------
    params, velocity : array or nest of arrays
        The parameters after the step, and the step.

    Raises
    ------
    ValueError
        If the shapes differ, `lr` is not above zero, or `momentum` not in [0, 1).

    References
    ----------
    T. Mitchell, *Machine Learning*, section 4.5.2.

    Examples
    --------
    >>> theta, velocity = momentum_step(np.array([3.0]), np.array([4.0]), None, 0.1, 0.5)
    >>> momentum_step(theta, np.array([4.0]), velocity, 0.1, 0.5)
    (array([2.]), array([-0.6]))
    """
    lr, momentum = checks.positive(lr, "lr"), checks.between(momentum, "momentum", 0, 1)
    if velocity is None:
        velocity = tree_map(lambda theta: 0 * checks.float_array(theta, "params"), params)

    def step(v: NDArray[Any], g: NDArray[Any]) -> NDArray[Any]:
        v, g = _same_type(v, "velocity", g, "grads")
        return v.dtype.type(momentum) * v - v.dtype.type(lr) * g  # (3.13)

    velocity = tree_map(step, velocity, grads, names=("velocity", "grads"))
    moved = tree_map(lambda theta, v: theta + v, params, velocity, names=("params", "velocity"))
    return moved, velocity


@equation("minibatch")
def iterate_minibatches(
    x: ArrayLike,
    y: ArrayLike,
    batch_size: int | None,
    rng: np.random.Generator | int | None = None,
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Once through the data in random order, a batch at a time: one epoch.

    Parameters
    ----------
    x, y : array_like
        N inputs and N targets, first axis the examples.
    batch_size : int or None
        Examples a batch: None is the full batch (in its own order), 1 is one example a step,
        anything between is a mini-batch. The last batch holds what is left.
    rng : numpy.random.Generator or int
        Draws the order; not needed for the full batch.

    Yields
    ------
    x, y : ndarray
        One batch.

    Raises
    ------
    ValueError
        If `x` and `y` differ in length, are empty, or `batch_size` is below 1.
    TypeError
        If `rng` is missing.

    Examples
    --------
    >>> [len(yb) for _, yb in iterate_minibatches(np.zeros((5, 2)), np.zeros(5), 2, rng=0)]
    [2, 2, 1]
    """
    x, y = checks.array_of(x, "x"), checks.array_of(y, "y")
    if x.ndim == 0 or y.ndim == 0:
        raise ValueError("x and y need a first axis, the examples")
    checks.same_length(x, "x", 0, y, "y", 0, "examples")
    checks.not_empty(x, "x")
    return _batches(x, y, *_order(len(x), batch_size, rng))


def _order(
    examples: int, batch_size: int | None, rng: np.random.Generator | int | None
) -> tuple[NDArray[np.intp] | None, int]:
    """The order of the examples (None: as they are), and the size of a batch."""
    if batch_size is None:
        return None, examples
    size = checks.count(batch_size, "batch_size")
    return checks.generator(rng).permutation(examples), size


def _batches(
    x: NDArray[Any], y: NDArray[Any], order: NDArray[np.intp] | None, size: int
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    if order is None:
        yield x, y
        return
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        yield x[batch], y[batch]
