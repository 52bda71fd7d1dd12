"""A process for each number of threads, and what its environment says to every library."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

VARIABLES = (
    "KETKAR_NUM_THREADS",
    "OMP_NUM_THREADS",  # torch, and Numba's OpenMP
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NPROC",  # the size of JAX's pool on a CPU
)


def environment(threads: int) -> dict[str, str]:
    """The environment of a process in which every library uses so many threads."""
    settings = dict.fromkeys(VARIABLES, str(threads)) | {
        "JAX_ENABLE_X64": "0",
        "JAX_PLATFORMS": "cpu",
    }
    if threads == 1:
        flags = os.environ.get("XLA_FLAGS", "")
        settings["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    return dict(os.environ) | settings


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def lines_of(
    module: str, *arguments: str, settings: dict[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """Run a module in a process of its own and give what it prints, a JSON object a line.

    Raises
    ------
    RuntimeError
        If the process fails; what it had to say stands above.
    """
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=settings, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} ended with code {process.returncode}")


def say(**found: Any) -> None:
    """Print a line for the process that reads it."""
    print(json.dumps(found), flush=True)
