"""What `limits` measures: loops that do nothing but multiply and add, or move numbers."""

from typing import Any

import numpy as np

from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.machine import COLUMNS, ROWS
from ketkar.kernels.cpu.matmul import wide_tile
from ketkar.kernels.cpu.span import number, span
from ketkar.kernels.cpu.vector import lanes


@helper
def _tiles(a: Any, b: Any, c: Any, K: int, repeat: int) -> None:
    width = COLUMNS * lanes(span(b))
    unit: Any = np.int64(1)
    zero = number(span(c), 0)
    for _ in range(repeat):
        wide_tile(span(a), unit, ROWS, ROWS, span(b), width, K, span(c), width, zero)


def _kernels(fingerprint: int) -> tuple[Any, Any]:
    @kernel
    def fma(a: Any, b: Any, c: Any, K: int, repeat: int) -> None:
        _ = fingerprint
        _tiles(a, b, c, K, repeat)

    @kernel
    def triad(a: Any, b: Any, c: Any, repeat: int) -> None:
        _ = fingerprint
        for _turn in range(repeat):
            for i in range(a.size):
                a[i] = b[i] + a.dtype.type(0.5) * c[i]

    return fma, triad


fma, triad = _kernels(FINGERPRINT)
