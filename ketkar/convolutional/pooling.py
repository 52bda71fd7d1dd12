"""Pooling: what a small neighbourhood of a feature map holds, without saying where exactly.

A window moves over every channel by itself and answers with one number: the largest it sees, the
mean, or the L2 norm. There is nothing to be learned. An image has the axes (N, C, H, W): example,
channel, row, column; a signal has (N, C, T).

Padding is not data: it never wins a maximum, adds nothing to a norm, and counts in an average only
where `count_include_pad` asks for it. A window that would see nothing but padding has no maximum
and no mean, and is refused; its norm is 0.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from ketkar.convolutional import pooled
from ketkar.equations import equation
from ketkar.kernels.foreign import like_for_like

__all__ = [
    "avg_pool2d",
    "avg_pool2d_backward",
    "l2_pool2d",
    "l2_pool2d_backward",
    "max_pool2d",
    "max_pool2d_backward",
]

Array = NDArray[Any]


@equation("max-pooling")
@like_for_like
def max_pool2d(
    x: ArrayLike,
    size: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] | None = None,
    padding: Any = 0,
    dilation: int | tuple[int, int] = 1,
    ceil_mode: bool = False,
    backend: str = "auto",
) -> Array:
    """Max pooling: of each window, the largest number.

    Parameters
    ----------
    x : array_like
        Images or feature maps, (N, C, H, W): example, channel, row, column. N may be 0.
    size : int or (int, int)
        Rows and columns of the window, R and S: one number, or (rows, columns).
    stride : int or (int, int), optional
        Steps of the window; as large as the window if left out, so that no two overlap.
    padding : int, (int, int), ((int, int), (int, int)), "same" or "valid"
        Places around the images that hold no number: one number; (rows, columns);
        ((top, bottom), (left, right)); "same" for an output of ceil(H / stride) rows, and so for
        columns; "valid" for none.
    dilation : int or (int, int)
        Steps from one number that the window sees to the next.
    ceil_mode : bool
        Round the size of the output (5.25) up, not down: a last window may stand out of the image
        at the bottom or right, and sees only what is there. It must begin in the image or in the
        padding before it.
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes it.

    Returns
    -------
    ndarray
        Pooled maps, (N, C, Ho, Wo), of the type of `x`; whole numbers become float64. A window
        that sees NaN answers with NaN.

    Raises
    ------
    ValueError
        If the shape is wrong, an argument is out of range, the window is larger than the padded
        image or would see padding alone, or there is no such backend.
    TypeError
        If `x` holds anything but real numbers, or an argument is not of the form above.
    RuntimeError
        If the backend cannot be used here.

    References
    ----------
    Textbook chapter 5, *Pooling Operation*.

    Examples
    --------
    >>> x = [[[[74, 44, 56, 78], [80, 40, 43, 13], [78, 88, 90, 96], [70, 55, 80, 35]]]]
    >>> max_pool2d(x, 2)
    array([[[[80., 78.],
             [88., 96.]]]])
    >>> max_pool2d(x, 3, stride=2, ceil_mode=True).shape
    (1, 1, 2, 2)
    """
    moves = pooled.Moves(stride, padding, dilation, ceil_mode)
    return pooled.maximum(pooled.images("max_pool2d", x, size, moves, backend))


@equation("max-pooling-backward")
@like_for_like
def max_pool2d_backward(
    dy: ArrayLike,
    x: ArrayLike,
    size: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] | None = None,
    padding: Any = 0,
    dilation: int | tuple[int, int] = 1,
    ceil_mode: bool = False,
    backend: str = "auto",
) -> Array:
    """The gradient of max pooling: all of it goes to the number that won its window.

    Parameters
    ----------
    dy : array_like
        Gradient of the loss with respect to the output, (N, C, Ho, Wo).
    x, size, stride, padding, dilation, ceil_mode, backend
        What :func:`max_pool2d` was called with.

    Returns
    -------
    ndarray
        Gradient with respect to `x`, of its shape. Of several equal numbers the first wins, row by
        row in its window; the first NaN wins over every number.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`max_pool2d`, or if `dy` has not the shape of the output.

    References
    ----------
    Textbook chapter 5, *Pooling Operation*.

    Examples
    --------
    >>> max_pool2d_backward([[[[1.0, 10.0]]]], [[[[1, 4, 7, 7], [3, 2, 7, 6]]]], 2)
    array([[[[ 0.,  1., 10.,  0.],
             [ 0.,  0.,  0.,  0.]]]])
    """
    moves = pooled.Moves(stride, padding, dilation, ceil_mode)
    given = pooled.images("max_pool2d_backward", x, size, moves, backend)
    return pooled.maximum_backward("max_pool2d", dy, given)


@equation("average-pooling")
@like_for_like
def avg_pool2d(
    x: ArrayLike,
    size: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] | None = None,
    padding: Any = 0,
    dilation: int | tuple[int, int] = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
    backend: str = "auto",
) -> Array:
    """Average pooling: of each window, the mean.

    Parameters
    ----------
    x, size, stride, padding, dilation, ceil_mode, backend
        As in :func:`max_pool2d`.
    count_include_pad : bool
        Divide by all places in the padded image that the window covers, as if the padding held
        zeros, and not by those in the image alone.

    Returns
    -------
    ndarray
        Pooled maps, (N, C, Ho, Wo), of the type of `x`; whole numbers become float64.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`max_pool2d`. Windows of padding alone are refused unless padding counts.

    References
    ----------
    Textbook chapter 5, *Pooling Operation*.

    Examples
    --------
    >>> avg_pool2d([[[[74, 44, 56, 78], [80, 40, 43, 13]]]], 2)
    array([[[[59.5, 47.5]]]])
    >>> avg_pool2d([[[[8.0]]]], 2, padding=((1, 0), (1, 0)), count_include_pad=True)
    array([[[[2.]]]])
    """
    moves = pooled.Moves(stride, padding, dilation, ceil_mode)
    given = pooled.images("avg_pool2d", x, size, moves, backend, include=count_include_pad)
    return pooled.average(given, count_include_pad)


@equation("average-pooling-backward")
@like_for_like
def avg_pool2d_backward(
    dy: ArrayLike,
    x: ArrayLike,
    size: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] | None = None,
    padding: Any = 0,
    dilation: int | tuple[int, int] = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
    backend: str = "auto",
) -> Array:
    """The gradient of average pooling: equal shares to all that the window saw.

    Parameters
    ----------
    dy : array_like
        Gradient of the loss with respect to the output, (N, C, Ho, Wo).
    x, size, stride, padding, dilation, ceil_mode, count_include_pad, backend
        What :func:`avg_pool2d` was called with. Only the shape and the type of `x` matter.

    Returns
    -------
    ndarray
        Gradient with respect to `x`, of its shape.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`avg_pool2d`, or if `dy` has not the shape of the output.

    References
    ----------
    Textbook chapter 5, *Pooling Operation*.

    Examples
    --------
    >>> avg_pool2d_backward([[[[4.0, 8.0]]]], [[[[0.0] * 4] * 2]], 2)
    array([[[[1., 1., 2., 2.],
             [1., 1., 2., 2.]]]])
    """
    moves = pooled.Moves(stride, padding, dilation, ceil_mode)
    given = pooled.images("avg_pool2d_backward", x, size, moves, backend, include=count_include_pad)
    return pooled.average_backward("avg_pool2d", dy, given, count_include_pad)


@equation("l2-pooling")
@like_for_like
def l2_pool2d(
    x: ArrayLike,
    size: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] | None = None,
    padding: Any = 0,
    dilation: int | tuple[int, int] = 1,
    ceil_mode: bool = False,
    backend: str = "auto",
) -> Array:
    """L2 pooling: of each window the L2 norm, the root of the sum of squares.

    The sum is a sum, not a mean, and is taken plainly: where a square is beyond the largest number
    (from 1.8e19 on in float32), the norm is infinite, and where all squares fall below the smallest
    number (from 2.6e-23 down), it is 0.

    Parameters
    ----------
    x, size, stride, padding, dilation, ceil_mode, backend
        As in :func:`max_pool2d`. A window may see padding alone: its norm is 0.

    Returns
    -------
    ndarray
        Pooled maps, (N, C, Ho, Wo), of the type of `x`; whole numbers become float64.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`max_pool2d`.

    References
    ----------
    Textbook chapter 5, *Pooling Operation*.

    Examples
    --------
    >>> l2_pool2d([[[[74, 44, 56, 78], [80, 40, 43, 13]]]], 2).round(3)
    array([[[[124.145, 106.009]]]])
    """
    moves = pooled.Moves(stride, padding, dilation, ceil_mode)
    return pooled.norm(pooled.images("l2_pool2d", x, size, moves, backend, blind=True))


@equation("l2-pooling-backward")
@like_for_like
def l2_pool2d_backward(
    dy: ArrayLike,
    x: ArrayLike,
    size: int | tuple[int, int],
    *,
    stride: int | tuple[int, int] | None = None,
    padding: Any = 0,
    dilation: int | tuple[int, int] = 1,
    ceil_mode: bool = False,
    backend: str = "auto",
) -> Array:
    """The gradient of L2 pooling: a share in proportion to the number itself.

    Parameters
    ----------
    dy : array_like
        Gradient of the loss with respect to the output, (N, C, Ho, Wo).
    x, size, stride, padding, dilation, ceil_mode, backend
        What :func:`l2_pool2d` was called with.

    Returns
    -------
    ndarray
        Gradient with respect to `x`, of its shape. At a norm of 0, where there is none, it is 0.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`l2_pool2d`, or if `dy` has not the shape of the output.

    References
    ----------
    Textbook chapter 5, *Pooling Operation*.

    Examples
    --------
    >>> l2_pool2d_backward([[[[10.0, 1.0]]]], [[[[3.0, 0.0, 0.0, 0.0], [0.0, 4.0, 0.0, 0.0]]]], 2)
    array([[[[6., 0., 0., 0.],
             [0., 8., 0., 0.]]]])
    """
    moves = pooled.Moves(stride, padding, dilation, ceil_mode)
    given = pooled.images("l2_pool2d_backward", x, size, moves, backend, blind=True)
    return pooled.norm_backward("l2_pool2d", dy, given)
