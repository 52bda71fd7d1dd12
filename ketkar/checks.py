"""Checks of what a user passes in: each failure is one sentence that names axes and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar.arrays import as_array

Float = np.float32 | np.float64
FloatArray = NDArray[np.float32] | NDArray[np.float64]

_FLOATS = np.dtype(np.float32), np.dtype(np.float64)


def shown(value: Any) -> str:
    """`value` as an error shows it: what is short as it is, anything else by its type.

    Examples
    --------
    >>> shown("relu"), shown(list(range(1000)))
    ("'relu'", 'a list')
    """
    simple = isinstance(value, str | bytes | bool | int | float | complex | type(None))
    text = repr(value) if simple or isinstance(value, list | tuple) else ""
    if text and len(text) <= 60 and " at 0x" not in text and "\n" not in text:
        return text
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def listed(value: Any, name: str, what: str) -> list[Any]:
    """`value` as a list, refused unless it can be gone through.

    Raises
    ------
    TypeError
        If `value` has no entries to go through.
    """
    try:
        return list(value)
    except TypeError:
        raise TypeError(f"{name} must be a sequence of {what}, got {shown(value)}") from None


def array_of(value: ArrayLike, name: str) -> NDArray[Any]:
    """`value` as an array of whatever it holds; that of a device stays there.

    Raises
    ------
    TypeError
        If its rows have different lengths.
    """
    try:
        return as_array(value)
    except ValueError:
        raise TypeError(f"{name} is ragged: its rows have different lengths") from None


def float_array(value: ArrayLike, name: str) -> NDArray[Any]:
    """`value` as an array of float32 or float64; integers and booleans become float64.

    Raises
    ------
    TypeError
        If `value` holds anything but real numbers.
    """
    if type(value) is np.ndarray and value.dtype in _FLOATS:
        return value  # the common case, and the other checks take a microsecond
    array = array_of(value, name)
    if array.dtype in _FLOATS:
        return array
    if array.dtype.kind == "f" and array.dtype.itemsize in (4, 8):  # of the other byte order
        return array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind in "iub" or array.dtype == np.float16:
        return array.astype(np.float64)
    raise TypeError(
        f"{name} holds {array.dtype} values; expected real numbers (float32 or float64)"
    )


def axes(array: NDArray[Any], name: str, expected: Sequence[str], function: str) -> None:
    """Refuse an array whose number of axes is not ``len(expected)``.

    Examples
    --------
    >>> axes(np.zeros((2, 3, 4)), "x", ("batch", "input"), "dense")
    Traceback (most recent call last):
    ValueError: x has 3 axes (2, 3, 4); dense expects 2: (batch, input)
    """
    if array.ndim != len(expected):
        wanted = ", ".join(expected) + ("," if len(expected) == 1 else "")
        raise ValueError(
            f"{name} has {_count(array.ndim, 'axis', 'axes')} {array.shape}; "
            f"{function} expects {len(expected)}: ({wanted})"
        )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def same_length(
    a: NDArray[Any], a_name: str, a_axis: int, b: NDArray[Any], b_name: str, b_axis: int, what: str
) -> None:
    """Refuse two arrays that disagree about the length of an axis they share.

    Examples
    --------
    >>> same_length(np.zeros((2, 3)), "x", 1, np.zeros((4, 5)), "W", 0, "inputs")
    Traceback (most recent call last):
    ValueError: x has 3 inputs (axis 1 of (2, 3)) but W has 4 (axis 0 of (4, 5))
    """
    if a.shape[a_axis] != b.shape[b_axis]:
        raise ValueError(
            f"{a_name} has {a.shape[a_axis]} {what} (axis {a_axis} of {a.shape}) "
            f"but {b_name} has {b.shape[b_axis]} (axis {b_axis} of {b.shape})"
        )


def same_shape(a: NDArray[Any], a_name: str, b: NDArray[Any], b_name: str) -> None:
    """Refuse two arrays of different shapes."""
    if a.shape != b.shape:
        raise ValueError(f"{a_name} has shape {a.shape} but {b_name} has shape {b.shape}")


def float_type(dtype: Any, name: str = "dtype") -> np.dtype[Any]:
    """`dtype` as the type it names, refused unless it is float32 or float64."""
    try:
        found = np.dtype(dtype)
    except (TypeError, ValueError):
        found = np.dtype(object)
    if dtype is None or found not in (np.float32, np.float64):
        raise TypeError(f"{name} must be float32 or float64, got {shown(dtype)}")
    return found


def axis_of(array: NDArray[Any], name: str, axis: int) -> None:
    """Refuse an array that has no such axis."""
    if isinstance(axis, bool) or not isinstance(axis, int | np.integer):
        raise TypeError(f"axis must be a whole number, got {shown(axis)}")
    if not -array.ndim <= axis < array.ndim:
        raise ValueError(
            f"axis {axis} is not there: {name} has {_count(array.ndim, 'axis', 'axes')} "
            f"{array.shape}"
        )


def not_empty(array: NDArray[Any], name: str) -> None:
    """Refuse an array without elements, such as an empty batch."""
    if array.size == 0:
        raise ValueError(f"{name} is empty: its shape is {array.shape}")


def probabilities(array: NDArray[Any], name: str) -> None:
    """Refuse values outside [0, 1]; NaN passes, as it does everywhere in NumPy."""
    bad = (array < 0) | (array > 1)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        place = f"{name}[{', '.join(map(str, where))}]" if where else "it"
        raise ValueError(f"{name} must lie in [0, 1]; {place} is {array[where]:g}")


def labels(value: ArrayLike, name: str, classes: int) -> NDArray[np.int64]:
    """`value` as class labels 0 .. classes - 1, one an example.

    Raises
    ------
    TypeError
        If the labels are not whole numbers.
    ValueError
        If there is no label, one is not below `classes`, or `value` has not one axis.
    """
    array = array_of(value, name)
    not_empty(array, name)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} holds {array.dtype} values; expected whole numbers, the labels")
    axes(array, name, ("batch",), "a set of labels")
    if array.min() < 0 or array.max() >= classes:
        i = int(np.argmax((array < 0) | (array >= classes)))
        raise ValueError(
            f"{name} must lie in 0 .. {classes - 1} for {classes} classes; "
            f"{name}[{i}] is {array[i]}"
        )
    return array.astype(np.int64, copy=False)


def positive(value: float, name: str) -> float:
    """`value` as a float, refused unless it is finite and above zero."""
    number = real(value, name)
    if not number > 0:
        raise ValueError(f"{name} must be above 0, got {shown(value)}")
    return number


def between(value: float, name: str, low: float, high: float) -> float:
    """`value` as a float, refused unless low <= value < high."""
    number = real(value, name)
    if not low <= number < high:
        raise ValueError(f"{name} must be at least {low:g} and below {high:g}, got {shown(value)}")
    return number


def real(value: Any, name: str) -> float:
    """`value` as a finite float."""
    try:
        # a text such as "0.1" is not a number, though float() takes it
        number = float("" if isinstance(value, str | bytes) else value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError, DeprecationWarning):
        raise TypeError(f"{name} must be a number, got {shown(value)}") from None
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {shown(value)}")
    return number


def count(value: int, name: str, *, least: int = 1) -> int:
    """`value` as an int, refused unless it is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number, got {shown(value)}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return int(value)


def one_of(value: str, name: str, choices: Sequence[str]) -> str:
    """`value`, refused unless it is one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        named = ", ".join(f'"{choice}"' for choice in choices)
        raise ValueError(f"{name} must be one of {named}; got {shown(value)}")
    return value


def generator(rng: np.random.Generator | int | None, name: str = "rng") -> np.random.Generator:
    """A generator of random numbers: the one given, or a new one from the seed given.

    Raises
    ------
    TypeError
        If `rng` is None: there is no global random state in this package.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool):
        if rng < 0:
            raise ValueError(f"{name} must be a generator or a seed of at least 0, got {rng}")
        return np.random.default_rng(int(rng))
    raise TypeError(
        f"{name} must be a numpy.random.Generator or a whole number to seed one, got {shown(rng)}"
    )
