"""Global pooling: one number a channel, from a window as large as the image."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from ketkar.convolutional import pooled
from ketkar.kernels.foreign import like_for_like

__all__ = [
    "global_avg_pool2d",
    "global_avg_pool2d_backward",
    "global_l2_pool2d",
    "global_l2_pool2d_backward",
    "global_max_pool2d",
    "global_max_pool2d_backward",
]

Array = NDArray[Any]


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
    return pooled.maximum(_whole("global_max_pool2d", x, backend))[:, :, 0, 0]


@like_for_like
def global_max_pool2d_backward(dy: ArrayLike, x: ArrayLike, *, backend: str = "auto") -> Array:
    """The gradient of global max pooling, from `dy` (N, C); of the shape of `x`.

    Examples
    --------
    >>> global_max_pool2d_backward([[5.0]], [[[[1.0, 4.0], [3.0, 2.0]]]])
    array([[[[0., 5.],
             [0., 0.]]]])
    """
    given = _whole("global_max_pool2d_backward", x, backend)
    return pooled.maximum_backward("global_max_pool2d", dy, given)


@like_for_like
def global_avg_pool2d(x: ArrayLike, *, backend: str = "auto") -> Array:
    """The mean of each channel, (N, C): average pooling with a window as large as the image.

    Parameters and errors are those of :func:`global_max_pool2d`.

    Examples
    --------
    >>> global_avg_pool2d([[[[1.0, 4.0], [3.0, 2.0]]]])
    array([[2.5]])
    """
    return pooled.average(_whole("global_avg_pool2d", x, backend), False)[:, :, 0, 0]


@like_for_like
def global_avg_pool2d_backward(dy: ArrayLike, x: ArrayLike, *, backend: str = "auto") -> Array:
    """The gradient of global average pooling, from `dy` (N, C); of the shape of `x`.

    Examples
    --------
    >>> global_avg_pool2d_backward([[5.0]], [[[[1.0, 4.0], [3.0, 2.0]]]])
    array([[[[1.25, 1.25],
             [1.25, 1.25]]]])
    """
    given = _whole("global_avg_pool2d_backward", x, backend)
    return pooled.average_backward("global_avg_pool2d", dy, given, False)


@like_for_like
def global_l2_pool2d(x: ArrayLike, *, backend: str = "auto") -> Array:
    """The L2 norm of each channel, (N, C): L2 pooling with a window as large as the image.

    Parameters and errors are those of :func:`global_max_pool2d`.

    Examples
    --------
    >>> global_l2_pool2d([[[[1.0, 4.0], [2.0, 2.0]]]])
    array([[5.]])
    """
    return pooled.norm(_whole("global_l2_pool2d", x, backend))[:, :, 0, 0]


@like_for_like
def global_l2_pool2d_backward(dy: ArrayLike, x: ArrayLike, *, backend: str = "auto") -> Array:
    """The gradient of global L2 pooling, from `dy` (N, C); of the shape of `x`.

    Examples
    --------
    >>> global_l2_pool2d_backward([[5.0]], [[[[1.0, 4.0], [2.0, 2.0]]]])
    array([[[[1., 4.],
             [2., 2.]]]])
    """
    given = _whole("global_l2_pool2d_backward", x, backend)
    return pooled.norm_backward("global_l2_pool2d", dy, given)


def _whole(function: str, x: ArrayLike, backend: str) -> pooled.Given:
    """A pooling, checked, whose window is as large as the image."""
    return pooled.images(function, x, pooled.WHOLE, pooled.Moves(), backend)
