"""The gradient of the kernels in tiles: a product of matrices that are never written down.

As in the convolution itself (`convolution_tiled`), a block of 128 threads goes through the sum in
strips of eight terms: it fetches a strip of both matrices, keeps it in shared memory, and every
thread adds to its own tile of sums in registers while the next strip is on its way.

Here the rows are maps, the columns taps (c, r, s), and the terms are places. A thread fetches what
its own tap meets at eight places that follow each other: channel, row and column of the window are
found once, and what changes from place to place is the same for all threads. Places are taken in
bands of rows of one example; a band ends where its example ends, and so does its last strip.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ketkar.kernels.cuda.convolution_tiled import BK, BN, accumulator
from ketkar.kernels.cuda.kernel import Kernel, kernel
from ketkar.kernels.cuda.provider import cuda

__all__ = ["GEOMETRY", "GRADIENT_TILES"]

GEOMETRY: Final = 16 * " i"
"""The arguments N, C, M, groups, sizes and steps: those of `convolution_gradient.Shape`."""


def _tiled(BM: int, rows_of_thread: int) -> Kernel:
    A_SIZE, B_SIZE, WIDE, MINE = BK * (BM + 4), BK * BN, BM + 4, BM // 16

    def gradient(T: Any) -> Any:
        accumulate = accumulator(T, BM, rows_of_thread)

        def body(  # type: ignore[no-untyped-def]
            dy, x, sums, N, C, M, groups, H, W, Ho, Wo, R, S, stride_h, stride_w, top, left,
            dilation_h, dilation_w, band, parts,
        ):  # fmt: skip
            a_strip = cuda.shared.array(A_SIZE, T)
            b_strip = cuda.shared.array(B_SIZE, T)
            acc = cuda.local.array((rows_of_thread, 8), T)
            some = cuda.local.array(rows_of_thread, T)
            numbers = cuda.local.array(BK, T)
            errors = cuda.local.array(MINE, T)
            t = np.int32(cuda.threadIdx.x)
            taps = np.int32(C * R * S)
            # What this block computes, and from which bands of rows.
            tiles = np.int32((M + BM - 1) // BM)
            across = np.int32((taps + BN - 1) // BN)
            block = np.int32(cuda.blockIdx.x)
            tile = np.int32(block % tiles)
            block = np.int32(block // tiles)
            tap_tile = np.int32(block % across)
            block = np.int32(block // across)
            g = np.int32(block % groups)
            part = np.int32(block // groups)
            bands = np.int32((Ho + band - 1) // band)
            unit = np.int64(N) * bands * part // parts
            last = np.int64(N) * bands * (part + 1) // parts
            # The tap whose numbers this thread fetches, and the map whose errors.
            tap = np.int32(tap_tile * BN + t)
            exists = tap < taps
            c = np.int32(tap // (R * S) if exists else 0)
            r = np.int32(tap // S % R)
            s = np.int32(tap % S)
            first_row = np.int32(r * dilation_h - top)
            first_column = np.int32(s * dilation_w - left)
            next_row = np.int32(stride_h * W - Wo * stride_w)
            term = np.int32(t % BK)
            m = np.int32(tile * BM + t // BK)
            lines = np.int32((M - m + 15) // 16)
            plane = np.int32(Ho * Wo)
            sixteen = np.int32(16 * plane)
            strips = np.int32((band * Wo + BK - 1) // BK)
            for u in range(rows_of_thread):
                for v in range(8):
                    acc[u, v] = T(0)
            rest = np.int32(0)  # places that the band still has; below, of strips
            strip = np.int32(0)
            image, error = np.uint64(0), np.uint64(0)
            row, column, j, here, there = first_row, first_column, np.int32(0), t, t
            for turn in range((last - unit) * strips + 1):
                if strip == 0:  # a new band
                    n = unit // bands
                    i = np.int32(unit - n * bands) * band
                    rest = np.int32(min(band, Ho - i) * Wo if unit < last else 0)
                    image = np.uint64((n * groups + g) * C * H * W)
                    error = np.uint64((n * groups + g) * M * plane)
                    j = np.int32(0)
                    row = np.int32(i * stride_h + first_row)
                    column = first_column
                    here = np.int32((c * H + row) * W + column)
                    there = np.int32(m * plane + i * Wo + term)
                    unit += 1
                count = np.int32(rest if exists else 0)
                for k in range(BK):
                    fetch = k < count and np.uint32(row) < np.uint32(H)
                    fetch = fetch and np.uint32(column) < np.uint32(W)
                    numbers[k] = x[image + np.uint64(np.uint32(here))] if fetch else T(0)
                    j = np.int32(j + 1)
                    column = np.int32(column + stride_w)
                    here = np.int32(here + stride_w)
                    if j == Wo:
                        j = np.int32(0)
                        column = first_column
                        row = np.int32(row + stride_h)
                        here = np.int32(here + next_row)
                count = np.int32(lines if term < rest else 0)
                at = there
                for k in range(MINE):
                    errors[k] = dy[error + np.uint64(np.uint32(at))] if k < count else T(0)
                    at = np.int32(at + sixteen)
                there = np.int32(there + BK)
                rest = np.int32(rest - BK)
                strip = np.int32(strip + 1 if strip + 1 < strips else 0)
                if turn > 0:
                    accumulate(a_strip, b_strip, t // 16, t % 16, some, acc)  # (5.19)
                cuda.syncthreads()
                for k in range(BK):
                    b_strip[np.uint32(k * BN + t)] = numbers[k]
                for k in range(MINE):
                    a_strip[np.uint32(term * WIDE + t // BK + 16 * k)] = errors[k]
                cuda.syncthreads()
            m = np.int32(tile * BM + t // 16)
            tap = np.int32(tap_tile * BN + t % 16)
            lines = np.int32((M - m + 7) // 8)
            count = np.int32((taps - tap + 15) // 16)
            spot = np.uint64(((np.int64(part) * groups + g) * M + m) * taps + tap)
            for u in range(rows_of_thread):
                for v in range(8):
                    if u < lines and v < count:
                        sums[spot + np.uint64(16 * v)] = acc[u, v]
                spot += np.uint64(8 * taps)

        return body

    gradient.__name__ = f"kernel_gradient_{BM}_maps"
    return kernel("T1 T1 T1" + GEOMETRY + " i i", threads=BN)(gradient)


GRADIENT_TILES: Final = {32: _tiled(32, 4), 64: _tiled(64, 8)}
"""The kernels, by the maps of a tile."""
