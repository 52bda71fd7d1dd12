"""Memory of the device: NumPy's arrays are copied there and back, those of a device stay."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ketkar.kernels.cuda.provider import cuda
from ketkar.kernels.cuda.simulator import SimulatedArray, poisoned
from ketkar.kernels.simulation import simulation

__all__ = ["fetched", "on_device", "scratch"]

Function = Callable[..., Any]


def on_device(
    *, fills: str = "", changes: str = "", keeps: str = ""
) -> Callable[[Function], Function]:
    """Let a function of device arrays take NumPy's arrays too.

    Parameters
    ----------
    fills, changes : str
        Names of the arguments, with spaces between them, that are written to: a NumPy array among
        them is filled with what was computed. What is in `fills` is not read before.
    keeps : str
        Names of NumPy arrays that stay where they are, as the function reads them itself.
    """

    def decorate(function: Function) -> Function:
        names = list(inspect.signature(function).parameters)
        filled, changed, kept = (text.split() for text in (fills, changes, keeps))

        @functools.wraps(function)
        def call(*values: Any) -> Any:
            if simulation() is not None:
                return function(*values)
            passed, back = list(values), []
            for k, (name, value) in enumerate(zip(names, values, strict=True)):
                if type(value) is np.ndarray and name not in kept:
                    passed[k] = _copied(value, read=name not in filled)
                    if value.size and (name in filled or name in changed):
                        back.append((passed[k], value))
            result = function(*passed)
            for there, here in back:
                there.copy_to_host(here)
            return result

        return call

    return decorate


def _copied(array: np.ndarray[Any, Any], read: bool) -> Any:
    if not array.size:  # a device has no empty memory: what stands for nothing is not read
        return cuda.to_device(np.zeros((1,) * array.ndim, array.dtype))
    return cuda.to_device(array) if read else cuda.device_array(array.shape, array.dtype)


def scratch(like: Any, *shape: int, dtype: Any = None) -> Any:
    """Memory for the way between two kernels, on the device of `like` and of its type."""
    kind = like.dtype if dtype is None else dtype
    if simulation() is not None:
        return poisoned(shape, kind)
    if hasattr(type(like), "__array_function__"):  # such as CuPy's, from CuPy's own pool
        return np.empty(shape, kind, like=like)
    return cuda.device_array(shape, kind)


def fetched(array: Any) -> np.ndarray[Any, Any]:
    """A copy on the processor."""
    if isinstance(array, np.ndarray):
        return array
    if isinstance(array, SimulatedArray) or hasattr(array, "get"):
        found: np.ndarray[Any, Any] = array.get()
        return found
    copied: np.ndarray[Any, Any] = array.copy_to_host()
    return copied
