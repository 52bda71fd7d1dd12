"""A dense layer against the reference."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="Numba is not installed")

from ketkar.kernels import reference
from ketkar.kernels.cuda import dense


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [(1, 1, 1), (3, 5, 2), (37, 23, 29), (600, 19, 10)])
def test_a_layer_agrees_with_the_reference(size, dtype, simulated):
    N, n, m = size
    rng = np.random.default_rng(8)
    x, W, b, dz = (
        rng.standard_normal(shape).astype(dtype) for shape in ((N, n), (n, m), (m,), (N, m))
    )
    found, expected = (
        [np.full(shape, 9, dtype) for shape in ((N, m), (N, n), (n, m), (m,))] for _ in range(2)
    )
    for kernels, (z, *gradients) in ((dense, found), (reference, expected)):
        kernels.dense_forward(x, W, b, z)
        kernels.dense_backward(dz, x, W, *gradients)
    for ours, theirs in zip(found, expected, strict=True):
        scale = np.finfo(dtype).eps * max(1, np.abs(theirs).max()) * np.sqrt(N + n + m)
        assert np.abs(ours - theirs).max() < 4 * scale


def test_what_is_not_finite_passes_through(simulated):
    x, W, b, z = np.ones((3, 4)), np.ones((4, 5)), np.zeros(5), np.empty((3, 5))
    x[1, 2], W[3, 4] = np.inf, np.nan
    dense.dense_forward(x, W, b, z)
    expected = np.full((3, 5), 4.0)
    expected[1], expected[:, 4] = np.inf, np.nan
    np.testing.assert_array_equal(z, expected)
