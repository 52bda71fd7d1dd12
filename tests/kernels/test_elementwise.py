"""exp, sigmoid and tanh over the whole range of both types, against longer arithmetic."""

import numpy as np
import pytest

from ketkar.kernels import reference

LONGER = np.longdouble
EXACT = {
    "exp": np.exp,
    "sigmoid": lambda x: np.where(x < 0, np.exp(-abs(x)), 1) / (1 + np.exp(-abs(x))),
    "tanh": np.tanh,
}
# in units of the last place of the exact result, as the module states them
BOUNDS = {"exp": 1.5, "sigmoid": 3.0, "tanh": 3.0}
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])


def sample(dtype):
    """Every magnitude of float32 (a step through its bit patterns), and the ranges that matter."""
    patterns = np.arange(0, 2**32, 40_009, dtype=np.uint64).astype(np.uint32).view(np.float32)
    near = np.concatenate([np.linspace(-3, 3, 60_001), np.linspace(-110, 95, 60_001)])
    x = np.concatenate([patterns[np.isfinite(patterns)].astype(np.float64), near])
    if dtype == np.float64:
        x = np.concatenate([x, np.linspace(-750, 715, 60_001)])
    return x.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", list(EXACT))
def test_error_is_within_the_stated_bound(cpu, name, dtype):
    if dtype == np.float64 and np.finfo(LONGER).nmant <= 52:
        pytest.skip("this machine has no longer type to compare float64 with")
    x = sample(dtype)
    y = np.empty_like(x)
    getattr(cpu, name)(x, y)
    with np.errstate(over="ignore", under="ignore"):
        exact = EXACT[name](x.astype(LONGER if dtype == np.float64 else np.float64))
        rounded = exact.astype(dtype)
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(y[~finite], rounded[~finite])
    unit = np.spacing(np.abs(rounded[finite])).astype(exact.dtype)
    error = np.abs(y[finite].astype(exact.dtype) - exact[finite]) / unit
    assert error.max() <= BOUNDS[name], f"at {x[finite][error.argmax()]!r}"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", list(EXACT))
def test_special_values_are_those_of_numpy(cpu, name, dtype):
    for length in (5, 37):  # a vector's remainder, and whole vectors
        x = np.resize(SPECIAL, length).astype(dtype)
        got, expected = np.empty_like(x), np.empty_like(x)
        getattr(cpu, name)(x, got)
        getattr(reference, name)(x, expected)
        np.testing.assert_array_equal(got, expected)
        number = ~np.isnan(x)
        np.testing.assert_array_equal(np.signbit(got[number]), np.signbit(expected[number]))


def test_nan_passes_from_every_place(cpu):
    for place in range(33):
        x = np.zeros(33, np.float32)
        x[place] = np.nan
        for name in EXACT:
            y = np.empty_like(x)
            getattr(cpu, name)(x, y)
            assert np.flatnonzero(np.isnan(y)).tolist() == [place]
