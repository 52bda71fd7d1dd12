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
"""Looks of a caller before it goes to sleep: some 50 to 100 microseconds."""
READINESS = 10000
"""Looks of a thread that has worked and may soon be called again."""
COURTESY = 600
"""Looks of a thread that has been called, before it asks for the GIL: 10 to 40 microseconds."""

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


@operation
def _tell(typing: Any, here: Any, value: Any) -> Any:
    """Write a number to a place, after everything that was written before it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = address(context, builder, arguments[0], constant(0), constant(1))
        builder.store_atomic(arguments[1], place, "release", 8)
        return context.get_dummy_value()

    return types.void(here, types.int64), generate


def _kernels(fingerprint: int) -> tuple[Any, Any]:
    @kernel
    def wait(counter: Any, target: int, looks: int) -> bool:
        _ = fingerprint
        for _turn in range(looks):  # noqa: SIM110 (Numba knows no generators here)
            if _now(span(counter)) >= target:
                return True
        return False

    @kernel
    def tell_and_wait(told: Any, count: int, counter: Any, looks: int, courtesy: int) -> None:
        _ = fingerprint
        _tell(span(told), count)
        for _turn in range(looks):
            if _now(span(counter)) > count:
                for _breath in range(courtesy):
                    _now(span(counter))
                return

    return wait, tell_and_wait


_wait, _tell_and_wait = _kernels(FINGERPRINT)


def wait(counter: np.ndarray[Any, Any], target: int) -> None:
    """Wait until an int64 counter (1,) has come to `target`, but only for a short while."""
    _wait(counter, target, PATIENCE)


def tell_and_wait(told: np.ndarray[Any, Any], count: int, counter: np.ndarray[Any, Any]) -> None:
    """Write `count` to one counter, then wait for a short while until another is above it.

    A thread that asks for the GIL while another holds it is put to sleep. So `count` is told when
    this thread has given the GIL back, and who is called lets the caller go on to its own work.
    """
    _tell_and_wait(told, count, counter, READINESS, COURTESY)
