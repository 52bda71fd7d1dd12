"""Products with a matrix that is laid out once and used often, and sums of outer products.

`matmul` copies what it needs of B at every call. Where the same B is multiplied again and again,
with a few rows at a time, it is laid out in advance: in panels as wide as a tile, each row of a
panel behind the one before, so that the micro-kernel reads memory from front to back. A single
row, one sequence, has a tile of its own: one row of FLAT vectors.

The gradient of a weight matrix is a sum of outer products, A^T B, of many rows. Read in place, each
turn of its loop would touch another page of A and of B; so blocks of rows of both are laid out, B
in panels, A in strips of ROWS numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar.kernels.backend import aligned
from ketkar.kernels.cpu.compiling import helper, routine
from ketkar.kernels.cpu.machine import COLUMNS, ROWS, SIMD_BITS
from ketkar.kernels.cpu.matmul import BLOCK, FLAT, LOW, flat_tile, low_tile, move_edge, wide_tile
from ketkar.kernels.cpu.span import number
from ketkar.kernels.cpu.vector import copy_part, lanes, out_of_line

BAND = 8 * ROWS
"""Rows of A that are multiplied with all panels before the next ones: they stay in the cache.

Whole tiles: a tile that reached into the next band would be added twice.
"""
SMALL = 1 << 15
"""Bytes of a matrix that is not worth the time it takes to align it."""
STRIPS = 16
"""Strips of A that are laid out together."""


def panels(matrix: Any, rows: int) -> Any:
    """A matrix (K, N) in panels (P, K, width), zeros behind the last column, for so many rows.

    Examples
    --------
    >>> panels(np.ones((3, 1)), rows=8).sum()
    np.float64(3.0)
    """
    K, N = matrix.shape
    vectors = FLAT if rows == 1 else COLUMNS
    width = vectors * (SIMD_BITS // (8 * matrix.dtype.itemsize))
    count = -(-N // width)
    if N % width:
        whole = np.zeros((K, count * width), matrix.dtype)
        whole[:, :N] = matrix
        matrix = whole
    shape = count, K, width
    few = matrix.nbytes < SMALL
    laid = (
        np.empty(shape, matrix.dtype) if few else aligned(matrix.size, matrix.dtype).reshape(shape)
    )
    laid[...] = matrix.reshape(K, count, width).swapaxes(0, 1)
    return laid


@helper
def scratch_size(here: Any) -> int:
    """How many numbers `times` needs for the edges."""
    return ROWS * max(COLUMNS, FLAT) * lanes(here)


@routine
def times(
    a: Any, ra: int, B: Any, K: int, width: int, c: Any, sc: int, M: int, N: int, scale: Any,
    scratch: Any,
) -> None:  # fmt: skip
    """C (M, N) = scale C + A B, of A (M, K) with rows `ra` apart and B (K, N) in panels."""
    out_of_line()
    unit: Any = np.int64(1)
    zero = number(a, 0)
    flat = width != COLUMNS * lanes(a)
    for band in range(0, M, BAND):
        panel = B
        for first in range(0, N, width):
            columns = min(width, N - first)
            i, last = band, min(band + BAND, M)
            while i < last:
                left = last - i
                low = left <= LOW or ROWS < left <= 2 * LOW  # two low ones, not a tall and a bit
                tall = 1 if flat else LOW if low else ROWS
                rows = min(tall, left)
                here, there = a + i * ra, c + (i * sc + first)
                whole = rows == tall and columns == width
                target, st = (there, sc) if whole else (scratch, width)
                keep = scale if whole else zero
                if flat:
                    flat_tile(here, ra, unit, rows, panel, width, K, target, st, keep)
                elif low:
                    low_tile(here, ra, unit, rows, panel, width, K, target, st, keep)
                else:
                    wide_tile(here, ra, unit, rows, panel, width, K, target, st, keep)
                if not whole:
                    move_edge(scratch, width, rows, columns, there, sc, scale)
                i += tall
            panel = panel + K * width


@helper
def outer_size(here: Any, N: int) -> int:
    """How many numbers `outer_sum` needs, for N columns of B."""
    width = COLUMNS * lanes(here)
    return BLOCK * (STRIPS * ROWS + (N + width - 1) // width * width) + ROWS * width


@helper
def _lay_rows(b: Any, depth: int, N: int, count: int, panel: Any) -> None:
    """Lay `depth` rows of B (depth, N) out in panels, zeros behind."""
    size = lanes(b)
    width = COLUMNS * size
    for k in range(depth):
        for p in range(count):
            for v in range(COLUMNS):
                first = p * width + v * size
                left = max(0, min(size, N - first))
                there = panel + (p * depth + k) * width + v * size
                copy_part(b + (k * N + min(first, N - 1)), left, there)


@helper
def _lay_strips(a: Any, ka: int, depth: int, rows: int, strips: Any) -> None:
    """Lay `rows` columns of A (depth, ...) out in strips of ROWS, the last column repeated."""
    for s in range(0, rows, ROWS):
        left = min(ROWS, rows - s)
        for k in range(depth):
            here, there = a + (k * ka + s), strips + (s * depth + k * ROWS)
            if left == ROWS:
                for r in range(ROWS):
                    there[r] = here[r]
            else:
                for r in range(ROWS):
                    there[r] = here[min(r, left - 1)]


@routine
def outer_sum(a: Any, ka: int, b: Any, c: Any, M: int, N: int, K: int, buffer: Any) -> None:
    """C (M, N) = A^T B, of M columns of A (K, ka) and B (K, N), both row by row without gaps."""
    out_of_line()
    unit: Any = np.int64(1)
    tall: Any = np.int64(ROWS)
    width = COLUMNS * lanes(a)
    count = (N + width - 1) // width
    strips = buffer + BLOCK * count * width
    scratch = strips + BLOCK * STRIPS * ROWS
    keep, zero = number(a, 0), number(a, 0)
    for k0 in range(0, K, BLOCK):
        depth = min(BLOCK, K - k0)
        _lay_rows(b + k0 * N, depth, N, count, buffer)
        for i0 in range(0, M, STRIPS * ROWS):
            together = min(STRIPS * ROWS, M - i0)
            _lay_strips(a + (k0 * ka + i0), ka, depth, together, strips)
            for p in range(count):
                panel, columns = buffer + p * depth * width, min(width, N - p * width)
                for i in range(0, together, ROWS):
                    strip, rows = strips + i * depth, min(ROWS, together - i)
                    there = c + ((i0 + i) * N + p * width)
                    if rows == ROWS and columns == width:
                        wide_tile(strip, unit, tall, rows, panel, width, depth, there, N, keep)
                    else:
                        wide_tile(
                            strip, unit, tall, rows, panel, width, depth, scratch, width, zero
                        )  # fmt: skip
                        move_edge(scratch, width, rows, columns, there, N, keep)
        keep = number(a, 1)
    if K == 0:
        for i in range(M * N):
            c[i] = zero
