"""Activation functions and their derivatives: what a unit does with its weighted sum.

Each function stands directly above its derivative. All work elementwise on arrays of any shape,
keep float32 and float64, and let NaN pass, except the softmax, which works along one axis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.equations import equation

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "activation",
    "identity",
    "identity_grad",
    "relu",
    "relu_grad",
    "sigmoid",
    "sigmoid_grad",
    "softmax",
    "softmax_backward",
    "softmax_jacobian",
    "step",
    "step_grad",
    "tanh",
    "tanh_grad",
]


@equation("step")
def step(z: ArrayLike) -> NDArray[Any]:
    """One where the weighted sum is above zero, zero elsewhere: the threshold unit.

    Parameters
    ----------
    z : array_like
        Weighted sums, any shape.

    Returns
    -------
    ndarray
        0 or 1, the shape and type of `z`; NaN where `z` is NaN.

    References
    ----------
    Textbook chapter 3, *Unit*.

    Examples
    --------
    >>> step([-1.0, 0.0, 2.0])
    array([0., 0., 1.])
    """
    z = checks.float_array(z, "z")
    return np.heaviside(z, z.dtype.type(0))  # (3.3)


def step_grad(z: ArrayLike) -> NDArray[Any]:
    """The derivative of the step: zero everywhere, which is why it cannot be trained.

    At the jump itself the derivative does not exist; 0 is returned there too.

    Examples
    --------
    >>> step_grad([-1.0, 2.0])
    array([0., 0.])
    """
    return np.zeros_like(checks.float_array(z, "z"))


def identity(z: ArrayLike) -> NDArray[Any]:
    """The weighted sum itself: the activation of a linear unit.

    Examples
    --------
    >>> identity([-1.5, 2.0])
    array([-1.5,  2. ])
    """
    return checks.float_array(z, "z").copy()


def identity_grad(z: ArrayLike) -> NDArray[Any]:
    """The derivative of the identity: one everywhere.

    Examples
    --------
    >>> identity_grad([-1.5, 2.0])
    array([1., 1.])
    """
    return np.ones_like(checks.float_array(z, "z"))


@equation("sigmoid")
def sigmoid(z: ArrayLike) -> NDArray[Any]:
    """The logistic function: squeezes any number into (0, 1), a probability.

    The exponential is only ever taken of a number below zero, so nothing overflows.

    Parameters
    ----------
    z : array_like
        Weighted sums, any shape.

    Returns
    -------
    ndarray
        Values in [0, 1], the shape and type of `z`.

    References
    ----------
    Textbook chapter 3, *Sigmoid Unit*.

    Examples
    --------
    >>> sigmoid([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    z = checks.float_array(z, "z")
    decay = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + decay), decay / (1 + decay))[()]  # (3.31)


@equation("sigmoid-derivative")
def sigmoid_grad(z: ArrayLike) -> NDArray[Any]:
    """The derivative of the sigmoid, at most 1/4 and that at zero.

    Examples
    --------
    >>> sigmoid_grad([0.0])
    array([0.25])
    """
    z = checks.float_array(z, "z")
    decay = np.exp(-np.abs(z))
    return decay / (1 + decay) ** 2  # (3.32), which is f (1 - f) without the cancellation


@equation("tanh")
def tanh(z: ArrayLike) -> NDArray[Any]:
    """The hyperbolic tangent: squeezes any number into (-1, 1), odd, and like z near zero.

    Parameters
    ----------
    z : array_like
        Weighted sums, any shape.

    Returns
    -------
    ndarray
        Values in [-1, 1], the shape and type of `z`.

    References
    ----------
    Textbook chapter 3, *Hyperbolic Tangent*.

    Examples
    --------
    >>> tanh([-1000.0, 0.0, 1000.0])
    array([-1.,  0.,  1.])
    """
    return np.tanh(checks.float_array(z, "z"))  # (3.39)


@equation("tanh-derivative")
def tanh_grad(z: ArrayLike) -> NDArray[Any]:
    """The derivative of the hyperbolic tangent, at most 1 and that at zero.

    Examples
    --------
    >>> tanh_grad([0.0])
    array([1.])
    """
    z = checks.float_array(z, "z")
    decay = np.exp(-2 * np.abs(z))
    return 4 * decay / (1 + decay) ** 2  # (3.40), which is 1 - f^2 without the cancellation


@equation("relu")
def relu(z: ArrayLike) -> NDArray[Any]:
    """The rectifier: the weighted sum where it is above zero, zero elsewhere.

    Parameters
    ----------
    z : array_like
        Weighted sums, any shape.

    Returns
    -------
    ndarray
        The shape and type of `z`; NaN where `z` is NaN.

    References
    ----------
    Textbook chapter 3, *Rectified Linear Unit (ReLU)*.

    Examples
    --------
    >>> relu([-2.0, 0.0, 3.0])
    array([0., 0., 3.])
    """
    z = checks.float_array(z, "z")
    return np.maximum(z, z.dtype.type(0))  # (3.36)


@equation("relu-derivative")
def relu_grad(z: ArrayLike) -> NDArray[Any]:
    """The derivative of the rectifier: 1 above zero, 0 below; at the kink itself we choose 0.

    Examples
    --------
    >>> relu_grad([-2.0, 0.0, 3.0])
    array([0., 0., 1.])
    """
    return step(z)  # (3.37)


class Activation(NamedTuple):
    """An elementwise activation function and its derivative, under its name."""

    name: str
    value: Callable[[ArrayLike], NDArray[Any]]
    grad: Callable[[ArrayLike], NDArray[Any]]


_TABLE = {
    row.name: row
    for row in (
        Activation("identity", identity, identity_grad),
        Activation("sigmoid", sigmoid, sigmoid_grad),
        Activation("tanh", tanh, tanh_grad),
        Activation("relu", relu, relu_grad),
        Activation("step", step, step_grad),
    )
}
ACTIVATIONS: tuple[str, ...] = tuple(_TABLE)
"""The names of the elementwise activation functions."""


def activation(name: str) -> Activation:
    """The activation function of that name, with its derivative.

    Raises
    ------
    ValueError
        If there is none of that name.

    Examples
    --------
    >>> activation("relu").value([-1.0, 2.0])
    array([0., 2.])
    """
    return _TABLE[checks.one_of(name, "activation", ACTIVATIONS)]


@equation("softmax")
def softmax(z: ArrayLike, axis: int = -1) -> NDArray[Any]:
    """Turns the scores of several classes into probabilities that sum to one.

    The largest score is subtracted first: the quotient stays the same, and nothing overflows.

    Parameters
    ----------
    z : array_like
        Scores (logits), such as (N, m) for N examples and m classes.
    axis : int
        The axis of the classes.

    Returns
    -------
    ndarray
        Probabilities, the shape and type of `z`; NaN in a row that holds NaN or +infinity.

    Raises
    ------
    ValueError
        If `z` is empty or has no such axis.

    References
    ----------
    Textbook chapter 3, *Softmax Layer*.

    Examples
    --------
    >>> softmax([2.0, 1.0, 0.1]).round(6)
    array([0.659001, 0.242433, 0.098566])
    """
    z = checks.float_array(z, "z")
    if z.ndim == 0:
        raise ValueError("z is a single number; softmax expects at least 1 axis: (class,)")
    checks.not_empty(z, "z")
    checks.axis_of(z, "z", axis)
    # infinity minus infinity: NaN is the answer; a score too far below the largest: -infinity is
    with np.errstate(invalid="ignore", over="ignore"):
        scores = np.exp(z - z.max(axis=axis, keepdims=True))
    return scores / scores.sum(axis=axis, keepdims=True)  # (3.33)


def softmax_backward(dy: ArrayLike, y: ArrayLike, axis: int = -1) -> NDArray[Any]:
    """The gradient with respect to the scores, from the gradient with respect to the softmax.

    Parameters
    ----------
    dy : array_like
        Gradient with respect to the probabilities, the shape of `y`.
    y : array_like
        The probabilities that :func:`softmax` returned.
    axis : int
        The axis of the classes.

    Returns
    -------
    ndarray
        The product of the Jacobian (3.34) with `dy`, without building the Jacobian.

    Examples
    --------
    >>> y = softmax([2.0, 1.0, 0.1])
    >>> np.allclose(softmax_backward([1.0, 0.0, 0.0], y), softmax_jacobian([2.0, 1.0, 0.1])[0])
    True
    """
    dy, y = checks.float_array(dy, "dy"), checks.float_array(y, "y")
    checks.same_shape(dy, "dy", y, "y")
    checks.axis_of(y, "y", axis)
    return y * (dy - (dy * y).sum(axis=axis, keepdims=True))


@equation("softmax-jacobian")
def softmax_jacobian(z: ArrayLike) -> NDArray[Any]:
    """How each probability changes with each score: diag(o) - o o^T.

    Parameters
    ----------
    z : array_like
        Scores of one example, (m,).

    Returns
    -------
    ndarray
        The matrix (m, m) with entry (i, j) = d o_i / d z_j; its rows sum to zero.

    Raises
    ------
    ValueError
        If `z` has not one axis.

    Examples
    --------
    >>> softmax_jacobian([0.0, 0.0])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    z = checks.float_array(z, "z")
    checks.axes(z, "z", ("class",), "softmax_jacobian")
    o = softmax(z)
    return np.diag(o) - np.outer(o, o)  # (3.34)
