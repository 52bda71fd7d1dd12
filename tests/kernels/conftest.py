"""Stacks of dense layers to train, and Python processes with a setting of their own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from ketkar.kernels import codes
from ketkar.kernels.backend import kernels

HERE = Path(__file__).parent

# What a kernel may differ by from the reference: a few roundings of sums over some hundred terms.
TOLERANCE = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 3e-5}


class Problem(NamedTuple):
    """The arguments of a training step."""

    theta: np.ndarray
    velocity: np.ndarray
    x: np.ndarray
    targets: np.ndarray
    labels: np.ndarray
    widths: np.ndarray
    activations: np.ndarray
    loss: int
    lr: float = 0.1
    momentum: float = 0.0

    def copy(self):
        return self._replace(theta=self.theta.copy(), velocity=self.velocity.copy())


@pytest.fixture(scope="session")
def cpu():
    """The compiled kernels."""
    pytest.importorskip("numba", reason="the compiled kernels need numba")
    return kernels("cpu")


@pytest.fixture(scope="session")
def problem():
    """Makes a random stack with a random batch; the targets of a row have the sum 1."""
    return _problem


def _problem(widths, activations, loss, N, dtype=np.float64, momentum=0.0, seed=0, lr=0.1):
    rng = np.random.default_rng(seed)
    widths = np.asarray(widths, np.int64)
    size = int(((widths[:-1] + 1) * widths[1:]).sum())
    theta = (rng.standard_normal(size) / np.sqrt(widths.max())).astype(dtype)
    velocity = (0.1 * rng.standard_normal(size if momentum else 0)).astype(dtype)
    x = rng.standard_normal((N, widths[0])).astype(dtype)
    targets = rng.random((N, widths[-1]))
    targets = (targets / targets.sum(axis=1, keepdims=True)).astype(dtype)
    if loss == codes.CROSS_ENTROPY:
        targets = targets[:0]
    labels = rng.integers(0, widths[-1], N)
    codes_of = np.asarray(activations, np.int64)
    return Problem(theta, velocity, x, targets, labels, widths, codes_of, loss, lr, momentum)


@pytest.fixture(scope="session")
def assert_close():
    """Equal up to the tolerance of the type, relative to the largest number; NaN where NaN is."""
    return _assert_close


def _assert_close(got, expected, dtype, what=""):
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected), what)
    scale = np.nanmax(np.abs(expected), initial=1.0)
    np.testing.assert_allclose(
        got, expected, rtol=0, atol=TOLERANCE[np.dtype(dtype)] * scale, err_msg=what
    )


@pytest.fixture(scope="session")
def python():
    """Runs Python in a process of its own; its settings of ketkar and Numba are the given alone."""
    return _python


def _python(*arguments, settings=None, check=True):
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("KETKAR_", "NUMBA_", "COVERAGE_"))
    }
    path = os.pathsep.join([str(HERE.parent.parent), kept.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=kept | {"PYTHONPATH": path} | (settings or {}),
        capture_output=True,
        text=True,
        check=check,
        timeout=1800,
    )
