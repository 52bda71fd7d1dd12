"""Pooling: what a small neighbourhood of a feature map holds, without saying where exactly.

A window moves over every channel by itself and answers with one number: the largest it sees, the
mean, or the L2 norm. There is nothing to be learned. An image has the axes (N, C, H, W): example,
channel, row, column; a signal has (N, C, T).

Padding is not data: it never wins a maximum, adds nothing to a norm, and counts in an average only
where `count_include_pad` asks for it. A window that would see nothing but padding has no maximum
and no mean, and is refused; its norm is 0.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.convolutional import operands
from ketkar.convolutional.window import number, pads, pair, place, place1d
from ketkar.equations import equation
from ketkar.kernels import backend as door
from ketkar.kernels.foreign import like_for_like
from ketkar.kernels.geometry import Geometry

__all__ = [
    "avg_pool1d",
    "avg_pool1d_backward",
    "avg_pool2d",
    "avg_pool2d_backward",
    "global_avg_pool2d",
    "global_avg_pool2d_backward",
    "global_l2_pool2d",
    "global_l2_pool2d_backward",
    "global_max_pool2d",
    "global_max_pool2d_backward",
    "l2_pool1d",
    "l2_pool1d_backward",
    "l2_pool2d",
    "l2_pool2d_backward",
    "max_pool1d",
    "max_pool1d_backward",
    "max_pool2d",
    "max_pool2d_backward",
]

Array = NDArray[Any]

_WHOLE: Final = object()
"""The size of a window as large as the image."""


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
    moves = _Moves(stride, padding, dilation, ceil_mode)
    return _max(_images("max_pool2d", x, size, moves, backend))


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
    moves = _Moves(stride, padding, dilation, ceil_mode)
    given = _images("max_pool2d_backward", x, size, moves, backend)
    return _max_backward("max_pool2d", dy, given)


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
    moves = _Moves(stride, padding, dilation, ceil_mode)
    given = _images("avg_pool2d", x, size, moves, backend, include=count_include_pad)
    return _avg(given, count_include_pad)


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
    >>> avg_pool2d_backward([[[[4.0, 8.0]]]], np.zeros((1, 1, 2, 4)), 2)
    array([[[[1., 1., 2., 2.],
             [1., 1., 2., 2.]]]])
    """
    moves = _Moves(stride, padding, dilation, ceil_mode)
    given = _images("avg_pool2d_backward", x, size, moves, backend, include=count_include_pad)
    return _avg_backward("avg_pool2d", dy, given, count_include_pad)


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
    moves = _Moves(stride, padding, dilation, ceil_mode)
    return _l2(_images("l2_pool2d", x, size, moves, backend, blind=True))


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
    moves = _Moves(stride, padding, dilation, ceil_mode)
    given = _images("l2_pool2d_backward", x, size, moves, backend, blind=True)
    return _l2_backward("l2_pool2d", dy, given)


@like_for_like
def max_pool1d(
    x: ArrayLike,
    size: int,
    *,
    stride: int | None = None,
    padding: Any = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
    backend: str = "auto",
) -> Array:
    """Max pooling of signals: :func:`max_pool2d` on images of one row.

    Parameters
    ----------
    x : array_like
        Signals, (N, C, T): example, channel, step. N may be 0.
    size : int
        Steps that the window spans.
    stride : int, optional
        Steps of the window; as many as it spans if left out.
    padding : int, (int, int), "same" or "valid"
        Places at the ends of the signals that hold no number: one number for both; (before, after);
        or a rule, as in :func:`max_pool2d`.
    dilation, ceil_mode, backend
        As in :func:`max_pool2d`.

    Returns
    -------
    ndarray
        Pooled maps, (N, C, To), of the type of `x`; whole numbers become float64.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`max_pool2d`.

    Examples
    --------
    >>> max_pool1d([[[1.0, 3.0, 2.0, 5.0]]], 2)
    array([[[3., 5.]]])
    """
    moves = _Moves(stride, padding, dilation, ceil_mode)
    return _max(_signals("max_pool1d", x, size, moves, backend))[:, :, 0]


@like_for_like
def max_pool1d_backward(
    dy: ArrayLike,
    x: ArrayLike,
    size: int,
    *,
    stride: int | None = None,
    padding: Any = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
    backend: str = "auto",
) -> Array:
    """The gradient of max pooling of signals, from `dy` (N, C, To); of the shape of `x`.

    Parameters and errors are those of :func:`max_pool1d` and :func:`max_pool2d_backward`.

    Examples
    --------
    >>> max_pool1d_backward([[[1.0, 10.0]]], [[[1.0, 3.0, 2.0, 5.0]]], 2)
    array([[[ 0.,  1.,  0., 10.]]])
    """
    moves = _Moves(stride, padding, dilation, ceil_mode)
    given = _signals("max_pool1d_backward", x, size, moves, backend)
    return _max_backward("max_pool1d", dy, given)[:, :, 0]


@like_for_like
def avg_pool1d(
    x: ArrayLike,
    size: int,
    *,
    stride: int | None = None,
    padding: Any = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
    backend: str = "auto",
) -> Array:
    """Average pooling of signals: :func:`avg_pool2d` on images of one row.

    Parameters and errors are those of :func:`max_pool1d` and :func:`avg_pool2d`.

    Examples
    --------
    >>> avg_pool1d([[[1.0, 3.0, 2.0, 5.0]]], 2)
    array([[[2. , 3.5]]])
    """
    moves = _Moves(stride, padding, dilation, ceil_mode)
    given = _signals("avg_pool1d", x, size, moves, backend, include=count_include_pad)
    return _avg(given, count_include_pad)[:, :, 0]


@like_for_like
def avg_pool1d_backward(
    dy: ArrayLike,
    x: ArrayLike,
    size: int,
    *,
    stride: int | None = None,
    padding: Any = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
    backend: str = "auto",
) -> Array:
    """The gradient of average pooling of signals, from `dy` (N, C, To); of the shape of `x`.

    Parameters and errors are those of :func:`avg_pool1d` and :func:`avg_pool2d_backward`.

    Examples
    --------
    >>> avg_pool1d_backward([[[1.0, 10.0]]], np.zeros((1, 1, 4)), 2)
    array([[[0.5, 0.5, 5. , 5. ]]])
    """
    moves = _Moves(stride, padding, dilation, ceil_mode)
    given = _signals("avg_pool1d_backward", x, size, moves, backend, include=count_include_pad)
    return _avg_backward("avg_pool1d", dy, given, count_include_pad)[:, :, 0]


@like_for_like
def l2_pool1d(
    x: ArrayLike,
    size: int,
    *,
    stride: int | None = None,
    padding: Any = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
    backend: str = "auto",
) -> Array:
    """L2 pooling of signals: :func:`l2_pool2d` on images of one row.

    Parameters and errors are those of :func:`max_pool1d` and :func:`l2_pool2d`.

    Examples
    --------
    >>> l2_pool1d([[[3.0, 4.0, 6.0, 8.0]]], 2)
    array([[[ 5., 10.]]])
    """
    moves = _Moves(stride, padding, dilation, ceil_mode)
    return _l2(_signals("l2_pool1d", x, size, moves, backend, blind=True))[:, :, 0]


@like_for_like
def l2_pool1d_backward(
    dy: ArrayLike,
    x: ArrayLike,
    size: int,
    *,
    stride: int | None = None,
    padding: Any = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
    backend: str = "auto",
) -> Array:
    """The gradient of L2 pooling of signals, from `dy` (N, C, To); of the shape of `x`.

    Parameters and errors are those of :func:`l2_pool1d` and :func:`l2_pool2d_backward`.

    Examples
    --------
    >>> l2_pool1d_backward([[[1.0, 10.0]]], [[[3.0, 4.0, 6.0, 8.0]]], 2)
    array([[[0.6, 0.8, 6. , 8. ]]])
    """
    moves = _Moves(stride, padding, dilation, ceil_mode)
    given = _signals("l2_pool1d_backward", x, size, moves, backend, blind=True)
    return _l2_backward("l2_pool1d", dy, given)[:, :, 0]


@like_for_like
def global_max_pool2d(x: ArrayLike, *, backend: str = "auto") -> Array:
    """The largest number of each channel: max pooling with a window as large as the image.

    Parameters
    ----------
    x : array_like
        Images or feature maps, (N, C, H, W). N may be 0.
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes it.

    Returns
    -------
    ndarray
        One number a channel, (N, C): where the image held it does not show.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`max_pool2d`.

    References
    ----------
    Textbook chapter 5, *Pooling Operation*.

    Examples
    --------
    >>> global_max_pool2d([[[[1.0, 4.0], [3.0, 2.0]]]])
    array([[4.]])
    """
    return _max(_images("global_max_pool2d", x, _WHOLE, _Moves(), backend))[:, :, 0, 0]


@like_for_like
def global_max_pool2d_backward(dy: ArrayLike, x: ArrayLike, *, backend: str = "auto") -> Array:
    """The gradient of global max pooling, from `dy` (N, C); of the shape of `x`.

    Examples
    --------
    >>> global_max_pool2d_backward([[5.0]], [[[[1.0, 4.0], [3.0, 2.0]]]])
    array([[[[0., 5.],
             [0., 0.]]]])
    """
    given = _images("global_max_pool2d_backward", x, _WHOLE, _Moves(), backend)
    return _max_backward("global_max_pool2d", dy, given)


@like_for_like
def global_avg_pool2d(x: ArrayLike, *, backend: str = "auto") -> Array:
    """The mean of each channel, (N, C): average pooling with a window as large as the image.

    Parameters and errors are those of :func:`global_max_pool2d`.

    Examples
    --------
    >>> global_avg_pool2d([[[[1.0, 4.0], [3.0, 2.0]]]])
    array([[2.5]])
    """
    return _avg(_images("global_avg_pool2d", x, _WHOLE, _Moves(), backend), False)[:, :, 0, 0]


@like_for_like
def global_avg_pool2d_backward(dy: ArrayLike, x: ArrayLike, *, backend: str = "auto") -> Array:
    """The gradient of global average pooling, from `dy` (N, C); of the shape of `x`.

    Examples
    --------
    >>> global_avg_pool2d_backward([[5.0]], [[[[1.0, 4.0], [3.0, 2.0]]]])
    array([[[[1.25, 1.25],
             [1.25, 1.25]]]])
    """
    given = _images("global_avg_pool2d_backward", x, _WHOLE, _Moves(), backend)
    return _avg_backward("global_avg_pool2d", dy, given, False)


@like_for_like
def global_l2_pool2d(x: ArrayLike, *, backend: str = "auto") -> Array:
    """The L2 norm of each channel, (N, C): L2 pooling with a window as large as the image.

    Parameters and errors are those of :func:`global_max_pool2d`.

    Examples
    --------
    >>> global_l2_pool2d([[[[1.0, 4.0], [2.0, 2.0]]]])
    array([[5.]])
    """
    return _l2(_images("global_l2_pool2d", x, _WHOLE, _Moves(), backend))[:, :, 0, 0]


@like_for_like
def global_l2_pool2d_backward(dy: ArrayLike, x: ArrayLike, *, backend: str = "auto") -> Array:
    """The gradient of global L2 pooling, from `dy` (N, C); of the shape of `x`.

    Examples
    --------
    >>> global_l2_pool2d_backward([[5.0]], [[[[1.0, 4.0], [2.0, 2.0]]]])
    array([[[[1., 4.],
             [2., 2.]]]])
    """
    given = _images("global_l2_pool2d_backward", x, _WHOLE, _Moves(), backend)
    return _l2_backward("global_l2_pool2d", dy, given)


class _Moves(NamedTuple):
    """How the window moves, as the caller wrote it."""

    stride: Any = None
    padding: Any = 0
    dilation: Any = 1
    ceil_mode: bool = False


class _Given(NamedTuple):
    """What a pooling is called with, checked: an image of (N, C, H, W), and the output's shape."""

    x: Array
    size: tuple[int, int]
    geometry: Geometry
    kernels: ModuleType
    shape: tuple[int, ...]


def _max(given: _Given) -> Array:
    x, size, geometry, kernels, shape = given
    y = operands.empty(shape, x.dtype, x)
    if len(x):
        kernels.max_pool2d_forward(x, size, geometry, y)  # (5.10)
    return y


def _max_backward(function: str, dy: ArrayLike, given: _Given) -> Array:
    x, size, geometry, kernels, _ = given
    delta, dx = _gradient(function, dy, given), np.empty_like(x)
    if len(x):
        kernels.max_pool2d_backward(delta, x, size, geometry, dx)  # (5.13)
    return dx


def _avg(given: _Given, include: bool) -> Array:
    x, size, geometry, kernels, shape = given
    y = operands.empty(shape, x.dtype, x)
    if len(x):
        kernels.avg_pool2d_forward(x, size, geometry, include, y)  # (5.11)
    return y


def _avg_backward(function: str, dy: ArrayLike, given: _Given, include: bool) -> Array:
    x, size, geometry, kernels, _ = given
    delta, dx = _gradient(function, dy, given), np.empty_like(x)
    if len(x):
        kernels.avg_pool2d_backward(delta, size, geometry, include, dx)  # (5.14)
    return dx


def _l2(given: _Given) -> Array:
    x, size, geometry, kernels, shape = given
    y = operands.empty(shape, x.dtype, x)
    if len(x):
        kernels.l2_pool2d_forward(x, size, geometry, y)  # (5.12)
    return y


def _l2_backward(function: str, dy: ArrayLike, given: _Given) -> Array:
    x, size, geometry, kernels, _ = given
    delta, dx = _gradient(function, dy, given), np.empty_like(x)
    if len(x):
        kernels.l2_pool2d_backward(delta, x, _l2(given), size, geometry, dx)  # (5.15)
    return dx


def _gradient(function: str, dy: ArrayLike, given: _Given) -> Array:
    """`dy` with the axes of an image, refused unless it has the shape of the output."""
    N, C, *places = given.shape
    shape = (N, C) if function.startswith("global") else (N, C, *places)
    shape = (N, C, places[1]) if function.endswith("1d") else shape
    return operands.gradient(function, dy, shape, given.x.dtype).reshape(given.shape)


def _images(
    function: str,
    x: ArrayLike,
    size: Any,
    moves: _Moves,
    backend: str,
    *,
    include: bool = False,
    blind: bool = False,
) -> _Given:
    """What pooling of images needs."""
    x = _array(function, x, operands.IMAGE)
    window = x.shape[2:] if size is _WHOLE else pair(size, "size")
    stride = pair(window if moves.stride is None else moves.stride, "stride")
    _flags(moves.ceil_mode, include)
    room = x.shape[2:]
    if moves.ceil_mode and not isinstance(moves.padding, str):
        ends, dilation = pads(moves.padding), pair(moves.dilation, "dilation")
        room = tuple(map(_room, room, ends, window, dilation, stride))
    geometry = place(room, window, stride, moves.padding, moves.dilation)
    return _settled(function, x, window, geometry, moves.ceil_mode, blind or include, backend)


def _signals(
    function: str,
    x: ArrayLike,
    size: Any,
    moves: _Moves,
    backend: str,
    *,
    include: bool = False,
    blind: bool = False,
) -> _Given:
    """What pooling of signals needs: they become images of one row."""
    x = _array(function, x, operands.SIGNAL)
    k = number(size, "size")
    stride = number(k if moves.stride is None else moves.stride, "stride")
    _flags(moves.ceil_mode, include)
    T = x.shape[2]
    if moves.ceil_mode and not isinstance(moves.padding, str):
        ends = pair(moves.padding, "padding", least=0, form="a pair (before, after)")
        T = _room(T, ends, k, number(moves.dilation, "dilation"), stride)
    geometry = place1d(T, k, stride, moves.padding, moves.dilation)
    x = x[:, :, None]
    return _settled(function, x, (1, k), geometry, moves.ceil_mode, blind or include, backend)


def _array(function: str, x: ArrayLike, axes: tuple[str, ...]) -> Array:
    """`x` as an array of these axes, not empty but for the batch."""
    x = checks.float_array(x, "x")
    checks.axes(x, "x", axes, function)
    if 0 in x.shape[1:]:
        checks.not_empty(x, "x")
    return x


def _flags(ceil_mode: Any, include: Any) -> None:
    for name, value in (("ceil_mode", ceil_mode), ("count_include_pad", include)):
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{name} must be True or False, got {checks.shown(value)}")


def _room(size: int, ends: tuple[int, int], window: int, dilation: int, stride: int) -> int:
    """The rows or columns a window may take where the output is rounded up.

    By less than a step it may be larger than the padded image.
    """
    missing = dilation * (window - 1) + 1 - size - sum(ends)
    return size + missing if 0 < missing < stride else size


def _settled(
    function: str,
    x: Array,
    window: tuple[int, int],
    geometry: Geometry,
    ceil_mode: bool,
    blind: bool,
    backend: str,
) -> _Given:
    """The output's size, and the image as a kernel wants it; `blind` windows see padding alone."""
    g, (H, W) = geometry, x.shape[2:]
    rows = _Side("row", H, window[0], g.stride_rows, g.top, g.bottom, g.dilation_rows)
    columns = _Side("column", W, window[1], g.stride_columns, g.left, g.right, g.dilation_columns)
    outputs = []
    for side in (rows, columns):
        outputs.append(side.outputs(ceil_mode))
        if not blind and (side.before or side.after) and side.is_blind(outputs[-1]):
            raise ValueError(
                f"{function} would have a window that sees only padding: it spans {side.reach} "
                f"{side.what}s, the image has {side.size} and the padding {side.before} before "
                f"and {side.after} after it"
            )
    shape = (*x.shape[:2], *outputs)
    return _Given(door.ready(x), window, geometry, door.kernels(backend, x), shape)


class _Side(NamedTuple):
    """The rows or the columns that a window moves over."""

    what: str
    size: int
    window: int
    stride: int
    before: int
    after: int
    dilation: int

    @property
    def reach(self) -> int:
        """From the first to the last place the window sees."""
        return self.dilation * (self.window - 1) + 1

    def outputs(self, ceil_mode: bool) -> int:
        """How many windows there are."""
        free = self.before + self.size + self.after - self.reach
        if not ceil_mode:
            return free // self.stride + 1  # (5.25)
        count = -(-free // self.stride) + 1
        begins_behind = (count - 1) * self.stride >= self.before + self.size
        return count - 1 if begins_behind else count

    def is_blind(self, outputs: int) -> bool:
        """Whether one of the windows sees nothing of the image."""
        last = (outputs - 1) * self.stride - self.before
        if self.before >= self.reach or last >= self.size:
            return True
        if self.dilation <= self.size:
            return False
        # between two places that a window sees there may be room for the whole image
        early = min(outputs, -(-self.before // self.stride))
        starts = np.arange(early) * self.stride - self.before
        return bool((starts % self.dilation >= self.size).any())
