"""Images on their way through a convolutional network: windows, feature maps, volumes, shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ketkar import checks
from ketkar.drawing.arrays import TIMES, _largest
from ketkar.drawing.shapes import Point, arrow, canvas, label
from ketkar.drawing.style import COLOURS, axes, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["picture", "shape_flow", "volume", "window_grid"]

# The frames of windows, told apart by colour and dash pattern, and the grounds of their cells.
FRAMES = (
    ("vermillion", "-", "#FBE3D3"),
    ("blue", "--", "#D6E8F5"),
    ("green", "-.", "#D3EFE6"),
    ("black", ":", "#E7EAED"),
)


def window_grid(
    values: ArrayLike,
    windows: Sequence[tuple[int, int, int, int]] = (),
    *,
    decimals: int = 2,
    padding: int = 0,
    title: str = "",
    size: float = 10.5,
    ax: Axes | None = None,
) -> Axes:
    """A matrix as a grid of numbers or letters, with windows framed on it.

    Parameters
    ----------
    values : array_like, shape (n, m)
        Numbers or texts.
    windows : sequence of tuple of int
        Rectangles (row, column, rows, columns). The k-th of one grid looks like the k-th of
        another; after four the looks repeat.
    decimals : int
        Digits of a number after the decimal point.
    padding : int
        Rows and columns on each side that are no values but padding; they are dashed and grey.
    title : str
        Stands above.
    size : float
        Height of the letters in points.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; the cell (i, j) has its centre at (j, i).

    Raises
    ------
    ValueError
        If `values` has not two axes, or a window leaves the grid.

    References
    ----------
    Section "Convolution Operation" of the textbook.

    Examples
    --------
    >>> ax = window_grid([["a", "b"], ["c", "d"]], [(0, 0, 2, 1)])
    >>> [text.get_text() for text in ax.texts]
    ['a', 'b', 'c', 'd']
    """
    table = np.asarray(values)
    if table.ndim != 2 or table.size == 0:
        raise ValueError(f"values has shape {table.shape}; a grid has rows and columns")
    n, m = table.shape
    for row, column, rows, columns in windows:
        fits = 0 <= row < row + rows <= n and 0 <= column < column + columns <= m
        if not fits:
            raise ValueError(
                f"the window of {rows} {TIMES} {columns} at row {row}, column {column} leaves the "
                f"grid of {n} {TIMES} {m}"
            )
    padding = checks.count(padding, "padding", least=0)
    ax = axes(ax, (min(0.42 * m + 0.3, 6.4), 0.42 * n + 0.3 + 0.3 * bool(title)))
    from matplotlib.patches import Rectangle

    for i, j in np.ndindex(n, m):
        outside = min(i, j, n - 1 - i, m - 1 - j) < padding
        ground = [FRAMES[k % 4][2] for k, w in enumerate(windows) if _inside(i, j, w)]
        cell = Rectangle((j - 0.5, i - 0.5), 1, 1, gid="cell", clip_on=False)
        cell.set(facecolor=ground[-1] if ground else "white", edgecolor="#A3ACB5", linewidth=0.8)
        if outside:
            cell.set(linestyle="--", zorder=0.9)
        ax.add_patch(cell)
        value = table[i, j]
        text = str(value) if table.dtype.kind in "US" else number(float(value), decimals)
        label(ax, (j, i), text, size=size, color=COLOURS["grey" if outside else "black"], zorder=4)
    for k, (row, column, rows, columns) in enumerate(windows):
        colour, dash, _ = FRAMES[k % 4]
        # Slightly smaller than the cells, so that neighbouring frames do not hide one another.
        inset = 0.06
        frame = Rectangle(
            (column - 0.5 + inset, row - 0.5 + inset), columns - 2 * inset, rows - 2 * inset,
            facecolor="none", edgecolor=COLOURS[colour], linestyle=dash, linewidth=2.4,
            gid="window", zorder=3, clip_on=False,
        )  # fmt: skip
        ax.add_patch(frame)
    ax.set(xlim=(-0.55, m - 0.45), ylim=(n - 0.45, -0.55), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.set_title(title)
    return ax


def _inside(i: int, j: int, window: tuple[int, int, int, int]) -> bool:
    row, column, rows, columns = window
    return row <= i < row + rows and column <= j < column + columns


def picture(
    values: ArrayLike,
    *,
    signed: bool = False,
    largest: float | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """One image or feature map in a frame, on the scale of :func:`image_grid`.

    Parameters
    ----------
    values : array_like, shape (height, width)
        The image.
    signed : bool
        Black for negative, grey for zero, white for positive values; otherwise white stands for
        zero and black for the largest.
    largest : float, optional
        The size of a value at the end of the scale, to give several images the same one.
    title : str
        Stands above.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ValueError
        If `values` has not two axes, or `largest` is not above 0.

    Examples
    --------
    >>> ax = picture([[0.0, 1.0], [2.0, 0.5]], title="map")
    >>> [float(end) for end in ax.images[0].get_clim()]
    [0.0, 2.0]
    """
    image = checks.float_array(values, "values")
    checks.axes(image, "values", ("row", "column"), "picture")
    checks.not_empty(image, "values")
    end = _largest(image) if largest is None else checks.positive(largest, "largest")
    ax = axes(ax, (2.4, 2.4 * image.shape[0] / image.shape[1] + 0.3 * bool(title)))
    scale, low = ("gray", -end) if signed else ("gray_r", 0.0)
    ax.imshow(image, cmap=scale, vmin=low, vmax=end)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color=COLOURS["grey"])
    ax.set_title(title)
    return ax


class Volume(NamedTuple):
    """The middles of the left and right edges of a drawn box, where arrows end and begin."""

    left: Point
    right: Point


def volume(
    ax: Axes,
    at: Point,
    size: tuple[float, float, float],
    *,
    slices: int = 1,
    fill: str = COLOURS["light"],
) -> Volume:
    """A box of width, height and depth: an image of several channels, or a kernel.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        A canvas.
    at : tuple of float
        The centre (x, y) of the whole drawing.
    size : tuple of float
        Width, height and depth in inches; the depth runs to the right and upwards.
    slices : int
        Into how many channels lines divide the depth.
    fill : str
        Colour of the front.

    Returns
    -------
    tuple
        The points ``left`` and ``right`` for arrows to and from the box.

    Raises
    ------
    ValueError
        If a length is not above 0 or `slices` is below 1.

    Examples
    --------
    >>> box = volume(canvas(3, 2), (1.5, 1), (0.8, 0.8, 0.4), slices=3)
    >>> box.left[0] < 1.5 < box.right[0]
    True
    """
    from matplotlib.patches import Polygon

    width, height, depth = (
        checks.positive(length, name)
        for length, name in zip(size, ("width", "height", "depth"), strict=True)
    )
    slices = checks.count(slices, "slices")
    d = 0.5 * depth  # the slanted axis, foreshortened
    x, y = at[0] - (width + d) / 2, at[1] - (height + d) / 2
    edge: dict[str, Any] = {
        "edgecolor": COLOURS["black"],
        "linewidth": 1.1,
        "zorder": 3,
        "joinstyle": "round",
    }
    faces = {
        "front": ([(0, 0), (width, 0), (width, height), (0, height)], fill),
        "top": ([(0, height), (width, height), (width + d, height + d), (d, height + d)], "white"),
        "side": ([(width, 0), (width + d, d), (width + d, height + d), (width, height)], "#C9D2DA"),
    }
    for corners, colour in faces.values():
        points = [(x + a, y + b) for a, b in corners]
        ax.add_patch(Polygon(points, facecolor=colour, gid="face", **edge))
    for k in range(1, slices):
        s = d * k / slices
        across, up = [x + s, x + width + s, x + width + s], [y + height + s, y + height + s, y + s]
        ax.plot(across, up, color=COLOURS["black"], linestyle="-", linewidth=0.8, zorder=3.2)
    return Volume((x, at[1]), (x + width + d, at[1]))


def shape_flow(
    shapes: Sequence[tuple[int, ...]],
    steps: Sequence[str],
    *,
    names: Sequence[str] | None = None,
    size: tuple[float, float] = (6.4, 2.6),
    ax: Axes | None = None,
) -> Axes:
    """The shapes of a network from its input to its output, as boxes in true order of size.

    Sides grow with the square root of the lengths, so that 5 beside 32 can still be seen.

    Parameters
    ----------
    shapes : sequence of tuple of int
        (C, H, W) for maps, which are drawn as boxes, or (n,) for vectors, drawn as bars.
    steps : sequence of str
        What leads from each shape to the next; short lines that stand above the arrows.
    names : sequence of str, optional
        A line under each shape.
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
        If there are not one fewer steps than shapes, or a shape has neither one nor three axes.

    References
    ----------
    Section "Convolution-Detector-Pooling Building Block" of the textbook.

    Examples
    --------
    >>> ax = shape_flow([(1, 8, 8), (4, 6, 6), (144,)], ["conv", "flatten"])
    >>> "144" in [text.get_text() for text in ax.texts]
    True
    """
    _check_flow(shapes, steps, names)
    ax = canvas(*size, ax=ax)
    lines = max((step.count("\n") + 1 for step in steps), default=0)
    head, foot = 0.1 + 0.19 * lines, 0.55 + 0.2 * bool(names)
    room = size[1] - head - foot
    middle = foot + room / 2
    pitch = (size[0] - 0.1) / len(shapes)
    side = min(0.55 * pitch, 0.8 * room)
    longest = max((max(shape[1:]) for shape in shapes if len(shape) == 3), default=1)
    deepest = max((shape[0] for shape in shapes if len(shape) == 3), default=1)
    widest = max((shape[0] for shape in shapes if len(shape) == 1), default=1)
    drawn = []
    for k, shape in enumerate(shapes):
        at = (0.05 + pitch * (k + 0.5), middle)
        if len(shape) == 3:
            channels, height, width = shape
            up, across = (max(side * math.sqrt(n / longest), 0.07) for n in (height, width))
            depth = max(0.5 * side * math.sqrt(channels / deepest), 0.05)
            slices = channels if depth / channels > 0.06 else 1  # lines need air
            drawn.append(volume(ax, at, (across, up, depth), slices=slices))
            text = f"{channels} {TIMES}\n{height} {TIMES} {width}"
        else:
            up = max(0.95 * room * math.sqrt(shape[0] / widest), 0.1)
            drawn.append(volume(ax, at, (0.1, up, 0.08), fill=COLOURS["yellow"]))
            text = str(shape[0])
        label(ax, (at[0], foot - 0.08), text, size=10.5, va="top", linespacing=1.25)
        if names:
            label(ax, (at[0], 0.03), names[k], size=10.5, va="bottom", color=COLOURS["grey"])
    for k, step in enumerate(steps):
        a, b = drawn[k].right, drawn[k + 1].left
        arrow(ax, (a[0] + 0.01, middle), (b[0] - 0.01, middle)).set_mutation_scale(9)
        at = (0.05 + pitch * (k + 1), size[1] - 0.04)
        label(ax, at, step, size=10.5, va="top", linespacing=1.2)
    return ax


def _check_flow(
    shapes: Sequence[tuple[int, ...]], steps: Sequence[str], names: Sequence[str] | None
) -> None:
    if len(steps) != len(shapes) - 1:
        raise ValueError(
            f"steps has {len(steps)} entries; {len(shapes)} shapes need {len(shapes) - 1}"
        )
    if names is not None and len(names) != len(shapes):
        raise ValueError(f"names has {len(names)} entries for {len(shapes)} shapes")
    for k, shape in enumerate(shapes):
        if len(shape) not in (1, 3):
            raise ValueError(f"shapes[{k}] is {tuple(shape)}; expected (C, H, W) or (n,)")
        for n in shape:
            checks.count(n, f"shapes[{k}]")
