"""The CUDA kernels on a pretended GPU; what needs numba-cuda or a device says so and is skipped."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from ketkar.kernels.simulation import ORDERS, simulate


@pytest.fixture(autouse=True)
def _little_optimised(monkeypatch):
    """A pretended GPU computes so little that it pays to compile fast."""
    if find_spec("numba") is not None:
        from numba.core import config

        import ketkar.kernels.cpu  # noqa: F401  (its kernels keep the level that it finds)

        monkeypatch.setattr(config, "OPT", type(config.OPT)(1))


@pytest.fixture(params=ORDERS)
def simulated(request):
    with simulate(request.param, seed=7) as wanted:
        yield wanted


@pytest.fixture
def products_of_numpy(monkeypatch):
    """Products and sums by NumPy, which need no compiling, in the place of the kernels for them."""
    pytest.importorskip("numba", reason="Numba is not installed")
    from ketkar.kernels.cuda import lstm, recurrence

    for module in (recurrence, lstm):
        monkeypatch.setattr(module, "multiply", _multiply)
        monkeypatch.setattr(module, "column_sums", _column_sums)


def _multiply(A, B, C, M, N, K, *, A_at=0, B_at=0, C_at=0, A_turned=False, B_turned=False,
              bias=None, bias_at=0, add=False):  # fmt: skip
    a, b = A[A_at : A_at + M * K], B[B_at : B_at + K * N]
    a = a.reshape(K, M).T if A_turned else a.reshape(M, K)
    b = b.reshape(N, K).T if B_turned else b.reshape(K, N)
    with np.errstate(all="ignore"):
        product = a @ b
    if bias is not None:
        product = product + bias[bias_at : bias_at + N]
    there = C[C_at : C_at + M * N].reshape(M, N)
    there[...] = there + product if add else product


def _column_sums(A, s, M, N, *, A_at=0, s_at=0):
    s[s_at : s_at + N] = A[A_at : A_at + M * N].reshape(M, N).sum(axis=0)
