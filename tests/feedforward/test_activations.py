"""Activation functions: their values, their derivatives, and what they do at the limits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from ketkar import feedforward as ff
from ketkar.gradcheck import gradcheck

Z = np.array([-30.0, -4.0, -1.0, -0.3, -1e-3, 1e-3, 0.2, 1.0, 5.0, 30.0])
LIMITS = {  # name: value at -inf, -1000, 0, 1000, inf
    "step": (0, 0, 0, 1, 1),
    "identity": (-math.inf, -1000, 0, 1000, math.inf),
    "sigmoid": (0, 0, 0.5, 1, 1),
    "tanh": (-1, -1, 0, 1, 1),
    "relu": (0, 0, 0, 1000, math.inf),
}
SLOPES = {
    "step": (0, 0, 0, 0, 0),
    "identity": (1, 1, 1, 1, 1),
    "sigmoid": (0, 0, 0.25, 0, 0),
    "tanh": (0, 0, 1, 0, 0),
    "relu": (0, 0, 0, 1, 1),
}
SCALAR = {  # from the definitions, one number at a time
    "step": lambda z: 1.0 if z > 0 else 0.0,
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": lambda z: (math.exp(z) - math.exp(-z)) / (math.exp(z) + math.exp(-z)),
    "relu": lambda z: max(0.0, z),
}
finite = st.floats(-1e6, 1e6, allow_nan=False)


def test_the_table_names_every_activation():
    assert set(ff.ACTIVATIONS) == set(LIMITS)
    for name in ff.ACTIVATIONS:
        found = ff.activation(name)
        assert found.name == name
        assert found.value is getattr(ff, name)
        assert found.grad is getattr(ff, f"{name}_grad")


@pytest.mark.parametrize("name", ff.ACTIVATIONS)
def test_values_are_the_definitions(name):
    expected = [SCALAR[name](float(z)) for z in Z]
    assert np.allclose(ff.activation(name).value(Z), expected, rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ff.ACTIVATIONS)
def test_limits(name, dtype):
    z = np.array([-np.inf, -1000, 0, 1000, np.inf], dtype)
    value, slope = ff.activation(name).value(z), ff.activation(name).grad(z)
    assert value.tolist() == list(LIMITS[name])
    assert slope.tolist() == list(SLOPES[name])
    assert value.dtype == slope.dtype == dtype


@pytest.mark.parametrize("name", [n for n in ff.ACTIVATIONS if n != "step"])
def test_derivatives_against_finite_differences(name, finite_difference):
    row = ff.activation(name)
    for z in Z:
        slope = finite_difference(lambda t: SCALAR[name](float(t)), z)
        assert row.grad(np.array([z]))[0] == pytest.approx(float(slope), rel=1e-7, abs=1e-9)
    report = gradcheck(row.value, lambda dy, z: dy * row.grad(z), Z)
    assert report.ok, report


@pytest.mark.parametrize("name", ["sigmoid_grad", "tanh_grad"])
def test_derivatives_keep_their_digits_where_the_function_is_flat(name):
    # f (1 - f) would be 0 from about z = 37 on; the derivative is not
    z = np.array([20.0, 40.0, 100.0, 300.0])
    exact = np.exp(-z) if name == "sigmoid_grad" else 4 * np.exp(-2 * z)
    assert np.allclose(getattr(ff, name)(z), exact, rtol=1e-8)
    assert np.array_equal(getattr(ff, name)(-z), getattr(ff, name)(z))


@pytest.mark.parametrize("name", ff.ACTIVATIONS)
def test_nan_passes(name):
    z = np.array([np.nan, 1.0])
    assert np.isnan(ff.activation(name).value(z)).tolist() == [True, False]
    if name in ("sigmoid", "tanh", "relu"):
        assert np.isnan(ff.activation(name).grad(z)).tolist() == [True, False]


@pytest.mark.parametrize("name", [*ff.ACTIVATIONS, "softmax"])
def test_float32_is_as_good_as_float32_can_be(name):
    f = ff.softmax if name == "softmax" else ff.activation(name).value
    z = np.random.default_rng(3).normal(0, 4, (50, 6)).astype(np.float32)
    rough, exact = f(z), f(z.astype(np.float64))
    assert rough.dtype == np.float32
    assert exact.dtype == np.float64
    assert np.allclose(rough, exact, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ff.ACTIVATIONS)
@given(z=arrays(np.float64, array_shapes(min_dims=0, max_dims=4), elements=finite))
def test_shape_and_type_stay(name, z):
    for f in ff.activation(name)[1:]:
        y = np.asarray(f(z))
        assert y.shape == z.shape
        assert y.dtype == np.float64
        assert np.isfinite(y).all()


@pytest.mark.parametrize("name", ff.ACTIVATIONS)
def test_the_argument_is_neither_changed_nor_returned(name):
    z = Z.copy()
    for f in ff.activation(name)[1:]:
        y = f(z)
        assert not np.shares_memory(y, z)
        y[...] = 7
    assert np.array_equal(z, Z)


@given(z=arrays(np.float64, 20, elements=finite), w=arrays(np.float64, 20, elements=finite))
def test_every_activation_is_monotonic(z, w):
    low, high = np.minimum(z, w), np.maximum(z, w)
    for name in ff.ACTIVATIONS:
        f = ff.activation(name).value
        assert (f(low) <= f(high)).all()


@given(arrays(np.float64, 20, elements=st.floats(-50, 50)))
def test_identities(z):
    assert np.allclose(ff.tanh(z), 2 * ff.sigmoid(2 * z) - 1, atol=1e-15)
    assert np.array_equal(ff.tanh(-z), -ff.tanh(z))
    assert np.allclose(ff.sigmoid(-z), 1 - ff.sigmoid(z), atol=1e-15)
    assert np.array_equal(ff.relu(z) - ff.relu(-z), z)
    assert np.array_equal(ff.relu_grad(z), ff.step(z))


@given(arrays(np.float64, 20, elements=st.floats(-1, 1)))
def test_tanh_is_like_the_identity_near_zero_and_the_sigmoid_is_not(x):
    assert (np.abs(ff.tanh(x) - x) <= np.abs(x) ** 3 / 3 + 1e-16).all()
    assert ff.tanh_grad([0.0])[0] == 1
    assert ff.sigmoid_grad([0.0])[0] == 0.25
    assert ff.sigmoid([0.0])[0] == 0.5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_of_huge_scores(dtype):
    rows = np.array([[1e4, 0, -1e4], [1e4, 1e4, 0], [-1e4, -1e4, -1e4]], dtype)
    expected = [[1, 0, 0], [0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]]
    assert np.allclose(ff.softmax(rows), expected, rtol=1e-6, atol=0)
    huge = np.finfo(dtype).max
    assert ff.softmax(np.array([huge, -huge], dtype)).tolist() == [1, 0]


def test_softmax_of_infinite_scores_and_nan():
    assert ff.softmax([0.0, -np.inf]).tolist() == [1, 0]
    assert np.isnan(ff.softmax([0.0, np.inf])).all()
    assert np.isnan(ff.softmax([-np.inf, -np.inf])).all()
    both = ff.softmax([[0.0, np.nan], [0.0, 0.0]])
    assert np.isnan(both[0]).all()
    assert both[1].tolist() == [0.5, 0.5]


@given(arrays(np.float64, (3, 5), elements=st.floats(-1000, 1000)), st.floats(-1000, 1000))
def test_softmax_is_a_distribution_and_does_not_see_a_shift(z, shift):
    p = ff.softmax(z)
    assert (p >= 0).all()
    assert np.abs(p.sum(axis=1) - 1).max() < 1e-12
    assert np.allclose(ff.softmax(z + shift), p, rtol=1e-9, atol=1e-12)


def test_softmax_along_another_axis():
    z = np.random.default_rng(0).normal(size=(3, 4, 5))
    for axis in (0, 1, 2, -1, -2):
        moved = np.moveaxis(ff.softmax(np.moveaxis(z, axis, -1)), -1, axis)
        assert np.allclose(ff.softmax(z, axis=axis), moved, rtol=1e-14)
        dy = np.random.default_rng(1).normal(size=z.shape)
        back = ff.softmax_backward(dy, ff.softmax(z, axis=axis), axis=axis)
        report = gradcheck(
            lambda z, axis=axis: ff.softmax(z, axis=axis),
            lambda dy, z, axis=axis: ff.softmax_backward(dy, ff.softmax(z, axis), axis),
            z,
        )
        assert report.ok, report
        assert np.abs(back.sum(axis=axis)).max() < 1e-14


def test_softmax_jacobian(finite_difference):
    z = np.array([0.3, -1.2, 2.0, 0.0])
    jacobian = ff.softmax_jacobian(z)
    for i in range(4):
        row = finite_difference(lambda t, i=i: np.exp(t[i]) / np.exp(t).sum(), z)
        assert np.abs(jacobian[i] - row).max() < 1e-10
    assert np.abs(jacobian.sum(axis=0)).max() < 1e-15
    assert np.array_equal(jacobian, jacobian.T)
    dy = np.array([1.0, -2.0, 0.5, 3.0])
    assert np.allclose(ff.softmax_backward(dy, ff.softmax(z)), jacobian.T @ dy, atol=1e-15)


def test_a_list_and_whole_numbers_will_do():
    assert ff.relu([-1, 2]).tolist() == [0.0, 2.0]
    assert ff.sigmoid([0]).dtype == np.float64
    assert ff.sigmoid(np.float16([0])).dtype == np.float64
    assert float(ff.sigmoid(0)) == 0.5
    assert ff.sigmoid(True) == pytest.approx(0.7310585786)
