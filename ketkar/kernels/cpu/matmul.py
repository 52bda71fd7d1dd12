"""Products of matrices: C = scale C + A B.

What is computed: C (M, N) from A (M, K) and B (K, N), row-major, A and B with any strides, so that
either may be a transpose.

Where the loops are: the innermost runs over K inside a micro-kernel, whose tile of ROWS x COLUMNS
vectors of C stays in registers; each turn loads COLUMNS vectors of B and broadcasts ROWS numbers
of A. Around it run the rows of tiles, then panels of COLUMNS vectors of B, then blocks of K, short
enough that a panel's block stays in the first cache while the rows pass over it.

Why it is fast: a turn makes ROWS x COLUMNS multiply-adds of full vectors from ROWS + COLUMNS loads
and no store. A panel that is narrower than its tile, or whose rows are not contiguous, is first
copied into a small buffer and filled up with zeros, so that the tile knows no edges; rows past the
last repeat it, and an edge of C goes through the same buffer. A single row and a single column,
which no tile can be filled with, are plain loops that read the matrix once, in its own order.

The order in which a number of C is summed depends on the shapes alone; a caller that splits C over
threads keeps it by giving each at least ROWS rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ketkar.kernels.cpu.compiling import dot_product, helper, routine
from ketkar.kernels.cpu.machine import COLUMNS, ROWS, SIMD_BITS
from ketkar.kernels.cpu.span import number
from ketkar.kernels.cpu.tile import tile_outer, tile_store, tile_zeros
from ketkar.kernels.cpu.vector import lanes, out_of_line, prefetch

BLOCK = 256
LOW = 4
"""Rows of a tile for what a taller one would leave half empty."""
FLAT = 4 if SIMD_BITS == 512 else 8
"""Vectors of the tile for a single row: as many sums as are under way at once."""


@helper
def buffer_size(here: Any) -> int:
    """How many numbers `matmul` needs in its buffer."""
    return (BLOCK + ROWS) * COLUMNS * lanes(here)


def _micro_kernel(tall: int, columns: int) -> Callable[..., None]:
    @routine
    def micro(
        a: Any, ra: int, ka: int, rows: int, b: Any, kb: int, K: int, c: Any, sc: int, scale: Any
    ) -> None:
        out_of_line()
        tile = tile_zeros(b, tall, columns)
        for r in range(tall):  # what is written at the end is fetched while the sums are made
            prefetch(c, r * sc)
            prefetch(c, r * sc + (columns * lanes(b) - 1))
        for _ in range(K):
            tile = tile_outer(tile, a, ra, rows, b)
            a = a + ka
            b = b + kb
        tile_store(tile, c, sc, scale)

    return micro


wide_tile = _micro_kernel(ROWS, COLUMNS)
narrow_tile = _micro_kernel(ROWS, 1)
low_tile = _micro_kernel(LOW, COLUMNS)
flat_tile = _micro_kernel(1, FLAT)


@helper
def _pack(b: Any, kb: int, cb: int, K: int, columns: int, width: int, panel: Any) -> None:
    """Copy K rows of `columns` numbers into a panel of `width`, zeros behind."""
    zero = number(b, 0)
    for k in range(K):
        for j in range(columns):
            panel[k * width + j] = b[k * kb + j * cb]
        for j in range(columns, width):
            panel[k * width + j] = zero


@helper
def move_edge(tile: Any, width: int, rows: int, columns: int, c: Any, sc: int, scale: Any) -> None:
    """Move the part of a stored tile that lies inside C."""
    for r in range(rows):
        for j in range(columns):
            value = tile[r * width + j]
            if scale != 0:
                value += scale * c[r * sc + j]
            c[r * sc + j] = value


@dot_product
def _dot(a: Any, b: Any, K: int) -> Any:
    total = number(a, 0)
    for k in range(K):
        total += a[k] * b[k]
    return total


@helper
def _row(a: Any, b: Any, kb: int, cb: int, c: Any, N: int, K: int, scale: Any) -> None:
    """One row of C alone, from one contiguous row of A."""
    if scale == 0:
        for j in range(N):
            c[j] = number(c, 0)
    elif scale != 1:
        for j in range(N):
            c[j] *= scale
    if cb != 1:
        for j in range(N):
            c[j] += _dot(a, b + j * cb, K)
        return
    first = K % 4
    for k in range(first):
        a0 = a[k]
        for j in range(N):
            c[j] += a0 * b[k * kb + j]
    for k in range(first, K, 4):
        a0, a1, a2, a3 = a[k], a[k + 1], a[k + 2], a[k + 3]
        b0 = b + k * kb
        b1, b2, b3 = b0 + kb, b0 + 2 * kb, b0 + 3 * kb
        for j in range(N):
            c[j] = (((c[j] + a0 * b0[j]) + a1 * b1[j]) + a2 * b2[j]) + a3 * b3[j]


@routine
def matmul(
    a: Any, ra: int, ka: int, b: Any, kb: int, cb: int, c: Any, sc: int,
    M: int, N: int, K: int, scale: Any, buffer: Any,
) -> None:  # fmt: skip
    """C (M, N) = scale C + A B: A has strides (ra, ka), B (kb, cb), C (sc, 1).

    Either the rows of B (cb = 1) or its columns (kb = 1) are contiguous. With scale 0, C is only
    written.
    """
    out_of_line()
    if K == 1 or (M == 1 and ka == 1):
        for i in range(M):
            _row(a + i * ra, b, kb, cb, c + i * sc, N, K, scale)
        return
    zero = number(b, 0)
    scratch = buffer + BLOCK * COLUMNS * lanes(b)
    for k0 in range(0, K, BLOCK):
        depth = min(BLOCK, K - k0)
        for j in range(0, N, COLUMNS * lanes(b)):
            columns = min(COLUMNS * lanes(b), N - j)
            narrow = columns <= lanes(b)
            width = lanes(b) if narrow else COLUMNS * lanes(b)
            panel, kp = b + (k0 * kb + j * cb), kb
            if cb != 1 or columns < width:
                _pack(panel, kb, cb, depth, columns, width, buffer)
                panel, kp = buffer, width
            for i in range(0, M, ROWS):
                rows = min(ROWS, M - i)
                here = a + (i * ra + k0 * ka)
                edge = rows < ROWS or columns < width
                there, st = (scratch, width) if edge else (c + (i * sc + j), sc)
                keep = zero if edge else scale
                if narrow:
                    narrow_tile(here, ra, ka, rows, panel, kp, depth, there, st, keep)
                else:
                    wide_tile(here, ra, ka, rows, panel, kp, depth, there, st, keep)
                if edge:
                    move_edge(scratch, width, rows, columns, c + (i * sc + j), sc, scale)
        scale = number(b, 1)
