"""Activations of whole layers, in place, and their derivatives."""

from __future__ import annotations

from typing import Any

from ketkar.kernels.codes import RELU, SIGMOID, TANH
from ketkar.kernels.cpu.compiling import helper
from ketkar.kernels.cpu.elementwise import sigmoid_of, tanh_of
from ketkar.kernels.cpu.span import number


@helper
def activate(z: Any, count: int, code: int) -> None:
    """Put the activation of `count` numbers in their place."""
    if code == SIGMOID:
        for i in range(count):
            z[i] = sigmoid_of(z[i])  # (3.30)
    elif code == TANH:
        for i in range(count):
            z[i] = tanh_of(z[i])  # (3.38)
    elif code == RELU:
        for i in range(count):
            z[i] = z[i] * 0 if z[i] < 0 else z[i]  # (3.36)


@helper
def times_slope(dy: Any, y: Any, count: int, code: int) -> None:
    """Multiply dy by the activation's derivative, computed from its value y."""
    one = number(y, 1)
    zero = number(y, 0)
    if code == SIGMOID:
        for i in range(count):
            dy[i] *= y[i] * (one - y[i])  # (3.32)
    elif code == TANH:
        for i in range(count):
            dy[i] *= one - y[i] * y[i]  # (3.40)
    elif code == RELU:
        for i in range(count):
            dy[i] *= one if y[i] > zero else zero  # (3.37)
