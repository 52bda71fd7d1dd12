"""The plan of a convolution: which numbers meet, as tables for the micro-kernel.

Forward, and on the way back to the input, a convolution fills an image of *units* of rows from
another image. Forward, a unit is one row of the output; the way back fills as many rows of the
input at once as the stride, since only every stride-th of them meets the same taps. Those that
do are a *phase*: with its own taps, a phase is a convolution of stride one.

Units are worked through in *bands*, some rows of one image or several small images, whose input is
first copied with the padding around it, so that the loops know no edges. A stride along the
columns is undone in the copy where the lanes are columns: those that one tap meets come to stand
side by side. Where neither that nor padding is asked for, the image is read in place.

A tap stands `taps[k]` numbers behind the position it is counted from; positions are counted from
the first number of a band. Plans hold numbers only; they are kept, because a network meets the same
few shapes again and again.
"""

from __future__ import annotations

import functools
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketkar.kernels.cpu.machine import SIMD_BITS
from ketkar.kernels.cpu.products import FLAT, SHAPES, SIX, SIX_WIDE, TALL, WIDE
from ketkar.kernels.geometry import Geometry

Table = NDArray[np.int64]
Shape = tuple[int, ...]

BAND: Final = 256
"""Positions that a band should have: enough for whole tiles, few enough for the first cache."""

PANEL: Final = 1 << 14
"""Bytes of a panel of the image that stay in the first cache, beside what it meets."""

REUSED: Final = 4
"""Blocks of output channels from which on such a panel is worth laying."""

NEARLY: Final = 0.95
"""Columns that are preferred may use so many of the lanes that channels would."""

STREAMED: Final = 1 << 24
"""Bytes of an output that no cache will hold until it is read again."""


class Layout(NamedTuple):
    """The whole numbers of a plan."""

    shape: int
    """The tile, one of `products.SHAPES`, with its rows and the numbers in each."""
    tile_rows: int
    width: int
    by_columns: int
    """Whether the lanes are columns of the image; else they are output channels."""
    streamed: int
    """Whether the output is written past the caches, for which it is too large."""
    groups: int
    images: int
    """How many images a band holds; above one only where a band holds all their rows."""
    channels: int
    """Channels of the input, of one group."""
    height: int
    columns: int
    copied: int
    """Whether a band's input is copied; if so into planes of `rows` rows of `pitch` numbers."""
    rows: int
    pitch: int
    plane: int
    first_row: int
    """The row of the image that the first unit begins with."""
    left: int
    """Columns of padding; below zero, columns of the image that are left out."""
    stride: int
    """The stride along the columns that the copy undoes."""
    units: int
    band: int
    """How many units a band has, and by how many rows of the input they are apart."""
    step: int
    unit_rows: int
    out_channels: int
    out_height: int
    out_columns: int
    blocks: int
    """Blocks of `width` output channels, or of tile rows where the lanes are columns."""
    taps: int
    """All taps of all phases."""
    tap_rows: int
    """Rows of taps that may be left out in the padding, so many rows of the image apart; or 0."""
    tap_step: int
    lane_stride: int
    """From one output channel to the next in the kernel, and from one group to the next."""
    group_stride: int

    @property
    def copy_size(self) -> int:
        """How many numbers a band's copy takes, with room for what is read beyond it."""
        return self.images * self.channels * self.plane + 6 * self.width if self.copied else 1


class Plan(NamedTuple):
    """A layout and its tables."""

    layout: Layout
    tap_starts: Table
    """Where the taps of each phase begin in the tables of taps; one more entry than phases."""
    taps: Table
    weights: Table
    """Where the tap's weight stands in the kernel, for output channel 0."""
    position_starts: Table
    positions: Table
    pixels: Table
    """Where a position's sums go in the band's block of output, pixel by pixel."""
    phase_columns: Table
    """How many positions a phase has in each unit."""
    steps: Table
    """Multiples of the width: where the vectors of the k-th tap stand."""
    rows: Table
    """Multiples of what is between two rows of a tile, where that is not from the tables above."""
    panel: Table
    """Where the taps of a tile's columns stand once they are laid out; empty if they are not."""

    @property
    def plain(self) -> tuple[tuple[int, ...], tuple[Table, ...]]:
        """Numbers and tables without names: their type is found in half the time."""
        return tuple(self.layout), tuple(self[1:])

    @property
    def multiplications(self) -> int:
        """How many multiplications one image takes."""
        pairs = zip(pairwise(self.tap_starts.tolist()), self.phase_columns.tolist(), strict=True)
        layout = self.layout
        per_unit = sum((last - first) * columns for (first, last), columns in pairs)
        return per_unit * layout.units * layout.out_channels * layout.groups


class _Axis(NamedTuple):
    """One axis of a convolution: its phases of taps, each tap with its number and its offset."""

    phases: tuple[tuple[tuple[int, int], ...], ...]
    first: int
    """Where in the input the first output begins; below zero in the padding."""
    reach: int
    """How many input places the taps of one output span."""
    step: int
    """Input places from one unit to the next."""


def _forward_axis(taps: int, stride: int, before: int, dilation: int) -> _Axis:
    offsets = tuple((r, r * dilation) for r in range(taps))
    return _Axis((offsets,), -before, dilation * (taps - 1) + 1, stride)


def _gradient_axis(taps: int, stride: int, before: int, dilation: int) -> _Axis:
    """Output h of the way back meets error ``(h + before - r dilation) / stride``, if whole."""
    phases = [
        [
            (r, (a + before - r * dilation) // stride)
            for r in range(taps)
            if (a + before - r * dilation) % stride == 0
        ]
        for a in range(stride)
    ]
    places = [place for phase in phases for _, place in phase]
    first, last = min(places), max(places)
    moved = tuple(tuple((r, place - first) for r, place in phase) for phase in phases)
    return _Axis(moved, first, last - first + 1, 1)


def _ceil(a: int, b: int) -> int:
    return -(-a // b)


@functools.lru_cache(maxsize=256)
def forward_plan(
    x: Shape, K: Shape, geometry: Geometry, bits: int, by_columns: bool | None = None
) -> Plan:
    """The plan that fills the output of a convolution (5.16) from x (N, C, H, W).

    `bits` is the size of a number; `by_columns` puts columns of the image into the lanes instead
    of channels, and None chooses.
    """
    (N, C, H, W), (M, _, R, S) = x, K
    g = geometry
    size = g.output_size((H, W), (R, S))
    axes = (
        _forward_axis(R, g.stride_rows, g.top, g.dilation_rows),
        _forward_axis(S, g.stride_columns, g.left, g.dilation_columns),
    )
    weights = (R * S, C // g.groups * R * S)
    shapes = (N, C // g.groups, H, W), (M // g.groups, *size)
    return _plan(shapes, axes, g.groups, S, weights, K, bits, by_columns, 0)


@functools.lru_cache(maxsize=256)
def input_gradient_plan(dy: Shape, K: Shape, dx: Shape, geometry: Geometry, bits: int) -> Plan:
    """The plan that fills the gradient of the input (5.18) from the error dy (N, M, Ho, Wo)."""
    (N, M, Ho, Wo), (_, C, R, S) = dy, K
    g = geometry
    axes = (
        _gradient_axis(R, g.stride_rows, g.top, g.dilation_rows),
        _gradient_axis(S, g.stride_columns, g.left, g.dilation_columns),
    )
    weights = (C * R * S, R * S)
    shapes = (N, M // g.groups, Ho, Wo), (C, dx[2], dx[3])
    by_columns = False if g.stride_columns > 1 or g.stride_rows > 1 else None
    step = g.dilation_rows
    return _plan(shapes, axes, g.groups, S, weights, K, bits, by_columns, step)


def _plan(
    shapes: tuple[Shape, Shape], axes: tuple[_Axis, _Axis], groups: int, S: int,
    weights: tuple[int, int], K: Shape, bits: int, by_columns: bool | None, tap_step: int,
) -> Plan:  # fmt: skip
    """The plan of either; rows of taps `tap_step` apart, if it is given, add nothing in padding.

    Forward, padding is zero times a weight, which may be infinite. On the way back there is
    nothing, and the taps of a row of the image stand together, so that they can be left out.
    """
    (N, C, H, W), (M, Ho, Wo) = shapes
    rows, columns = axes
    unit_rows, unit_columns = len(rows.phases), len(columns.phases)
    lanes = SIMD_BITS // bits
    if by_columns is None:
        by_columns = _columns_fill_better(M, Wo, lanes, K[2:] == (1, 1) and M >= C)
    shape = _columns_shape(M, Wo, lanes) if by_columns else (TALL if _ceil(M, lanes) == 1 else WIDE)
    tile_rows, vectors = SHAPES[shape]
    units = _ceil(Ho, unit_rows)
    widest = max(_ceil(Wo - b, unit_columns) for b in range(unit_columns))
    band = _part(units, _ceil(BAND, widest * unit_rows * unit_columns))
    images = 1
    if band == units and not by_columns:
        images = _part(N, BAND // (units * widest))
    needed = (widest - 1) * columns.step + columns.reach
    stride = columns.step if by_columns else 1
    outside = rows.first != 0 or columns.first != 0 or needed > W
    outside = outside or (units - 1) * rows.step + rows.reach > H
    outside = outside or units % band > 0 or N % images > 0  # a last band reads as far as others
    copied = outside or (by_columns and (stride > 1 or Wo % (vectors * lanes) > 0))
    band_rows = (band - 1) * rows.step + rows.reach
    per_stride = _ceil(needed, stride)
    pitch = stride * per_stride if copied else W
    plane = band_rows * pitch if copied else H * W
    tap_starts, taps, places = [0], [], []
    position_starts, positions, pixels, phase_columns = [0], [], [], []
    image_pitch = C * plane if copied else groups * C * plane
    skipping = by_columns and tap_step > 0
    for a, row_taps in enumerate(rows.phases):
        for b, column_taps in enumerate(columns.phases):
            order = [(c, *row) for c in range(C) for row in row_taps]
            if skipping:
                order.sort(key=lambda tap: tap[2])
            here = [
                (
                    c * plane + down * pitch + across % stride * per_stride + across // stride,
                    c * weights[0] + r * S + s,
                )
                for c, r, down in order
                for s, across in column_taps
            ]
            taps += [offset for offset, _ in here]
            places += [weight for _, weight in here]
            tap_starts.append(len(taps))
            v = np.arange(_ceil(Wo - b, unit_columns)) * (columns.step // stride)
            u = np.arange(band)[:, None]
            n = np.arange(images)[:, None, None]
            position = (n * image_pitch + u * rows.step * pitch + v).ravel()
            pixel = ((n * band + u) * unit_rows + a) * Wo + np.arange(len(v)) * unit_columns + b
            spare = -len(position) % tile_rows
            positions.append(np.pad(position, (0, spare), mode="edge"))
            pixels.append(np.pad(pixel.ravel() * vectors * lanes, (0, spare), mode="edge"))
            position_starts.append(position_starts[-1] + len(position) + spare)
            phase_columns.append(len(v))
    streamed = int(N * groups * M * Ho * Wo * bits // 8 >= STREAMED)
    layout = Layout(
        shape, tile_rows, vectors * lanes, int(by_columns), streamed, groups, images, C, H, W,
        int(copied), band_rows, pitch, plane, rows.first, -columns.first, stride, units, band,
        rows.step, unit_rows, M, Ho, Wo, _ceil(M, tile_rows if by_columns else vectors * lanes),
        len(taps), K[2] if skipping else 0, tap_step, weights[1],
        K[0] // groups * K[1] * K[2] * K[3],
    )  # fmt: skip
    tap_table = np.array(taps + [taps[-1] if taps else 0] * tile_rows, np.int64)
    return Plan(
        layout,
        np.array(tap_starts),
        tap_table,
        np.array(places, np.int64),
        np.array(position_starts),
        np.concatenate(positions),
        np.concatenate(pixels),
        np.array(phase_columns),
        *_multiples(layout, by_columns, len(taps), band * widest * images),
        _panel(layout, lanes, bits),
    )


def _part(whole: int, most: int) -> int:
    """A part of at most so many, at least one; equal parts if there are some of like size."""
    most = max(1, min(whole, most))
    return next((n for n in range(most, most // 2, -1) if whole % n == 0), most)


def _multiples(layout: Layout, by_columns: bool, taps: int, positions: int) -> tuple[Table, Table]:
    """Tables of equal steps: along k, and along the rows of a tile (three of them, one after
    another: of the input, of the start and of the output).
    """
    k = np.arange(max(taps, positions) + 1)
    r = np.arange(layout.tile_rows)
    if by_columns:
        plane = layout.out_height * layout.out_columns
        steps = k * layout.tile_rows
        rows = np.concatenate([r, r * layout.width, r * plane])
    else:
        steps = k * layout.width
        rows = np.concatenate([r * 0, r * 0, r * layout.width])
    return steps, rows


def _panel(layout: Layout, lanes: int, bits: int) -> Table:
    """The rows of a panel of two vectors a tap, where many blocks of channels meet it."""
    p = layout
    worth = p.blocks >= REUSED and p.taps * p.width * bits // 8 <= PANEL
    laid = p.by_columns and p.width == 2 * lanes and worth
    return np.arange(p.taps if laid else 0) * p.width


def _filled(count: int, size: int) -> float:
    """Which part of whole blocks is used."""
    return count / (_ceil(count, size) * size)


def _columns_shape(M: int, Wo: int, lanes: int) -> int:
    """The tile for columns in the lanes."""
    if M <= 2:
        return FLAT
    if Wo <= lanes or _filled(Wo, lanes) > _filled(Wo, 2 * lanes):
        return SIX
    return WIDE if _filled(M, SHAPES[WIDE][0]) >= _filled(M, SHAPES[SIX_WIDE][0]) else SIX_WIDE


def _columns_fill_better(M: int, Wo: int, lanes: int, preferred: bool) -> bool:
    """Whether more lanes are used with columns in them than with channels.

    Where columns are `preferred`, a few idle lanes count for nothing.
    """
    tile_rows, vectors = SHAPES[_columns_shape(M, Wo, lanes)]
    by_columns = _filled(M, tile_rows) * _filled(Wo, vectors * lanes)
    by_channels = _filled(M, lanes * min(2, _ceil(M, lanes)))
    return by_columns > by_channels * (NEARLY if preferred else 1)
