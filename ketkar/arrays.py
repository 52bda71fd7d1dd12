"""Arrays of NumPy, and arrays of a device that answer to NumPy's functions, such as CuPy's.

NumPy hands a function that is called with a foreign array to the array's own library (NEP 18 and
NEP 35), so the chapters' formulas hold for both. What differs stands here: how to know one, and how
to make a new array beside one that is there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["as_array", "beside", "contiguous", "empty", "full", "on_device", "usable", "zeros"]

Array = NDArray[Any]
Shape = int | tuple[int, ...]


def on_device(value: Any) -> bool:
    """Whether `value` is an array in the memory of a device on which NumPy's functions work.

    Examples
    --------
    >>> on_device(np.zeros(3))
    False
    """
    kind = type(value)
    return (
        kind is not np.ndarray
        and hasattr(kind, "__cuda_array_interface__")
        and hasattr(kind, "__array_function__")
    )


def as_array(value: Any) -> Array:
    """`value` as an array of NumPy; one of a device stays as it is.

    Raises
    ------
    TypeError
        If it is on a device, but NumPy's functions do not work on it. It is not copied in silence.
    """
    if type(value) is np.ndarray or on_device(value):
        array: Array = value
        return array
    if hasattr(value, "__cuda_array_interface__"):
        raise TypeError(
            f"NumPy's functions do not work on {type(value).__name__}, an array of a device; "
            "cupy.asarray makes an array of CuPy of it, without a copy"
        )
    return np.asarray(value)


def beside(value: Any, like: Array) -> Array:
    """`value` as an array where `like` is: a NumPy array is copied to the device of `like`."""
    if on_device(like) and not on_device(value):
        return np.asarray(value, like=like)
    return as_array(value)


def contiguous(array: Array, dtype: DTypeLike | None = None) -> Array:
    """The array with its rows one after the other, of a type; copied only where it is not so."""
    if on_device(array):
        return np.ascontiguousarray(array, dtype, like=array)
    return np.ascontiguousarray(array, dtype)


def empty(shape: Shape, dtype: DTypeLike, like: Array) -> Array:
    """An array, not filled, where `like` is."""
    return np.empty(shape, dtype, like=like) if on_device(like) else np.empty(shape, dtype)


def zeros(shape: Shape, dtype: DTypeLike, like: Array) -> Array:
    """An array of zeros where `like` is."""
    return np.zeros(shape, dtype, like=like) if on_device(like) else np.zeros(shape, dtype)


def full(shape: Shape, value: float, dtype: DTypeLike, like: Array) -> Array:
    """An array of one number all through, where `like` is."""
    if on_device(like):
        return np.full(shape, value, dtype, like=like)
    return np.full(shape, value, dtype)


def usable(array: Array) -> bool:
    """Whether a kernel may take the array as it is: contiguous, aligned and writeable."""
    return bool(array.flags.c_contiguous if on_device(array) else array.flags.carray)
