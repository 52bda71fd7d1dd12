"""Diagrams of one unit and of layered networks, with their numbers in them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.drawing.shapes import Point, arrow, box, canvas, label, node
from ketkar.drawing.style import COLOURS, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["layered_network", "unit_diagram"]

# Keeps the lines of a network away from the text that stands on them.
PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
SYMBOLS = {"sigmoid": r"$\sigma$", "relu": r"$\max(0, z)$"}


def unit_diagram(
    x: ArrayLike,
    w: ArrayLike,
    b: float,
    z: float,
    y: float,
    *,
    activation: str = "sigmoid",
    decimals: int = 4,
    ax: Axes | None = None,
) -> Axes:
    """One unit, from its inputs to its output, each step with its number.

    The products are those of `x` and `w`; the sum and the output are what the caller computed.

    Parameters
    ----------
    x : array_like, shape (n,)
        Inputs.
    w : array_like, shape (n,)
        Weights.
    b : float
        Bias.
    z : float
        The weighted sum of the inputs plus the bias.
    y : float
        The output.
    activation : str
        Name of the activation, written in its box.
    decimals : int
        Digits after the decimal point.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The canvas.

    Raises
    ------
    ValueError
        If `x` and `w` are not two vectors of the same length.

    References
    ----------
    Section "Unit" of the textbook.

    Examples
    --------
    >>> ax = unit_diagram([0.5, 0.9], [1.0, -2.0], b=0.3, z=-1.0, y=0.26894142)
    >>> "$y$ = 0.2689" in [text.get_text() for text in ax.texts]
    True
    """
    x, w = checks.float_array(x, "x"), checks.float_array(w, "w")
    checks.axes(x, "x", ("input",), "unit_diagram")
    checks.axes(w, "w", ("input",), "unit_diagram")
    checks.same_shape(x, "x", w, "w")
    checks.not_empty(x, "x")
    height = max(0.8 * len(x) + 0.6, 0.4 * max(len(x), 2) + 2.33)
    ax = canvas(6.4, height, ax)
    middle = height - 0.45 - 0.4 * max(len(x), 2)
    total = node(ax, (3.66, middle), r"$\sum$", radius=0.34, fill=COLOURS["light"], size=15)
    label(ax, (3.66, middle + 0.55), f"$z$ = {number(z, decimals)}")
    for k, (xk, wk) in enumerate(zip(x, w, strict=True), start=1):
        at = middle + 0.8 * ((len(x) + 1) / 2 - k)
        source = node(ax, (0.72, at), number(xk, decimals), radius=0.36, size=10)
        label(ax, (0.2, at), f"$x_{{{k}}}$", size=13)
        product = box(ax, (2.55, at), number(xk * wk, decimals), fill="white", pad=0.4)
        arrow(ax, source, product, f"$w_{{{k}}}$ = {number(wk, decimals)}")
        arrow(ax, product, total)
    bias = node(
        ax, (3.66, middle - 1.35), number(b, decimals), radius=0.36, size=10, linestyle="--"
    )
    label(ax, (4.1, middle - 1.35), "bias $b$", ha="left")
    arrow(ax, bias, total, linestyle="--")
    squash = box(ax, (4.75, middle), SYMBOLS.get(activation, activation), size=13)
    arrow(ax, total, squash)
    arrow(ax, squash, (5.36, middle))
    label(ax, (5.4, middle), f"$y$ = {number(y, decimals)}", ha="left")
    heads = {0.72: "inputs", 2.55: "products", 3.66: "sum", 4.75: activation, 5.85: "output"}
    for place, name in heads.items():
        label(ax, (place, height - 0.2), name, color=COLOURS["grey"])
    return ax


def layered_network(
    widths: Sequence[int],
    values: Sequence[ArrayLike | None] | None = None,
    weights: Sequence[ArrayLike | None] | None = None,
    *,
    labels: Sequence[str] | None = None,
    symbols: Sequence[str] | None = None,
    notes: Sequence[Sequence[str] | None] | None = None,
    edge_labels: bool = False,
    backward: bool = False,
    decimals: int = 4,
    most: int = 7,
    size: tuple[float, float | None] = (6.4, None),
    ax: Axes | None = None,
) -> Axes:
    """A network as layers of circles and the weights between them.

    A weight's size is the width of its line; positive weights are solid, negative ones dashed.
    Layers wider than `most` are drawn with a gap, which a line of dots marks.

    Parameters
    ----------
    widths : sequence of int
        Units in each layer, from the inputs to the outputs.
    values : sequence of array_like or None, optional
        For each layer the numbers written into its circles, shape (width,), or None.
    weights : sequence of array_like or None, optional
        For each pair of neighbouring layers the matrix W, shape (n, m).
    labels : sequence of str, optional
        A line under each layer; its default is its width.
    symbols : sequence of str, optional
        For each layer the letter of its units, such as ``("x", "h", "y")``; ``""`` for none.
    notes : sequence of sequence of str or None, optional
        For each layer one line under each of its circles, such as the error of the unit, or None.
    edge_labels : bool
        Write the weights on the lines.
    backward : bool
        Let the arrows run from the outputs to the inputs.
    decimals : int
        Digits after the decimal point.
    most : int
        Circles drawn in a layer.
    size : tuple
        Width and height of the canvas in inches; None for the height that the layers need.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The canvas.

    Raises
    ------
    ValueError
        If there are fewer than two layers, or an array does not fit the widths.

    References
    ----------
    Section "Overall Structure of a Neural Network" of the textbook.

    Examples
    --------
    >>> ax = layered_network([3, 4, 2], labels=["input", "hidden", "output"])
    >>> len([patch for patch in ax.patches if patch.get_gid() == "node"])
    9
    """
    _check(
        widths, most, labels=labels, symbols=symbols, notes=notes, values=values, weights=weights
    )
    arrays = _arrays(values, len(widths), "values", [(n,) for n in widths])
    between = list(itertools.pairwise(widths))
    matrices = _arrays(weights, len(between), "weights", between)
    letters = list(symbols or [""] * len(widths))
    remarks = [list(lines or ()) for lines in notes or [None] * len(widths)]
    shown = [_shown(n, most) for n in widths]
    radius = 0.37 if values else 0.26
    pitch = 2 * radius + (0.42 if edge_labels else 0.2) + 0.2 * bool(notes)
    width, height = size
    tallest = max(len(rows) + (len(rows) < n) for rows, n in zip(shown, widths, strict=True))
    foot = 0.2 + 0.2 * max(text.count("\n") + 1 for text in labels or [""])
    height = height or pitch * tallest + foot
    ax = canvas(width, height, ax)
    columns = np.linspace(radius + 0.45, width - radius - 0.45, len(widths))
    drawn = []
    for i, rows in enumerate(shown):
        middle = (height + foot) / 2 + 0.1 * bool(notes)
        places = _places(rows, widths[i], middle, pitch)
        texts = [_caption(letters[i], k, arrays[i], decimals) for k in rows]
        circles = [
            node(ax, (columns[i], at), text, radius=radius, size=10 if values else 11)
            for at, text in zip(places, texts, strict=True)
        ]
        if len(rows) < widths[i]:
            label(ax, (columns[i], (places[-1] + places[-2]) / 2), "⋮", size=16)
        below = labels[i] if labels else str(widths[i])
        label(ax, (columns[i], foot - 0.12), below, va="top", linespacing=1.3)
        for k, at in zip(rows, places, strict=True) if remarks[i] else ():
            label(ax, (columns[i], at - radius - 0.13), remarks[i][k], size=10, bbox=PAPER)
        drawn.append(circles)
    for i, matrix in enumerate(matrices):
        part = None if matrix is None else matrix[np.ix_(shown[i], shown[i + 1])]
        _edges(ax, drawn[i], drawn[i + 1], part, backward)
        if edge_labels and part is not None:
            _edge_labels(ax, drawn[i], drawn[i + 1], part, decimals)
    return ax


def _check(widths: Sequence[int], most: int, **by_layer: Sequence[Any] | None) -> None:
    checks.count(most, "most", least=3)
    if len(widths) < 2:
        raise ValueError(f"widths names {len(widths)} layers; a network has at least 2")
    for i, width in enumerate(widths):
        checks.count(width, f"widths[{i}]")
    for name, given in by_layer.items():
        needed = len(widths) - (name == "weights")
        if given is not None and len(given) != needed:
            raise ValueError(
                f"{name} has {len(given)} entries; a network of {len(widths)} layers needs {needed}"
            )
    for i, lines in enumerate(by_layer["notes"] or ()):
        if lines is not None and len(lines) != widths[i]:
            raise ValueError(f"notes[{i}] has {len(lines)} lines; the layer has {widths[i]} units")


def _arrays(
    given: Sequence[ArrayLike | None] | None, count: int, name: str, shapes: Sequence[Sequence[int]]
) -> list[NDArray[Any] | None]:
    """The arrays of all layers, None where there is none, each of the shape that fits."""
    arrays: list[NDArray[Any] | None] = [None] * count
    for i, value in enumerate(given or ()):
        if value is None:
            continue
        array = checks.float_array(value, f"{name}[{i}]")
        if array.shape != tuple(shapes[i]):
            raise ValueError(
                f"{name}[{i}] has shape {array.shape}; the widths ask for {tuple(shapes[i])}"
            )
        arrays[i] = array
    return arrays


def _shown(width: int, most: int) -> list[int]:
    """Indices of the units that are drawn: all, or the first ones and the last."""
    if width <= most:
        return list(range(width))
    return [*range(most - 2), width - 1]


def _places(rows: list[int], width: int, middle: float, pitch: float) -> list[float]:
    """Heights of the circles of a layer, from the first unit downwards."""
    slots = [*range(len(rows) - 1), len(rows) - (len(rows) == width)]
    return [middle + pitch * (slots[-1] / 2 - slot) for slot in slots]


def _caption(letter: str, k: int, values: NDArray[Any] | None, decimals: int) -> str:
    symbol = f"${letter}_{{{k + 1}}}$" if letter else ""
    value = "" if values is None else number(values[k], decimals)
    return "\n".join(filter(None, (symbol, value)))


def _edges(
    ax: Axes, left: list[Any], right: list[Any], W: NDArray[Any] | None, backward: bool
) -> None:
    """Lines between two layers; width and dash pattern tell the size and the sign of W."""
    few = len(left) * len(right) <= 20
    largest = 1.0 if W is None else float(np.abs(W).max()) or 1.0
    for i, source in enumerate(left):
        for j, target in enumerate(right):
            w = None if W is None else W[i, j]
            look: dict[str, Any] = {
                "color": COLOURS["grey"]
                if w is None
                else COLOURS["blue" if w >= 0 else "vermillion"],
                "linestyle": "-" if w is None or w >= 0 else (0, (4, 2)),
                "linewidth": 1.0 if w is None else 0.5 + 2.5 * abs(float(w)) / largest,
                "arrowstyle": "-|>" if few else "-",
            }
            ends = (target, source) if backward else (source, target)
            arrow(ax, *ends, gid="edge", zorder=2, **look)


def _edge_labels(
    ax: Axes, left: list[Any], right: list[Any], W: NDArray[Any], decimals: int
) -> None:
    """Write each weight where its line is farthest from the other lines and labels."""
    lines = [(a.get_center(), b.get_center()) for a in left for b in right]
    steps = np.linspace(0.3, 0.7, 41)[:, None]
    choices = [(1 - steps) * np.array(start) + steps * np.array(end) for start, end in lines]
    clear = []
    for (start, end), points in zip(lines, choices, strict=True):
        others = [line for line in lines if line != (start, end)]
        clear.append(
            [min([*(_distance(p, *o) for o in others), *_room(p, start, end)]) for p in points]
        )
    # What stands on the canvas already is in the way: captions in and below the circles.
    fixed = [np.array(text.get_position()) for text in ax.texts]
    chosen = [points[int(np.argmax(free))] for points, free in zip(choices, clear, strict=True)]
    for _ in range(4):  # Each label in turn makes way for all the others.
        for i, points in enumerate(choices):
            taken = np.array([*fixed, *chosen[:i], *chosen[i + 1 :]])
            score = [min(c, _far(p, taken)) for c, p in zip(clear[i], points, strict=True)]
            chosen[i] = points[int(np.argmax(score))]
    for at, w in zip(chosen, W.ravel(), strict=True):
        place = (float(at[0]), float(at[1]))
        label(ax, place, number(w, decimals), size=10, bbox=PAPER, zorder=5)


def _far(p: NDArray[Any], taken: NDArray[Any]) -> float:
    """Distance to the nearest text; texts are about three times as wide as high."""
    return 0.8 * float(np.hypot((taken[:, 0] - p[0]) / 3, taken[:, 1] - p[1]).min())


def _room(p: NDArray[Any], start: Point, end: Point) -> list[float]:
    """What is left between a label and the circles at both ends, whose arrowheads stay free."""
    return [float(np.linalg.norm(p - np.array(at))) - 0.6 for at in (start, end)]


def _distance(p: NDArray[Any], start: Point, end: Point) -> float:
    """Distance from a point to a line between two points."""
    a, b = np.array(start), np.array(end)
    t = np.clip((p - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
    return float(np.linalg.norm(p - a - t * (b - a)))
