"""One dense layer, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar.kernels.backend import threads
from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.machine import ROWS
from ketkar.kernels.cpu.matmul import buffer_size, matmul
from ketkar.kernels.cpu.span import number, span
from ketkar.kernels.cpu.threads import split

LARGE = 1 << 24
"""Multiplications from which threads are worth their start, about a millisecond's worth."""


@helper
def add_bias(z: Any, N: int, m: int, b: Any) -> None:
    """Add b (m,) to every row of z (N, m)."""
    for r in range(N):
        for j in range(m):
            z[r * m + j] += b[j]


@helper
def add_rows(dz: Any, N: int, m: int, db: Any) -> None:
    """Add every row of dz (N, m) to db (m,)."""
    for r in range(N):
        for j in range(m):
            db[j] += dz[r * m + j]


@helper
def share(count: int, part: int, parts: int) -> int:
    """Where a part begins, in whole tiles: only the last part has an edge."""
    return count if part == parts else count // ROWS * part // parts * ROWS


def parts_of(N: int, size: int) -> int:
    """How many threads to split a product of N rows with `size` numbers over: 1 if it is small."""
    return 1 if N * size < LARGE else max(1, min(threads(), N // (2 * ROWS)))


@helper
def _forward(x: Any, W: Any, b: Any, z: Any, part: int, parts: int, buffer: Any) -> None:
    unit: Any = np.int64(1)
    N, n = x.shape
    m = b.size
    first, last = share(N, part, parts), share(N, part + 1, parts)
    here, there = span(x) + first * n, span(z) + first * m
    zero = number(span(x), 0)
    matmul(here, n, unit, span(W), m, unit, there, m, last - first, m, n, zero, span(buffer))
    add_bias(there, last - first, m, span(b))  # (3.7)


@helper
def _backward(
    dz: Any, x: Any, W: Any, dx: Any, dW: Any, db: Any, part: int, parts: int, buffer: Any
) -> None:
    unit: Any = np.int64(1)
    N, n = x.shape
    m = db.size
    zero = number(span(x), 0)
    delta, work = span(dz), span(buffer)
    i, j = share(N, part, parts), share(N, part + 1, parts)
    matmul(delta + i * m, m, unit, span(W), unit, m, span(dx) + i * n, n, j - i, n, m, zero, work)
    i, j = share(n, part, parts), share(n, part + 1, parts)
    matmul(span(x) + i, unit, n, delta, m, unit, span(dW) + i * m, m, j - i, m, N, zero, work)
    if part == parts - 1:
        db[:] = zero
        add_rows(delta, N, m, span(db))  # (3.17)


def _kernels(fingerprint: int) -> tuple[Any, Any]:
    @kernel
    def forward(x: Any, W: Any, b: Any, z: Any, part: int, parts: int) -> None:
        _ = fingerprint
        buffer = np.empty(buffer_size(span(x)), x.dtype)
        _forward(x, W, b, z, part, parts, buffer)

    @kernel
    def backward(dz: Any, x: Any, W: Any, dx: Any, dW: Any, db: Any, part: int, parts: int) -> None:
        _ = fingerprint
        buffer = np.empty(buffer_size(span(x)), x.dtype)
        _backward(dz, x, W, dx, dW, db, part, parts, buffer)

    return forward, backward


_forward_kernel, _backward_kernel = _kernels(FINGERPRINT)


def dense_forward(x: Any, W: Any, b: Any, z: Any) -> None:
    """Fill z (N, m) with x W + b; see `ketkar.kernels.reference`."""
    split(lambda *part: _forward_kernel(x, W, b, z, *part), parts_of(len(x), W.size))


def dense_backward(dz: Any, x: Any, W: Any, dx: Any, dW: Any, db: Any) -> None:
    """Fill dx, dW and db with the gradients of a layer; see `ketkar.kernels.reference`."""
    parts = parts_of(len(x), W.size)
    split(lambda *part: _backward_kernel(dz, x, W, dx, dW, db, *part), parts)  # (3.16), (3.17)
