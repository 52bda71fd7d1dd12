"""A CUDA kernel of this package: one source for both types of numbers, started in one place."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ketkar.kernels.cuda import simulator
from ketkar.kernels.cuda.provider import cuda
from ketkar.kernels.simulation import simulation

__all__ = ["KERNELS", "Kernel", "blocks_for", "kernel"]

KERNELS: Final[list[Kernel]] = []
"""Every kernel there is, in the order of their definition."""

_SCALARS: Final = {"i": np.int32, "u": np.uint32, "l": np.int64}


class Kernel:
    """A kernel for float32 and for float64, compiled when it is first started.

    Attributes
    ----------
    name : str
    arguments : tuple of str
        The type of each argument: "T1" to "T4" is a C-contiguous array of numbers with so many
        axes, "L1" one of labels (int64), "B2" one of booleans, and so on; "T" is one number,
        "i", "u" and "l" are int32, uint32 and int64.
    threads : tuple of int
        The threads of a block.
    """

    def __init__(self, write: Callable[[Any], Any], arguments: str, threads: Any) -> None:
        functools.update_wrapper(self, write)
        self.name = write.__name__
        self.arguments = tuple(arguments.split())
        self.threads: tuple[int, ...] = threads if isinstance(threads, tuple) else (threads,)
        self.source = functools.cache(write)
        self._compiled = functools.cache(lambda T: cuda.jit(self.source(T), cache=True))
        KERNELS.append(self)

    def __call__(self, blocks: int | tuple[int, ...], *values: Any) -> None:
        """Start so many blocks; arrays are those of a device, or NumPy's in a simulation."""
        T = next(
            np.dtype(value.dtype).type
            for value, kind in zip(values, self.arguments, strict=True)
            if kind[0] == "T" and len(kind) == 2
        )
        passed = [
            value if len(kind) == 2 else _SCALARS.get(kind, T)(value)
            for value, kind in zip(values, self.arguments, strict=True)
        ]
        pretended = simulation()
        if pretended is None:
            self._compiled(T)[blocks, self.threads, _stream()](*passed)
        else:
            simulator.run(self.source(T), blocks, self.threads, passed, pretended)


def kernel(
    arguments: str, threads: int | tuple[int, ...]
) -> Callable[[Callable[[Any], Any]], Kernel]:
    """Define a kernel: decorate a function of the type T that returns the function to compile."""
    return lambda write: Kernel(write, arguments, threads)


def blocks_for(items: int, each: int) -> int:
    """How many blocks it takes if each does so many of the items."""
    return max(1, -(-items // each))


def _stream() -> Any:
    """CuPy's current stream where CuPy is in use, else the default one."""
    if "cupy" not in sys.modules:
        return 0
    return _wrapped(sys.modules["cupy"].cuda.get_current_stream().ptr)


@functools.lru_cache(maxsize=64)
def _wrapped(pointer: int) -> Any:
    return cuda.external_stream(pointer) if pointer else 0
