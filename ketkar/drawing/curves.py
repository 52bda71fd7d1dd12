"""Curves: functions and their derivatives, losses over time, descent on a contour, bars."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ketkar import checks
from ketkar.drawing.style import COLOURS, axes, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["bars", "contour_path", "curves", "function_panel"]


def curves(
    series: Mapping[str, ArrayLike],
    x: ArrayLike | None = None,
    *,
    xlabel: str = "",
    ylabel: str = "",
    log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Several curves over one axis, told apart by colour and dash pattern.

    Parameters
    ----------
    series : mapping of str to array_like, shape (n,)
        The heights of each curve by the name it has in the legend.
    x : array_like, shape (n,), optional
        Where the heights stand; their index from 1 if not given.
    xlabel, ylabel : str
        Names of the axes.
    log : bool
        Draw the heights on a logarithmic scale.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ValueError
        If there is no curve, or a curve and `x` differ in length.

    Examples
    --------
    >>> ax = curves({"training": [3.0, 2.0, 1.5], "validation": [3.1, 2.4, 2.2]}, xlabel="epoch")
    >>> [line.get_label() for line in ax.lines]
    ['training', 'validation']
    """
    if not series:
        raise ValueError("curves needs at least one curve")
    ax = axes(ax)
    for name, heights in series.items():
        heights = checks.float_array(heights, name)
        checks.axes(heights, name, ("point",), "curves")
        places = np.arange(1, len(heights) + 1) if x is None else checks.float_array(x, "x")
        checks.same_shape(heights, name, places, "x")
        ax.plot(places, heights, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if log:
        ax.set_yscale("log")
    if len(series) > 1:
        ax.legend()
    return ax


def function_panel(
    z: ArrayLike,
    curves_of: Mapping[str, ArrayLike],
    *,
    points: Mapping[str, tuple[float, float]] | None = None,
    above: Collection[str] = (),
    xlabel: str = "$z$",
    ax: Axes | None = None,
) -> Axes:
    """A function and its derivative with the axes through the origin and points marked.

    Parameters
    ----------
    z : array_like, shape (n,)
        Where the functions were computed.
    curves_of : mapping of str to array_like, shape (n,)
        Values by name, such as ``{"sigmoid": ..., "derivative": ...}``.
    points : mapping of str to tuple of float, optional
        Points (z, value) by the text that stands below and to the right of them.
    above : collection of str
        The texts that stand above their points instead.
    xlabel : str
        Name of the horizontal axis.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ValueError
        If a curve and `z` differ in length.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.linspace(-2, 2, 9)
    >>> ax = function_panel(z, {"tanh": np.tanh(z)}, points={"(0, 0)": (0, 0)})
    >>> [text.get_text() for text in ax.texts]
    ['(0, 0)']
    """
    ax = axes(ax)
    for place in (ax.axhline, ax.axvline):
        place(0, color=COLOURS["grey"], linewidth=0.8, linestyle="-", zorder=1, label="_axis")
    curves(curves_of, z, xlabel=xlabel, ax=ax)
    for text, at in (points or {}).items():
        ax.plot(*at, "o", color=COLOURS["black"], markersize=7, zorder=4, label="_point")
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
        side = {"xytext": (10, 6)} if text in above else {"xytext": (10, -6), "va": "top"}
        ax.annotate(text, at, textcoords="offset points", bbox=paper, **side)
    ax.grid(alpha=0.25)
    return ax


def bars(
    values: ArrayLike,
    names: Sequence[str],
    *,
    decimals: int = 3,
    highlight: int | None = None,
    ylabel: str = "",
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Bars with their numbers on top, such as the probabilities of the classes.

    Parameters
    ----------
    values : array_like, shape (n,)
        Heights.
    names : sequence of str
        What stands under each bar.
    decimals : int
        Digits after the decimal point.
    highlight : int, optional
        The bar that is filled dark and hatched.
    ylabel, title : str
        Names of the axis and of the panel.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ValueError
        If `names` is not one a bar.

    Examples
    --------
    >>> ax = bars([0.659, 0.242, 0.099], ["a", "b", "c"])
    >>> [text.get_text() for text in ax.texts]
    ['0.659', '0.242', '0.099']
    """
    heights = checks.float_array(values, "values")
    checks.axes(heights, "values", ("bar",), "bars")
    checks.not_empty(heights, "values")
    if len(names) != len(heights):
        raise ValueError(f"names has {len(names)} entries for {len(heights)} bars")
    ax = axes(ax)
    drawn = ax.bar(range(len(heights)), heights, color=COLOURS["sky"], edgecolor=COLOURS["black"])
    if highlight is not None:
        drawn[highlight].set(facecolor=COLOURS["orange"], hatch="//")
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    texts = [number(value, decimals) for value in heights]
    ax.bar_label(drawn, texts, padding=2.5, fontsize=10, bbox=paper, zorder=4)
    ax.set_xticks(range(len(heights)), names)
    ax.set(ylabel=ylabel, title=title)
    ax.margins(y=0.15)
    return ax


def contour_path(
    f: Callable[[Any], Any],
    paths: Mapping[str, ArrayLike],
    *,
    xlim: tuple[float, float],
    ylim: tuple[float, float],
    levels: int | Sequence[float] = 14,
    names: tuple[str, str] = (r"$\theta_1$", r"$\theta_2$"),
    ax: Axes | None = None,
) -> Axes:
    """The steps of a descent on the contour lines of the function they descend.

    Parameters
    ----------
    f : callable
        Takes a vector of two numbers, returns one.
    paths : mapping of str to array_like, shape (steps, 2)
        The points that a rule visited, by the name of the rule.
    xlim, ylim : tuple of float
        The part of the plane that is shown.
    levels : int or sequence of float
        Number of contour lines, or their heights.
    names : tuple of str
        Names of the two coordinates.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ValueError
        If a path is not a list of points with two coordinates.

    Examples
    --------
    >>> ax = contour_path(lambda t: t @ t, {"descent": [[1, 1], [0.5, 0.5]]},
    ...                   xlim=(-2, 2), ylim=(-2, 2))
    >>> ax.get_legend_handles_labels()[1]
    ['descent']
    """
    ax = axes(ax, (5.4, 4.4))
    across, up = np.linspace(*xlim, 61), np.linspace(*ylim, 61)
    heights = [[float(f(np.array([a, b]))) for a in across] for b in up]
    ax.contour(
        across, up, heights, levels=levels, colors=COLOURS["grey"], linewidths=0.7, alpha=0.8
    )
    starts: set[tuple[float, float]] = set()
    for marker, (name, path) in zip("osD^v", paths.items(), strict=False):
        points = checks.float_array(path, name)
        checks.axes(points, name, ("step", "coordinate"), "contour_path")
        if points.shape[1] != 2:
            raise ValueError(f"{name} has {points.shape[1]} coordinates; a contour plot has 2")
        ax.plot(*points.T, marker=marker, markersize=5, linewidth=1.5, label=name)
        starts.add((float(points[0, 0]), float(points[0, 1])))
    for start in starts:
        ax.annotate("start", start, (6, 6), textcoords="offset points")
    ax.set(xlim=xlim, ylim=ylim, xlabel=names[0], ylabel=names[1])
    if len(paths) > 1:
        ax.legend(frameon=True)
    return ax
