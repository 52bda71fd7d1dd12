"""The command line: ``python -m benchmarks [--quick] [--only NAME] [--json FILE]``."""

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from benchmarks.limits import Limits, measure
from benchmarks.measure import by_turns
from benchmarks.rows import THREADS, Row, all_rows

PACKAGES = ("ketkar", "numpy", "numba", "llvmlite", "torch")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: a smoke test")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="rows with this in the name"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results here")
    return parser.parse_args()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    if "ketkar" not in found:
        import ketkar

        found["ketkar"] = ketkar.__version__
    return found


def _share(row: Row, limits: Limits, ours_ms: float) -> float:
    """The least time this machine could take, as a share of what was taken."""
    bandwidth = limits.triad_cache_gbs if row.cached else limits.triad_memory_gbs
    least = max(row.flops / limits.fma_gflops, row.bytes / bandwidth) / 1e9
    return least / (ours_ms / 1e3)


def _run(row: Row, limits: Limits, quick: bool) -> dict[str, Any]:
    os.environ["KETKAR_NUM_THREADS"] = str(limits.threads)
    pair = row.prepare(limits.threads)
    rounds, slice_s = (7, 0.005) if quick else (41, 0.02)
    timing = by_turns(pair.ours, pair.peer, rounds, slice_s)
    return {
        "name": row.name,
        "threads": limits.threads,
        "peer": row.peer if pair.peer is not None else None,
        **timing._asdict(),
        "share_of_limit": _share(row, limits, timing.ours_ms),
    }


def _print(result: dict[str, Any], row: Row) -> None:
    line = f"{result['name']:16} {result['threads']:7} {result['ours_ms']:10.4f}"
    if result["peer"] is None:
        line += f"  no peer: {row.peer} is not installed    "
    else:
        lower, upper = result["spread"]
        line += f" {result['peer_ms']:10.4f} {result['ratio']:7.3f}  {lower:.3f}-{upper:.3f}"
    print(f"{line} {result['share_of_limit']:9.0%}", flush=True)


def main() -> int:
    arguments = _arguments()
    wanted = arguments.only or [""]
    rows = [row for row in all_rows() if any(part in row.name for part in wanted)]
    if not rows:
        names = ", ".join(row.name for row in all_rows())
        print(f"no row is named like {', '.join(wanted)}; there are {names}", file=sys.stderr)
        return 2
    processors = os.cpu_count() or 1
    limits = {threads: measure(threads) for threads in THREADS if threads <= processors}
    for limit in limits.values():
        print(
            f"limits on {limit.threads} thread(s): FMA {limit.fma_gflops:.0f} GFLOP/s, NumPy sgemm "
            f"{limit.sgemm_gflops:.0f} GFLOP/s, triad {limit.triad_cache_gbs:.0f} GB/s in the "
            f"cache and {limit.triad_memory_gbs:.0f} GB/s in memory"
        )
    titles = f"{'row':16} {'threads':>7} {'ours ms':>10} {'peer ms':>10} {'ratio':>7}"
    print(f"{titles}  quartiles    of limit")
    results = []
    for row in rows:
        for limit in limits.values():
            results.append(_run(row, limit, arguments.quick))
            _print(results[-1], row)
    if arguments.json is not None:
        machine = {
            "processor": _processor(),
            "processors": processors,
            "system": platform.platform(),
            "limits": [limit._asdict() for limit in limits.values()],
        }
        report = {"machine": machine, "versions": _versions(), "rows": results}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
