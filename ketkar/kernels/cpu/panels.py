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
from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel, routine
from ketkar.kernels.cpu.machine import COLUMNS, ROWS, SIMD_BITS
from ketkar.kernels.cpu.matmul import BLOCK, FLAT, LOW, flat_tile, low_tile, move_edge, wide_tile
from ketkar.kernels.cpu.span import number, span
from ketkar.kernels.cpu.vector import copy_part, fill_vector, lanes, out_of_line, transpose_block

BAND = 8 * ROWS
"""Rows of A that are multiplied with all panels before the next ones: they stay in the cache.

Whole tiles: a tile that reached into the next band would be added twice.
"""
STRIPS = 16
"""Strips of A that are laid out together."""


@helper
def _lay_rows(b: Any, depth: int, N: int, vectors: int, panels: Any) -> None:
    """Lay `depth` rows of B (depth, N) out in panels of so many vectors, zeros behind."""
    size = lanes(b)
    width = vectors * size
    for k in range(depth):
        for p in range((N + width - 1) // width):
            for v in range(0, width, size):
                first, there = p * width + v, panels + ((p * depth + k) * width + v)
                copy_part(b + (k * N + min(first, N - 1)), max(0, min(size, N - first)), there)


@helper
def _lay_columns(b: Any, depth: int, N: int, vectors: int, panels: Any) -> None:
    """The same of B given by its columns, a matrix (N, depth)."""
    size = lanes(b)
    width = vectors * size
    for p in range((N + width - 1) // width):
        for v in range(0, width, size):
            first, there = p * width + v, panels + (p * depth * width + v)
            columns = max(0, min(size, N - first))
            if columns < size:
                for k in range(depth):
                    fill_vector(there + k * width, 0)
            for k in range(0, depth if columns > 0 else 0, size):
                rows = min(size, depth - k)
                transpose_block(
                    b + (first * depth + k), depth, columns, rows, there + k * width, width
                )


def _lay_kernels(fingerprint: int) -> Any:
    @kernel
    def lay(matrix: Any, turned: bool, laid: Any) -> None:
        _ = fingerprint
        source, vectors = span(matrix), laid.shape[2] // lanes(span(matrix))
        if turned:
            _lay_columns(source, laid.shape[1], matrix.shape[0], vectors, span(laid))
        else:
            _lay_rows(source, laid.shape[1], matrix.shape[1], vectors, span(laid))

    return lay


_lay_kernel = _lay_kernels(FINGERPRINT)


def panels(matrix: Any, rows: int, turned: bool = False) -> Any:
    """A matrix (K, N) in panels (P, K, width), zeros behind the last column, for so many rows.

    `turned` says that its transpose is given, so that K are the columns of that.

    Examples
    --------
    >>> panels(np.ones((3, 1)), rows=8).sum()
    np.float64(3.0)
    """
    K, N = matrix.shape[::-1] if turned else matrix.shape
    vectors = FLAT if rows == 1 else COLUMNS
    width = vectors * (SIMD_BITS // (8 * matrix.dtype.itemsize))
    count = -(-N // width)
    laid = aligned(count * K * width, matrix.dtype).reshape(count, K, width)
    if laid.size:
        _lay_kernel(matrix, turned, laid)
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
def _panels_of(here: Any, N: int) -> int:
    """How many panels N columns need."""
    width = COLUMNS * lanes(here)
    return (N + width - 1) // width


@helper
def outer_size(here: Any, N: int, N2: int) -> int:
    """How many numbers `outer_sums` needs, for matrices of N and N2 columns."""
    count = _panels_of(here, N) + _panels_of(here, N2)
    return BLOCK * (STRIPS * ROWS + count * COLUMNS * lanes(here)) + ROWS * COLUMNS * lanes(here)


@helper
def _lay_strips(a: Any, ka: int, depth: int, rows: int, strips: Any) -> None:
    """Lay `rows` columns of A (depth, ...) out in strips of ROWS, the last column repeated.

    Whole vectors are copied, which reach a little into the next entry of a strip; it is written
    afterwards. The last entries have none behind them.
    """
    for k in range(depth):
        for s in range(0, rows, ROWS):
            left = min(ROWS, rows - s)
            here, there = a + (k * ka + s), strips + (s * depth + k * ROWS)
            if left == ROWS and k + 1 < depth:
                for v in range(0, ROWS, lanes(a)):
                    copy_part(here + v, lanes(a), there + v)
            else:
                for r in range(ROWS):
                    there[r] = here[min(r, left - 1)]


@helper
def _add_panels(
    strips: Any, M: int, panels: Any, depth: int, c: Any, N: int, scale: Any, scratch: Any
) -> None:
    """C (M, N) = scale C + what a block of rows of A, in strips, and of B, in panels, adds."""
    unit: Any = np.int64(1)
    tall: Any = np.int64(ROWS)
    width, zero = COLUMNS * lanes(panels), number(panels, 0)
    for p in range(_panels_of(panels, N)):
        panel, columns = panels + p * depth * width, min(width, N - p * width)
        for i in range(0, M, ROWS):
            strip, rows, there = strips + i * depth, min(ROWS, M - i), c + (i * N + p * width)
            if rows == ROWS and columns == width:
                wide_tile(strip, unit, tall, rows, panel, width, depth, there, N, scale)
            else:
                wide_tile(strip, unit, tall, rows, panel, width, depth, scratch, width, zero)
                move_edge(scratch, width, rows, columns, there, N, scale)


@routine
def outer_sums(
    a: Any, ka: int, M: int, K: int, b: Any, c: Any, N: int, b2: Any, c2: Any, N2: int, buffer: Any
) -> None:  # fmt: skip
    """C (M, N) = A^T B and C2 (M, N2) = A^T B2, of M columns of A (K, ka).

    B (K, N), B2 (K, N2), C and C2 stand row by row without gaps. What is laid out of A serves both.
    """
    out_of_line()
    width = COLUMNS * lanes(a)
    panels2 = buffer + BLOCK * _panels_of(a, N) * width
    strips = panels2 + BLOCK * _panels_of(a, N2) * width
    scratch = strips + BLOCK * STRIPS * ROWS
    scale = number(a, 0)
    for k0 in range(0, K, BLOCK):
        depth = min(BLOCK, K - k0)
        _lay_rows(b + k0 * N, depth, N, COLUMNS, buffer)
        _lay_rows(b2 + k0 * N2, depth, N2, COLUMNS, panels2)
        for i in range(0, M, STRIPS * ROWS):
            rows = min(STRIPS * ROWS, M - i)
            _lay_strips(a + (k0 * ka + i), ka, depth, rows, strips)
            _add_panels(strips, rows, buffer, depth, c + i * N, N, scale, scratch)
            _add_panels(strips, rows, panels2, depth, c2 + i * N2, N2, scale, scratch)
        scale = number(a, 1)
    if K == 0:
        for k in range(M * N):
            c[k] = scale
        for k in range(M * N2):
            c2[k] = scale
