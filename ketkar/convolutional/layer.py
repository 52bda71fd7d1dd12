"""Convolution layers: the same few weights at every place of the image.

As in every library of the field, a layer computes a cross-correlation: the kernel is laid on the
image as it is, not flipped (see :mod:`ketkar.convolutional.operation`). An image has the axes
(N, C, H, W): example, channel, row, column. Kernels have (M, C, R, S): one for each of the M
feature maps, with a part for each channel.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar.convolutional import operands
from ketkar.equations import equation
from ketkar.kernels.foreign import like_for_like

__all__ = [
    "ConvGrads",
    "ConvParams",
    "conv1d",
    "conv1d_backward",
    "conv2d",
    "conv2d_backward",
]

Array = NDArray[Any]


class ConvParams(NamedTuple):
    """The parameters of a convolution layer: kernels K (M, C, R, S) and bias b (M,), or None."""

    K: Array
    b: Array | None


class ConvGrads(NamedTuple):
    """The gradients with respect to x, K and b, each of its shape; None where there was no b."""

    x: Array
    K: Array
    b: Array | None


@equation("convolution-layer", "strided-convolution")
@like_for_like
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
    """A convolution layer: every kernel moves over the image and answers with a feature map.

    Parameters
    ----------
    x : array_like
        Images, (N, C, H, W): example, channel, row, column. N may be 0.
    K : array_like
        Kernels, (M, C / groups, R, S): feature map, channel, row, column.
    b : array_like, optional
        Bias, (M,): one number a feature map; zero if left out.
    stride : int or (int, int)
        Steps of the kernel: one number, or (rows, columns).
    padding : int, (int, int), ((int, int), (int, int)), "same" or "valid"
        Zeros around the images: one number; (rows, columns); ((top, bottom), (left, right));
        "same" for an output of ceil(H / stride) rows, and so for columns, where an odd zero goes
        to the bottom or right (5.26); "valid" for none. A zero is a number like any other: times
        an infinite weight it is NaN.
    dilation : int or (int, int)
        Steps from one tap of the kernel to the next: one number, or (rows, columns).
    groups : int
        The channels and the kernels are cut into so many groups, and a kernel sees the channels
        of its own group alone; `groups` = C is the depthwise convolution.
    algorithm : {"auto", "direct", "winograd", "fft"}
        How the sum is computed; "auto" chooses by the shapes. "winograd" needs kernels of 3 by 3,
        it and "fft" a stride and a dilation of 1, and neither is in the backend "numpy".
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes it.

    Returns
    -------
    ndarray
        Feature maps, (N, M, Ho, Wo), of the type that `x` and `K` share; their size is (5.25).

    Raises
    ------
    ValueError
        If the shapes do not agree, the kernel is larger than the padded image, an argument is out
        of range or there is no such algorithm or backend.
    TypeError
        If an array holds anything but real numbers, or a number is not whole.
    RuntimeError
        If the backend cannot be used here.

    Notes
    -----
    An output adds n = R S C / groups + 1 terms. In whatever order, rounding costs it at most about
    n eps / 2 times the sum of their absolute values (Higham 2002, section 3.1), where eps is
    2.2e-16 for float64 and 1.2e-7 for float32; so it is for "direct", and for the gradients with
    their own n. "winograd" and "fft" mix the numbers of a tile or a block before they add: they
    stay within 30 eps of the largest such sum in the whole output, as measured on random numbers,
    which says little of an output far smaller than that.

    References
    ----------
    Textbook chapter 5, *Convolution-Detector-Pooling Building Block* and *Convolution Variants*.
    N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, SIAM 2002.

    Examples
    --------
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> conv2d(x, K=[[[[1.0, 0.0], [0.0, -1.0]]]], b=[5.0])
    array([[[[0., 0., 0.],
             [0., 0., 0.],
             [0., 0., 0.]]]])
    >>> conv2d(x, np.ones((8, 1, 3, 3)), stride=2, padding="same").shape
    (1, 8, 2, 2)
    """
    given = operands.convolution(
        "conv2d", x, K, b, stride=stride, padding=padding, dilation=dilation, groups=groups,
        algorithm=algorithm, backend=backend,
    )  # fmt: skip
    return _forward(given)


def _forward(given: operands.Operands) -> Array:
    x, K, b, geometry, algorithm, kernels, shape = given
    y = operands.empty(shape, K.dtype, x)
    if len(x):
        kernels.conv2d_forward(x, K, b, geometry, algorithm, y)  # (5.16), (5.21)
    return y


@equation("convolution-backward-input", "convolution-backward-kernel", "convolution-backward-bias")
@like_for_like
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
    """The gradients of a convolution layer, from the gradient with respect to its output.

    Parameters
    ----------
    dy : array_like
        Gradient of the loss with respect to the layer's output, (N, M, Ho, Wo).
    x, K, b, stride, padding, dilation, groups, algorithm, backend
        What :func:`conv2d` was called with.

    Returns
    -------
    ConvGrads
        Gradients with respect to `x`, `K` and `b`, each of its shape; those of `K` and `b` are
        summed over the batch and over all places. That of `b` is None where `b` is.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`conv2d`, or if `dy` has not the shape of the output.

    References
    ----------
    Textbook chapter 5, *Convolution-Detector-Pooling Building Block*, and chapter 3, *Training
    the Neural Network*.

    Examples
    --------
    >>> grads = conv2d_backward([[[[1.0, 10.0]]]], x=[[[[1.0, 2.0, 3.0]]]], K=[[[[4.0, 5.0]]]])
    >>> grads.K  # each tap meets two numbers of x: 1 + 20 and 2 + 30
    array([[[[21., 32.]]]])
    >>> grads.x
    array([[[[ 4., 45., 50.]]]])
    """
    given = operands.convolution(
        "conv2d_backward", x, K, b, stride=stride, padding=padding, dilation=dilation,
        groups=groups, algorithm=algorithm, backend=backend,
    )  # fmt: skip
    dy = operands.gradient("conv2d", dy, given.shape, given.K.dtype)
    return _backward(dy, given, with_bias=b is not None)


def _backward(dy: Array, given: operands.Operands, with_bias: bool) -> ConvGrads:
    x, K, _, geometry, algorithm, kernels, _ = given
    dx = operands.empty(x.shape, x.dtype, x)
    if len(x):
        kernels.conv2d_input_gradient(dy, K, geometry, algorithm, dx)  # (5.18)
    return ConvGrads(dx, *_parameter_gradients(dy, given, with_bias))


def _parameter_gradients(
    dy: Array, given: operands.Operands, with_bias: bool
) -> tuple[Array, Array | None]:
    x, K, b, geometry, algorithm, kernels, _ = given
    if not len(x):
        return np.zeros_like(K), np.zeros_like(b) if with_bias else None
    dK, db = operands.empty(K.shape, K.dtype, K), np.empty_like(b) if with_bias else None
    kernels.conv2d_kernel_gradient(dy, x, geometry, algorithm, dK)  # (5.19)
    if db is not None:
        kernels.conv2d_bias_gradient(dy, db)  # (5.20)
    return dK, db


@like_for_like
def conv2d_parameter_gradients(
    dy: ArrayLike, x: ArrayLike, K: ArrayLike, b: ArrayLike, *, backend: str, **moves: Any
) -> ConvParams:
    """What :func:`conv2d_backward` returns but the gradient of `x`, which is not computed.

    The first layer of a network is trained by it: nobody changes the image.
    """
    given = operands.convolution(
        "conv2d_backward", x, K, b, algorithm="auto", backend=backend, **moves
    )
    dy = operands.gradient("conv2d", dy, given.shape, given.K.dtype)
    return ConvParams(*_parameter_gradients(dy, given, with_bias=True))


@like_for_like
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
    """A convolution layer for signals: :func:`conv2d` on images of one row.

    Parameters
    ----------
    x : array_like
        Signals, (N, C, T): example, channel, step. N may be 0.
    K : array_like
        Kernels, (M, C / groups, k): feature map, channel, step.
    b : array_like, optional
        Bias, (M,); zero if left out.
    stride, dilation : int
        Steps of the kernel, and from one of its taps to the next.
    padding : int, (int, int), "same" or "valid"
        Zeros at the ends of the signals: one number for both; (before, after); or a rule, as in
        :func:`conv2d`. (k - 1, 0) makes the layer causal: no output sees a later input.
    groups, algorithm, backend
        As in :func:`conv2d`.

    Returns
    -------
    ndarray
        Feature maps, (N, M, To), of the type that `x` and `K` share.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`conv2d`.

    References
    ----------
    Textbook chapter 5, *Convolution Operation*.

    Examples
    --------
    >>> conv1d([[[1.0, 2.0, 4.0, 8.0]]], K=[[[-1.0, 1.0]]], padding=(1, 0))
    array([[[1., 1., 2., 4.]]])
    """
    given = operands.convolution(
        "conv1d", x, K, b, stride=stride, padding=padding, dilation=dilation, groups=groups,
        algorithm=algorithm, backend=backend, axes=operands.SIGNAL,
    )  # fmt: skip
    return _forward(given)[:, :, 0]


@like_for_like
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
    """The gradients of a convolution layer for signals, from the gradient of its output.

    Parameters
    ----------
    dy : array_like
        Gradient of the loss with respect to the layer's output, (N, M, To).
    x, K, b, stride, padding, dilation, groups, algorithm, backend
        What :func:`conv1d` was called with.

    Returns
    -------
    ConvGrads
        Gradients with respect to `x`, `K` and `b`, as in :func:`conv2d_backward`.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`conv1d`, or if `dy` has not the shape of the output.

    Examples
    --------
    >>> conv1d_backward([[[1.0, 10.0]]], x=[[[1.0, 2.0, 3.0]]], K=[[[4.0, 5.0]]]).K
    array([[[21., 32.]]])
    """
    given = operands.convolution(
        "conv1d_backward", x, K, b, stride=stride, padding=padding, dilation=dilation,
        groups=groups, algorithm=algorithm, backend=backend, axes=operands.SIGNAL,
    )  # fmt: skip
    N, M, _, To = given.shape
    delta = operands.gradient("conv1d", dy, (N, M, To), given.K.dtype)
    grads = _backward(delta[:, :, None], given, with_bias=b is not None)
    return ConvGrads(grads.x[:, :, 0], grads.K[:, :, 0], grads.b)
