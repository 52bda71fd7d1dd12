"""Prediction and training steps of a stack of dense layers against the reference."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="Numba is not installed")

from ketkar.kernels import codes, reference
from ketkar.kernels.cuda import stack
from ketkar.kernels.simulation import ORDERS, simulate

TYPES = (np.float32, np.float64)
WIDTHS = np.array([7, 19, 5, 3])
ACTIVATIONS = {
    "squared_error": [codes.SIGMOID, codes.TANH, codes.SIGMOID],
    "binary_cross_entropy": [codes.RELU, codes.SIGMOID, codes.IDENTITY],
    "cross_entropy": [codes.TANH, codes.RELU, codes.IDENTITY],
    "cross_entropy_dense": [codes.TANH, codes.IDENTITY, codes.TANH],
}


def batch(dtype, N=21, widths=WIDTHS):
    rng = np.random.default_rng(N)
    theta = rng.standard_normal(int(((widths[:-1] + 1) * widths[1:]).sum())).astype(dtype)
    x = rng.standard_normal((N, widths[0])).astype(dtype)
    targets = rng.random((N, widths[-1])).astype(dtype)
    return theta, x, targets, rng.integers(0, widths[-1], N)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("loss", codes.LOSSES)
def test_training_steps_agree_with_the_reference(loss, momentum, dtype):
    theta, x, targets, labels = batch(dtype)
    if loss == "cross_entropy":
        targets = targets[:0]
    if loss == "cross_entropy_dense":
        targets[3, 1] = targets[4] = 0
    activations = np.array(ACTIVATIONS[loss])
    results = []
    for kernels in (stack, reference):
        parameters, velocity = theta.copy(), np.zeros(theta.size if momentum else 0, dtype)
        fixed = x, targets, labels, WIDTHS, activations, codes.LOSSES[loss], 0.1, momentum
        losses = []
        for step, order in enumerate(ORDERS):
            with simulate(order, seed=step):
                losses.append(kernels.dense_train_step(parameters, velocity, *fixed))
        assert type(losses[0]) is float
        results.append(np.concatenate([losses, parameters, velocity]))
    assert np.abs(results[1][3:-1] - np.append(theta, theta)[: len(results[1]) - 4]).max() > 1e-3
    tolerance = 200 * np.finfo(dtype).eps
    np.testing.assert_allclose(*results, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("N", [1, 40])
def test_prediction_agrees_with_the_reference(N, dtype, simulated):
    theta, x, targets, _ = batch(dtype, N)
    y, expected = np.full_like(targets, 9), np.empty_like(targets)
    codes_of_layers = np.array([codes.SIGMOID, codes.RELU, codes.IDENTITY])
    stack.dense_stack_forward(theta, x, WIDTHS, codes_of_layers, y)
    reference.dense_stack_forward(theta, x, WIDTHS, codes_of_layers, expected)
    np.testing.assert_allclose(y, expected, rtol=0, atol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize("bad", [-1, 3, 2**40])
def test_a_label_out_of_range_changes_nothing(bad, simulated):
    theta, x, targets, labels = batch(np.float64)
    labels[20] = bad
    velocity = np.ones_like(theta)
    before = theta.copy()
    value = stack.dense_train_step(
        theta, velocity, x, targets[:0], labels, WIDTHS, np.array(ACTIVATIONS["cross_entropy"]),
        codes.CROSS_ENTROPY, 0.1, 0.5,
    )  # fmt: skip
    assert value == codes.LABEL_OUT_OF_RANGE
    np.testing.assert_array_equal(theta, before)
    assert (velocity == 1).all()


def test_nan_in_the_batch_is_nan_in_the_loss(simulated):
    theta, x, targets, labels = batch(np.float64)
    x[5, 2] = np.nan
    value = stack.dense_train_step(
        theta, theta[:0], x, targets[:0], labels, WIDTHS, np.array(ACTIVATIONS["cross_entropy"]),
        codes.CROSS_ENTROPY, 0.1, 0.0,
    )  # fmt: skip
    assert np.isnan(value)


def test_large_logits_do_not_overflow(simulated):
    widths, activations = np.array([1, 2]), np.array([codes.IDENTITY])
    x = np.array([[1000.0], [-1000.0]])
    for loss in ("binary_cross_entropy", "cross_entropy"):
        theta = np.array([1.0, -1.0, 0.0, 0.0])
        value = stack.dense_train_step(
            theta, theta[:0], x, np.eye(2), np.array([0, 1]), widths, activations,
            codes.LOSSES[loss], 1.0, 0.0,
        )  # fmt: skip
        assert value == 0
        np.testing.assert_array_equal(theta, [1, -1, 0, 0])
