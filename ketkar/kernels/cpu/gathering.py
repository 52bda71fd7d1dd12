"""The way back of pooling, down a strip of windows: each row of the gradient is written once.

For windows of two or three rows and columns that stand two apart and see no padding. As many of
them as a vector has lanes stand side by side and go down the image together, and all that is
between stays in registers. Where windows have three rows, the third one is the first of the windows
below: to them is handed down what the row is given and, for a maximum, what was found in it.

A maximum is found in two steps: in each row of a window, then among the largest of its rows. So a
row that two windows share is searched once. Both would choose the same of its numbers, which takes
what they give together.

Every other number of a row is picked from two vectors. The shuffles that cost least stay within 128
bits, and so the windows stand in the lanes as `_order` says, not one after the other.
"""

from __future__ import annotations

from typing import Any, Final

from numba import types

from ketkar.kernels.cpu.rows import L2, MAX, clipped, constants, filled, picked, values
from ketkar.kernels.cpu.span import constant
from ketkar.kernels.cpu.vector import (
    lanes_of,
    load_part,
    load_vector,
    store_part,
    store_vector,
)

HANDED: Final = 4
"""Registers for what is handed down: what is given to a row, and `found` of its three columns."""


@constants
def first_row(typing: Any, handed: Any, source: Any, count: Any, plain: Any) -> Any:
    """What is handed down to the first windows of three rows: what is found in their first row."""
    (is_plain,) = values(plain)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tile, here, count, _ = arguments
        windows = _Windows(context, builder, handed.dtype, 3, MAX, None if is_plain else count)
        nothing = filled(handed.dtype, 0)
        return windows.hand_down(tile, [nothing, *windows.search(here, constant(0))])

    return handed(handed, source, types.int64, plain), generate


@constants
def window_rows(
    typing: Any, handed: Any, error: Any, norm: Any, source: Any, target: Any, width: Any,
    count: Any, last: Any, size: Any, kind: Any, plain: Any,
) -> Any:  # fmt: skip
    """Write the two rows of the gradient that begin a row of windows; what these hand down.

    `plain` says that there are as many windows as lanes, and no NaN; else there are `count`. `last`
    says that no window stands to their right, and so their third column is written to the end.
    """
    dtype, (edge, wanted, is_plain) = handed.dtype, values(size, kind, plain)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tile, errors, norms, here, there, width, count, last = arguments[:8]
        windows = _Windows(context, builder, dtype, edge, wanted, None if is_plain else count)
        above, *handed_row = (builder.extract_value(tile, k) for k in range(HANDED))
        starts = [builder.mul(width, constant(r)) for r in range(edge)]
        rows: list[list[Any]] = [[] for _ in range(edge)]
        if wanted == MAX:
            rows = [handed_row] if edge == 3 else []
            rows += [windows.search(here, start) for start in starts[edge - 2 :]]
            best = windows.found([largest for largest, *_ in rows])
            given = windows.divided(windows.read_windows(errors), best)
        else:
            given = [windows.share(errors, norms)] * edge
        if edge == 3:
            given[0] = builder.fadd(given[0], above)
            tile = windows.hand_down(tile, [given[2], *rows[2]])
        # before the branches of `write`: LLVM packs masks into bits where it takes them over one
        columns = [windows.columns(given[r], rows[r]) for r in (0, 1)]
        for r in (0, 1):
            windows.write(columns[r], here, there, starts[r], last)
        return tile

    whole = types.int64
    return handed(
        handed, error, norm, source, target, whole, whole, types.boolean, size, kind, plain
    ), generate


@constants
def last_row(
    typing: Any, handed: Any, source: Any, target: Any, count: Any, last: Any, kind: Any, plain: Any
) -> Any:
    """Write the row of the gradient that the last windows of three rows share with none."""
    dtype, (wanted, is_plain) = handed.dtype, values(kind, plain)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tile, here, there, count, last = arguments[:5]
        windows = _Windows(context, builder, dtype, 3, wanted, None if is_plain else count)
        given, *row = (builder.extract_value(tile, k) for k in range(HANDED))
        windows.write(windows.columns(given, row), here, there, constant(0), last)
        return context.get_dummy_value()

    return types.void(handed, source, target, types.int64, types.boolean, kind, plain), generate


class _Windows:
    """The code for windows of edge x edge numbers that stand side by side.

    There are as many as lanes and no number is NaN if `count` is None; else there are `count`.
    """

    def __init__(
        self, context: Any, builder: Any, dtype: Any, edge: int, kind: int, count: Any
    ) -> None:
        self.context, self.builder, self.dtype = context, builder, dtype
        self.edge, self.kind, self.count = edge, kind, count
        self.size = lanes_of(dtype)

    def read(self, span: Any, offset: Any, count: Any) -> Any:
        """A vector from memory, or what is there of it."""
        if count is None:
            return load_vector(self.context, self.builder, self.dtype, span, offset)
        return load_part(self.context, self.builder, self.dtype, span, offset, count)

    def room(self, half: int, more: int = 0) -> Any:
        """How many of two columns a window, and some more, stand in a half of two vectors.

        None stands for all that there can be; behind two vectors there is one column at most.
        """
        if self.count is None:
            return None if half < 2 else constant(more)
        columns = self.builder.add(self.builder.mul(self.count, constant(2)), constant(more))
        return clipped(self.builder, self.dtype, columns, half)

    def read_columns(self, span: Any, offset: Any) -> list[Any]:
        """The two vectors that hold two columns of each window."""
        places = [self.builder.add(offset, constant(half * self.size)) for half in (0, 1)]
        return [self.read(span, places[half], self.room(half)) for half in (0, 1)]

    def read_windows(self, span: Any) -> Any:
        """One number of each window."""
        numbers = self.read(span, constant(0), self.count)
        return picked(self.builder, numbers, numbers, _order(self.dtype))

    def search(self, span: Any, offset: Any) -> list[Any]:
        """What is `found` in a row of the windows."""
        even, odd = _apart(self.dtype)
        pair = self.read_columns(span, offset)
        columns = [picked(self.builder, pair[0], pair[1], lanes) for lanes in (even, odd)]
        if self.edge == 3:
            later = self.read_columns(span, self.builder.add(offset, constant(1)))
            columns.append(picked(self.builder, later[0], later[1], odd))
        return self.found(columns)

    def found(self, candidates: list[Any]) -> list[Any]:
        """The largest number of some candidates, or NaN, and all of them but the last."""
        best = candidates[-1]
        for value in reversed(candidates[:-1]):
            wins = self.or_nan(self.builder.fcmp_ordered(">", value, best), value)
            best = self.builder.select(wins, value, best)
        return [best, *candidates[:-1]]

    def divided(self, given: Any, found: list[Any]) -> list[Any]:
        """What each candidate gets: the first that is the largest or NaN, else the last, all."""
        best, *candidates = found
        nothing, parts = filled(self.dtype, 0), []
        for value in candidates:
            wins = self.or_nan(self.builder.fcmp_ordered("==", value, best), value)
            parts.append(self.builder.select(wins, given, nothing))  # (5.13)
            given = self.builder.select(wins, nothing, given)
        return [*parts, given]

    def or_nan(self, wins: Any, value: Any) -> Any:
        """Whether a number wins, as every NaN does."""
        if self.count is None:
            return wins
        return self.builder.or_(wins, self.builder.fcmp_unordered("uno", value, value))

    def share(self, errors: Any, norms: Any) -> Any:
        """What each number that a window sees gets of its error, for a norm times itself."""
        error = self.read_windows(errors)
        if self.kind != L2:
            return self.builder.fdiv(error, filled(self.dtype, self.edge**2))
        zero, one, norm = filled(self.dtype, 0), filled(self.dtype, 1), self.read_windows(norms)
        empty = self.builder.fcmp_ordered("==", norm, zero)
        ratio = self.builder.fdiv(error, self.builder.select(empty, one, norm))
        return self.builder.select(empty, zero, ratio)

    def columns(self, given: Any, found: list[Any]) -> list[Any]:
        """Even and odd columns of a row of the gradient, and what the third ones are given."""
        parts = self.divided(given, found) if self.kind == MAX else [given] * self.edge
        if self.edge == 3:  # the third column of a window is the first of its right neighbour
            nothing, left = filled(self.dtype, 0), _neighbours(self.dtype)
            parts[0] = self.builder.fadd(parts[0], picked(self.builder, parts[2], nothing, left))
        return parts

    def write(self, columns: list[Any], source: Any, target: Any, start: Any, last: Any) -> None:
        """Write a row of the gradient."""
        for half in (0, 1):
            vector = picked(self.builder, columns[0], columns[1], _woven(self.dtype, half))
            self.put(vector, source, target, start, half)
        if self.edge == 3:
            lane = _order(self.dtype).index(self.size - 1)
            with self.builder.if_then(last):
                vector = picked(self.builder, columns[2], columns[2], [lane] * self.size)
                self.put(vector, source, target, start, 2)

    def put(self, vector: Any, source: Any, target: Any, start: Any, half: int) -> None:
        """Write a half of a row, or what comes behind both; for a norm, times the numbers of x."""
        place = self.builder.add(start, constant(half * self.size))
        room = self.room(half, self.edge - 2)
        if self.kind == L2:
            vector = self.builder.fmul(vector, self.read(source, place, room))  # (5.15)
        if room is None:
            store_vector(self.context, self.builder, self.dtype, vector, target, place)
        else:
            store_part(self.context, self.builder, self.dtype, vector, target, place, room)

    def hand_down(self, tile: Any, vectors: list[Any]) -> Any:
        """The tile of what the next row of windows has to know."""
        for k, vector in enumerate(vectors):
            tile = self.builder.insert_value(tile, vector, k)
        return tile


def _apart(dtype: Any) -> list[list[int]]:
    """Which lanes of two vectors are even columns and which are odd, within 128 bits each."""
    size, run = lanes_of(dtype), 128 // dtype.bitwidth
    return [
        [half + lane for start in range(0, size, run) for half in (0, size)
         for lane in range(start + parity, start + run, 2)]
        for parity in (0, 1)
    ]  # fmt: skip


def _order(dtype: Any) -> list[int]:
    """Which window stands in each lane."""
    return [lane // 2 for lane in _apart(dtype)[0]]


def _neighbours(dtype: Any) -> list[int]:
    """In which lane the left neighbour of each window stands, or behind all lanes if nowhere."""
    order = _order(dtype)
    return [order.index(window - 1) if window else lanes_of(dtype) for window in order]


def _woven(dtype: Any, half: int) -> list[int]:
    """Which lanes of the even and the odd columns make half of a row."""
    order, size = _order(dtype), lanes_of(dtype)
    columns = range(half * size, (half + 1) * size)
    return [order.index(column // 2) + column % 2 * size for column in columns]
