"""Register tiles, as a type that Numba understands.

Plain loops cannot keep a block of partial sums in registers: LLVM vectorises the innermost loop and
stores its sum on every turn. A tile is such a block, ROWS x columns vectors, as a value of its own
type. Each operation on it emits vector instructions, so that source code in Python says exactly
what stays in registers.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from ketkar.kernels.cpu.machine import ROWS, SIMD_BITS
from ketkar.kernels.cpu.span import address, constant, element, operation, untyped


class Tile(types.Type):  # type: ignore[misc]
    """ROWS x columns vectors that stay in registers."""

    def __init__(self, dtype: Any, columns: int) -> None:
        self.dtype = dtype
        self.columns = columns
        super().__init__(name=f"Tile({dtype}, {columns})")


def _lanes(dtype: Any) -> int:
    return int(SIMD_BITS // dtype.bitwidth)


def _vector(dtype: Any) -> Any:
    return ir.VectorType(element(dtype), _lanes(dtype))


@untyped(register_model(Tile))
class _TileModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, tile: Tile) -> None:
        super().__init__(manager, tile, ir.ArrayType(_vector(tile.dtype), ROWS * tile.columns))


def _load_vector(context: Any, builder: Any, dtype: Any, span: Any, offset: Any) -> Any:
    pointer = address(context, builder, span, offset, _lanes(dtype))
    vector = builder.load(builder.bitcast(pointer, _vector(dtype).as_pointer()))
    vector.align = dtype.bitwidth // 8
    return vector


def _store_vector(
    context: Any, builder: Any, dtype: Any, vector: Any, span: Any, offset: Any
) -> None:
    pointer = address(context, builder, span, offset, _lanes(dtype))
    store = builder.store(vector, builder.bitcast(pointer, _vector(dtype).as_pointer()))
    store.align = dtype.bitwidth // 8


def _splat(builder: Any, dtype: Any, scalar: Any) -> Any:
    undefined = ir.Constant(_vector(dtype), ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), _lanes(dtype)), [0] * _lanes(dtype))
    return builder.shuffle_vector(first, undefined, zeros)


def _multiply_add(builder: Any, dtype: Any, x: Any, y: Any, z: Any) -> Any:
    """X y + z, as one instruction wherever the machine has it.

    A separate multiplication would be moved out of the loop by LLVM, which then needs a register
    for each product and spills the tile.
    """
    vector = _vector(dtype)
    name = f"llvm.fmuladd.v{_lanes(dtype)}f{dtype.bitwidth}"
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(vector, [vector] * 3), name
    )
    return builder.call(function, [x, y, z])


@untyped(intrinsic(prefer_literal=True))
def tile_zeros(typing: Any, here: Any, columns: Any) -> Any:
    """A tile of zeros, of so many columns and of the type of numbers `here` leads to."""
    if not isinstance(columns, types.IntegerLiteral):
        return None
    tile = Tile(here.dtype, columns.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(context.get_value_type(tile), None)

    return tile(here, columns), generate


@operation
def tile_outer(typing: Any, tile: Any, a: Any, stride: Any, rows: Any, b: Any) -> Any:
    """``tile[r, c] += a[r stride] b[c LANES : (c + 1) LANES]``: one outer product.

    Only the first `rows` rows of `a` are read; further rows of the tile repeat the last of them.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        dtype = tile.dtype
        value, a, stride, rows, b = arguments
        lanes = _lanes(dtype)
        vectors = [
            _load_vector(context, builder, dtype, b, constant(column * lanes))
            for column in range(tile.columns)
        ]
        last = builder.sub(rows, constant(1))
        for row in range(ROWS):
            beyond = builder.icmp_signed("<", last, constant(row))
            place = builder.mul(builder.select(beyond, last, constant(row)), stride)
            scalar = builder.load(address(context, builder, a, place, 1))
            factor = _splat(builder, dtype, scalar)
            for column in range(tile.columns):
                k = row * tile.columns + column
                total = _multiply_add(
                    builder, dtype, factor, vectors[column], builder.extract_value(value, k)
                )
                value = builder.insert_value(value, total, k)
        return value

    return tile(tile, a, types.int64, types.int64, b), generate


@operation
def tile_store(typing: Any, tile: Any, here: Any, stride: Any, scale: Any) -> Any:
    """``here[r stride + c LANES :] = scale here[...] + tile[r, c]``.

    If scale is 0, nothing is read.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        dtype = tile.dtype
        value, here, stride, scale = arguments
        zero = ir.Constant(element(dtype), 0.0)
        factor = _splat(builder, dtype, scale)
        with builder.if_else(builder.fcmp_ordered("==", scale, zero)) as (overwrite, update):
            for branch, keep in ((overwrite, False), (update, True)):
                with branch:
                    for k in range(ROWS * tile.columns):
                        row, column = divmod(k, tile.columns)
                        place = builder.add(
                            builder.mul(stride, constant(row)),
                            constant(column * _lanes(dtype)),
                        )
                        vector = builder.extract_value(value, k)
                        if keep:
                            old = _load_vector(context, builder, dtype, here, place)
                            vector = _multiply_add(builder, dtype, factor, old, vector)
                        _store_vector(context, builder, dtype, vector, here, place)
        return context.get_dummy_value()

    return types.void(tile, here, types.int64, here.dtype), generate


@operation
def out_of_line(typing: Any) -> Any:
    """Keep the function that says this out of its callers, which would need its registers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), generate


@operation
def lanes(typing: Any, here: Any) -> Any:
    """How many numbers of this span's type fill a vector."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return constant(_lanes(here.dtype))

    return types.int64(here), generate
