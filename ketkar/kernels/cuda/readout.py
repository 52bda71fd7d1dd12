"""The softmax layer that reads hidden states: forward, backward, and fused with its loss.

The scores, and the gradients of states and weights, are products of matrices (`products`). Between
them stand kernels over rows, in which a block has eight rows and 32 threads for each, as in `loss`:
threads add up parts of a row, exchange the sums through shared memory, and finish the row, which by
then is in the cache.

Rows that count as nothing, because their sequences have ended, may hold anything, even NaN; and as
0 times NaN is NaN, it takes a copy of the states with zeros in these rows to keep it out of the
weights' gradient.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ketkar.kernels.cuda.kernel import blocks_for, kernel
from ketkar.kernels.cuda.loss import ROWS, cross_entropy
from ketkar.kernels.cuda.memory import on_device, scratch
from ketkar.kernels.cuda.products import column_sums, multiply
from ketkar.kernels.cuda.provider import cuda

__all__ = ["output_backward", "output_forward", "output_loss"]

u = np.uint32


@kernel("T1 u u", threads=(32, ROWS))
def softmax_of_rows(T: Any) -> Any:
    """Put e^z / sum e^z in the place of every row z, with the largest taken out of the exponent."""

    def body(z, R, m):  # type: ignore[no-untyped-def]
        tops = cuda.shared.array((ROWS, 32), T)
        sums = cuda.shared.array((ROWS, 32), T)
        x, y = u(cuda.threadIdx.x), u(cuda.threadIdx.y)
        r = u(cuda.blockIdx.x) * u(ROWS) + y
        row = r * m
        few = m if m < u(32) else u(32)
        top, total = T(-math.inf), T(0)
        if r < R:
            for j in range(x, m, u(32)):
                top = z[row + j] if z[row + j] > top else top
        tops[y, x] = top
        cuda.syncthreads()
        for k in range(few):
            top = tops[y, k] if tops[y, k] > top else top
        if r < R:
            for j in range(x, m, u(32)):
                power = math.exp(z[row + j] - top)
                total += power
                z[row + j] = power
        sums[y, x] = total
        cuda.syncthreads()
        total = T(0)
        for k in range(few):
            total += sums[y, k]
        if r < R:
            for j in range(x, m, u(32)):
                z[row + j] /= total  # (6.2)

    return body


@kernel("T1 T1 T1 u u", threads=(32, ROWS))
def back_through_softmax(T: Any) -> Any:
    """Fill dz from the probabilities p and from dp, what is known about them."""

    def body(dp, p, dz, R, m):  # type: ignore[no-untyped-def]
        sums = cuda.shared.array((ROWS, 32), T)
        x, y = u(cuda.threadIdx.x), u(cuda.threadIdx.y)
        r = u(cuda.blockIdx.x) * u(ROWS) + y
        row = r * m
        few = m if m < u(32) else u(32)
        total = T(0)
        if r < R:
            for j in range(x, m, u(32)):
                total += dp[row + j] * p[row + j]
        sums[y, x] = total
        cuda.syncthreads()
        total = T(0)
        for k in range(few):
            total += sums[y, k]
        if r < R:
            for j in range(x, m, u(32)):
                dz[row + j] = p[row + j] * (dp[row + j] - total)  # (3.34)

    return body


@kernel("T1 T1 T1 u u", threads=(32, ROWS))
def rows_that_count(T: Any) -> Any:
    """Copy h, with zeros in the rows of weight 0."""

    def body(h, weights, copy, R, k):  # type: ignore[no-untyped-def]
        r = u(cuda.blockIdx.x) * u(ROWS) + u(cuda.threadIdx.y)
        if r < R:
            counts = weights[r] != T(0)
            for j in range(u(cuda.threadIdx.x), k, u(32)):
                copy[r * k + j] = h[r * k + j] if counts else T(0)

    return body


@on_device(fills="y")
def output_forward(h: Any, V: Any, c: Any, y: Any) -> None:
    """Fill y (R, m) with softmax(h V^T + c); see `ketkar.kernels.recurrence`."""
    R, m = y.shape
    p = y.reshape(-1)
    multiply(h.reshape(-1), V.reshape(-1), p, R, m, h.shape[1], B_turned=True, bias=c)
    softmax_of_rows(blocks_for(R, ROWS), p, R, m)


@on_device(fills="dh dV dc")
def output_backward(dy: Any, y: Any, h: Any, V: Any, dh: Any, dV: Any, dc: Any) -> None:
    """Fill dh, dV and dc from dy; see `ketkar.kernels.recurrence`."""
    R, m = y.shape
    dz = scratch(y, R * m)
    back_through_softmax(blocks_for(R, ROWS), dy.reshape(-1), y.reshape(-1), dz, R, m)
    _gradients(dz, h.reshape(-1), V, dh, dV, dc)


@on_device(fills="losses dh dV dc")
def output_loss(
    h: Any, V: Any, c: Any, labels: Any, weights: Any, losses: Any, dh: Any, dV: Any, dc: Any
) -> None:
    """Fill losses, dh, dV and dc from labels and weights; see `ketkar.kernels.recurrence`."""
    (R, k), m = h.shape, len(V)
    dz, counted = scratch(h, R * m), scratch(h, R * k)
    multiply(h.reshape(-1), V.reshape(-1), dz, R, m, k, B_turned=True, bias=c)
    cross_entropy(dz, labels, weights, losses, R, m)  # (6.8), (3.15)
    rows_that_count(blocks_for(R, ROWS), h.reshape(-1), weights, counted, R, k)
    _gradients(dz, counted, V, dh, dV, dc)


def _gradients(dz: Any, h: Any, V: Any, dh: Any, dV: Any, dc: Any) -> None:
    (m, k), R = V.shape, len(dh)
    multiply(dz, V.reshape(-1), dh.reshape(-1), R, k, m)
    multiply(dz, h, dV.reshape(-1), m, k, R, A_turned=True)
    column_sums(dz, dc, R, m)
