"""Convolution with one or two kernels a group: filters of images, and depthwise layers.

What is computed: y (5.16), as everywhere in `convolution`. There a tile of sums has a row for each
of several channels, or for each of several kernels; with one kernel all of its rows but one would
be idle.

Where the loops are: here the rows of the tile are rows of the output, four at a time, and its lanes
are columns. The innermost loop runs over the taps: a weight is broadcast, and meets a run of the
image in each of the four rows.

Why it is fast: a turn of the inner loop makes eight multiply-adds of vectors from nine loads, all
from the first cache, and the image is read in place. Only the columns at the left and right edge,
of which some taps lie outside of the image, are computed one by one.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel, routine
from ketkar.kernels.cpu.machine import SIMD_BITS
from ketkar.kernels.cpu.span import number, span
from ketkar.kernels.cpu.threads import split, worth
from ketkar.kernels.cpu.tile import tile_scaled, tile_store, tile_zeros
from ketkar.kernels.cpu.vector import fill_vector, lanes
from ketkar.kernels.geometry import Geometry

KERNELS: Final = 2
"""Up to so many kernels a group are computed one after the other."""
ROWS: Final = 4
"""Rows of the output in a tile."""
EDGES: Final = 100
"""Columns that see no padding, for each that may see some and is computed slowly."""
LARGE: Final = 1 << 21
"""Multiplications that are worth a thread of their own."""


def fits(x: Any, K: Any, geometry: Geometry) -> bool:
    """Whether a convolution is one for this module.

    Steps are one column, most columns see no padding, and the weights are finite: padding, which is
    left out here, is zero times a weight, and that is not always zero.
    """
    S = K.shape[3]
    inside = x.shape[3] - (S - 1) * geometry.dilation_columns
    return (
        len(K) <= KERNELS * geometry.groups
        and geometry.stride_columns == 1
        and inside >= 2 * SIMD_BITS // (8 * x.itemsize)
        and inside >= EDGES * (geometry.left + geometry.right)
        and K.shape[2] * S > 1
        and bool(np.isfinite(K).all())
    )


def forward(x: Any, K: Any, b: Any, geometry: Geometry, y: Any) -> None:
    """Fill y (N, M, Ho, Wo); the caller has asked whether it `fits`."""
    numbers, work = tuple(geometry), y.size * K[0].size
    units = len(y) * len(K) * -(-y.shape[2] // ROWS)
    split(lambda *part: _forward(x, K, b, numbers, y, *part), min(worth(work, LARGE), units))


def _strip(rows: int) -> Any:
    """Some rows of the output, one tile after the other; only taps that meet the image count."""

    @routine
    def strip(
        image: Any, weights: Any, bias: Any, size: Any, taps: Any, steps: Any,
        first: int, last: int, out: Any, pitch: int,
    ) -> None:  # fmt: skip
        channels, H, W = size
        r0, r1, R, S = taps
        row_step, down, right = steps
        width = 2 * lanes(image)
        for k in range(first, last, width):
            j = max(first, min(k, last - width))  # the last tile is a whole one
            for r in range(rows):
                fill_vector(out + (r * pitch + j), bias)
                fill_vector(out + (r * pitch + j + lanes(image)), bias)
            tile = tile_zeros(image, rows, 2)
            for c in range(channels):
                for r in range(r0, r1):
                    here = image + ((c * H + r * down) * W + j)
                    for s in range(S):
                        weight = weights[(c * R + r) * S + s]
                        tile = tile_scaled(tile, weight, here + s * right, row_step * W)
            tile_store(tile, out + j, pitch, number(image, 1))

    return strip


_four_rows = _strip(ROWS)
_one_row = _strip(1)


@helper
def _one_by_one(
    image: Any, weights: Any, bias: Any, size: Any, taps: Any, down: int, right: int, left: int,
    first: int, last: int, out: Any,
) -> None:  # fmt: skip
    """Outputs of a row at the edge of the image."""
    channels, H, W = size
    r0, r1, R, S = taps
    for j in range(first, last):
        total = bias
        for c in range(channels):
            for r in range(r0, r1):
                for s in range(S):
                    column = j - left + s * right
                    if 0 <= column < W:
                        place = (c * H + r * down) * W + column
                        total += weights[(c * R + r) * S + s] * image[place]
        out[j] = total


def _kernels(fingerprint: int) -> Any:
    @kernel
    def forward(x: Any, K: Any, b: Any, geometry: Any, y: Any, part: int, parts: int) -> None:
        _ = fingerprint
        N, C, H, W = x.shape
        M, channels, R, S = K.shape
        _, _, Ho, Wo = y.shape
        row_step, top, left, down, right = (
            geometry[0], geometry[2], geometry[4], geometry[6], geometry[7],
        )  # fmt: skip
        first = min(Wo, left)
        last = min(Wo, W - (S - 1) * right + left)
        blocks, each = (Ho + ROWS - 1) // ROWS, M // (C // channels)
        total = N * M * blocks
        size, steps = (channels, H, W), (row_step, down, right)
        for unit in range(total * part // parts, total * (part + 1) // parts):
            plane, i = unit // blocks, unit % blocks * ROWS
            n, m = plane // M, plane % M
            image = span(x) + (n * C + m // each * channels) * H * W
            weights, bias = span(K) + m * channels * R * S, span(b)[m]
            rows, row = min(ROWS, Ho - i), i * row_step - top
            whole = rows == ROWS and row >= 0 and row + 3 * row_step + (R - 1) * down < H
            there = span(y) + (plane * Ho + i) * Wo
            if whole:
                corner = image + (row * W - left)
                _four_rows(corner, weights, bias, size, (0, R, R, S), steps, first, last, there, Wo)
            for q in range(rows):
                begin = row + q * row_step
                r0 = 0 if begin >= 0 else (down - 1 - begin) // down
                r1 = 0 if begin >= H else min(R, (H - begin + down - 1) // down)
                taps = (r0, max(r0, r1), R, S)
                line, out = image + begin * W, there + q * Wo
                if not whole:
                    _one_row(line + (-left), weights, bias, size, taps, steps, first, last, out, Wo)
                for start, stop in ((0, first), (last, Wo)):
                    _one_by_one(
                        line, weights, bias, size, taps, down, right, left, start, stop, out
                    )

    return forward


_forward = _kernels(FINGERPRINT)
