"""The convolution itself, as the sums read: of signals and of images, flipped and not.

A convolution flips the kernel, a cross-correlation does not. Layers compute the second and call it
the first: a kernel that is learned may as well be learned flipped.

Each function here takes one tap of the kernel after the other and adds the whole signal, times the
tap, at the places where this tap puts it: the sum of the equation, its two loops exchanged. What
lies outside of a signal is zero.
"""

# ruff: noqa: E741
# I is the textbook's name for the input; nothing here could be taken for a one.

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.convolutional.operands import empty
from ketkar.convolutional.window import number
from ketkar.equations import equation

__all__ = [
    "convolution_matrix",
    "convolve1d",
    "convolve2d",
    "cross_correlate1d",
    "cross_correlate2d",
    "normalised_cross_correlate1d",
]

Array = NDArray[Any]

MODES: Final = ("full", "same", "valid")


@equation("convolution", "convolution-commuted")
def convolve1d(I: ArrayLike, K: ArrayLike, mode: str = "full") -> Array:
    """The convolution of a signal with a kernel: the kernel is flipped, and the two commute.

    Parameters
    ----------
    I : array_like
        The signal, (T,).
    K : array_like
        The kernel, (k,).
    mode : {"full", "same", "valid"}
        Which of the T + k - 1 places, at which the two overlap at all, are returned. "full": all.
        "same": T of them, from place floor((k - 1) / 2) on, as in SciPy. "valid": the T - k + 1 at
        which the whole kernel lies on the signal.

    Returns
    -------
    ndarray
        The sums s, of the type that `I` and `K` share.

    Raises
    ------
    ValueError
        If `I` or `K` is empty or has not one axis, or in mode "valid" the kernel is longer than
        the signal.
    TypeError
        If one holds anything but real numbers.

    References
    ----------
    Textbook chapter 5, *Convolution Operation*.

    Examples
    --------
    >>> convolve1d([1.0, 2.0, 4.0], [1.0, -1.0])
    array([ 1.,  1.,  2., -4.])
    >>> convolve1d([1.0, -1.0], [1.0, 2.0, 4.0])
    array([ 1.,  1.,  2., -4.])
    """
    I, K = _operands("convolve1d", I, K, ("step",), mode)
    T, k = len(I), len(K)
    s = np.zeros(T + k - 1, K.dtype)
    for a in range(k):
        s[a : a + T] += I * K[a]  # (5.2): I(t - a) K(a), for all t at once
    return s[_part(mode, T, k, (k - 1) // 2)]


@equation("cross-correlation")
def cross_correlate1d(I: ArrayLike, K: ArrayLike, mode: str = "valid") -> Array:
    """The cross-correlation of a signal with a kernel, which is laid on the signal as it is.

    It is the convolution with the flipped kernel, and the two do not commute.

    Parameters
    ----------
    I : array_like
        The signal, (T,).
    K : array_like
        The kernel, (k,).
    mode : {"full", "same", "valid"}
        Which of the T + k - 1 places, at which the two overlap at all, are returned. "full": all,
        t from 1 - k to T - 1. "same": T of them, from t = -floor((k - 1) / 2) on, as in a layer
        with padding "same". "valid": the T - k + 1 from t = 0 on, at which the whole kernel lies
        on the signal.

    Returns
    -------
    ndarray
        The sums s, of the type that `I` and `K` share.

    Raises
    ------
    ValueError, TypeError
        As :func:`convolve1d`.

    References
    ----------
    Textbook chapter 5, *Convolution Operation*.

    Examples
    --------
    >>> cross_correlate1d([1.0, 2.0, 4.0], [1.0, -1.0])
    array([-1., -2.])
    """
    I, K = _operands("cross_correlate1d", I, K, ("step",), mode)
    T, k = len(I), len(K)
    s = np.zeros(T + k - 1, K.dtype)
    for a in range(k):
        first = k - 1 - a
        s[first : first + T] += I * K[a]  # (5.3): I(t + a) K(a), for all t at once
    return s[_part(mode, T, k, k // 2)]


@equation("convolution-2d", "convolution-2d-commuted")
def convolve2d(I: ArrayLike, K: ArrayLike, mode: str = "full") -> Array:
    """The convolution of an image with a kernel, which is flipped in both directions.

    Parameters
    ----------
    I : array_like
        The image, (H, W).
    K : array_like
        The kernel, (R, S).
    mode : {"full", "same", "valid"}
        As in :func:`convolve1d`, for the rows and for the columns.

    Returns
    -------
    ndarray
        The sums s, of the type that `I` and `K` share: (H + R - 1, W + S - 1), (H, W) or
        (H - R + 1, W - S + 1).

    Raises
    ------
    ValueError, TypeError
        As :func:`convolve1d`; two axes are expected.

    References
    ----------
    Textbook chapter 5, *Convolution Operation*.

    Examples
    --------
    >>> convolve2d([[1.0, 2.0], [3.0, 4.0]], [[1.0, -1.0]])
    array([[ 1.,  1., -2.],
           [ 3.,  1., -4.]])
    """
    I, K = _operands("convolve2d", I, K, ("row", "column"), mode)
    (H, W), (R, S) = I.shape, K.shape
    s = np.zeros((H + R - 1, W + S - 1), K.dtype)
    for a, b in np.ndindex(R, S):
        s[a : a + H, b : b + W] += I * K[a, b]  # (5.5): I(m - a, n - b) K(a, b), for all m, n
    return s[_part(mode, H, R, (R - 1) // 2), _part(mode, W, S, (S - 1) // 2)]


@equation("cross-correlation-2d")
def cross_correlate2d(I: ArrayLike, K: ArrayLike, mode: str = "valid") -> Array:
    """The cross-correlation of an image with a kernel: what a layer calls a convolution.

    Parameters
    ----------
    I : array_like
        The image, (H, W).
    K : array_like
        The kernel, (R, S).
    mode : {"full", "same", "valid"}
        As in :func:`cross_correlate1d`, for the rows and for the columns.

    Returns
    -------
    ndarray
        The sums s, of the type that `I` and `K` share: (H + R - 1, W + S - 1), (H, W) or
        (H - R + 1, W - S + 1).

    Raises
    ------
    ValueError, TypeError
        As :func:`convolve1d`; two axes are expected.

    References
    ----------
    Textbook chapter 5, *Convolution Operation*.

    Examples
    --------
    >>> cross_correlate2d([[1.0, 2.0], [3.0, 4.0]], [[1.0, -1.0]])
    array([[-1.],
           [-1.]])
    """
    I, K = _operands("cross_correlate2d", I, K, ("row", "column"), mode)
    (H, W), (R, S) = I.shape, K.shape
    s = np.zeros((H + R - 1, W + S - 1), K.dtype)
    for a, b in np.ndindex(R, S):
        m, n = R - 1 - a, S - 1 - b
        s[m : m + H, n : n + W] += I * K[a, b]  # (5.6): I(m + a, n + b) K(a, b), for all m, n
    return s[_part(mode, H, R, R // 2), _part(mode, W, S, S // 2)]


@equation("normalised-correlation")
def normalised_cross_correlate1d(I: ArrayLike, K: ArrayLike) -> Array:
    """How much each window of a signal looks like the kernel: the cosine of the angle of the two.

    The cross-correlation alone is high where the window is like the kernel, or merely large; the
    cosine reaches 1 only where the window is a multiple of the kernel.

    Parameters
    ----------
    I : array_like
        The signal, (T,).
    K : array_like
        The kernel, (k,).

    Returns
    -------
    ndarray
        Numbers in [-1, 1], (T - k + 1,), of the type that `I` and `K` share; 0 where the window or
        the kernel is zero and so has no direction.

    Raises
    ------
    ValueError, TypeError
        As :func:`convolve1d`.

    References
    ----------
    Textbook chapter 5, *Convolution Operation*.

    Examples
    --------
    >>> normalised_cross_correlate1d([1.0, 2.0, 20.0, 40.0], [1.0, 2.0]).round(3)
    array([1.   , 0.934, 1.   ])
    """
    I, K = _operands("normalised_cross_correlate1d", I, K, ("step",), "valid")
    windows = np.lib.stride_tricks.sliding_window_view(I, len(K))
    return np.clip(_directions(windows) @ _directions(K), -1, 1)  # (5.7); clip what was rounded


@equation("convolution-matrix")
def convolution_matrix(K: ArrayLike, size: int, mode: str = "valid") -> Array:
    """The banded matrix of a cross-correlation: a layer that shares weights, as a dense one.

    Parameters
    ----------
    K : array_like
        The kernel, (k,).
    size : int
        The length T of the signal.
    mode : {"full", "same", "valid"}
        As in :func:`cross_correlate1d`.

    Returns
    -------
    ndarray
        The matrix, (number of places, T), for which ``matrix @ I`` is
        ``cross_correlate1d(I, K, mode)``. Each diagonal holds one tap: the matrix is Toeplitz.

    Raises
    ------
    ValueError, TypeError
        As :func:`convolve1d`, or if `size` is not a whole number of at least 1.

    References
    ----------
    Textbook chapter 5, *Convolution Operation*.

    Examples
    --------
    >>> convolution_matrix([1.0, 2.0, 3.0], 5)
    array([[1., 2., 3., 0., 0.],
           [0., 1., 2., 3., 0.],
           [0., 0., 1., 2., 3.]])
    """
    T, K = number(size, "size"), _array("convolution_matrix", K, "K", ("step",))
    _fits(mode, (T,), K.shape)
    k = len(K)
    matrix = empty((T + k - 1, T), K.dtype, K)
    matrix.fill(0)
    j = np.arange(T)
    for a in range(k):
        matrix[j + k - 1 - a, j] = K[a]  # (5.8)
    return matrix[_part(mode, T, k, k // 2)]


def _operands(
    function: str, I: ArrayLike, K: ArrayLike, axes: tuple[str, ...], mode: str
) -> tuple[Array, Array]:
    """Signal and kernel as arrays of one type with these axes."""
    I, K = _array(function, I, "I", axes), _array(function, K, "K", axes)
    _fits(mode, I.shape, K.shape)
    kind = np.result_type(I, K)
    return I.astype(kind, copy=False), K.astype(kind, copy=False)


def _array(function: str, value: ArrayLike, name: str, axes: tuple[str, ...]) -> Array:
    array = checks.float_array(value, name)
    checks.axes(array, name, axes, function)
    checks.not_empty(array, name)
    return array


def _fits(mode: str, I: tuple[int, ...], K: tuple[int, ...]) -> None:
    """Refuse a mode that there is not, or "valid" for a kernel that nowhere lies on the signal."""
    checks.one_of(mode, "mode", MODES)
    if mode == "valid" and any(k > n for k, n in zip(K, I, strict=True)):
        raise ValueError(f'K {K} is larger than I {I}, which mode "valid" rules out')


def _part(mode: str, n: int, k: int, first: int) -> slice:
    """Which of the n + k - 1 places a mode keeps; those of "same" begin at `first`."""
    if mode == "full":
        return slice(None)
    return slice(first, first + n) if mode == "same" else slice(k - 1, n)


def _directions(rows: Array) -> Array:
    """Each row divided by its length; a row of zeros stays as it is."""
    largest = np.abs(rows).max(axis=-1, keepdims=True)  # divided out first: squares may overflow
    scaled = rows / np.where(largest == 0, 1, largest)
    length = np.sqrt((scaled**2).sum(axis=-1, keepdims=True))
    return scaled / np.where(length == 0, 1, length)
