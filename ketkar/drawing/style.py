"""How a figure looks: colours, fonts and line styles, and how numbers are written in it.

The colours are those of Okabe and Ito, which readers with any of the common forms of colour
blindness can tell apart. Meaning never rests on colour alone: the cycle of lines changes the
dash pattern together with the colour.
"""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MINUS = "\N{MINUS SIGN}"

__all__ = ["COLOURS", "axes", "number", "style"]

COLOURS = {
    "black": "#000000",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
    "grey": "#5F6B76",
    "light": "#EEF2F6",
}
"""Colour-blind safe colours by name; ``grey`` and ``light`` are for what stands behind."""

# The other colours are too pale for a line on white, whose contrast should be at least 3 to 1.
CYCLE = ("blue", "vermillion", "green", "black", "grey")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))


def pyplot() -> Any:
    """The module matplotlib.pyplot, imported when the first figure is drawn.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        plt = importlib.import_module("matplotlib.pyplot")
    except ImportError:
        raise ImportError("drawing needs matplotlib: pip install 'ketkar[plot]'") from None
    # The backend is loaded by what first needs it. In a notebook it then turns interactive mode on;
    # inside a style context that would be undone, and no later figure would be shown.
    plt.draw_if_interactive()
    return plt


def style() -> dict[str, Any]:
    """Matplotlib settings for the figures of the book.

    Text of at least 10 points, no frame above and to the right, a layout in which nothing is
    clipped, and a cycle of lines that differ in colour and in dash pattern.

    Returns
    -------
    dict
        Settings for ``plt.style.use`` or ``plt.style.context``.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> with plt.style.context(style()):
    ...     plt.rcParams["axes.prop_cycle"].by_key()["color"][:2]
    ['#0072B2', '#D55E00']
    """
    pyplot()
    cycler = importlib.import_module("cycler").cycler
    return {
        "axes.labelsize": 11,
        "axes.prop_cycle": cycler(color=[COLOURS[name] for name in CYCLE], linestyle=DASHES),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlesize": 12,
        "figure.constrained_layout.use": True,
        "figure.dpi": 100,
        "figure.figsize": (6.4, 3.8),
        "figure.titlesize": 12,
        "font.size": 11,
        "image.cmap": "cividis",
        "legend.fontsize": 10.5,
        "legend.frameon": False,
        "legend.handlelength": 2.8,
        "lines.linewidth": 2.0,
        "mathtext.fontset": "dejavusans",
        "savefig.dpi": "figure",
        "xtick.labelsize": 10,
        "ytick.labelsize": 10,
    }


def axes(ax: Axes | None = None, size: tuple[float, float] = (6.4, 3.8)) -> Axes:
    """The axes to draw on: the ones given, or those of a new figure in the book's style.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, optional
        Axes that exist already; they come back as they are.
    size : tuple of float
        Width and height of the new figure in inches.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    if ax is not None:
        return ax
    plt = pyplot()
    with plt.style.context(style()):
        made: Axes = plt.subplots(figsize=size)[1]
    return made


def number(value: float, decimals: int = 4) -> str:
    """A number as the figures write it: rounded, without trailing zeros, with a true minus sign.

    A number that rounding would turn into zero is written with a power of ten.

    Parameters
    ----------
    value : float
        The number.
    decimals : int
        Digits after the decimal point.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> number(0.130108474), number(2.0), number(1234.5, decimals=0)
    ('0.1301', '2', '1234')
    """
    value = float(value)
    if not math.isfinite(value):
        return str(value).replace("-", MINUS)
    if value != 0 and round(value, decimals) == 0:
        return f"{value:.1e}".replace("-", MINUS)
    text = f"{value:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", MINUS)
