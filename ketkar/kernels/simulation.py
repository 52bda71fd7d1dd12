"""A pretended graphics processor: whether one is wanted, and in which order its threads run.

Blocks of a real GPU run in no promised order, and so do the threads of a block between two
barriers. A kernel that is right gives the same answer in every order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, NamedTuple

from ketkar import checks

__all__ = ["ORDERS", "Simulation", "simulate", "simulation"]

ORDERS: Final = ("forward", "reverse", "random")


class Simulation(NamedTuple):
    """How blocks, and threads between two barriers, take turns; `seed` is that of "random"."""

    order: str
    seed: int


_CURRENT: ContextVar[Simulation | None] = ContextVar("simulation", default=None)


def simulation() -> Simulation | None:
    """The simulation we are in, or None."""
    return _CURRENT.get()


@contextmanager
def simulate(order: str = "forward", seed: int = 0) -> Iterator[Simulation]:
    """Run the CUDA kernels on the processor, thread after thread, while the context is open.

    The backend "cuda" is then there without a GPU: the source of each kernel is rewritten so that
    Numba compiles it for the processor, where a barrier is the place at which one thread waits and
    the next goes on. Memory that a block shares is filled with NaN first, so that what is read
    before it is written shows. This is for learning and for tests: it is slow.

    Parameters
    ----------
    order : {"forward", "reverse", "random"}
        Whose turn it is: by number, by number from the last, or drawn anew after each barrier.
    seed : int
        The seed of "random".

    Raises
    ------
    ValueError
        If there is no such order.

    Examples
    --------
    >>> from ketkar import convolutional
    >>> with simulate(order="reverse"):
    ...     convolutional.max_pool2d([[[[1.0, 2.0], [3.0, 0.0]]]], 2, backend="cuda")
    array([[[[3.]]]])
    """
    checks.one_of(order, "order", ORDERS)
    wanted = Simulation(order, checks.count(seed, "seed", least=0))
    before = _CURRENT.set(wanted)
    try:
        yield wanted
    finally:
        _CURRENT.reset(before)
