"""The Fourier transform of the columns of a block, in place: radix-4 steps in the lanes.

Columns stand in the lanes, so that a step is the same for all of them. The transform forward leaves
its values in the order in which the steps leave them, digits reversed, and the transform back takes
them so: nobody looks at them in between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from ketkar.kernels.cpu.compiling import helper
from ketkar.kernels.cpu.span import address, constant, operation
from ketkar.kernels.cpu.vector import lanes, load_vector, multiply_add, splat, store_vector


def turns(n: int, dtype: Any) -> NDArray[np.floating]:
    """The factors w, w^2 and w^3 of each step of a transform of n values, smallest first."""
    sizes = [4**k for k in range(1, 20) if 4**k <= n]
    w = [np.exp(-2j * np.pi * np.arange(size // 4) / size) for size in sizes]
    powers = np.concatenate(w)[:, None] ** np.arange(1, 4)
    return np.stack([powers.real, powers.imag], -1).reshape(-1).astype(dtype)


def _step(inverse: bool) -> Callable[..., None]:
    """One radix-4 step on four complex vectors that stand `step` apart, in place.

    Forward, a transform of n values becomes four of n / 4, of the outputs 0, 1, 2 and 3 mod 4;
    `turns` holds the three complex factors of the last three. Back, the same in reverse.
    """

    @operation
    def apply(typing: Any, here: Any, gap: Any, step: Any, turns: Any) -> Any:
        dtype = here.dtype

        def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
            here, gap, step, turns = arguments
            places = [b.mul(step, constant(k)) for k in range(4)]
            parts = [(place, b.add(place, gap)) for place in places]
            values = [
                tuple(load_vector(context, b, dtype, here, place) for place in part)
                for part in parts
            ]
            factors = [
                splat(b, dtype, b.load(address(context, b, turns, constant(k), constant(1))))
                for k in range(6)
            ]
            pairs = list(zip(factors[::2], factors[1::2], strict=True))

            def turned(value: Any, factor: Any) -> Any:
                """The product with the factor, or with its conjugate on the way back."""
                (x, y), (c, s) = value, factor
                s = b.fneg(s) if inverse else s
                real = multiply_add(b, dtype, b.fneg(y), s, b.fmul(x, c))
                return real, multiply_add(b, dtype, x, s, b.fmul(y, c))

            def plus(u: Any, v: Any) -> Any:
                return b.fadd(u[0], v[0]), b.fadd(u[1], v[1])

            def minus(u: Any, v: Any) -> Any:
                return b.fsub(u[0], v[0]), b.fsub(u[1], v[1])

            def quarter(u: Any) -> Any:
                """A quarter of a turn: times i on the way back, times -i forward."""
                return (b.fneg(u[1]), u[0]) if inverse else (u[1], b.fneg(u[0]))

            if inverse:
                values[1:] = [turned(v, f) for v, f in zip(values[1:], pairs, strict=True)]
                even, odd = plus(values[0], values[2]), minus(values[0], values[2])
                both, other = plus(values[1], values[3]), quarter(minus(values[1], values[3]))
                results = [plus(even, both), plus(odd, other), minus(even, both), minus(odd, other)]
            else:
                even, odd = plus(values[0], values[2]), minus(values[0], values[2])
                both, other = plus(values[1], values[3]), quarter(minus(values[1], values[3]))
                sums = [plus(odd, other), minus(even, both), minus(odd, other)]
                results = [plus(even, both)]
                results += [turned(v, f) for v, f in zip(sums, pairs, strict=True)]
            for part, value in zip(parts, results, strict=True):
                for place, vector in zip(part, value, strict=True):
                    store_vector(context, b, dtype, vector, here, place)
            return context.get_dummy_value()

        return types.void(here, types.int64, types.int64, turns), generate

    step: Callable[..., None] = apply
    return step


_forward_step, _backward_step = _step(inverse=False), _step(inverse=True)


@operation
def add_product(typing: Any, total: Any, x: Any, k: Any, gap: Any) -> Any:
    """``total += x conjugate(k)`` for one complex vector."""
    dtype = total.dtype

    def generate(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
        *spans, gap = arguments
        (t, ti), (x, xi), (k, ki) = (
            [load_vector(context, b, dtype, here, place) for place in (constant(0), gap)]
            for here in spans
        )
        real = multiply_add(b, dtype, xi, ki, multiply_add(b, dtype, x, k, t))
        imaginary = multiply_add(b, dtype, b.fneg(x), ki, multiply_add(b, dtype, xi, k, ti))
        store_vector(context, b, dtype, real, spans[0], constant(0))
        store_vector(context, b, dtype, imaginary, spans[0], gap)
        return context.get_dummy_value()

    return types.void(total, x, k, types.int64), generate


@helper
def along(block: Any, gap: int, pitch: int, n: int, columns: int, turns: Any) -> None:
    """Transform the columns of a complex block of n rows, in place."""
    for j in range(0, columns, lanes(block)):
        size = n
        while size > 1:
            quarter = size // 4
            here = turns + (quarter - 1) // 3 * 6
            for start in range(0, n, size):
                for k in range(quarter):
                    place = block + ((start + k) * pitch + j)
                    _forward_step(place, gap, quarter * pitch, here + 6 * k)
            size = quarter


@helper
def back_along(block: Any, gap: int, pitch: int, n: int, columns: int, turns: Any) -> None:
    """Undo `along`, but for the factor n."""
    for j in range(0, columns, lanes(block)):
        size = 4
        while size <= n:
            quarter = size // 4
            here = turns + (quarter - 1) // 3 * 6
            for start in range(0, n, size):
                for k in range(quarter):
                    place = block + ((start + k) * pitch + j)
                    _backward_step(place, gap, quarter * pitch, here + 6 * k)
            size *= 4
