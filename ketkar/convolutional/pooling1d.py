"""Pooling of signals (N, C, T): that of images of one row."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from ketkar.convolutional import pooled
from ketkar.kernels.foreign import like_for_like

__all__ = [
    "avg_pool1d",
    "avg_pool1d_backward",
    "l2_pool1d",
    "l2_pool1d_backward",
    "max_pool1d",
    "max_pool1d_backward",
]

Array = NDArray[Any]


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
    moves = pooled.Moves(stride, padding, dilation, ceil_mode)
    return pooled.maximum(pooled.signals("max_pool1d", x, size, moves, backend))[:, :, 0]


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
    moves = pooled.Moves(stride, padding, dilation, ceil_mode)
    given = pooled.signals("max_pool1d_backward", x, size, moves, backend)
    return pooled.maximum_backward("max_pool1d", dy, given)[:, :, 0]


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
    moves = pooled.Moves(stride, padding, dilation, ceil_mode)
    given = pooled.signals("avg_pool1d", x, size, moves, backend, include=count_include_pad)
    return pooled.average(given, count_include_pad)[:, :, 0]


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
    >>> avg_pool1d_backward([[[1.0, 10.0]]], [[[0.0] * 4]], 2)
    array([[[0.5, 0.5, 5. , 5. ]]])
    """
    moves = pooled.Moves(stride, padding, dilation, ceil_mode)
    given = pooled.signals(
        "avg_pool1d_backward", x, size, moves, backend, include=count_include_pad
    )
    return pooled.average_backward("avg_pool1d", dy, given, count_include_pad)[:, :, 0]


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
    moves = pooled.Moves(stride, padding, dilation, ceil_mode)
    return pooled.norm(pooled.signals("l2_pool1d", x, size, moves, backend, blind=True))[:, :, 0]


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
    moves = pooled.Moves(stride, padding, dilation, ceil_mode)
    given = pooled.signals("l2_pool1d_backward", x, size, moves, backend, blind=True)
    return pooled.norm_backward("l2_pool1d", dy, given)[:, :, 0]
