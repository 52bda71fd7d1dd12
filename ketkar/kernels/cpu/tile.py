"""The SIMD vocabulary: spans of memory and register tiles, as types that Numba understands.

Plain loops cannot keep a block of partial sums in registers: LLVM vectorises the innermost loop and
stores its sum on every turn. A *tile* is such a block, ROWS x COLUMNS vectors of LANES numbers, as a
value of its own type; each operation on it is an intrinsic that emits vector instructions, so that
source code in Python says exactly what stays in registers.

A *span* is where a tile reads and writes: a place in an array, without shape or strides. It is a bare
pointer, and so it keeps nothing alive: make spans of a function's arguments only. In the checked mode
(``KETKAR_CHECKED=1``) a span carries its array's limits, and every access outside raises IndexError.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

from ketkar.kernels.cpu.machine import CHECKED, COLUMNS, ROWS, SIMD_BITS

INDEX = ir.IntType(64)
OUTSIDE = "a kernel reached outside an array; please report this as a defect of ketkar"


class Span(types.Type):  # type: ignore[misc]
    """A place in an array of numbers of one type."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Span({dtype})")


class Tile(types.Type):  # type: ignore[misc]
    """ROWS x COLUMNS vectors that stay in registers."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Tile({dtype})")


def _number(dtype: Any) -> Any:
    return ir.FloatType() if dtype.bitwidth == 32 else ir.DoubleType()


def _lanes(dtype: Any) -> int:
    return int(SIMD_BITS // dtype.bitwidth)


def _vector(dtype: Any) -> Any:
    return ir.VectorType(_number(dtype), _lanes(dtype))


@register_model(Span)
class _SpanModel(models.PrimitiveModel):  # type: ignore[misc]
    """A pointer; in the checked mode also the index it stands at and the length of its array."""

    def __init__(self, manager: Any, span: Span) -> None:
        pointer = _number(span.dtype).as_pointer()
        checked = ir.LiteralStructType([pointer, INDEX, INDEX])
        super().__init__(manager, span, checked if CHECKED else pointer)


@register_model(Tile)
class _TileModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, tile: Tile) -> None:
        super().__init__(manager, tile, ir.ArrayType(_vector(tile.dtype), ROWS * COLUMNS))


def _constant(value: int) -> Any:
    return ir.Constant(INDEX, value)


def _shifted(builder: Any, span: Any, offset: Any) -> Any:
    if not CHECKED:
        return builder.gep(span, [offset])
    pointer, index, _ = cgutils.unpack_tuple(builder, span, 3)
    span = builder.insert_value(span, builder.gep(pointer, [offset]), 0)
    return builder.insert_value(span, builder.add(index, offset), 1)


def _address(context: Any, builder: Any, span: Any, offset: Any, count: int) -> Any:
    """The pointer to `count` numbers from `offset` on: every access goes through here."""
    span = _shifted(builder, span, offset)
    if not CHECKED:
        return span
    pointer, index, length = cgutils.unpack_tuple(builder, span, 3)
    below = builder.icmp_signed("<", index, _constant(0))
    above = builder.icmp_signed(">", builder.add(index, _constant(count)), length)
    with builder.if_then(builder.or_(below, above), likely=False):
        context.call_conv.return_user_exc(builder, IndexError, (OUTSIDE,))
    return pointer


def _load_vector(context: Any, builder: Any, dtype: Any, span: Any, offset: Any) -> Any:
    pointer = _address(context, builder, span, offset, _lanes(dtype))
    vector = builder.load(builder.bitcast(pointer, _vector(dtype).as_pointer()))
    vector.align = dtype.bitwidth // 8
    return vector


def _store_vector(
    context: Any, builder: Any, dtype: Any, vector: Any, span: Any, offset: Any
) -> None:
    pointer = _address(context, builder, span, offset, _lanes(dtype))
    store = builder.store(vector, builder.bitcast(pointer, _vector(dtype).as_pointer()))
    store.align = dtype.bitwidth // 8


def _splat(builder: Any, dtype: Any, scalar: Any) -> Any:
    undefined = ir.Constant(_vector(dtype), ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), _lanes(dtype)), [0] * _lanes(dtype))
    return builder.shuffle_vector(first, undefined, zeros)


def _multiply_add(builder: Any, dtype: Any, x: Any, y: Any, z: Any) -> Any:
    """X y + z, as one instruction wherever the machine has it.

    A separate multiplication would be moved out of the loop by LLVM, which then needs a register for
    each product and spills the tile.
    """
    vector = _vector(dtype)
    name = f"llvm.fmuladd.v{_lanes(dtype)}f{dtype.bitwidth}"
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(vector, [vector] * 3), name
    )
    return builder.call(function, [x, y, z])


@intrinsic  # type: ignore[untyped-decorator]
def span(typing: Any, array: Any) -> Any:
    """The span at the beginning of a C-contiguous array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        struct = context.make_array(signature.args[0])(context, builder, arguments[0])
        if not CHECKED:
            return struct.data
        whole = ir.Constant(context.get_value_type(signature.return_type), ir.Undefined)
        for place, value in enumerate((struct.data, _constant(0), struct.nitems)):
            whole = builder.insert_value(whole, value, place)
        return whole

    return Span(array.dtype)(array), generate


@type_callable(operator.add)  # type: ignore[untyped-decorator]
def _type_add(context: Any) -> Any:
    def typer(here: Any, offset: Any) -> Any:
        return here if isinstance(here, Span) and isinstance(offset, types.Integer) else None

    return typer


@lower_builtin(operator.add, Span, types.Integer)  # type: ignore[untyped-decorator]
def _add(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """``span + n``: n numbers further on."""
    offset = context.cast(builder, arguments[1], signature.args[1], types.int64)
    return _shifted(builder, arguments[0], offset)


@intrinsic  # type: ignore[untyped-decorator]
def load(typing: Any, here: Any, offset: Any) -> Any:
    """The number at ``here + offset``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_address(context, builder, *arguments, 1))

    return here.dtype(here, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def store(typing: Any, here: Any, offset: Any, value: Any) -> Any:
    """Put a number at ``here + offset``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _address(context, builder, *arguments[:2], 1))
        return context.get_dummy_value()

    return types.void(here, types.int64, here.dtype), generate


@intrinsic  # type: ignore[untyped-decorator]
def tile_zeros(typing: Any, here: Any) -> Any:
    """A tile of zeros, of the type of numbers `here` leads to."""
    tile = Tile(here.dtype)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(context.get_value_type(tile), None)

    return tile(here), generate


@intrinsic  # type: ignore[untyped-decorator]
def tile_outer(typing: Any, tile: Any, a: Any, stride: Any, rows: Any, b: Any) -> Any:
    """``tile[r, c] += a[r stride] b[c LANES : (c + 1) LANES]``: one outer product.

    Only the first `rows` rows of `a` are read; further rows of the tile repeat the last of them.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        dtype = tile.dtype
        value, a, stride, rows, b = arguments
        lanes = _lanes(dtype)
        vectors = [
            _load_vector(context, builder, dtype, b, _constant(column * lanes))
            for column in range(COLUMNS)
        ]
        last = builder.sub(rows, _constant(1))
        for row in range(ROWS):
            beyond = builder.icmp_signed("<", last, _constant(row))
            place = builder.mul(builder.select(beyond, last, _constant(row)), stride)
            scalar = builder.load(_address(context, builder, a, place, 1))
            factor = _splat(builder, dtype, scalar)
            for column in range(COLUMNS):
                k = row * COLUMNS + column
                total = _multiply_add(
                    builder, dtype, factor, vectors[column], builder.extract_value(value, k)
                )
                value = builder.insert_value(value, total, k)
        return value

    return tile(tile, a, types.int64, types.int64, b), generate


@intrinsic  # type: ignore[untyped-decorator]
def tile_store(typing: Any, tile: Any, here: Any, stride: Any, scale: Any) -> Any:
    """``here[r stride + c LANES :] = scale here[...] + tile[r, c]``; nothing is read if scale is 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        dtype = tile.dtype
        value, here, stride, scale = arguments
        zero = ir.Constant(_number(dtype), 0.0)
        factor = _splat(builder, dtype, scale)
        with builder.if_else(builder.fcmp_ordered("==", scale, zero)) as (overwrite, update):
            for branch, keep in ((overwrite, False), (update, True)):
                with branch:
                    for k in range(ROWS * COLUMNS):
                        row, column = divmod(k, COLUMNS)
                        place = builder.add(
                            builder.mul(stride, _constant(row)),
                            _constant(column * _lanes(dtype)),
                        )
                        vector = builder.extract_value(value, k)
                        if keep:
                            old = _load_vector(context, builder, dtype, here, place)
                            vector = _multiply_add(builder, dtype, factor, old, vector)
                        _store_vector(context, builder, dtype, vector, here, place)
        return context.get_dummy_value()

    return types.void(tile, here, types.int64, here.dtype), generate


@intrinsic  # type: ignore[untyped-decorator]
def out_of_line(typing: Any) -> Any:
    """Keep the function that says this out of its callers, which would need its registers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic  # type: ignore[untyped-decorator]
def lanes(typing: Any, here: Any) -> Any:
    """How many numbers of this span's type fill a vector."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _constant(_lanes(here.dtype))

    return types.int64(here), generate


@intrinsic  # type: ignore[untyped-decorator]
def number(typing: Any, here: Any, value: Any) -> Any:
    """`value` as a number of this span's type."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.cast(builder, arguments[1], signature.args[1], here.dtype)

    return here.dtype(here, value), generate
