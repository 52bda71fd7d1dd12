"""Functions of each number against the reference, at both ends of the range too."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="Numba is not installed")

from ketkar.kernels import codes, reference
from ketkar.kernels.cuda import elementwise
from ketkar.kernels.simulation import simulate

TYPES = (np.float32, np.float64)
ENDS = [0.0, -0.0, 1e-30, 1.0, -1.0, 90.0, -90.0, 1e4, -1e4, np.inf, -np.inf, np.nan]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", ["exp", "sigmoid", "tanh"])
def test_functions_agree_with_the_reference(name, dtype, simulated):
    x = np.append(ENDS, np.linspace(-20, 20, 588)).astype(dtype).reshape(2, 3, 100)
    y, expected = np.full_like(x, 7), np.empty_like(x)
    getattr(elementwise, name)(x, y)
    getattr(reference, name)(x, expected)
    np.testing.assert_allclose(y, expected, rtol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("code", codes.ACTIVATIONS.values())
def test_activations_and_their_slopes(code, dtype):
    z = np.append(ENDS, np.linspace(-9, 9, 301)).astype(dtype)
    dy = np.random.default_rng(1).standard_normal(z.size).astype(dtype)
    y, dz = z.copy(), dy.copy()
    with simulate("random", seed=1):
        elementwise.activate(y, code)
        elementwise.times_slope(dz, y, code)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(
            y, reference._activate(z.copy(), code), rtol=8 * np.finfo(dtype).eps
        )
        np.testing.assert_allclose(
            dz, dy * reference._slope(y, code), rtol=1e-6, atol=4 * np.finfo(dtype).eps
        )
