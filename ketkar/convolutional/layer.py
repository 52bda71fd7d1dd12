"""Convolution layers: the same few weights at every place of the image.

As in every library of the field, a layer computes a cross-correlation: the kernel is laid on the
image as it is, not flipped (see :mod:`ketkar.convolutional.operation`). Images are (N, C, H, W):
example, channel, row, column. Kernels are (M, C, R, S): one for each feature map and channel.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar.convolutional import operands
from ketkar.equations import equation

__all__ = [
    "ConvGrads",
    "ConvParams",
    "conv1d",
    "conv1d_backward",
    "conv2d",
    "conv2d_backward",
    "conv2d_transpose",
    "conv2d_transpose_backward",
]

Array = NDArray[Any]


class ConvParams(NamedTuple):
    """The parameters of a convolution layer: kernels K (M, C, R, S) and bias b (M,)."""

    K: Array
    b: Array


class ConvGrads(NamedTuple):
    """The gradients with respect to x, K and b, each of its shape; b is None where there was none."""

    x: Array
    K: Array
    b: Array | None


@equation("convolution-layer", "strided-convolution")
def conv2d(
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None = None,
    *,
    stride: int | tuple[int, int] = 1,
    padding: Any = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    algorithm: str = "auto",
    backend: str = "auto",
) -> Array:
    """A convolution layer: each kernel moves over the image and gives a feature map.

    Examples
    --------
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> conv2d(x, K=[[[[1.0, 0.0], [0.0, -1.0]]]], stride=2)
    array([[[[-5., -5.],
             [-5., -5.]]]])
    """
    given = operands.convolution(
        "conv2d", x, K, b, stride, padding, dilation, groups, algorithm, backend
    )
    return _forward(given)


def _forward(given: operands.Operands) -> Array:
    y = np.empty(given.output_shape, given.K.dtype)
    if len(y):
        given.kernels.conv2d_forward(
            given.x, given.K, given.b, given.geometry, given.algorithm, y
        )  # (5.16), (5.21)
    return y


@equation("convolution-backward-input", "convolution-backward-kernel", "convolution-backward-bias")
def conv2d_backward(
    dy: ArrayLike,
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None = None,
    *,
    stride: int | tuple[int, int] = 1,
    padding: Any = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    algorithm: str = "auto",
    backend: str = "auto",
) -> ConvGrads:
    """The gradients of a convolution layer, from the gradient with respect to its output."""
    given = operands.convolution(
        "conv2d_backward", x, K, b, stride, padding, dilation, groups, algorithm, backend
    )
    dy = operands.gradient(dy, given.output_shape, given.K.dtype, "conv2d")
    return _backward(dy, given, b is not None)


def _backward(dy: Array, given: operands.Operands, bias: bool) -> ConvGrads:
    how = given.geometry, given.algorithm
    dx, dK, db = (np.empty_like(a) for a in (given.x, given.K, given.b))
    if not len(dy):
        return ConvGrads(dx, np.zeros_like(dK), np.zeros_like(db) if bias else None)
    given.kernels.conv2d_input_gradient(dy, given.K, *how, dx)  # (5.18)
    given.kernels.conv2d_kernel_gradient(dy, given.x, *how, dK)  # (5.19)
    if bias:
        given.kernels.conv2d_bias_gradient(dy, db)  # (5.20)
    return ConvGrads(dx, dK, db if bias else None)


def conv1d(
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None = None,
    *,
    stride: int = 1,
    padding: Any = 0,
    dilation: int = 1,
    groups: int = 1,
    algorithm: str = "auto",
    backend: str = "auto",
) -> Array:
    """A convolution layer for signals: :func:`conv2d` on an image of one row.

    Examples
    --------
    >>> conv1d([[[1.0, 2.0, 4.0, 8.0]]], K=[[[1.0, -1.0]]], padding=(1, 0))
    array([[[-1., -1., -2., -4.]]])
    """
    given = operands.convolution(
        "conv1d", x, K, b, stride, padding, dilation, groups, algorithm, backend, operands.SIGNAL
    )
    return _forward(given)[:, :, 0]


def conv1d_backward(
    dy: ArrayLike,
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None = None,
    *,
    stride: int = 1,
    padding: Any = 0,
    dilation: int = 1,
    groups: int = 1,
    algorithm: str = "auto",
    backend: str = "auto",
) -> ConvGrads:
    """The gradients of :func:`conv1d`, from the gradient with respect to its output."""
    given = operands.convolution(
        "conv1d_backward", x, K, b, stride, padding, dilation, groups, algorithm, backend,
        operands.SIGNAL,
    )  # fmt: skip
    N, M, _, To = given.output_shape
    dy = operands.gradient(dy, (N, M, To), given.K.dtype, "conv1d")
    grads = _backward(dy[:, :, None], given, b is not None)
    return ConvGrads(grads.x[:, :, 0], grads.K[:, :, 0], grads.b)


@equation("transposed-convolution")
def conv2d_transpose(
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None = None,
    *,
    stride: int | tuple[int, int] = 1,
    padding: Any = 0,
    output_padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    backend: str = "auto",
) -> Array:
    """A transposed convolution: each number of the input lays down a kernel, scaled by it.

    Examples
    --------
    >>> conv2d_transpose([[[[1.0, 2.0]]]], K=[[[[1.0, 1.0], [0.0, 1.0]]]], stride=2)
    array([[[[1., 1., 2., 2.],
             [0., 1., 0., 2.]]]])
    """
    given = operands.transposed(
        "conv2d_transpose", x, K, b, stride, padding, output_padding, dilation, groups, backend
    )
    y = np.empty(given.image_shape, given.K.dtype)
    if len(y):
        given.kernels.conv2d_input_gradient(given.x, given.K, given.geometry, "auto", y)  # (5.22)
        y += given.b[:, None, None]
    return y


def conv2d_transpose_backward(
    dy: ArrayLike,
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None = None,
    *,
    stride: int | tuple[int, int] = 1,
    padding: Any = 0,
    output_padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    backend: str = "auto",
) -> ConvGrads:
    """The gradients of a transposed convolution: its input's gradient is a convolution of dy."""
    given = operands.transposed(
        "conv2d_transpose_backward",
        x, K, b, stride, padding, output_padding, dilation, groups, backend,
    )  # fmt: skip
    kind = given.K.dtype
    dy = operands.gradient(dy, given.image_shape, kind, "conv2d_transpose")
    dx, dK, db = np.empty(given.x.shape, kind), np.empty_like(given.K), np.empty_like(given.b)
    if not len(dy):
        return ConvGrads(
            given.cropped(dx), np.zeros_like(dK), np.zeros_like(db) if b is not None else None
        )
    none = np.zeros(dx.shape[1], kind)
    given.kernels.conv2d_forward(dy, given.K, none, given.geometry, "auto", dx)
    given.kernels.conv2d_kernel_gradient(given.x, dy, given.geometry, "auto", dK)
    given.kernels.conv2d_bias_gradient(dy, db)
    return ConvGrads(given.cropped(dx), dK, db if b is not None else None)
