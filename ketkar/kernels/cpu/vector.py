"""Vectors: a few numbers that the processor handles at once, and what kernels do with single ones.

The first part is for modules that emit LLVM code themselves. The second part are operations for
kernels: copying a part of a row, and turning a block of rows into columns without leaving the
registers. A part is a number of lanes that need not fill a vector; beyond it nothing is read or
written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from ketkar.kernels.cpu.machine import CHECKED, SIMD_BITS
from ketkar.kernels.cpu.span import INDEX, address, constant, element, operation


def lanes_of(dtype: Any) -> int:
    """How many numbers of a type fill a vector."""
    return int(SIMD_BITS // dtype.bitwidth)


def vector_of(dtype: Any) -> Any:
    """LLVM's type of a vector of these numbers."""
    return ir.VectorType(element(dtype), lanes_of(dtype))


def load_vector(context: Any, builder: Any, dtype: Any, span: Any, offset: Any) -> Any:
    """The vector at a place in memory, which need not be aligned."""
    pointer = address(context, builder, span, offset, constant(lanes_of(dtype)))
    vector = builder.load(builder.bitcast(pointer, vector_of(dtype).as_pointer()))
    vector.align = dtype.bitwidth // 8
    return vector


def store_vector(
    context: Any, builder: Any, dtype: Any, vector: Any, span: Any, offset: Any
) -> None:
    """Write a vector to a place in memory."""
    pointer = address(context, builder, span, offset, constant(lanes_of(dtype)))
    store = builder.store(vector, builder.bitcast(pointer, vector_of(dtype).as_pointer()))
    store.align = dtype.bitwidth // 8


def stream_vector(
    context: Any, builder: Any, dtype: Any, vector: Any, span: Any, offset: Any
) -> None:
    """Write a vector to memory past the caches, if the place is aligned to whole vectors."""
    pointer = address(context, builder, span, offset, constant(lanes_of(dtype)))
    size = SIMD_BITS // 8
    rest = builder.and_(builder.ptrtoint(pointer, INDEX), constant(size - 1))
    pointer = builder.bitcast(pointer, vector_of(dtype).as_pointer())
    with builder.if_else(builder.icmp_signed("==", rest, constant(0))) as (aligned, other):
        with aligned:
            store = builder.store(vector, pointer)
            store.align = size
            one = ir.Constant(ir.IntType(32), 1)
            store.set_metadata("nontemporal", builder.module.add_metadata([one]))
        with other:
            store = builder.store(vector, pointer)
            store.align = dtype.bitwidth // 8


def splat(builder: Any, dtype: Any, scalar: Any) -> Any:
    """A vector that holds one number in every lane."""
    return _repeat(builder, vector_of(dtype), scalar)


def multiply_add(builder: Any, dtype: Any, x: Any, y: Any, z: Any) -> Any:
    """X y + z, as one instruction wherever the machine has it.

    A separate multiplication would be moved out of the loop by LLVM, which then needs a register
    for each product and spills the tile.
    """
    vector = vector_of(dtype)
    function = _intrinsic(builder, vector, [vector] * 3, "llvm.fmuladd", dtype)
    return builder.call(function, [x, y, z])


def load_part(context: Any, builder: Any, dtype: Any, span: Any, offset: Any, count: Any) -> Any:
    """The first `count` lanes of the vector at a place, zeros in the others."""
    vector = vector_of(dtype)
    pointer = address(context, builder, span, offset, count)
    pointer = builder.bitcast(pointer, vector.as_pointer())
    function = _intrinsic(
        builder,
        vector,
        [vector.as_pointer(), ir.IntType(32), _mask_type(dtype), vector],
        "llvm.masked.load",
        dtype,
    )
    align = ir.Constant(ir.IntType(32), dtype.bitwidth // 8)
    mask = _mask(builder, dtype, count)
    return builder.call(function, [pointer, align, mask, ir.Constant(vector, None)])


def store_part(
    context: Any, builder: Any, dtype: Any, vector: Any, span: Any, offset: Any, count: Any
) -> None:
    """Write the first `count` lanes of a vector to a place.

    A store under a mask is slow where it is not the machine's own, as on AVX2: there a half, a
    quarter and so on of the vector are written, as the binary digits of the count say.
    """
    kind = vector_of(dtype)
    pointer = address(context, builder, span, offset, count)
    if SIMD_BITS == 512:
        pointer = builder.bitcast(pointer, kind.as_pointer())
        arguments = [kind, kind.as_pointer(), ir.IntType(32), _mask_type(dtype)]
        name = "llvm.masked.store"
        function = _intrinsic(builder, ir.VoidType(), arguments, name, dtype)
        align = ir.Constant(ir.IntType(32), dtype.bitwidth // 8)
        builder.call(function, [vector, pointer, align, _mask(builder, dtype, count)])
        return
    whole = builder.icmp_signed(">=", count, constant(lanes_of(dtype)))
    with builder.if_else(whole) as (all_lanes, some):
        with all_lanes:
            store = builder.store(vector, builder.bitcast(pointer, kind.as_pointer()))
            store.align = dtype.bitwidth // 8
        with some:
            positive = builder.icmp_signed(">", count, constant(0))
            with builder.if_then(positive):
                _store_pieces(builder, dtype, vector, pointer, count)


def _store_pieces(builder: Any, dtype: Any, vector: Any, pointer: Any, count: Any) -> None:
    size = lanes_of(dtype)
    rest = cgutils.alloca_once_value(builder, vector)
    place = cgutils.alloca_once_value(builder, pointer)
    piece = size // 2
    while piece:
        digit = builder.and_(count, constant(piece))
        with builder.if_then(builder.icmp_signed("!=", digit, constant(0))):
            value, there = builder.load(rest), builder.load(place)
            first = _lanes(builder, value, range(piece))
            store = builder.store(first, builder.bitcast(there, first.type.as_pointer()))
            store.align = dtype.bitwidth // 8
            builder.store(_lanes(builder, value, [(k + piece) % size for k in range(size)]), rest)
            builder.store(builder.gep(there, [constant(piece)]), place)
        piece //= 2


def _lanes(builder: Any, vector: Any, numbers: Sequence[int]) -> Any:
    """The lanes of these numbers, as a vector of its own."""
    index = ir.VectorType(ir.IntType(32), len(numbers))
    return builder.shuffle_vector(vector, vector, ir.Constant(index, list(numbers)))


def _intrinsic(builder: Any, result: Any, arguments: Any, name: str, dtype: Any) -> Any:
    kind = f"v{lanes_of(dtype)}f{dtype.bitwidth}"
    full = f"{name}.{kind}" + (".p0" if "masked" in name else "")
    function_type = ir.FunctionType(result, arguments)
    return cgutils.get_or_insert_function(builder.module, function_type, full)


def _repeat(builder: Any, vector: Any, scalar: Any) -> Any:
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, undefined, zeros)


def _mask_type(dtype: Any) -> Any:
    return ir.VectorType(ir.IntType(1), lanes_of(dtype))


def _mask(builder: Any, dtype: Any, count: Any) -> Any:
    """Which lanes lie below `count`."""
    small = ir.IntType(32)
    vector = ir.VectorType(small, lanes_of(dtype))
    numbers = ir.Constant(vector, list(range(lanes_of(dtype))))
    return builder.icmp_signed("<", numbers, _repeat(builder, vector, builder.trunc(count, small)))


@operation
def lanes(typing: Any, here: Any) -> Any:
    """How many numbers of this span's type fill a vector."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return constant(lanes_of(here.dtype))

    return types.int64(here), generate


@operation
def fill_vector(typing: Any, target: Any, value: Any) -> Any:
    """Write one number to a whole vector of places."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        there, value = arguments
        value = context.cast(builder, value, signature.args[1], target.dtype)
        vector = splat(builder, target.dtype, value)
        store_vector(context, builder, target.dtype, vector, there, constant(0))
        return context.get_dummy_value()

    return types.void(target, value), generate


@operation
def copy_part(typing: Any, source: Any, count: Any, target: Any) -> Any:
    """Write a whole vector: the first `count` numbers of the source, zeros behind them."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        here, count, there = arguments
        dtype = source.dtype
        full = builder.icmp_signed(">=", count, constant(lanes_of(dtype)))
        with builder.if_else(full) as (whole, part):
            with whole:
                vector = load_vector(context, builder, dtype, here, constant(0))
                store_vector(context, builder, dtype, vector, there, constant(0))
            with part:
                vector = load_part(context, builder, dtype, here, constant(0), count)
                store_vector(context, builder, dtype, vector, there, constant(0))
        return context.get_dummy_value()

    return types.void(source, types.int64, target), generate


@operation
def transpose_block(
    typing: Any, source: Any, source_stride: Any, rows: Any, columns: Any, target: Any,
    target_stride: Any,
) -> Any:  # fmt: skip
    """``target[c target_stride + r] = source[r source_stride + c]`` for r < rows, c < columns.

    Rows and columns are at most LANES. The block is turned in the registers: in each of
    log2(LANES) rounds, row r and row r + d exchange every other run of d lanes.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        here, from_stride, rows, columns, there, to_stride = arguments
        dtype = source.dtype
        size = lanes_of(dtype)
        wide = builder.icmp_signed("==", rows, constant(size))
        high = builder.icmp_signed("==", columns, constant(size))
        with builder.if_else(builder.and_(wide, high)) as (whole, part):
            with whole:
                block = [
                    load_vector(
                        context, builder, dtype, here, builder.mul(from_stride, constant(r))
                    )
                    for r in range(size)
                ]
                for c, vector in enumerate(_turned(builder, block)):
                    place = builder.mul(to_stride, constant(c))
                    store_vector(context, builder, dtype, vector, there, place)
            with part:
                block = []
                for r in range(size):
                    inside = builder.icmp_signed("<", constant(r), rows)
                    count = builder.select(inside, columns, constant(0))
                    place = builder.select(
                        inside, builder.mul(from_stride, constant(r)), constant(0)
                    )
                    block.append(load_part(context, builder, dtype, here, place, count))
                for c, vector in enumerate(_turned(builder, block)):
                    inside = builder.icmp_signed("<", constant(c), columns)
                    count = builder.select(inside, rows, constant(0))
                    place = builder.select(inside, builder.mul(to_stride, constant(c)), constant(0))
                    store_part(context, builder, dtype, vector, there, place, count)
        return context.get_dummy_value()

    whole_number = types.int64
    return types.void(
        source, whole_number, whole_number, whole_number, target, whole_number
    ), generate


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """The columns of a square block of vectors."""
    size, block = len(rows), list(rows)
    index = ir.VectorType(ir.IntType(32), size)
    distance = 1
    while distance < size:
        low = [lane if not lane & distance else size + lane - distance for lane in range(size)]
        high = [lane + distance if not lane & distance else size + lane for lane in range(size)]
        for r in range(size):
            if not r & distance:
                x, y = block[r], block[r + distance]
                block[r] = builder.shuffle_vector(x, y, ir.Constant(index, low))
                block[r + distance] = builder.shuffle_vector(x, y, ir.Constant(index, high))
        distance *= 2
    return block


@operation
def prefetch(typing: Any, here: Any, offset: Any) -> Any:
    """Have the line of the cache at ``here[offset]`` fetched, which may lie outside the array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        here, offset = arguments
        if CHECKED:
            here = builder.extract_value(here, 0)
        byte, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        pointer = builder.bitcast(builder.gep(here, [offset]), byte)
        function_type = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
        function = cgutils.get_or_insert_function(builder.module, function_type, "llvm.prefetch.p0")
        builder.call(function, [pointer, *(ir.Constant(flag, value) for value in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(here, types.int64), generate


@operation
def out_of_line(typing: Any) -> Any:
    """Keep the function that says this out of its callers, which would need its registers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), generate
