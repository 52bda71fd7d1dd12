"""Convolution of few maps or few channels: every thread computes its own places.

A tile of a product of matrices would stand half empty here: a depthwise layer has one map and one
channel a group. So a thread takes `PLACES` places, 128 apart, and `TM` maps of one group, and goes
through the channels, rows and columns of the window. For each tap it reads one number of the image
for each place and one weight for each map, and makes all products of the two.

Why it is fast: threads side by side have places side by side, so that what a warp reads of a row
of the image is one or two lines of the cache, and its neighbours in the window have brought them
there. All threads of a warp read the same weight, which is one access. Rows and columns are found
by division once for each place; on the way through the window they are only added to.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ketkar.kernels.cuda.convolution_places import ARGUMENTS, part_of, place_of, seen_from
from ketkar.kernels.cuda.kernel import Kernel, kernel
from ketkar.kernels.cuda.provider import cuda

__all__ = ["DIRECT", "EACH"]

THREADS: Final = 128

PLACES: Final = 2
"""Places of a thread."""

EACH: Final = THREADS * PLACES
"""Places of a block."""


def _direct(TM: int) -> Kernel:
    def convolve(T: Any) -> Any:
        def body(  # type: ignore[no-untyped-def]
            x, K, b, y, biased, first, N, C, M, groups, K_map, K_channel,
            H, Ho, R, step_h, stride_h, apart_h, inverse_h, pad_h, dilation_h,
            W, Wo, S, step_w, stride_w, apart_w, inverse_w, pad_w, dilation_w,
        ):  # fmt: skip
            acc = cuda.local.array((TM, PLACES), T)
            weights = cuda.local.array(TM, T)
            offset = cuda.local.array(TM, np.uint64)
            rows = cuda.local.array(PLACES, np.int32)
            columns = cuda.local.array(PLACES, np.int32)
            limits = cuda.local.array(PLACES, np.uint32)
            images = cuda.local.array(PLACES, np.uint64)
            there = cuda.local.array(PLACES, np.int64)
            # What this block computes, and through which taps it sees.
            plane = ((Ho + stride_h - 1) // stride_h) * ((Wo + stride_w - 1) // stride_w)
            tile, place_tile, g, phase_h, phase_w = part_of(
                cuda.blockIdx.x, (M + TM - 1) // TM, (N * plane + EACH - 1) // EACH, groups,
                min(stride_w, Wo),
            )  # fmt: skip
            r, taps_h, seen_h, move_h = seen_from(
                phase_h, R, stride_h, apart_h, inverse_h, pad_h, dilation_h
            )
            s, taps_w, seen_w, move_w = seen_from(
                phase_w, S, stride_w, apart_w, inverse_w, pad_w, dilation_w
            )
            # The places and the maps of this thread.
            for p in range(PLACES):
                q = np.uint32(place_tile * np.uint32(EACH))
                q = np.uint32(q + np.uint32(cuda.threadIdx.x + THREADS * p))
                n, i, j, place = place_of(q, N, Ho, stride_h, phase_h, Wo, stride_w, phase_w)
                channel = (first + n) * groups + g
                there[p] = channel * M * Ho * Wo + place if place >= 0 else np.int64(-1)
                images[p] = np.uint64(channel * C * H * W)
                rows[p] = np.int32(i * step_h + seen_h)
                columns[p] = np.int32(j * step_w + seen_w)
                limits[p] = np.uint32(H if place >= 0 else 0)
            for u in range(TM):
                kernel_of = (
                    np.int64(g) * M * C * R * S + np.int64(min(tile * TM + u, M - 1)) * K_map
                )
                offset[u] = np.uint64(kernel_of)
                for p in range(PLACES):
                    acc[u, p] = T(0)
            for c in range(C):
                for tap_h in range(taps_h):
                    tap = np.uint64(np.uint32(c * K_channel + (r + tap_h * apart_h) * S + s))
                    row = np.int32(tap_h * move_h)
                    column = np.int32(0)
                    for _ in range(taps_w):
                        for u in range(TM):
                            weights[u] = K[offset[u] + tap]
                        for p in range(PLACES):
                            h = np.int32(rows[p] + row)
                            w = np.int32(columns[p] + column)
                            number = T(0)
                            if np.uint32(h) < limits[p] and np.uint32(w) < np.uint32(W):
                                here = np.int32((c * H + h) * W + w)
                                number = x[images[p] + np.uint64(np.uint32(here))]
                            for u in range(TM):
                                acc[u, p] += weights[u] * number  # (5.16), (5.18)
                        tap += np.uint64(apart_w)
                        column = np.int32(column + move_w)
            for p in range(PLACES):
                if there[p] >= 0:
                    for u in range(TM):
                        m = tile * TM + u
                        if m < M:
                            constant = b[np.uint32(g * M + m)] if biased else T(0)
                            y[np.uint64(there[p] + np.int64(m) * Ho * Wo)] = acc[u, p] + constant

        return body

    convolve.__name__ = f"convolve_{TM}_directly"
    return kernel(ARGUMENTS, threads=THREADS)(convolve)


DIRECT: Final = {1: _direct(1), 8: _direct(8)}
"""The kernels, by the maps of a thread."""
