"""Products of matrices, and sums over their rows: what most other kernels are made of.

What is computed: C (M, N) from A (M, K) and B (K, N), each stored row after row, A and B as they
are or turned; C may be added to, and a bias may be added to every row.

Who does what: a block of 256 threads computes one tile of C, of 128 x 128 numbers, or of 64 x 64 or
16 x 64 where C is small. It walks along K in panels of a few numbers. For each panel the threads
together copy a piece of A and a piece of B into memory that the block shares, wait for each other,
and then every thread multiplies: it keeps 8 x 8 (or 4 x 4, or 1 x 4) numbers of the tile in
registers, and for one k it reads 8 numbers of A and 8 of B and makes 64 multiply-adds from them.
Thread (r, s) of 16 x 16 has the rows r, r + 16, ... and the columns s, s + 16, ... of the tile, so
that neighbours read neighbouring numbers of shared memory, and write neighbouring numbers of C.

Why it is fast: a number read from the device's memory is used 128 times, one read from shared
memory 8 times, and three of four instructions of the innermost loop multiply and add. While a
panel is multiplied, the next is already on its way into registers; with two pieces of shared
memory, written in turn, one barrier a panel is enough. Neighbouring threads copy neighbouring
numbers, along k or across it, as the matrix is stored; rows of a piece are a little longer than the
tile, so that the copies meet different banks of the shared memory either way.

Edges: past the last row or column a thread copies the last one again, as what comes of it is never
written; past the last k it takes 0 for both factors.

Where C has few tiles and K is long, as in x^T dz over a large batch, K is split over blocks as
well: each writes its share of the sum to scratch memory, and a second kernel adds the shares, first
to last. How K is split depends on the shapes alone, and so the result is the same every time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ketkar.kernels.cuda.kernel import Kernel, blocks_for, kernel
from ketkar.kernels.cuda.memory import scratch
from ketkar.kernels.cuda.provider import cuda

__all__ = ["column_sums", "multiply"]


class Tile(NamedTuple):
    """The part of C that a block computes, and of it the part of one thread."""

    rows: int
    columns: int
    depth: int  # numbers of K in a panel
    tall: int
    wide: int
    steps: int  # numbers of K between two tests of the innermost loop


THREADS = 256
LARGE = Tile(128, 128, 8, 8, 8, 2)
MIDDLE = Tile(64, 64, 16, 4, 4, 4)
LOW = Tile(16, 64, 16, 1, 4, 4)
NARROW = Tile(64, 16, 16, 4, 1, 4)

ENOUGH = 128
"""Blocks that keep a large GPU busy."""
SHORTEST = 256
"""Numbers of K that are worth a block of their own."""
SUMMED = 512
"""Rows that are worth a block of their own in a sum over rows."""

u = np.uint32

# A, B, C, bias, M, N, K, where each array begins, whether A and B are turned, whether there is a
# bias, whether to add to C, and how many numbers of K a block takes
ARGUMENTS = "T1 T1 T1 T1 u u u l l l l i i i i u"


@kernel(ARGUMENTS, threads=THREADS)
def product_large(T: Any) -> Any:
    """Tiles of 128 x 128, where C has many of them."""
    return _product(T, LARGE)


@kernel(ARGUMENTS, threads=THREADS)
def product_middle(T: Any) -> Any:
    """Tiles of 64 x 64."""
    return _product(T, MIDDLE)


@kernel(ARGUMENTS, threads=THREADS)
def product_low(T: Any) -> Any:
    """Tiles of 16 x 64, for few rows."""
    return _product(T, LOW)


@kernel(ARGUMENTS, threads=THREADS)
def product_narrow(T: Any) -> Any:
    """Tiles of 64 x 16, for few columns."""
    return _product(T, NARROW)


def _product(T: Any, tile: Tile) -> Any:
    tall, wide, steps = tile.tall, tile.wide, tile.steps
    rows, columns, depth, threads = u(tile.rows), u(tile.columns), u(tile.depth), u(THREADS)
    across, down = u(tile.columns // wide), u(tile.rows // tall)  # threads of a tile
    a_moves, b_moves = (side * tile.depth // THREADS for side in (tile.rows, tile.columns))
    a_row, b_row = (side + 32 // tile.depth for side in (tile.rows, tile.columns))  # with a gap
    a_size, b_size = tile.depth * a_row, tile.depth * b_row
    a_shape, b_shape = 2 * a_size, 2 * b_size

    def body(A, B, C, bias, M, N, K, A_at, B_at, C_at, bias_at, A_turned, B_turned, biased, add, share):  # type: ignore[no-untyped-def]  # fmt: skip  # noqa: E501
        a = cuda.shared.array(a_shape, T)
        b = cuda.shared.array(b_shape, T)
        total = cuda.local.array((tall, wide), T)
        a_next = cuda.local.array(a_moves, T)
        b_next = cuda.local.array(b_moves, T)
        a_from = cuda.local.array(a_moves, np.uint64)
        b_from = cuda.local.array(b_moves, np.uint64)
        left = cuda.local.array(tall, T)
        right = cuda.local.array(wide, T)
        t = u(cuda.threadIdx.x)
        r, s = t // across, t % across
        tiles = (N + columns - u(1)) // columns
        row, column = u(cuda.blockIdx.x) // tiles * rows, u(cuda.blockIdx.x) % tiles * columns
        k = u(cuda.blockIdx.y) * share  # the first k of the panel under way
        last = k + share if k + share < K else np.uint64(K)

        # which numbers this thread copies: of A at (i, ka) and every (i_step, ka_step) from there
        i, i_step, ka, ka_step = t // depth, threads // depth, t % depth, u(0)
        i_stride, ka_stride = K, u(1)
        if A_turned:
            i, i_step, ka, ka_step = t % rows, u(0), t // rows, threads // rows
            i_stride, ka_stride = u(1), M
        j, j_step, kb, kb_step = t % columns, u(0), t // columns, threads // columns
        j_stride, kb_stride = u(1), N
        if B_turned:
            j, j_step, kb, kb_step = t // depth, threads // depth, t % depth, u(0)
            j_stride, kb_stride = K, u(1)
        a_to, b_to = ka * u(a_row) + i, kb * u(b_row) + j
        a_step, b_step = ka_step * u(a_row) + i_step, kb_step * u(b_row) + j_step
        for e in range(a_moves):
            place = row + i + u(e) * i_step
            place = place if place < M else M - u(1)
            a_from[e] = np.uint64(A_at) + place * i_stride + (k + ka + u(e) * ka_step) * ka_stride
            a_next[e] = A[a_from[e]] if k + ka + u(e) * ka_step < last else T(0)
        for e in range(b_moves):
            place = column + j + u(e) * j_step
            place = place if place < N else N - u(1)
            b_from[e] = np.uint64(B_at) + place * j_stride + (k + kb + u(e) * kb_step) * kb_stride
            b_next[e] = B[b_from[e]] if k + kb + u(e) * kb_step < last else T(0)
        for x in range(tall):
            for y in range(wide):
                total[x, y] = T(0)

        half = u(0)  # the piece of shared memory in turn
        while k < last:
            for e in range(a_moves):
                a[half * u(a_size) + a_to + u(e) * a_step] = a_next[e]
            for e in range(b_moves):
                b[half * u(b_size) + b_to + u(e) * b_step] = b_next[e]
            cuda.syncthreads()
            k += depth
            for e in range(a_moves):
                a_from[e] += depth * ka_stride
                a_next[e] = A[a_from[e]] if k + ka + u(e) * ka_step < last else T(0)
            for e in range(b_moves):
                b_from[e] += depth * kb_stride
                b_next[e] = B[b_from[e]] if k + kb + u(e) * kb_step < last else T(0)
            left_at, right_at = half * u(a_size) + r, half * u(b_size) + s
            while left_at < half * u(a_size) + u(a_size):
                for step in range(steps):
                    for x in range(tall):
                        left[x] = a[left_at + u(step * a_row) + u(x) * down]
                    for y in range(wide):
                        right[y] = b[right_at + u(step * b_row) + u(y) * across]
                    for x in range(tall):
                        for y in range(wide):
                            total[x, y] += left[x] * right[y]
                left_at += u(steps * a_row)
                right_at += u(steps * b_row)
            half = u(1) - half

        start = np.uint64(C_at) + u(cuda.blockIdx.y) * np.uint64(M) * N
        for x in range(tall):
            for y in range(wide):
                i, j = row + r + u(x) * down, column + s + u(y) * across
                if i < M and j < N:
                    value = total[x, y]
                    if biased:
                        value += bias[np.uint64(bias_at) + j]
                    if add:
                        value += C[start + i * N + j]
                    C[start + i * N + j] = value

    return body


@kernel("T1 T1 T1 u u u l l i i", threads=THREADS)
def add_shares(T: Any) -> Any:
    """Add up the shares of a product that was split along K: a thread for every number of C."""

    def body(shares, C, bias, M, N, parts, C_at, bias_at, biased, add):  # type: ignore[no-untyped-def]
        i = u(cuda.blockIdx.x) * u(THREADS) + u(cuda.threadIdx.x)
        size = np.uint64(M) * N
        if i < size:
            value = T(0)
            for part in range(parts):
                value += shares[part * size + i]
            if biased:
                value += bias[np.uint64(bias_at) + i % N]
            if add:
                value += C[np.uint64(C_at) + i]
            C[np.uint64(C_at) + i] = value

    return body


def multiply(
    A: Any, B: Any, C: Any, M: int, N: int, K: int, *, A_at: int = 0, B_at: int = 0, C_at: int = 0,
    A_turned: bool = False, B_turned: bool = False, bias: Any = None, bias_at: int = 0,
    add: bool = False,
) -> None:  # fmt: skip
    """C[i, j] = sum of A[i, k] B[k, j] over k, plus bias[j]; where `add`, plus what C[i, j] was.

    Parameters
    ----------
    A, B, C, bias : flat arrays of the device
        The matrices row after row, from `A_at`, `B_at`, `C_at` and `bias_at` on.
    M, N, K : int
    A_turned, B_turned : bool
        Whether A is stored as its transpose (K, M), and B as its (N, K).
    """
    tile, product = _tile(M, N)
    tiles = blocks_for(M, tile.rows) * blocks_for(N, tile.columns)
    share, parts = _shares(tiles, K)
    given, biased = (C, False) if bias is None else (bias, True)
    if parts == 1:
        product(
            tiles, A, B, C, given, M, N, K, A_at, B_at, C_at, bias_at, A_turned, B_turned,
            biased, add, K,
        )  # fmt: skip
        return
    shares = scratch(C, parts * M * N)
    product(
        (tiles, parts), A, B, shares, given, M, N, K, A_at, B_at, 0, bias_at, A_turned, B_turned,
        False, False, share,
    )  # fmt: skip
    blocks = blocks_for(M * N, THREADS)
    add_shares(blocks, shares, C, given, M, N, parts, C_at, bias_at, biased, add)


def _tile(M: int, N: int) -> tuple[Tile, Kernel]:
    """How to cut C (M, N) into tiles."""
    if LOW.rows >= M:
        return LOW, product_low
    if NARROW.columns >= N:
        return NARROW, product_narrow
    if blocks_for(M, LARGE.rows) * blocks_for(N, LARGE.columns) >= ENOUGH:
        return LARGE, product_large
    return MIDDLE, product_middle


def _shares(tiles: int, K: int) -> tuple[int, int]:
    """How many numbers of K a block takes, whole panels, and how many blocks that is for a tile."""
    parts = max(1, min(blocks_for(ENOUGH, tiles), K // SHORTEST))
    share = blocks_for(blocks_for(K, parts), MIDDLE.depth) * MIDDLE.depth
    return share, blocks_for(K, share)


@kernel("T1 T1 u u u l l", threads=(32, 8))
def sum_rows(T: Any) -> Any:
    """A block has 32 columns and some of the rows, of which a thread takes every eighth."""

    def body(A, s, M, N, share, A_at, s_at):  # type: ignore[no-untyped-def]
        sums = cuda.shared.array((8, 32), T)
        x, y = u(cuda.threadIdx.x), u(cuda.threadIdx.y)
        j = u(cuda.blockIdx.x) * u(32) + x
        first = u(cuda.blockIdx.y) * share
        last = first + share if first + share < M else np.uint64(M)
        total = T(0)
        if j < N:
            for i in range(first + y, last, u(8)):
                total += A[np.uint64(A_at) + i * N + j]
        sums[y, x] = total
        cuda.syncthreads()
        if y == u(0) and j < N:
            for k in range(u(1), u(8)):
                total += sums[k, x]
            s[np.uint64(s_at) + u(cuda.blockIdx.y) * N + j] = total

    return body


def column_sums(A: Any, s: Any, M: int, N: int, *, A_at: int = 0, s_at: int = 0) -> None:
    """s[j] = the sum of A[i, j] over i, of A (M, N): flat arrays, from `A_at` and `s_at` on.

    Many rows are summed in two passes, a share of them to a block in the first.
    """
    share = max(SUMMED, blocks_for(M, SUMMED))
    parts, blocks = blocks_for(M, share), blocks_for(N, 32)
    if parts == 1:
        sum_rows((blocks, 1), A, s, M, N, M, A_at, s_at)
        return
    shares = scratch(A, parts * N)
    sum_rows((blocks, parts), A, shares, M, N, share, A_at, 0)
    sum_rows((blocks, 1), shares, s, parts, N, parts, 0, s_at)
