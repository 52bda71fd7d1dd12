"""One step of an LSTM as a diagram, and states and gates over time as a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.drawing.shapes import Point, arrow, canvas, label, node
from ketkar.drawing.style import COLOURS, axes, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Circle

__all__ = ["lstm_diagram", "sequence_heatmap"]

PEEPHOLE = {"color": COLOURS["vermillion"], "linestyle": (0, (4, 2))}
RECURRENT = {"color": COLOURS["green"], "linestyle": "-.", "linewidth": 1.8}
# What stands in the circles, where, in inches from the lower left corner, and how large it is.
CIRCLES: dict[str, tuple[str, Point, float]] = {
    "c_before": ("$c^{(t-1)}$", (0.5, 3.3), 0.38), "f*c": (r"$\odot$", (1.5, 3.3), 0.17),
    "+": ("+", (3.6, 3.3), 0.17), "c": ("$c^{(t)}$", (4.57, 3.3), 0.38),
    "tanh": ("tanh", (5.4, 3.3), 0.27), "i*z": (r"$\odot$", (3.6, 2.55), 0.17),
    "o*h": (r"$\odot$", (5.4, 2.25), 0.17), "y": ("$y^{(t)}$", (6.08, 2.25), 0.36),
    "f": (r"$\sigma$", (1.5, 1.6), 0.27), "i": (r"$\sigma$", (2.5, 1.6), 0.27),
    "z": ("tanh", (3.6, 1.6), 0.27), "o": (r"$\sigma$", (4.75, 1.6), 0.27),
    "x": ("$x^{(t)}$", (0.9, 0.46), 0.42), "y_before": ("$y^{(t-1)}$", (2.5, 0.46), 0.38),
}  # fmt: skip
ARROWS = (("c_before", "f*c"), ("f*c", "+"), ("+", "c"), ("c", "tanh"), ("tanh", "o*h"),
          ("o*h", "y"), ("f", "f*c"), ("z", "i*z"), ("i*z", "+"))  # fmt: skip
# Where the numbers that flow between the circles are written.
BESIDE: dict[str, tuple[str, Point]] = {
    "f": ("$f^{(t)}$", (1.58, 2.45)), "i": ("$i^{(t)}$", (2.58, 2.25)),
    "z": ("$z^{(t)}$", (3.68, 2.1)), "o": ("$o^{(t)}$", (5.1, 1.68)),
    "f*c": ("", (2.0, 3.44)), "i*z": ("", (3.68, 2.9)), "h": ("", (5.48, 2.75)),
}  # fmt: skip
BUS = 1.05


def lstm_diagram(
    step: Any = None,
    *,
    x: ArrayLike | None = None,
    before: tuple[ArrayLike, ArrayLike] | None = None,
    peepholes: bool = True,
    decimals: int = 2,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """An LSTM's step: what its gates read, what they let through, and what comes back next time.

    The products in the diagram are those of the numbers given: it adds up only if the step was
    computed right.

    Parameters
    ----------
    step : LSTMStep, optional
        Block input z, gates i, f and o, cell state c and output y of one cell, a single number
        each.
    x : array_like, optional
        The inputs of the step, at most two numbers.
    before : (array_like, array_like), optional
        Output and cell state of this cell one step before, a single number each.
    peepholes : bool
        Whether the gates see the cell state.
    decimals : int
        Digits after the decimal point.
    title : str
        Stands above.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The canvas.

    Raises
    ------
    ValueError
        If one of them holds more numbers than the diagram has room for.

    References
    ----------
    Section "Long Short Term Memory" of the textbook; K. Greff et al., *LSTM: a search space
    odyssey*, IEEE TNNLS 28 (2017).

    Examples
    --------
    >>> ax = lstm_diagram()
    >>> drawn = [arrow.get_label() for arrow in ax.patches if arrow.get_gid() == "arrow"]
    >>> drawn.count("peephole"), drawn.count("recurrent")
    (3, 2)
    """
    values = _values(step, x, before)
    ax = canvas(6.5, 4.1 + 0.28 * bool(title), ax)
    if title:
        label(ax, (0.06, 4.34), title, ha="left", va="top", size=11.5)
    drawn = {name: _circle(ax, name, values, decimals) for name in CIRCLES}
    for start, end in ARROWS:
        arrow(ax, drawn[start], drawn[end])
    _route(ax, [(2.5, 1.87), (2.5, 2.55), (3.43, 2.55)])
    _route(ax, [(4.75, 1.87), (4.75, 2.25), (5.23, 2.25)])
    for name, (symbol, at) in BESIDE.items():
        shown = [symbol] * bool(symbol) + [number(v, decimals) for v in values.get(name, ())]
        label(ax, at, " = ".join(shown), ha="left", size=10.5)
    _inputs(ax, drawn)
    if peepholes:
        _peepholes(ax)
    _recurrent(ax)
    return ax


def _values(step: Any, x: Any, before: Any) -> dict[str, list[float]]:
    """The numbers of circles and arrows by their names, the products among them."""
    found: dict[str, list[float]] = {}
    if step is not None:
        found |= {name: _few(getattr(step, name), f"step.{name}") for name in "zifocy"}
        (z,), (i,), (c,) = found["z"], found["i"], found["c"]
        found |= {"i*z": [i * z], "h": [float(np.tanh(c))]}
    if x is not None:
        found["x"] = _few(x, "x", 2)
    if before is not None:
        y, c = before
        found |= {"y_before": _few(y, "before[0]"), "c_before": _few(c, "before[1]")}
        if step is not None:
            found["f*c"] = [found["f"][0] * found["c_before"][0]]
    return found


def _few(value: ArrayLike, name: str, most: int = 1) -> list[float]:
    array = checks.float_array(value, name)
    if not 1 <= array.size <= most:
        room = "a single number" if most == 1 else f"1 to {most} numbers"
        raise ValueError(f"{name} has shape {array.shape}; the diagram has room for {room}")
    return [float(v) for v in array.ravel()]


def _circle(ax: Axes, name: str, values: dict[str, list[float]], decimals: int) -> Circle:
    text, at, radius = CIRCLES[name]
    outside = name in BESIDE
    shown = [text] + [number(v, decimals) for v in values.get(name, ()) if not outside]
    size = 10 if len(shown) > 1 or text == "tanh" else 12
    fill = "white" if name in ("x", "y_before", "c_before") else COLOURS["light"]
    return node(ax, at, "\n".join(shown), radius=radius, fill=fill, size=size)


def _route(ax: Axes, places: Sequence[Point], name: str = "", **look: Any) -> None:
    """An arrow around corners."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    drawn = {"color": COLOURS["black"], "linewidth": 1.4, "joinstyle": "round", **look}
    shaft = FancyArrowPatch(
        path=Path(list(places)), arrowstyle="-|>", mutation_scale=13, gid="arrow", label=name,
        zorder=3.5, **drawn,
    )  # fmt: skip
    ax.add_patch(shaft)


def _inputs(ax: Axes, drawn: dict[str, Circle]) -> None:
    """Input and previous output flow together, and into all four."""
    line: dict[str, Any] = {"color": COLOURS["black"], "linewidth": 1.4, "linestyle": "-"}
    for name in ("x", "y_before"):
        _, (at, foot), radius = CIRCLES[name]
        ax.plot([at, at], [foot + radius, BUS], **line)
    ax.plot([CIRCLES["x"][1][0], CIRCLES["o"][1][0]], [BUS, BUS], **line)
    for name in "fizo":
        at = CIRCLES[name][1][0]
        arrow(ax, (at, BUS), drawn[name], shrinkA=0)
        text = f"$W_{name}, R_{name}, b_{name}$"
        label(ax, (at + 0.08, BUS + 0.12), text, ha="left", size=10)


def _peepholes(ax: Axes) -> None:
    """The gates' views of the cell state: of the old one, and the output gate's of the new one."""
    for name, places, at in (
        ("f", [(0.5, 2.9), (0.5, 1.6), (1.21, 1.6)], (0.85, 1.73)),
        ("i", [(0.5, 2.06), (2.33, 2.06), (2.33, 1.83)], (1.95, 2.19)),
        ("o", [(4.57, 2.9), (4.57, 1.83)], (4.42, 2.62)),
    ):
        _route(ax, places, "peephole", **PEEPHOLE)
        label(ax, at, f"$p_{name}$", size=10.5)


def _recurrent(ax: Axes) -> None:
    """What the next step reads: the cell state over the top, the output along the bottom."""
    _route(ax, [(4.57, 3.68), (4.57, 3.98), (0.5, 3.98), (0.5, 3.7)], "recurrent", **RECURRENT)
    _route(ax, [(6.08, 1.89), (6.08, 0.46), (2.9, 0.46)], "recurrent", **RECURRENT)
    for place in ((2.53, 3.84), (4.6, 0.6)):
        label(ax, place, "one step later", size=10, color=COLOURS["green"])


def sequence_heatmap(
    values: ArrayLike,
    *,
    kind: str = "state",
    limit: float | None = None,
    steps: Sequence[str] | None = None,
    units: Sequence[str] | None = None,
    name: str = "",
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """States or gates over time: a column a step, a row a unit, and a bar that says what is what.

    A cell with a negative number carries a short stroke, so that its sign shows without colour.

    Parameters
    ----------
    values : array_like, shape (T, units)
        Numbers of one sequence.
    kind : {"state", "gate"}
        States have a sign, and a scale that is symmetric about zero; gates lie between 0 and 1.
    limit : float, optional
        The end of the scale of states; 1 if not given, or the largest size if that is above 1.
    steps : sequence of str, optional
        What stands under the columns, such as the letters that were read; their numbers, from 1
        on, if not given.
    units : sequence of str, optional
        What stands beside the rows; their numbers if not given.
    name : str
        What the numbers are; it stands beside the bar.
    title : str
        Stands above.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The axes of the map.

    Raises
    ------
    ValueError
        If `values` has not two axes, is empty or holds gates outside 0 to 1, or names are not one
        a column or row.

    References
    ----------
    Section "RNN Basics" of the textbook.

    Examples
    --------
    >>> ax = sequence_heatmap([[0.0, -0.5], [0.9, 0.1]])
    >>> [float(end) for end in ax.images[0].get_clim()]
    [-1.0, 1.0]
    """
    array = checks.float_array(values, "values")
    checks.axes(array, "values", ("time", "unit"), "sequence_heatmap")
    checks.not_empty(array, "values")
    low, high = _scale(array, kind, limit)
    T, n = array.shape
    for given, size, what in ((steps, T, "steps"), (units, n, "units")):
        if given is not None and len(given) != size:
            raise ValueError(f"{what} has {len(given)} names; values has shape {array.shape}")
    ax = axes(ax, (6.4, min(1.5 + 0.22 * n, 4.6)))
    shade = "RdBu" if kind == "state" else "cividis"
    image = ax.imshow(
        array.T, cmap=shade, vmin=low, vmax=high, aspect="auto", interpolation="nearest"
    )
    rows, columns = np.nonzero(array.T / high < -0.02)
    dark = array.T[rows, columns] / high < -0.6
    width = ax.get_window_extent().width * 72 / ax.figure.dpi / T
    ax.scatter(
        columns, rows, s=(0.4 * min(width, 14)) ** 2, marker="_", linewidths=0.9, gid="negative",
        color=np.where(dark, "white", COLOURS["black"]),
    )  # fmt: skip
    _ticks(ax.xaxis, steps, T)
    _ticks(ax.yaxis, units, n)
    ax.set(
        xlabel="step $t$", ylabel="unit", title=title, xlim=(-0.5, T - 0.5), ylim=(n - 0.5, -0.5)
    )
    ax.figure.colorbar(image, ax=ax, label=name, pad=0.02, aspect=14)
    return ax


def _scale(array: NDArray[Any], kind: str, limit: float | None) -> tuple[float, float]:
    checks.one_of(kind, "kind", ("state", "gate"))
    if kind == "state":
        largest = float(np.nanmax(np.abs(array)))
        end = max(1.0, largest) if limit is None else checks.positive(limit, "limit")
        return -end, end
    if array.min() < 0 or array.max() > 1:
        raise ValueError(
            f"values lie between {array.min():.4g} and {array.max():.4g}; gates lie between 0 and 1"
        )
    return 0.0, 1.0


def _ticks(axis: Any, names: Sequence[str] | None, count: int) -> None:
    """Names at all cells, or the numbers of some: 1, and then every so many."""
    if names is not None:
        axis.set_ticks(range(count), names)
        return
    stride = next(s for s in (1, 2, 5, 10, 20, 50, 10**9) if count / s <= 12)
    numbers = [k for k in range(1, count + 1) if k == 1 or k % stride == 0]
    if stride == 2:
        numbers = [*range(1, count + 1, 2)]
    axis.set_ticks([k - 1 for k in numbers], [str(k) for k in numbers])
