"""The gradient of the kernels for few maps or few taps: every thread goes through its own places.

A thread takes every 256th place of its part, and of each the errors of `TM` maps and the numbers
under `TN` taps (a window of 3 x 3), and makes all their products: 13 numbers read, 36
multiply-adds, whose sums stay in registers. Threads side by side have places side by side, so that
a warp reads a row or two of the image, which the cache holds for the other taps.

At the end the threads of a block add their sums in shared memory: sixteen threads take sixteen
numbers each, and one takes their sixteen sums. Always in the same order.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ketkar.kernels.cuda.convolution_gradient_tiled import GEOMETRY
from ketkar.kernels.cuda.kernel import kernel
from ketkar.kernels.cuda.provider import cuda

__all__ = ["TM", "TN", "kernel_gradient_directly"]

TM: Final = 4
TN: Final = 9
THREADS: Final = 256
ROW: Final = THREADS + 16
SUMS: Final = TN * ROW


@kernel("T1 T1 T1" + GEOMETRY + " i", threads=THREADS)
def kernel_gradient_directly(T: Any) -> Any:
    """A block: TM maps and TN taps of a group, over the places of a part."""

    def body(  # type: ignore[no-untyped-def]
        dy, x, sums, N, C, M, groups, H, W, Ho, Wo, R, S, stride_h, stride_w, top, left,
        dilation_h, dilation_w, parts,
    ):  # fmt: skip
        memory = cuda.shared.array(SUMS, T)
        acc = cuda.local.array((TM, TN), T)
        errors = cuda.local.array(TM, T)
        down = cuda.local.array(TN, np.int32)
        right = cuda.local.array(TN, np.int32)
        away = cuda.local.array(TN, np.int32)
        t = np.int32(cuda.threadIdx.x)
        taps = np.int32(C * R * S)
        tiles = np.int32((M + TM - 1) // TM)
        across = np.int32((taps + TN - 1) // TN)
        block = np.int32(cuda.blockIdx.x)
        m = np.int32(block % tiles * TM)
        block = np.int32(block // tiles)
        tap = np.int32(block % across * TN)
        block = np.int32(block // across)
        g = np.int32(block % groups)
        part = np.int32(block // groups)
        for v in range(TN):
            one = np.int32(min(tap + v, taps - 1))  # what is computed twice is not stored twice
            down[v] = np.int32(one // S % R * dilation_h)
            right[v] = np.int32(one % S * dilation_w)
            away[v] = np.int32((one // (R * S) * H + down[v]) * W + right[v])
            for u in range(TM):
                acc[u, v] = T(0)
        # The first place of this thread, and the way from one to the next.
        plane = np.int32(Ho * Wo)
        first = np.int64(N) * plane * part // parts
        count = np.int32(np.int64(N) * plane * (part + 1) // parts - first)
        n = (first + t) // plane
        i = np.int32((first + t - n * plane) // Wo)
        j = np.int32(first + t - n * plane - np.int64(i) * Wo)
        step_n = np.int32(THREADS // plane)
        step_i = np.int32((THREADS - step_n * plane) // Wo)
        step_j = np.int32(THREADS - step_n * plane - step_i * Wo)
        for _ in range(t, count, THREADS):
            error = np.uint64(((n * groups + g) * M + m) * plane + i * Wo + j)
            for u in range(TM):
                fetch = m + u < M
                errors[u] = dy[error + np.uint64(np.uint32(u * plane))] if fetch else T(0)
            image = (n * groups + g) * C * H * W
            row = np.int32(i * stride_h - top)
            column = np.int32(j * stride_w - left)
            here = np.int32(row * W + column)
            for v in range(TN):
                number = T(0)
                inside = np.uint32(row + down[v]) < np.uint32(H)
                if inside and np.uint32(column + right[v]) < np.uint32(W):
                    spot = np.uint32(here + away[v])
                    number = x[np.uint64(image) + np.uint64(spot)]
                for u in range(TM):
                    acc[u, v] += errors[u] * number  # (5.19)
            n += step_n
            i = np.int32(i + step_i)
            j = np.int32(j + step_j)
            if j >= Wo:
                j = np.int32(j - Wo)
                i = np.int32(i + 1)
            if i >= Ho:
                i = np.int32(i - Ho)
                n += 1
        for u in range(TM):
            for v in range(TN):
                memory[np.uint32(v * ROW + t)] = acc[u, v]
            cuda.syncthreads()
            mine = np.uint32(t // 16 * ROW + t % 16)
            total = T(0)
            if t < 16 * TN:
                for k in range(16):
                    total += memory[np.uint32(mine + np.uint32(16 * k))]
            cuda.syncthreads()
            if t < 16 * TN:
                memory[mine] = total
            cuda.syncthreads()
            if t < TN and m + u < M and tap + t < taps:
                total = T(0)
                for k in range(16):
                    total += memory[np.uint32(t * ROW + k)]
                line = (np.int64(part) * groups + g) * M + m + u
                sums[np.uint64(line * taps + tap + t)] = total
            cuda.syncthreads()

    return body
