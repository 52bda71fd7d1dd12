"""Convolution and its gradients for a GPU: which kernel computes what, and how it is started.

The sums are those of the reference: y (5.16), dx (5.18), dK (5.19), db (5.20). They are computed
directly, in one of two forms:

- as products of tiles of matrices (`convolution_tiled`), where a group has more than 8 maps to be
  computed and at least 8 channels to be seen: each number fetched is used for many products;
- by threads on their own (`convolution_direct`) otherwise: depthwise layers, first layers of one
  or three channels, and the gradient with respect to so few channels.

The gradient of the input is written by who receives it: each place of the image collects from all
outputs that saw it, so that no two threads add to the same number. It is the same relation between
places as in the forward direction (`convolution_places`), and so the same kernels compute it. The
gradient of the kernels (`convolution_gradient`) is a sum over all places, done in parts.

Outside of an image stand zeros, and they are multiplied like any other number. A weight that is
not finite so makes NaN of the gradient of the input also where only zeros meet it, at its border.
One example of a group has fewer than 2^31 numbers, in x and in y; a batch may have more.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ketkar.kernels.cuda.convolution_direct import DIRECT, EACH
from ketkar.kernels.cuda.convolution_gradient import add_up, kernel_gradient
from ketkar.kernels.cuda.convolution_places import LARGEST, Axis, axes_back, axes_forward
from ketkar.kernels.cuda.convolution_tiled import BN, TILES
from ketkar.kernels.cuda.kernel import blocks_for, kernel
from ketkar.kernels.cuda.memory import on_device, scratch
from ketkar.kernels.cuda.provider import cuda
from ketkar.kernels.geometry import Geometry

__all__ = [
    "ALGORITHMS",
    "conv2d_bias_gradient",
    "conv2d_forward",
    "conv2d_input_gradient",
    "conv2d_kernel_gradient",
]

ALGORITHMS: Final = ("auto", "direct")
"""Those of `ketkar.kernels.geometry` that are here; who calls refuses the others."""

THREADS: Final = 256

LONG: Final = 8192
"""Places that are worth a part of the sum for the bias."""


def conv2d_forward(x: Any, K: Any, b: Any, geometry: Geometry, algorithm: str, y: Any) -> None:
    """Fill y (N, M, Ho, Wo) with the output of a convolution layer; see the reference."""
    if y.shape[0]:
        _forward(x, K, b, geometry, y)


def conv2d_input_gradient(dy: Any, K: Any, geometry: Geometry, algorithm: str, dx: Any) -> None:
    """Fill dx (N, C, H, W) with the gradient of the input; see the reference."""
    if dx.shape[0]:
        _input_gradient(dy, K, geometry, dx)


def conv2d_kernel_gradient(dy: Any, x: Any, geometry: Geometry, algorithm: str, dK: Any) -> None:
    """Fill dK (M, C / groups, R, S) with the gradient of the kernels; see the reference."""
    _kernel_gradient(dy, x, geometry, not x.shape[0], dK)


def conv2d_bias_gradient(dy: Any, db: Any) -> None:
    """Fill db (M,) with the sums of dy (N, M, Ho, Wo) over all but the maps."""
    _bias_gradient(dy, not dy.shape[0], db)


@on_device(fills="y")
def _forward(x: Any, K: Any, b: Any, geometry: Geometry, y: Any) -> None:
    maps, C, R, S = K.shape
    axes = axes_forward(x.shape, K.shape, y.shape, geometry)
    _convolve(x, K, b, y, C, maps // geometry.groups, (C * R * S, R * S), geometry.groups, axes)


@on_device(fills="dx")
def _input_gradient(dy: Any, K: Any, geometry: Geometry, dx: Any) -> None:
    maps, C, R, S = K.shape
    M = maps // geometry.groups
    axes = axes_back(dy.shape, K.shape, dx.shape, geometry)
    _convolve(dy, K, None, dx, M, C, (R * S, C * R * S), geometry.groups, axes)


def _convolve(
    x: Any, K: Any, b: Any, y: Any, C: int, M: int, strides: tuple[int, int], groups: int,
    axes: tuple[Axis, Axis],
) -> None:  # fmt: skip
    """Fill y from x: C channels of a group are seen, M are computed.

    In K the weights of two that are computed, and of two that are seen, lie `strides` apart.
    """
    if M > 8 and C >= 8:
        rows = 64 if M > 32 else 32
        each, start = BN, TILES[rows]
    else:
        rows = 1 if M <= 2 else 8
        each, start = EACH, DIRECT[rows]
    rows_axis, columns_axis = axes
    plane = rows_axis.in_phase * columns_axis.in_phase
    phases = rows_axis.phases * columns_axis.phases
    arrays = [array.reshape(-1) for array in (x, K, K if b is None else b, y)]
    N = x.shape[0]
    most = max(1, LARGEST // plane)  # examples of one launch
    for first in range(0, N, most):
        n = min(most, N - first)
        blocks = blocks_for(M, rows) * blocks_for(n * plane, each) * groups * phases
        start(
            blocks, *arrays, b is not None, first, n, C, M, groups, *strides,
            *rows_axis, *columns_axis,
        )  # fmt: skip


@on_device(fills="dK")
def _kernel_gradient(dy: Any, x: Any, geometry: Geometry, empty: bool, dK: Any) -> None:
    if empty:
        add_up(dK, dK, 0)
    else:
        kernel_gradient(dy, x, geometry, dK)


@on_device(fills="db")
def _bias_gradient(dy: Any, empty: bool, db: Any) -> None:
    if empty:
        add_up(db, db, 0)
        return
    N, M, Ho, Wo = dy.shape
    parts = max(1, min(64, -(-1024 // M), N * Ho * Wo // LONG))
    sums = db if parts == 1 else scratch(db, parts, M)
    bias_gradient(M * parts, dy.reshape(-1), sums.reshape(-1), N, M, Ho * Wo, parts)
    if parts > 1:
        add_up(sums, db, parts)


@kernel("T1 T1 i i i i", threads=THREADS)
def bias_gradient(T: Any) -> Any:
    """A block adds up one map over a part of all places, every thread each 256th of them."""

    def body(dy, sums, N, M, plane, parts):  # type: ignore[no-untyped-def]
        memory = cuda.shared.array(THREADS, T)
        t = np.int32(cuda.threadIdx.x)
        m = np.int32(cuda.blockIdx.x % M)
        part = np.int32(cuda.blockIdx.x // M)
        first = np.int64(N) * plane * part // parts
        last = np.int64(N) * plane * (part + 1) // parts
        n = (first + t) // plane
        place = np.int32(first + t - n * plane)
        step_n = np.int32(THREADS // plane)
        step = np.int32(THREADS - step_n * plane)
        total = T(0)
        for _ in range(first + t, last, THREADS):
            total += dy[np.uint64((n * M + m) * plane + place)]  # (5.20)
            n += step_n
            place = np.int32(place + step)
            if place >= plane:
                place = np.int32(place - plane)
                n += 1
        memory[np.uint32(t)] = total
        cuda.syncthreads()
        if t < 16:
            for k in range(1, 16):
                total += memory[np.uint32(t + 16 * k)]
            memory[np.uint32(t)] = total
        cuda.syncthreads()
        if t == 0:
            for k in range(1, 16):
                total += memory[np.uint32(k)]
            sums[np.uint32(part * M + m)] = total

    return body
