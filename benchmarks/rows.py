"""What a row is, and the list of all rows."""

import importlib
import importlib.util
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import LONG_S

MODULES = tuple(
    f"benchmarks.{name}" for name in ("convolution", "filters", "pooling", "recurrent", "mlp")
)

Call = Callable[[], Any]
"""Ready to run: its arrays are made. It returns an array of any library, or several."""

TOLERANCE = 1e-4
"""Of the largest number: Winograd's algorithm has 1e-5, a sum over a large batch not much less."""


class Row(NamedTuple):
    """A workload: what it must compute and move at least, and how to set it up."""

    name: str
    flops: float
    bytes: float
    ours: Callable[[], Call]
    peers: Mapping[str, Callable[[], Call]]
    """By name; what stands before the first hyphen is the package. The first is the main one."""
    bars: Mapping[str, float]
    """The ratio to reach, by peer."""
    layer: bool = False
    """Whether the row is a layer of a convolutional network, and so counts to their mean."""
    also: tuple[str, ...] = ()
    """Peers without a bar that are measured as often as those with one."""

    @property
    def often(self) -> set[str]:
        """The peers that take part in all rounds."""
        return {*self.bars, *self.also}


def all_rows() -> list[Row]:
    return [row for name in MODULES for row in importlib.import_module(name).ROWS]


def installed(peer: str) -> bool:
    return importlib.util.find_spec(peer.partition("-")[0]) is not None


def arrays(result: Any) -> list[NDArray[Any]]:
    """What a call returned, as NumPy arrays."""
    parts = result if isinstance(result, tuple | list) else [result]
    return [np.asarray(part) for part in parts]


def difference(ours: list[NDArray[Any]], peers: list[NDArray[Any]]) -> float:
    """The largest difference, each array's relative to its largest number; NaN if there is one."""
    found = [0.0]
    for mine, other in zip(ours, peers, strict=True):
        if mine.shape != other.shape or (mine.ndim and mine.dtype != other.dtype):
            raise ValueError(
                f"ours has shape {mine.shape} and type {mine.dtype}, "
                f"the peer's has {other.shape} and {other.dtype}"
            )
        scale = float(np.abs(other).max(initial=0)) or 1.0
        found.append(float(np.abs(mine - other).max(initial=0)) / scale)
    return float(np.max(found))


def assert_same_work(row: str, ours: Call, peers: Mapping[str, Call]) -> None:
    """Refuse to go on where a peer's result is not ours.

    Every call is made twice: the second loss of a training step shows the first one's update, and
    the second result of a function shows whether the first call spoiled its arguments. Only a
    peer that takes long is called once.
    """
    expected = [arrays(ours()) for _ in range(2)]
    for name, call in peers.items():
        for turn in expected:
            start = time.perf_counter()
            result = arrays(call())
            taken = time.perf_counter() - start
            found = difference(turn, result)
            if not found <= TOLERANCE:  # NaN is refused, too
                raise ValueError(
                    f"{row}: {name} and ours differ by {found:.1e} of the largest number; "
                    f"at most {TOLERANCE:.0e} is taken for the same work"
                )
            if taken > LONG_S:
                break
