"""Threads for large work: plain Python threads that run compiled kernels without the GIL.

A kernel that can be split takes two numbers, its part and the number of parts, and fills its part
of the output; which numbers it computes, and how, does not depend on the split. Numba's own
``prange`` would need a threading layer, and the one that is always there ends the process when two
Python threads enter it at once. Here the second caller at once does all parts by itself, and a
forked process starts threads of its own. A thread that has just worked looks out for more for a
short while before it sleeps, and so does the caller for the last part: see `waiting`.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final

import numpy as np

from ketkar.kernels.backend import threads
from ketkar.kernels.cpu.waiting import tell_and_wait, wait

Part = Callable[[int, int], Any]
Chunk = Callable[[int, int, int], Any]
_Result = tuple[int, Any, BaseException | None]
_Job = tuple[Part, int, int, "SimpleQueue[_Result]"]


CHUNKS: Final = 8
"""Chunks a thread: what one of them can be late by is an eighth of its work."""
WHOLE: Final = 8
"""A chunk is so many times what is worth a thread: that it is begun in Python costs little then."""


class _Worker:
    """A thread that waits for parts of work: how they come, how many came and are done."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job] = SimpleQueue()
        self.posted = np.zeros(1, np.int64)
        self.finished = np.zeros(1, np.int64)
        threading.Thread(target=self._serve, daemon=True).start()

    def post(self, job: _Job) -> None:
        """Give it a part of work."""
        self.jobs.put(job)
        self.posted[0] += 1

    def _serve(self) -> None:
        taken = 0
        while True:
            tell_and_wait(self.finished, taken, self.posted)
            work, part, parts, results = self.jobs.get()  # sleeps, if there is nothing yet
            taken += 1
            try:
                results.put((part, work(part, parts), None))
            except BaseException as error:  # handed to the thread that asked for the work
                results.put((part, None, error))
            del work, results


class _Crew:
    """The threads of this process, for one caller at a time."""

    def __init__(self) -> None:
        self.free = threading.Lock()
        self.workers: list[_Worker] = []

    def enough(self, workers: int) -> None:
        """Start threads until there are so many."""
        while len(self.workers) < workers:
            self.workers.append(_Worker())


_crew = _Crew()


def _renew() -> None:
    """Threads do not follow a process into its fork."""
    global _crew
    _crew = _Crew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


def worth(work: int, large: int) -> int:
    """How many threads so much work is worth, if `large` is worth one of its own."""
    wanted = work // large
    return min(threads(), wanted) if wanted > 1 else 1


def split(work: Part, parts: int) -> list[Any]:
    """Call ``work(part, parts)`` for every part, on as many threads; the results in order.

    What `work` does in Python before its kernel, such as to find memory, is better done before: so
    long as the caller is busy with it, no other thread can begin.
    """
    crew = _crew
    if parts == 1 or not crew.free.acquire(blocking=False):
        return [work(part, parts) for part in range(parts)]
    try:
        crew.enough(parts - 1)
        results: SimpleQueue[_Result] = SimpleQueue()
        for part in range(1, parts):
            crew.workers[part - 1].post((work, part, parts, results))
        done: list[Any] = [None] * parts
        failed: BaseException | None = None
        try:
            done[0] = work(0, parts)
        finally:  # no thread may still write when this returns
            for worker in crew.workers[: parts - 1]:
                wait(worker.finished, worker.posted[0])
            for _ in range(1, parts):
                part, done[part], error = results.get()
                failed = failed or error
        if failed is not None:
            raise failed
        return done
    finally:
        crew.free.release()


def share_out(work: Chunk, total: int, large: int, items: int, workers: int) -> list[Any]:
    """Call ``work(worker, chunk, chunks)`` for every chunk of work of a `total` size; the results.

    Each of the threads, 0 .. workers - 1, takes the next chunk when it has done one. So a thread
    whose processor has other things to do as well takes fewer, and the others do not wait for it.
    There are no more chunks than `items`, and only one for each thread where `total`, in terms of
    what is `large`, is little.
    """
    chunks = 1 if workers == 1 else min(items, CHUNKS * workers, total // (WHOLE * large))
    chunks = max(chunks, workers)
    left = itertools.count()  # its next number is had in one step, which no thread interrupts

    def some(worker: int, workers: int) -> list[Any]:
        found = []
        while (chunk := next(left)) < chunks:
            found.append(work(worker, chunk, chunks))
        return found

    return list(itertools.chain.from_iterable(split(some, workers)))
