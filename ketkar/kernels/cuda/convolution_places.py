"""Which place of an image sees which: the one relation behind a convolution and its gradient.

A convolution, forward, lets place i of its output see row ``i stride + r dilation - top`` of the
image through tap r (5.16). The gradient of the input lets row h of the image see all outputs that
saw it: those i with ``i stride = h + top - r dilation`` (5.18). Both say, of a place h that is to
be computed and a place i that it sees through tap r:

    stride i  =  step h + pad - r dilation

Forward, stride is 1, step is the layer's stride, and pad and dilation have their signs turned.
Backward, step is 1. So one kernel computes both, if it can divide by the stride.

Rows whose h leave the same remainder, their phase, see through the same taps: every so-manieth one
("apart"), from a first one on. Within a phase the division always comes out even, so that there
the gradient of a layer with any stride is a convolution with stride 1, of its own few taps: no
multiplication with a zero between two errors is ever made. A block of threads has one phase.
"""

from __future__ import annotations

from math import gcd
from typing import Any, NamedTuple

import numpy as np

from ketkar.kernels.cuda.provider import cuda
from ketkar.kernels.geometry import Geometry

__all__ = [
    "ARGUMENTS",
    "LARGEST",
    "Axis",
    "axes_back",
    "axes_forward",
    "part_of",
    "place_of",
    "seen_from",
]

LARGEST = 2**31 - 1
"""Places that one launch computes for a channel at most: they are counted in 32 bits."""


class Axis(NamedTuple):
    """The relation along the rows, or along the columns, as a kernel takes it."""

    seen: int  # the size of what is seen
    places: int  # the size of what is computed
    window: int
    step: int
    stride: int
    apart: int  # from one tap of a phase to its next one
    inverse: int  # of dilation / gcd modulo stride / gcd, which finds the first tap
    pad: int
    dilation: int

    @property
    def phases(self) -> int:
        """Phases that have a place."""
        return min(self.stride, self.places)

    @property
    def in_phase(self) -> int:
        """Places of the phase that has most."""
        return -(-self.places // self.stride)


ARGUMENTS = "T1 T1 T1 T1" + 8 * " i" + 2 * len(Axis._fields) * " i"
"""Of the kernels that compute it: x, K, b, y, eight numbers and two axes."""


def axes_forward(x: tuple[int, ...], K: tuple[int, ...], y: tuple[int, ...], g: Geometry) -> Any:
    """Both axes of a convolution of x (N, C, H, W) that fills y (N, M, Ho, Wo)."""
    rows = Axis(x[2], y[2], K[2], g.stride_rows, 1, 1, 0, -g.top, -g.dilation_rows)
    columns = Axis(x[3], y[3], K[3], g.stride_columns, 1, 1, 0, -g.left, -g.dilation_columns)
    return rows, columns


def axes_back(dy: tuple[int, ...], K: tuple[int, ...], dx: tuple[int, ...], g: Geometry) -> Any:
    """Both axes of the gradient dx (N, C, H, W) from dy (N, M, Ho, Wo)."""
    rows = _back(dy[2], dx[2], K[2], g.stride_rows, g.top, g.dilation_rows)
    columns = _back(dy[3], dx[3], K[3], g.stride_columns, g.left, g.dilation_columns)
    return rows, columns


def _back(seen: int, places: int, window: int, stride: int, pad: int, dilation: int) -> Axis:
    common = gcd(stride, dilation)
    apart = stride // common
    inverse = pow(dilation // common, -1, apart) if apart > 1 else 0
    return Axis(seen, places, window, 1, stride, apart, inverse, pad, dilation)


@cuda.jit(device=True)
def seen_from(phase, window, stride, apart, inverse, pad, dilation):  # type: ignore[no-untyped-def]
    """The first tap of a phase, how many it has, what its place 0 sees through it, and the move
    from a tap to the next.
    """
    if stride == 1:
        return np.int32(0), np.int32(window), np.int32(pad), np.int32(-dilation)
    common = stride // apart
    offset = phase + pad
    if offset % common != 0:
        return np.int32(0), np.int32(0), np.int32(0), np.int32(0)  # no tap fits
    first = offset // common % apart * inverse % apart  # first dilation = offset modulo stride
    taps = max(0, (window - first + apart - 1) // apart)
    seen = (offset - first * dilation) // stride
    return np.int32(first), np.int32(taps), np.int32(seen), np.int32(-(dilation // common))


@cuda.jit(device=True)
def part_of(block, tiles, place_tiles, groups, phases_w):  # type: ignore[no-untyped-def]
    """What a block computes: tile of maps, tile of places, group, phase of rows and of columns."""
    rest = np.uint32(np.uint32(block) // np.uint32(tiles))
    tile = np.int32(np.uint32(block) - np.uint32(rest * np.uint32(tiles)))
    above = np.uint32(rest // np.uint32(place_tiles))
    place_tile = np.uint32(rest - np.uint32(above * np.uint32(place_tiles)))
    phase = np.uint32(above // np.uint32(groups))
    g = np.int32(above - np.uint32(phase * np.uint32(groups)))
    phase_h = np.uint32(phase // np.uint32(phases_w))
    phase_w = np.int32(phase - np.uint32(phase_h * np.uint32(phases_w)))
    return tile, place_tile, g, np.int32(phase_h), phase_w


@cuda.jit(device=True)
def place_of(  # type: ignore[no-untyped-def]
    q, N, Ho, stride_h, phase_h, Wo, stride_w, phase_w
):  # fmt: skip
    """Place q of a phase: its example, row and column within the phase, and its place of the
    output's plane, which is -1 if it does not exist.
    """
    columns = np.uint32((Wo + stride_w - 1) // stride_w)
    plane = np.uint32(np.uint32((Ho + stride_h - 1) // stride_h) * columns)
    n = np.uint32(np.uint32(q) // plane)
    rest = np.uint32(np.uint32(q) - np.uint32(n * plane))
    i = np.uint32(rest // columns)
    j = np.int32(rest - np.uint32(i * columns))
    h = phase_h + np.int32(i) * stride_h
    w = phase_w + j * stride_w
    exists = n < np.uint32(N) and h < Ho and w < Wo
    return np.int64(n), np.int32(i), j, np.int32(h * Wo + w if exists else -1)
