"""The vocabulary of every diagram: a canvas, nodes, boxes, arrows and labels.

A canvas is an Axes without frame whose unit is one inch, so that text, which is measured in
points, fits the shapes whatever stands beside it. Nodes and boxes come back as handles; an arrow
takes two handles, or points, and ends at their edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ketkar import checks
from ketkar.drawing.style import COLOURS, pyplot, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Circle, FancyArrowPatch
    from matplotlib.text import Text

__all__ = ["arrow", "box", "canvas", "flow", "label", "node"]

Point = tuple[float, float]


def canvas(width: float, height: float, ax: Axes | None = None) -> Axes:
    """An empty surface for a diagram, measured in inches from its lower left corner.

    Parameters
    ----------
    width, height : float
        Size in inches. A page of the book shows 7 inches without shrinking.
    ax : matplotlib.axes.Axes, optional
        Axes to turn into a canvas; without them a figure of exactly this size is made.

    Returns
    -------
    matplotlib.axes.Axes
        The canvas: no frame, equal units on both axes.

    Examples
    --------
    >>> ax = canvas(4, 2)
    >>> [float(end) for end in ax.get_xlim()]
    [0.0, 4.0]
    """
    checks.positive(width, "width")
    checks.positive(height, "height")
    if ax is None:
        plt = pyplot()
        with plt.style.context(style()):
            figure = plt.figure(figsize=(width, height), layout="none")
            ax = figure.add_axes((0, 0, 1, 1))
    assert ax is not None
    ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    ax.set_axis_off()
    return ax


def label(ax: Axes, at: Point, text: str, *, size: float = 11, **settings: Any) -> Text:
    """Text on a canvas, centred at a point unless `settings` say otherwise.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        A canvas.
    at : tuple of float
        The point (x, y).
    text : str
        What to write; ``$...$`` is mathematics.
    size : float
        Height of the letters in points.
    **settings
        Further settings of matplotlib's text, such as ``ha="left"``.

    Returns
    -------
    matplotlib.text.Text
        The text drawn.
    """
    return ax.text(*at, text, **{"fontsize": size, "ha": "center", "va": "center", **settings})


def node(
    ax: Axes,
    at: Point,
    text: str = "",
    *,
    radius: float = 0.3,
    fill: str = "white",
    size: float = 11,
    **settings: Any,
) -> Circle:
    """A circle with text in it: a unit of a network, or a value.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        A canvas.
    at : tuple of float
        Centre (x, y).
    text : str
        What stands in the circle.
    radius : float
        In units of the canvas (inches).
    fill : str
        Colour inside.
    size : float
        Height of the letters in points.
    **settings
        Further settings of the circle, such as ``linestyle="--"``.

    Returns
    -------
    matplotlib.patches.Circle
        The circle, to draw arrows from and to.

    Examples
    --------
    >>> ax = canvas(2, 1)
    >>> node(ax, (1, 0.5), "0.13").radius
    0.3
    """
    from matplotlib.patches import Circle

    drawn = {"edgecolor": COLOURS["black"], "linewidth": 1.3, "zorder": 3, "gid": "node"}
    circle = Circle(at, radius, facecolor=fill, **{**drawn, **settings})
    ax.add_patch(circle)
    if text:
        label(ax, at, text, size=size, zorder=4)
    return circle


def box(
    ax: Axes,
    at: Point,
    text: str,
    *,
    fill: str = COLOURS["light"],
    size: float = 11,
    pad: float = 0.5,
) -> Text:
    """Text in a rounded box that is as large as the text needs.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        A canvas.
    at : tuple of float
        Centre (x, y).
    text : str
        What stands in the box.
    fill : str
        Colour inside.
    size : float
        Height of the letters in points.
    pad : float
        Space between text and edge, as a part of the height of the letters.

    Returns
    -------
    matplotlib.text.Text
        The text with its box, to draw arrows from and to.
    """
    look = {
        "boxstyle": f"round,pad={pad},rounding_size=0.3",
        "facecolor": fill,
        "edgecolor": COLOURS["black"],
        "linewidth": 1.3,
    }
    return label(ax, at, text, size=size, bbox=look, zorder=3, gid="box", linespacing=1.4)


def arrow(
    ax: Axes,
    start: Circle | Text | Point,
    end: Circle | Text | Point,
    text: str = "",
    *,
    bend: float = 0.0,
    offset: Point = (0.0, 0.0),
    size: float = 10.5,
    **settings: Any,
) -> FancyArrowPatch:
    """An arrow between two shapes or points, with text at its middle.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        A canvas.
    start, end : matplotlib.patches.Circle, matplotlib.text.Text or tuple of float
        What :func:`node` or :func:`box` returned, or a point (x, y).
    text : str
        Stands beside the middle of the arrow.
    bend : float
        0 for a straight arrow; 0.3 for an arc that swings out to the right of its direction.
    offset : tuple of float
        Moves the text away from the middle of the straight line between the two.
    size : float
        Height of the letters in points.
    **settings
        Further settings of matplotlib's arrow: ``color``, ``linewidth``, ``linestyle``,
        ``arrowstyle``.

    Returns
    -------
    matplotlib.patches.FancyArrowPatch
        The arrow.
    """
    from matplotlib.patches import FancyArrowPatch

    (a, patch_a), (b, patch_b) = _anchor(start), _anchor(end)
    drawn = {"color": COLOURS["black"], "linewidth": 1.4, "arrowstyle": "-|>", "gid": "arrow"}
    ends = {"patchA": patch_a, "patchB": patch_b, "shrinkA": 1.5, "shrinkB": 1.5}
    bow = f"arc3,rad={bend}"
    shaft = FancyArrowPatch(
        a, b, connectionstyle=bow, mutation_scale=13, **{**ends, **drawn, "zorder": 3.5, **settings}
    )
    ax.add_patch(shaft)
    if text:
        # The arc's middle lies half of `bend` times the distance to the right of the chord's.
        x = (a[0] + b[0]) / 2 + bend * (b[1] - a[1]) / 2 + offset[0]
        y = (a[1] + b[1]) / 2 - bend * (b[0] - a[0]) / 2 + offset[1]
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        label(ax, (x, y), text, size=size, bbox=paper, zorder=4)
    return shaft


def _anchor(shape: Any) -> tuple[Point, Any]:
    """The middle of a shape or point, and the outline at which an arrow stops."""
    if hasattr(shape, "get_bbox_patch"):
        return shape.get_position(), shape.get_bbox_patch()
    if hasattr(shape, "radius"):
        return shape.get_center(), shape
    return (float(shape[0]), float(shape[1])), None


def flow(
    boxes: dict[str, tuple[str, Point]],
    arrows: Sequence[tuple[str, str] | tuple[str, str, dict[str, Any]]],
    *,
    size: tuple[float, float] = (6.4, 2.0),
    ax: Axes | None = None,
) -> Axes:
    """A diagram of steps: named boxes and the arrows between them, in a line or in a loop.

    Parameters
    ----------
    boxes : dict
        For each name the text of the box and its centre (x, y).
    arrows : sequence of tuple
        Pairs of names, from and to; a third entry holds keywords of :func:`arrow`,
        such as ``{"text": "gradient", "bend": 0.3}``.
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
        If an arrow names a box that is not there.

    Examples
    --------
    >>> ax = flow({"x": ("x", (1, 1)), "y": ("f(x)", (3, 1))}, [("x", "y")], size=(4, 2))
    >>> sorted(text.get_text() for text in ax.texts)
    ['f(x)', 'x']
    """
    ends = [end for link in arrows for end in link[:2]]
    missing = [end for end in ends if end not in boxes]
    if missing:
        known = ", ".join(f'"{name}"' for name in boxes)
        raise ValueError(f'an arrow names the box "{missing[0]}"; the boxes are {known}')
    ax = canvas(*size, ax=ax)
    drawn = {name: box(ax, at, text) for name, (text, at) in boxes.items()}
    for start, end, *settings in arrows:
        arrow(ax, drawn[start], drawn[end], **(settings[0] if settings else {}))
    return ax
