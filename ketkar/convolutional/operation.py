"""The convolution itself, as the sums read: of signals and of images, flipped and not.

A convolution flips the kernel; a cross-correlation does not. Layers use the latter and call it
convolution: a kernel that is learned can be learned flipped.

Each function adds, tap after tap of the kernel, the whole signal times this tap, moved to where
the tap puts it: the sum of the equation with its two loops exchanged.
"""

# ruff: noqa: E741
# I is the textbook's name for the input; nothing here could be taken for a one.

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
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

MODES: Final = ("full", "same", "valid")


@equation("convolution", "convolution-commuted")
def convolve1d(I: ArrayLike, K: ArrayLike, mode: str = "full") -> NDArray[Any]:
    """The convolution of a signal with a kernel, which is flipped.

    Examples
    --------
    >>> convolve1d([1.0, 2.0, 4.0], [1.0, -1.0])
    array([ 1.,  1.,  2., -4.])
    """
    I, K = _operands(I, K, ("step",), mode, "convolve1d")
    n, k = len(I), len(K)
    s = np.zeros(n + k - 1, K.dtype)
    for a in range(k):
        s[a : a + n] += I * K[a]  # (5.2): I(t - a) K(a), for all t
    return s[_part(n, k, mode, (k - 1) // 2)]


@equation("cross-correlation")
def cross_correlate1d(I: ArrayLike, K: ArrayLike, mode: str = "valid") -> NDArray[Any]:
    """The cross-correlation of a signal with a kernel: the kernel is laid on the signal as it is.

    Examples
    --------
    >>> cross_correlate1d([1.0, 2.0, 4.0], [1.0, -1.0])
    array([-1., -2.])
    """
    I, K = _operands(I, K, ("step",), mode, "cross_correlate1d")
    n, k = len(I), len(K)
    s = np.zeros(n + k - 1, K.dtype)
    for a in range(k):
        s[k - 1 - a : k - 1 - a + n] += I * K[a]  # (5.3): I(t + a) K(a), for all t from 1 - k
    return s[_part(n, k, mode, k // 2)]


@equation("convolution-2d", "convolution-2d-commuted")
def convolve2d(I: ArrayLike, K: ArrayLike, mode: str = "full") -> NDArray[Any]:
    """The convolution of an image with a kernel, which is flipped in both directions.

    Examples
    --------
    >>> convolve2d([[1.0, 2.0], [3.0, 4.0]], [[1.0, -1.0]], mode="same")
    array([[1., 1.],
           [3., 1.]])
    """
    I, K = _operands(I, K, ("row", "column"), mode, "convolve2d")
    (H, W), (R, S) = I.shape, K.shape
    s = np.zeros((H + R - 1, W + S - 1), K.dtype)
    for a, b in np.ndindex(R, S):
        s[a : a + H, b : b + W] += I * K[a, b]  # (5.5): I(m - a, n - b) K(a, b), for all m, n
    return s[_part(H, R, mode, (R - 1) // 2), _part(W, S, mode, (S - 1) // 2)]


@equation("cross-correlation-2d")
def cross_correlate2d(I: ArrayLike, K: ArrayLike, mode: str = "valid") -> NDArray[Any]:
    """The cross-correlation of an image with a kernel: what layers call convolution.

    Examples
    --------
    >>> cross_correlate2d([[1.0, 2.0], [3.0, 4.0]], [[1.0, -1.0]])
    array([[-1.],
           [-1.]])
    """
    I, K = _operands(I, K, ("row", "column"), mode, "cross_correlate2d")
    (H, W), (R, S) = I.shape, K.shape
    s = np.zeros((H + R - 1, W + S - 1), K.dtype)
    for a, b in np.ndindex(R, S):
        m, n = R - 1 - a, S - 1 - b
        s[m : m + H, n : n + W] += I * K[a, b]  # (5.6): I(m + a, n + b) K(a, b), for all m, n
    return s[_part(H, R, mode, R // 2), _part(W, S, mode, S // 2)]


@equation("normalised-correlation")
def normalised_cross_correlate1d(I: ArrayLike, K: ArrayLike) -> NDArray[Any]:
    """How much each window of a signal looks like the kernel: the cosine of their angle.

    Examples
    --------
    >>> normalised_cross_correlate1d([1.0, 2.0, 20.0, 40.0], [1.0, 2.0]).round(3)
    array([1.   , 0.934, 1.   ])
    """
    I, K = _operands(I, K, ("step",), "valid", "normalised_cross_correlate1d")
    windows = np.lib.stride_tricks.sliding_window_view(I, len(K))
    return _directions(windows) @ _directions(K)  # (5.7)


@equation("convolution-matrix")
def convolution_matrix(K: ArrayLike, size: int, mode: str = "valid") -> NDArray[Any]:
    """The layer as a dense one: the matrix T of which T I is the cross-correlation of I with K.

    Examples
    --------
    >>> convolution_matrix([1.0, 2.0, 3.0], 5)
    array([[1., 2., 3., 0., 0.],
           [0., 1., 2., 3., 0.],
           [0., 0., 1., 2., 3.]])
    """
    n = number(size, "size")
    _, K = _operands(np.zeros(n, np.float32), K, ("step",), mode, "convolution_matrix")
    k = len(K)
    T = np.zeros((n + k - 1, n), K.dtype)
    for a in range(k):
        j = np.arange(n)
        T[j + k - 1 - a, j] = K[a]  # (5.8)
    return T[_part(n, k, mode, k // 2)]


def _operands(
    I: ArrayLike, K: ArrayLike, axes: tuple[str, ...], mode: str, function: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Signal and kernel as arrays of one type and of so many axes."""
    I, K = checks.float_array(I, "I"), checks.float_array(K, "K")
    for array, name in ((I, "I"), (K, "K")):
        checks.axes(array, name, axes, function)
        checks.not_empty(array, name)
    checks.one_of(mode, "mode", MODES)
    if mode == "valid" and any(k > n for k, n in zip(K.shape, I.shape, strict=True)):
        raise ValueError(f'K {K.shape} does not fit into I {I.shape}; mode "valid" needs that')
    kind = np.result_type(I, K)
    return I.astype(kind, copy=False), K.astype(kind, copy=False)


def _part(n: int, k: int, mode: str, first: int) -> slice:
    """Which of the n + k - 1 places of the full sum a mode keeps; `first` begins "same"."""
    if mode == "full":
        return slice(None)
    return slice(first, first + n) if mode == "same" else slice(k - 1, n)


def _directions(rows: NDArray[Any]) -> NDArray[Any]:
    """Each row divided by its length; rows of zeros stay. Large numbers do not overflow."""
    largest = np.abs(rows).max(axis=-1, keepdims=True)
    scaled = rows / np.where(largest == 0, 1, largest)
    length = np.sqrt((scaled**2).sum(axis=-1, keepdims=True))
    return scaled / np.where(length == 0, 1, length)
