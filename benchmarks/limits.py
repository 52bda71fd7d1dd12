"""What the machine can do: multiply-adds in registers, a product of matrices, bytes moved."""

import functools
import math
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.measure import best


class Limits(NamedTuple):
    """Measured at one number of threads, in float32."""

    threads: int
    fma_gflops: float
    """Multiply-adds of one register tile on numbers in the first cache."""
    sgemm_gflops: float
    """NumPy's product of two 1024 x 1024 matrices."""
    triad_gbs: tuple[tuple[int, float], ...]
    """a = b + s c by the bytes of the three arrays together, from one cache to the memory."""

    def bandwidth(self, moved: float) -> float:
        """GB/s of a triad on about as many bytes."""
        return min(self.triad_gbs, key=lambda pair: abs(math.log(pair[0] / moved)))[1]

    def or_better(self, other: "Limits") -> "Limits":
        """The larger of each of two measurements: on a busy machine both are too low."""
        pairs = zip(self.triad_gbs, other.triad_gbs, strict=True)
        return Limits(
            self.threads,
            max(self.fma_gflops, other.fma_gflops),
            max(self.sgemm_gflops, other.sgemm_gflops),
            tuple((size, max(mine, rate)) for (size, mine), (_, rate) in pairs),
        )


SIZES = 3 << 17, 3 << 19, 3 << 21, 3 << 23, 3 << 25
"""Bytes from 384 KiB, which a core's second cache holds, to 96 MiB, which few caches hold."""


SHORT = 21, 0.001
"""Rounds and seconds of each: between two turns of other programs, a short one may run alone."""


@functools.cache
def _kernels(fingerprint: int) -> tuple[Any, Any]:
    from ketkar.kernels.cpu.compiling import helper, kernel
    from ketkar.kernels.cpu.machine import COLUMNS, ROWS
    from ketkar.kernels.cpu.matmul import wide_tile
    from ketkar.kernels.cpu.span import number, span
    from ketkar.kernels.cpu.vector import lanes

    @helper
    def tiles(a: Any, b: Any, c: Any, K: int, repeat: int) -> None:
        width = COLUMNS * lanes(span(b))
        unit: Any = np.int64(1)
        zero = number(span(c), 0)
        for _ in range(repeat):
            wide_tile(span(a), unit, ROWS, ROWS, span(b), width, K, span(c), width, zero)

    @kernel
    def fma(a: Any, b: Any, c: Any, K: int, repeat: int) -> None:
        _ = fingerprint
        tiles(a, b, c, K, repeat)

    @kernel
    def triad(a: Any, b: Any, c: Any, repeat: int) -> None:
        _ = fingerprint
        for _turn in range(repeat):
            for i in range(a.size):
                a[i] = b[i] + a.dtype.type(0.5) * c[i]

    return fma, triad


def _together(call: Callable[[int], object], threads: int) -> Callable[[], None]:
    """Call on several Python threads at once; the compiled calls run without the GIL."""

    def run() -> None:
        others = [threading.Thread(target=call, args=(i,)) for i in range(1, threads)]
        for other in others:
            other.start()
        call(0)
        for other in others:
            other.join()

    return run


def measure(threads: int) -> Limits:
    from ketkar.kernels.cpu.compiling import FINGERPRINT
    from ketkar.kernels.cpu.machine import COLUMNS, ROWS, SIMD_BITS

    fma, triad = _kernels(FINGERPRINT)
    lanes, K, repeat = SIMD_BITS // 32, 128, 4000
    width = COLUMNS * lanes
    tiles = [
        tuple(np.ones(size, np.float32) for size in (ROWS * K, width * K, ROWS * width))
        for _ in range(threads)
    ]
    fma_s = best(_together(lambda i: fma(*tiles[i], K, repeat), threads), *SHORT)
    a, b = np.ones((2, 1024, 1024), np.float32)
    product = np.empty_like(a)
    sgemm_s = best(lambda: np.matmul(a, b, out=product))
    rates = []
    for size in SIZES:
        numbers, turns = size // (3 * 4 * threads), max(1, SIZES[-1] // size)
        arrays = [tuple(np.ones(numbers, np.float32) for _ in range(3)) for _ in range(threads)]

        def moved(i: int, arrays: Any = arrays, turns: int = turns) -> None:
            triad(*arrays[i], turns)

        taken = best(_together(moved, threads), *SHORT)
        rates.append((size, threads * 3 * 4 * numbers * turns / taken / 1e9))
    return Limits(
        threads,
        threads * 2 * ROWS * width * K * repeat / fma_s / 1e9,
        2 * 1024**3 / sgemm_s / 1e9,
        tuple(rates),
    )
