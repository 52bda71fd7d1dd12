"""Ours side by side with peers; see the top of ``benchmarks/__init__.py``."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import first_calls, ladder, report
from benchmarks.processes import environment, lines_of, processors
from benchmarks.rows import all_rows, installed


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few turns, one peer: a smoke test")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="rows with this in the name"
    )
    parser.add_argument(
        "--threads", action="append", type=int, metavar="N", help="default: 1 and all processors"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results here")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="also draw the results here")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--first-calls", action="store_true", help="time the first call in a new process"
    )
    what.add_argument("--ladder", action="store_true", help="from the sum to the fastest loop")
    what.add_argument("--gpu", action="store_true", help="the CUDA kernels, on a GPU")
    found = parser.parse_args()
    if found.gpu and (found.threads or found.plot):
        parser.error("--gpu goes with --only, --quick and --json alone")
    return found


def _threads(arguments: argparse.Namespace) -> list[int]:
    return arguments.threads or sorted({1, processors()})


def _rows(arguments: argparse.Namespace, names: list[str]) -> tuple[dict[str, Any], bool]:
    """Print the table; give the report, and whether every peer did the same work."""
    missing = {peer for row in all_rows() for peer in row.peers if not installed(peer)}
    if missing:
        packages = sorted({peer.partition("-")[0] for peer in missing})
        print(f"not installed, so not measured: {', '.join(packages)}")
    limits: list[Any] = []
    results: list[Any] = []
    same = True
    for threads in _threads(arguments):
        speed = "quick" if arguments.quick else "full"
        settings = environment(threads)
        for found in lines_of("benchmarks.turns", str(threads), speed, *names, settings=settings):
            if "limits" in found:
                limits.append(found["limits"])
                print(report.limits_line(found["limits"]), report.HEAD, sep="\n")
            elif "refused" in found:
                same = False
                print(found["refused"], file=sys.stderr, flush=True)
            else:
                results += found["results"]
                print(*map(report.line, found["results"]), sep="\n", flush=True)
    print(*report.closing_lines(results, len(all_rows())), sep="\n")
    return {
        "machine": report.machine(limits, arguments.quick),
        "versions": report.versions(),
        "rows": results,
    }, same


def main() -> int:
    arguments = _arguments()
    if arguments.gpu:
        from benchmarks import gpu

        return gpu.main(arguments.only, arguments.quick, arguments.json)
    wanted = arguments.only or [""]
    everything = [row.name for row in all_rows()]
    names = [name for name in everything if any(part in name for part in wanted)]
    if not names:
        print(
            f"no row is named like {', '.join(wanted)}; there are {', '.join(everything)}",
            file=sys.stderr,
        )
        return 2
    same = True
    if arguments.first_calls:
        found = first_calls.run(
            names if arguments.only else first_calls.OPERATIONS, arguments.quick
        )
    elif arguments.ladder:
        found = ladder.run(_threads(arguments), arguments.quick)
    else:
        found, same = _rows(arguments, names)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    if arguments.plot is not None:
        from benchmarks import plots

        plots.save(found, arguments.plot)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
