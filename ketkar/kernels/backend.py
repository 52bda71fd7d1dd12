"""The one door to the kernels: a backend is asked for by name and answers with its module."""

from __future__ import annotations

import ctypes
import importlib
import os
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ketkar import arrays
from ketkar.checks import shown
from ketkar.kernels import driver

BACKENDS: Final = ("numpy", "cpu", "cuda")

MODULES: Final = {
    "numpy": "ketkar.kernels.reference",
    "cpu": "ketkar.kernels.cpu",
    "cuda": "ketkar.kernels.cuda",
}
_LOADED: dict[str, ModuleType] = {}


def available() -> dict[str, str]:
    """Every backend and what stands against it: an empty string where it can be used.

    Looks for packages without importing them; where all are there, the driver of the graphics
    processor is asked. In a simulation (`ketkar.kernels.simulation.simulate`) "cuda" is there.

    Examples
    --------
    >>> available()["numpy"]
    ''
    """
    return {name: _obstacle(name) for name in BACKENDS}


def _obstacle(backend: str) -> str:
    """What stands against a backend; nothing is asked about the others."""
    if backend == "cuda":
        return driver.why_not()
    if backend == "cpu" and not driver.installed("numba"):
        return "numba is not installed (python -m pip install numba)"
    return ""


def kernels(backend: str, *operands: Any) -> ModuleType:
    """The kernels of a backend, as a module: every backend has the same functions.

    Parameters
    ----------
    backend : str
        "numpy", "cpu" or "cuda"; "auto" follows the arrays: those of a device go to "cuda", NumPy's
        to "cpu" where Numba is installed and to "numpy" where it is not.
    *operands : array
        The arrays the kernels will be given; "auto" looks where they live.

    Raises
    ------
    ValueError
        If there is no backend of this name.
    TypeError
        If arrays of a device go to a backend of the processor, or both kinds are mixed.
    RuntimeError
        If the backend cannot be used here. Nothing falls back to another backend in silence.

    Examples
    --------
    >>> kernels("numpy").__name__
    'ketkar.kernels.reference'
    >>> kernels("gpu")
    Traceback (most recent call last):
    ValueError: backend is 'gpu'; expected "auto", "numpy", "cpu" or "cuda"
    """
    elsewhere = [arrays.on_device(array) for array in operands if array is not None]
    if isinstance(backend, str) and backend == "auto":
        backend = _follow(any(elsewhere))
    if any(elsewhere):
        _all_on_device(backend, all(elsewhere))
    try:
        return _LOADED[backend]
    except (KeyError, TypeError):  # not yet loaded, or not even a name
        return _load(backend)


def ready(array: NDArray[Any], dtype: DTypeLike | None = None) -> NDArray[Any]:
    """`array` as a kernel wants it: C-contiguous, aligned, writeable; copied only where it is not.

    Examples
    --------
    >>> x = np.zeros((3, 2))
    >>> ready(x) is x, ready(x.T) is x.T
    (True, False)
    """
    if type(array) is np.ndarray and (dtype is None or array.dtype == dtype) and array.flags.carray:
        return array  # the common case, and `require` takes some microseconds
    if arrays.on_device(array):
        return arrays.contiguous(array, dtype)
    return np.require(array, dtype, ("C", "A", "W"))


def aligned(size: int, dtype: DTypeLike) -> NDArray[Any]:
    """A vector, not filled, that begins at a line of the cache (64 bytes).

    Any array is right for a kernel; one of parameters is read and written a fifth faster so.

    Examples
    --------
    >>> theta = aligned(1000, np.float32)
    >>> theta.shape, theta.ctypes.data % 64
    ((1000,), 0)
    """
    kind = np.dtype(dtype)
    memory = np.empty(size * kind.itemsize + 64, np.uint8)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory.data))  # sooner than `.ctypes`
    return np.ndarray(size, kind, memory, -address % 64)


def pieces(dtype: DTypeLike, *sizes: int) -> list[NDArray[Any]]:
    """Vectors, not filled, of these sizes: in one piece of memory, each from a line of the cache.

    One piece is found sooner than many. It also stays: the C library gives memory back to the
    system when what is free at its end is more than twice the largest piece that it has handed
    out; then it has to be had anew, page by page, which takes as long as a tenth of a training
    step.

    Examples
    --------
    >>> [vector.shape for vector in pieces(np.float64, 3, 0, 5)]
    [(3,), (0,), (5,)]
    """
    kind = np.dtype(dtype)
    line = 64 // kind.itemsize
    starts, end = [], 0
    for size in sizes:
        starts.append(end)
        end += -(-size // line) * line
    block = aligned(end, kind)
    return [block[start : start + size] for start, size in zip(starts, sizes, strict=True)]


def threads() -> int:
    """How many threads a large product may use: KETKAR_NUM_THREADS, or the processors given to us.

    Raises
    ------
    ValueError
        If KETKAR_NUM_THREADS is not a positive number.
    """
    asked = os.environ.get("KETKAR_NUM_THREADS", "")
    if not asked:
        return (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
    if not asked.isdecimal() or int(asked) < 1:
        raise ValueError(f"KETKAR_NUM_THREADS is {asked!r}; expected a positive number of threads")
    return int(asked)


def _follow(elsewhere: bool) -> str:
    if elsewhere:
        return "cuda"
    if "cpu" in _LOADED:
        return "cpu"
    return "cpu" if driver.installed("numba") else "numpy"


def _all_on_device(backend: str, all_there: bool) -> None:
    if backend in ("numpy", "cpu"):
        raise TypeError(
            f'backend "{backend}" works on arrays of NumPy; these are of a device: copy them, '
            'or use "cuda"'
        )
    if not all_there:
        raise TypeError("some of the arrays are on a device and some are not: copy one kind")


def _load(backend: str) -> ModuleType:
    if not isinstance(backend, str) or backend not in BACKENDS:
        names = '"auto", "numpy", "cpu" or "cuda"'
        raise ValueError(f"backend is {shown(backend)}; expected {names}")
    obstacle = _obstacle(backend)
    if obstacle:
        there = " and ".join(f'"{name}"' for name, reason in available().items() if not reason)
        raise RuntimeError(f'backend "{backend}" is not there: {obstacle}; there is {there}')
    try:
        module = importlib.import_module(MODULES[backend])
    except ImportError as error:
        raise RuntimeError(
            f'backend "{backend}" cannot be loaded ({error}); there is "numpy"'
        ) from error
    if backend != "cuda":  # in a simulation it is there for a while
        _LOADED[backend] = module
    return module
