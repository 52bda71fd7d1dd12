"""A row of pooling windows in the lanes of a vector: what they see, and where their errors go.

The windows stand side by side, one or two steps apart, and see all their numbers. There may be
fewer than lanes; nothing beyond the last window is read or written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ketkar.kernels.cpu.span import constant, untyped
from ketkar.kernels.cpu.vector import (
    lanes_of,
    load_part,
    load_vector,
    splat,
    store_part,
    store_vector,
    vector_of,
)

MAX: Final = 0
AVG: Final = 1
L2: Final = 2

constants = untyped(intrinsic(prefer_literal=True))
"""Decorates an operation that knows the values of its arguments that are constants."""


@constants
def pool_row(
    typing: Any, source: Any, width: Any, count: Any, target: Any, whole: Any, kind: Any,
    rows: Any, columns: Any, step: Any,
) -> Any:  # fmt: skip
    """Write what `count` windows of rows x columns, `step` columns apart, hold.

    Rows of the image are `width` numbers apart. `kind` says what is written: the largest number,
    the sum divided by `whole`, or the root of the sum of squares.
    """
    dtype, shape = source.dtype, _values(kind, rows, columns, step)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        here, width, count, there, whole = arguments[:5]
        kind, rows, columns, step = shape
        total = None
        for _, value in _taps(context, builder, dtype, here, width, count, rows, columns, step):
            seen = builder.fmul(value, value) if kind == L2 else value
            if total is None:
                total = seen
            elif kind == MAX:
                total = builder.select(_wins(builder, value, total), value, total)  # (5.10)
            else:
                total = builder.fadd(total, seen)
        if total is None:
            return context.get_dummy_value()
        if kind == AVG:
            total = builder.fdiv(total, splat(builder, dtype, whole))  # (5.11)
        if kind == L2:
            kind_of = vector_of(dtype)
            name = f"llvm.sqrt.v{lanes_of(dtype)}f{dtype.bitwidth}"
            root = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(kind_of, [kind_of]), name
            )
            total = builder.call(root, [total])  # (5.12)
        store_part(context, builder, dtype, total, there, constant(0), count)
        return context.get_dummy_value()

    whole_number = types.int64
    return types.void(
        source, whole_number, whole_number, target, dtype, kind, rows, columns, step
    ), generate


@constants
def route_row(
    typing: Any, source: Any, width: Any, count: Any, error: Any, target: Any, rows: Any,
    columns: Any, step: Any,
) -> Any:  # fmt: skip
    """Give the errors of `count` windows to the first largest number of each.

    Where windows of two columns stand side by side, their places in `target` are written; else the
    errors are added to what is there.
    """
    dtype, shape = source.dtype, _values(rows, columns, step)
    size = lanes_of(dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        here, width, count, error, there = arguments[:5]
        rows, columns, step = shape
        best: Any = None
        place: Any = None
        for tap, value in _taps(context, builder, dtype, here, width, count, *shape):
            number = _number(dtype, tap)
            if best is None:
                best, place = value, number
            else:
                wins = _wins(builder, value, best)
                best = builder.select(wins, value, best)
                place = builder.select(wins, number, place)
        if best is None:
            return context.get_dummy_value()
        errors = load_part(context, builder, dtype, error, constant(0), count)
        zero = _number(dtype, 0)
        last = builder.trunc(builder.sub(count, constant(1)), ir.IntType(32))
        for r in range(rows):
            given = []
            for s in range(columns):
                here_won = builder.fcmp_ordered("==", place, _number(dtype, r * columns + s))
                given.append(builder.select(here_won, errors, zero))
            row = builder.mul(width, constant(r))
            if step == 1:
                for s, vector in enumerate(given):
                    offset = builder.add(row, constant(s))
                    _add(context, builder, dtype, vector, there, offset, count)
                continue
            even, odd = given[:2]
            if columns == 3:  # its third column is the first of the next window
                later = _picked(builder, zero, given[2], [0, *range(size, 2 * size - 1)])
                even = builder.fadd(even, later)
            both = [
                _picked(builder, even, odd, [half + k // 2 + k % 2 * size for k in range(size)])
                for half in (0, size // 2)
            ]
            for half, vector in enumerate(both):
                offset = builder.add(row, constant(half * size))
                part = _clipped(builder, dtype, builder.mul(count, constant(2)), half)
                if columns == 2:
                    store_part(context, builder, dtype, vector, there, offset, part)
                else:
                    _add(context, builder, dtype, vector, there, offset, part)
            if columns == 3:
                first = builder.insert_element(
                    zero, builder.extract_element(given[2], last), ir.Constant(ir.IntType(32), 0)
                )
                offset = builder.add(row, builder.mul(count, constant(2)))
                _add(context, builder, dtype, first, there, offset, constant(1))
        return context.get_dummy_value()

    whole_number = types.int64
    return types.void(
        source, whole_number, whole_number, error, target, rows, columns, step
    ), generate


@constants
def route_pair(
    typing: Any, source: Any, width: Any, room: Any, columns: Any, whole: Any, alone: Any,
    error: Any, count: Any, target: Any, late: Any, below: Any, size: Any, step: Any,
) -> Any:  # fmt: skip
    """Write a vector of even and a vector of odd columns in two rows of the gradient.

    Windows of size x size, two or three, begin at the first row and at its even columns. `count` of
    them have errors, the others have none. The winner of a window is the first largest of the
    winners of its rows, so an error goes to a row and there to a column. What goes to a third row
    waits in `below` until that row is written, what goes to the third column of the last window in
    `late`, a vector a row. Of each row `columns` are written, or all lanes if it is `whole`, when
    all lanes may be read too; else no more than `room` numbers. `alone` says that no window in the
    row stands further right.
    """
    dtype, (edge, apart) = source.dtype, _values(size, step)
    lanes = lanes_of(dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        here, width, room, columns, whole, alone, error, count, there, late, below = arguments[:11]
        if apart != 2:
            return context.get_dummy_value()
        zero = _number(dtype, 0)
        errors = load_part(context, builder, dtype, error, constant(0), count)

        def read(offset: Any, limit: Any) -> Any:
            if limit is None:
                return load_vector(context, builder, dtype, here, offset)
            rest = builder.sub(limit, offset)
            return load_part(context, builder, dtype, here, offset, rest)

        def emit(limit: Any, neighbours: bool) -> None:
            best, winners = [], []
            for r in range(edge):
                row = builder.mul(width, constant(r))
                left = read(row, limit)
                right = read(builder.add(row, constant(lanes)), limit)
                numbers = [_picked(builder, left, right, range(k, 2 * lanes, 2)) for k in (0, 1)]
                if edge == 3:  # the even column of the next window
                    beyond = zero
                    if neighbours:
                        beyond = read(builder.add(row, constant(2 * lanes)), limit)
                    numbers.append(_picked(builder, numbers[0], beyond, range(1, lanes + 1)))
                value, wins = _first_largest(builder, numbers)
                best.append(value)
                winners.append(wins)
            given = _handed(builder, errors, _first_largest(builder, best)[1], zero)
            if edge == 3:
                above = load_vector(context, builder, dtype, below, constant(0))
                given[0] = builder.fadd(given[0], above)
                store_vector(context, builder, dtype, given[2], below, constant(0))
            for r in (0, 1):
                even, odd, *third = _handed(builder, given[r], winners[r], zero)
                if third:
                    before = zero
                    if neighbours:
                        place = constant(r * lanes)
                        before = load_vector(context, builder, dtype, late, place)
                        store_vector(context, builder, dtype, third[0], late, place)
                    shifted = _picked(builder, before, third[0], range(lanes - 1, 2 * lanes - 1))
                    even = builder.fadd(even, shifted)
                for half in (0, 1):
                    start = half * lanes // 2
                    places = [start + k // 2 + k % 2 * lanes for k in range(lanes)]
                    vector = _picked(builder, even, odd, places)  # (5.13)
                    row = builder.mul(width, constant(r))
                    offset = builder.add(row, constant(half * lanes))
                    if limit is None:
                        store_vector(context, builder, dtype, vector, there, offset)
                        continue
                    rest = builder.sub(limit, row)
                    rest = builder.select(builder.icmp_signed("<", rest, columns), rest, columns)
                    part = _clipped(builder, dtype, rest, half)
                    store_part(context, builder, dtype, vector, there, offset, part)

        with builder.if_else(whole) as (all_lanes, some):
            with all_lanes, builder.if_else(alone) as (one, many):
                with one:
                    emit(None, False)
                with many:
                    emit(None, True)
            with some:
                emit(room, True)
        return context.get_dummy_value()

    number = types.int64
    return types.void(
        source, number, number, number, types.boolean, types.boolean, error, number, target,
        late, below, size, step,
    ), generate  # fmt: skip


def _values(*literals: Any) -> tuple[int, ...]:
    return tuple(int(literal.literal_value) for literal in literals)


def _taps(
    context: Any, builder: Any, dtype: Any, here: Any, width: Any, count: Any, rows: int,
    columns: int, step: int,
) -> Any:  # fmt: skip
    """Of each number of a window, row by row: which it is, and the vector of all windows' ones."""
    size = lanes_of(dtype)
    for r in range(rows):
        row = builder.mul(width, constant(r))
        pair: list[Any] = []
        for s in range(columns):
            if step == 1:
                offset = builder.add(row, constant(s))
                value = load_part(context, builder, dtype, here, offset, count)
            else:
                if s % 2 == 0:
                    spare = 0 if s + 1 < columns else 1
                    seen = builder.sub(builder.mul(count, constant(2)), constant(spare))
                    pair = [
                        load_part(
                            context, builder, dtype, here,
                            builder.add(row, constant(s + half * size)),
                            _clipped(builder, dtype, seen, half),
                        )
                        for half in (0, 1)
                    ]  # fmt: skip
                value = _picked(builder, pair[0], pair[1], [s % 2 + 2 * k for k in range(size)])
            yield r * columns + s, value


def _clipped(builder: Any, dtype: Any, count: Any, half: int) -> Any:
    """How many of `count` numbers lie in the first or the second vector; below 0 is none."""
    size = lanes_of(dtype)
    rest = builder.sub(count, constant(half * size))
    return builder.select(builder.icmp_signed("<", rest, constant(size)), rest, constant(size))


def _wins(builder: Any, value: Any, best: Any) -> Any:
    """Whether a number is larger than the best so far, or the first NaN."""
    larger_or_nan = builder.fcmp_unordered(">", value, best)
    return builder.and_(larger_or_nan, builder.fcmp_ordered("ord", best, best))


def _first_largest(builder: Any, numbers: list[Any]) -> tuple[Any, list[Any]]:
    """The first largest of some numbers, and of each but the first whether it beat those before."""
    best, wins = numbers[0], []
    for value in numbers[1:]:
        wins.append(_wins(builder, value, best))
        best = builder.select(wins[-1], value, best)
    return best, wins


def _handed(builder: Any, error: Any, wins: list[Any], zero: Any) -> list[Any]:
    """What each of some numbers gets of an error: their first largest gets all of it."""
    given = []
    for won in reversed(wins):
        given.append(builder.select(won, error, zero))
        error = builder.select(won, zero, error)
    return [error, *reversed(given)]


def _number(dtype: Any, value: int) -> Any:
    return ir.Constant(vector_of(dtype), [float(value)] * lanes_of(dtype))


def _picked(builder: Any, x: Any, y: Any, lanes: Sequence[int]) -> Any:
    index = ir.VectorType(ir.IntType(32), len(lanes))
    return builder.shuffle_vector(x, y, ir.Constant(index, list(lanes)))


def _add(
    context: Any, builder: Any, dtype: Any, vector: Any, there: Any, offset: Any, count: Any
) -> None:
    before = load_part(context, builder, dtype, there, offset, count)
    store_part(context, builder, dtype, builder.fadd(before, vector), there, offset, count)
