"""Where a window stands: the numbers of a convolution or a pooling that are not in its arrays."""

from __future__ import annotations

from typing import Final, NamedTuple

ALGORITHMS: Final = ("auto", "direct", "winograd", "fft")
"""How a convolution may be computed; "auto" lets the backend choose from the shapes."""


class Geometry(NamedTuple):
    """How a window moves over an image: whole numbers, checked by who makes it.

    Output (i, j) and tap (r, s) meet at row ``i stride_rows + r dilation_rows - top`` and column
    ``j stride_columns + s dilation_columns - left`` of the image; outside of it stand zeros.
    """

    stride_rows: int = 1
    stride_columns: int = 1
    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0
    dilation_rows: int = 1
    dilation_columns: int = 1
    groups: int = 1

    def output_size(self, size: tuple[int, int], window: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of the output for an image and a window of these sizes."""
        (H, W), (R, S) = size, window
        reach_rows = self.dilation_rows * (R - 1) + 1
        reach_columns = self.dilation_columns * (S - 1) + 1
        return (
            (H + self.top + self.bottom - reach_rows) // self.stride_rows + 1,
            (W + self.left + self.right - reach_columns) // self.stride_columns + 1,
        )  # (5.25)
