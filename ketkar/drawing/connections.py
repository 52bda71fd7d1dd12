"""What is joined with what: a sparse layer as a graph of its connections, and as a matrix."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ketkar import checks
from ketkar.drawing.feature_maps import window_grid
from ketkar.drawing.shapes import canvas, label, node
from ketkar.drawing.style import COLOURS, CYCLE, DASHES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Circle

__all__ = ["connection_graph", "connection_matrix"]

Edge = tuple[int, int, int]
PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}


def connection_graph(
    inputs: int | Sequence[str],
    outputs: int | Sequence[str],
    edges: Iterable[Edge],
    *,
    names: Mapping[int, str] | None = None,
    input_at: Sequence[float] | None = None,
    output_at: Sequence[float] | None = None,
    zeros: Collection[int] = (),
    window: int | None = None,
    edge_labels: bool = True,
    rows: tuple[str, str] = ("input", "output"),
    title: str = "",
    size: tuple[float, float] = (6.4, 1.9),
    ax: Axes | None = None,
) -> Axes:
    r"""Inputs below, outputs above, and a line for each pair that a weight joins.

    Lines of the same weight look the same: they share colour, dash pattern and name. 25 weights
    can be told apart.

    Parameters
    ----------
    inputs, outputs : int or sequence of str
        How many there are, or what stands in their circles; a number n stands for
        :math:`x_1, \ldots, x_n` and :math:`s_1, \ldots, s_n`.
    edges : iterable of tuple
        Triples (i, j, k): the weight with the number k joins input i with output j.
    names : mapping of int to str, optional
        The names of the weights by their numbers; w1, w2, ... if not given.
    input_at, output_at : sequence of float, optional
        Where the circles stand, from left to right, in common units; without them the n circles
        of a row are spread evenly around the middle.
    zeros : collection of int
        The inputs that are no inputs but zeros of the padding; their circles are dashed.
    window : int, optional
        An output that is filled together with all inputs joined with it.
    edge_labels : bool
        Write the names of the weights on the lines.
    rows : tuple of str
        The names of the two rows, which stand at the left.
    title : str
        Stands above.
    size : tuple of float
        Width and height of the canvas in inches.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The canvas.

    Raises
    ------
    ValueError
        If an edge names an input or output that is not there, or places are not one a circle.

    References
    ----------
    Section "Convolution Operation" of the textbook.

    Examples
    --------
    >>> ax = connection_graph(3, 2, [(0, 0, 1), (1, 0, 2), (1, 1, 1), (2, 1, 2)])
    >>> len([patch for patch in ax.patches if patch.get_gid() == "edge"])
    4
    """
    below, above = _captions(inputs, "x", "inputs"), _captions(outputs, "s", "outputs")
    links = _checked(edges, len(below), len(above))
    input_at = _places(input_at, len(below), "input_at")
    output_at = _places(output_at, len(above), "output_at")
    ax = canvas(*size, ax=ax)
    left, right = 0.25 + 0.085 * max(len(row) for row in rows), size[0] - 0.05
    low, high = min(*input_at, *output_at), max(*input_at, *output_at)
    step = min((right - left) / (high - low + 1), 1.0)
    middle = (left + right) / 2 - step * (low + high) / 2
    radius = min(0.42 * step, 0.23)
    foot, head = 0.06 + radius, size[1] - 0.06 - radius - 0.26 * bool(title)
    in_window = {i for i, j, _ in links if j == window}
    sources = [
        node(
            ax, (middle + step * at, foot), below[i], radius=radius, size=10.5,
            fill=COLOURS["yellow"] if i in in_window else "white",
            **({"linestyle": (0, (2, 1.5))} if i in zeros else {}),
        )
        for i, at in enumerate(input_at)
    ]  # fmt: skip
    targets = [
        node(
            ax, (middle + step * at, head), above[j], radius=radius, size=10.5,
            fill=COLOURS["yellow" if j == window else "light"],
        )
        for j, at in enumerate(output_at)
    ]  # fmt: skip
    looks = weight_looks(k for _, _, k in links)
    for i, j, k in links:
        line = {**looks[k], "linewidth": 2.6 if j == window else 1.5}
        _line(ax, sources[i], targets[j], line)
    for i, j, k in links if edge_labels else ():
        # At two thirds of the way the lines of three neighbouring inputs are evenly spaced.
        at = (middle + step * (input_at[i] + 2 * output_at[j]) / 3, (foot + 2 * head) / 3)
        ink = {"color": looks[k]["color"], "fontweight": "bold", "zorder": 5}
        label(ax, at, _name(k, names), size=10.5, bbox=PAPER, **ink)
    for height, row in zip((foot, head), rows, strict=True):
        label(ax, (0.05, height), row, ha="left", color=COLOURS["grey"], size=10.5)
    if title:
        label(ax, (0.05, size[1] - 0.03), title, ha="left", va="top", size=11.5)
    return ax


def connection_matrix(
    inputs: int,
    outputs: int,
    edges: Iterable[Edge],
    *,
    names: Mapping[int, str] | None = None,
    title: str = "",
    size: float = 10.5,
    ax: Axes | None = None,
) -> Axes:
    """The matrix of a graph of connections: an output a row, an input a column, dots for zeros.

    The names of the weights have the colours that :func:`connection_graph` gives to their lines.

    Parameters
    ----------
    inputs, outputs : int
        How many there are.
    edges : iterable of tuple
        Triples (i, j, k): the weight with the number k joins input i with output j.
    names : mapping of int to str, optional
        The names of the weights by their numbers; w1, w2, ... if not given.
    title : str
        Stands above.
    size : float
        Height of the letters in points.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ValueError
        If an edge names an input or output that is not there.

    References
    ----------
    Section "Convolution Operation" of the textbook.

    Examples
    --------
    >>> ax = connection_matrix(3, 2, [(0, 0, 1), (1, 0, 2), (1, 1, 1), (2, 1, 2)],
    ...                        names={1: "a", 2: "b"})
    >>> [text.get_text() for text in ax.texts]
    ['a', 'b', '·', '·', 'a', 'b']
    """
    inputs, outputs = checks.count(inputs, "inputs"), checks.count(outputs, "outputs")
    links = _checked(edges, inputs, outputs)
    looks = weight_looks(k for _, _, k in links)
    cells = [["·"] * inputs for _ in range(outputs)]
    for i, j, k in links:
        cells[j][i] = _name(k, names)
    ax = window_grid(cells, title=title, size=size, ax=ax)
    for i, j, k in links:
        ax.texts[j * inputs + i].set(color=looks[k]["color"], fontweight="bold")
    return ax


def _line(ax: Axes, a: Circle, b: Circle, look: dict[str, Any]) -> None:
    """A straight line from circle to circle, cheaper than an arrow: there may be hundreds."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    start, end = np.array(a.get_center()), np.array(b.get_center())
    along = (end - start) / np.linalg.norm(end - start)
    air = 1.5 / 72
    path = Path([start + (a.radius + air) * along, end - (b.radius + air) * along])
    ax.add_patch(PathPatch(path, fill=False, gid="edge", zorder=2, **look))


def weight_looks(numbers: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Colour and dash pattern of each weight; the first 25 differ from one another."""
    looks = {}
    for n, k in enumerate(sorted(set(numbers))):
        dash = DASHES[(n + n // len(CYCLE)) % len(DASHES)]
        looks[k] = {"color": COLOURS[CYCLE[n % len(CYCLE)]], "linestyle": dash}
    return looks


def _name(k: int, names: Mapping[int, str] | None) -> str:
    return f"$w_{{{k}}}$" if names is None else names[k]


def _captions(given: int | Sequence[str], letter: str, name: str) -> list[str]:
    if isinstance(given, int):
        return [f"${letter}_{{{k + 1}}}$" for k in range(checks.count(given, name))]
    checks.count(len(given), f"the number of {name}")
    return list(given)


def _places(given: Sequence[float] | None, number: int, name: str) -> Sequence[float]:
    if given is None:
        return [k - (number - 1) / 2 for k in range(number)]
    if len(given) != number:
        raise ValueError(f"{name} has {len(given)} places for {number} circles")
    return given


def _checked(edges: Iterable[Edge], inputs: int, outputs: int) -> list[Edge]:
    """The edges as triples of whole numbers, refused unless both ends are there."""
    links = [(int(i), int(j), int(k)) for i, j, k in edges]
    for i, j, k in links:
        if not (0 <= i < inputs and 0 <= j < outputs):
            raise ValueError(
                f"an edge joins input {i} with output {j} (weight {k}); "
                f"there are {inputs} inputs and {outputs} outputs, counted from 0"
            )
    return links
