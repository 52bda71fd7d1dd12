"""Numba's own simulator as a second opinion: every function once, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="Numba is not installed")

pytestmark = [pytest.mark.cuda, pytest.mark.slow]

SCRIPT = textwrap.dedent("""
    import sys

    sys.path.insert(0, sys.argv[1])

    import numpy as np
    from cases import CASES
    from ketkar.kernels import cuda

    done = set()
    for case in CASES:
        if not case.small:
            continue
        found, expected = case.run(cuda, np.float32), case.expected(np.float32)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, 1e-5, 1e-5, err_msg=f"{case}, {name}")
        done.add(case.function)
    print(len(done))
""")


def test_numbas_simulator_agrees_with_the_reference():
    from ketkar.kernels import cuda

    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "KETKAR_QUIET": "1"}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(Path(__file__).parent)],
        env=environment, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    assert int(run.stdout) == len(cuda.__all__) - 1  # all but ALGORITHMS
