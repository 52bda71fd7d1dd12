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
    dtype, shape = source.dtype, values(kind, rows, columns, step)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        here, width, count, there, whole = arguments[:5]
        kind, *window = shape

        def emit(count: Any) -> None:
            total = None
            for _, value in taps(context, builder, dtype, here, width, count, *window):
                seen = builder.fmul(value, value) if kind == L2 else value
                if total is None:
                    total = seen
                elif kind == MAX:
                    total = builder.select(wins(builder, value, total), value, total)  # (5.10)
                else:
                    total = builder.fadd(total, seen)
            if total is None:
                return
            if kind == AVG:
                total = builder.fdiv(total, splat(builder, dtype, whole))  # (5.11)
            if kind == L2:
                kind_of = vector_of(dtype)
                name = f"llvm.sqrt.v{lanes_of(dtype)}f{dtype.bitwidth}"
                root = cgutils.get_or_insert_function(
                    builder.module, ir.FunctionType(kind_of, [kind_of]), name
                )
                total = builder.call(root, [total])  # (5.12)
            if count is None:
                store_vector(context, builder, dtype, total, there, constant(0))
            else:
                store_part(context, builder, dtype, total, there, constant(0), count)

        full = builder.icmp_signed(">=", count, constant(lanes_of(dtype)))
        with builder.if_else(full) as (all_lanes, some):
            with all_lanes:
                emit(None)
            with some:
                emit(count)
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
    dtype, shape = source.dtype, values(rows, columns, step)
    size = lanes_of(dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        here, width, count, error, there = arguments[:5]
        rows, columns, step = shape
        best: Any = None
        place: Any = None
        for tap, value in taps(context, builder, dtype, here, width, count, *shape):
            number = filled(dtype, tap)
            if best is None:
                best, place = value, number
            else:
                won = wins(builder, value, best)
                best = builder.select(won, value, best)
                place = builder.select(won, number, place)
        if best is None:
            return context.get_dummy_value()
        errors = load_part(context, builder, dtype, error, constant(0), count)
        zero = filled(dtype, 0)
        last = builder.trunc(builder.sub(count, constant(1)), ir.IntType(32))
        for r in range(rows):
            given = []
            for s in range(columns):
                here_won = builder.fcmp_ordered("==", place, filled(dtype, r * columns + s))
                given.append(builder.select(here_won, errors, zero))
            row = builder.mul(width, constant(r))
            if step == 1:
                for s, vector in enumerate(given):
                    offset = builder.add(row, constant(s))
                    _add(context, builder, dtype, vector, there, offset, count)
                continue
            even, odd = given[:2]
            if columns == 3:  # its third column is the first of the next window
                later = picked(builder, zero, given[2], [0, *range(size, 2 * size - 1)])
                even = builder.fadd(even, later)
            both = [
                picked(builder, even, odd, [half + k // 2 + k % 2 * size for k in range(size)])
                for half in (0, size // 2)
            ]
            for half, vector in enumerate(both):
                offset = builder.add(row, constant(half * size))
                part = clipped(builder, dtype, builder.mul(count, constant(2)), half)
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


def values(*literals: Any) -> tuple[int, ...]:
    """The values of arguments that are constants."""
    return tuple(int(literal.literal_value) for literal in literals)


def taps(
    context: Any, builder: Any, dtype: Any, here: Any, width: Any, count: Any, rows: int,
    columns: int, step: int,
) -> Any:  # fmt: skip
    """Of each number of a window, row by row: which it is, and the vector of all windows' ones.

    `count` None stands for as many windows as there are lanes. Two steps apart, a pair of vectors
    holds two numbers of each window; the first number of three has its pair for itself.
    """
    size = lanes_of(dtype)

    def read(offset: Any, seen: Any) -> Any:
        if seen is None:
            return load_vector(context, builder, dtype, here, offset)
        return load_part(context, builder, dtype, here, offset, seen)

    def halves(offset: Any) -> list[Any]:
        parts = []
        for half in (0, 1):
            seen = None
            if count is not None:
                seen = clipped(builder, dtype, builder.mul(count, constant(2)), half)
            parts.append(read(builder.add(offset, constant(half * size)), seen))
        return parts

    for r in range(rows):
        row = builder.mul(width, constant(r))
        alone = columns % 2
        pair: list[Any] = []
        for s in range(columns):
            if step == 1:
                yield r * columns + s, read(builder.add(row, constant(s)), count)
                continue
            second = (s - alone) % 2 if s else 0
            if not second:
                pair = halves(builder.add(row, constant(s)))
            value = picked(builder, pair[0], pair[1], [second + 2 * k for k in range(size)])
            yield r * columns + s, value


def clipped(builder: Any, dtype: Any, count: Any, half: int) -> Any:
    """How many of `count` numbers lie in the first or the second vector; below 0 is none."""
    size = lanes_of(dtype)
    rest = builder.sub(count, constant(half * size))
    return builder.select(builder.icmp_signed("<", rest, constant(size)), rest, constant(size))


def wins(builder: Any, value: Any, best: Any) -> Any:
    """Whether a number is larger than the best so far, or the first NaN."""
    larger_or_nan = builder.fcmp_unordered(">", value, best)
    return builder.and_(larger_or_nan, builder.fcmp_ordered("ord", best, best))


def filled(dtype: Any, value: int) -> Any:
    """A vector of one number."""
    return ir.Constant(vector_of(dtype), [float(value)] * lanes_of(dtype))


def picked(builder: Any, x: Any, y: Any, lanes: Sequence[int]) -> Any:
    """The lanes of these numbers out of two vectors, those of the second counted on."""
    index = ir.VectorType(ir.IntType(32), len(lanes))
    return builder.shuffle_vector(x, y, ir.Constant(index, list(lanes)))


def _add(
    context: Any, builder: Any, dtype: Any, vector: Any, there: Any, offset: Any, count: Any
) -> None:
    before = load_part(context, builder, dtype, there, offset, count)
    store_part(context, builder, dtype, builder.fadd(before, vector), there, offset, count)
