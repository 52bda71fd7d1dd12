"""Time one first call in this process: ``python -m benchmarks.first_call ROW``."""

import sys
import time

import numba  # noqa: F401

from benchmarks.processes import say
from benchmarks.rows import all_rows

ours = next(row.ours for row in all_rows() if row.name == sys.argv[1])()
start = time.perf_counter()
ours()
say(seconds=time.perf_counter() - start)
