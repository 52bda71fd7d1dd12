"""The softmax layer over hidden states against the reference."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="Numba is not installed")

from ketkar.kernels import reference
from ketkar.kernels.cuda import readout
from ketkar.kernels.simulation import simulate

TYPES = (np.float32, np.float64)
SIZES = [(1, 1, 1), (9, 5, 3), (70, 18, 33), (17, 3, 77)]  # rows, states, outputs


def layer(size, dtype):
    R, k, m = size
    rng = np.random.default_rng(R)
    shapes = (R, k), (m, k), (m,)
    h, V, c = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    return h, V, c, rng


def same(found, expected, dtype):
    for ours, theirs in zip(found, expected, strict=True):
        scale = max(1, np.abs(theirs).max())
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=100 * np.finfo(dtype).eps * scale)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("size", SIZES)
def test_forward_and_backward(size, dtype, simulated):
    h, V, c, rng = layer(size, dtype)
    dy = rng.standard_normal((len(h), len(c))).astype(dtype)
    untouched = dy.copy()
    found, expected = ([np.full_like(a, 9) for a in (dy, h, V, c)] for _ in range(2))
    for kernels, (y, *gradients) in ((readout, found), (reference, expected)):
        kernels.output_forward(h, V, c, y)
        kernels.output_backward(dy, y, h, V, *gradients)
    same(found, expected, dtype)
    np.testing.assert_array_equal(dy, untouched)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("size", SIZES)
def test_the_loss_and_its_gradients(size, dtype, simulated):
    h, V, c, rng = layer(size, dtype)
    labels = rng.integers(0, len(c), len(h))
    weights = np.where(rng.random(len(h)) < 0.3, 0, rng.random(len(h))).astype(dtype)
    found, expected = ([np.full_like(a, 9) for a in (weights, h, V, c)] for _ in range(2))
    for kernels, results in ((readout, found), (reference, expected)):
        kernels.output_loss(h, V, c, labels, weights, *results)
    same(found, expected, dtype)


def test_rows_without_weight_may_hold_anything(simulated):
    h, V, c, rng = layer((11, 4, 5), np.float64)
    labels, weights = rng.integers(0, 5, 11), rng.random(11)
    weights[[2, 7]] = 0
    kept = np.flatnonzero(weights)
    expected = [np.full_like(a, 9) for a in (weights[kept], h[kept], V, c)]
    reference.output_loss(h[kept], V, c, labels[kept], weights[kept], *expected)
    h[2], h[7], labels[2] = np.nan, np.inf, -8
    losses, dh, dV, dc = (np.full_like(a, 9) for a in (weights, h, V, c))
    readout.output_loss(h, V, c, labels, weights, losses, dh, dV, dc)
    assert (losses[[2, 7]] == 0).all()
    assert (dh[[2, 7]] == 0).all()
    same((losses[kept], dh[kept], dV, dc), expected, np.float64)


def test_large_scores_do_not_overflow_and_nan_stays_in_its_row():
    h = np.array([[1000.0], [-1000.0], [np.nan], [0.5]], np.float32)
    V, c, y = np.array([[1.0], [-1.0]], np.float32), np.zeros(2, np.float32), np.empty((4, 2))
    y = y.astype(np.float32)
    with simulate("reverse"):
        readout.output_forward(h, V, c, y)
    np.testing.assert_array_equal(y[:2], [[1, 0], [0, 1]])
    assert np.isnan(y[2]).all()
    assert np.isfinite(y[3]).all()
