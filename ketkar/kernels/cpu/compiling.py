"""How kernels are compiled: once a machine and version, then read from Numba's cache on disk."""

from __future__ import annotations

import os
import secrets
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import numba
from numba.core import config, event

from ketkar.kernels import codes
from ketkar.kernels.cpu import machine

F = TypeVar("F", bound=Callable[..., Any])

_COPIED: Final[set[Callable[..., Any]]] = set()
_DEFINED: Final[Counter[tuple[str, str]]] = Counter()

# "contract" lets a product and a sum become one instruction. The flags that assume NaN and infinity
# away are never used.
_OPTIONS: Final[dict[str, Any]] = {
    "error_model": "numpy",
    "fastmath": {"contract"},
    "nogil": True,
    "boundscheck": machine.CHECKED,
}
_INTERNAL: Final = _OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def _named(function: F) -> F:
    """Give a function a name that no other has, by its place in its module.

    A linker takes functions of one name for the same. Numba tells those that one line of source
    defines several times apart by the order in which a process compiled them, and what comes from
    the cache brings along the order of another process.
    """
    place = function.__module__, function.__qualname__
    _DEFINED[place] += 1
    function.__qualname__ += f"_{_DEFINED[place]}"
    return function


def helper(function: F) -> F:
    """Compile a function whose code is copied to where kernels call it."""
    compiled: F = numba.njit(forceinline=True, **_INTERNAL)(_named(function))
    _COPIED.add(function)
    return compiled


def dot_product(function: F) -> F:
    """A helper whose sum may be taken in any order, and so in the lanes of a vector."""
    options = _INTERNAL | {"fastmath": {"contract", "reassoc"}}
    compiled: F = numba.njit(forceinline=True, **options)(_named(function))
    _COPIED.add(function)
    return compiled


def routine(function: F) -> F:
    """Compile a function that kernels call and that stays a function: it says `out_of_line`."""
    compiled: F = numba.njit(forceinline=False, **_INTERNAL)(_named(function))
    return compiled


def kernel(function: F) -> F:
    """Compile a function that Python calls, and keep the result on disk.

    Numba renews a cached function when its own file changes, not when a helper in another file or
    a constant of `machine` does. So a kernel is defined inside a function of one int, to which the
    FINGERPRINT is given: Numba holds what a closure sees to be part of the function's identity.
    A closure may see whole numbers alone: a function is another one in every process, and a kernel
    that sees one would be compiled, and its code kept, again and again.
    """
    seen = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    if not all(type(value) is int for value in seen):
        raise TypeError(f"{function.__qualname__} closes over more than whole numbers: {seen}")
    function = _named(function)
    try:
        compiled: F = numba.njit(cache=True, **_OPTIONS)(function)
        _name_once(compiled)
    except RuntimeError:  # no directory for the cache can be written: compile in every process
        compiled = numba.njit(**_OPTIONS)(function)
    return compiled


def _name_once(compiled: Any) -> None:
    """Let no two files of compiled code ever have the same name.

    Numba numbers them and lists the numbers in an index, which it writes first. Of two processes
    that compile at once, one could so read what the other, or an earlier version, left under a
    number that is about to be written again. Under a name that is not there yet, it finds nothing
    and compiles.
    """
    file: Any = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(file, "_data_name"):
        numbered = file._data_name
        file._data_name = lambda _: numbered(secrets.randbits(63))


def fingerprint() -> int:
    """A number that changes with the source of the kernels and the constants they see."""
    settings = f"{machine.CHECKED} {machine.SIMD_BITS} {machine.ROWS} {machine.COLUMNS}"
    total = zlib.crc32(settings.encode())
    for path in (Path(codes.__file__), *sorted(Path(__file__).parent.glob("*.py"))):
        total = zlib.crc32(path.read_bytes(), total)
    return total


FINGERPRINT: Final = fingerprint()


class _Compilation(event.Listener):  # type: ignore[misc]
    """Watch Numba compile: say so once a process, and do not optimise the same lines many times.

    Numba starts its event "numba:compile" when it has not found a function in the cache, and only
    then; reading a cached function starts none. Events run under Numba's compiler lock.

    A helper's code is copied into every function that calls it, directly or not, and optimised
    again there. Only the last time counts, in the kernel; so a helper is handed on as it is. A
    routine is optimised at once: its first machine code is the one that all its callers use.
    """

    def __init__(self) -> None:
        self.said = False
        self.levels: list[tuple[Any, bool]] = []

    def on_start(self, happening: Any) -> None:
        """Choose the level of optimisation for what is compiled now, if it is for our kernels."""
        function = happening.data["dispatcher"].py_func
        ours = function.__module__.startswith(f"{__package__}.") or any(
            for_kernels for _, for_kernels in self.levels
        )
        self.levels.append((config.OPT, ours))
        if ours:
            config.OPT = _UNOPTIMISED if function in _COPIED else _OPTIMISED
        if function.__module__.startswith("ketkar.") and not self.said:
            self.said = True
            if os.environ.get("KETKAR_QUIET", "") in ("", "0"):
                print("ketkar: compiling ... (once; later runs use the cache)", file=sys.stderr)

    def on_end(self, happening: Any) -> None:
        """Go back to the level of what was compiled before."""
        config.OPT, _ = self.levels.pop()


_UNOPTIMISED: Final = type(config.OPT)(0)
# LLVM takes long over the branches of the checked mode, whose speed is of no interest
_OPTIMISED: Final = type(config.OPT)(1) if machine.CHECKED else config.OPT

event.register("numba:compile", _Compilation())
