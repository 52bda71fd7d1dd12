"""Going through all steps of a sequence in one start: the product of a state with a matrix.

What is computed: in every step of a recurrent network, the states of a few sequences, rows of K
numbers, times one and the same matrix of K rows; what is done with the products, `recurrence` and
`lstm` say.

Who does what: sequences have nothing to do with one another, so a block takes four of them from the
first step to the last, and never waits for another block. The four states stay in memory that the
block shares. In a step each thread has four columns of the matrix, and a share of its rows where
there are more threads than that takes: it reads four numbers of a row, from neighbouring places to
those its neighbours read, and four of the states, and makes 16 multiply-adds from them. The shares
of the sums go to shared memory too; after a barrier the threads add them up and make the next state
from them.

Why it is fast: starting a kernel takes longer than a step of a network of some hundred units. Here
the steps of all sequences cost one start, and two barriers each. The matrix is read from memory
once: as it is small it stays in the second cache, or even in the first. It has been laid out for
this, in a panel where a row is four pieces, one of each column that a thread has; rows and columns
that are not there are zero, so that no loop asks for edges.

A large matrix is better cut into tiles, whose rows several blocks share: for it each step is a
product and a small kernel of its own (`fits` says which way to go).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ketkar.kernels.cuda.kernel import blocks_for, kernel
from ketkar.kernels.cuda.memory import scratch
from ketkar.kernels.cuda.provider import cuda

__all__ = ["PARTS", "ROWS", "THREADS", "Panel", "fits", "panel", "passed", "room", "times"]

ROWS = 4
"""Sequences of a block, and columns of a thread."""
THREADS = 256
PARTS = ROWS * ROWS * THREADS
"""Numbers of shared memory for the shares of the sums."""
LARGE = 1 << 18
"""Numbers of a matrix that is too large for a block to read it in every step."""

u = np.uint64


class Panel(NamedTuple):
    """A matrix as blocks read it: `values` has rows of four pieces of `piece` columns each.

    There are `groups` shares of `share` rows, one for each group of `piece` threads.
    """

    values: Any
    piece: int
    groups: int
    share: int


def room(T: Any) -> int:
    """Numbers that there is shared memory for, of the states of four sequences."""
    return 4096 if T is np.float32 else 1536


def fits(W: Any) -> bool:
    """Whether blocks go through all steps with a matrix (m, h)."""
    return ROWS * max(W.shape) <= room(W.dtype.type) and W.shape[0] * W.shape[1] <= LARGE


def panel(W: Any, turned: bool) -> Panel:
    """The panel of a matrix W (m, h), or of its transpose; m is h, or 4 h with gates.

    The four pieces of the transpose are the columns of the four gates.
    """
    m, h = W.shape
    rows, gates = (h, m // h) if turned else (m, 1)
    piece = 8 * blocks_for(h if gates > 1 else blocks_for(h, 4), 8)
    groups = 1
    while 2 * groups * piece <= THREADS:
        groups *= 2
    share = ROWS * blocks_for(rows, ROWS * groups)
    values = scratch(W, groups * share * ROWS * piece)
    wide = ROWS * piece // gates
    lay_out(
        blocks_for(values.shape[0], THREADS), W.reshape(-1), values, h, rows, wide, ROWS * piece,
        turned,
    )  # fmt: skip
    return Panel(values, piece, groups, share)


@kernel("T1 T1 i i i i i", threads=THREADS)
def lay_out(T: Any) -> Any:
    """Fill a panel, a thread for every number of it, with zeros at its edges."""

    def body(W, values, h, rows, wide, width, turned):  # type: ignore[no-untyped-def]
        n = cuda.blockIdx.x * THREADS + cuda.threadIdx.x
        if n < values.size:
            k = n // width
            column = n - k * width
            gate = column // wide
            j = column - gate * wide
            value = T(0)
            if k < rows and j < h:
                value = W[(gate * h + j) * rows + k] if turned else W[k * h + j]
            values[n] = value

    return body


@cuda.jit(device=True)
def times(values, states, total, parts, group, thread, piece, share):  # type: ignore[no-untyped-def]
    """Put one thread's share of four columns of states times matrix into `parts`.

    `states` holds the four numbers of row k, one of each sequence, from 4 k on; `parts` is filled
    in the same way for each group. `total` (16) are numbers for the thread alone.
    """
    for n in range(16):
        total[n] = 0
    k = u(group * share)
    last = k + u(share)
    place, step = k * u(4 * piece) + u(thread), u(piece)
    while k < last:
        for _ in range(4):  # the numbers of four rows are on their way together
            for i in range(4):
                weight = values[place]
                place += step
                for s in range(4):
                    total[4 * i + s] += weight * states[u(4) * k + u(s)]
            k += u(1)
    for i in range(4):
        for s in range(4):
            parts[u(((group * 4 + i) * piece + thread) * 4 + s)] = total[4 * i + s]


@cuda.jit(device=True)
def passed(mask, masked, t, r, steps, stop):  # type: ignore[no-untyped-def]
    """Whether the error of the sums of step t reached the state before it, in sequence r."""
    if t >= steps or (stop > 0 and t > 0 and t % stop == 0):
        return False
    return masked == 0 or mask[t, r]
