"""Pooling's kernels for the way back: what each place of an image gets from the windows over it.

Every place of the gradient is written once, by one thread, which collects what is due to it. Were
it the windows that gave, two that overlap would have to add to the same place, and the order in
which they came would be seen in the last digits.

Windows that do not overlap allow a shortcut for the maximum. Cut the image into cells, one for each
step of the window: a window lies inside of its cell, and one thread looks for the winner and then
writes the whole cell, the error at one place and zeros at all others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar.kernels.cuda.kernel import kernel
from ketkar.kernels.cuda.pooling_windows import (
    MEAN_WITH_PADDING,
    THREADS,
    best_of,
    located,
    seen,
    two,
)
from ketkar.kernels.cuda.provider import cuda

__all__ = ["max_cells", "max_collect", "mean_collect", "norm_collect"]


@kernel("T1 T1 T1 l l l l l l l l", threads=THREADS)
def max_cells(T: Any) -> Any:
    """Fill dx where windows do not overlap: a thread finds a winner and writes the cell around."""
    zero, lowest = T(0), T(-np.inf)

    def body(dy, x, dx, planes, cells, image, outputs, window, stride, dilation, padding):  # type: ignore[no-untyped-def]
        H, W = two(image)
        Ho, Wo = two(outputs)
        many, together = two(planes)
        rows, columns = two(cells)
        group = np.int64(cuda.blockIdx.z) * cuda.gridDim.y + cuda.blockIdx.y
        p, i, j = located(cuda.blockIdx.x * 256 + cuda.threadIdx.x, rows, columns)
        plane = group * together + p
        if p < together and plane < many:
            down, right = two(stride)
            top, left = two(padding)
            row, column = np.int32(i * down - top), np.int32(j * right - left)
            start = np.uint64(plane) * np.uint64(np.uint32(H * W))
            error, place = zero, np.int32(-1)
            if i < Ho and j < Wo:
                at = np.uint64(plane) * np.uint64(np.uint32(Ho * Wo)) + np.uint32(i * Wo + j)
                error = dy[at]
                _, place = best_of(
                    x, start, (H, W), (row, column), two(window), two(dilation),
                    np.int32(0), np.int32(1), lowest,
                )  # fmt: skip
            for h in range(max(row, np.int32(0)), min(np.int32(row + down), H)):
                for w in range(max(column, np.int32(0)), min(np.int32(column + right), W)):
                    here = np.int32(h * W + w)
                    dx[start + np.uint32(here)] = error if here == place else zero  # (5.13)

    return body


@cuda.jit(device=True)
def nearest(place, padding, stride, outputs):  # type: ignore[no-untyped-def]
    """The last window that begins at or before a place, and which step of it the place is."""
    far = np.uint32(place + padding)
    window = min(np.int32(far // np.uint32(stride)), np.int32(outputs - 1))
    return window, np.int32(far - np.uint32(window * stride))


@kernel("T1 I1 T1 l l l l l l l", threads=THREADS)
def max_collect(T: Any) -> Any:
    """Fill dx from the winners of windows that overlap."""

    def body(dy, winners, dx, planes, image, outputs, window, stride, dilation, padding):  # type: ignore[no-untyped-def]
        H, W = two(image)
        Ho, Wo = two(outputs)
        many, together = two(planes)
        group = np.int64(cuda.blockIdx.z) * cuda.gridDim.y + cuda.blockIdx.y
        p, h, w = located(cuda.blockIdx.x * 256 + cuda.threadIdx.x, H, W)
        plane = group * together + p
        if p < together and plane < many:
            R, S = two(window)
            down, right = two(stride)
            along, across = two(dilation)
            top, left = two(padding)
            here = np.int32(h * W + w)
            start = np.uint64(plane) * np.uint64(np.uint32(Ho * Wo))
            total = T(0)
            i, r = nearest(h, top, down, Ho)
            while i >= 0 and r <= (R - 1) * along:
                j, s = nearest(w, left, right, Wo)
                while j >= 0 and s <= (S - 1) * across:
                    at = start + np.uint32(i * Wo + j)
                    if winners[at] == here:
                        total += dy[at]  # (5.13)
                    j, s = np.int32(j - 1), np.int32(s + right)
                i, r = np.int32(i - 1), np.int32(r + down)
            dx[np.uint64(plane) * np.uint64(np.uint32(H * W)) + np.uint32(here)] = total

    return body


@kernel("T1 T1 l l l l l l l l i", threads=THREADS)
def mean_collect(T: Any) -> Any:
    """Fill dx with equal shares of the errors of all windows that see a place."""

    def body(dy, dx, planes, image, outputs, window, stride, dilation, padding, padded, kind):  # type: ignore[no-untyped-def]
        H, W = two(image)
        Ho, Wo = two(outputs)
        many, together = two(planes)
        group = np.int64(cuda.blockIdx.z) * cuda.gridDim.y + cuda.blockIdx.y
        p, h, w = located(cuda.blockIdx.x * 256 + cuda.threadIdx.x, H, W)
        plane = group * together + p
        if p < together and plane < many:
            R, S = two(window)
            down, right = two(stride)
            along, across = two(dilation)
            top, left = two(padding)
            tall, wide = H, W
            row, column = np.int32(-top), np.int32(-left)  # of the first window
            if kind == MEAN_WITH_PADDING:
                tall, wide = two(padded)
                row, column = np.int32(0), np.int32(0)
            start = np.uint64(plane) * np.uint64(np.uint32(Ho * Wo))
            total = T(0)
            i, r = nearest(h, top, down, Ho)
            while i >= 0 and r <= (R - 1) * along:
                if along == 1 or np.uint32(r) % np.uint32(along) == 0:
                    rows = seen(np.int32(i * down + row), along, R, tall)
                    j, s = nearest(w, left, right, Wo)
                    while j >= 0 and s <= (S - 1) * across:
                        if across == 1 or np.uint32(s) % np.uint32(across) == 0:
                            columns = seen(np.int32(j * right + column), across, S, wide)
                            error = dy[start + np.uint32(i * Wo + j)]
                            total += error / T(rows * columns)  # (5.14)
                        j, s = np.int32(j - 1), np.int32(s + right)
                i, r = np.int32(i - 1), np.int32(r + down)
            dx[np.uint64(plane) * np.uint64(np.uint32(H * W)) + np.uint32(h * W + w)] = total

    return body


@kernel("T1 T1 T1 T1 l l l l l l l", threads=THREADS)
def norm_collect(T: Any) -> Any:
    """Fill dx with the number of each place times dy / y of all windows that see it."""
    zero = T(0)

    def body(dy, x, y, dx, planes, image, outputs, window, stride, dilation, padding):  # type: ignore[no-untyped-def]
        H, W = two(image)
        Ho, Wo = two(outputs)
        many, together = two(planes)
        group = np.int64(cuda.blockIdx.z) * cuda.gridDim.y + cuda.blockIdx.y
        p, h, w = located(cuda.blockIdx.x * 256 + cuda.threadIdx.x, H, W)
        plane = group * together + p
        if p < together and plane < many:
            R, S = two(window)
            down, right = two(stride)
            along, across = two(dilation)
            top, left = two(padding)
            start = np.uint64(plane) * np.uint64(np.uint32(Ho * Wo))
            place = np.uint64(plane) * np.uint64(np.uint32(H * W)) + np.uint32(h * W + w)
            value = x[place]
            total = zero
            i, r = nearest(h, top, down, Ho)
            while i >= 0 and r <= (R - 1) * along:
                if along == 1 or np.uint32(r) % np.uint32(along) == 0:
                    j, s = nearest(w, left, right, Wo)
                    while j >= 0 and s <= (S - 1) * across:
                        if across == 1 or np.uint32(s) % np.uint32(across) == 0:
                            at = start + np.uint32(i * Wo + j)
                            norm = y[at]
                            if norm != zero:
                                total += dy[at] / norm * value  # (5.15)
                        j, s = np.int32(j - 1), np.int32(s + right)
                i, r = np.int32(i - 1), np.int32(r + down)
            dx[place] = total

    return body
