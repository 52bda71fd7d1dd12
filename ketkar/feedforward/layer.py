"""A layer in vector form: all units of the layer at once, for a whole batch.

The textbook's row vectors are kept: an example is a row of x, a unit is a column of W, and the
product is x W + b. So a batch is just more rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import arrays, checks
from ketkar.equations import equation
from ketkar.feedforward.activations import activation as find
from ketkar.kernels.backend import kernels
from ketkar.kernels.foreign import like_for_like

__all__ = ["DenseGrads", "DenseParams", "count_parameters", "dense", "dense_backward", "mlp"]


class DenseParams(NamedTuple):
    """The parameters of a dense layer: weights W (n, m) and bias b (m,)."""

    W: NDArray[Any]
    b: NDArray[Any]


class DenseGrads(NamedTuple):
    """The gradients of a dense layer: with respect to x, W and b, each of its shape."""

    x: NDArray[Any]
    W: NDArray[Any]
    b: NDArray[Any]


@equation("layer-unit", "layer")
@like_for_like
def dense(
    x: ArrayLike,
    W: ArrayLike,
    b: ArrayLike | None = None,
    activation: str = "identity",
    *,
    backend: str = "auto",
) -> NDArray[Any]:
    """A dense layer: every unit reads every input.

    Parameters
    ----------
    x : array_like
        Input, (n,), or a batch of N inputs, (N, n).
    W : array_like
        Weights, (n, m): one column a unit.
    b : array_like, optional
        Bias, (m,); zero if left out.
    activation : str
        Name of the activation function, one of :data:`ACTIVATIONS`.
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes the product. "auto" is NumPy for its arrays: one product alone is
        fastest there.

    Returns
    -------
    ndarray
        Output, (m,) or (N, m), of the type that `x` and `W` share.

    Raises
    ------
    ValueError
        If the shapes do not chain, `x` or `W` is empty, or there is no such activation or
        backend.

    References
    ----------
    Textbook chapter 3, *Expressing the Neural Network in Vector Form*.

    Examples
    --------
    >>> dense([1.0, 2.0], W=[[1.0, 0.0, -1.0], [0.0, 1.0, -1.0]], activation="relu")
    array([1., 2., 0.])
    """
    x, W, b = _operands(x, W, b, "dense")
    value = find(activation).value
    z = _weighted_sum(np.atleast_2d(x), W, b, backend)
    return value(z if x.ndim == 2 else z[0])  # (3.7); each entry is (3.6)


def _weighted_sum(X: NDArray[Any], W: NDArray[Any], b: NDArray[Any], backend: str) -> NDArray[Any]:
    z = arrays.empty((X.shape[0], W.shape[1]), W.dtype, W)
    kernels(_product_backend(backend, W), X, W).dense_forward(X, W, b, z)
    return z


@equation("backprop-weights")
@like_for_like
def dense_backward(
    dy: ArrayLike,
    x: ArrayLike,
    W: ArrayLike,
    b: ArrayLike | None = None,
    activation: str = "identity",
    *,
    backend: str = "auto",
) -> DenseGrads:
    """The gradients of a dense layer, from the gradient with respect to its output.

    Parameters
    ----------
    dy : array_like
        Gradient of the loss with respect to the layer's output, (m,) or (N, m).
    x, W, b, activation, backend
        What :func:`dense` was called with.

    Returns
    -------
    DenseGrads
        Gradients with respect to `x`, `W` and `b`, each of its shape. Those of `W` and `b` are
        summed over the batch.

    Raises
    ------
    ValueError
        If the shapes do not chain, or there is no such activation or backend.

    References
    ----------
    Textbook chapter 3, *Training the Neural Network*.

    Examples
    --------
    >>> dense_backward([1.0], x=[2.0, 3.0], W=[[1.0], [1.0]]).W
    array([[2.],
           [3.]])
    """
    x, W, b = _operands(x, W, b, "dense_backward")
    dy = checks.float_array(dy, "dy").astype(W.dtype, copy=False)
    if dy.shape != (*x.shape[:-1], W.shape[1]):
        raise ValueError(
            f"dy has shape {dy.shape}; the output of dense for x {x.shape} and W {W.shape} "
            f"has shape {(*x.shape[:-1], W.shape[1])}"
        )
    X = np.atleast_2d(x)
    delta = np.atleast_2d(dy)
    if activation != "identity":
        delta = delta * find(activation).grad(_weighted_sum(X, W, b, backend))  # (3.15)
    delta = arrays.contiguous(delta)
    grads = DenseGrads(np.empty_like(X), np.empty_like(W), np.empty_like(b))
    kernels(_product_backend(backend, W), X, W).dense_backward(delta, X, W, *grads)  # (3.17)
    return grads if x.ndim == 2 else grads._replace(x=grads.x[0])


def _product_backend(backend: str, W: NDArray[Any]) -> str:
    return "numpy" if backend == "auto" and not arrays.on_device(W) else backend


def _operands(
    x: ArrayLike, W: ArrayLike, b: ArrayLike | None, function: str
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The three as contiguous arrays of one type whose shapes chain."""
    x, W = checks.float_array(x, "x"), checks.float_array(W, "W")
    checks.axes(W, "W", ("input", "unit"), function)
    if x.ndim not in (1, 2):
        raise ValueError(
            f"x has {x.ndim} axes {x.shape}; {function} expects 1: (input,), or 2: (batch, input)"
        )
    checks.same_length(x, "x", x.ndim - 1, W, "W", 0, "inputs")
    checks.not_empty(x, "x")
    checks.not_empty(W, "W")
    kind = np.result_type(x, W)
    if b is None:
        b = arrays.zeros(W.shape[1], kind, W)
    b = checks.float_array(b, "b")
    checks.axes(b, "b", ("unit",), function)
    checks.same_length(W, "W", 1, b, "b", 0, "units")
    X, weights, bias = (arrays.contiguous(a, kind) for a in (x, W, b))
    return X, weights, bias


@equation("composition")
def mlp(
    x: ArrayLike,
    params: Sequence[tuple[ArrayLike, ArrayLike | None]],
    activations: str | Sequence[str] = "sigmoid",
) -> NDArray[Any]:
    """A multilayer network: the output of each layer is the input of the next.

    Parameters
    ----------
    x : array_like
        Input, (n,) or (N, n).
    params : sequence of (W, b)
        Weights and bias of each layer, such as :class:`DenseParams`.
    activations : str or sequence of str
        One name for all layers, or one name a layer.

    Returns
    -------
    ndarray
        Output of the last layer.

    Raises
    ------
    ValueError
        If the shapes do not chain, or there are not as many activations as layers.

    References
    ----------
    Textbook chapter 3, *Expressing the Neural Network in Vector Form*.

    Examples
    --------
    >>> hidden, output = ([[1.0, -1.0]], None), ([[1.0], [1.0]], None)
    >>> mlp([[-3.0], [2.0]], [hidden, output], ["relu", "identity"])  # the absolute value
    array([[3.],
           [2.]])
    """
    y = checks.float_array(x, "x")
    for i, (W, b, name) in enumerate(layers_of(params, activations), 1):
        with naming_layer(i):
            y = dense(y, W, b, name)  # (3.8)
    return y


def layers_of(params: Any, activations: Any) -> list[tuple[ArrayLike, ArrayLike | None, str]]:
    """Weights, bias and activation of each layer, refused unless each layer has them."""
    layers = checks.listed(params, "params", "pairs (W, b), one a layer")
    if not layers:
        raise ValueError("params must hold at least one layer, a pair (W, b)")
    for i, pair in enumerate(layers):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise ValueError(f"params[{i}] must be a pair (W, b), got {checks.shown(pair)}")
    if isinstance(activations, str):
        names = [activations] * len(layers)
    else:
        names = checks.listed(activations, "activations", "names, one a layer")
    if len(names) != len(layers):
        raise ValueError(f"there are {len(layers)} layers but {len(names)} activations {names}")
    return [(W, b, name) for (W, b), name in zip(layers, names, strict=True)]


@contextmanager
def naming_layer(number: int) -> Iterator[None]:
    """Say in an error which layer it is about."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise type(error)(f"layer {number}: {error}") from None


@equation("parameter-count")
def count_parameters(widths: Sequence[int], bias: bool = True) -> int:
    """How many weights and biases a network of dense layers has.

    Parameters
    ----------
    widths : sequence of int
        Number of inputs, then number of units of each layer: p_0 = n, p_1, ..., p_L = m.
    bias : bool
        Count the biases too; without them only the weights.

    Returns
    -------
    int
        The number p of parameters.

    Raises
    ------
    ValueError
        If there are fewer than two widths, or one is below 1.

    References
    ----------
    Textbook chapter 3, *Overall Structure of a Neural Network*; the face network of
    T. Mitchell, *Machine Learning*, section 4.7.

    Examples
    --------
    >>> count_parameters([960, 3, 4])
    2899
    >>> count_parameters([960, 3, 4], bias=False)
    2892
    """
    widths = checks.listed(widths, "widths", "whole numbers")
    widths = [checks.count(width, f"widths[{i}]") for i, width in enumerate(widths)]
    if len(widths) < 2:
        raise ValueError(f"widths must name the inputs and at least one layer, got {widths}")
    return sum((n + bool(bias)) * m for n, m in pairwise(widths))  # (3.5)
