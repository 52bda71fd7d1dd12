"""Threads for large work: plain Python threads that run compiled kernels without the GIL.

A kernel that can be split takes two numbers, its part and the number of parts, and fills its part
of the output; which numbers it computes, and how, does not depend on the split. Numba's own
``prange`` would need a threading layer, and the one that is always there ends the process when two
Python threads enter it at once. Here the second caller at once does all parts by itself, and a
forked process starts threads of its own. Handing parts to threads takes some 50 microseconds.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from ketkar.kernels.backend import threads

Part = Callable[[int, int], Any]
_Job = tuple[Part, int, int, "SimpleQueue[tuple[int, Any, BaseException | None]]"]


class _Crew:
    """Threads that wait for parts of work."""

    def __init__(self) -> None:
        self.free = threading.Lock()
        self.queues: list[SimpleQueue[_Job]] = []

    def enough(self, workers: int) -> None:
        """Start threads until there are so many."""
        while len(self.queues) < workers:
            queue: SimpleQueue[_Job] = SimpleQueue()
            threading.Thread(target=_serve, args=(queue,), daemon=True).start()
            self.queues.append(queue)


def _serve(queue: SimpleQueue[_Job]) -> None:
    while True:
        work, part, parts, results = queue.get()
        try:
            results.put((part, work(part, parts), None))
        except BaseException as error:  # handed to the thread that asked for the work
            results.put((part, None, error))


_crew = _Crew()


def _renew() -> None:
    """Threads do not follow a process into its fork."""
    global _crew
    _crew = _Crew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


def worth(work: int, large: int) -> int:
    """How many threads so much work is worth, if `large` is worth one of its own."""
    return max(1, min(threads(), work // large))


def split(work: Part, parts: int) -> list[Any]:
    """Call ``work(part, parts)`` for every part, on as many threads; the results in order."""
    crew = _crew
    if parts == 1 or not crew.free.acquire(blocking=False):
        return [work(part, parts) for part in range(parts)]
    try:
        crew.enough(parts - 1)
        results: SimpleQueue[tuple[int, Any, BaseException | None]] = SimpleQueue()
        for part in range(1, parts):
            crew.queues[part - 1].put((work, part, parts, results))
        done: list[Any] = [None] * parts
        failed: BaseException | None = None
        try:
            done[0] = work(0, parts)
        finally:  # no thread may still write when this returns
            for _ in range(1, parts):
                part, done[part], error = results.get()
                failed = failed or error
        if failed is not None:
            raise failed
        return done
    finally:
        crew.free.release()
