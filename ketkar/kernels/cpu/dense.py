"""One dense layer, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.matmul import buffer_size, matmul
from ketkar.kernels.cpu.span import number, span


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
def _forward(x: Any, W: Any, b: Any, z: Any, N: int, n: int, m: int, buffer: Any) -> None:
    unit: Any = np.int64(1)
    matmul(
        span(x), n, unit, span(W), m, unit, span(z), m, N, m, n, number(span(x), 0), span(buffer)
    )
    add_bias(span(z), N, m, span(b))


@helper
def _backward(
    dz: Any, x: Any, W: Any, dx: Any, dW: Any, db: Any, N: int, n: int, m: int, buffer: Any
) -> None:
    unit: Any = np.int64(1)
    zero = number(span(x), 0)
    delta, work = span(dz), span(buffer)
    matmul(delta, m, unit, span(W), unit, m, span(dx), n, N, n, m, zero, work)  # (3.16)
    matmul(span(x), unit, n, delta, m, unit, span(dW), m, n, m, N, zero, work)  # (3.17)
    db[:] = zero
    add_rows(delta, N, m, span(db))  # (3.17)


def _kernels(fingerprint: int) -> tuple[Any, Any]:
    @kernel
    def dense_forward(x: Any, W: Any, b: Any, z: Any) -> None:
        _ = fingerprint
        buffer = np.empty(buffer_size(span(x)), x.dtype)
        _forward(x, W, b, z, x.shape[0], x.shape[1], b.size, buffer)

    @kernel
    def dense_backward(dz: Any, x: Any, W: Any, dx: Any, dW: Any, db: Any) -> None:
        _ = fingerprint
        buffer = np.empty(buffer_size(span(x)), x.dtype)
        _backward(dz, x, W, dx, dW, db, x.shape[0], x.shape[1], db.size, buffer)

    return dense_forward, dense_backward


dense_forward, dense_backward = _kernels(FINGERPRINT)
