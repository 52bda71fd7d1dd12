"""Spans: places in memory, as a type that Numba understands.

A span is where a kernel reads and writes: a place in an array, without shape or strides.
``here[n]`` is the number n places further on, ``here + n`` the span that begins there.

A span is a bare pointer and keeps nothing alive: make spans of a function's arguments only, never
of an array that the same function made. In the checked mode (``KETKAR_CHECKED=1``) it carries its
array's limits, and every access outside raises IndexError.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing import signature as typing_signature
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

from ketkar.kernels.cpu.machine import CHECKED

INDEX = ir.IntType(64)
LINE = 64
"""Bytes of a line of the cache."""
OUTSIDE = "a kernel reached outside an array; please report this as a defect of ketkar"


def untyped(decorator: Any) -> Callable[[Callable[..., Any]], Any]:
    """One of Numba's decorators, which have no types of their own that mypy could use."""
    return lambda function: decorator(function)


operation = untyped(intrinsic)
"""Decorates what kernels may call and what emits its own LLVM code."""


class Span(types.Type):  # type: ignore[misc]
    """A place in an array of numbers of one type."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Span({dtype})")


def element(dtype: Any) -> Any:
    """LLVM's name for a type of numbers."""
    if isinstance(dtype, types.Integer):
        return ir.IntType(dtype.bitwidth)
    return ir.FloatType() if dtype.bitwidth == 32 else ir.DoubleType()


@untyped(register_model(Span))
class _SpanModel(models.PrimitiveModel):  # type: ignore[misc]
    """A pointer; in the checked mode also the index it stands at and the length of its array."""

    def __init__(self, manager: Any, span: Span) -> None:
        pointer = element(span.dtype).as_pointer()
        checked = ir.LiteralStructType([pointer, INDEX, INDEX])
        super().__init__(manager, span, checked if CHECKED else pointer)


def constant(value: int) -> Any:
    """A whole number in LLVM's code."""
    return ir.Constant(INDEX, value)


def _shifted(builder: Any, span: Any, offset: Any) -> Any:
    if not CHECKED:
        return builder.gep(span, [offset])
    pointer, index, _ = cgutils.unpack_tuple(builder, span, 3)
    span = builder.insert_value(span, builder.gep(pointer, [offset]), 0)
    return builder.insert_value(span, builder.add(index, offset), 1)


def address(context: Any, builder: Any, span: Any, offset: Any, count: Any) -> Any:
    """The pointer to `count` numbers from `offset` on: every access goes through here."""
    span = _shifted(builder, span, offset)
    if not CHECKED:
        return span
    pointer, index, length = cgutils.unpack_tuple(builder, span, 3)
    below = builder.icmp_signed("<", index, constant(0))
    above = builder.icmp_signed(">", builder.add(index, count), length)
    outside, inside = _outside(context, builder), builder.append_basic_block("inside")
    builder.cbranch(builder.or_(below, above), outside, inside).set_weights([1, 99])
    builder.position_at_end(inside)
    return pointer


def _outside(context: Any, builder: Any) -> Any:
    """The one block of a function to which all its accesses go that are outside."""
    for block in builder.function.blocks:
        if block.name == "outside":
            return block
    block = builder.append_basic_block("outside")
    with builder.goto_block(block):
        context.call_conv.return_user_exc(builder, IndexError, (OUTSIDE,))
    return block


@operation
def span(typing: Any, array: Any) -> Any:
    """The span at the beginning of a C-contiguous array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        struct = context.make_array(signature.args[0])(context, builder, arguments[0])
        if not CHECKED:
            return struct.data
        whole = ir.Constant(context.get_value_type(signature.return_type), ir.Undefined)
        for place, value in enumerate((struct.data, constant(0), struct.nitems)):
            whole = builder.insert_value(whole, value, place)
        return whole

    return Span(array.dtype)(array), generate


@operation
def to_line(typing: Any, array: Any) -> Any:
    """How many numbers from the beginning of an array to that of the next line of the cache.

    A vector that lies across two lines takes two accesses.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        struct = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.ptrtoint(struct.data, INDEX)
        rest = builder.and_(builder.neg(place), constant(LINE - 1))
        return builder.udiv(rest, constant(array.dtype.bitwidth // 8))

    return types.int64(array), generate


@untyped(type_callable(operator.add))
def _type_add(context: Any) -> Any:
    def typer(here: Any, offset: Any) -> Any:
        return here if isinstance(here, Span) and isinstance(offset, types.Integer) else None

    return typer


@untyped(lower_builtin(operator.add, Span, types.Integer))
def _add(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """``span + n``: n numbers further on."""
    offset = context.cast(builder, arguments[1], signature.args[1], types.int64)
    return _shifted(builder, arguments[0], offset)


@untyped(type_callable(operator.getitem))
def _type_getitem(context: Any) -> Any:
    def typer(here: Any, offset: Any) -> Any:
        return here.dtype if isinstance(here, Span) and isinstance(offset, types.Integer) else None

    return typer


@untyped(lower_builtin(operator.getitem, Span, types.Integer))
def _getitem(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """``span[n]``: the number n places further on."""
    offset = context.cast(builder, arguments[1], signature.args[1], types.int64)
    return builder.load(address(context, builder, arguments[0], offset, constant(1)))


@untyped(type_callable(operator.setitem))
def _type_setitem(context: Any) -> Any:
    def typer(here: Any, offset: Any, value: Any) -> Any:
        if isinstance(here, Span) and isinstance(offset, types.Integer):
            return typing_signature(types.none, here, offset, here.dtype)
        return None

    return typer


@untyped(lower_builtin(operator.setitem, Span, types.Integer, types.Float))
def _setitem(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """``span[n] = value``."""
    here, offset, value = arguments
    offset = context.cast(builder, offset, signature.args[1], types.int64)
    builder.store(value, address(context, builder, here, offset, constant(1)))
    return context.get_dummy_value()


@operation
def number(typing: Any, here: Any, value: Any) -> Any:
    """`value` as a number of this span's type."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.cast(builder, arguments[1], signature.args[1], here.dtype)

    return here.dtype(here, value), generate
