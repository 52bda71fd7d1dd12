"""The sum of numbers that stand side by side."""

from __future__ import annotations

from typing import Any

from ketkar.kernels.cpu.compiling import dot_product
from ketkar.kernels.cpu.span import number


@dot_product
def sum_of(here: Any, count: int) -> Any:
    """The sum of `count` numbers, in the lanes of a vector: their order is not fixed."""
    total = number(here, 0)
    for i in range(count):
        total += here[i]
    return total
