"""Every kernel compiled for several generations of GPUs, without a GPU."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

pytest.importorskip("numba", reason="Numba is not installed")

import ketkar.kernels.cuda  # noqa: F401
from ketkar.kernels.cuda import offline
from ketkar.kernels.cuda.kernel import KERNELS

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(
        importlib.util.find_spec("numba_cuda") is None,
        reason='numba-cuda is not installed (python -m pip install "ketkar[cuda12]")',
    ),
]

REGISTERS = 65536  # of a multiprocessor, in every generation so far
OLDEST, *BETWEEN, NEWEST = offline.CAPABILITIES
CASES = [(np.float32, OLDEST, OLDEST), *((np.float32, middle, OLDEST) for middle in BETWEEN)]
CASES += [(np.float32, NEWEST, NEWEST), (np.float64, NEWEST, NEWEST)]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_every_kernel_fits_every_generation(kernel):
    for dtype, capability, written_for in CASES:
        made = offline.compiled(kernel, dtype, capability, written_for)
        assert (made.stack, made.spilled) == (0, 0), made[:-1]
        assert 0 < made.registers * made.threads <= REGISTERS, made[:-1]
        assert made.shared <= 48 * 1024, made[:-1]
        assert dtype == np.float64 or not made.doubles, made[:-1]
