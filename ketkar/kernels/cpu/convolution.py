"""Convolution and its gradients, directly: the sum itself, in the best order.

What is computed: y (5.16), dx (5.18) and dK (5.19), as sums over tables of places (`plan`), by one
micro-kernel (`products`).

Where the loops are: the innermost runs over the taps, all channels, rows and columns of the
kernel, and adds to a tile of sums in registers. Its lanes are either output channels, so that a
number of the image is broadcast and meets a vector of weights, or columns of the image, so that a
weight is broadcast and meets a run of the image; the plan takes what leaves fewer lanes idle.
Around it run the positions of a band, then the blocks of output channels, then the bands.

Why it is fast: a turn of the inner loop makes 16 multiply-adds of vectors from 10 loads, all from
the first cache. A band is small: its padded input, its weights and its block of output stay there,
and no image is ever laid out as a matrix. With channels in the lanes the sums of a band come out
pixel by pixel; they are turned into planes block by block, in registers, which costs little where
the sums are long. Kernels of one tap that give more channels than they take mostly write: there
the lanes are columns, and an output too large for any cache is written past it. Where many blocks
of channels meet the same columns, these are laid side by side first: channels of an image lie
pages apart, and to reach each of them again and again takes longer than to multiply.

The gradient of the kernels is the same product with the parts exchanged: the rows of the tile are
taps, and the inner loop runs over the positions of a band, whose errors have been turned so that
channels stand side by side. Bands follow each other in a fixed order and are never split among
threads, so that the result does not depend on how many there are.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ketkar.kernels.backend import pieces
from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.plan import Layout, Plan, forward_plan, input_gradient_plan
from ketkar.kernels.cpu.products import product
from ketkar.kernels.cpu.span import number, span
from ketkar.kernels.cpu.threads import share_out, split, worth
from ketkar.kernels.cpu.vector import copy_part, fill_vector, lanes, transpose_block
from ketkar.kernels.geometry import Geometry

LARGE: Final = 1 << 21
"""Multiplications that are worth a thread of their own."""


LONG: Final = 256
"""Columns of a row in which an image is read whose rows do not matter."""


@helper
def _with_names(numbers: Any, tables: Any) -> Any:
    """The plan again, of which `Plan.plain` is given."""
    return Plan(Layout(*numbers), *tables)


@helper
def prepare(x: Any, p: Any, first_row: int, target: Any) -> None:
    """Copy a band of one image's channels into planes, with zeros around the image.

    Whole vectors are written; what one writes beyond its row is overwritten by the next.
    """
    zero = number(x, 0)
    skip = max(0, -p.left)
    left = max(0, p.left)
    count = min(p.columns - skip, p.pitch - left)
    each = p.pitch // p.stride
    for c in range(p.channels):
        for q in range(p.rows):
            there = target + (c * p.plane + q * p.pitch)
            row = first_row + q
            if row < 0 or row >= p.height:
                for j in range(0, p.pitch, lanes(x)):
                    fill_vector(there + j, zero)
                continue
            here = x + ((c * p.height + row) * p.columns + skip)
            if p.stride == 1:
                for j in range(0, left, lanes(x)):
                    fill_vector(there + j, zero)
                for j in range(0, count, lanes(x)):
                    copy_part(here + j, min(lanes(x), count - j), there + (left + j))
                done = max(0, count + lanes(x) - 1) // lanes(x) * lanes(x)
                for j in range(left + done, p.pitch, lanes(x)):
                    fill_vector(there + j, zero)
            else:
                for phase in range(p.stride):
                    part = there + phase * each
                    for j in range(each):
                        column = j * p.stride + phase - left
                        inside = column >= 0 and column < count
                        part[j] = here[column] if inside else zero


@helper
def _band(x: Any, p: Any, N: int, n: int, g: int, unit: int, target: Any) -> Any:
    """The span from which the positions of a band are counted, copied first if need be."""
    size = p.channels * p.height * p.columns
    if not p.copied:
        return x + ((n * p.groups + g) * size + unit * p.step * p.columns)
    for i in range(min(p.images, N - n)):
        here = x + ((n + i) * p.groups + g) * size
        prepare(here, p, p.first_row + unit * p.step, target + i * p.channels * p.plane)
    return target


@helper
def _pack(K: Any, b: Any, p: Any, weights: Any, width: int, packed: Any, bias: Any) -> None:
    """Lay the kernel out as (group, block, tap, lane), zeros in the lanes of no channel.

    The bias comes in the same order; where the lanes are columns, each number as often as a row of
    a tile has columns.
    """
    taps = weights.size
    often = p.width if p.by_columns else 1
    for g in range(p.groups):
        for block in range(p.blocks):
            used = min(width, p.out_channels - block * width)
            here = K + (g * p.group_stride + block * width * p.lane_stride)
            there = packed + (g * p.blocks + block) * taps * width
            start = bias + (g * p.blocks + block) * width * often
            for lane in range(width):
                channel = g * p.out_channels + block * width + lane
                for v in range(often):
                    start[lane * often + v] = b[channel] if lane < used else number(K, 0)
            for k in range(taps):
                for lane in range(used):
                    there[k * width + lane] = here[lane * p.lane_stride + weights[k]]
                for lane in range(used, width):
                    there[k * width + lane] = number(K, 0)


@helper
def _to_planes(
    block: Any, p: Any, images: int, pixels: int, first: int, channels: int, y: Any
) -> None:
    """Turn a block of output, pixel by pixel, into the planes of its channels."""
    plane = p.out_height * p.out_columns
    held = p.band * p.unit_rows * p.out_columns
    for i in range(images):
        here = block + i * held * p.width
        there = y + (i * p.groups * p.out_channels * plane + first)
        for q in range(0, pixels, lanes(y)):
            for c in range(0, channels, lanes(y)):
                transpose_block(
                    here + (q * p.width + c), p.width, min(lanes(y), pixels - q),
                    min(lanes(y), channels - c), there + (c * plane + q), plane,
                )  # fmt: skip


@helper
def _by_channels(
    x: Any, packed: Any, bias: Any, y: Any, plan: Any, N: int, first: int, last: int, copy: Any,
    block: Any,
) -> None:  # fmt: skip
    p = plan.layout
    bands = (p.units + p.band - 1) // p.band
    plane = p.out_height * p.out_columns
    taps, positions, pixels = span(plan.taps), span(plan.positions), span(plan.pixels)
    zeros = span(plan.rows)
    for item in range(first, last):
        n, g = item // (bands * p.groups) * p.images, item // bands % p.groups
        unit = item % bands * p.band
        images, units = min(p.images, N - n), min(p.band, p.units - unit)
        here = _band(x, p, N, n, g, unit, copy)
        top = unit * p.unit_rows
        count = (min(p.out_height, top + units * p.unit_rows) - top) * p.out_columns
        for b in range(p.blocks):
            start = bias + (g * p.blocks + b) * p.width
            weights = packed + (g * p.blocks + b) * p.taps * p.width
            for phase in range(plan.phase_columns.size):
                tap, at = plan.tap_starts[phase], plan.position_starts[phase]
                K = plan.tap_starts[phase + 1] - tap
                end = images * units * plan.phase_columns[phase]
                for q in range(0, end, p.tile_rows):
                    product(
                        p.shape, here, taps + tap, positions + (at + q), weights + tap * p.width,
                        span(plan.steps), K, start, zeros, block, pixels + (at + q),
                        min(p.tile_rows, end - q), p.width, 0,
                    )  # (5.16), (5.18)  # fmt: skip
            channel = (n * p.groups + g) * p.out_channels + b * p.width
            _to_planes(
                block, p, images, count, channel * plane + top * p.out_columns,
                min(p.width, p.out_channels - b * p.width), y,
            )  # fmt: skip


@helper
def _row_taps(p: Any, unit: int) -> Any:
    """Which taps a row of the output has, first and last: those in the padding may be left out."""
    if p.tap_rows == 0:
        return 0, p.taps
    row, each = p.first_row + unit * p.step, p.taps // p.tap_rows
    first = max(0, (p.tap_step - 1 - row) // p.tap_step)
    last = min(p.tap_rows, (p.height - row + p.tap_step - 1) // p.tap_step)
    return first * each, max(first, last) * each


@helper
def _lay(x: Any, places: Any, K: int, panel: Any) -> None:
    """Lay two vectors of every tap one after another: to be met by many channels."""
    for k in range(K):
        here, there = x + places[k], panel + 2 * k * lanes(x)
        copy_part(here, lanes(x), there)
        copy_part(here + lanes(x), lanes(x), there + lanes(x))


@helper
def _by_columns(
    x: Any, packed: Any, bias: Any, y: Any, plan: Any, N: int, first: int, last: int, copy: Any,
    panel: Any,
) -> None:  # fmt: skip
    p = plan.layout
    bands = (p.units + p.band - 1) // p.band
    rows = span(plan.rows)
    taps, steps = span(plan.taps), span(plan.steps)
    for item in range(first, last):
        n, g = item // (bands * p.groups), item // bands % p.groups
        unit = item % bands * p.band
        here = _band(x, p, N, n, g, unit, copy)
        for u in range(min(p.band, p.units - unit)):
            tap, end = _row_taps(p, unit + u)
            for j in range(0, p.out_columns, p.width):
                read, places = here + (u * p.step * p.pitch + j), taps + tap
                if plan.panel.size > 0:
                    _lay(read, places, end - tap, panel)
                    read, places = panel, span(plan.panel)
                for b in range(p.blocks):
                    m, block = b * p.tile_rows, g * p.blocks + b
                    channel = (n * p.groups + g) * p.out_channels + m
                    there = (channel * p.out_height + unit + u) * p.out_columns + j
                    product(
                        p.shape, packed + (block * p.taps + tap) * p.tile_rows, steps, rows,
                        read, places, end - tap, bias + block * p.tile_rows * p.width,
                        rows + p.tile_rows, y + there, rows + 2 * p.tile_rows,
                        min(p.tile_rows, p.out_channels - m), p.out_columns - j, p.streamed,
                    )  # (5.16), (5.18)  # fmt: skip


@helper
def _kernel_gradient(
    dy: Any, x: Any, sums: Any, dK: Any, plan: Any, N: int, first: int, last: int, copy: Any,
    panel: Any,
) -> None:  # fmt: skip
    p = plan.layout
    bands = (p.units + p.band - 1) // p.band
    plane = p.out_height * p.out_columns
    tiles = (p.taps + p.tile_rows - 1) // p.tile_rows
    taps, positions, rows = span(plan.taps), span(plan.positions), span(plan.rows)
    for g in range(first // (p.blocks * tiles), (last - 1) // (p.blocks * tiles) + 1):
        low = max(0, first - g * p.blocks * tiles)
        high = min(p.blocks * tiles, last - g * p.blocks * tiles)
        for item in range((N + p.images - 1) // p.images * bands):
            n, unit = item // bands * p.images, item % bands * p.band
            images, units = min(p.images, N - n), min(p.band, p.units - unit)
            here = _band(x, p, N, n, g, unit, copy)
            pixels = units * p.out_columns
            for b in range(low // tiles, (high - 1) // tiles + 1):
                channels = min(p.width, p.out_channels - b * p.width)
                channel = (n * p.groups + g) * p.out_channels + b * p.width
                error = dy + (channel * plane + unit * p.out_columns)
                for i in range(images):
                    for q in range(0, pixels, lanes(dy)):
                        for c in range(0, channels, lanes(dy)):
                            transpose_block(
                                error + (i * p.groups * p.out_channels * plane + c * plane + q),
                                plane, min(lanes(dy), channels - c), min(lanes(dy), pixels - q),
                                panel + ((i * pixels + q) * p.width + c), p.width,
                            )  # fmt: skip
                for tile in range(max(0, low - b * tiles), min(tiles, high - b * tiles)):
                    k = tile * p.tile_rows
                    there = sums + ((g * p.blocks + b) * tiles * p.tile_rows + k) * p.width
                    product(
                        p.shape, here, positions, taps + k, panel, span(plan.steps),
                        images * pixels, there, rows + 2 * p.tile_rows, there,
                        rows + 2 * p.tile_rows, p.tile_rows, p.width, 0,
                    )  # (5.19)  # fmt: skip
    for pair in range(first, last):
        g, b, tile = pair // (p.blocks * tiles), pair // tiles % p.blocks, pair % tiles
        here = sums + pair * p.tile_rows * p.width
        channels = min(p.width, p.out_channels - b * p.width)
        for m in range(channels):
            there = dK + ((g * p.out_channels + b * p.width + m) * p.taps + tile * p.tile_rows)
            for k in range(min(p.tile_rows, p.taps - tile * p.tile_rows)):
                there[k] = here[k * p.width + m]


def _kernels(fingerprint: int) -> tuple[Any, ...]:
    @kernel
    def pack(K: Any, b: Any, numbers: Any, tables: Any, width: int, packed: Any, bias: Any) -> None:
        _ = fingerprint
        plan = _with_names(numbers, tables)
        _pack(span(K), b, plan.layout, plan.weights, width, span(packed), span(bias))

    @kernel
    def by_channels(
        x: Any, packed: Any, bias: Any, y: Any, numbers: Any, tables: Any, items: int, copy: Any,
        block: Any, part: int, parts: int,
    ) -> None:  # fmt: skip
        _ = fingerprint
        plan = _with_names(numbers, tables)
        first, last = items * part // parts, items * (part + 1) // parts
        _by_channels(
            span(x), span(packed), span(bias), span(y), plan, x.shape[0], first, last, span(copy),
            span(block),
        )  # fmt: skip

    @kernel
    def by_columns(
        x: Any, packed: Any, bias: Any, y: Any, numbers: Any, tables: Any, items: int, copy: Any,
        panel: Any, part: int, parts: int,
    ) -> None:  # fmt: skip
        _ = fingerprint
        plan = _with_names(numbers, tables)
        first, last = items * part // parts, items * (part + 1) // parts
        _by_columns(
            span(x), span(packed), span(bias), span(y), plan, x.shape[0], first, last, span(copy),
            span(panel),
        )  # fmt: skip

    @kernel
    def kernel_gradient(
        dy: Any, x: Any, sums: Any, dK: Any, numbers: Any, tables: Any, items: int, copy: Any,
        panel: Any, part: int, parts: int,
    ) -> None:  # fmt: skip
        _ = fingerprint
        plan = _with_names(numbers, tables)
        first, last = items * part // parts, items * (part + 1) // parts
        if first < last:
            _kernel_gradient(
                span(dy), span(x), span(sums), span(dK), plan, x.shape[0], first, last,
                span(copy), span(panel),
            )  # fmt: skip

    return pack, by_channels, by_columns, kernel_gradient


_pack_kernel, _channels_kernel, _columns_kernel, _gradient_kernel = _kernels(FINGERPRINT)


def _fill(x: Any, K: Any, b: Any, plan: Plan, y: Any) -> None:
    """Fill y from x along a plan."""
    p = plan.layout
    bands = -(-p.units // p.band)
    items = -(-x.shape[0] // p.images) * bands * p.groups
    width = p.tile_rows if p.by_columns else p.width
    total = x.shape[0] * plan.multiplications
    workers = min(worth(total, LARGE), items)
    channels = p.groups * p.blocks * width  # in whole blocks
    if p.by_columns:
        kernel, starts, size = _columns_kernel, channels * p.width, p.width * plan.panel.size
    else:
        kernel, starts = _channels_kernel, channels
        size = p.images * p.band * p.unit_rows * p.out_columns * p.width
    # before the threads are called: while this one is busy in Python, they cannot begin
    sizes = p.taps * channels, starts, *(p.copy_size, size) * workers
    packed, bias, *buffers = pieces(x.dtype, *sizes)
    numbers, tables = plan.plain
    _pack_kernel(K, b, numbers, tables, width, packed, bias)

    def work(worker: int, chunk: int, chunks: int) -> None:
        copy, scratch = buffers[2 * worker : 2 * worker + 2]
        kernel(x, packed, bias, y, numbers, tables, items, copy, scratch, chunk, chunks)

    share_out(work, total, LARGE, items, workers)


def _flat(K: Any, geometry: Geometry, *arrays: Any) -> Any:
    """For kernels of one tap: the images in rows that fill vectors, if their size allows it."""
    if K.shape[2:] != (1, 1) or geometry != Geometry(groups=geometry.groups):
        return arrays
    size = arrays[0].shape[2] * arrays[0].shape[3]
    columns = next((n for n in range(LONG, 2 * LONG, 32) if size % n == 0), size)
    return tuple(a.reshape(*a.shape[:2], size // columns, columns) for a in arrays)


def forward(x: Any, K: Any, b: Any, geometry: Geometry, y: Any) -> None:
    """Fill y (N, M, Ho, Wo) with the convolution layer's output."""
    x, y = _flat(K, geometry, x, y)
    plan = forward_plan(x.shape, K.shape, geometry, 8 * x.itemsize)
    _fill(x, K, b, plan, y)


def input_gradient(dy: Any, K: Any, geometry: Geometry, dx: Any) -> None:
    """Fill dx (N, C, H, W) with the gradient of the input."""
    dy, dx = _flat(K, geometry, dy, dx)
    plan = input_gradient_plan(dy.shape, K.shape, dx.shape, geometry, 8 * dy.itemsize)
    _fill(dy, K, np.zeros(dx.shape[1], dy.dtype), plan, dx)


def kernel_gradient(dy: Any, x: Any, geometry: Geometry, dK: Any) -> None:
    """Fill dK (M, C / groups, R, S) with the gradient of the kernels."""
    dy, x = _flat(dK, geometry, dy, x)
    plan = forward_plan(x.shape, dK.shape, geometry, 8 * x.itemsize, False)
    p = plan.layout
    items = p.groups * p.blocks * -(-p.taps // p.tile_rows)
    parts = min(worth(x.shape[0] * plan.multiplications, LARGE), items)
    size = p.images * p.band * p.out_columns * p.width
    sums, *buffers = pieces(x.dtype, items * p.tile_rows * p.width, *(p.copy_size, size) * parts)
    sums.fill(0)
    numbers, tables = plan.plain

    def work(part: int, parts: int) -> None:
        copy, panel = buffers[2 * part : 2 * part + 2]
        _gradient_kernel(dy, x, sums, dK, numbers, tables, items, copy, panel, part, parts)

    split(work, parts)
