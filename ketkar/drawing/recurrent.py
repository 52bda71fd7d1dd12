"""Graphs of recurrent networks: folded into one step, or unrolled over all of them.

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

__all__ = ["bidirectional_graph", "encoder_decoder_graph", "recurrent_graph", "unrolled_graph"]

ROWS = ("x", "h", "y_hat", "L", "y")
FEEDBACKS = {"hidden": "h", "output": "y_hat", "target": "y"}
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
WEST, SOUTH_WEST, SOUTH, EAST = 180, 225, 270, 0


class _Sheet(NamedTuple):
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
        shown = [_symbol(name, step)]
        if name in self.values:
            shown += [number(v, self.decimals) for v in self.values[name][index]]
        at = (self.corner[0] + column * self.pitch[0], self.corner[1] + row * self.pitch[1])
        fill = "white" if name in ("x", "y") else COLOURS["light"]
        size = 10.5 if len(shown) == 1 else 10
        circle = node(self.ax, at, "\n".join(shown), radius=self.radius, fill=fill, size=size)
        circle.set_label(_symbol(name, step))
        return circle

    def edge(self, start: Circle, end: Circle, name: str = "", **settings: Any) -> None:
        """An arrow in the look of its parameter."""
        text = f"${name}$" if name and self.lettered else ""
        arrow(self.ax, start, end, text, **{**LOOKS[name], **settings}).set_label(name)

    def bias(self, circle: Circle, name: str, degrees: float) -> None:
        """A bias comes in from outside, on a short arrow."""
        if not self.lettered:
            return
        (x, y), turn = circle.get_center(), math.radians(degrees)
        far = self.radius + 0.3
        tail = (x + far * math.cos(turn), y + far * math.sin(turn))
        arrow(self.ax, tail, circle, **LOOKS[name]).set_label(name)
        far += 0.09
        label(self.ax, (x + far * math.cos(turn), y + far * math.sin(turn)), f"${name}$", size=10.5)


def _symbol(name: str, step: object) -> str:
    letter = SYMBOLS.get(name, name)
    return f"${letter}$" if step is None else f"${letter}^{{({step})}}$"


def _values(
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


def _radius(values: Mapping[str, NDArray[Any]]) -> float:
    most = max((array.shape[1] for array in values.values()), default=0)
    return (0.29, 0.37, 0.42, 0.48)[most]


def _sheet(
    extent: tuple[float, float], margin: tuple[float, float, float, float],
    values: dict[str, NDArray[Any]], decimals: int, lettered: bool,
    pitch: Point | None, title: str, at: Point | None, ax: Axes | None,
) -> _Sheet:  # fmt: skip
    """A sheet for so many columns and rows beyond the first, with room left, below, right, above.

    Without `at` the axes become a canvas of just this size; with it they are one already.
    """
    radius = _radius(values)
    pitch = pitch or (max(1.22, 2 * radius + 0.42), 2 * radius + 0.32)
    left, foot, right, head = (radius + side for side in margin)
    width = left + extent[0] * pitch[0] + right
    height = foot + extent[1] * pitch[1] + head + 0.28 * bool(title)
    x, y = at or (0.0, 0.0)
    if at is None or ax is None:
        ax = canvas(x + width, y + height, ax)
    if title:
        label(ax, (x + 0.06, y + height - 0.04), title, ha="left", va="top", size=11.5)
    return _Sheet(ax, (x + left, y + foot), pitch, radius, values, decimals, lettered)


def recurrent_graph(
    feedback: str = "hidden",
    *,
    outputs: str = "all",
    loss: bool = True,
    values: Mapping[str, ArrayLike] | None = None,
    decimals: int = 2,
    title: str = "",
    at: Point | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A recurrent network as the graph of one step, with a loop for what the next step reads.

    Parameters
    ----------
    feedback : {"hidden", "output", "target"}
        What W reads: the previous hidden state, the previous output, or what the previous output
        should have been.
    outputs : {"all", "last"}
        An output at every step, or a single one after the last.
    loss : bool
        Whether to draw the loss L and the target y.
    values : mapping of str to array_like, optional
        Up to three numbers for the circles "x", "h", "y_hat", "L" and "y", and for "fed", what is
        fed back into this step.
    decimals : int
        Digits after the decimal point.
    title : str
        Stands above.
    at : tuple of float, optional
        The lower left corner of the graph on `ax`, which is a canvas already: for several graphs
        on one canvas.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The canvas.

    Raises
    ------
    ValueError
        If a name is unknown, or what is fed back is not in the graph.

    References
    ----------
    Section "RNN Basics" of the textbook.

    Examples
    --------
    >>> ax = recurrent_graph("hidden", loss=False)
    >>> [circle.get_label() for circle in ax.patches if circle.get_gid() == "node"]
    ['$x^{(t)}$', '$h^{(t)}$', '$\\\\hat{y}^{(t)}$']
    """
    source = _described(feedback, outputs, loss)
    names = ROWS if loss else ROWS[:3]
    found = _values(values, dict.fromkeys((*names, "fed"), 1))
    fed = found.pop("fed", None)
    longest = (0.52, 1.02, 0.95)[tuple(FEEDBACKS).index(feedback)]
    sheet = _sheet(
        (len(names) - 1, 0), (0.06, 0.45, 0.06, longest), found, decimals, True,
        (1.28, 1.0), title, at, ax,
    )  # fmt: skip
    single = outputs == "last"
    circles = {
        name: sheet.circle(k, 0, name, 0, None if single and k > 1 else "t")
        for k, name in enumerate(names)
    }
    _column(sheet, circles, SOUTH, SOUTH)
    h = circles["h"]
    x, y = h.get_center()
    remark = f"${SYMBOLS.get(source, source)}^{{(t-1)}}$"
    if fed is not None:
        remark += " = " + ", ".join(number(v, decimals) for v in fed[0])
    if feedback == "hidden":
        _loop(sheet, h)
        place = (x + 0.3, y + sheet.radius + 0.32)
    else:
        bend = 0.95 if feedback == "output" else 0.36
        sheet.edge(circles[source], h, "W", bend=bend)
        far = circles[source].get_center()[0] - x
        place = ((x + x + far) / 2 + 0.2, y + bend * far / 2)
    label(sheet.ax, place, remark, ha="left", size=10.5)
    if single:
        label(sheet.ax, (x + 0.64, y - sheet.radius - 0.1), r"once, $t = \tau$", va="top", size=10)
    return sheet.ax


def _described(feedback: str, outputs: str, loss: bool) -> str:
    """The name of what is fed back, if the graph has it at every step."""
    checks.one_of(feedback, "feedback", tuple(FEEDBACKS))
    checks.one_of(outputs, "outputs", ("all", "last"))
    if feedback != "hidden" and outputs == "last":
        raise ValueError(f"a single output after the last step leaves no {feedback} to feed back")
    if feedback == "target" and not loss:
        raise ValueError("the targets are fed back; to be drawn they need loss=True")
    return FEEDBACKS[feedback]


def _column(
    sheet: _Sheet, circles: Mapping[str, Circle], b: float, c: float, prime: str = ""
) -> None:
    """The arrows within one step, from the input to the loss; the biases from these directions."""
    for start, end, name in (("x", "h", "U" + prime), ("h", "y_hat", "V"), ("y_hat", "L", "")):
        if start in circles and end in circles:
            sheet.edge(circles[start], circles[end], name)
    if "L" in circles:
        sheet.edge(circles["y"], circles["L"])
    sheet.bias(circles["h"], "b" + prime, b)
    if "y_hat" in circles:
        sheet.bias(circles["y_hat"], "c", c)


def _loop(sheet: _Sheet, circle: Circle) -> None:
    """An arrow from a circle to itself, around its top."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    x, y = circle.get_center()
    r = sheet.radius + 1.5 / 72
    wide, high = r * math.cos(math.radians(55)), r * math.sin(math.radians(55))
    top = y + r + 0.46
    curve = Path(
        [(x + wide, y + high), (x + 2.1 * wide, top), (x - 2.1 * wide, top), (x - wide, y + high)],
        [Path.MOVETO, *[Path.CURVE4] * 3],
    )
    shaft = FancyArrowPatch(
        path=curve, mutation_scale=13, arrowstyle="-|>", gid="arrow", label="W", zorder=3.5,
        **LOOKS["W"],
    )  # fmt: skip
    sheet.ax.add_patch(shaft)
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    label(sheet.ax, (x, (y + high + 3 * top) / 4), "$W$", size=10.5, bbox=paper, zorder=4)


def unrolled_graph(
    tau: int,
    feedback: str = "hidden",
    *,
    inputs: str = "all",
    outputs: str = "all",
    loss: bool = True,
    start: bool = True,
    parameters: bool = True,
    values: Mapping[str, ArrayLike] | None = None,
    decimals: int = 2,
    pitch: Point | None = None,
    title: str = "",
    at: Point | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A recurrent network unrolled over its steps: an ordinary network with shared parameters.

    Parameters
    ----------
    tau : int
        How many steps.
    feedback : {"hidden", "output", "target"}
        What W reads: the previous hidden state, the previous output, or what the previous output
        should have been, as under teacher forcing.
    inputs : {"all", "first"}
        An input at every step, or only at the first.
    outputs : {"all", "last"}
        An output at every step, or a single one after the last.
    loss : bool
        Whether to draw the losses L and the targets y.
    start : bool
        Whether to draw what the first step reads in place of a step before it.
    parameters : bool
        Whether to write the letters of the parameters on the arrows, and to draw the biases.
    values : mapping of str to array_like, optional
        For "x", "h", "y_hat", "L" and "y" the numbers in the circles, (number of circles,) or
        (number of circles, k) with k up to 3. What is fed back has one more where `start` is
        drawn, the first.
    decimals : int
        Digits after the decimal point.
    pitch : tuple of float, optional
        Distance between steps and between rows, in inches.
    title : str
        Stands above.
    at : tuple of float, optional
        The lower left corner of the graph on `ax`, which is a canvas already.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The canvas.

    Raises
    ------
    ValueError
        If a name is unknown, what is fed back is not in the graph, or values do not fit.

    References
    ----------
    Section "Training RNNs" of the textbook.

    Examples
    --------
    >>> ax = unrolled_graph(3, loss=False)
    >>> [arrow.get_label() for arrow in ax.patches if arrow.get_gid() == "arrow"].count("W")
    3
    """
    tau = checks.count(tau, "tau")
    source = _described(feedback, outputs, loss)
    checks.one_of(inputs, "inputs", ("all", "first"))
    names = ROWS if loss else ROWS[:3]
    rows = {name: tau if k < 2 or outputs == "all" else 1 for k, name in enumerate(names)}
    rows["x"] = tau if inputs == "all" else 1
    rows[source] += start
    sheet = _sheet(
        (tau - 1 + start, len(names) - 1), _margins(start, parameters),
        _values(values, rows), decimals, parameters, pitch, title, at, ax,
    )  # fmt: skip
    before = sheet.circle(0, ROWS.index(source), source, 0, 0) if start else None
    for t in range(1, tau + 1):
        circles = {}
        for row, name in enumerate(names):
            late = outputs == "last" and row > 1
            if (late and t < tau) or (name == "x" and inputs == "first" and t > 1):
                continue
            index = 0 if late else t - 1 + (start and name == source)
            circles[name] = sheet.circle(t - 1 + start, row, name, index, None if late else t)
        _column(sheet, circles, SOUTH_WEST, EAST)
        if before is not None:
            sheet.edge(before, circles["h"], "W")
        before = circles.get(source)
    return sheet.ax


def _margins(start: bool, lettered: bool) -> tuple[float, float, float, float]:
    """Room beside the outer circles: for a bias at the left, one at the right, or for none."""
    return 0.27 if lettered and not start else 0.06, 0.06, 0.5 if lettered else 0.06, 0.06


def encoder_decoder_graph(
    tau_x: int,
    tau_y: int,
    *,
    parameters: bool = True,
    values: Mapping[str, ArrayLike] | None = None,
    decimals: int = 2,
    pitch: Point | None = None,
    title: str = "",
    at: Point | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Two recurrences, one after the other: the first reads a sequence, the second says one.

    Parameters
    ----------
    tau_x, tau_y : int
        Steps of the encoder and of the decoder.
    parameters, decimals, pitch, title, at, ax
        As in :func:`unrolled_graph`.
    values : mapping of str to array_like, optional
        The numbers in the circles: "x" and "h" of the encoder, a row a step; "y", "h'" and
        "y_hat" of the decoder, whose inputs are the outputs of the step before.

    Returns
    -------
    matplotlib.axes.Axes
        The canvas.

    Raises
    ------
    ValueError
        If there is no step, or values do not fit.

    References
    ----------
    K. Cho et al., *Learning phrase representations using RNN encoder-decoder*, EMNLP 2014.

    Examples
    --------
    >>> ax = encoder_decoder_graph(2, 1)
    >>> [circle.get_label() for circle in ax.patches if circle.get_gid() == "node"]
    ['$x^{(1)}$', '$h^{(1)}$', '$x^{(2)}$', '$h^{(2)}$', '$y^{(0)}$', "$h'^{(1)}$", '$\\\\hat{y}^{(1)}$']
    """
    tau_x, tau_y = checks.count(tau_x, "tau_x"), checks.count(tau_y, "tau_y")
    rows = {"x": tau_x, "h": tau_x, "y": tau_y, "h'": tau_y, "y_hat": tau_y}
    sheet = _sheet(
        (tau_x + tau_y - 1, 2), _margins(False, parameters),
        _values(values, rows), decimals, parameters, pitch, title, at, ax,
    )  # fmt: skip
    before = None
    for column in range(tau_x + tau_y):
        late = column >= tau_x
        k = column - tau_x if late else column
        read = sheet.circle(column, 0, "y" if late else "x", k, k if late else k + 1)
        circles = {"x": read, "h": sheet.circle(column, 1, "h'" if late else "h", k, k + 1)}
        if late:
            circles["y_hat"] = sheet.circle(column, 2, "y_hat", k, k + 1)
        prime = "'" if late else ""
        _column(sheet, circles, SOUTH_WEST, EAST, prime)
        if before is not None:
            sheet.edge(before, circles["h"], "W" + prime)
        before = circles["h"]
    return sheet.ax


def bidirectional_graph(
    tau: int,
    *,
    loss: bool = False,
    parameters: bool = True,
    values: Mapping[str, ArrayLike] | None = None,
    decimals: int = 2,
    pitch: Point | None = None,
    title: str = "",
    at: Point | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A bidirectional network: one chain of states from left to right, one from right to left.

    Parameters
    ----------
    tau : int
        How many steps.
    loss, parameters, decimals, pitch, title, at, ax
        As in :func:`unrolled_graph`; biases are left out.
    values : mapping of str to array_like, optional
        The numbers in the circles "x", "hf", "hb", "y_hat", "L" and "y", a row a step.

    Returns
    -------
    matplotlib.axes.Axes
        The canvas.

    Raises
    ------
    ValueError
        If there is no step, or values do not fit.

    References
    ----------
    Section "Bidirectional RNNs" of the textbook.

    Examples
    --------
    >>> ax = bidirectional_graph(3)
    >>> drawn = [arrow.get_label() for arrow in ax.patches if arrow.get_gid() == "arrow"]
    >>> drawn.count("W_f"), drawn.count("W_b"), drawn.count("U_b")
    (2, 2, 3)
    """
    tau = checks.count(tau, "tau")
    names = ("x", "hf", "hb", "y_hat", "L", "y")[: 6 if loss else 4]
    found = _values(values, dict.fromkeys(names, tau))
    aside = 0.7 * _radius(found) + 0.1
    pitch = pitch or (2 * _radius(found) + 2 * aside + 0.35, 2 * _radius(found) + 0.36)
    margin = aside + 0.06
    sheet = _sheet(
        (tau - 1, len(names) - 1), (margin, 0.06, margin, 0.06),
        found, decimals, parameters, pitch, title, at, ax,
    )  # fmt: skip
    shift = {"hf": -aside / pitch[0], "hb": aside / pitch[0]}
    steps = [
        {
            name: sheet.circle(t + shift.get(name, 0.0), row, name, t, t + 1)
            for row, name in enumerate(names)
        }
        for t in range(tau)
    ]
    for t, circles in enumerate(steps):
        for way in "fb":
            sheet.edge(circles["x"], circles[f"h{way}"], f"U_{way}")
            sheet.edge(circles[f"h{way}"], circles["y_hat"], f"V_{way}")
        if t:
            sheet.edge(steps[t - 1]["hf"], circles["hf"], "W_f")
            sheet.edge(circles["hb"], steps[t - 1]["hb"], "W_b")
        if loss:
            sheet.edge(circles["y_hat"], circles["L"])
            sheet.edge(circles["y"], circles["L"])
    return sheet.ax
