"""Windows of two or three rows and columns, two apart: the way back, a strip of windows at a time.

As many windows as a vector has lanes stand side by side, a strip of a channel, and go down it
together. The last strip is moved back to end where the windows end. Strips are taken from the right
to the left. The first window of a strip does not know what its left neighbour gives to the column
they share; where windows share columns, two strips therefore share a window at least, and the left
one, which knows, writes over what the right one wrote.

Where a channel holds NaN, or a row fewer windows than lanes, a strip is filled with more care and
more slowly.
"""

from __future__ import annotations

import functools
from typing import Any, Final

from numba import literally

from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.gathering import HANDED, first_row, last_row, window_rows
from ketkar.kernels.cpu.rows import MAX
from ketkar.kernels.cpu.span import LINE, number, span
from ketkar.kernels.cpu.sums import sum_of
from ketkar.kernels.cpu.threads import split
from ketkar.kernels.cpu.tile import tile_zeros
from ketkar.kernels.cpu.vector import lanes, prefetch
from ketkar.kernels.geometry import Geometry

Size = tuple[int, int]

PAIRED: Final = ((2, 2, 2, 2), (3, 3, 2, 2))
"""Rows and columns of a window and of its stride."""

NEAR: Final = 4096
"""Numbers of a channel that may be fetched while another one is worked on."""


def in_pairs(dx: Any, dy: Any, size: Size, geometry: Geometry) -> bool:
    """Whether the windows are of two or three rows and columns, two apart, and see no padding.

    At most the last row and the last column are seen by none.
    """
    (H, W), (Ho, Wo), edge = dx.shape[2:], dy.shape[2:], size[0]
    return (
        (*size, geometry.stride_rows, geometry.stride_columns) in PAIRED
        and tuple(geometry[2:8]) == (0, 0, 0, 0, 1, 1)
        and H - 2 * (Ho - 1) - edge in (0, 1)
        and W - 2 * (Wo - 1) - edge in (0, 1)
    )


def pairs_backward(kind: int, dy: Any, x: Any, y: Any, size: Size, dx: Any, parts: int) -> None:
    """Fill dx (N, C, H, W), in so many parts, with what all windows give to the numbers they see.

    x is not read for averages, and y, the norms, for norms alone.
    """
    found = _paired_kernel(FINGERPRINT, kind, size[0])
    dy, x, y, dx = planes_of(dy), planes_of(x), planes_of(y), planes_of(dx)

    def work(part: int, parts: int) -> None:
        found(dy, x, y, dx, part, parts)

    split(work, min(parts, len(dy)))


def planes_of(x: Any) -> Any:
    """The channels of all examples, one after the other."""
    return x.reshape(-1, *x.shape[2:])


@helper
def _strip(
    error: Any, norm: Any, image: Any, target: Any, width: int, rows: int, outputs: int,
    count: int, last: bool, kind: int, edge: int, plain: int,
) -> None:  # fmt: skip
    """Fill a strip of the gradient; `plain` if vectors are full and there is no NaN.

    It is compiled for each kind, edge and `plain`. That a kernel closes over these numbers and
    calls this, and does not close over a function, lets Numba find it in the cache.
    """
    kind, edge, plain = literally(kind), literally(edge), literally(plain)
    handed = tile_zeros(target, HANDED, 1)  # from one row of windows to the next
    if kind == MAX and edge > 2:
        handed = first_row(handed, image, count, plain)
    for i in range(rows):
        place, row = 2 * i * width, i * outputs
        handed = window_rows(
            handed, error + row, norm + row, image + place, target + place, width, count, last,
            edge, kind, plain,
        )  # fmt: skip
    if edge > 2:
        place = 2 * rows * width
        last_row(handed, image + place, target + place, count, last, kind, plain)


@functools.cache
def _paired_kernel(fingerprint: int, kind: int, edge: int) -> Any:
    searched = 1 if kind == MAX else 0

    @kernel
    def backward(dy: Any, x: Any, y: Any, dx: Any, part: int, parts: int) -> None:
        _ = fingerprint
        planes, H, W = dx.shape
        _, Ho, Wo = dy.shape
        many, zero = lanes(span(dx)), number(span(dx), 0)
        count, final, step = min(many, Wo), max(0, Wo - many), many + 2 - edge
        seen_rows, seen_columns = 2 * (Ho - 1) + edge, 2 * (Wo - 1) + edge
        for plane in range(planes * part // parts, planes * (part + 1) // parts):
            image, target = span(x) + plane * H * W, span(dx) + plane * H * W
            error, norm = span(dy) + plane * Ho * Wo, span(y) + plane * Ho * Wo
            if H * W <= NEAR:  # strips do not go as memory lies: fetch the next channel in time
                for w in range(0, H * W, LINE // dx.itemsize):
                    prefetch(target, H * W + w)
                    prefetch(image, H * W + w)
            plain = Wo >= many
            if searched > 0:
                total = sum_of(image, H * W)  # not a number if a NaN is among them
                plain = plain and total == total
            for k in range((final + step - 1) // step, -1, -1):
                j = min(k * step, final)
                if plain:
                    _strip(
                        error + j, norm + j, image + 2 * j, target + 2 * j, W, Ho, Wo, count,
                        j == final, kind, edge, 1,
                    )  # fmt: skip
                else:
                    _strip(
                        error + j, norm + j, image + 2 * j, target + 2 * j, W, Ho, Wo, count,
                        j == final, kind, edge, 0,
                    )  # fmt: skip
            if seen_columns < W:
                for h in range(seen_rows):
                    target[h * W + W - 1] = zero
            for w in range(seen_rows * W, H * W):
                target[w] = zero

    return backward
