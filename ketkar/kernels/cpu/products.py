"""One micro-kernel for every product of the chapter: a tile of sums whose terms come from tables.

A convolution, its two gradients and the products inside Winograd's algorithm are all sums over k of

    out[r, c] += a[a_places[k] + a_rows[r]] * b[b_places[k] + c]

for a few rows r and a few vectors of columns c. The tables say where the numbers of one k stand,
so that no matrix has to be laid out for the product: a convolution reads its image in place, and
padding, stride, dilation and the order of the taps are entries of a table. The inner loop costs
two look-ups for rows x columns multiply-adds of whole vectors.

The shapes of the tile are few, since each is compiled: WIDE for sums of many channels or columns,
TALL where one vector of columns suffices, and three for few rows. They leave registers for a row
of b and one broadcast number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ketkar.kernels.cpu.compiling import helper, routine
from ketkar.kernels.cpu.machine import SIMD_BITS
from ketkar.kernels.cpu.tile import tile_load_at, tile_outer_at, tile_store_at, tile_zeros
from ketkar.kernels.cpu.vector import lanes, out_of_line, prefetch

WIDE: Final = 0
TALL: Final = 1
SIX_WIDE: Final = 2
SIX: Final = 3
FLAT: Final = 4

SHAPES: Final = {
    WIDE: (6, 2) if SIMD_BITS == 256 else (8, 2),
    TALL: (8, 1) if SIMD_BITS == 256 else (14, 1),
    SIX_WIDE: (6, 2),
    SIX: (6, 1),
    FLAT: (1, 4),
}
"""Rows and vectors of each tile."""


def _micro_kernel(shape: int) -> Callable[..., None]:
    rows, columns = SHAPES[shape]

    @routine
    def micro(
        a: Any, a_places: Any, a_rows: Any, b: Any, b_places: Any, K: int, start: Any,
        start_rows: Any, out: Any, out_rows: Any, some: int, count: int, streamed: int,
    ) -> None:  # fmt: skip
        out_of_line()
        tile = tile_load_at(tile_zeros(b, rows, columns), start, start_rows)
        ahead = a_rows[0] + 3 * lanes(a) // 2
        for k in range(K):
            prefetch(a, a_places[k] + ahead)
            tile = tile_outer_at(tile, a + a_places[k], a_rows, b + b_places[k])
        tile_store_at(tile, out, out_rows, some, count, streamed)

    return micro


_wide, _tall = _micro_kernel(WIDE), _micro_kernel(TALL)
_six_wide, _six, _flat = _micro_kernel(SIX_WIDE), _micro_kernel(SIX), _micro_kernel(FLAT)


@helper
def product(
    shape: int, a: Any, a_places: Any, a_rows: Any, b: Any, b_places: Any, K: int, start: Any,
    start_rows: Any, out: Any, out_rows: Any, some: int, count: int, streamed: int,
) -> None:  # fmt: skip
    """Fill the first `some` rows of a tile, and of each the first `count` numbers.

    The sums begin with the rows ``start[start_rows[r] :]`` and go to ``out[out_rows[r] :]``; what
    is `streamed` goes past the caches, where it would not stay.
    """
    if shape == WIDE:
        _wide(
            a, a_places, a_rows, b, b_places, K, start, start_rows, out, out_rows, some, count,
            streamed,
        )  # fmt: skip
    elif shape == TALL:
        _tall(
            a, a_places, a_rows, b, b_places, K, start, start_rows, out, out_rows, some, count,
            streamed,
        )  # fmt: skip
    elif shape == SIX_WIDE:
        _six_wide(
            a, a_places, a_rows, b, b_places, K, start, start_rows, out, out_rows, some, count,
            streamed,
        )  # fmt: skip
    elif shape == SIX:
        _six(
            a, a_places, a_rows, b, b_places, K, start, start_rows, out, out_rows, some, count,
            streamed,
        )  # fmt: skip
    else:
        _flat(
            a, a_places, a_rows, b, b_places, K, start, start_rows, out, out_rows, some, count,
            streamed,
        )  # fmt: skip
