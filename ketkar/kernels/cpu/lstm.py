"""The LSTM, forward and back through time; `recurrence` says how the loops are laid.

What the gates do to a step is arithmetic on a few vectors of h numbers, which stay in the first
cache. It is written as several short loops and not as one: LLVM puts a loop into vectors only if
it can make sure, with few comparisons, that what is written is not what is read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.dense import share
from ketkar.kernels.cpu.elementwise import sigmoid_of, tanh_of
from ketkar.kernels.cpu.panels import panels, scratch_size, times
from ketkar.kernels.cpu.recurrence import inputs, skipped, slices, weight_gradients
from ketkar.kernels.cpu.span import number, span
from ketkar.kernels.cpu.threads import split


@helper
def _gate(z: Any, b: Any, p: Any, c: Any, h: int) -> None:
    """A gate that sees a cell state, in place of its weighted sum."""
    for j in range(h):
        z[j] = sigmoid_of(z[j] + b[j] + p[j] * c[j])


@helper
def _step(z: Any, p: Any, b: Any, c: Any, new: Any, y: Any, h: int) -> None:
    """From the weighted sums z (4 h) the gates, in their place; the new cell state and output."""
    i, f, o = z + h, z + 2 * h, z + 3 * h
    for j in range(h):
        z[j] = tanh_of(z[j] + b[j])  # (6.21)
    _gate(i, b + h, p, c, h)  # (6.22)
    _gate(f, b + 2 * h, p + h, c, h)  # (6.23)
    for j in range(h):
        new[j] = i[j] * z[j] + f[j] * c[j]  # (6.24)
    _gate(o, b + 3 * h, p + 2 * h, new, h)  # (6.25)
    for j in range(h):
        y[j] = o[j] * tanh_of(new[j])  # (6.26)


@helper
def _forward(
    x: Any, W: Any, R: Any, p: Any, b: Any, mask: Any, y: Any, c: Any, gates: Any,
    first: int, last: int, scratch: Any,
) -> None:  # fmt: skip
    T, N, h = y.shape[0] - 1, y.shape[1], y.shape[2]
    one = number(span(y), 1)
    work, width = span(scratch), R.shape[2]
    for t in range(T):
        inputs(x, W, span(gates), 4 * h, t, first, last, work)
        here = (t * N + first) * h
        z = span(gates) + 4 * here
        before, cell = span(y) + here, span(c) + here
        times(before, h, span(R), h, width, z, 4 * h, last - first, 4 * h, one, work)
        for r in range(last - first):
            old, cells = before + r * h, cell + r * h
            new, state = old + N * h, cells + N * h
            _step(z + 4 * r * h, span(p), span(b), cells, state, new, h)
            if skipped(mask, t, first + r):
                for j in range(h):
                    state[j] = cells[j]
                for j in range(h):
                    new[j] = old[j]


@helper
def _step_back(g: Any, p: Any, c: Any, new: Any, dy: Any, dc: Any, e: Any, s: Any, h: int) -> None:
    """From dy and the gates g the errors e (4 h) of the sums; dc goes back by a step.

    e may be g. The vectors s (5 h) are for what is computed on the way.
    """
    one = number(g, 1)
    z, i, f, o = g, g + h, g + 2 * h, g + 3 * h
    squashed, do, di, df, dz = s, s + h, s + 2 * h, s + 3 * h, s + 4 * h
    for j in range(h):
        squashed[j] = tanh_of(new[j])
    for j in range(h):
        do[j] = dy[j] * squashed[j] * (o[j] * (one - o[j]))  # (6.27)
    for j in range(h):
        squashed[j] = dy[j] * o[j] * (one - squashed[j] * squashed[j])
    po = p + 2 * h
    for j in range(h):
        dc[j] += squashed[j] + do[j] * po[j]  # (6.28)
    for j in range(h):
        di[j] = dc[j] * z[j] * (i[j] * (one - i[j]))  # (6.29)
    for j in range(h):
        df[j] = dc[j] * c[j] * (f[j] * (one - f[j]))  # (6.30)
    for j in range(h):
        dz[j] = dc[j] * i[j] * (one - z[j] * z[j])  # (6.31)
    pf = p + h
    for j in range(h):
        dc[j] = dc[j] * f[j] + (di[j] * p[j] + df[j] * pf[j])  # (6.28)
    for j in range(h):
        e[j] = dz[j]
    for k, source in ((1, di), (2, df), (3, do)):
        there = e + k * h
        for j in range(h):
            there[j] = source[j]


@helper
def _peepholes(s: Any, c: Any, new: Any, sums: Any, h: int) -> None:
    """Add to the sums (3 h) of one sequence what the peepholes of i, f and o get from a step."""
    di, df, do = s + 2 * h, s + 3 * h, s + h
    f_sums, o_sums = sums + h, sums + 2 * h
    for j in range(h):
        sums[j] += di[j] * c[j]  # (6.32)
    for j in range(h):
        f_sums[j] += df[j] * c[j]
    for j in range(h):
        o_sums[j] += do[j] * new[j]


@helper
def _back(
    R: Any, p: Any, mask: Any, c: Any, gates: Any, dy: Any, dc: Any, stop: int, errors: Any,
    sums: Any, dy0: Any, first: int, last: int, vectors: Any, scratch: Any,
) -> None:  # fmt: skip
    """Fill errors, the sums (N, 3 h) of the peepholes and dy0, from the last step to the first."""
    T, N, h = dy.shape
    zero, one = number(span(c), 0), number(span(c), 1)
    work, width = span(vectors), R.shape[2]
    for k in range(first * h, last * h):
        span(dy0)[k] = zero
    for k in range(first * 3 * h, last * 3 * h):
        span(sums)[k] = zero
    for t in range(T - 1, -1, -1):
        here = (t * N + first) * h
        into = span(dy) + (here + -N * h) if t else span(dy0) + first * h
        whole = not (stop > 0 and t % stop == 0 and t > 0)
        for r in range(last - first):
            place = here + r * h
            error, owed = span(errors) + 4 * place, span(dc) + (first + r) * h
            cell = span(c) + place
            if skipped(mask, t, first + r):
                below, passed = into + r * h, span(dy) + place
                for j in range(4 * h):
                    error[j] = zero
                if whole:
                    for j in range(h):
                        below[j] += passed[j]
            else:
                g, total = span(gates) + 4 * place, span(dy) + place
                _step_back(g, span(p), cell, cell + N * h, total, owed, error, work, h)
                _peepholes(work, cell, cell + N * h, span(sums) + (first + r) * 3 * h, h)
            if not whole:
                for j in range(h):
                    owed[j] = zero
        if whole:
            error = span(errors) + 4 * here
            times(
                error, 4 * h, span(R), 4 * h, width, into, h, last - first, h, one, span(scratch)
            )  # fmt: skip


def _kernels(fingerprint: int) -> tuple[Any, Any]:
    @kernel
    def forward(
        x: Any, W: Any, R: Any, p: Any, b: Any, mask: Any, y: Any, c: Any, gates: Any,
        part: int, parts: int,
    ) -> None:  # fmt: skip
        _ = fingerprint
        scratch = np.empty(scratch_size(span(x)), x.dtype)
        first, last = share(x.shape[1], part, parts), share(x.shape[1], part + 1, parts)
        _forward(x, W, R, p, b, mask, y, c, gates, first, last, scratch)

    @kernel
    def back(
        R: Any, p: Any, mask: Any, c: Any, gates: Any, dy: Any, dc: Any, stop: int, errors: Any,
        sums: Any, dy0: Any, part: int, parts: int,
    ) -> None:  # fmt: skip
        _ = fingerprint
        scratch = np.empty(scratch_size(span(c)), c.dtype)
        vectors = np.empty(5 * c.shape[2], c.dtype)
        first, last = share(c.shape[1], part, parts), share(c.shape[1], part + 1, parts)
        _back(
            R, p, mask, c, gates, dy, dc, stop, errors, sums, dy0, first, last, vectors, scratch
        )  # fmt: skip

    return forward, back


_forward_kernel, _back_kernel = _kernels(FINGERPRINT)


def lstm_forward(
    x: Any, W: Any, R: Any, p: Any, b: Any, mask: Any, y: Any, c: Any, gates: Any
) -> None:
    """Fill y[1:], c[1:] and gates from y[0] and c[0]; see `ketkar.kernels.recurrence`."""
    T, N, _ = x.shape
    read, recurrent = panels(W, T * N, turned=True), panels(R, N, turned=True)
    split(
        lambda *part: _forward_kernel(x, read, recurrent, p, b, mask, y, c, gates, *part),
        slices(x, W.size + R.size),
    )


def lstm_backward(
    x: Any, W: Any, R: Any, p: Any, mask: Any, y: Any, c: Any, gates: Any, dy: Any, dc: Any,
    stop: int, errors: Any, dx: Any, dW: Any, dR: Any, dp: Any, db: Any, dy0: Any,
) -> None:  # fmt: skip
    """Fill dx, dW, dR, dp, db and dy0 from dy; see `ketkar.kernels.recurrence`."""
    recurrent, sums = panels(R, x.shape[1]), np.empty((x.shape[1], *dp.shape), x.dtype)
    split(
        lambda *part: _back_kernel(
            recurrent, p, mask, c, gates, dy, dc, stop, errors, sums, dy0, *part
        ),
        slices(x, R.size),
    )
    dp[...] = sums.sum(axis=0)
    weight_gradients(x, y, errors, W, dx, dW, dR, db)
