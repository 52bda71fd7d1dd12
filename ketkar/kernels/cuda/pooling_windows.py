"""Pooling's kernels that look through windows: what each window holds, and where its maximum is.

Windows have teams of threads. A small window has a team of one, so that neighbouring threads look
through neighbouring windows and read neighbouring numbers: the memory hands them over together. In
a large window, such as a whole image, the threads of its team read neighbouring numbers and then
meet in the memory of the block, half of them with the other half, until one knows the answer.

The planes of a batch, each channel of each example, are dealt out in handfuls, so that small images
fill whole blocks. Numbers that come in twos, such as the rows and columns of an image, travel as
one: a launch takes time for each argument.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from ketkar.kernels.cuda.kernel import kernel
from ketkar.kernels.cuda.provider import cuda

__all__ = ["MEAN", "MEAN_WITH_PADDING", "NORM", "THREADS", "max_pool", "max_winners", "sum_pool"]

THREADS: Final = 256
"""Of a block."""

MEAN: Final = 0
MEAN_WITH_PADDING: Final = 1
NORM: Final = 2


@cuda.jit(device=True)
def two(pair):  # type: ignore[no-untyped-def]
    """The two numbers that travel as one."""
    return np.int32(pair >> 32), np.int32(pair)


@cuda.jit(device=True)
def located(k, rows, columns):  # type: ignore[no-untyped-def]
    """Plane, row and column of place k, where planes of so many places follow each other."""
    every = np.uint32(rows) * np.uint32(columns)
    plane = np.uint32(k) // np.uint32(every)
    inside = np.uint32(np.uint32(k) - np.uint32(plane * every))
    row = np.uint32(inside // np.uint32(columns))
    return np.int32(plane), np.int32(row), np.int32(inside - row * np.uint32(columns))


@cuda.jit(device=True)
def seen(first, dilation, taps, size):  # type: ignore[no-untyped-def]
    """How many of the places first, first + dilation, ... lie in an image of this size."""
    before, behind = np.int32(0), np.int32(taps)
    if first < 0:
        before = np.int32(np.uint32(dilation - 1 - first) // np.uint32(dilation))
    if first + (taps - 1) * dilation >= size:
        room = max(np.int32(size - first), np.int32(0))
        behind = np.int32(np.uint32(room + dilation - 1) // np.uint32(dilation))
    return max(np.int32(behind - before), np.int32(0))


@cuda.jit(device=True)
def best_of(x, start, image, corner, window, dilation, mine, team, lowest):  # type: ignore[no-untyped-def]
    """The largest number among the taps mine, mine + team, ... and its place; -1 if there is none.

    Of equal numbers the first, and the first NaN before all numbers.
    """
    best, place = lowest, np.int32(-1)
    across = np.int32(window[1])
    r = np.int32(np.uint32(mine) // np.uint32(across))
    s = np.int32(mine - r * across)
    down = np.int32(np.uint32(team) // np.uint32(across))
    right = np.int32(team - down * across)
    while r < window[0]:
        h = np.uint32(corner[0] + r * dilation[0])
        w = np.uint32(corner[1] + s * dilation[1])
        if h < np.uint32(image[0]) and w < np.uint32(image[1]):
            here = np.uint32(h * np.uint32(image[1]) + w)
            value = x[start + here]
            if place < 0 or value > best or (value != value and best == best):
                best, place = value, np.int32(here)
        r = np.int32(r + down)
        s = np.int32(s + right)
        if s >= across:
            s = np.int32(s - across)
            r = np.int32(r + 1)
    return best, place


def _maximum(T: Any, places: bool) -> Any:
    """The code of both kernels that look for a maximum: one writes it, the other its place."""
    lowest = T(-np.inf)

    def body(x, out, planes, image, outputs, window, stride, dilation, padding, halvings):  # type: ignore[no-untyped-def]
        numbers = cuda.shared.array(256, T)
        where = cuda.shared.array(256, np.int32)
        me = np.int32(cuda.threadIdx.x)
        team = np.int32(1 << halvings)
        mine = np.int32(me & (team - 1))
        H, W = two(image)
        Ho, Wo = two(outputs)
        many, together = two(planes)
        k = np.uint32(cuda.blockIdx.x * 256 + me) >> np.uint32(halvings)
        group = np.int64(cuda.blockIdx.z) * cuda.gridDim.y + cuda.blockIdx.y
        p, i, j = located(k, Ho, Wo)
        plane = group * together + p
        there = p < together and plane < many
        best, place = lowest, np.int32(-1)
        if there:
            down, right = two(stride)
            top, left = two(padding)
            corner = np.int32(i * down - top), np.int32(j * right - left)
            start = np.uint64(plane) * np.uint64(np.uint32(H * W))
            best, place = best_of(
                x, start, (H, W), corner, two(window), two(dilation), mine, team, lowest
            )
        if halvings > 0:
            numbers[me] = best
            where[me] = place
            cuda.syncthreads()
            for halving in range(halvings):
                half = np.int32(team >> (halving + 1))
                if mine < half:
                    other, its = numbers[me + half], where[me + half]
                    lost = other != other and best == best
                    level = other == best or (other != other and best != best)
                    if its >= 0 and (place < 0 or other > best or lost or (level and its < place)):
                        best, place = other, its
                        numbers[me] = best
                        where[me] = place
                cuda.syncthreads()
        if there and mine == 0:
            at = np.uint64(plane) * np.uint64(np.uint32(Ho * Wo)) + np.uint32(i * Wo + j)
            if places:
                out[at] = place
            else:
                out[at] = best  # (5.10)

    return body


@kernel("T1 T1 l l l l l l l i", threads=THREADS)
def max_pool(T: Any) -> Any:
    """The largest number of each window."""
    return _maximum(T, False)


@kernel("T1 I1 l l l l l l l i", threads=THREADS)
def max_winners(T: Any) -> Any:
    """The place of each window's first maximum in its plane; -1 where a window sees nothing."""
    return _maximum(T, True)


@kernel("T1 T1 l l l l l l l l i i", threads=THREADS)
def sum_pool(T: Any) -> Any:
    """The mean of each window, or the root of its sum of squares, as `kind` says."""
    one = T(1)

    def body(  # type: ignore[no-untyped-def]
        x, y, planes, image, outputs, window, stride, dilation, padding, padded, halvings, kind
    ):
        sums = cuda.shared.array(256, T)
        me = np.int32(cuda.threadIdx.x)
        team = np.int32(1 << halvings)
        mine = np.int32(me & (team - 1))
        H, W = two(image)
        Ho, Wo = two(outputs)
        R, S = two(window)
        along, across = two(dilation)
        many, together = two(planes)
        k = np.uint32(cuda.blockIdx.x * 256 + me) >> np.uint32(halvings)
        group = np.int64(cuda.blockIdx.z) * cuda.gridDim.y + cuda.blockIdx.y
        p, i, j = located(k, Ho, Wo)
        plane = group * together + p
        there = p < together and plane < many
        down, right = two(stride)
        top, left = two(padding)
        row, column = np.int32(i * down - top), np.int32(j * right - left)
        total = T(0)
        if there:
            start = np.uint64(plane) * np.uint64(np.uint32(H * W))
            r = np.int32(np.uint32(mine) // np.uint32(S))
            s = np.int32(mine - r * S)
            steps = np.int32(np.uint32(team) // np.uint32(S))
            rest = np.int32(team - steps * S)
            while r < R:
                h, w = np.uint32(row + r * along), np.uint32(column + s * across)
                if h < np.uint32(H) and w < np.uint32(W):
                    value = x[start + np.uint32(h * np.uint32(W) + w)]
                    total += value * (value if kind == NORM else one)
                r = np.int32(r + steps)
                s = np.int32(s + rest)
                if s >= S:
                    s = np.int32(s - S)
                    r = np.int32(r + 1)
        if halvings > 0:
            sums[me] = total
            cuda.syncthreads()
            for halving in range(halvings):
                half = np.int32(team >> (halving + 1))
                if mine < half:
                    total += sums[me + half]
                    sums[me] = total
                cuda.syncthreads()
        if there and mine == 0:
            at = np.uint64(plane) * np.uint64(np.uint32(Ho * Wo)) + np.uint32(i * Wo + j)
            if kind == NORM:
                y[at] = math.sqrt(total)  # (5.12)
            else:
                far = two(padded)
                if kind == MEAN_WITH_PADDING:
                    rows = seen(row + top, along, R, far[0])
                    columns = seen(column + left, across, S, far[1])
                else:
                    rows, columns = seen(row, along, R, H), seen(column, across, S, W)
                y[at] = total / T(rows * columns)  # (5.11)

    return body
