"""Time calls by turns."""

import statistics
import time
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

Call = Callable[[], object]
Timer = Callable[[Call, int], float]
"""The seconds a call takes when it is made so many times."""
LONG_S = 0.5
"""What takes longer is not repeated only to be warm."""


class Plan(NamedTuple):
    """How long to measure."""

    rounds: int = 17
    slice_s: float = 0.015
    """A call is repeated in a turn until this is filled."""
    settle_s: float = 0.01
    """A pause before each turn: some libraries' threads stay awake for a while after a call."""
    budget_s: float = 1.5
    """A slow peer takes part in some of the rounds only, so that it needs about so long."""
    least: int = 5
    """But at least in so many."""
    few: int = 5
    """Peers that are there for comparison alone take part in so many rounds at most,"""
    few_s: float = 0.3
    """for about so long,"""
    few_least: int = 2
    """but at least in so many."""


QUICK = Plan(rounds=3, slice_s=0.002, settle_s=0.001, budget_s=0.1, least=3, few=3, few_s=0.1)


class Timing(NamedTuple):
    """Milliseconds a call, and ours / peer with the quartiles of the rounds' ratios."""

    peer_ms: float
    ratio: float
    spread: tuple[float, float]
    turns: int


def seconds(call: Call, repeat: int) -> float:
    start = time.perf_counter()
    for _ in range(repeat):
        call()
    return (time.perf_counter() - start) / repeat


def best(call: Call, rounds: int = 7, slice_s: float = 0.02, timer: Timer = seconds) -> float:
    """The fastest of several rounds, in seconds a call: for what a machine can do at best."""
    repeat, _ = _repeat(call, slice_s, timer)
    return min(timer(call, repeat) for _ in range(rounds))


def _repeat(call: Call, slice_s: float, timer: Timer = seconds) -> tuple[int, float]:
    """How many calls fill a slice of time, and the seconds of one; warms the call up, too."""
    taken = timer(call, 1)
    if taken > LONG_S:
        return 1, taken
    taken = timer(call, 1)
    if taken < slice_s:
        taken = timer(call, 3)
    return max(1, round(slice_s / taken)), taken


def _turn(call: Call, repeat: int, taken: float, plan: Plan, timer: Timer) -> float:
    """One turn; a short call is made once unmeasured, to have its arrays in the cache again."""
    time.sleep(plan.settle_s)
    if taken < plan.slice_s:
        call()
    return timer(call, repeat)


def by_turns(
    ours: Call,
    peers: Mapping[str, Call],
    plan: Plan,
    often: Collection[str] | None = None,
    timer: Timer = seconds,
) -> tuple[float, dict[str, Timing]]:
    """Time all calls in every round: the first to go moves on, and every other round runs back.

    Peers that are not in `often`, if it is given, take part in a few of the rounds only.

    Returns our milliseconds, and the timing of each peer against ours in the same rounds.
    """
    times = _rounds({"": ours, **peers}, plan, None if often is None else {"", *often}, timer)
    mine = times.pop("")
    return 1e3 * statistics.median(mine.values()), {
        name: _timing(mine, taken) for name, taken in times.items()
    }


def shortest(calls: Mapping[str, Call], plan: Plan) -> dict[str, float]:
    """The milliseconds of the fastest turn of each call: what depends least on other programs."""
    return {name: 1e3 * min(taken.values()) for name, taken in _rounds(calls, plan, None).items()}


def _rounds(
    calls: Mapping[str, Call],
    plan: Plan,
    often: Collection[str] | None,
    timer: Timer = seconds,
) -> dict[str, dict[int, float]]:
    """Seconds a call, by the number of the round; the call named "" takes part in all rounds."""
    repeats = {name: _repeat(call, plan.slice_s, timer) for name, call in calls.items()}
    every = {
        name: _every(max(taken, plan.slice_s), plan, often is None or name in often)
        for name, (_, taken) in repeats.items()
    }
    if "" in every:
        every[""] = 1
    times: dict[str, dict[int, float]] = {name: {} for name in calls}
    for turn in range(plan.rounds):
        names = [name for name in calls if turn % every[name] == 0]
        first = turn % len(names)
        names = names[first:] + names[:first]
        for name in names if turn % 2 == 0 else reversed(names):
            times[name][turn] = _turn(calls[name], *repeats[name], plan, timer)
    return times


def _every(turn_s: float, plan: Plan, often: bool) -> int:
    """A peer takes part in each so-many-th round; odd, for its place in the order to change."""
    least, budget_s = (plan.least, plan.budget_s) if often else (plan.few_least, plan.few_s)
    most = plan.rounds if often else min(plan.few, plan.rounds)
    wanted = max(least, min(most, int(budget_s / turn_s)))
    every = max(1, (plan.rounds - 1) // (wanted - 1))
    return every if every % 2 else every - 1


def _timing(ours: Mapping[int, float], peer: Mapping[int, float]) -> Timing:
    ratios = [ours[turn] / taken for turn, taken in peer.items()]
    lower, middle, upper = statistics.quantiles(ratios, n=4)
    return Timing(1e3 * statistics.median(peer.values()), middle, (lower, upper), len(ratios))
