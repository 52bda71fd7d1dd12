"""Convolution with one kernel a group, or two on one channel: filters, and depthwise layers.

What is computed: y (5.16), as everywhere in `convolution`. There a tile of sums has a row for each
of several channels, or for each of several kernels; with one kernel all of its rows but one would
be idle.

Where the loops are: a strip of the image, a few vectors wide, is read from top to bottom, each row
once. Outputs whose windows see a row stand below each other, as many as the kernel has rows, and
they are the rows of the tile: row r of the tile is the output of which the row of the image is tap
r. So a row of the image adds the outer product of a column of the kernel and a run of the row, for
each column. Then the last row of the tile is an output that has seen all of its taps, and is
written; the others move one place down, and a new one begins.

Why it is fast: for five rows of taps, ten multiply-adds of vectors are made from seven loads. Rows
outside of the image are left out, and the strips at its left and right edge are copied with the
padding. A wide image is cut into bands, for a strip of it to stay in the first caches. A strip
jumps from row to row, which is not how a machine expects memory to be read: while one band is
computed, the next one is asked for, number after number.

With steps of several rows, taps that stand as many apart are a kernel of their own; so are parts of
a kernel with many rows. Each adds to what the ones before it have written.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from ketkar.kernels.backend import aligned
from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.machine import SIMD_BITS
from ketkar.kernels.cpu.span import number, span
from ketkar.kernels.cpu.threads import split, worth
from ketkar.kernels.cpu.tile import tile_outer, tile_pushed, tile_store_last, tile_zeros
from ketkar.kernels.cpu.vector import copy_part, fill_vector, lanes, prefetch
from ketkar.kernels.geometry import Geometry

KERNELS: Final = 2
"""Up to so many kernels on one channel are computed one after the other."""
WORTH: Final = 1 << 17
"""Multiplications that are worth code of their own, which is compiled for each size of a kernel."""
VECTORS: Final = {1: 4, 2: 4, 3: 2, 4: 2, 5: 2, 6: 2, 7: 1, 8: 1}
"""Vectors of a strip, for every number of rows that a tile may have."""
BAND: Final = 24
"""Rows of the output in a band, at least: in vain are as many more as the kernel has, less one."""
SMALL: Final = 1 << 13
"""Numbers of the output in a band, at least."""
LARGE: Final = 1 << 21
"""Multiplications that are worth a thread of their own."""


def fits(x: Any, K: Any, geometry: Geometry) -> bool:
    """Whether a convolution is one for this module.

    There is one kernel a group, or two on one channel, and steps are of one column. The weights are
    finite: padding above and below, which is left out here, is zero times a weight, and that is not
    always zero.
    """
    Ho, Wo = geometry.output_size(x.shape[2:], K.shape[2:])
    return (
        len(K) <= geometry.groups * (KERNELS if K.shape[1] == 1 else 1)
        and geometry.stride_columns == 1
        and K.shape[2] * K.shape[3] > 1
        and len(x) * K.size * Ho * Wo >= WORTH
        and bool(np.isfinite(K).all())
    )


def forward(x: Any, K: Any, b: Any, geometry: Geometry, y: Any) -> None:
    """Fill y (N, M, Ho, Wo); the caller has asked whether it `fits`."""
    common = math.gcd(geometry.stride_rows, geometry.dilation_rows)
    step, apart = geometry.stride_rows // common, geometry.dilation_rows // common
    for k, taps in enumerate(_parts(K.shape[2], step)):
        weights = np.ascontiguousarray(K[:, :, taps.start : taps.stop : step])
        _add(x, weights, b, geometry, (taps.start, apart, k), y)


def _parts(R: int, step: int) -> Iterator[range]:
    """The rows of the kernel in parts, each of rows that are `step` apart."""
    most = max(VECTORS) * step
    for first in range(0, R, most):
        for r in range(first, min(R, first + step)):
            yield range(r, min(R, first + most), step)


def _add(x: Any, K: Any, b: Any, geometry: Geometry, place: tuple[int, ...], y: Any) -> None:
    """Add one part of the kernel to y, or to the bias if it is the first."""
    N, M, Ho, Wo = y.shape
    _, _, R, S = K.shape
    many = SIMD_BITS // (8 * x.itemsize)
    width = VECTORS[R] * many
    band = max(BAND, SMALL // Wo)
    pitch = width + (S - 1) * geometry.dilation_columns + many
    found, numbers = _kernels(FINGERPRINT, R, S), tuple(geometry)

    units = N * M * -(-Ho // band) * -(-Wo // width)
    parts = min(worth(y.size * K[0].size, LARGE), units)
    sizes = (min(band, Ho) + R) * pitch, width
    buffers = [[aligned(size, x.dtype) for size in sizes] for _ in range(parts)]

    def work(part: int, parts: int) -> None:
        copy, bias = buffers[part]
        found(x, K, b, numbers, *place, band, y, copy, pitch, bias, part, parts)

    split(work, parts)


@helper
def _window(
    image: Any, size: Any, top: int, far: int, rows: int, left: int, columns: int, target: Any,
    pitch: int,
) -> None:  # fmt: skip
    """Copy the columns from `left` on of rows that are `far` apart, with zeros beside the image."""
    H, W = size
    zero, first = number(image, 0), max(0, -left)
    for q in range(rows):
        row, there = top + q * far, target + q * pitch
        if row < 0 or row >= H:
            continue
        for k in range(0, min(first, columns), lanes(image)):
            fill_vector(there + k, zero)
        for k in range(first, columns, lanes(image)):
            count = min(lanes(image), W - left - k)
            if count > 0:
                copy_part(image + (row * W + left + k), count, there + k)
            else:
                fill_vector(there + k, zero)


@helper
def _strip(
    tile: Any, R: int, S: int, width: int, here: Any, pitch: int, seen: Any, weights: Any,
    right: int, start: Any, start_pitch: int, out: Any, out_pitch: int, rows: int, count: int,
    next_in: Any, next_out: Any,
) -> None:  # fmt: skip
    """Fill a strip of a band, `rows` high, and ask for a part of the next band.

    Of the rows of the image from `here` on, those from seen[0] to seen[1] stand in the image.
    """
    for q in range(rows + R - 1):
        prefetch(next_in, q * width)
        prefetch(next_out, q * width)
        tile = tile_pushed(tile, start + min(q, rows - 1) * start_pitch, count)
        if seen[0] <= q and q < seen[1]:
            for s in range(S):
                tile = tile_outer(tile, weights + s, S, R, here + (q * pitch + s * right))  # (5.16)
        if q >= R - 1:
            tile_store_last(tile, out + (q - R + 1) * out_pitch, count)


@functools.cache
def _kernels(fingerprint: int, R: int, S: int) -> Any:
    vectors = VECTORS[R]

    @kernel
    def forward(
        x: Any, K: Any, b: Any, geometry: Any, tap: int, apart: int, begun: int, band: int, y: Any,
        copy: Any, pitch: int, bias: Any, part: int, parts: int,
    ) -> None:  # fmt: skip
        _ = fingerprint
        N, C, H, W = x.shape
        M, channels, _, _ = K.shape
        _, _, Ho, Wo = y.shape
        right, each, far = geometry[7], M // (C // channels), apart * geometry[0]
        width = vectors * lanes(span(x))
        columns = width + (S - 1) * right
        strips, bands = (Wo + width - 1) // width, (Ho + band * apart - 1) // (band * apart) * apart
        total = N * M * bands * strips
        for unit in range(total * part // parts, total * (part + 1) // parts):
            plane, k, j = unit // strips // bands, unit // strips % bands, unit % strips * width
            n, m = plane // M, plane % M
            i = k // apart * band * apart + k % apart
            rows = min(band, (Ho - i + apart - 1) // apart)
            if rows <= 0:  # bands of rows that are apart need not all have one
                continue
            top = i * geometry[0] - geometry[2] + tap * geometry[6]
            left = j - geometry[4]
            seen = max(0, (far - 1 - top) // far), (H - top + far - 1) // far
            out = span(y) + ((plane * Ho + i) * Wo + j)
            later = unit % strips * rows * width  # of the next band, what this strip asks for
            for v in range(vectors):
                fill_vector(span(bias) + v * lanes(span(x)), span(b)[m])
            for c in range(channels):
                weights = span(K) + (m * channels + c) * R * S
                image = span(x) + (n * C + m // each * channels + c) * H * W
                soon = image + ((top + rows + R - 1) * W + later)
                soon_out = out + (rows * Wo - j + later)
                if left >= 0 and left + columns <= W:
                    here, step = image + (top * W + left), far * W
                else:
                    here, step = span(copy) + 0, pitch
                    _window(image, (H, W), top, far, rows + R - 1, left, columns, here, pitch)
                start, start_pitch = span(bias) + 0, 0
                if begun + c > 0:
                    start, start_pitch = out, apart * Wo
                _strip(
                    tile_zeros(here, R, vectors), R, S, width, here, step, seen, weights, right,
                    start, start_pitch, out, apart * Wo, rows, Wo - j, soon, soon_out,
                )  # fmt: skip

    return forward
