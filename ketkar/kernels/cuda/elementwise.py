"""Functions of one number, for all numbers of an array at once, and the activations of a layer.

Who does what: a thread takes one number, and its neighbour the next one. Nothing is shared. There
is little to compute, and so the time is that of reading and writing the device's memory once;
neighbouring threads ask for neighbouring numbers, which the memory hands out 32 at a time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ketkar.kernels.codes import IDENTITY, RELU, SIGMOID, TANH
from ketkar.kernels.cuda.kernel import blocks_for, kernel
from ketkar.kernels.cuda.memory import on_device
from ketkar.kernels.cuda.provider import cuda

__all__ = ["activate", "exp", "sigmoid", "sigmoid_of", "tanh", "times_slope"]

THREADS = 256

u = np.uint32


@cuda.jit(device=True)
def sigmoid_of(x, one):  # type: ignore[no-untyped-def]
    """1 / (1 + e^-x) from e^-|x|, which cannot overflow; `one` is 1 as a number of x's type."""
    small = math.exp(-abs(x))
    return (one if x >= one - one else small) / (one + small)  # (3.31)


@kernel("T1 T1", threads=THREADS)
def exp_of_each(T: Any) -> Any:
    """Fill y with e^x."""

    def body(x, y):  # type: ignore[no-untyped-def]
        i = u(cuda.blockIdx.x) * u(THREADS) + u(cuda.threadIdx.x)
        if i < np.uint64(x.size):
            y[i] = math.exp(x[i])

    return body


@kernel("T1 T1", threads=THREADS)
def sigmoid_of_each(T: Any) -> Any:
    """Fill y with 1 / (1 + e^-x)."""

    def body(x, y):  # type: ignore[no-untyped-def]
        i = u(cuda.blockIdx.x) * u(THREADS) + u(cuda.threadIdx.x)
        if i < np.uint64(x.size):
            y[i] = sigmoid_of(x[i], T(1))

    return body


@kernel("T1 T1", threads=THREADS)
def tanh_of_each(T: Any) -> Any:
    """Fill y with tanh(x)."""

    def body(x, y):  # type: ignore[no-untyped-def]
        i = u(cuda.blockIdx.x) * u(THREADS) + u(cuda.threadIdx.x)
        if i < np.uint64(x.size):
            y[i] = math.tanh(x[i])  # (3.39)

    return body


@kernel("T1 i", threads=THREADS)
def activation_of_each(T: Any) -> Any:
    """Put the activation of every number in its place."""

    def body(z, code):  # type: ignore[no-untyped-def]
        i = u(cuda.blockIdx.x) * u(THREADS) + u(cuda.threadIdx.x)
        if i < np.uint64(z.size):
            value = z[i]
            if code == SIGMOID:
                value = sigmoid_of(value, T(1))  # (3.30)
            elif code == TANH:
                value = math.tanh(value)  # (3.38)
            elif code == RELU:
                value = T(0) if value < T(0) else value  # (3.36)
            z[i] = value

    return body


@kernel("T1 T1 i", threads=THREADS)
def slope_of_each(T: Any) -> Any:
    """Multiply dy by the activation's derivative, computed from its value y."""

    def body(dy, y, code):  # type: ignore[no-untyped-def]
        i = u(cuda.blockIdx.x) * u(THREADS) + u(cuda.threadIdx.x)
        if i < np.uint64(y.size):
            value, slope = y[i], T(1)
            if code == SIGMOID:
                slope = value * (T(1) - value)  # (3.32)
            elif code == TANH:
                slope = T(1) - value * value  # (3.40)
            elif code == RELU:
                slope = T(1) if value > T(0) else T(0)  # (3.37)
            dy[i] *= slope

    return body


@on_device(fills="y")
def exp(x: Any, y: Any) -> None:
    """Fill y with e^x, of any number of axes; see `ketkar.kernels.reference`."""
    exp_of_each(blocks_for(x.size, THREADS), x.reshape(-1), y.reshape(-1))


@on_device(fills="y")
def sigmoid(x: Any, y: Any) -> None:
    """Fill y with 1 / (1 + e^-x), of any number of axes; see `ketkar.kernels.reference`."""
    sigmoid_of_each(blocks_for(x.size, THREADS), x.reshape(-1), y.reshape(-1))


@on_device(fills="y")
def tanh(x: Any, y: Any) -> None:
    """Fill y with tanh(x), of any number of axes; see `ketkar.kernels.reference`."""
    tanh_of_each(blocks_for(x.size, THREADS), x.reshape(-1), y.reshape(-1))


def activate(z: Any, code: int) -> None:
    """Put the activation of every number of z, a flat array of the device, in its place."""
    if code != IDENTITY:
        activation_of_each(blocks_for(z.size, THREADS), z, code)


def times_slope(dy: Any, y: Any, code: int) -> None:
    """Multiply dy by the derivative of the activation with the values y: flat arrays, both."""
    if code != IDENTITY:
        slope_of_each(blocks_for(y.size, THREADS), dy, y, code)
