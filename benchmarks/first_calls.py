"""How long the first call of an operation takes in a new process.

Cold, with an empty directory for Numba's cache: everything is compiled. Warm, in the next process
with the same directory: compiled code is read from the disk. The start of Python and the imports of
Numba and of the chapter are over, the arguments are made; the work itself is part of the call.
"""

import statistics
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import report
from benchmarks.processes import environment, lines_of, processors

COLD_S, WARM_S = 8.0, 0.3
"""What a first call may take."""


OPERATIONS = (
    "lenet1-forward",
    "lenet1-backward",
    "vgg56-forward",
    "vgg56-backward",
    "filter31",
    "max-2x2-forward",
    "max-2x2-backward",
    "average-2x2-forward",
    "l2-2x2-backward",
    "mlp-batch64",
)
"""The rows that are measured unless others are asked for: they compile all kernels between them."""


def run(names: Sequence[str], quick: bool) -> dict[str, Any]:
    """Print a line for each row's operation; give the report."""
    print(HEAD)
    results = []
    for name in names:
        with tempfile.TemporaryDirectory() as cache:
            cold, *warm = [_first_call(name, cache) for _ in range(2 if quick else 3)]
        result: dict[str, Any] = {"name": name, "cold_s": cold, "warm_s": statistics.median(warm)}
        print(line(result), flush=True)
        results.append(result)
    return {
        "machine": report.machine([], quick),
        "versions": report.versions(),
        "first_calls": results,
    }


HEAD = f"{'row':22} {'cold s':>8} {'warm s':>8}  at most {COLD_S:g} and {WARM_S:g}"


def line(result: Mapping[str, Any]) -> str:
    """A row's first calls as a line of the table."""
    met = result["cold_s"] <= COLD_S and result["warm_s"] <= WARM_S
    times = f"{result['cold_s']:8.3f} {result['warm_s']:8.3f}"
    return f"{result['name']:22} {times}  {'met' if met else 'NOT met'}"


def _first_call(name: str, cache: str) -> float:
    settings = environment(processors()) | {"NUMBA_CACHE_DIR": cache, "KETKAR_QUIET": "1"}
    (found,) = lines_of("benchmarks.first_call", name, settings=settings)
    taken: float = found["seconds"]
    return taken
