"""Convolution with kernels of 3 x 3 by Winograd's algorithm: 36 products where the sum has 144.

What is computed: y (5.16), dx (5.18) and dK (5.19) of a layer with stride and dilation 1, in tiles
of 4 x 4 outputs, which depend on 6 x 6 inputs. Along one axis, four outputs are the middle of a
product of two polynomials of degree 2 and 3, which six values determine: at the POINTS and at
infinity. So the tile d and the kernel g are *transformed*, to what would be values at points,
multiplied number by number, and transformed back (Winograd 1980; Lavin and Gray 2016):

    y = A' [(G g G') * (B' d B)] A

In a layer the products are summed over the channels, and so at each of the 36 places there is a
matrix product, tiles by channels times channels by maps: the same micro-kernel as everywhere
(`products`). The gradients use the same transforms, turned round: dx is a convolution of the error
with the kernels turned by half a circle, and dK = G' [sum over tiles (A dy A') * (B' d B)] G.

The layout of every buffer has channels in the lanes: a *strip*, the 6 rows of an image that a row
of tiles needs, is turned from planes to pixels in the registers, transformed with one instruction
for all lanes, and the output goes the same way back. A *band* is a few strips, as many as leave the
transformed tiles in the second cache.

Error: numbers are scaled up and down again on the way, so that more is lost than in the sum itself.
How much depends on the points; those used here lose less than the usual ones, 0, 1, -1, 2 and -2
(on the choice see Barabasz and others 2020).

References
----------
S. Winograd, Arithmetic Complexity of Computations, SIAM 1980.
A. Lavin and S. Gray, Fast algorithms for convolutional neural networks, CVPR 2016.
B. Barabasz, A. Anderson, K. M. Soodhalter and D. Gregg, Error analysis and improving the accuracy
of Winograd convolution for deep neural networks, ACM Transactions on Mathematical Software, 2020.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketkar.kernels.backend import aligned
from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.machine import SIMD_BITS
from ketkar.kernels.cpu.polynomials import (
    FIELD,
    PLACES,
    TAPS,
    TILE,
    of_error,
    of_input,
    of_kernel,
    to_kernel,
    to_output,
)
from ketkar.kernels.cpu.products import SHAPES, TALL, WIDE, product
from ketkar.kernels.cpu.span import number, span
from ketkar.kernels.cpu.sums import sum_of
from ketkar.kernels.cpu.threads import share_out, split, worth
from ketkar.kernels.cpu.vector import (
    fill_vector,
    lanes,
    transpose_block,
)
from ketkar.kernels.geometry import Geometry

_BIAS: Final = FIELD + 1
"""The place of the point 1 on both axes: what is added there comes to every output of the tile."""
BAND: Final = 64
"""Tiles that a band should have."""
LARGE: Final = 1 << 21
"""Multiplications, of the direct sum, that are worth a thread of their own."""

Shape = tuple[int, ...]


class Layout(NamedTuple):
    """The sizes of a convolution in tiles; channels are those of one group."""

    shape: int
    """The tile of the micro-kernel, one of `products.SHAPES`."""
    groups: int
    channels: int
    height: int
    columns: int
    top: int
    left: int
    out_channels: int
    out_height: int
    out_columns: int
    strips: int
    """Strips of an image."""
    across: int
    """Tiles of a strip."""
    band: int
    """Strips of a band, which may come from several images."""
    bands: int
    all_strips: int
    lanes: int
    padded: int
    """Channels, up to whole tiles and vectors."""
    rows: int
    """Channels, up to whole tiles."""
    width: int
    """Output channels of a block: the numbers in a row of the micro-kernel's tile."""
    blocks: int
    tile_rows: int
    input_pitch: int
    """From one place of a band's transformed input to the next."""
    output_pitch: int
    """From one place of a block of transformed output, or of its error, to the next."""
    kernel_pitch: int
    """From one place of a group's transformed kernels to the next."""


class Tables(NamedTuple):
    """A layout, and the places that the micro-kernel looks up: multiples of 1 and of two widths."""

    layout: Layout
    ones: NDArray[np.int64]
    widths: NDArray[np.int64]
    padded: NDArray[np.int64]
    zeros: NDArray[np.int64]


@functools.lru_cache(maxsize=256)
def _tables(
    x: Shape, y: Shape, groups: int, before: tuple[int, int], bits: int, shape: int
) -> Tables:
    """The tables from x (N, C, H, W) to y (N, M, Ho, Wo), with `before` at the top and the left."""
    (N, C, H, W), (_, M, Ho, Wo) = x, y
    C, M = C // groups, M // groups
    lanes = SIMD_BITS // bits
    tile_rows, vectors = SHAPES[shape]
    width = vectors * lanes
    strips, across = -(-Ho // TILE), -(-Wo // TILE)
    all_strips = N * strips
    band = min(max(1, BAND // across), all_strips)
    tiles = -(-band * across // tile_rows) * tile_rows
    rows = -(-C // tile_rows) * tile_rows
    padded, blocks = -(-rows // lanes) * lanes, -(-M // width)
    # With a power of two as the pitch, all places of a tile would share one set of the cache.
    layout = Layout(
        shape, groups, C, H, W, *before, M, Ho, Wo, strips, across, band, -(-all_strips // band),
        all_strips, lanes, padded, rows, width, blocks, tile_rows, tiles * padded + lanes,
        tiles * width + lanes, blocks * rows * width + lanes,
    )  # fmt: skip
    ones = np.arange(max(rows, tiles) + 1)
    return Tables(layout, ones, ones * width, ones * padded, ones * 0)


@helper
def _transform_kernels(
    K: Any, p: Any, lane_stride: int, channel_stride: int, turned: int, g: int, c: int, U: Any,
    taps: Any,
) -> None:  # fmt: skip
    """Fill the places of channel c in a group's transformed kernels U (place, block, c, lane)."""
    for m in range(0, p.out_channels, lanes(K)):
        here = K + (g * p.out_channels * p.channels * 9 + m * lane_stride + c * channel_stride)
        some = min(lanes(K), p.out_channels - m)
        for t in range(0, 9, lanes(K)):
            transpose_block(
                here + t, lane_stride, some, min(lanes(K), 9 - t), taps + t * lanes(K), lanes(K)
            )
        there = U + ((m // p.width * p.rows + c) * p.width + m % p.width)
        step = -lanes(K) if turned else lanes(K)
        begin = taps + (8 * lanes(K) if turned else 0)
        of_kernel(begin, 3 * step, step, there, FIELD * p.kernel_pitch, p.kernel_pitch)


@helper
def _load_strip(
    x: Any, height: int, columns: int, channels: int, row: int, column: int, rows: int, wide: int,
    strip: Any,
) -> None:  # fmt: skip
    """Turn rows of up to LANES planes into pixels (rows, wide, LANES), zeros around the image."""
    for q in range(rows):
        there = strip + q * wide * lanes(x)
        inside = row + q >= 0 and row + q < height
        first = min(wide, max(0, -column)) if inside else wide
        last = min(wide, columns - column) if inside else wide
        for j in range(first):
            fill_vector(there + j * lanes(x), number(x, 0))
        for j in range(first, last, lanes(x)):
            transpose_block(
                x + ((row + q) * columns + column + j), height * columns, channels,
                min(lanes(x), last - j), there + j * lanes(x), lanes(x),
            )  # fmt: skip
        for j in range(max(first, last), wide):
            fill_vector(there + j * lanes(x), number(x, 0))


@helper
def _transform_input(x: Any, p: Any, g: int, first: int, last: int, V: Any, strip: Any) -> None:
    """Fill V (place, tile, channel) with the transformed input of some strips."""
    plane = p.height * p.columns
    wide = TILE * p.across + TAPS - 1
    for s in range(first, last):
        n, row = s // p.strips, s % p.strips * TILE - p.top
        for c in range(0, p.channels, lanes(x)):
            here = x + ((n * p.groups + g) * p.channels + c) * plane
            some = min(lanes(x), p.channels - c)
            _load_strip(here, p.height, p.columns, some, row, -p.left, FIELD, wide, strip)
            for t in range(p.across):
                there = V + (((s - first) * p.across + t) * p.padded + c)
                tile = strip + t * TILE * lanes(x)
                of_input(
                    tile, wide * lanes(x), lanes(x), there, FIELD * p.input_pitch, p.input_pitch
                )


@helper
def _output(y: Any, p: Any, g: int, first: int, last: int, b: int, Y: Any, strip: Any) -> Any:
    """Write some strips of a block of maps from their transform Y (place, tile, map).

    Their sum is returned, which is finite if all of them are.
    """
    total = number(y, 0)
    plane = p.out_height * p.out_columns
    wide = TILE * p.across
    for s in range(first, last):
        n, row = s // p.strips, s % p.strips * TILE
        for m in range(b * p.width, min(p.out_channels, (b + 1) * p.width), lanes(y)):
            for t in range(p.across):
                tile = Y + (((s - first) * p.across + t) * p.width + m - b * p.width)
                to_output(
                    tile, FIELD * p.output_pitch, p.output_pitch, strip + t * TILE * lanes(y),
                    wide * lanes(y), lanes(y),
                )  # fmt: skip
            total += sum_of(strip, TILE * wide * lanes(y))
            maps = y + ((n * p.groups + g) * p.out_channels + m) * plane
            for q in range(min(TILE, p.out_height - row)):
                for j in range(0, p.out_columns, lanes(y)):
                    transpose_block(
                        strip + (q * wide + j) * lanes(y), lanes(y),
                        min(lanes(y), p.out_columns - j), min(lanes(y), p.out_channels - m),
                        maps + ((row + q) * p.out_columns + j), plane,
                    )  # fmt: skip
    return total


@helper
def _forward(
    x: Any, U: Any, bias: Any, y: Any, tables: Any, first: int, last: int, V: Any, Y: Any,
    strip: Any,
) -> Any:  # fmt: skip
    p = tables.layout
    total = number(x, 0)
    ones, widths, zeros = span(tables.ones), span(tables.widths), span(tables.zeros)
    padded = span(tables.padded)
    nothing = bias + p.groups * p.blocks * p.width
    for item in range(first, last):
        g, begin = item // p.bands, item % p.bands * p.band
        end = min(p.all_strips, begin + p.band)
        _transform_input(x, p, g, begin, end, V, strip)
        tiles = (end - begin) * p.across
        for b in range(p.blocks):
            for place in range(PLACES):
                start = bias + (g * p.blocks + b) * p.width if place == _BIAS else nothing
                weights = U + ((g * PLACES + place) * p.kernel_pitch + b * p.rows * p.width)
                for t in range(0, tiles, p.tile_rows):
                    product(
                        p.shape, V + (place * p.input_pitch + t * p.padded), ones, padded, weights,
                        widths, p.channels, start, zeros,
                        Y + (place * p.output_pitch + t * p.width), widths, p.tile_rows, p.width, 0,
                    )  # (5.16), (5.18)  # fmt: skip
            total += _output(y, p, g, begin, end, b, Y, strip)
    return total


@helper
def _transform_error(
    dy: Any, p: Any, g: int, b: int, first: int, last: int, E: Any, strip: Any
) -> None:
    """Fill E (place, tile, map) with the transformed error of some strips and a block of maps."""
    plane = p.out_height * p.out_columns
    wide = TILE * p.across
    for s in range(first, last):
        n, row = s // p.strips, s % p.strips * TILE
        for m in range(b * p.width, min(p.out_channels, (b + 1) * p.width), lanes(dy)):
            here = dy + ((n * p.groups + g) * p.out_channels + m) * plane
            some = min(lanes(dy), p.out_channels - m)
            _load_strip(here, p.out_height, p.out_columns, some, row, 0, TILE, wide, strip)
            for t in range(p.across):
                there = E + (((s - first) * p.across + t) * p.width + m - b * p.width)
                tile = strip + t * TILE * lanes(dy)
                of_error(
                    tile, wide * lanes(dy), lanes(dy), there, FIELD * p.output_pitch,
                    p.output_pitch,
                )  # fmt: skip


@helper
def _kernel_gradient(
    dy: Any, x: Any, zeros: Any, sums: Any, dK: Any, tables: Any, first: int, last: int, V: Any,
    E: Any, strip: Any,
) -> None:  # fmt: skip
    p = tables.layout
    ones, widths, padded = span(tables.ones), span(tables.widths), span(tables.padded)
    pitch = p.rows * p.width + lanes(x)
    for g in range(first // p.blocks, (last - 1) // p.blocks + 1):
        low, high = max(0, first - g * p.blocks), min(p.blocks, last - g * p.blocks)
        for begin in range(0, p.all_strips, p.band):
            end = min(p.all_strips, begin + p.band)
            _transform_input(x, p, g, begin, end, V, strip)
            for b in range(low, high):
                _transform_error(dy, p, g, b, begin, end, E, strip)
                for place in range(PLACES):
                    total = sums + ((g * p.blocks + b) * PLACES + place) * pitch
                    for c in range(0, p.channels, p.tile_rows):
                        there = total + c * p.width
                        product(
                            p.shape, V + (place * p.input_pitch + c), padded, ones,
                            E + place * p.output_pitch, widths, (end - begin) * p.across,
                            there if begin > 0 else zeros,
                            widths if begin > 0 else span(tables.zeros), there, widths,
                            p.tile_rows, p.width, 0,
                        )  # (5.19)  # fmt: skip
        for b in range(low, high):
            for c in range(p.channels):
                for m in range(b * p.width, min(p.out_channels, (b + 1) * p.width), lanes(x)):
                    here = sums + (
                        (g * p.blocks + b) * PLACES * pitch + c * p.width + m - b * p.width
                    )
                    to_kernel(here, FIELD * pitch, pitch, strip, 3 * lanes(x), lanes(x))
                    there = dK + ((g * p.out_channels + m) * p.channels + c) * 9
                    some = min(lanes(x), p.out_channels - m)
                    for t in range(0, 9, lanes(x)):
                        transpose_block(
                            strip + t * lanes(x), lanes(x), min(lanes(x), 9 - t), some, there + t,
                            p.channels * 9,
                        )  # fmt: skip


def _kernels(fingerprint: int) -> tuple[Any, ...]:
    @kernel
    def transform_kernels(
        K: Any, tables: Any, lane_stride: int, channel_stride: int, turned: int, U: Any, taps: Any,
        part: int, parts: int,
    ) -> None:  # fmt: skip
        _ = fingerprint
        p = tables.layout
        items = p.groups * p.channels
        for item in range(items * part // parts, items * (part + 1) // parts):
            g = item // p.channels
            _transform_kernels(
                span(K), p, lane_stride, channel_stride, turned, g, item % p.channels,
                span(U) + g * PLACES * p.kernel_pitch, span(taps),
            )  # fmt: skip

    @kernel
    def forward(
        x: Any, U: Any, bias: Any, y: Any, tables: Any, V: Any, Y: Any, strip: Any, part: int,
        parts: int,
    ) -> Any:  # fmt: skip
        _ = fingerprint
        items = tables.layout.groups * tables.layout.bands
        first, last = items * part // parts, items * (part + 1) // parts
        return _forward(
            span(x), span(U), span(bias), span(y), tables, first, last, span(V), span(Y),
            span(strip),
        )  # fmt: skip

    @kernel
    def kernel_gradient(
        dy: Any, x: Any, zeros: Any, sums: Any, dK: Any, tables: Any, V: Any, E: Any, strip: Any,
        part: int, parts: int,
    ) -> None:  # fmt: skip
        _ = fingerprint
        items = tables.layout.groups * tables.layout.blocks
        first, last = items * part // parts, items * (part + 1) // parts
        if first < last:
            _kernel_gradient(
                span(dy), span(x), span(zeros), span(sums), span(dK), tables, first, last,
                span(V), span(E), span(strip),
            )  # fmt: skip

    return transform_kernels, forward, kernel_gradient


_transform_kernel, _forward_kernel, _gradient_kernel = _kernels(FINGERPRINT)


def forward(x: Any, K: Any, b: Any, geometry: Geometry, y: Any) -> bool:
    """Fill y (N, M, Ho, Wo) with the output of a layer of 3 x 3 kernels, stride 1.

    This and the gradients return whether the results can be used: an infinity or a NaN would spoil
    the whole tile where it stands, and sums of huge numbers may overflow sooner than directly.
    """
    C = K.shape[1]
    before = (geometry.top, geometry.left)
    return _fill(x, K, b, geometry.groups, before, (C * 9, 9, 0), y)


def input_gradient(dy: Any, K: Any, geometry: Geometry, dx: Any) -> bool:
    """Fill dx (N, C, H, W): a convolution of the error with the kernels turned by half a circle."""
    C = K.shape[1]
    before = (TAPS - 1 - geometry.top, TAPS - 1 - geometry.left)
    zeros = np.zeros(dx.shape[1], dx.dtype)
    return _fill(dy, K, zeros, geometry.groups, before, (9, C * 9, 1), dx)


def _fill(
    x: Any, K: Any, b: Any, groups: int, before: tuple[int, int], strides: tuple[int, int, int],
    y: Any,
) -> bool:  # fmt: skip
    """Fill y from x; `strides` are those of a lane and a channel in K, and whether K is turned."""
    bits = 8 * x.itemsize
    shape = TALL if y.shape[1] // groups <= SIMD_BITS // bits else WIDE
    table = _tables(x.shape, y.shape, groups, before, bits, shape)
    p = table.layout
    parts = _parts(p)
    U = aligned(groups * PLACES * p.kernel_pitch, x.dtype)

    def transform(part: int, parts: int) -> None:
        taps = aligned(9 * p.lanes, x.dtype)
        taps.fill(0)
        _transform_kernel(K, table, *strides, U, taps, part, parts)

    split(transform, min(parts, groups * p.channels))
    bias = np.zeros((groups * p.blocks + 1, p.width), x.dtype)  # the last row stays zero
    bias[:-1].reshape(groups, -1)[:, : p.out_channels] = b.reshape(groups, -1)

    items = groups * p.bands
    workers = min(parts, items)
    buffers = [_buffers(p, x.dtype) for _ in range(workers)]

    def work(worker: int, chunk: int, chunks: int) -> float:
        total: float = _forward_kernel(x, U, bias, y, table, *buffers[worker], chunk, chunks)
        return total

    sums = share_out(work, _multiplications(p), LARGE, items, workers)
    return all(map(math.isfinite, sums))


def kernel_gradient(dy: Any, x: Any, geometry: Geometry, dK: Any) -> bool:
    """Fill dK (M, C / groups, 3, 3) with the gradient of the kernels."""
    groups, before = geometry.groups, (geometry.top, geometry.left)
    table = _tables(x.shape, dy.shape, groups, before, 8 * x.itemsize, WIDE)
    p = table.layout
    items = groups * p.blocks
    sums = aligned(items * PLACES * (p.rows * p.width + p.lanes), x.dtype)
    zeros = np.zeros(p.width, x.dtype)

    parts = min(_parts(p), items)
    buffers = [_buffers(p, x.dtype) for _ in range(parts)]

    def work(part: int, parts: int) -> None:
        _gradient_kernel(dy, x, zeros, sums, dK, table, *buffers[part], part, parts)

    split(work, parts)
    return math.isfinite(dK.sum())


def _buffers(p: Layout, dtype: Any) -> tuple[Any, Any, Any]:
    """For a band: the transformed input, a block of transformed output, and a strip of pixels."""
    strip = FIELD * (TILE * p.across + TAPS - 1) * p.lanes
    return (
        aligned(PLACES * p.input_pitch, dtype),
        aligned(PLACES * p.output_pitch, dtype),
        aligned(max(strip, 9 * p.lanes), dtype),
    )


def _multiplications(p: Layout) -> int:
    """How many a direct sum would take."""
    pixels = p.all_strips * TILE * p.out_columns
    return pixels * p.groups * p.channels * p.out_channels * TAPS * TAPS


def _parts(p: Layout) -> int:
    return worth(_multiplications(p), LARGE)
