"""One dense layer: compiled against the reference, and the reference against plain sums."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketkar.kernels import reference

SIZES = st.one_of(st.integers(1, 40), st.sampled_from([63, 64, 65, 128, 255, 256, 257, 300]))
DTYPES = st.sampled_from([np.float32, np.float64])


def layer(N, n, m, dtype, seed=0):
    rng = np.random.default_rng(seed)
    shapes = (N, m), (N, n), (n, m), (m,)
    return [rng.standard_normal(shape).astype(dtype) / np.sqrt(n) for shape in shapes]


def filled(kernels, dz, x, W, b):
    """The outputs of both kernels; whatever they do not fill stays NaN."""
    z, dx, dW, db = (np.full_like(array, np.nan) for array in (dz, x, W, b))
    kernels.dense_forward(x, W, b, z)
    kernels.dense_backward(dz, x, W, dx, dW, db)
    return z, dx, dW, db


def test_the_reference_is_the_sum_of_each_unit():
    dz, x, W, b = layer(3, 4, 2, np.float64)
    z, dx, dW, db = filled(reference, dz, x, W, b)
    for r in range(3):
        for j in range(2):
            assert z[r, j] == pytest.approx(sum(x[r, i] * W[i, j] for i in range(4)) + b[j])
        for i in range(4):
            assert dx[r, i] == pytest.approx(sum(dz[r, j] * W[i, j] for j in range(2)))
    for j in range(2):
        assert db[j] == pytest.approx(sum(dz[r, j] for r in range(3)))
        for i in range(4):
            assert dW[i, j] == pytest.approx(sum(x[r, i] * dz[r, j] for r in range(3)))


@given(N=SIZES, n=SIZES, m=SIZES, dtype=DTYPES, seed=st.integers(0, 99))
def test_compiled_agrees_with_the_reference(cpu, assert_close, N, n, m, dtype, seed):
    arrays = layer(N, n, m, dtype, seed)
    names = ("z", "dx", "dW", "db")
    for name, got, expected in zip(
        names, filled(cpu, *arrays), filled(reference, *arrays), strict=True
    ):
        assert_close(got, expected, dtype, f"{name} of N={N}, n={n}, m={m}")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 3), (9, 1, 7), (8, 4, 1), (17, 33, 10)])
def test_nan_and_infinity_reach_what_they_touch(cpu, shape, dtype):
    arrays = layer(*shape, dtype)
    arrays[1][-1, -1] = np.nan
    arrays[2][0, 0] = np.inf
    with np.errstate(invalid="ignore"):
        expected = filled(reference, *arrays)
    for got, wanted in zip(filled(cpu, *arrays), expected, strict=True):
        np.testing.assert_array_equal(np.isfinite(got), np.isfinite(wanted))
