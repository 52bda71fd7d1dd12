"""Pictures of stored results: ``python -m benchmarks.plots RESULTS.json PICTURE.svg``.

Peers and numbers of threads differ by the shape of their markers, not by colour alone.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ketkar.drawing import COLOURS, axes, number, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ladder", "ratios", "save"]

Report = Mapping[str, Any]

MARKERS = {
    "torch": ("o", "blue"),
    "torch-channels-last": ("D", "vermillion"),
    "torch-fft": ("P", "purple"),
    "jax": ("^", "green"),
    "scipy-ndimage": ("X", "orange"),
    "scipy-fft": ("*", "sky"),
    "numpy": ("s", "grey"),
}
# The first is larger and drawn below, so that both show where times are equal.
THREAD_MARKERS = (
    ("s", 11, "blue"),
    ("o", 6, "vermillion"),
    ("D", 5, "green"),
    ("^", 4, "grey"),
)


def ratios(
    report: Report,
    *,
    threads: int = 1,
    peers: Sequence[str] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Ours / peer of each row as a point, on a logarithmic axis with a line at 1.

    Parameters
    ----------
    report : mapping
        What ``python -m benchmarks --json FILE`` wrote.
    threads : int
        The number of threads whose rows are drawn.
    peers : sequence of str, optional
        The peers to draw; all of them if not given.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; a short upright line is the bar that a row is to reach against torch.

    Raises
    ------
    ValueError
        If the report has no such rows.
    """
    from matplotlib.ticker import LogLocator, NullLocator

    found = [
        row
        for row in report["rows"]
        if row["threads"] == threads and row["peer"] and (peers is None or row["peer"] in peers)
    ]
    if not found:
        raise ValueError(f"the report has no row of these peers on {threads} thread(s)")
    names = list(dict.fromkeys(row["name"] for row in found))
    place = {name: len(names) - 1 - k for k, name in enumerate(names)}
    ax = axes(ax, (6.4, 0.27 * len(names) + 1.8))
    ax.axvline(1, color=COLOURS["grey"], linewidth=1.2, linestyle="-", zorder=1)
    for k, name in enumerate(names):
        if k % 2:
            ax.axhspan(place[name] - 0.5, place[name] + 0.5, color=COLOURS["light"], zorder=0)
    for peer in [peer for peer in MARKERS if any(row["peer"] == peer for row in found)]:
        _points(ax, peer, [row for row in found if row["peer"] == peer], place)
    barred = [row for row in found if row["peer"] == "torch" and row["bar"] is not None]
    if barred:
        bars, heights = [row["bar"] for row in barred], [place[row["name"]] for row in barred]
        look: dict[str, Any] = {
            "color": COLOURS["black"],
            "markersize": 14,
            "markeredgewidth": 2.2,
            "zorder": 2,
        }
        ax.plot(bars, heights, "|", label="bar for torch", **look)
    ax.set_yticks(list(place.values()), list(place))
    ax.set(xscale="log", ylim=(-0.6, len(names) - 0.4))
    compared = f"time of ketkar / time of the peer, {_threads(threads)}"
    ax.set_xlabel(f"{compared}\nleft of 1 ketkar is faster")
    low, high = ax.get_xlim()
    few = high > 1000 * low  # labels of three numbers a decade would touch each other
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 3) if few else (1, 2, 5)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(lambda value, _: number(value, 4))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", which="major", alpha=0.3)
    corner = (1.0, 1.0)
    ax.legend(loc="lower right", bbox_to_anchor=corner, ncols=3, columnspacing=1.4, frameon=False)
    return ax


def _points(ax: "Axes", peer: str, rows: Sequence[Any], place: Mapping[str, int]) -> None:
    """The ratios of one peer, with their quartiles as a thin line."""
    marker, colour = MARKERS[peer]
    heights = [place[row["name"]] for row in rows]
    for row, height in zip(rows, heights, strict=True):
        ax.plot(row["spread"], [height] * 2, color=COLOURS[colour], linewidth=1.2, linestyle="-")
    hollow = peer in ("numpy", "torch-channels-last")
    look: dict[str, Any] = {
        "color": "white" if hollow else COLOURS[colour],
        "markeredgecolor": COLOURS[colour] if hollow else COLOURS["black"],
        "markeredgewidth": 1.4 if hollow else 0.5,
        "markersize": 9 if marker == "*" else 6.5,
    }
    ax.plot([row["ratio"] for row in rows], heights, marker, label=peer, zorder=3, **look)


def ladder(report: Report, *, size: str = "large", ax: "Axes | None" = None) -> "Axes":
    """The time of each rung on a logarithmic axis, and its share of the machine's limit.

    Parameters
    ----------
    report : mapping
        What ``python -m benchmarks --ladder --json FILE`` wrote.
    size : {"small", "large"}
        The layer whose rungs are drawn.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; a time that was scaled from a part of the work is written with a sign for
        "about".

    Raises
    ------
    ValueError
        If the report has no rungs for this size.
    """
    found = [rung for rung in report["ladder"] if rung["size"] == size]
    if not found:
        raise ValueError(f"the report has no rungs of the size {size!r}")
    names = list(dict.fromkeys(rung["rung"] for rung in found))
    place = {name: len(names) - 1 - k for k, name in enumerate(names)}
    counts = sorted({rung["threads"] for rung in found})
    ax = axes(ax, (6.4, 0.52 * len(names) + 1.3))
    for count, (marker, size_pt, colour) in zip(counts, THREAD_MARKERS, strict=False):
        rungs = [rung for rung in found if rung["threads"] == count]
        times, heights = [r["ms"] for r in rungs], [place[r["rung"]] for r in rungs]
        look: dict[str, Any] = {
            "color": "white",
            "markeredgecolor": COLOURS[colour],
            "markeredgewidth": 2,
        }
        ax.plot(times, heights, marker, markersize=size_pt, label=_threads(count), **look)
    column: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": 10}
    ax.text(1.03, len(names) - 0.4, "shortest time, share of limit", **column)
    for name in names:
        best = min((rung for rung in found if rung["rung"] == name), key=lambda rung: rung["ms"])
        ax.text(1.03, place[name], _words(best), **column)
    ax.set_yticks(list(place.values()), list(place))
    ax.set(xscale="log", ylim=(-0.6, len(names) - 0.4), xlabel="milliseconds")
    ax.grid(axis="x", which="major", alpha=0.3)
    ax.margins(x=0.08)
    if len(counts) > 1:
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 0.02), frameon=False, handlelength=1)
    return ax


def _words(rung: Mapping[str, Any]) -> str:
    """A time and its share of the limit, in two or three digits."""
    ms, share = rung["ms"], 100 * rung["share_of_limit"]
    about = "about " if rung["scaled"] else ""
    time = f"{number(float(f'{ms / 1e3:.2g}'), 3)} s" if ms >= 1e3 else f"{_short(ms)} ms"
    return f"{about}{time}, {_short(share)} %"


def _short(value: float) -> str:
    return number(float(f"{value:.2g}"), 5)


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def save(report: Report, file: Path) -> None:
    """Draw a report: its rows on each number of threads side by side, or its ladder."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    with plt.style.context(style()):
        if "rows" in report:
            counts = sorted({row["threads"] for row in report["rows"] if row["peer"]})
            names = {row["name"] for row in report["rows"]}
            figure, panels = plt.subplots(
                1, len(counts), squeeze=False, figsize=(6.4 * len(counts), 0.27 * len(names) + 1.8)
            )
            for count, ax in zip(counts, panels[0], strict=True):
                ratios(report, threads=count, ax=ax)
        elif "ladder" in report:
            sizes = list(dict.fromkeys(rung["size"] for rung in report["ladder"]))
            figure, panels = plt.subplots(
                len(sizes), squeeze=False, figsize=(6.4, 5.2 * len(sizes))
            )
            for size, ax in zip(sizes, panels[:, 0], strict=True):
                ladder(report, size=size, ax=ax)
                ax.set_title(size, loc="left")
        else:
            raise ValueError("first calls have no picture; only rows and the ladder are drawn")
        figure.savefig(file)
        plt.close(figure)


if __name__ == "__main__":
    save(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
