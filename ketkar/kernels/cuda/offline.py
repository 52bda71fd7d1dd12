"""What the compiler makes of a kernel, found out without a GPU.

Numba writes PTX for any generation of GPUs; nvJitLink, which numba-cuda brings along, turns it
into machine code and says how many registers a thread takes. No driver is needed.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import numpy as np

from ketkar.kernels.cuda.kernel import Kernel
from ketkar.kernels.cuda.provider import cuda, types

__all__ = ["CAPABILITIES", "Compiled", "compiled"]

Capability = tuple[int, int]

CAPABILITIES: Final = ((7, 5), (8, 0), (8, 9), (9, 0))
"""The generations of GPUs that every kernel is compiled for: Turing, Ampere, Ada, Hopper."""


class Compiled(NamedTuple):
    """What a kernel takes of a GPU, and its code.

    Attributes
    ----------
    registers : int
        Of each thread.
    threads : int
        Of each block.
    shared : int
        Memory that a block shares, in bytes.
    stack, spilled : int
        Memory, in bytes, of each thread, for what did not fit into registers; 0 in a good kernel.
    doubles : int
        Instructions on float64 numbers; 0 in a kernel of float32.
    ptx : str
        The code, in the language of a GPU that is none in particular.
    """

    kernel: str
    dtype: str
    capability: str
    registers: int
    threads: int
    shared: int
    stack: int
    spilled: int
    doubles: int
    ptx: str


def compiled(
    kernel: Kernel, dtype: Any, capability: Capability, written_for: Capability | None = None
) -> Compiled:
    """Compile a kernel for a generation of GPUs.

    Parameters
    ----------
    kernel : Kernel
    dtype : {float32, float64}
    capability : (int, int)
        The generation that the machine code is for.
    written_for : (int, int), optional
        An earlier generation whose PTX is taken, as a GPU does with code that it finds; Numba has
        to write PTX only once then.

    Raises
    ------
    ImportError
        If numba-cuda, or the part of it that links, is not installed.
    """
    kind = np.dtype(dtype)
    ptx = _ptx(kernel, kind.name, written_for or capability)
    log = _linked(ptx, capability)
    return Compiled(
        kernel.name,
        kind.name,
        f"sm_{capability[0]}{capability[1]}",
        _number(r"Used (\d+) registers", log),
        int(np.prod(kernel.threads)),
        _number(r"(\d+) bytes smem", log),
        _number(r"(\d+) bytes stack frame", log),
        _number(r"(\d+) bytes spill stores", log) + _number(r"(\d+) bytes spill loads", log),
        len(re.findall(r"\.f64\b", ptx.split("{", 1)[1])),
        ptx,
    )


@functools.lru_cache(maxsize=16)
def _ptx(kernel: Kernel, dtype: str, capability: Capability) -> str:
    kind = np.dtype(dtype)
    T: Any = kind.type
    source, signature = kernel.source(T), _signature(kernel, kind)
    with _pretending(capability):
        ptx: str = cuda.compile_ptx(source, signature, cc=capability)[0]
    return ptx


def _signature(kernel: Kernel, kind: np.dtype[Any]) -> tuple[Any, ...]:
    number = types.float32 if kind == np.float32 else types.float64
    elements = {"T": number, "L": types.int64, "B": types.boolean, "I": types.int32}
    scalars = {"T": number, "i": types.int32, "u": types.uint32, "l": types.int64}
    return tuple(
        scalars[text] if len(text) == 1 else types.Array(elements[text[0]], int(text[1]), "C")
        for text in kernel.arguments
    )


def _linked(ptx: str, capability: tuple[int, int]) -> str:
    """What the linker says of the machine code."""
    from cuda.bindings import nvjitlink

    handle = nvjitlink.create(2, [f"-arch=sm_{capability[0]}{capability[1]}", "-verbose"])
    try:
        code = ptx.encode()
        nvjitlink.add_data(handle, nvjitlink.InputType.PTX, code, len(code), "kernel")
        nvjitlink.complete(handle)
        log = bytearray(nvjitlink.get_info_log_size(handle))
        nvjitlink.get_info_log(handle, log)
    finally:
        nvjitlink.destroy(handle)
    return log.decode(errors="replace")


def _number(pattern: str, log: str) -> int:
    found = re.search(pattern, log)
    return int(found.group(1)) if found else 0


@contextlib.contextmanager
def _pretending(capability: tuple[int, int]) -> Iterator[None]:
    """Numba asks the current device for its generation where a kernel calls a device function.

    There is no public way to answer without a device, so the question itself is replaced.
    """
    import numba.cuda.dispatcher as asking

    before = asking.get_current_device
    asking.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    try:
        yield
    finally:
        asking.get_current_device = before
