"""Graphs of recurrent networks: folded into one step, or unrolled over all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from ketkar import checks
from ketkar.drawing.shapes import Point, label
from ketkar.drawing.sheet import (
    AIR,
    LOOKS,
    Sheet,
    middle,
    radius_for,
    sheet_for,
    symbol,
    values_of,
)
from ketkar.drawing.style import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Circle

__all__ = ["bidirectional_graph", "encoder_decoder_graph", "recurrent_graph", "unrolled_graph"]

ROWS = ("x", "h", "y_hat", "L", "y")
FEEDBACKS = {"hidden": "h", "output": "y_hat", "target": "y"}
NORTH_WEST, SOUTH_WEST, SOUTH, EAST = 135, 225, 270, 0
# Where the bias c comes from, out of the way of what is fed back.
ASIDE = {"hidden": SOUTH_WEST, "output": NORTH_WEST, "target": EAST}


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
    r"""A recurrent network as the graph of one step, with a loop for what the next step reads.

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
    ['$x^{(t)}$', '$h^{(t)}$', '$\\hat{y}^{(t)}$']
    """
    source = _described(feedback, outputs, loss)
    names = ROWS if loss else ROWS[:3]
    found = values_of(values, dict.fromkeys((*names, "fed"), 1))
    fed = found.pop("fed", None)
    high = (0.46, 0.44, 0.5)[tuple(FEEDBACKS).index(feedback)]
    sheet = sheet_for(
        (len(names) - 1, 0), (0.06, 0.5, 0.06, high + 0.3), found, decimals, True,
        (1.28, 1.0), title, at, ax,
    )  # fmt: skip
    single = outputs == "last"
    circles = {
        name: sheet.circle(k, 0, name, 0, None if single and k > 1 else "t")
        for k, name in enumerate(names)
    }
    _column(sheet, circles, SOUTH, SOUTH)
    _loop(sheet, circles[source], circles["h"], high)
    (start, y), (end, _) = middle(circles[source]), middle(circles["h"])
    text = f"$W$ reads {symbol(source, 't-1')}"
    if fed is not None:
        text += " = " + ", ".join(number(v, decimals) for v in fed[0])
    label(sheet.ax, ((start + end) / 2, y + sheet.radius + high + 0.15), text, size=10.5)
    if single:
        below = (end + 0.64, y - sheet.radius - 0.1)
        label(sheet.ax, below, r"once, $t = \tau$", va="top", size=10)
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
    sheet: Sheet, circles: Mapping[str, Circle], b: float, c: float, prime: str = ""
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


def _loop(sheet: Sheet, start: Circle, end: Circle, high: float) -> None:
    """What is fed back: an arrow over the tops of the circles, or from a circle to itself."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    r = sheet.radius + AIR
    wide, rise = r * math.cos(math.radians(55)), r * math.sin(math.radians(55))
    (right, y), (left, _) = middle(start), middle(end)
    top = y + rise + 4 / 3 * (sheet.radius + high - rise)  # A curve reaches 3/4 of this height.
    lean = 2.1 * wide if start is end else wide
    places = [(right + wide, y + rise), (right + lean, top), (left - lean, top)]
    if start is not end:
        places = [(right - wide, y + rise), (right - lean, top), (left + lean, top)]
    last = (left - wide if start is end else left + wide, y + rise)
    curve = Path([*places, last], [Path.MOVETO, *[Path.CURVE4] * 3])
    shaft = FancyArrowPatch(
        path=curve, mutation_scale=13, arrowstyle="-|>", gid="arrow", label="W", zorder=3.5,
        **LOOKS["W"],
    )  # fmt: skip
    sheet.ax.add_patch(shaft)


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
    sheet = sheet_for(
        (tau - 1 + start, len(names) - 1),
        _margins(parameters, not start, feedback == "target", feedback == "output" and not loss),
        values_of(values, rows), decimals, parameters, pitch, title, at, ax,
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
        _column(sheet, circles, SOUTH_WEST, ASIDE[feedback])
        if before is not None:
            sheet.edge(before, circles["h"], "W")
        before = circles.get(source)
    return sheet.ax


def _margins(
    lettered: bool, left: bool = True, right: bool = False, above: bool = False
) -> tuple[float, float, float, float]:
    """Room beside and above the outer circles, more where a bias comes in."""
    near, far = 0.06, 0.27
    return (
        far if lettered and left else near,
        near,
        0.48 if lettered and right else near,
        far if lettered and above else near,
    )


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
    r"""Two recurrences, one after the other: the first reads a sequence, the second says one.

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
    >>> drawn = [circle.get_label() for circle in ax.patches if circle.get_gid() == "node"]
    >>> drawn[2:]
    ['$x^{(2)}$', '$h^{(2)}$', '$y^{(0)}$', "$h'^{(1)}$", '$\\hat{y}^{(1)}$']
    """
    tau_x, tau_y = checks.count(tau_x, "tau_x"), checks.count(tau_y, "tau_y")
    rows = {"x": tau_x, "h": tau_x, "y": tau_y, "h'": tau_y, "y_hat": tau_y}
    sheet = sheet_for(
        (tau_x + tau_y - 1, 2), _margins(parameters),
        values_of(values, rows), decimals, parameters, pitch, title, at, ax,
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
        _column(sheet, circles, SOUTH_WEST, SOUTH_WEST, prime)
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
    found = values_of(values, dict.fromkeys(names, tau))
    aside = 0.7 * radius_for(found) + 0.1
    pitch = pitch or (2 * radius_for(found) + 2 * aside + 0.35, 2 * radius_for(found) + 0.36)
    margin = aside + 0.06
    sheet = sheet_for(
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
        # The letters of the long arrows keep away from the arrows that they cross.
        sheet.edge(circles["x"], circles["hf"], "U_f", side=-1)
        sheet.edge(circles["x"], circles["hb"], "U_b", along=0.29)
        sheet.edge(circles["hf"], circles["y_hat"], "V_f", side=-1, along=0.71)
        sheet.edge(circles["hb"], circles["y_hat"], "V_b")
        if t:
            sheet.edge(steps[t - 1]["hf"], circles["hf"], "W_f")
            sheet.edge(circles["hb"], steps[t - 1]["hb"], "W_b")
        if loss:
            sheet.edge(circles["y_hat"], circles["L"])
            sheet.edge(circles["y"], circles["L"])
    return sheet.ax
