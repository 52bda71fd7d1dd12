"""Time two calls by turns."""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Timing(NamedTuple):
    """Milliseconds a call, and ours / peer with the quartiles of the rounds' ratios."""

    ours_ms: float
    peer_ms: float | None
    ratio: float | None
    spread: tuple[float, float] | None


def seconds(call: Callable[[], object], repeat: int) -> float:
    start = time.perf_counter()
    for _ in range(repeat):
        call()
    return (time.perf_counter() - start) / repeat


def best(call: Callable[[], object], rounds: int = 7, slice_s: float = 0.02) -> float:
    """The fastest of several rounds, in seconds a call: for what a machine can do at best."""
    repeat = _repeat(call, slice_s)
    return min(seconds(call, repeat) for _ in range(rounds))


def _repeat(call: Callable[[], object], slice_s: float) -> int:
    """How many calls fill a slice of time; warms the call up, too."""
    call()
    seconds(call, 3)
    return max(1, round(slice_s / seconds(call, 3)))


def by_turns(
    ours: Callable[[], object], peer: Callable[[], object] | None, rounds: int, slice_s: float
) -> Timing:
    """Time both in every round, ours first in the even ones and the peer first in the odd ones."""
    calls = [call for call in (ours, peer) if call is not None]
    repeats = [_repeat(call, slice_s) for call in calls]
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(rounds):
        order = range(len(calls)) if turn % 2 == 0 else reversed(range(len(calls)))
        for i in order:
            times[i].append(seconds(calls[i], repeats[i]))
    medians = [1e3 * statistics.median(taken) for taken in times]
    if peer is None:
        return Timing(medians[0], None, None, None)
    ratios = [a / b for a, b in zip(*times, strict=True)]
    lower, middle, upper = statistics.quantiles(ratios, n=4)
    return Timing(medians[0], medians[1], middle, (lower, upper))
