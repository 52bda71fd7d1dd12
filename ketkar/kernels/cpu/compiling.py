"""How kernels are compiled: once a machine and version, then read from Numba's cache on disk."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import numba
from numba.core import event

from ketkar.kernels.cpu import machine

F = TypeVar("F", bound=Callable[..., Any])

# "contract" lets a product and a sum become one instruction. The flags that assume NaN and infinity
# away are never used.
_OPTIONS: Final[dict[str, Any]] = {
    "error_model": "numpy",
    "fastmath": {"contract"},
    "nogil": True,
    "boundscheck": machine.CHECKED,
}


def helper(function: F) -> F:
    """Compile a function that only kernels call."""
    compiled: F = numba.njit(**_OPTIONS)(function)
    return compiled


def kernel(function: F) -> F:
    """Compile a function that Python calls, and keep the result on disk.

    Numba renews a cached function when its own file changes, not when a helper in another file or a
    constant of `machine` does. So a kernel is defined inside a function of one int, the FINGERPRINT:
    Numba holds what a closure sees to be part of the function's identity.
    """
    try:
        compiled: F = numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # no directory for the cache can be written: compile in every process
        compiled = numba.njit(**_OPTIONS)(function)
    return compiled


def _fingerprint() -> int:
    settings = f"{machine.CHECKED} {machine.SIMD_BITS} {machine.ROWS} {machine.COLUMNS}"
    total = zlib.crc32(settings.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        total = zlib.crc32(path.read_bytes(), total)
    return total


FINGERPRINT: Final = _fingerprint()


class _Announcement(event.Listener):  # type: ignore[misc]
    """Say once a process that a kernel is being compiled.

    Numba starts its event "numba:compile" when it has not found a function in the cache, and only
    then; reading a cached function starts none.
    """

    said = False

    def on_start(self, happening: Any) -> None:
        module = happening.data["dispatcher"].py_func.__module__
        if self.said or not module.startswith(__package__):
            return
        self.said = True
        if os.environ.get("KETKAR_QUIET", "") in ("", "0"):
            print("ketkar: compiling ... (once; later runs use the cache)", file=sys.stderr)

    def on_end(self, happening: Any) -> None:
        """Nothing to say."""


event.register("numba:compile", _Announcement())
