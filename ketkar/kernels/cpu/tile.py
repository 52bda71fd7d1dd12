"""Register tiles, as a type that Numba understands.

Plain loops cannot keep a block of partial sums in registers: LLVM vectorises the innermost loop and
stores its sum on every turn. A tile is such a block, rows x columns vectors, as a value of its own
type. Each operation on it emits vector instructions, so that source code in Python says exactly
what stays in registers.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

from ketkar.kernels.cpu.span import address, constant, element, operation, untyped
from ketkar.kernels.cpu.vector import (
    lanes_of,
    load_part,
    load_vector,
    multiply_add,
    splat,
    store_part,
    store_vector,
    stream_vector,
    vector_of,
)


class Tile(types.Type):  # type: ignore[misc]
    """Rows x columns vectors that stay in registers."""

    def __init__(self, dtype: Any, rows: int, columns: int) -> None:
        self.dtype = dtype
        self.rows = rows
        self.columns = columns
        super().__init__(name=f"Tile({dtype}, {rows}, {columns})")

    def places(self) -> Any:
        """Row, column and number of every vector."""
        for k in range(self.rows * self.columns):
            yield (*divmod(k, self.columns), k)

    def across(self, column: int) -> Any:
        """How many numbers stand before a column."""
        return constant(column * lanes_of(self.dtype))


@untyped(register_model(Tile))
class _TileModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, tile: Tile) -> None:
        vectors = ir.ArrayType(vector_of(tile.dtype), tile.rows * tile.columns)
        super().__init__(manager, tile, vectors)


@untyped(intrinsic(prefer_literal=True))
def tile_zeros(typing: Any, here: Any, rows: Any, columns: Any) -> Any:
    """A tile of zeros, of so many rows and columns and of the type of numbers `here` leads to."""
    if not isinstance(rows, types.IntegerLiteral) or not isinstance(columns, types.IntegerLiteral):
        return None
    tile = Tile(here.dtype, rows.literal_value, columns.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(context.get_value_type(tile), None)

    return tile(here, rows, columns), generate


def _add_outer(context: Any, builder: Any, tile: Tile, value: Any, scalars: Any, b: Any) -> Any:
    """Add the outer product of one number a row with one vector a column."""
    vectors = [
        load_vector(context, builder, tile.dtype, b, tile.across(column))
        for column in range(tile.columns)
    ]
    for row, column, k in tile.places():
        if column == 0:
            factor = splat(builder, tile.dtype, scalars(row))
        old = builder.extract_value(value, k)
        total = multiply_add(builder, tile.dtype, factor, vectors[column], old)
        value = builder.insert_value(value, total, k)
    return value


@operation
def tile_outer(typing: Any, tile: Any, a: Any, stride: Any, rows: Any, b: Any) -> Any:
    """``tile[r, c] += a[r stride] b[c LANES : (c + 1) LANES]``: one outer product.

    Only the first `rows` rows of `a` are read; further rows of the tile repeat the last of them.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, a, stride, rows, b = arguments
        last = builder.sub(rows, constant(1))

        def scalar(row: int) -> Any:
            beyond = builder.icmp_signed("<", last, constant(row))
            place = builder.mul(builder.select(beyond, last, constant(row)), stride)
            return builder.load(address(context, builder, a, place, constant(1)))

        return _add_outer(context, builder, tile, value, scalar, b)

    return tile(tile, a, types.int64, types.int64, b), generate


@operation
def tile_outer_at(typing: Any, tile: Any, a: Any, places: Any, b: Any) -> Any:
    """``tile[r, c] += a[places[r]] b[c LANES : (c + 1) LANES]``: rows from a table of places."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, a, places, b = arguments

        def scalar(row: int) -> Any:
            place = _entry(context, builder, places, row)
            return builder.load(address(context, builder, a, place, constant(1)))

        return _add_outer(context, builder, tile, value, scalar, b)

    return tile(tile, a, places, b), generate


@operation
def tile_pushed(typing: Any, tile: Any, here: Any, count: Any) -> Any:
    """The tile with its rows one place further down: the last is gone, the first comes from `here`.

    Only the first `count` numbers of that row are read; zeros stand for the others.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        old, here, count = arguments
        dtype, value = tile.dtype, old
        whole = _fills(builder, tile, count)
        for _, column, k in tile.places():
            if k >= tile.columns:
                vector = builder.extract_value(old, k - tile.columns)
            else:
                with builder.if_else(whole) as (full, part):
                    with full:
                        place = tile.across(column)
                        loaded = load_vector(context, builder, dtype, here, place), builder.block
                    with part:
                        left, place = _rest(builder, tile, column, constant(0), count)
                        some = load_part(context, builder, dtype, here, place, left), builder.block
                vector = builder.phi(vector_of(dtype))
                vector.add_incoming(*loaded)
                vector.add_incoming(*some)
            value = builder.insert_value(value, vector, k)
        return value

    return tile(tile, here, types.int64), generate


def _entry(context: Any, builder: Any, table: Any, row: int) -> Any:
    return builder.load(address(context, builder, table, constant(row), constant(1)))


@operation
def tile_load_at(typing: Any, tile: Any, here: Any, places: Any) -> Any:
    """The tile whose row r stands at ``here[places[r]]``; of the old one only the type counts."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, here, places = arguments
        for row, column, k in tile.places():
            if column == 0:
                start = _entry(context, builder, places, row)
            place = builder.add(start, tile.across(column))
            vector = load_vector(context, builder, tile.dtype, here, place)
            value = builder.insert_value(value, vector, k)
        return value

    return tile(tile, here, places), generate


def _fills(builder: Any, tile: Tile, count: Any) -> Any:
    """Whether so many numbers fill a row."""
    return builder.icmp_signed(">=", count, constant(tile.columns * lanes_of(tile.dtype)))


def _rest(builder: Any, tile: Tile, column: int, start: Any, count: Any) -> Any:
    """How many of the first `count` numbers of a row, from `start` on, a column has, and where."""
    left = builder.sub(count, tile.across(column))
    some = builder.icmp_signed(">", left, constant(0))
    place = builder.add(start, tile.across(column))
    return builder.select(some, left, constant(0)), builder.select(some, place, start)


def _store_row(
    context: Any, builder: Any, tile: Tile, vectors: Any, here: Any, start: Any, count: Any,
    store_whole: Any,
) -> None:  # fmt: skip
    """Write the first `count` numbers of a row to ``here[start:]``: `store_whole` whole vectors."""
    whole = _fills(builder, tile, count)
    for column, vector in enumerate(vectors):
        with builder.if_else(whole) as (full, part):
            with full:
                place = builder.add(start, tile.across(column))
                store_whole(context, builder, tile.dtype, vector, here, place)
            with part:
                left, place = _rest(builder, tile, column, start, count)
                store_part(context, builder, tile.dtype, vector, here, place, left)


@operation
def tile_store_at(
    typing: Any, tile: Any, here: Any, places: Any, rows: Any, count: Any, streamed: Any
) -> Any:
    """Row r goes to ``here[places[r] :]`` for r < rows, and of each row the first `count` numbers.

    With `count` beyond the width of the tile, whole vectors are written, and if they are to be
    `streamed`, past the caches.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, here, places, rows, count, streamed = arguments
        streamed = builder.icmp_signed("!=", streamed, constant(0))

        def store_whole(*where: Any) -> None:
            with builder.if_else(streamed) as (past, through):
                with past:
                    stream_vector(*where)
                with through:
                    store_vector(*where)

        for row in range(tile.rows):
            inside = builder.icmp_signed("<", constant(row), rows)
            with builder.if_then(inside):
                start = _entry(context, builder, places, row)
                vectors = _row(builder, tile, value, row)
                _store_row(context, builder, tile, vectors, here, start, count, store_whole)
        return context.get_dummy_value()

    return types.void(tile, here, places, types.int64, types.int64, types.int64), generate


@operation
def tile_store_last(typing: Any, tile: Any, here: Any, count: Any) -> Any:
    """The first `count` numbers of the last row go to `here`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, here, count = arguments
        vectors = _row(builder, tile, value, tile.rows - 1)
        start = constant(0)
        _store_row(context, builder, tile, vectors, here, start, count, store_vector)
        return context.get_dummy_value()

    return types.void(tile, here, types.int64), generate


def _row(builder: Any, tile: Tile, value: Any, row: int) -> list[Any]:
    first = row * tile.columns
    return [builder.extract_value(value, first + column) for column in range(tile.columns)]


@operation
def tile_store(typing: Any, tile: Any, here: Any, stride: Any, scale: Any) -> Any:
    """``here[r stride + c LANES :] = scale here[...] + tile[r, c]``.

    If scale is 0, nothing is read.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        dtype = tile.dtype
        value, here, stride, scale = arguments
        zero = ir.Constant(element(dtype), 0.0)
        factor = splat(builder, dtype, scale)
        with builder.if_else(builder.fcmp_ordered("==", scale, zero)) as (overwrite, update):
            for branch, keep in ((overwrite, False), (update, True)):
                with branch:
                    for row, column, k in tile.places():
                        place = builder.add(builder.mul(stride, constant(row)), tile.across(column))
                        vector = builder.extract_value(value, k)
                        if keep:
                            old = load_vector(context, builder, dtype, here, place)
                            vector = multiply_add(builder, dtype, factor, old, vector)
                        store_vector(context, builder, dtype, vector, here, place)
        return context.get_dummy_value()

    return types.void(tile, here, types.int64, here.dtype), generate
