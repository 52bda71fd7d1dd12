"""What the machine can do: multiply-adds in registers, a product of matrices, bytes moved."""

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
    from benchmarks.limit_kernels import fma, triad  # which needs Numba
    from ketkar.kernels.cpu.machine import COLUMNS, ROWS, SIMD_BITS

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
