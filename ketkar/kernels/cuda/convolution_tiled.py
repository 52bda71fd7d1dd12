"""Convolution as a product of matrices that are never written down.

The product: its rows are the maps m of a group, its columns the places q (example, row, column) of
all examples, and what is summed over are taps and channels (r, s, c). The left matrix is K, the
right one the images, of which each number would stand in as many columns as taps meet it: laid out
in memory it would be R S times as large as the images. So a block only ever holds strips of both.

A block of 128 threads computes `BM` maps at 128 places. It walks over the taps, and at each over
the channels, eight at a time. For each step every thread fetches eight channels of one place (its
row and column are found once, before the walk) and a few weights; what falls outside of the image
is zero. The strips go to shared memory, and each thread multiplies `TM` weights by eight places
for each channel: TM + 8 numbers read, 8 TM multiply-adds, whose sums stay in registers. So a
number that is fetched from memory is used 128 or `BM` times.

While a strip is multiplied the next one is on its way: it waits in registers until all threads
have done with the old one. A thread's places lie 16 apart and its maps 8, so that threads side by
side read and write numbers side by side.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ketkar.kernels.cuda.convolution_places import ARGUMENTS, part_of, place_of, seen_from
from ketkar.kernels.cuda.kernel import Kernel, kernel
from ketkar.kernels.cuda.provider import cuda

__all__ = ["BK", "BN", "TILES", "accumulator"]

BN: Final = 128
"""Columns of a tile, and threads of a block."""

BK: Final = 8
"""Terms of the sum in a strip."""

TURN: Final = 2
"""Terms in a turn of the innermost loop."""


def accumulator(T: Any, BM: int, TM: int) -> Any:
    """The innermost loop, as a function of the device: acc += A B for strips A, B of BK terms.

    A thread has the rows row, row + 8, ... and the columns column, column + 16, ... of the tile.
    Addresses are one unsigned number plus constants, which cost no instruction of their own.
    """
    down = BM + 4

    @cuda.jit(device=True)
    def accumulate(a, b, row, column, some, acc):  # type: ignore[no-untyped-def]
        here_a = np.uint64(row)
        here_b = np.uint64(column)
        for _ in range(BK // TURN):
            for k in range(TURN):
                for i in range(TM):
                    some[i] = a[here_a + np.uint64(k * down + 8 * i)]
                for j in range(8):
                    number = b[here_b + np.uint64(k * BN + 16 * j)]
                    for i in range(TM):
                        acc[i, j] += some[i] * number
            here_a += np.uint64(TURN * down)
            here_b += np.uint64(TURN * BN)

    return accumulate


def _tiled(BM: int, TM: int) -> Kernel:
    A_SIZE, B_SIZE, WIDE, MINE = BK * (BM + 4), BK * BN, BM + 4, BM // 16

    def convolve(T: Any) -> Any:
        accumulate = accumulator(T, BM, TM)

        def body(  # type: ignore[no-untyped-def]
            x, K, b, y, biased, first, N, C, M, groups, K_map, K_channel,
            H, Ho, R, step_h, stride_h, apart_h, inverse_h, pad_h, dilation_h,
            W, Wo, S, step_w, stride_w, apart_w, inverse_w, pad_w, dilation_w,
        ):  # fmt: skip
            a_strip = cuda.shared.array(A_SIZE, T)
            b_strip = cuda.shared.array(B_SIZE, T)
            there = cuda.shared.array(BN, np.int64)
            acc = cuda.local.array((TM, 8), T)
            some = cuda.local.array(TM, T)
            numbers = cuda.local.array(BK, T)
            weights = cuda.local.array(MINE, T)
            t = np.int32(cuda.threadIdx.x)
            # What this block computes, and through which taps it sees.
            plane = ((Ho + stride_h - 1) // stride_h) * ((Wo + stride_w - 1) // stride_w)
            tile, place_tile, g, phase_h, phase_w = part_of(
                cuda.blockIdx.x, (M + BM - 1) // BM, (N * plane + BN - 1) // BN, groups,
                min(stride_w, Wo),
            )  # fmt: skip
            r, taps_h, seen_h, move_h = seen_from(
                phase_h, R, stride_h, apart_h, inverse_h, pad_h, dilation_h
            )
            s, taps_w, seen_w, move_w = seen_from(
                phase_w, S, stride_w, apart_w, inverse_w, pad_w, dilation_w
            )
            # The place whose numbers this thread fetches, and where its results will go.
            q = np.uint32(np.uint32(place_tile * np.uint32(BN)) + np.uint32(t))
            n, i, j, place = place_of(q, N, Ho, stride_h, phase_h, Wo, stride_w, phase_w)
            channel = (first + n) * groups + g
            there[t] = channel * M * Ho * Wo + place if place >= 0 else np.int64(-1)
            image = np.uint64(channel * C * H * W)
            row = np.int32(i * step_h + seen_h)
            left = np.int32(j * step_w + seen_w)
            column = left
            rows = np.uint32(H if place >= 0 else 0)
            # The weights that it fetches.
            term = np.int32(t % BK)
            m = np.int32(tile * BM + t // BK)
            kernels = np.uint64(np.int64(g) * M * C * R * S)
            mine = np.int32(m * K_map + term * K_channel)
            lines = np.int32((M - m + 15) // 16)
            apart = np.int32(16 * K_map)
            size = np.int32(H * W)
            for u in range(TM):
                for v in range(8):
                    acc[u, v] = T(0)
            c, tap_h, tap_w = np.int32(0), np.int32(0), np.int32(0)
            tap = np.int32(r * S + s)
            for strip in range(taps_h * taps_w * ((C + BK - 1) // BK) + 1):
                more = tap_h < taps_h
                seen = more and np.uint32(row) < rows and np.uint32(column) < np.uint32(W)
                count = np.int32(C - c if seen else 0)
                here = np.int32(c * size + row * W + column)
                for k in range(BK):
                    numbers[k] = x[image + np.uint64(np.uint32(here))] if k < count else T(0)
                    here = np.int32(here + size)
                count = np.int32(lines if more and c + term < C else 0)
                here = np.int32(mine + c * K_channel + tap)
                for k in range(MINE):
                    weights[k] = K[kernels + np.uint64(np.uint32(here))] if k < count else T(0)
                    here = np.int32(here + apart)
                c = np.int32(c + BK)
                if c >= C:
                    c = np.int32(0)
                    tap_w = np.int32(tap_w + 1)
                    column = np.int32(column + move_w)
                    tap = np.int32(tap + apart_w)
                    if tap_w == taps_w:
                        tap_w = np.int32(0)
                        column = left
                        tap_h = np.int32(tap_h + 1)
                        row = np.int32(row + move_h)
                        tap = np.int32(tap + apart_h * S - taps_w * apart_w)
                if strip > 0:
                    accumulate(a_strip, b_strip, t // 16, t % 16, some, acc)  # (5.16), (5.18)
                cuda.syncthreads()
                for k in range(BK):
                    b_strip[np.uint32(k * BN + t)] = numbers[k]
                for k in range(MINE):
                    a_strip[np.uint32(term * WIDE + t // BK + 16 * k)] = weights[k]
                cuda.syncthreads()
            m = np.int32(tile * BM + t // 16)
            lines = np.int32((M - m + 7) // 8)
            for u in range(TM):
                use = biased and u < lines
                some[u] = b[np.uint32(g * M + m + 8 * u)] if use else T(0)
            eight = np.uint64(np.int64(8) * Ho * Wo)
            for v in range(8):
                start = there[np.uint32(t % 16 + 16 * v)]
                spot = np.uint64(start + np.int64(m) * Ho * Wo)
                for u in range(TM):
                    if start >= 0 and u < lines:
                        y[spot] = acc[u, v] + some[u]
                    spot += eight

        return body

    convolve.__name__ = f"convolve_{BM}_maps"
    return kernel(ARGUMENTS, threads=BN)(convolve)


TILES: Final = {32: _tiled(32, 4), 64: _tiled(64, 8)}
"""The kernels, by the maps of a tile."""
