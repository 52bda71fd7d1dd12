"""Two looks at a tile of sums in registers: how many sums it takes, and what the loop becomes.

A multiply-add takes some cycles until its sum is there, and the next one to the same sum must
wait; other sums need not. So the speed of a tile grows with its number of sums until the
processor's units are busy all the time, and falls when there are more sums than registers.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numba
import numpy as np

from benchmarks.measure import best
from ketkar.kernels.cpu.machine import SIMD_BITS
from ketkar.kernels.cpu.span import number, span
from ketkar.kernels.cpu.tile import tile_outer, tile_store, tile_zeros
from ketkar.kernels.cpu.vector import lanes

Array = Any
_OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}, "nogil": True}


def of_rows(rows: int) -> Callable[..., None]:
    """A compiled function that fills a tile of so many rows, each one vector, again and again."""

    @numba.njit(**_OPTIONS)
    def fill(a: Array, b: Array, c: Array, K: int, repeat: int) -> None:
        for _ in range(repeat):
            tile = tile_zeros(span(b), rows, 1)
            for k in range(K):
                tile = tile_outer(tile, span(a) + k * rows, 1, rows, span(b) + k * lanes(span(b)))
            tile_store(tile, span(c), lanes(span(c)), number(span(c), 0))

    compiled: Callable[..., None] = fill
    return compiled


def speeds(rows: Sequence[int]) -> dict[int, float]:
    """GFLOP/s of tiles with so many sums of one vector, float32, on one thread."""
    width, K, found = SIMD_BITS // 32, 256, {}
    for count in rows:
        fill = of_rows(count)
        repeat = 20_000 // count
        a, b, c = (np.ones(size, np.float32) for size in (count * K, width * K, count * width))
        seconds = best(lambda: fill(a, b, c, K, repeat), 21, 0.001)  # noqa: B023
        found[count] = 2 * count * width * K * repeat / seconds / 1e9
    return found


class Loop(NamedTuple):
    """The instructions of a loop, as the processor runs them."""

    instructions: list[str]

    def count(self, pattern: str) -> int:
        """How many of them begin like this."""
        return sum(bool(re.match(pattern, line)) for line in self.instructions)

    @property
    def arithmetic(self) -> int:
        """Instructions that multiply floating-point numbers, with or without adding."""
        return self.count(r"v?f?n?(madd|mul)[0-9]*[sp][sd]\b|f(mul|mla|madd)\b")

    @property
    def stores(self) -> int:
        """Instructions that write to memory: on x86 those whose last operand is a place there."""
        writes = (line for line in self.instructions if re.match(r"v?mov|st", line))
        return sum(line.endswith(")") or line.startswith("st") for line in writes)


def hottest_loop(compiled: Any) -> Loop:
    """Of the innermost loops of a compiled function the one with the most multiplications.

    Raises
    ------
    ValueError
        If no loop is found.
    """
    (text,) = compiled.inspect_asm().values()
    lines = [line.split("#")[0].split("//")[0].strip() for line in text.splitlines()]
    labels: dict[str, int] = {}
    loops = []
    for place, line in enumerate(lines):
        if match := re.match(r"(\.?L\w+):", line):
            labels[match[1]] = place
        elif (match := re.match(r"(?:j\w+|b\.?\w*|cbn?z|tbn?z)\s.*?(\.?L\w+)$", line)) and match[
            1
        ] in labels:
            loops.append((labels[match[1]], place))
    inside = [
        (first, last)
        for first, last in loops
        if not any((f, e) != (first, last) and first <= f and e <= last for f, e in loops)
    ]
    found = [
        Loop(
            [
                " ".join(line.split())
                for line in lines[first : last + 1]
                if line and not re.match(r"\.|L\w+:", line)
            ]
        )
        for first, last in inside
    ]
    if not found:
        raise ValueError("the compiled function has no loop")
    return max(found, key=lambda loop: loop.arithmetic)
