"""What the results say: the machine they are from, the table, the means."""

import datetime
import importlib.metadata
import json
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.processes import processors

PACKAGES = ("ketkar", "numpy", "numba", "llvmlite", "torch", "jax", "jaxlib", "scipy")
Result = dict[str, Any]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


def machine(limits: Sequence[Any], quick: bool = False) -> Result:
    """Where, when and how thoroughly results were measured."""
    return {
        "processor": _processor(),
        "processors": processors(),
        "system": platform.platform(),
        "quick": quick,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "limits": list(limits),
    }


def versions(more: Sequence[str] = ()) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in (*PACKAGES, *more):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    if "ketkar" not in found:
        import ketkar

        found["ketkar"] = ketkar.__version__
    return found


def limits_line(limit: Result) -> str:
    rates = ", ".join(f"{rate:.0f} at {size / 2**20:g} MiB" for size, rate in limit["triad_gbs"])
    return (
        f"limits on {limit['threads']} thread(s): FMA {limit['fma_gflops']:.0f} GFLOP/s, "
        f"NumPy sgemm {limit['sgemm_gflops']:.0f} GFLOP/s, triad in GB/s: {rates}"
    )


STORED = Path(__file__).parent / "results"


def stored(name: str) -> Result | None:
    """What was kept in ``benchmarks/results`` under this name; None if nothing was."""
    file = STORED / f"{name}.json"
    if not file.exists():
        return None
    found: Result = json.loads(file.read_text())
    return found


def measured(found: Result | None) -> list[str]:
    """Lines that say where, when and with what a report was measured."""
    if found is None:
        return ["No results are stored in this copy of the repository."]
    where = found["machine"]
    lines = [
        f"measured on {where['date']}: {where['processor']}, {where['processors']} processors",
        ", ".join(f"{name} {version}" for name, version in found["versions"].items()),
    ]
    if where["quick"]:
        lines.append("a quick run of few turns: the numbers are noisy")
    return lines + [limits_line(limit) for limit in where["limits"]]


def names(found: Result) -> list[str]:
    """The rows of a report, each once."""
    return list(dict.fromkeys(row["name"] for row in found["rows"]))


HEAD = (
    f"{'row':22} {'threads':>7}  {'peer':20} {'ours ms':>10} {'peer ms':>10} {'ratio':>7}  "
    f"{'quartiles':13} {'of limit':>8}  bar"
)


def line(result: Result) -> str:
    """A result as a line of the table."""
    name, threads, share = result["name"], result["threads"], result["share_of_limit"]
    start, end = f"{name:22} {threads:7}  ", f"{share:8.0%}"
    if result["peer"] is None:
        return f"{start}{'no peer is installed':20} {result['ours_ms']:10.4f} {'':33}{end}"
    lower, upper = result["spread"]
    spread = f"{lower:.3f}-{upper:.3f}"
    return (
        f"{start}{result['peer']:20} {result['ours_ms']:10.4f} {result['peer_ms']:10.4f} "
        f"{result['ratio']:7.3f}  {spread:13} {end}  {_bar(result)}"
    ).rstrip()


def _bar(result: Result) -> str:
    if result["bar"] is None:
        return ""
    return f"{result['bar']:g} {'met' if result['ratio'] <= result['bar'] else 'NOT met'}"


def table(results: Sequence[Result]) -> list[str]:
    """The rows that have a bar, all numbers of threads on one line, for a narrow page.

    A ratio above its bar is marked.
    """
    threads = sorted({result["threads"] for result in results})
    lines = [
        f"{'row':22} {'peer':9} {'bar':>5}" + "".join(f"{f'{n} thread(s)':>23}" for n in threads),
        f"{'':38}" + f"{'ratio':>8}{'ours ms':>15}" * len(threads),
    ]
    found = {(r["name"], r["peer"], r["threads"]): r for r in results if r["bar"] is not None}
    for name, peer in dict.fromkeys((name, peer) for name, peer, _ in found):
        cells = [found.get((name, peer, n)) for n in threads]
        bar = next(cell["bar"] for cell in cells if cell)
        line = f"{name:22} {peer:9} {bar:5g}"
        for cell in cells:
            missed = "*" if cell and cell["ratio"] > bar else " "
            shown = f"{cell['ratio']:7.3f}{missed}{cell['ours_ms']:14.3f}" if cell else ""
            line += f" {shown:22}"
        lines.append(line.rstrip())
    return lines


class Means(NamedTuple):
    """Geometric means of ours / peer over the rows of one peer on one number of threads."""

    threads: int
    peer: str
    rows: int
    mean: float
    layers: float | None
    """Over the convolution layers; None where no such row was measured."""
    slower: list[str]
    """The rows in which the peer was faster."""


def means(results: Sequence[Result]) -> list[Means]:
    groups: dict[tuple[int, str], list[Result]] = {}
    for result in results:
        if result["peer"] is not None:
            groups.setdefault((result["threads"], result["peer"]), []).append(result)
    found = []
    for (threads, peer), group in groups.items():
        layers = [result["ratio"] for result in group if result["layer"]]
        found.append(
            Means(
                threads,
                peer,
                len(group),
                statistics.geometric_mean(result["ratio"] for result in group),
                statistics.geometric_mean(layers) if layers else None,
                [result["name"] for result in group if result["ratio"] > 1],
            )
        )
    return found


MEAN_BAR, LAYERS_BAR = 0.30, 0.75
"""What the geometric means against torch are to reach: of all rows, of the convolution layers."""


def closing_lines(results: Sequence[Result], everything: int = 0) -> list[str]:
    """The means of each peer, and how many bars were met.

    The means against torch have bars of their own, which are judged where `everything`, the number
    of all rows, was measured: a mean of a few chosen rows says nothing about them.
    """
    found = []
    for mean in means(results):
        judged = mean.peer == "torch" and mean.rows == everything
        whole = f"{mean.mean:.3f}{_mean_bar(mean.mean, MEAN_BAR, judged)}"
        layers = ""
        if mean.layers is not None:
            layers = f", over the convolution layers {mean.layers:.3f}"
            layers += _mean_bar(mean.layers, LAYERS_BAR, judged)
        slower = f"; above 1: {', '.join(mean.slower)}" if mean.slower else ""
        found.append(
            f"{mean.threads} thread(s), {mean.peer}: geometric mean over {mean.rows} row(s) "
            f"{whole}{layers}{slower}"
        )
    barred = [result for result in results if result["bar"] is not None]
    missed = [
        f"NOT met: {result['name']} on {result['threads']} thread(s), {result['peer']}: "
        f"{result['ratio']:.3f}, bar {result['bar']:g}"
        for result in barred
        if result["ratio"] > result["bar"]
    ]
    return [*found, *missed, f"{len(barred) - len(missed)} of {len(barred)} bars met"]


def _mean_bar(mean: float, bar: float, judged: bool) -> str:
    return f" (bar {bar:.2f} {'met' if mean <= bar else 'NOT met'})" if judged else ""
