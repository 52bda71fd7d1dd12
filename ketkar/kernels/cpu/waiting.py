"""Waiting for a number that another thread writes, for a short while, without going to sleep.

A thread that sleeps takes some 50 microseconds to wake, and is often put beside the one that woke
it; a small kernel is done by then. So a thread that will soon be needed looks at a counter again
and again, without the GIL, and sleeps only if nothing came.
"""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from ketkar.kernels.cpu.compiling import FINGERPRINT, kernel
from ketkar.kernels.cpu.span import address, constant, operation, span

PATIENCE = 3000
"""Looks before a thread goes to sleep: some 50 to 100 microseconds."""

PAUSE = {"x86_64": "llvm.x86.sse2.pause", "AMD64": "llvm.x86.sse2.pause"}.get(platform.machine())


@operation
def _now(typing: Any, here: Any) -> Any:
    """The number at a place, read from memory at every call, and a breath after it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = address(context, builder, arguments[0], constant(0), constant(1))
        value = builder.load_atomic(place, "acquire", 8)
        if PAUSE is not None:
            builder.call(builder.module.declare_intrinsic(PAUSE, (), _VOID), ())
        return value

    return types.int64(here), generate


_VOID = ir.FunctionType(ir.VoidType(), ())


def _kernel(fingerprint: int) -> Any:
    @kernel
    def wait(counter: Any, target: int, looks: int) -> bool:
        _ = fingerprint
        for _turn in range(looks):  # noqa: SIM110 (Numba knows no generators here)
            if _now(span(counter)) >= target:
                return True
        return False

    return wait


_wait = _kernel(FINGERPRINT)


def wait(counter: np.ndarray[Any, Any], target: int) -> bool:
    """Whether an int64 counter (1,) has come to `target` within a short while."""
    return bool(_wait(counter, target, PATIENCE))
