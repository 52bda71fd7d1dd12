"""The transposed convolution: a convolution walked backwards, from its output to its image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import arrays, checks
from ketkar.convolutional import operands
from ketkar.convolutional.layer import ConvGrads
from ketkar.equations import equation
from ketkar.kernels.foreign import like_for_like

__all__ = ["conv2d_transpose", "conv2d_transpose_backward"]

Array = NDArray[Any]


@equation("transposed-convolution")
@like_for_like
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
    """A transposed convolution: every number lays down the kernel, scaled; where they meet, a sum.

    It goes from the output of a convolution back to an image of the size of its input; it is the
    gradient :func:`conv2d_backward` gives to x, used as a layer. It is not the inverse.

    Parameters
    ----------
    x : array_like
        Images, (N, C, H, W): example, channel, row, column. N may be 0.
    K : array_like
        Kernels, (C, M / groups, R, S): those of the convolution whose transpose this is.
    b : array_like, optional
        Bias, (M,): one number a feature map; zero if left out.
    stride, dilation : int or (int, int)
        Those of the convolution: steps from one kernel laid down to the next, and between taps.
    padding : int, (int, int) or ((int, int), (int, int))
        That of the convolution, in numbers: so many rows and columns are cut off the output.
    output_padding : int or (int, int)
        More rows at the bottom and columns at the right, which a stride above 1 leaves open:
        several sizes of an image give the same size of a convolution.
    groups, backend
        As in :func:`conv2d`.

    Returns
    -------
    ndarray
        Images, (N, M, Ho, Wo), of the type that `x` and `K` share, with
        Ho = (H - 1) stride - top - bottom + dilation (R - 1) + output_padding + 1.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`conv2d`; or if the output padding is not below the stride or the dilation, or the
        padding leaves nothing.

    References
    ----------
    Textbook chapter 5, *Convolution Variants*.

    Examples
    --------
    >>> conv2d_transpose([[[[1.0, 2.0]]]], K=[[[[1.0, 1.0, 1.0]]]], stride=2)
    array([[[[1., 1., 3., 2., 2.]]]])
    """
    x, K, b, geometry, _, kernels, shape = operands.transposed(
        "conv2d_transpose", x, K, b, stride=stride, padding=padding,
        output_padding=output_padding, dilation=dilation, groups=groups, backend=backend,
    )  # fmt: skip
    y = operands.empty(shape, K.dtype, x)
    if len(x):
        kernels.conv2d_input_gradient(x, K, geometry, "auto", y)  # (5.22)
        y += b[:, None, None]
    return y


@like_for_like
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
    """The gradients of a transposed convolution; that of its input is a convolution of dy.

    Parameters
    ----------
    dy : array_like
        Gradient of the loss with respect to the layer's output, (N, M, Ho, Wo).
    x, K, b, stride, padding, output_padding, dilation, groups, backend
        What :func:`conv2d_transpose` was called with.

    Returns
    -------
    ConvGrads
        Gradients with respect to `x`, `K` and `b`, as in :func:`conv2d_backward`.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`conv2d_transpose`, or if `dy` has not the shape of the output.

    Examples
    --------
    >>> dy = [[[[1.0, 2.0, 3.0, 4.0, 5.0]]]]
    >>> conv2d_transpose_backward(dy, [[[[1.0, 2.0]]]], K=[[[[1.0, 1.0, 1.0]]]], stride=2).x
    array([[[[ 6., 12.]]]])
    """
    given, bias = checks.float_array(x, "x"), b is not None
    x, K, b, geometry, _, kernels, shape = operands.transposed(
        "conv2d_transpose_backward", given, K, b, stride=stride, padding=padding,
        output_padding=output_padding, dilation=dilation, groups=groups, backend=backend,
    )  # fmt: skip
    dy = operands.gradient("conv2d_transpose", dy, shape, K.dtype)
    dx, dK, db = np.empty_like(x), np.zeros_like(K), np.zeros_like(b) if bias else None
    if len(x):
        kernels.conv2d_forward(dy, K, arrays.zeros(len(K), K.dtype, K), geometry, "auto", dx)
        kernels.conv2d_kernel_gradient(x, dy, geometry, "auto", dK)
        if db is not None:
            kernels.conv2d_bias_gradient(dy, db)
    rows, columns = given.shape[2:]  # x may have got more, which are zero
    return ConvGrads(dx[:, :, :rows, :columns], dK, db)
