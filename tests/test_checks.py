"""The checks behind every error sentence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketkar import checks


def test_float_arrays_are_taken_as_they_are():
    for dtype in (np.float32, np.float64):
        x = np.ones((2, 3), dtype)[:, ::2]
        assert checks.float_array(x, "x") is x
    for dtype in (bool, np.int8, np.uint64, np.float16):
        assert checks.float_array(np.ones(2, dtype), "x").dtype == np.float64
    swapped = checks.float_array(np.array([1.5], ">f4"), "x")
    assert swapped.dtype == np.float32
    assert swapped.dtype.isnative
    assert swapped[0] == 1.5
    masked = np.ma.masked_array([1.0, 2.0])
    assert type(checks.float_array(masked, "x")) is np.ndarray


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_real_numbers(value):
    assert checks.real(value, "lr") == value
    assert checks.real(np.float64(value), "lr") == value
    assert checks.real(np.array(value), "lr") == value


@given(st.integers(-5, 5), st.integers(-5, 5))
def test_counts(value, least):
    if value >= least:
        assert checks.count(np.int32(value), "N", least=least) == value
        assert type(checks.count(np.int32(value), "N", least=least)) is int
    else:
        with pytest.raises(ValueError, match=f"N must be at least {least}, got {value}"):
            checks.count(value, "N", least=least)


TABLE = [
    (lambda: checks.float_array([1j], "x"), TypeError, "x holds complex128 values"),
    (lambda: checks.float_array(np.ones(1, np.longdouble), "x"), TypeError, "x holds"),
    (lambda: checks.real(True + 1j, "lr"), TypeError, "lr must be a number, got (1+1j)"),
    (lambda: checks.real(b"1", "lr"), TypeError, "lr must be a number, got b'1'"),
    (lambda: checks.real(np.ones(1), "lr"), TypeError, "lr must be a number"),
    (lambda: checks.real(-(10**400), "lr"), ValueError, "lr must be finite, got an int"),
    (lambda: checks.positive(0, "lr"), ValueError, "lr must be above 0, got 0"),
    (lambda: checks.between(1, "m", 0, 1), ValueError, "m must be at least 0 and below 1, got 1"),
    (lambda: checks.count(True, "N"), TypeError, "N must be a whole number, got True"),
    (lambda: checks.count(1.0, "N"), TypeError, "N must be a whole number, got 1.0"),
    (lambda: checks.probabilities(np.array(2.0), "p"), ValueError, "it is 2"),
    (lambda: checks.probabilities(np.array([[0, 2.5]]), "p"), ValueError, "p[0, 1] is 2.5"),
    (lambda: checks.labels([2**63], "y", 3), ValueError, "y[0] is 9223372036854775808"),
    (lambda: checks.listed(3, "widths", "numbers"), TypeError, "widths must be a sequence"),
    (lambda: checks.axis_of(np.ones((2, 3)), "z", -3), ValueError, "z has 2 axes (2, 3)"),
    (lambda: checks.generator(True), TypeError, "rng"),
    (lambda: checks.float_type("complex64"), TypeError, "dtype must be float32 or float64"),
]


@pytest.mark.parametrize(("call", "error", "words"), TABLE)
def test_a_sentence(call, error, words, refuses):
    with refuses(error, words):
        call()


def test_probabilities_let_nan_and_the_ends_pass():
    checks.probabilities(np.array([0.0, 1.0, np.nan]), "p")


def test_what_an_error_shows():
    assert checks.shown(3.5) == "3.5"
    assert checks.shown(None) == "None"
    assert checks.shown([1, 2]) == "[1, 2]"
    assert checks.shown(np.ones((30, 30))) == "a ndarray"
    assert checks.shown("x" * 100) == "a str"
    assert checks.shown(10**400) == "an int"
    assert checks.shown([object()]) == "a list"
    assert checks.shown(len) == "a builtin_function_or_method"


def test_generators():
    rng = np.random.default_rng(0)
    assert checks.generator(rng) is rng
    assert checks.generator(5).random() == np.random.default_rng(5).random()
    assert checks.generator(np.int64(5)).random() == np.random.default_rng(5).random()
