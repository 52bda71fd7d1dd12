"""Pooling: what each window of each channel holds, and the way back.

The windows of usual sizes, `COMMON`, have kernels of their own, in which size and stride are
constants and the loop over the outputs of a row is free of branches. Windows that stand over an
edge, and all of other sizes, go through a loop over the numbers they see.

On the way back shares of averages and norms are first spread along a row, then added to the rows
that the window covers; the winner of a maximum is found again. Windows of two or three rows and
columns that stand two apart and see no padding go through `pairs`, two rows of the gradient at
once.

A part of the work is a range of output rows forward and of channels backward. A number is computed
by one part alone, and in the same way whatever the parts.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Final

from ketkar.kernels.backend import aligned, threads
from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.pairs import in_pairs, pairs_backward, planes_of
from ketkar.kernels.cpu.rows import AVG, L2, MAX, pool_row, route_row
from ketkar.kernels.cpu.span import number, span
from ketkar.kernels.cpu.threads import split
from ketkar.kernels.cpu.vector import lanes
from ketkar.kernels.geometry import Geometry

Size = tuple[int, int]

COMMON: Final = ((2, 2, 2, 2), (3, 3, 2, 2), (3, 3, 1, 1))
"""Rows and columns of a window and of its stride; (0, 0, 0, 0) stands for all others."""

LARGE: Final = 1 << 18
"""Numbers seen by windows from which threads are worth their start."""

FEW: Final = 8
"""Below so many outputs in a row, a loop over outputs is slower than one over the window."""


def max_pool2d_forward(x: Any, size: Size, geometry: Geometry, y: Any) -> None:
    """Fill y (N, C, Ho, Wo) with the largest number that each window sees in x (N, C, H, W)."""
    _forward(MAX, x, size, geometry, False, y)


def max_pool2d_backward(dy: Any, x: Any, size: Size, geometry: Geometry, dx: Any) -> None:
    """Fill dx (N, C, H, W): each window gives its error to the first number that is its maximum."""
    if in_pairs(dx, dy, size, geometry):
        pairs_backward(MAX, dy, x, dy, size, dx, _parts(dy, size))
        return
    found = _max_backward_kernel(FINGERPRINT, *_usual(size, geometry))
    dy, x, dx, numbers = planes_of(dy), planes_of(x), planes_of(dx), tuple(geometry)

    def work(part: int, parts: int) -> None:
        found(dy, x, dx, size, numbers, part, parts)

    split(work, min(_parts(dy, size), len(dy)))


def avg_pool2d_forward(
    x: Any, size: Size, geometry: Geometry, count_include_pad: bool, y: Any
) -> None:
    """Fill y (N, C, Ho, Wo) with the mean of what each window sees in x (N, C, H, W)."""
    _forward(AVG, x, size, geometry, count_include_pad, y)


def avg_pool2d_backward(
    dy: Any, size: Size, geometry: Geometry, count_include_pad: bool, dx: Any
) -> None:
    """Fill dx (N, C, H, W): each window gives equal shares of its error to all that it sees."""
    _backward(AVG, dy, dx, dy, size, geometry, count_include_pad, dx)


def l2_pool2d_forward(x: Any, size: Size, geometry: Geometry, y: Any) -> None:
    """Fill y (N, C, Ho, Wo) with the root of the sum of squares of what each window sees."""
    _forward(L2, x, size, geometry, False, y)


def l2_pool2d_backward(dy: Any, x: Any, y: Any, size: Size, geometry: Geometry, dx: Any) -> None:
    """Fill dx (N, C, H, W) with what l2_pool2d_forward gave y for: dy x / y, and 0 where y is 0."""
    _backward(L2, dy, x, y, size, geometry, False, dx)


def _forward(kind: int, x: Any, size: Size, geometry: Geometry, include: bool, y: Any) -> None:
    found = _forward_kernel(FINGERPRINT, kind, *_usual(size, geometry))
    x, y, numbers = planes_of(x), planes_of(y), tuple(geometry)

    def work(part: int, parts: int) -> None:
        found(x, y, size, numbers, include, part, parts)

    split(work, _parts(y, size))


def _backward(
    kind: int, dy: Any, x: Any, y: Any, size: Size, geometry: Geometry, include: bool, dx: Any
) -> None:
    if in_pairs(dx, dy, size, geometry):  # what is padded need not be counted, as there is none
        pairs_backward(kind, dy, x, y, size, dx, _parts(dy, size))
        return
    found = _backward_kernel(FINGERPRINT, kind, *_usual(size, geometry))
    dy, x, y, dx, numbers = (
        planes_of(dy),
        planes_of(x),
        planes_of(y),
        planes_of(dx),
        tuple(geometry),
    )
    before = size[1] + geometry.left
    room = before + max(dy.shape[2], dx.shape[2]) + geometry.stride_columns

    def work(part: int, parts: int) -> None:
        scratch = (aligned(room, dy.dtype) for _ in range(3))
        found(dy, x, y, dx, *scratch, size, numbers, include, part, parts)

    split(work, min(_parts(dy, size), len(dy)))


def _usual(size: Size, geometry: Geometry) -> tuple[int, int, int, int]:
    """The constants of the kernel for this window: its own, or zeros."""
    g = geometry
    asked = (*size, g.stride_rows, g.stride_columns)
    plain = (g.dilation_rows, g.dilation_columns) == (1, 1)
    return asked if plain and asked in COMMON else (0, 0, 0, 0)


def _parts(y: Any, size: Size) -> int:
    seen = y.size * size[0] * size[1]
    return 1 if seen < LARGE else max(1, min(threads(), seen // (LARGE // 2)))


@helper
def _first(start: int, step: int) -> int:
    """The first k >= 0 for which start + k step is at least 0."""
    return 0 if start >= 0 else (step - 1 - start) // step


@helper
def _behind(start: int, step: int, size: int, count: int) -> int:
    """How many k below `count` have start + k step below `size`."""
    return 0 if start >= size else min(count, (size - start + step - 1) // step)


@helper
def _seen(start: int, step: int, before: int, size: int, count: int) -> int:
    """How many of the places start + k step, k < count, lie in -before .. size - 1."""
    return max(0, _behind(start, step, size, count) - _first(start + before, step))


@helper
def _joined(kind: int, total: Any, value: Any) -> Any:
    """What a window has seen so far, and one number more."""
    if kind == MAX:
        return value if (value > total) | (value != value) else total
    if kind == AVG:
        return total + value
    return total + value * value


@helper
def _ended(kind: int, total: Any, count: Any) -> Any:
    """The output for a window that has seen all, `count` numbers."""
    if kind == AVG:
        return total / count  # (5.11)
    if kind == L2:
        return math.sqrt(total)  # (5.12)
    return total  # (5.10)


@helper
def _total(
    kind: int, here: Any, width: int, row: int, rows: int, down: int, column: int, columns: int,
    right: int,
) -> Any:  # fmt: skip
    """What one window sees: `rows` rows from `row` on in steps of `down`, and so its columns."""
    total = number(here, -math.inf if kind == MAX else 0.0)
    for r in range(rows):
        for s in range(columns):
            total = _joined(kind, total, here[(row + r * down) * width + column + s * right])
    return total


@functools.cache
def _forward_kernel(
    fingerprint: int, kind: int, rows: int, columns: int, down: int, right: int
) -> Any:
    @kernel
    def forward(
        x: Any, y: Any, size: Any, geometry: Any, include: Any, part: int, parts: int
    ) -> None:
        _ = fingerprint
        planes, H, W = x.shape
        _, Ho, Wo = y.shape
        R, S = (rows, columns) if rows else (size[0], size[1])
        step_rows, step_columns = (down, right) if rows else (geometry[0], geometry[1])
        dilation_rows, dilation_columns = (1, 1) if rows else (geometry[6], geometry[7])
        top, bottom, left, right_pad = geometry[2], geometry[3], geometry[4], geometry[5]
        if not include:
            bottom, right_pad = 0, 0
        first = min(Wo, _first(-left, step_columns))
        last = _behind((S - 1) * dilation_columns - left, step_columns, W, Wo)
        last = max(first, last)
        begin_row, end_row = planes * Ho * part // parts, planes * Ho * (part + 1) // parts
        plane, i = begin_row // Ho, begin_row % Ho - 1
        for n in range(begin_row, end_row):
            i += 1
            if i == Ho:
                plane, i = plane + 1, 0
            row = i * step_rows - top
            r0, r1 = _first(row, dilation_rows), _behind(row, dilation_rows, H, R)
            counted = r1 - r0
            if include:
                counted = _seen(row, dilation_rows, top, H + bottom, R)
            begin = row + r0 * dilation_rows
            here, there = span(x) + plane * H * W, span(y) + n * Wo
            whole = number(here, counted * S)
            branch_free = last - first >= FEW
            if rows > 0:
                branch_free = r1 - r0 == R
            if branch_free:
                if rows > 0:
                    above = here + (row * W - left)
                    for k in range(first, last, lanes(here)):
                        j = max(first, min(k, last - lanes(here)))  # the last vector is a whole one
                        count = min(lanes(here), last - j)
                        pool_row(
                            above + j * right, W, count, there + j, whole, kind, rows, columns,
                            right,
                        )  # fmt: skip
                else:
                    for j in range(first, last):
                        there[j] = number(here, -math.inf if kind == MAX else 0.0)
                    for r in range(r1 - r0):
                        for s in range(S):
                            above = here + (
                                (begin + r * dilation_rows) * W + s * dilation_columns - left
                            )
                            for j in range(first, last):
                                there[j] = _joined(kind, there[j], above[j * step_columns])
                    for j in range(first, last):
                        there[j] = _ended(kind, there[j], whole)
            j = -1
            while True:
                j += 1
                if branch_free and j == first:
                    j = last
                if j >= Wo:
                    break
                column = j * step_columns - left
                s0 = _first(column, dilation_columns)
                s1 = max(s0, _behind(column, dilation_columns, W, S))
                width = s1 - s0
                total = _total(
                    kind, here, W, begin, r1 - r0, dilation_rows,
                    column + s0 * dilation_columns, width, dilation_columns,
                )  # fmt: skip
                if include:
                    width = _seen(column, dilation_columns, left, W + right_pad, S)
                there[j] = _ended(kind, total, number(here, counted * width))

    return forward


@helper
def _given(kind: int, shares: Any, value: Any, covered: Any) -> Any:
    """The gradient of a number from the shares of the windows that see it, if there are any."""
    if kind == AVG:
        return shares  # (5.14)
    return shares * value if covered > 0 else shares  # (5.15)


@functools.cache
def _backward_kernel(
    fingerprint: int, kind: int, rows: int, columns: int, down: int, right: int
) -> Any:
    # of a common window, so many others begin before it and still see its first column
    earlier = (columns - 1) // right if rows else 0

    @kernel
    def backward(
        dy: Any, x: Any, y: Any, dx: Any, shares: Any, spread: Any, covered: Any, size: Any,
        geometry: Any, include: Any, part: int, parts: int,
    ) -> None:  # fmt: skip
        _ = fingerprint
        planes, H, W = dx.shape
        _, Ho, Wo = dy.shape
        R, S = (rows, columns) if rows else (size[0], size[1])
        step_rows, step_columns = (down, right) if rows else (geometry[0], geometry[1])
        dilation_rows, dilation_columns = (1, 1) if rows else (geometry[6], geometry[7])
        top, bottom, left, right_pad = geometry[2], geometry[3], geometry[4], geometry[5]
        if not include:
            bottom, right_pad = 0, 0
        first = min(Wo, _first(-left, step_columns))
        last = _behind((S - 1) * dilation_columns - left, step_columns, W, Wo)
        last = max(first, last)
        steps = (left + W + step_columns - 1) // step_columns
        zero, one = number(span(dy), 0.0), number(span(dy), 1.0)
        share, wide = span(shares) + earlier, span(spread)
        for q in range(earlier + max(steps, Wo)):
            span(shares)[q] = zero
        # a column that no window sees has the gradient 0, even where it holds infinity or NaN
        covers = span(covered)
        for w in range(W):
            covers[w] = zero
        for s in range(S):
            place = s * dilation_columns - left
            for j in range(_first(place, step_columns), _behind(place, step_columns, W, Wo)):
                covers[place + j * step_columns] = one
        for plane in range(planes * part // parts, planes * (part + 1) // parts):
            image, target = span(x) + plane * H * W, span(dx) + plane * H * W
            written = 0  # rows of dx
            for i in range(Ho):
                row = i * step_rows - top
                r0, r1 = _first(row, dilation_rows), _behind(row, dilation_rows, H, R)
                if r1 <= r0:
                    continue
                error = span(dy) + (plane * Ho + i) * Wo
                if kind == AVG:
                    counted = r1 - r0
                    if include:
                        counted = _seen(row, dilation_rows, top, H + bottom, R)
                    whole = number(error, counted * S)
                    for j in range(first, last):
                        share[j] = error[j] / whole
                    for j in range(Wo):
                        if first <= j < last:
                            continue
                        column = j * step_columns - left
                        width = _seen(column, dilation_columns, 0, W, S)
                        if include:
                            width = _seen(column, dilation_columns, left, W + right_pad, S)
                        share[j] = error[j] / number(error, max(1, counted * width))
                else:
                    norm = span(y) + (plane * Ho + i) * Wo
                    for j in range(Wo):
                        length = norm[j]
                        empty = length == zero
                        ratio = error[j] / (one if empty else length)
                        share[j] = zero if empty else ratio
                if rows > 0:
                    for q in range(steps):
                        for c in range(right):
                            total = share[q]
                            for m in range(1, earlier + 1):
                                if c + m * right < columns:
                                    total += share[q - m]
                            wide[q * right + c] = total
                else:
                    for w in range(left + W):
                        wide[w] = zero
                    for s in range(S):
                        place = s * dilation_columns
                        behind = _behind(place - left, step_columns, W, Wo)
                        for j in range(behind):
                            wide[place + j * step_columns] += share[j]
                seen = wide + left
                for r in range(r0, r1):
                    h = row + r * dilation_rows
                    there, numbers = target + h * W, image + h * W
                    if h >= written:
                        for w in range((h - written) * W):
                            (target + written * W)[w] = zero
                        written = h + 1
                        for w in range(W):
                            there[w] = _given(kind, seen[w], numbers[w], covers[w])
                    else:
                        for w in range(W):
                            there[w] += _given(kind, seen[w], numbers[w], covers[w])
            for w in range(written * W, H * W):
                target[w] = zero

    return backward


@functools.cache
def _max_backward_kernel(fingerprint: int, rows: int, columns: int, down: int, right: int) -> Any:
    @kernel
    def backward(dy: Any, x: Any, dx: Any, size: Any, geometry: Any, part: int, parts: int) -> None:
        _ = fingerprint
        planes, H, W = dx.shape
        _, Ho, Wo = dy.shape
        R, S = (rows, columns) if rows else (size[0], size[1])
        step_rows, step_columns = (down, right) if rows else (geometry[0], geometry[1])
        dilation_rows, dilation_columns = (1, 1) if rows else (geometry[6], geometry[7])
        top, left = geometry[2], geometry[4]
        first = min(Wo, _first(-left, step_columns))
        last = _behind((S - 1) * dilation_columns - left, step_columns, W, Wo)
        last = max(first, last)
        zero = number(span(dy), 0.0)
        begin, end = planes * part // parts, planes * (part + 1) // parts
        for plane in range(begin, end):
            image, target = span(x) + plane * H * W, span(dx) + plane * H * W
            for w in range(H * W):
                target[w] = zero
            for i in range(Ho):
                row = i * step_rows - top
                r0, r1 = _first(row, dilation_rows), _behind(row, dilation_rows, H, R)
                if r1 <= r0:
                    continue
                error = span(dy) + (plane * Ho + i) * Wo
                branch_free = False
                if rows > 0:
                    branch_free = r1 - r0 == R
                if branch_free:
                    corner = row * W - left
                    for j in range(first, last, lanes(error)):
                        count = min(lanes(error), last - j)
                        place = corner + j * right
                        route_row(
                            image + place, W, count, error + j, target + place, rows, columns, right
                        )
                for j in range(Wo):
                    if branch_free and first <= j < last:
                        continue
                    column = j * step_columns - left
                    s0 = _first(column, dilation_columns)
                    s1 = _behind(column, dilation_columns, W, S)
                    if s1 <= s0:
                        continue
                    place = (row + r0 * dilation_rows) * W + column + s0 * dilation_columns
                    best = image[place]
                    for r in range(r0, r1):
                        start = (row + r * dilation_rows) * W + column
                        for s in range(s0, s1):
                            value = image[start + s * dilation_columns]
                            if (value > best) | ((value != value) & (best == best)):
                                best, place = value, start + s * dilation_columns
                    target[place] += error[j]  # (5.13)

    return backward
