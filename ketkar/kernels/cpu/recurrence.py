"""Recurrent networks, forward and back through time.

What is computed: the states h of (6.1) or y and c of (6.21)-(6.26), step after step, and on the way
back the errors of all weighted sums, (6.17) or (6.27)-(6.31); then, from these, the gradients.

Where the loops are: no step can begin before the one before it has ended, but only the product with
the state has to wait. What the inputs contribute is a product in advance, for a stretch of steps
whose sums are still in the cache when their turn comes; the gradients of inputs and weights are one
product each afterwards, over the rows of all steps. In between runs the loop over time, and in it a
product of a few rows, the sequences, with one and the same matrix.

Why it is fast: that matrix is laid out once in panels as `matmul` reads them, so that no step
copies anything. Sequences have nothing to do with one another; each thread takes some of them
through all of time, and no step waits for another thread. The products in advance take the steps of
one sequence as their rows, which lie at equal distances, so that a thread needs none of another's.

How many threads there are does not change a result: a product of at least ROWS rows sums each
number in the same order wherever its row stands, and sums over sequences are taken in their order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.dense import add_rows, share
from ketkar.kernels.cpu.elementwise import tanh_of
from ketkar.kernels.cpu.machine import ROWS
from ketkar.kernels.cpu.panels import outer_size, outer_sums, panels, scratch_size, times
from ketkar.kernels.cpu.span import number, span
from ketkar.kernels.cpu.threads import split, worth

STRETCH = 8
"""The fewest steps whose inputs are multiplied together, enough rows for a tile."""
ENOUGH = 64
"""Rows, steps times sequences, that are worth a product."""
LARGE = 1 << 21
"""Multiplications from which a thread of its own is worth it, some 40 microseconds' worth."""


@helper
def inputs(x: Any, U: Any, z: Any, m: int, t: int, first: int, last: int, scratch: Any) -> None:
    """Fill z (T, N, m), for some sequences, with x U of x (T, N, n) and U (n, m) in panels.

    Where a stretch of steps begins with t, those steps of z are filled, else nothing happens.
    """
    T, N, n = x.shape
    stretch = max(STRETCH, ENOUGH // N)
    if t % stretch != 0 or (t > 0 and T - t < stretch):
        return
    steps = stretch if T - t >= 2 * stretch else T - t  # the last stretch is a longer one
    width, zero = U.shape[2], number(z, 0)
    here, there = span(x) + t * N * n, z + t * N * m
    if last - first == N:
        times(here, n, span(U), n, width, there, m, steps * N, m, zero, scratch)
        return
    for r in range(first, last):
        source, target = here + r * n, there + r * m
        times(source, N * n, span(U), n, width, target, N * m, steps, m, zero, scratch)


@helper
def skipped(mask: Any, t: int, r: int) -> bool:
    """Whether step t of sequence r is not there."""
    return mask.shape[0] > 0 and not mask[t, r]


@helper
def _rnn_forward(
    x: Any, U: Any, W: Any, b: Any, mask: Any, h: Any, first: int, last: int, scratch: Any
) -> None:
    T, N = x.shape[0], x.shape[1]
    H = b.size
    one = number(span(h), 1)
    work, bias, width = span(scratch), span(b), W.shape[2]
    for t in range(T):
        inputs(x, U, span(h) + N * H, H, t, first, last, work)
        before = span(h) + (t * N + first) * H
        after = before + N * H
        times(before, H, span(W), H, width, after, H, last - first, H, one, work)
        for r in range(last - first):
            z = after + r * H
            if skipped(mask, t, first + r):
                for j in range(H):
                    z[j] = before[r * H + j]
            else:
                for j in range(H):
                    z[j] = tanh_of(z[j] + bias[j])  # (6.1)


@helper
def _rnn_back(
    W: Any, mask: Any, h: Any, dh: Any, stop: int, dh0: Any, first: int, last: int, scratch: Any
) -> None:
    """Put the errors of the weighted sums into the place of dh, from the last step to the first."""
    T, N, H = dh.shape
    one = number(span(h), 1)
    for i in range(first * H, last * H):
        span(dh0)[i] = number(span(h), 0)
    for t in range(T - 1, -1, -1):
        error = span(dh) + (t * N + first) * H
        state = span(h) + ((t + 1) * N + first) * H
        into = error + -N * H if t else span(dh0) + first * H
        whole = not (stop > 0 and t % stop == 0 and t > 0)
        for r in range(last - first):
            e, y, below = error + r * H, state + r * H, into + r * H
            if skipped(mask, t, first + r):
                for j in range(H):
                    if whole:
                        below[j] += e[j]
                    e[j] = number(e, 0)
            else:
                for j in range(H):
                    e[j] *= one - y[j] * y[j]  # (6.17)
        if whole:
            times(error, H, span(W), H, W.shape[2], into, H, last - first, H, one, span(scratch))


@helper
def _gradients(
    x: Any, states: Any, dz: Any, U: Any, dx: Any, dU: Any, dW: Any, db: Any,
    part: int, parts: int, buffer: Any,
) -> None:  # fmt: skip
    """From the errors dz (T N, m) of all sums: dx (T N, n), dU (m, n), dW (m, h) and db (m,)."""
    n, m, k = dU.shape[1], db.size, dW.shape[1]
    rows = dz.size // m
    errors, work, zero = span(dz), span(buffer), number(span(dz), 0)
    if dx.size > 0:
        i, j = share(rows, part, parts), share(rows, part + 1, parts)
        here, there = errors + i * m, span(dx) + i * n
        times(here, m, span(U), m, U.shape[2], there, n, j - i, n, zero, work)
    i, j = share(m, part, parts), share(m, part + 1, parts)
    targets = span(dU) + i * n, span(dW) + i * k
    outer_sums(
        errors + i, m, j - i, rows, span(x), targets[0], n, span(states), targets[1], k, work
    )
    if part == parts - 1:
        db[:] = zero
        add_rows(errors, rows, m, span(db))


def _rnn_kernels(fingerprint: int) -> tuple[Any, Any, Any]:
    @kernel
    def forward(x: Any, U: Any, W: Any, b: Any, mask: Any, h: Any, part: int, parts: int) -> None:
        _ = fingerprint
        scratch = np.empty(scratch_size(span(x)), x.dtype)
        first, last = share(x.shape[1], part, parts), share(x.shape[1], part + 1, parts)
        _rnn_forward(x, U, W, b, mask, h, first, last, scratch)

    @kernel
    def back(
        W: Any, mask: Any, h: Any, dh: Any, stop: int, dh0: Any, part: int, parts: int
    ) -> None:
        _ = fingerprint
        scratch = np.empty(scratch_size(span(h)), h.dtype)
        first, last = share(h.shape[1], part, parts), share(h.shape[1], part + 1, parts)
        _rnn_back(W, mask, h, dh, stop, dh0, first, last, scratch)

    @kernel
    def gradients(
        x: Any, states: Any, dz: Any, U: Any, dx: Any, dU: Any, dW: Any, db: Any,
        part: int, parts: int,
    ) -> None:  # fmt: skip
        _ = fingerprint
        buffer = np.empty(outer_size(span(x), dU.shape[1], dW.shape[1]), x.dtype)
        _gradients(x, states, dz, U, dx, dU, dW, db, part, parts, buffer)

    return forward, back, gradients


_rnn_forward_kernel, _rnn_back_kernel, _gradients_kernel = _rnn_kernels(FINGERPRINT)


def slices(x: Any, size: int) -> int:
    """How many threads to split the sequences over, for `size` multiplications a row."""
    T, N, _ = x.shape
    return 1 if T < ROWS else max(1, min(N // ROWS, worth(T * N * size, LARGE)))


def weight_gradients(
    x: Any, states: Any, dz: Any, U: Any, dx: Any, dU: Any, dW: Any, db: Any
) -> None:
    """Fill dx, dU, dW and db from the errors dz (T, N, ...) of all weighted sums."""
    T, N, _ = x.shape
    work = T * N * (dU.size + dW.size + (U.size if dx.size else 0))
    back = panels(U if dx.size else U[:0], T * N)
    split(
        lambda *part: _gradients_kernel(x, states, dz, back, dx, dU, dW, db, *part),
        max(1, min(db.size // ROWS, T * N // ROWS, worth(work, LARGE))),
    )


def rnn_forward(x: Any, U: Any, W: Any, b: Any, mask: Any, h: Any) -> None:
    """Fill h[1:] (T, N, h) from h[0]; see `ketkar.kernels.recurrence`."""
    T, N, _ = x.shape
    read, recurrent = panels(U, T * N, turned=True), panels(W, N, turned=True)
    split(
        lambda *part: _rnn_forward_kernel(x, read, recurrent, b, mask, h, *part),
        slices(x, U.size + W.size),
    )


def rnn_backward(
    x: Any, U: Any, W: Any, mask: Any, h: Any, dh: Any, stop: int,
    dx: Any, dU: Any, dW: Any, db: Any, dh0: Any,
) -> None:  # fmt: skip
    """Fill dx, dU, dW, db and dh0 from dh; see `ketkar.kernels.recurrence`."""
    back = panels(W, x.shape[1])
    split(lambda *part: _rnn_back_kernel(back, mask, h, dh, stop, dh0, *part), slices(x, W.size))
    weight_gradients(x, h, dh, U, dx, dU, dW, db)
