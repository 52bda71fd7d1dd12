"""Convolution with large kernels by the Fourier transform, block by block.

What is computed: y (5.16), dx (5.18) and dK (5.19) of a layer with stride and dilation 1. The
transform of a cross-correlation is the product of the image's transform with the conjugate of the
kernel's. The image is cut into blocks of P x Q that overlap by what the kernel reaches; each gives
the outputs whose windows lie inside it (overlap-save, Oppenheim and Schafer 2010, section 8.7). A
block of 256 x 256 stays in the second cache, and its cost does not grow with the kernel.

Two tricks make the transform short. Images are real: two blocks are transformed at once, as the
real and the imaginary part of one complex block, and a real kernel keeps them apart. And nobody
looks at a spectrum: the transform forward leaves its values in the order in which radix-4 steps
leave them, digits reversed, and the transform back takes them so. Columns stand in the lanes, so
that a step is the same for all lanes; for the other axis the block is turned.

For the kernel's gradient the two parts mix, and the mixture is what is wanted: the real part of the
correlation of (x1 + i x2) with (e1 + i e2) is the sum of both gradients.

Error: rounding grows with the logarithm of the block's size only, but it is relative to the largest
output of a block, not to each.

References
----------
A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal Processing, 3rd edition, Pearson 2010.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketkar.kernels.backend import aligned
from ketkar.kernels.cpu.compiling import FINGERPRINT, dot_product, helper, kernel
from ketkar.kernels.cpu.fourier import add_product, along, back_along, turns
from ketkar.kernels.cpu.machine import SIMD_BITS
from ketkar.kernels.cpu.span import number, span
from ketkar.kernels.cpu.threads import split, worth
from ketkar.kernels.cpu.vector import (
    copy_part,
    fill_vector,
    lanes,
    transpose_block,
)
from ketkar.kernels.geometry import Geometry

HELD: Final = 1 << 22
"""How many numbers the transformed kernels may take that are held at once."""
LARGE: Final = 1 << 15
"""Numbers in all blocks that are worth a thread of their own."""


Shape = tuple[int, ...]
Chunk = tuple[int, int, int]


class Layout(NamedTuple):
    """The sizes of a convolution in blocks; channels are those of one group."""

    images: int
    groups: int
    channels: int
    height: int
    columns: int
    top: int
    left: int
    out_channels: int
    out_height: int
    out_columns: int
    kernel_rows: int
    kernel_columns: int
    rows: int
    """Rows and columns of a block, powers of four, and how far blocks are apart."""
    wide: int
    row_step: int
    column_step: int
    down: int
    """Blocks of an image, one below the other and side by side."""
    across: int
    pairs: int
    pitch: int
    """From one row of a block to the next, and from one of the turned block."""
    turned_pitch: int
    gap: int
    """From a real part to its imaginary part; a complex block takes twice this."""
    held: int
    """Output channels whose kernels are transformed at once."""


class Tables(NamedTuple):
    """A layout, and the factors of the transforms along columns and along rows."""

    layout: Layout
    row_turns: NDArray[np.floating]
    column_turns: NDArray[np.floating]


def _block(kernel: int, size: int, out: int) -> int:
    """The block's size along an axis, a power of four at least 16, that costs least."""
    sizes = [4**k for k in range(2, 20) if 4**k >= kernel][:2]
    return min(sizes, key=lambda n: -(-out // (n - kernel + 1)) * n * (4 + math.log(n, 4)))


@functools.lru_cache(maxsize=64)
def _tables(
    x: Shape, K: Shape, y: Shape, groups: int, before: tuple[int, int], dtype: Any
) -> Tables:
    (N, C, H, W), (R, S), (_, M, Ho, Wo) = x, K[2:], y
    C, M = C // groups, M // groups
    lanes = SIMD_BITS // (8 * np.dtype(dtype).itemsize)
    P, Q = _block(R, H, Ho), _block(S, W, Wo)
    row_step, column_step = P - R + 1, Q - S + 1
    down, across = -(-Ho // row_step), -(-Wo // column_step)
    # With a power of two as the pitch, a column would share one set of the cache.
    pitch, turned_pitch = Q + lanes, P + lanes
    gap = max(P * pitch, Q * turned_pitch) + lanes
    layout = Layout(
        N, groups, C, H, W, *before, M, Ho, Wo, R, S, P, Q, row_step, column_step, down, across,
        -(-N * down * across // 2), pitch, turned_pitch, gap,
        max(1, min(M, HELD // (2 * gap * C))),
    )  # fmt: skip
    return Tables(layout, turns(P, dtype), turns(Q, dtype))


@helper
def _transpose(
    block: Any, pitch: int, rows: int, columns: int, turned: Any, turned_pitch: int
) -> None:
    for i in range(0, rows, lanes(block)):
        for j in range(0, columns, lanes(block)):
            transpose_block(
                block + (i * pitch + j), pitch, min(lanes(block), rows - i),
                min(lanes(block), columns - j), turned + (j * turned_pitch + i), turned_pitch,
            )  # fmt: skip


@helper
def _forward(block: Any, tables: Any, spectrum: Any) -> None:
    """Fill a spectrum from a complex block, which is overwritten."""
    p = tables.layout
    along(block, p.gap, p.pitch, p.rows, p.wide, span(tables.row_turns))
    for part in range(2):
        here, there = block + part * p.gap, spectrum + part * p.gap
        _transpose(here, p.pitch, p.rows, p.wide, there, p.turned_pitch)
    along(spectrum, p.gap, p.turned_pitch, p.wide, p.rows, span(tables.column_turns))


@helper
def _backward(spectrum: Any, tables: Any, block: Any) -> None:
    """Fill a block from its spectrum, which is overwritten."""
    p = tables.layout
    back_along(spectrum, p.gap, p.turned_pitch, p.wide, p.rows, span(tables.column_turns))
    for part in range(2):
        here, there = spectrum + part * p.gap, block + part * p.gap
        _transpose(here, p.turned_pitch, p.wide, p.rows, there, p.pitch)
    back_along(block, p.gap, p.pitch, p.rows, p.wide, span(tables.row_turns))


@helper
def _multiply(total: Any, p: Any, x: Any, k: Any) -> None:
    """Add a spectrum times the conjugate of another."""
    for i in range(0, p.wide * p.turned_pitch, lanes(x)):
        add_product(total + i, x + i, k + i, p.gap)


@helper
def _clear(block: Any, count: int) -> None:
    for i in range(0, count, lanes(block)):
        fill_vector(block + i, number(block, 0))


@helper
def _cut(
    x: Any, width: int, height: int, columns: int, p: Any, row: int, column: int, block: Any
) -> None:
    """Copy P x Q numbers of an image from a row and a column on, zeros around the image.

    Rows are `width` numbers long; what is not below `height` and `columns` lies outside.
    """
    first, last = min(p.wide, max(0, -column)), min(p.wide, columns - column)
    for q in range(p.rows):
        there = block + q * p.pitch
        _clear(there, p.wide)
        if row + q >= 0 and row + q < height:
            here = x + ((row + q) * width + column)
            for j in range(first, last, lanes(x)):
                copy_part(here + j, min(lanes(x), last - j), there + j)


@helper
def _corner(p: Any, t: int) -> Any:
    """The image of block t, and where in the output the block begins."""
    row, column = t // p.across % p.down, t % p.across
    return t // (p.down * p.across), row * p.row_step, column * p.column_step


@helper
def _inputs(x: Any, p: Any, g: int, c: int, pair: int, block: Any) -> None:
    """Load two blocks of channel c, or one and zeros."""
    for part in range(2):
        n, row, column = _corner(p, 2 * pair + part)
        here = block + part * p.gap
        if n < p.images:
            plane = x + ((n * p.groups + g) * p.channels + c) * p.height * p.columns
            _cut(plane, p.columns, p.height, p.columns, p, row - p.top, column - p.left, here)
        else:
            _clear(here, p.rows * p.pitch)


@helper
def _errors(dy: Any, p: Any, g: int, m: int, pair: int, block: Any) -> None:
    """Load the errors of the outputs of two blocks, zeros around them."""
    for part in range(2):
        n, row, column = _corner(p, 2 * pair + part)
        here = block + part * p.gap
        if n < p.images:
            plane = dy + ((n * p.groups + g) * p.out_channels + m) * p.out_height * p.out_columns
            height = min(p.out_height, row + p.row_step)
            columns = min(p.out_columns, column + p.column_step)
            _cut(plane, p.out_columns, height, columns, p, row, column, here)
        else:
            _clear(here, p.rows * p.pitch)


@helper
def _outputs(block: Any, p: Any, g: int, m: int, pair: int, bias: Any, y: Any) -> Any:
    """Write the outputs of two blocks; their sum is returned, finite if all of them are."""
    total = number(y, 0)
    for part in range(2):
        n, row, column = _corner(p, 2 * pair + part)
        if n < p.images:
            plane = y + ((n * p.groups + g) * p.out_channels + m) * p.out_height * p.out_columns
            for q in range(min(p.row_step, p.out_height - row)):
                here = block + (part * p.gap + q * p.pitch)
                there = plane + ((row + q) * p.out_columns + column)
                total += _write(here, min(p.column_step, p.out_columns - column), bias, there)
    return total


@dot_product
def _write(here: Any, count: int, bias: Any, there: Any) -> Any:
    total = number(here, 0)
    for j in range(count):
        value = here[j] + bias
        there[j] = value
        total += value
    return total


def _kernels(fingerprint: int) -> tuple[Any, ...]:
    @kernel
    def transform_kernels(
        K: Any, tables: Any, strides: Any, g: int, first: int, count: int, spectra: Any,
        block: Any, part: int, parts: int,
    ) -> None:  # fmt: skip
        _ = fingerprint
        p = tables.layout
        taps = p.kernel_rows * p.kernel_columns
        scale = number(span(K), 1.0 / (p.rows * p.wide))
        items = count * p.channels
        for item in range(items * part // parts, items * (part + 1) // parts):
            m, c = first + item // p.channels, item % p.channels
            _clear(span(block), 2 * p.gap)
            here = span(K) + (
                g * p.channels * p.out_channels * taps + m * strides[0] + c * strides[1]
            )
            for k in range(taps):
                place = k // p.kernel_columns * p.pitch + k % p.kernel_columns
                block[place] = here[taps - 1 - k if strides[2] else k] * scale
            _forward(span(block), tables, span(spectra) + item * 2 * p.gap)

    @kernel
    def forward(
        x: Any, spectra: Any, b: Any, y: Any, tables: Any, g: int, first: int, count: int,
        seen: Any, block: Any, product: Any, part: int, parts: int,
    ) -> Any:  # fmt: skip
        _ = fingerprint
        p = tables.layout
        total = number(span(y), 0)
        for pair in range(p.pairs * part // parts, p.pairs * (part + 1) // parts):
            for c in range(p.channels):
                _inputs(span(x), p, g, c, pair, span(block))
                _forward(span(block), tables, span(seen) + c * 2 * p.gap)
            for m in range(count):
                _clear(span(product), 2 * p.gap)
                for c in range(p.channels):
                    here = span(spectra) + (m * p.channels + c) * 2 * p.gap
                    _multiply(span(product), p, span(seen) + c * 2 * p.gap, here)
                _backward(span(product), tables, span(block))
                bias = b[g * p.out_channels + first + m]
                total += _outputs(span(block), p, g, first + m, pair, bias, span(y))  # (5.16)
        return total

    @kernel
    def kernel_gradient(
        dy: Any, x: Any, sums: Any, dK: Any, tables: Any, g: int, first: int, count: int,
        seen: Any, block: Any, product: Any, part: int, parts: int,
    ) -> None:  # fmt: skip
        _ = fingerprint
        p = tables.layout
        low, high = count * part // parts, count * (part + 1) // parts
        _clear(span(sums) + low * p.channels * 2 * p.gap, (high - low) * p.channels * 2 * p.gap)
        for pair in range(p.pairs):
            for c in range(p.channels):
                _inputs(span(x), p, g, c, pair, span(block))
                _forward(span(block), tables, span(seen) + c * 2 * p.gap)
            for m in range(low, high):
                _errors(span(dy), p, g, first + m, pair, span(block))
                _forward(span(block), tables, span(product))
                for c in range(p.channels):
                    there = span(sums) + (m * p.channels + c) * 2 * p.gap
                    _multiply(there, p, span(seen) + c * 2 * p.gap, span(product))
        taps = p.kernel_rows * p.kernel_columns
        scale = number(span(x), 1.0 / (p.rows * p.wide))
        for item in range(low * p.channels, high * p.channels):
            _backward(span(sums) + item * 2 * p.gap, tables, span(block))
            there = span(dK) + ((g * p.out_channels + first) * p.channels + item) * taps
            for k in range(taps):
                place = k // p.kernel_columns * p.pitch + k % p.kernel_columns
                there[k] = block[place] * scale  # (5.19)

    return transform_kernels, forward, kernel_gradient


_transform_kernel, _forward_kernel, _gradient_kernel = _kernels(FINGERPRINT)


def forward(x: Any, K: Any, b: Any, geometry: Geometry, y: Any) -> bool:
    """Fill y (N, M, Ho, Wo) with the output of a layer of stride 1.

    This and the gradients return whether the results can be used: an infinity or a NaN would
    spoil two blocks.
    """
    taps = K.shape[2] * K.shape[3]
    before = (geometry.top, geometry.left)
    return _fill(x, K, b, geometry.groups, before, (K.shape[1] * taps, taps, 0), y)


def input_gradient(dy: Any, K: Any, geometry: Geometry, dx: Any) -> bool:
    """Fill dx (N, C, H, W): a convolution of the error with the kernels turned by half a circle."""
    C, R, S = K.shape[1:]
    before = (R - 1 - geometry.top, S - 1 - geometry.left)
    zeros = np.zeros(dx.shape[1], dx.dtype)
    return _fill(dy, K, zeros, geometry.groups, before, (R * S, C * R * S, 1), dx)


def _fill(
    x: Any, K: Any, b: Any, groups: int, before: tuple[int, int], strides: tuple[int, int, int],
    y: Any,
) -> bool:  # fmt: skip
    """Fill y from x; `strides` are those of a map and a channel in K, and whether K is turned."""
    tables = _tables(x.shape, K.shape, y.shape, groups, before, x.dtype)
    p = tables.layout
    size, parts = 2 * p.gap, _parts(p)
    spectra = aligned(p.held * p.channels * size, x.dtype)
    finite = True

    def transform(chunk: Chunk, part: int, parts: int) -> None:
        block = aligned(size, x.dtype)
        _transform_kernel(K, tables, strides, *chunk, spectra, block, part, parts)

    def work(chunk: Chunk, part: int, parts: int) -> float:
        buffers = [aligned(n * size, x.dtype) for n in (p.channels, 1, 1)]
        total: float = _forward_kernel(x, spectra, b, y, tables, *chunk, *buffers, part, parts)
        return total

    for chunk in _chunks(p):
        split(functools.partial(transform, chunk), min(parts, chunk[2] * p.channels))
        finite &= all(
            map(math.isfinite, split(functools.partial(work, chunk), min(parts, p.pairs)))
        )
    return finite


def kernel_gradient(dy: Any, x: Any, geometry: Geometry, dK: Any) -> bool:
    """Fill dK (M, C / groups, R, S) with the gradient of the kernels."""
    before = (geometry.top, geometry.left)
    tables = _tables(x.shape, dK.shape, dy.shape, geometry.groups, before, x.dtype)
    p = tables.layout
    size = 2 * p.gap
    sums = aligned(p.held * p.channels * size, x.dtype)

    def work(chunk: Chunk, part: int, parts: int) -> None:
        buffers = [aligned(n * size, x.dtype) for n in (p.channels, 1, 1)]
        _gradient_kernel(dy, x, sums, dK, tables, *chunk, *buffers, part, parts)

    for chunk in _chunks(p):
        split(functools.partial(work, chunk), min(_parts(p), chunk[2]))
    return math.isfinite(dK.sum())


def _chunks(p: Layout) -> Iterator[Chunk]:
    """A group with a run of output channels whose kernels are held at once: first and count."""
    for g in range(p.groups):
        for first in range(0, p.out_channels, p.held):
            yield g, first, min(p.held, p.out_channels - first)


def _parts(p: Layout) -> int:
    return worth(p.pairs * p.gap * p.channels * p.out_channels, LARGE)
