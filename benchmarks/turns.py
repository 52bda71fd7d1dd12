"""Measure rows in this process: ``python -m benchmarks.turns THREADS quick|full NAME...``.

The environment says how many threads each library uses; ``python -m benchmarks`` starts this.
"""

import sys
from typing import Any

from benchmarks import limits
from benchmarks.limits import Limits
from benchmarks.measure import QUICK, Plan, by_turns
from benchmarks.processes import say
from benchmarks.rows import Row, all_rows, assert_same_work, installed


def share_of_limit(flops: float, moved: float, limit: Limits, ours_ms: float) -> float:
    """The least time this machine could take, as a share of what was taken."""
    least = max(flops / limit.fma_gflops, moved / limit.bandwidth(moved)) / 1e9
    return least / (ours_ms / 1e3)


def measure(row: Row, limit: Limits, plan: Plan, most_peers: int | None = None) -> list[Any]:
    """One result for each peer, or a single one without a peer where none is installed.

    Raises
    ------
    ValueError
        If a peer does not compute what ours computes.
    """
    names = [name for name in row.peers if installed(name)][:most_peers]
    ours, peers = row.ours(), {name: row.peers[name]() for name in names}
    assert_same_work(row.name, ours, peers)
    ours_ms, timings = by_turns(ours, peers, plan, row.often)
    share = share_of_limit(row.flops, row.bytes, limit, ours_ms)
    mine = {"name": row.name, "layer": row.layer, "threads": limit.threads, "ours_ms": ours_ms}
    found = [
        {"peer": name, **timing._asdict(), "bar": row.bars.get(name)}
        for name, timing in timings.items()
    ]
    nobody = dict.fromkeys(("peer", "peer_ms", "ratio", "spread", "turns", "bar"))
    return [mine | result | {"share_of_limit": share} for result in found or [nobody]]


def main(threads: int, quick: bool, names: list[str]) -> None:
    limit = limits.measure(threads)
    if not quick:
        limit = limit.or_better(limits.measure(threads))
    say(limits=limit._asdict())
    for row in all_rows():
        if row.name in names:
            try:
                results = measure(row, limit, QUICK if quick else Plan(), 1 if quick else None)
            except ValueError as error:
                say(refused=str(error))
            else:
                say(results=results)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] == "quick", sys.argv[3:])
