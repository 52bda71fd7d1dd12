"""The sheet on which graphs of recurrent networks are drawn: circles in columns, a step each.

A parameter has one look, whatever the step: a colour, a dash pattern and its letter. An arrow
without a letter carries a value as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.drawing.shapes import Point, arrow, canvas, label, node
from ketkar.drawing.style import COLOURS, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Circle

__all__ = ["AIR", "LOOKS", "Sheet", "middle", "radius_for", "sheet_for", "symbol", "values_of"]

SYMBOLS = {"y_hat": r"\hat{y}", "hf": "h_f", "hb": "h_b", "h'": "h'"}
DASHED, DOTTED = (0, (4, 1.5)), (0, (1, 1))
LOOKS: dict[str, dict[str, Any]] = {
    "": {},
    "U": {"color": COLOURS["blue"]},
    "W": {"color": COLOURS["vermillion"], "linestyle": DASHED, "linewidth": 1.9},
    "V": {"color": COLOURS["green"], "linestyle": "-."},
    "b": {"color": COLOURS["grey"], "linestyle": DOTTED},
    "c": {"color": COLOURS["grey"], "linestyle": DOTTED},
    "U'": {"color": COLOURS["black"], "linestyle": DOTTED},
    "W'": {"color": COLOURS["black"], "linestyle": DASHED, "linewidth": 1.9},
    "b'": {"color": COLOURS["grey"], "linestyle": DOTTED},
}
LOOKS |= {
    "U_f": LOOKS["U"], "W_f": LOOKS["W"], "V_f": LOOKS["V"],
    "U_b": LOOKS["U'"], "W_b": LOOKS["W'"],
    "V_b": {"color": COLOURS["grey"], "linestyle": (0, (5, 1, 1, 1, 1, 1))},
}  # fmt: skip
AIR = 1.5 / 72  # between a circle and the tip of an arrow


class Sheet(NamedTuple):
    """Where the first circle stands, how far apart they are, and what is written into them."""

    ax: Axes
    corner: Point
    pitch: Point
    radius: float
    values: dict[str, NDArray[Any]]
    decimals: int
    lettered: bool

    def circle(
        self, column: float, row: float, name: str, index: int, step: object = None
    ) -> Circle:
        """A value's circle: its symbol, and the numbers of one step if there are any."""
        shown = [symbol(name, step)]
        if name in self.values:
            shown += [number(v, self.decimals) for v in self.values[name][index]]
        at = (self.corner[0] + column * self.pitch[0], self.corner[1] + row * self.pitch[1])
        fill = "white" if name in ("x", "y") else COLOURS["light"]
        size = 12 if len(shown) == 1 else 10
        circle = node(self.ax, at, "\n".join(shown), radius=self.radius, fill=fill, size=size)
        circle.set_label(symbol(name, step))
        return circle

    def edge(
        self, start: Circle, end: Circle, name: str = "", side: int = 1, along: float = 0.5
    ) -> None:
        """An arrow in the look of its parameter, whose letter stands beside it."""
        a, b = np.array(middle(start)), np.array(middle(end))
        dx, dy = (b - a) / np.linalg.norm(b - a)
        # Points are much faster to draw than ends at the outline of a circle, and here as good.
        gap = (self.radius + AIR) * np.array([dx, dy])
        tail, tip = tuple(a + gap), tuple(b - gap)
        arrow(self.ax, tail, tip, shrinkA=0, shrinkB=0, **LOOKS[name]).set_label(name)
        if name and self.lettered:
            beside = np.array([dy, -dx]) * (1 if dy - dx > 0 else -1) * side
            x, y = a + along * (b - a) + (0.13 if len(name) == 1 else 0.17) * beside
            label(self.ax, (x, y), f"${name}$", size=10.5)

    def bias(self, circle: Circle, name: str, degrees: float) -> None:
        """A bias comes in from outside, on a short arrow."""
        if not self.lettered:
            return
        (x, y), turn = middle(circle), math.radians(degrees)
        tip, tail, letter = (
            (x + far * math.cos(turn), y + far * math.sin(turn))
            for far in (self.radius + AIR, self.radius + 0.3, self.radius + 0.39)
        )
        arrow(self.ax, tail, tip, shrinkA=0, shrinkB=0, **LOOKS[name]).set_label(name)
        label(self.ax, letter, f"${name}$", size=10.5)


def middle(circle: Circle) -> Point:
    """The centre of a circle."""
    x, y = np.array(circle.get_center())
    return float(x), float(y)


def symbol(name: str, step: object) -> str:
    """What stands in a circle: the letter of its value, with the step above it if there is one."""
    letter = SYMBOLS.get(name, name)
    return f"${letter}$" if step is None else f"${letter}^{{({step})}}$"


def values_of(
    given: Mapping[str, ArrayLike] | None, rows: Mapping[str, int]
) -> dict[str, NDArray[Any]]:
    """The numbers of each kind of circle, a row a circle with at most three numbers in it."""
    found = {}
    for name, value in (given or {}).items():
        if name not in rows:
            known = ", ".join(f'"{key}"' for key in rows)
            raise ValueError(f'values has "{name}"; this graph has circles for {known}')
        array = checks.float_array(value, f'values["{name}"]')
        many = rows[name]
        if array.ndim < 2:
            array = array.reshape(1, -1) if many == 1 else array.reshape(-1, 1)
        if array.ndim != 2 or len(array) != many or not 1 <= array.shape[1] <= 3:
            raise ValueError(
                f'values["{name}"] has shape {np.shape(value)}; expected a row of 1 to 3 numbers '
                f"for each of {many} circles"
            )
        found[name] = array
    return found


def radius_for(values: Mapping[str, NDArray[Any]]) -> float:
    """How large the circles have to be for the numbers in them, in inches."""
    most = max((array.shape[1] for array in values.values()), default=0)
    return (0.29, 0.37, 0.42, 0.48)[most]


def sheet_for(
    extent: tuple[float, float], margin: tuple[float, float, float, float],
    values: dict[str, NDArray[Any]], decimals: int, lettered: bool,
    pitch: Point | None, title: str, at: Point | None, ax: Axes | None,
) -> Sheet:  # fmt: skip
    """A sheet for so many columns and rows beyond the first, with room left, below, right, above.

    Without `at` the axes become a canvas of just this size; with it they are one already.
    """
    radius = radius_for(values)
    pitch = pitch or (max(1.22, 2 * radius + 0.42), 2 * radius + 0.32)
    left, foot, right, head = (radius + side for side in margin)
    width = left + extent[0] * pitch[0] + right
    height = foot + extent[1] * pitch[1] + head + 0.28 * bool(title)
    x, y = at or (0.0, 0.0)
    if at is None or ax is None:
        ax = canvas(x + width, y + height, ax)
    if title:
        label(ax, (x + 0.06, y + height - 0.04), title, ha="left", va="top", size=11.5)
    return Sheet(ax, (x + left, y + foot), pitch, radius, values, decimals, lettered)
