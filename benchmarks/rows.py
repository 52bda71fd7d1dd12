"""What a row is, and the list of all rows."""

import importlib
from collections.abc import Callable
from typing import NamedTuple

MODULES = ("benchmarks.mlp",)
THREADS = (1, 2)


class Pair(NamedTuple):
    """The two calls of a row, ready to run; no peer where its package is not installed."""

    ours: Callable[[], object]
    peer: Callable[[], object] | None


class Row(NamedTuple):
    """A workload: what it must compute and move at least, and how to set it up."""

    name: str
    peer: str
    flops: float
    bytes: float
    cached: bool
    """Whether what it moves fits the second cache."""
    prepare: Callable[[int], Pair]
    """Takes the number of threads."""


def all_rows() -> list[Row]:
    return [row for name in MODULES for row in importlib.import_module(name).ROWS]
