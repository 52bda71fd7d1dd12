"""Layers between a convolution and a dense layer: the kernels take turns, or are all different."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.convolutional import operands
from ketkar.convolutional.layer import ConvGrads, conv2d, conv2d_backward
from ketkar.convolutional.window import place
from ketkar.equations import equation
from ketkar.kernels.geometry import Geometry

__all__ = [
    "locally_connected2d",
    "locally_connected2d_backward",
    "tiled_conv2d",
    "tiled_conv2d_backward",
]

Array = NDArray[Any]


@equation("tiled-convolution")
def tiled_conv2d(
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None = None,
    *,
    stride: int | tuple[int, int] = 1,
    padding: Any = 0,
    backend: str = "auto",
) -> Array:
    """A convolution layer whose t times t kernels take turns, row by row and column by column.

    Parameters
    ----------
    x : array_like
        Images, (N, C, H, W): example, channel, row, column. N may be 0.
    K : array_like
        Kernels, (t, t, M, C, R, S): those of `K[p, q]` give the outputs in row p, p + t, ... and
        column q, q + t, ... With t = 1 the layer is a convolution.
    b : array_like, optional
        Bias, (M,), the same at every place; zero if left out.
    stride, padding, backend
        As in :func:`conv2d`.

    Returns
    -------
    ndarray
        Feature maps, (N, M, Ho, Wo), of the type that `x` and `K` share.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`conv2d`, or if `K` has not as many turns of rows as of columns.

    References
    ----------
    Textbook chapter 5, *Convolution Variants*.

    Examples
    --------
    >>> K = np.array([1.0, -1.0]).reshape(1, 2, 1, 1, 1, 1).repeat(2, axis=0)
    >>> tiled_conv2d([[[[1.0, 2.0, 3.0, 4.0]]]], K)
    array([[[[ 1., -2.,  3., -4.]]]])
    """
    x, K, b, geometry, shape = _tiled("tiled_conv2d", x, K, b, stride, padding)
    y = operands.empty(shape, K.dtype, x)
    for p, q, here, part in _phases(x, K, geometry, shape):
        y[here] = conv2d(part, K[p, q], b, stride=_steps(K, geometry), backend=backend)  # (5.23)
    return y


def tiled_conv2d_backward(
    dy: ArrayLike,
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None = None,
    *,
    stride: int | tuple[int, int] = 1,
    padding: Any = 0,
    backend: str = "auto",
) -> ConvGrads:
    """The gradients of a tiled convolution: each kernel learns from the places of its turn.

    Parameters
    ----------
    dy : array_like
        Gradient of the loss with respect to the layer's output, (N, M, Ho, Wo).
    x, K, b, stride, padding, backend
        What :func:`tiled_conv2d` was called with.

    Returns
    -------
    ConvGrads
        Gradients with respect to `x`, `K` and `b`, each of its shape; None for `b` where it is.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`tiled_conv2d`, or if `dy` has not the shape of the output.

    Examples
    --------
    >>> K = np.array([1.0, -1.0]).reshape(1, 2, 1, 1, 1, 1).repeat(2, axis=0)
    >>> grads = tiled_conv2d_backward([[[[1.0, 1.0, 1.0, 1.0]]]], [[[[1.0, 2.0, 3.0, 4.0]]]], K)
    >>> grads.K[0, :, 0, 0, 0, 0]  # 1 + 3 and 2 + 4
    array([4., 6.])
    """
    bias = b is not None
    x, K, b, geometry, shape = _tiled("tiled_conv2d_backward", x, K, b, stride, padding)
    dy = operands.gradient("tiled_conv2d", dy, shape, K.dtype)
    dpadded, dK, db = np.zeros_like(x), np.zeros_like(K), np.zeros_like(b)
    for (p, q, here, part), (_, _, _, dpart) in zip(
        _phases(x, K, geometry, shape), _phases(dpadded, K, geometry, shape), strict=True
    ):
        grads = conv2d_backward(
            dy[here], part, K[p, q], b, stride=_steps(K, geometry), backend=backend
        )
        dpart += grads.x  # a view of dpadded
        dK[p, q] = grads.K
        db += grads.b
    return ConvGrads(_unpadded(dpadded, geometry), dK, db if bias else None)


def _tiled(
    function: str, x: ArrayLike, K: ArrayLike, b: ArrayLike | None, stride: Any, padding: Any
) -> tuple[Array, Array, Array, Geometry, tuple[int, ...]]:
    """The padded image, the kernels and the bias of one type; the geometry; the output's shape."""
    axes = ("turn", "turn", "kernel", "channel", "row", "column")
    x, K, kind = _six_axes(function, x, K, axes)
    if K.shape[0] != K.shape[1]:
        raise ValueError(
            f"K has {K.shape[0]} turns of rows (axis 0 of {K.shape}) but {K.shape[1]} of columns"
        )
    geometry = place(x.shape[2:], K.shape[4:], stride=stride, padding=padding)
    shape = (len(x), K.shape[2], *geometry.output_size(x.shape[2:], K.shape[4:]))
    return _padded(x, geometry), K, operands.bias(function, b, K.shape[2], kind, K), geometry, shape


def _phases(
    padded: Array, K: Array, geometry: Geometry, shape: tuple[int, ...]
) -> Iterator[tuple[int, int, tuple[slice, ...], Array]]:
    """For each kernel (p, q): where its outputs stand, and the view of the image they see."""
    t, every = len(K), slice(None)
    for p, q in np.ndindex(t, t):
        rows, columns = len(range(p, shape[2], t)), len(range(q, shape[3], t))
        if rows and columns:
            row, column = p * geometry.stride_rows, q * geometry.stride_columns
            tall = (rows - 1) * t * geometry.stride_rows + K.shape[4]
            wide = (columns - 1) * t * geometry.stride_columns + K.shape[5]
            here = (every, every, slice(p, None, t), slice(q, None, t))
            yield p, q, here, padded[:, :, row : row + tall, column : column + wide]


def _steps(K: Array, geometry: Geometry) -> tuple[int, int]:
    return len(K) * geometry.stride_rows, len(K) * geometry.stride_columns


@equation("local-connection")
def locally_connected2d(
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None = None,
    *,
    stride: int | tuple[int, int] = 1,
    padding: Any = 0,
) -> Array:
    """A locally connected layer: windows as in a convolution, but each with kernels of its own.

    Parameters
    ----------
    x : array_like
        Images, (N, C, H, W): example, channel, row, column. N may be 0.
    K : array_like
        Kernels, (Ho, Wo, M, C, R, S): those of `K[i, j]` give the outputs in row i and column j.
    b : array_like, optional
        Bias, (M,), the same at every place, or (M, Ho, Wo); zero if left out.
    stride, padding
        As in :func:`conv2d`.

    Returns
    -------
    ndarray
        Feature maps, (N, M, Ho, Wo), of the type that `x` and `K` share.

    Raises
    ------
    ValueError, TypeError
        As :func:`conv2d`, or if `K` has not one set of kernels for every place of the output.

    References
    ----------
    Textbook chapter 5, *Convolution Variants*.

    Examples
    --------
    >>> K = np.array([1.0, 10.0, 100.0]).reshape(1, 3, 1, 1, 1, 1)
    >>> locally_connected2d([[[[1.0, 2.0, 3.0]]]], K)
    array([[[[  1.,  20., 300.]]]])
    """
    x, K, b, geometry, _ = _local("locally_connected2d", x, K, b, stride, padding)
    rows = _windows(_padded(x, geometry), K, geometry)
    z = rows @ _matrices(K).swapaxes(2, 3)  # (5.24): at each place (N, C R S) times (C R S, M)
    y: Array = np.ascontiguousarray(z.transpose(2, 3, 0, 1))
    y += b if b.ndim == 3 else b[:, None, None]
    return y


def locally_connected2d_backward(
    dy: ArrayLike,
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None = None,
    *,
    stride: int | tuple[int, int] = 1,
    padding: Any = 0,
) -> ConvGrads:
    """The gradients of a locally connected layer: those of a dense layer at each place.

    Parameters
    ----------
    dy : array_like
        Gradient of the loss with respect to the layer's output, (N, M, Ho, Wo).
    x, K, b, stride, padding
        What :func:`locally_connected2d` was called with.

    Returns
    -------
    ConvGrads
        Gradients with respect to `x`, `K` and `b`, each of its shape; None for `b` where it is.

    Raises
    ------
    ValueError, TypeError
        As :func:`locally_connected2d`, or if `dy` has not the shape of the output.

    Examples
    --------
    >>> K = np.array([1.0, 10.0, 100.0]).reshape(1, 3, 1, 1, 1, 1)
    >>> x, dy = [[[[1.0, 2.0, 3.0]]]], [[[[1.0, 1.0, 2.0]]]]
    >>> locally_connected2d_backward(dy, x, K).x
    array([[[[  1.,  10., 200.]]]])
    """
    bias = b is not None
    x, K, b, geometry, shape = _local("locally_connected2d_backward", x, K, b, stride, padding)
    dy = operands.gradient("locally_connected2d", dy, shape, K.dtype)
    dpadded = _padded(np.zeros_like(x), geometry)
    delta = dy.transpose(2, 3, 0, 1)  # (Ho, Wo, N, M)
    drows = (delta @ _matrices(K)).reshape(*shape[2:], shape[0], *K.shape[3:])
    for i, j in np.ndindex(*shape[2:]):
        row, column = i * geometry.stride_rows, j * geometry.stride_columns
        dpadded[:, :, row : row + K.shape[4], column : column + K.shape[5]] += drows[i, j]
    dK = delta.swapaxes(2, 3) @ _windows(_padded(x, geometry), K, geometry)
    db = dy.sum(axis=0) if b.ndim == 3 else dy.sum(axis=(0, 2, 3))
    return ConvGrads(_unpadded(dpadded, geometry), dK.reshape(K.shape), db if bias else None)


def _local(
    function: str, x: ArrayLike, K: ArrayLike, b: ArrayLike | None, stride: Any, padding: Any
) -> tuple[Array, Array, Array, Geometry, tuple[int, ...]]:
    """Image, kernels and bias of one type; the geometry; the output's shape."""
    axes = ("output row", "output column", "kernel", "channel", "row", "column")
    x, K, kind = _six_axes(function, x, K, axes)
    geometry = place(x.shape[2:], K.shape[4:], stride=stride, padding=padding)
    shape = (len(x), K.shape[2], *geometry.output_size(x.shape[2:], K.shape[4:]))
    if K.shape[:2] != shape[2:]:
        raise ValueError(
            f"K has kernels for {K.shape[:2]} places (axes 0 and 1 of {K.shape}) "
            f"but the output has {shape[2:]} rows and columns"
        )
    b = None if b is None else checks.float_array(b, "b")
    if b is None or b.ndim != 3:
        return x, K, operands.bias(function, b, K.shape[2], kind, K), geometry, shape
    if b.shape != shape[1:]:
        raise ValueError(
            f"b has shape {b.shape}; expected one number a feature map, ({K.shape[2]},), or one a "
            f"feature map and place, {shape[1:]}"
        )
    return x, K, b.astype(kind, copy=False), geometry, shape


def _windows(padded: Array, K: Array, geometry: Geometry) -> Array:
    """What each place sees, as a batch of rows: (Ho, Wo, N, C R S)."""
    seen = np.lib.stride_tricks.sliding_window_view(padded, K.shape[4:], axis=(2, 3))
    seen = seen[:, :, :: geometry.stride_rows, :: geometry.stride_columns]
    return seen.transpose(2, 3, 0, 1, 4, 5).reshape(
        *K.shape[:2], len(padded), _matrices(K).shape[3]
    )


def _six_axes(
    function: str, x: ArrayLike, K: ArrayLike, axes: tuple[str, ...]
) -> tuple[Array, Array, Any]:
    """Image and kernels of one type and of the same channels."""
    x, K, kind = operands.image_and_kernels(function, x, K, operands.IMAGE, axes)
    checks.same_length(x, "x", 1, K, "K", 3, "channels")
    return x.astype(kind, copy=False), K.astype(kind, copy=False), kind


def _matrices(K: Array) -> Array:
    """The kernels of each place as the rows of a matrix: (Ho, Wo, M, C R S)."""
    return K.reshape(*K.shape[:3], math.prod(K.shape[3:]))


def _padded(x: Array, geometry: Geometry) -> Array:
    rows, columns = (geometry.top, geometry.bottom), (geometry.left, geometry.right)
    return np.pad(x, ((0, 0), (0, 0), rows, columns))


def _unpadded(dpadded: Array, geometry: Geometry) -> Array:
    rows = slice(geometry.top, dpadded.shape[2] - geometry.bottom)
    columns = slice(geometry.left, dpadded.shape[3] - geometry.right)
    return np.ascontiguousarray(dpadded[:, :, rows, columns])
