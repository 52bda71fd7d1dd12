"""Pooling: windows slide over the planes of a batch, and each answers with one number.

Forward a thread, or a team of threads, looks through one window (`pooling_windows`); backward a
thread collects what one place of the images gets (`pooling_places`). There is hardly anything to
compute, so what counts is the memory: each number should be fetched once, and neighbouring threads
should ask for neighbouring numbers. Windows of two by two read every number once. Windows that
overlap read some of them again, but from the cache, as blocks take one stretch of a plane each,
one stretch after the other.

Going back through a maximum, the winner of each window is looked for once. Where windows overlap,
its place is noted in memory between two kernels, and every place of the image then asks the windows
over it whether it was the one.

A plane, one channel of one example, may have up to 2^31 places, and a batch as many planes: places
are counted in 32 bits, which a GPU does several times faster than in 64, and only the start of a
plane in 64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar.kernels.cuda.kernel import blocks_for
from ketkar.kernels.cuda.memory import on_device, scratch
from ketkar.kernels.cuda.pooling_places import max_cells, max_collect, mean_collect, norm_collect
from ketkar.kernels.cuda.pooling_windows import (
    MEAN,
    MEAN_WITH_PADDING,
    NORM,
    THREADS,
    max_pool,
    max_winners,
    sum_pool,
)
from ketkar.kernels.geometry import Geometry

__all__ = [
    "avg_pool2d_backward",
    "avg_pool2d_forward",
    "l2_pool2d_backward",
    "l2_pool2d_forward",
    "max_pool2d_backward",
    "max_pool2d_forward",
]

HANDFUL = 4096
"""Threads' worth of small planes that are dealt out together."""
HIGHEST = 65535
"""Blocks on the second and on the third axis of a grid."""
CELL = 16
"""Places that a single thread writes at most."""
LARGE = 32
"""Taps of a window from which a team looks through it."""
EACH = 8
"""Taps that each thread of a team looks at, more or less."""

Size = tuple[int, int]


@on_device(fills="y")
def max_pool2d_forward(x: Any, size: Size, geometry: Geometry, y: Any) -> None:
    """Fill y (N, C, Ho, Wo) with the largest number that each window sees in x (N, C, H, W)."""
    halvings = _halvings(size, geometry, y)
    blocks, planes = _dealt(y, y.shape[2:], 1 << halvings)
    max_pool(blocks, _flat(x), _flat(y), planes, *_moves(size, geometry, x, y), halvings)


@on_device(fills="dx")
def max_pool2d_backward(dy: Any, x: Any, size: Size, geometry: Geometry, dx: Any) -> None:
    """Fill dx (N, C, H, W): each window gives its error to the first number that is its maximum."""
    moves = _moves(size, geometry, x, dy)
    steps = geometry.stride_rows, geometry.stride_columns
    apart = all(step >= reach for step, reach in zip(steps, _reach(size, geometry), strict=True))
    if apart and steps[0] * steps[1] <= CELL:
        H, W = x.shape[2:]
        cells = -(-(H + geometry.top) // steps[0]), -(-(W + geometry.left) // steps[1])
        blocks, planes = _dealt(x, cells)
        max_cells(blocks, _flat(dy), _flat(x), _flat(dx), planes, _pair(*cells), *moves)
        return
    halvings = _halvings(size, geometry, dy)
    winners = scratch(dy, dy.size, dtype=np.int32)
    blocks, planes = _dealt(dy, dy.shape[2:], 1 << halvings)
    max_winners(blocks, _flat(x), winners, planes, *moves, halvings)
    blocks, planes = _dealt(x, x.shape[2:])
    max_collect(blocks, _flat(dy), winners, _flat(dx), planes, *moves)


@on_device(fills="y")
def avg_pool2d_forward(
    x: Any, size: Size, geometry: Geometry, count_include_pad: bool, y: Any
) -> None:
    """Fill y (N, C, Ho, Wo) with the mean of what each window sees in x (N, C, H, W)."""
    _sums(x, size, geometry, MEAN_WITH_PADDING if count_include_pad else MEAN, y)


@on_device(fills="dx")
def avg_pool2d_backward(
    dy: Any, size: Size, geometry: Geometry, count_include_pad: bool, dx: Any
) -> None:
    """Fill dx (N, C, H, W): each window gives equal shares of its error to all that it sees."""
    blocks, planes = _dealt(dx, dx.shape[2:])
    kind = MEAN_WITH_PADDING if count_include_pad else MEAN
    moves = *_moves(size, geometry, dx, dy), _padded(geometry, dx)
    mean_collect(blocks, _flat(dy), _flat(dx), planes, *moves, kind)


@on_device(fills="y")
def l2_pool2d_forward(x: Any, size: Size, geometry: Geometry, y: Any) -> None:
    """Fill y (N, C, Ho, Wo) with the root of the sum of squares of what each window sees."""
    _sums(x, size, geometry, NORM, y)


@on_device(fills="dx")
def l2_pool2d_backward(dy: Any, x: Any, y: Any, size: Size, geometry: Geometry, dx: Any) -> None:
    """Fill dx (N, C, H, W) with what l2_pool2d_forward gave y for: dy x / y, and 0 where y is 0."""
    blocks, planes = _dealt(dx, dx.shape[2:])
    moves = _moves(size, geometry, x, dy)
    norm_collect(blocks, _flat(dy), _flat(x), _flat(y), _flat(dx), planes, *moves)


def _sums(x: Any, size: Size, geometry: Geometry, kind: int, y: Any) -> None:
    halvings = _halvings(size, geometry, y)
    blocks, planes = _dealt(y, y.shape[2:], 1 << halvings)
    moves = *_moves(size, geometry, x, y), _padded(geometry, x)
    sum_pool(blocks, _flat(x), _flat(y), planes, *moves, halvings, kind)


def _flat(array: Any) -> Any:
    return array.reshape(-1)


def _pair(first: int, second: int) -> int:
    """Two numbers below 2^31 as one; `pooling_windows.two` takes them apart."""
    return (first << 32) | second


def _moves(size: Size, geometry: Geometry, image: Any, outputs: Any) -> tuple[int, ...]:
    """Image, outputs, window, stride, dilation and padding, as every kernel takes them."""
    g = geometry
    return (
        _pair(*image.shape[2:]),
        _pair(*outputs.shape[2:]),
        _pair(*size),
        _pair(g.stride_rows, g.stride_columns),
        _pair(g.dilation_rows, g.dilation_columns),
        _pair(g.top, g.left),
    )


def _padded(geometry: Geometry, image: Any) -> int:
    """Rows and columns of the image with its padding."""
    H, W = image.shape[2:]
    g = geometry
    return _pair(H + g.top + g.bottom, W + g.left + g.right)


def _reach(size: Size, geometry: Geometry) -> Size:
    """Rows and columns from the first number that a window sees to the last."""
    g = geometry
    return g.dilation_rows * (size[0] - 1) + 1, g.dilation_columns * (size[1] - 1) + 1


def _halvings(size: Size, geometry: Geometry, outputs: Any) -> int:
    """The logarithm of the threads in a team: 0, for one thread, unless windows are large.

    Where large windows overlap much, neighbours read the same numbers, and each does it alone.
    """
    taps = size[0] * size[1]
    single = outputs.shape[2] * outputs.shape[3] == 1
    if taps < LARGE or not (single or 2 * geometry.stride_rows * geometry.stride_columns >= taps):
        return 0
    return min((taps // EACH).bit_length(), THREADS.bit_length()) - 1


def _dealt(batch: Any, places: Any, team: int = 1) -> tuple[tuple[int, int, int], int]:
    """How the planes of a batch are shared out, if each has so many places for a team each.

    Returns
    -------
    blocks : tuple of int
        The grid: stretches of a handful of planes, and handfuls, on two axes as there may be many.
    planes : int
        The number of all planes and of those in a handful, as one number.
    """
    many, threads = batch.shape[0] * batch.shape[1], places[0] * places[1] * team
    together = min(many, max(1, HANDFUL // threads))
    handfuls = blocks_for(many, together)
    deep = blocks_for(handfuls, HIGHEST)
    blocks = blocks_for(together * threads, THREADS), blocks_for(handfuls, deep), deep
    return blocks, _pair(many, together)
