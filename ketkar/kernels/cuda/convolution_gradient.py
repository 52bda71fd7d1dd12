"""The gradient of the kernels: a sum over all places of all examples, done in parts.

It is a product of matrices again (5.19): its rows are the maps m of a group, its columns the taps
(c, r, s), and what is summed over are the places (example, row, column). There are few rows and
columns and very many places, so that one block for each tile would leave most of a GPU idle. The
places are dealt out: each part of them makes a whole product of its own in scratch memory, and a
second kernel adds the parts up, in their order. How many parts there are follows from the shapes
alone, and no result depends on which block was first.

A part is computed in tiles (`convolution_gradient_tiled`) or, where there are few maps or few
taps, by threads on their own (`convolution_gradient_direct`).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from ketkar.kernels.cuda.convolution_gradient_direct import TM, TN, kernel_gradient_directly
from ketkar.kernels.cuda.convolution_gradient_tiled import GRADIENT_TILES
from ketkar.kernels.cuda.convolution_tiled import BN
from ketkar.kernels.cuda.kernel import blocks_for, kernel
from ketkar.kernels.cuda.memory import scratch
from ketkar.kernels.cuda.provider import cuda
from ketkar.kernels.geometry import Geometry

__all__ = ["Shape", "add_up", "kernel_gradient"]

BLOCKS: Final = 1024
"""Blocks that keep a large GPU busy."""

MOST: Final = 64
"""Parts at most: a thread adds them one after the other."""

ENOUGH: Final = 512
"""Places that are worth a part of their own."""

THREADS: Final = 256


class Shape(NamedTuple):
    """The numbers that both kernels take, in their order."""

    N: int
    C: int
    M: int
    groups: int
    H: int
    W: int
    Ho: int
    Wo: int
    R: int
    S: int
    stride_h: int
    stride_w: int
    top: int
    left: int
    dilation_h: int
    dilation_w: int


@kernel("T1 T1 l i", threads=THREADS)
def add_parts(T: Any) -> Any:
    """A thread adds one number of all parts."""

    def body(sums, total, size, parts):  # type: ignore[no-untyped-def]
        i = np.int64(cuda.blockIdx.x) * THREADS + cuda.threadIdx.x
        if i < size:
            found = T(0)
            for part in range(parts):
                found += sums[np.uint64(part * size + i)]
            total[np.uint64(i)] = found

    return body


def add_up(sums: Any, total: Any, parts: int) -> None:
    """Fill total with the sum of so many parts of its size."""
    size = total.size
    add_parts(blocks_for(size, THREADS), sums.reshape(-1), total.reshape(-1), size, parts)


def kernel_gradient(dy: Any, x: Any, geometry: Geometry, dK: Any) -> None:
    """Fill dK (M, C / groups, R, S), all arrays on the device."""
    g = geometry
    maps, C, R, S = dK.shape
    M, taps, places = maps // g.groups, C * R * S, dy.size // maps
    shape = Shape(
        x.shape[0], C, M, g.groups, x.shape[2], x.shape[3], dy.shape[2], dy.shape[3], R, S,
        g.stride_rows, g.stride_columns, g.top, g.left, g.dilation_rows, g.dilation_columns,
    )  # fmt: skip
    if M <= 8 or taps <= 32:
        tiles = g.groups * blocks_for(M, TM) * blocks_for(taps, TN)
        parts = max(1, min(MOST, -(-BLOCKS // tiles), places // (4 * ENOUGH)))
        start, more = kernel_gradient_directly, [parts]
    else:
        BM = 64 if M > 32 else 32
        band = min(shape.Ho, -(-ENOUGH // shape.Wo))
        tiles = g.groups * blocks_for(M, BM) * blocks_for(taps, BN)
        units = shape.N * -(-shape.Ho // band)
        parts = max(1, min(MOST, -(-BLOCKS // tiles), units, places // ENOUGH))
        start, more = GRADIENT_TILES[BM], [band, parts]
    sums = dK if parts == 1 else scratch(dK, parts, dK.size)
    start(tiles * parts, dy.reshape(-1), x.reshape(-1), sums.reshape(-1), *shape, *more)
    if parts > 1:
        add_up(sums, dK, parts)
