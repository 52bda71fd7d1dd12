r"""Functions of one number, in arithmetic that LLVM turns into vector instructions.

NumPy's and the C library's exp and tanh are calls, which keep a loop scalar. Here everything comes
from one series. x is split into n log 2 + r with n whole and \\|r\\| <= (log 2) / 2, so that

    e^x = 2^n e^r,    e^r - 1 = r + r^2 / 2! + r^3 / 3! + ...

The series is cut where the rest is below the rounding error, after r^7 for float32 and r^13 for
float64. The product with 2^n is an addition to the exponent, done in two halves so that the
results near the ends of the range, infinite or subnormal, are those of the exact function. No
comparison is true of NaN, and so NaN passes through.

Errors, tested over the whole range, in units of the last place: exp 1.5, sigmoid 3, tanh 3.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.span import operation, span

LOG_2 = Decimal("0.6931471805599453094172321214581765680755")
LOG2_E = float(1 / LOG_2)


def _log_2_in_two(bits: int) -> tuple[float, float]:
    """Log 2 as a number of so few bits that n times it is exact, and the rest."""
    high = int(LOG_2 * 2**bits) / 2**bits
    return high, float(LOG_2 - Decimal(high))


HIGH_32, LOW_32 = _log_2_in_two(14)
HIGH_64, LOW_64 = _log_2_in_two(40)
# A sum with 1.5 x 2^p, p the number of bits of the fraction, rounds to a whole number and shows it,
# in two's complement, in the sum's lowest bits.
ROUND_32, ROUND_64 = 1.5 * 2**23, 1.5 * 2**52


@operation
def _literal(typing: Any, x: Any, single: Any, double: Any) -> Any:
    """`single` where x is float32, `double` where it is float64, as a number of x's type."""
    which = 1 if x == types.float32 else 2

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.cast(builder, arguments[which], signature.args[which], x)

    return x(x, single, double), generate


@operation
def _series(typing: Any, r: Any) -> Any:
    """E^r - 1 for small r: the coefficients are 1 / k!."""
    degree = 7 if r == types.float32 else 13

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (r,) = arguments
        number = r.type
        name = "llvm.fmuladd.f32" if degree == 7 else "llvm.fmuladd.f64"
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(number, [number] * 3), name
        )
        total = ir.Constant(number, 1 / math.factorial(degree))
        for k in range(degree - 1, 1, -1):
            total = builder.call(function, [total, r, ir.Constant(number, 1 / math.factorial(k))])
        return builder.call(function, [builder.fmul(r, r), total, r])

    return r(r), generate


@operation
def _power(typing: Any, rounded: Any) -> Any:
    """2^n, where n stands in the lowest bits of `rounded` and the result is a normal number."""
    fraction, bias = (23, 127) if rounded.bitwidth == 32 else (52, 1023)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (rounded,) = arguments
        whole = ir.IntType(signature.args[0].bitwidth)
        # what is left of the offset of `rounded` falls out at the upper end
        exponent = builder.add(builder.bitcast(rounded, whole), ir.Constant(whole, bias))
        shifted = builder.shl(exponent, ir.Constant(whole, fraction))
        return builder.bitcast(shifted, rounded.type)

    return rounded(rounded), generate


@operation
def _times_power(typing: Any, value: Any, rounded: Any) -> Any:
    """Value times 2^n, where n stands in the lowest bits of `rounded`."""
    width = value.bitwidth
    fraction, bias = (23, 127) if width == 32 else (52, 1023)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, rounded = arguments
        whole = ir.IntType(width)
        zero = builder.bitcast(ir.Constant(value.type, 1.5 * 2**fraction), whole)
        n = builder.sub(builder.bitcast(rounded, whole), zero)
        half = builder.ashr(n, ir.Constant(whole, 1))
        for part in (half, builder.sub(n, half)):
            exponent = builder.shl(
                builder.add(part, ir.Constant(whole, bias)), ir.Constant(whole, fraction)
            )
            value = builder.fmul(value, builder.bitcast(exponent, value.type))
        return value

    return value(value, rounded), generate


@helper
def exp_of(x: Any) -> Any:
    """E^x."""
    low = _literal(x, -104.0, -746.0)  # below, the result is 0
    high = _literal(x, 89.0, 710.0)  # above, infinite
    x = low if x < low else x
    x = high if x > high else x
    rounded = x * _literal(x, LOG2_E, LOG2_E) + _literal(x, ROUND_32, ROUND_64)
    n = rounded - _literal(x, ROUND_32, ROUND_64)
    r = (x - n * _literal(x, HIGH_32, HIGH_64)) - n * _literal(x, LOW_32, LOW_64)
    return _times_power(_series(r) + _literal(x, 1.0, 1.0), rounded)


@helper
def _expm1_of(x: Any) -> Any:
    """E^x - 1 for x <= 0: 2^n (e^r - 1) + (2^n - 1), small where x is small."""
    low = _literal(x, -40.0, -80.0)  # below, the result is -1
    x = low if x < low else x
    rounded = x * _literal(x, LOG2_E, LOG2_E) + _literal(x, ROUND_32, ROUND_64)
    n = rounded - _literal(x, ROUND_32, ROUND_64)
    r = (x - n * _literal(x, HIGH_32, HIGH_64)) - n * _literal(x, LOW_32, LOW_64)
    power = _power(rounded)
    return power * _series(r) + (power - _literal(x, 1.0, 1.0))


@helper
def sigmoid_of(x: Any) -> Any:
    """1 / (1 + e^-x), from e^-|x|, which cannot overflow."""
    small = exp_of(-abs(x))
    one = _literal(x, 1.0, 1.0)
    return (small if x < 0 else one) / (one + small)  # (3.31)


@helper
def tanh_of(x: Any) -> Any:
    """Tanh x = -t / (2 + t) with t = e^(-2 x) - 1 for x >= 0, and odd."""
    t = _expm1_of(_literal(x, -2.0, -2.0) * abs(x))
    return math.copysign(t / (_literal(x, 2.0, 2.0) + t), x)  # (3.39)


def _kernels(fingerprint: int) -> tuple[Any, Any, Any]:
    @kernel
    def exp(x: Any, y: Any) -> None:
        _ = fingerprint
        for i in range(x.size):
            span(y)[i] = exp_of(span(x)[i])

    @kernel
    def sigmoid(x: Any, y: Any) -> None:
        _ = fingerprint
        for i in range(x.size):
            span(y)[i] = sigmoid_of(span(x)[i])

    @kernel
    def tanh(x: Any, y: Any) -> None:
        _ = fingerprint
        for i in range(x.size):
            span(y)[i] = tanh_of(span(x)[i])

    return exp, sigmoid, tanh


exp, sigmoid, tanh = _kernels(FINGERPRINT)
