"""Arrays as pictures: matrices as blocks, grids of numbers, weights and inputs as images."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.drawing.shapes import canvas, label
from ketkar.drawing.style import COLOURS, axes, number, pyplot, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TIMES = "\N{MULTIPLICATION SIGN}"

__all__ = ["image_grid", "matrix_blocks", "number_grid"]


def matrix_blocks(
    terms: Sequence[str | tuple[str, ArrayLike]],
    *,
    cell: float | None = None,
    size: tuple[float, float | None] = (6.4, None),
    ax: Axes | None = None,
) -> Axes:
    """An equation of matrices, each a rectangle of cells with its shape written below.

    Parameters
    ----------
    terms : sequence
        Pairs (name, array) are drawn as rectangles, strings such as ``"+"`` are written
        between them. A vector counts as one row.
    cell : float, optional
        Largest side of a cell in inches; cells are smaller where the width asks for it.
    size : tuple
        Width and height of the canvas in inches; None for the height that the matrices need.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The canvas.

    Raises
    ------
    ValueError
        If an array has more than two axes, or is empty.

    References
    ----------
    Section "Expressing the Neural Network in Vector Form" of the textbook.

    Examples
    --------
    >>> import numpy as np
    >>> ax = matrix_blocks([("x", np.ones(3)), ("W", np.ones((3, 2)))])
    >>> len([patch for patch in ax.patches if patch.get_gid() == "cell"])
    9
    """
    blocks = [_matrix(*term) if isinstance(term, tuple) else term for term in terms]
    matrices = [block[1] for block in blocks if not isinstance(block, str)]
    if not matrices:
        raise ValueError("matrix_blocks needs at least one pair (name, array)")
    gap = 0.15
    room = (
        size[0] - gap * (len(blocks) + 1) - sum(_breadth(t) for t in blocks if isinstance(t, str))
    )
    side = min(cell or 0.36, room / sum(max(m.shape[1], 2) for m in matrices))
    height = size[1] or max(m.shape[0] for m in matrices) * side + 1.0
    ax = canvas(size[0], height, ax)
    breadths = [
        _breadth(b) if isinstance(b, str) else max(b[1].shape[1] * side, 0.5) for b in blocks
    ]
    place = (size[0] - sum(breadths) - gap * (len(blocks) - 1)) / 2
    for block, breadth in zip(blocks, breadths, strict=True):
        centre = place + breadth / 2
        if isinstance(block, str):
            label(ax, (centre, height / 2), block, size=14)
        else:
            _cells(ax, *block, centre, height / 2, side)
        place += breadth + gap
    return ax


def _matrix(name: str, value: ArrayLike) -> tuple[str, NDArray[Any]]:
    array = checks.float_array(value, name)
    checks.not_empty(array, name)
    if array.ndim > 2:
        raise ValueError(f"{name} has {array.ndim} axes {array.shape}; a matrix has 2")
    return name, np.atleast_2d(array)


def _breadth(text: str) -> float:
    """About how wide a sign of 14 points is, in inches."""
    return 0.14 * len(re.sub(r"\\[a-z]+", "x", text.replace("$", ""))) + 0.02


def _cells(ax: Axes, name: str, matrix: NDArray[Any], x: float, y: float, side: float) -> None:
    from matplotlib.patches import Rectangle

    rows, columns = matrix.shape
    left, top = x - columns * side / 2, y + rows * side / 2
    shade = _shades(matrix)
    for i in range(rows):
        for j in range(columns):
            at = (left + j * side, top - (i + 1) * side)
            look: dict[str, Any] = {
                "facecolor": shade[i, j],
                "edgecolor": "white",
                "linewidth": 0.6,
            }
            ax.add_patch(Rectangle(at, side, side, gid="cell", **look))
    frame = Rectangle((left, top - rows * side), columns * side, rows * side, gid="matrix")
    frame.set(facecolor="none", edgecolor=COLOURS["black"], linewidth=1.3)
    ax.add_patch(frame)
    label(ax, (x, top + 0.22), f"${name}$", size=13)
    label(ax, (x, y - rows * side / 2 - 0.22), f"{rows} {TIMES} {columns}", size=10)


def _shades(matrix: NDArray[Any]) -> NDArray[Any]:
    """Colours of the cells: red below zero, white at zero, blue above."""
    rgba: NDArray[Any] = pyplot().get_cmap("RdBu")(0.5 + 0.38 * matrix / _largest(matrix))
    return rgba


def _luminance(colours: NDArray[Any]) -> NDArray[Any]:
    """Brightness of colours in [0, 1]; above 0.179 black ink has more contrast than white."""
    c = colours[..., :3]
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


def _largest(values: NDArray[Any]) -> float:
    """The largest size of a value, which sets the scale of colours; 1 where all are zero."""
    return float(np.abs(values).max(initial=0.0, where=np.isfinite(values))) or 1.0


def number_grid(
    values: ArrayLike,
    *,
    decimals: int = 2,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    title: str = "",
    size: float = 10.5,
    ax: Axes | None = None,
) -> Axes:
    """A matrix as a table of numbers on a coloured ground, dark ink on light and light on dark.

    Values of one sign run from white to blue; values of both signs from red over white to blue.

    Parameters
    ----------
    values : array_like, shape (n, m) or (m,)
        The numbers.
    decimals : int
        Digits after the decimal point.
    rows, columns : sequence of str, optional
        Names along the two axes.
    title : str
        Stands above.
    size : float
        Height of the digits in points.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ValueError
        If `values` has more than two axes, or names do not fit its shape.

    Examples
    --------
    >>> ax = number_grid([[1.0, 0.5]], title="W")
    >>> [text.get_text() for text in ax.texts]
    ['1', '0.5']
    """
    matrix = _matrix("values", values)[1]
    for name, names, length in (("rows", rows, len(matrix)), ("columns", columns, matrix.shape[1])):
        if names is not None and len(names) != length:
            raise ValueError(f"{name} has {len(names)} names; values has shape {matrix.shape}")
    n, m = matrix.shape
    ax = axes(ax, (min(0.75 * m + 1.2, 6.4), 0.5 * n + 1.1))
    signed = bool((matrix < 0).any())
    largest = _largest(matrix)
    scale = pyplot().get_cmap("RdBu" if signed else "Blues")
    shade = scale(0.5 + 0.5 * matrix / largest if signed else matrix / largest)
    ax.imshow(shade, aspect="auto" if m > 12 else "equal")
    ink = np.where(_luminance(shade) > 0.179, "black", "white")
    for i, j in np.ndindex(n, m):
        label(ax, (j, i), number(float(matrix[i, j]), decimals), size=size, color=str(ink[i, j]))
    ax.set_xticks(range(m) if columns else [], columns or [])
    ax.set_yticks(range(n) if rows else [], rows or [])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_title(title)
    return ax


def image_grid(
    images: ArrayLike,
    *,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    signed: bool = False,
    figure: Figure | None = None,
) -> Figure:
    """Several small images side by side on one common scale.

    Unsigned images run from white (zero) to black, as ink on paper. Signed ones, such as the
    weights of a unit, run from black (negative) over grey (zero) to white (positive).

    Parameters
    ----------
    images : array_like, shape (N, height, width)
        The images.
    titles : sequence of str, optional
        One above each.
    columns : int, optional
        Images in a row; its default is at most 8.
    signed : bool
        Use the scale of weights.
    figure : matplotlib.figure.Figure, optional
        Figure or subfigure to draw on.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Raises
    ------
    ValueError
        If `images` has not three axes, or `titles` is not one an image.

    Examples
    --------
    >>> import numpy as np
    >>> figure = image_grid(np.zeros((3, 8, 8)), titles=["0", "1", "2"])
    >>> len(figure.axes)
    3
    """
    stack = checks.float_array(images, "images")
    checks.axes(stack, "images", ("image", "row", "column"), "image_grid")
    checks.not_empty(stack, "images")
    count = len(stack)
    if titles is not None and len(titles) != count:
        raise ValueError(f"titles has {len(titles)} entries for {count} images")
    columns = checks.count(min(count, 8) if columns is None else columns, "columns")
    rows = math.ceil(count / columns)
    plt = pyplot()
    if figure is None:
        side = 6.4 / max(columns, 5)
        with plt.style.context(style()):
            figure = plt.figure(figsize=(side * columns, rows * (side + 0.3 * bool(titles))))
    assert figure is not None
    largest = _largest(stack)
    scale, lowest = ("gray", -largest) if signed else ("gray_r", 0.0)
    for k in range(count):
        ax = figure.add_subplot(rows, columns, k + 1)
        ax.imshow(stack[k], cmap=scale, vmin=lowest, vmax=largest)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set(visible=True, color=COLOURS["grey"])
        if titles is not None:
            ax.set_title(titles[k])
    return figure
