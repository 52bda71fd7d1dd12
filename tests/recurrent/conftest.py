"""What the tests of chapter 6 share: the backends, random parameters, and closeness."""

import importlib.util
import os
import sys

import numpy as np
import pytest

from ketkar import recurrent as rec
from ketkar.trees import leaves

# A copy of the package that a mutant spoils would have to compile everything anew; there "auto"
# finds no numba and takes NumPy.
WITHOUT_COMPILING = "KETKAR_TEST_WITHOUT_COMPILING" in os.environ
if WITHOUT_COMPILING:
    sys.modules["numba"] = None


@pytest.fixture(scope="session", params=["numpy", "cpu"])
def backend(request):
    """Every backend there is, one after the other."""
    if request.param == "cpu":
        if WITHOUT_COMPILING:
            pytest.skip("nothing is compiled in this run")
        if importlib.util.find_spec("numba") is None:
            pytest.skip("the compiled kernels need numba")
    return request.param


@pytest.fixture(scope="session")
def draw():
    """Normal random arrays of these shapes, the same for the same seed."""

    def draw(*shapes, seed=0, dtype=np.float64):
        rng = np.random.default_rng(seed)
        return tuple(rng.normal(size=shape).astype(dtype) for shape in shapes)

    return draw


@pytest.fixture(scope="session")
def rnn():
    """Random parameters, biases included; W reads the state, or m outputs with feedback."""

    def rnn(n, h, m=None, *, feedback="hidden", seed=0, dtype=np.float64, size=0.6):
        rng = np.random.default_rng([seed, 1])
        read = h if feedback == "hidden" else m
        shapes = [(h, n), (h, read), (h,)] + ([] if m is None else [(m, h), (m,)])
        arrays = [(size * rng.normal(size=shape)).astype(dtype) for shape in shapes]
        return rec.RNNParams(*arrays, *([None, None] if m is None else []))

    return rnn


@pytest.fixture(scope="session")
def lstm():
    """Random parameters of an LSTM, peepholes and biases included."""

    def lstm(n, h, *, peepholes=True, seed=0, dtype=np.float64, size=0.6):
        rng = np.random.default_rng([seed, 2])
        shapes = [(h, n)] * 4 + [(h, h)] * 4 + [(h,)] * 7
        arrays = [(size * rng.normal(size=shape)).astype(dtype) for shape in shapes]
        if not peepholes:
            arrays[8:11] = [None] * 3
        return rec.LSTMParams(*arrays)

    return lstm


@pytest.fixture(scope="session")
def softmax_layer():
    """Random parameters of a softmax layer."""

    def softmax_layer(h, m, *, seed=0, dtype=np.float64):
        rng = np.random.default_rng([seed, 3])
        return rec.OutputParams(*(rng.normal(size=s).astype(dtype) for s in ((m, h), (m,))))

    return softmax_layer


@pytest.fixture(scope="session")
def assert_close():
    """Nests of the same shapes, equal up to a share of the largest number of each array."""

    def assert_close(found, expected, tolerance=1e-10):
        ours, theirs = list(leaves(found)), list(leaves(expected))
        assert len(ours) == len(theirs)
        for (name, a), (_, e) in zip(ours, theirs, strict=True):
            assert a.shape == e.shape, f"{name}: {a.shape}, {e.shape}"
            largest = np.abs(e).max(initial=0.0, where=np.isfinite(e))
            np.testing.assert_allclose(
                a, e, rtol=0, atol=tolerance * max(1.0, largest), err_msg=name
            )

    return assert_close
