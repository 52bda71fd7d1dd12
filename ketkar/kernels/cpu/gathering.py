"""The way back of pooling, two rows of the gradient at a time: each number is written once.

For windows of two or three rows and columns that stand two apart and see no padding. What a window
has to give lies in scratch memory, row after row, with nothing (a winner that is no place of the
window, a share of zero) around it: `apart` numbers from a row of windows to the next. An even row
of the gradient is seen by the windows that begin there and, with three rows, by those above them;
and so it is for the columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from ketkar.kernels.cpu.rows import L2, clipped, constants, filled, picked, taps, values, wins
from ketkar.kernels.cpu.span import constant
from ketkar.kernels.cpu.vector import (
    lanes_of,
    load_part,
    load_vector,
    splat,
    store_part,
    store_vector,
    vector_of,
)

Emit = Callable[..., Any]


@constants
def winners_row(
    typing: Any, source: Any, width: Any, count: Any, places: Any, rows: Any, columns: Any
) -> Any:
    """Write which number of each of `count` windows is its first largest, counted row by row."""
    dtype, shape = source.dtype, values(rows, columns)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        here, width, count, there = arguments[:4]
        rows, columns = shape

        def emit(seen: Any) -> None:
            found = list(taps(context, builder, dtype, here, width, seen, rows, columns, 2))
            place = _first_largest(builder, dtype, [value for _, value in found])
            store_part(context, builder, dtype, place, there, constant(0), count)

        _whole_or_part(builder, dtype, count, emit)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(source, whole, whole, places, rows, columns), generate


@constants
def route_cells(
    typing: Any, source: Any, width: Any, count: Any, error: Any, target: Any
) -> Any:  # fmt: skip
    """Write the errors of `count` windows of 2 x 2, side by side, where their first largest are."""
    dtype = source.dtype

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        here, width, count, errors, there = arguments

        def emit(seen: Any) -> None:
            found = list(taps(context, builder, dtype, here, width, seen, 2, 2, 2))
            place = _first_largest(builder, dtype, [value for _, value in found])
            if seen is None:
                given = load_vector(context, builder, dtype, errors, constant(0))
            else:
                given = load_part(context, builder, dtype, errors, constant(0), seen)
            zero = filled(dtype, 0)
            each = [
                builder.select(builder.fcmp_ordered("==", place, filled(dtype, k)), given, zero)
                for k in range(4)
            ]
            for r in (0, 1):
                row = builder.mul(width, constant(r))
                for half, vector in enumerate(_woven(builder, dtype, *each[2 * r : 2 * r + 2])):
                    offset = builder.add(row, constant(half * lanes_of(dtype)))
                    if seen is None:
                        store_vector(context, builder, dtype, vector, there, offset)
                        continue
                    part = clipped(builder, dtype, builder.mul(seen, constant(2)), half)
                    store_part(context, builder, dtype, vector, there, offset, part)  # (5.13)

        _whole_or_part(builder, dtype, count, emit)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(source, whole, whole, error, target), generate


@constants
def shares_row(
    typing: Any, error: Any, norm: Any, whole: Any, count: Any, shares: Any, kind: Any
) -> Any:
    """Write what each number that a window sees gets of its error, for a norm times itself."""
    dtype, (wanted,) = error.dtype, values(kind)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        errors, norms, whole, count, there = arguments[:5]

        def emit(seen: Any) -> None:
            def read(span: Any) -> Any:
                if seen is None:
                    return load_vector(context, builder, dtype, span, constant(0))
                return load_part(context, builder, dtype, span, constant(0), seen)

            value = read(errors)
            if wanted == L2:
                zero, one, length = filled(dtype, 0), filled(dtype, 1), read(norms)
                empty = builder.fcmp_ordered("==", length, zero)
                ratio = builder.fdiv(value, builder.select(empty, one, length))
                share = builder.select(empty, zero, ratio)
            else:
                share = builder.fdiv(value, splat(builder, dtype, whole))
            store_part(context, builder, dtype, share, there, constant(0), count)

        _whole_or_part(builder, dtype, count, emit)
        return context.get_dummy_value()

    return types.void(error, norm, error.dtype, types.int64, shares, kind), generate


@constants
def hand_out(
    typing: Any, places: Any, errors: Any, apart: Any, target: Any, width: Any, room: Any,
    second: Any, size: Any,
) -> Any:  # fmt: skip
    """Write the errors of windows where their winners stand, in two rows of the gradient.

    `room` numbers of a row are left, and the second row is there if `second` says so.
    """
    dtype, (edge,) = places.dtype, values(size)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        winners, given, apart, there, width, room, second = arguments[:7]
        zero = filled(dtype, 0)
        found = {
            (up, left): tuple(
                load_vector(context, builder, dtype, span, _place(builder, apart, up, left))
                for span in (winners, given)
            )
            for up, left in _windows(edge)
        }

        def total(r: int, s: int) -> Any:
            parts = []
            for up, left in _seeing(edge, r, s):
                winner, error = found[up, left]
                tap = (r + 2 * up) * edge + s + 2 * left
                won = builder.fcmp_ordered("==", winner, filled(dtype, tap))
                parts.append(builder.select(won, error, zero))
            return _sum(builder, parts)  # (5.13)

        def row(r: int, target: Any, offset: Any) -> None:
            pair = total(r, 0), total(r, 1)
            for half, vector in enumerate(_woven(builder, dtype, *pair)):
                place = builder.add(offset, constant(half * lanes_of(dtype)))
                left_over = clipped(builder, dtype, room, half)
                store_part(context, builder, dtype, vector, target, place, left_over)

        row(0, there, constant(0))
        with builder.if_then(second):
            row(1, there, width)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(places, errors, whole, target, whole, whole, types.boolean, size), generate


@constants
def spread_out(
    typing: Any, shares: Any, apart: Any, source: Any, target: Any, width: Any, room: Any,
    reach: Any, reach_below: Any, second: Any, size: Any, kind: Any,
) -> Any:  # fmt: skip
    """Write the sums of the shares of all windows that see a number, in two rows of the gradient.

    For a norm they are multiplied with the number itself. `room` numbers of a row are left, and
    `reach` of them are seen by windows, `reach_below` of the second row, which is there if `second`
    says so. Elsewhere 0 is written, whatever stands in `source`.
    """
    dtype, (edge, wanted) = shares.dtype, values(size, kind)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        parts, apart, numbers, there, width, room, *reaches, second = arguments[:9]
        found = {
            (up, left): load_vector(
                context, builder, dtype, parts, _place(builder, apart, up, left)
            )
            for up, left in _windows(edge)
        }

        def own(r: int, half: int, place: Any) -> Any:
            """The numbers themselves, 0 where no window sees them."""
            seen = clipped(builder, dtype, reaches[r], half)
            value = cgutils.alloca_once(builder, vector_of(dtype))

            def emit(count: Any) -> None:
                if count is None:
                    vector = load_vector(context, builder, dtype, numbers, place)
                else:
                    vector = load_part(context, builder, dtype, numbers, place, count)
                builder.store(vector, value)

            _whole_or_part(builder, dtype, seen, emit)
            return builder.load(value)

        def row(r: int, offset: Any) -> None:
            pair = [_sum(builder, [found[key] for key in _seeing(edge, r, s)]) for s in (0, 1)]
            for half, share in enumerate(_woven(builder, dtype, *pair)):
                place = builder.add(offset, constant(half * lanes_of(dtype)))
                vector = share  # (5.14)
                if wanted == L2:
                    vector = builder.fmul(share, own(r, half, place))  # (5.15)
                left_over = clipped(builder, dtype, room, half)
                store_part(context, builder, dtype, vector, there, place, left_over)

        row(0, constant(0))
        with builder.if_then(second):
            row(1, width)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(
        shares, whole, source, target, whole, whole, whole, whole, types.boolean, size, kind
    ), generate


def _first_largest(builder: Any, dtype: Any, numbers: list[Any]) -> Any:
    """Which of some numbers is the first largest, or the first NaN, which are looked for apart."""

    def place(beats: Any) -> Any:
        best, found = numbers[0], filled(dtype, 0)
        for tap, value in enumerate(numbers[1:], 1):
            won = beats(value, best)
            best = builder.select(won, value, best)
            found = builder.select(won, filled(dtype, tap), found)
        return found

    result = cgutils.alloca_once_value(
        builder, place(lambda value, best: builder.fcmp_ordered(">", value, best))
    )
    strange = None
    for first, second in zip(numbers[::2], [*numbers[1::2], numbers[0]], strict=False):
        either = builder.fcmp_unordered("uno", first, second)
        strange = either if strange is None else builder.or_(strange, either)
    bits = builder.bitcast(strange, ir.IntType(lanes_of(dtype)))
    with builder.if_then(builder.icmp_unsigned("!=", bits, bits.type(0)), likely=False):
        builder.store(place(lambda value, best: wins(builder, value, best)), result)
    return builder.load(result)


def _whole_or_part(builder: Any, dtype: Any, count: Any, emit: Emit) -> None:
    """Emit code for a vector of windows that are all there, and code for fewer."""
    full = builder.icmp_signed(">=", count, constant(lanes_of(dtype)))
    with builder.if_else(full) as (all_lanes, some):
        with all_lanes:
            emit(None)
        with some:
            emit(count)


def _windows(edge: int) -> list[tuple[int, int]]:
    """Which windows see two rows and columns: so many rows above, so many columns to the left."""
    return [(0, 0)] if edge == 2 else [(0, 0), (0, 1), (1, 0), (1, 1)]


def _seeing(edge: int, r: int, s: int) -> list[tuple[int, int]]:
    """Which of them see row r and column s."""
    return [(up, left) for up, left in _windows(edge) if r + 2 * up < edge and s + 2 * left < edge]


def _place(builder: Any, apart: Any, up: int, left: int) -> Any:
    return builder.sub(builder.mul(apart, constant(-up)), constant(left))


def _sum(builder: Any, vectors: list[Any]) -> Any:
    total = vectors[0]
    for vector in vectors[1:]:
        total = builder.fadd(total, vector)
    return total


def _woven(builder: Any, dtype: Any, even: Any, odd: Any) -> list[Any]:
    """Even and odd columns in their order, as two vectors."""
    size = lanes_of(dtype)
    return [
        picked(builder, even, odd, [start + k // 2 + k % 2 * size for k in range(size)])
        for start in (0, size // 2)
    ]
