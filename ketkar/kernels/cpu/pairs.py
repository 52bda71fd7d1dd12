"""Windows of two or three rows and columns, two apart: two rows of the gradient at once.

First each window's row of scratch memory is filled with what it has to give: the place of its
winner and its error, or its share. Then each number of the gradient collects from the windows that
see it, and is written once. The last vector of a row is moved back so that it is a whole one; what
two vectors have in common is computed twice, with the same result.
"""

from __future__ import annotations

import functools
from typing import Any, Final

from ketkar.kernels.backend import aligned
from ketkar.kernels.cpu.compiling import FINGERPRINT, kernel
from ketkar.kernels.cpu.gathering import (
    hand_out,
    route_cells,
    shares_row,
    spread_out,
    winners_row,
)
from ketkar.kernels.cpu.rows import MAX
from ketkar.kernels.cpu.span import LINE, number, span
from ketkar.kernels.cpu.threads import split
from ketkar.kernels.cpu.vector import copy_part, lanes
from ketkar.kernels.geometry import Geometry

Size = tuple[int, int]

PAIRED: Final = ((2, 2, 2, 2), (3, 3, 2, 2))
"""Rows and columns of a window and of its stride."""


def in_pairs(dx: Any, dy: Any, size: Size, geometry: Geometry) -> bool:
    """Whether the windows are of two or three rows and columns, two apart, and see no padding."""
    (H, W), (Ho, Wo), edge = dx.shape[2:], dy.shape[2:], size[0]
    return (
        (*size, geometry.stride_rows, geometry.stride_columns) in PAIRED
        and tuple(geometry[2:8]) == (0, 0, 0, 0, 1, 1)
        and 2 * (Ho - 1) + edge <= H
        and 2 * (Wo - 1) + edge <= W
    )


def pairs_backward(kind: int, dy: Any, x: Any, y: Any, size: Size, dx: Any, parts: int) -> None:
    """Fill dx (N, C, H, W), in so many parts, with what all windows give to the numbers they see.

    x is not read for averages, and y, the norms, for norms alone.
    """
    found = _paired_kernel(FINGERPRINT, kind, size[0])
    dy, x, y, dx = planes_of(dy), planes_of(x), planes_of(y), planes_of(dx)
    H, W = dx.shape[1:]
    apart = (W + 1) // 2 + 1 + LINE  # nothing before a row of windows, and vectors that overrun it
    room = ((H + 1) // 2 + 2) * apart

    def work(part: int, parts: int) -> None:
        found(dy, x, y, dx, aligned(room, dx.dtype), aligned(room, dx.dtype), apart, part, parts)

    split(work, min(parts, len(dy)))


def planes_of(x: Any) -> Any:
    """The channels of all examples, one after the other."""
    return x.reshape(-1, *x.shape[2:])


@functools.cache
def _paired_kernel(fingerprint: int, kind: int, edge: int) -> Any:
    cells = 1 if kind == MAX and edge == 2 else 0

    @kernel
    def backward(
        dy: Any, x: Any, y: Any, dx: Any, given: Any, places: Any, apart: int, part: int, parts: int
    ) -> None:
        _ = fingerprint
        planes, H, W = dx.shape
        _, Ho, Wo = dy.shape
        many = lanes(span(dx))
        for q in range(given.size):
            given[q] = 0
            places[q] = -1
        whole, zero = number(span(dy), edge * edge), number(span(dy), 0.0)
        seen_rows, seen_columns = 2 * (Ho - 1) + edge, 2 * (Wo - 1) + edge
        for plane in range(planes * part // parts, planes * (part + 1) // parts):
            image, target = span(x) + plane * H * W, span(dx) + plane * H * W
            if cells > 0:  # 2 x 2: no two windows see one number
                for i in range(Ho):
                    error, place = span(dy) + (plane * Ho + i) * Wo, 2 * i * W
                    for k in range(0, Wo, many):
                        j = max(0, min(k, Wo - many))
                        route_cells(
                            image + place + 2 * j, W, min(many, Wo - j), error + j,
                            target + place + 2 * j,
                        )  # fmt: skip
                    if 2 * Wo < W:
                        target[place + W - 1] = zero
                        target[place + 2 * W - 1] = zero
                for w in range(2 * Ho * W, H * W):
                    target[w] = zero
                continue
            for i in range(Ho):
                row, here = (plane * Ho + i) * Wo, (i + 1) * apart + 1
                for k in range(0, Wo, many):
                    j = max(0, min(k, Wo - many))  # the last vector is a whole one, if it can be
                    error, count = span(dy) + row + j, min(many, Wo - j)
                    if kind == MAX:
                        numbers = image + 2 * (i * W + j)
                        winners_row(numbers, W, count, span(places) + here + j, edge, edge)
                        copy_part(error, count, span(given) + here + j)
                    else:
                        norm = span(y) + row + j
                        shares_row(error, norm, whole, count, span(given) + here + j, kind)
            for i in range((H + 1) // 2):
                here, second = (i + 1) * apart + 1, 2 * i + 1 < H
                for k in range(0, (W + 1) // 2, many):
                    j = max(0, min(k, W // 2 - many)) if W % 2 == 0 else k
                    place = 2 * (i * W + j)
                    room = W - 2 * j
                    reach = seen_columns - 2 * j
                    if kind == MAX:
                        hand_out(
                            span(places) + here + j, span(given) + here + j, apart, target + place,
                            W, room, second, edge,
                        )  # fmt: skip
                    else:
                        spread_out(
                            span(given) + here + j, apart, image + place, target + place, W, room,
                            reach if 2 * i < seen_rows else 0,
                            reach if 2 * i + 1 < seen_rows else 0, second, edge, kind,
                        )  # fmt: skip

    return backward
