"""Fast numbers that a wrong step, gradient or stop would change."""

from __future__ import annotations

import numpy as np
import pytest

from ketkar import network, training
from ketkar.network import Dense


def test_steps_are_those_worked_by_hand():
    theta, g = np.array([3.0]), np.array([4.0])
    assert training.sgd_step(theta, g, 0.1)[0] == 3.0 - 0.1 * 4.0
    first, velocity = training.momentum_step(theta, g, None, 0.1, 0.5)
    second, _ = training.momentum_step(first, g, velocity, 0.1, 0.5)
    np.testing.assert_allclose([first[0], second[0]], [2.6, 2.0], rtol=1e-15)


def test_a_chain_differentiates_all_its_layers():
    net = network.chain(Dense(3, 4, "tanh"), Dense(4, 4, "sigmoid"), Dense(4, 4))
    x = np.random.default_rng(1).standard_normal((5, 3))
    assert network.check_layer(net, net.init(0), x)


@pytest.mark.parametrize("momentum", [0.0, 0.7])
@pytest.mark.parametrize("loss", training.LOSSES)
def test_a_step_descends_along_the_gradient(loss, momentum):
    net = network.chain(Dense(3, 4, "tanh"), Dense(4, 5, "sigmoid"), Dense(5, 4, "relu"),
                        Dense(4, 3))  # fmt: skip
    rng = np.random.default_rng(2)
    x = rng.standard_normal((6, 3))
    y = {
        "squared_error": rng.standard_normal((6, 3)),
        "binary_cross_entropy": rng.integers(0, 2, (6, 3)),
        "cross_entropy": np.array([0, 2, 1, 1, 0, 2]),
    }[loss]
    params = net.init(rng)
    params = network.unflatten(rng.standard_normal(network.count_parameters(params)), params)
    theta, velocity = network.flatten(params), rng.standard_normal(network.count_parameters(params))
    value, grads = training.value_and_grad(net, params, x, y, loss)
    moved = momentum * velocity - 0.1 * network.flatten(grads)
    expected = theta + moved
    step = training.training_step(net, loss=loss, lr=0.1, momentum=momentum, backend="numpy")
    assert abs(step(theta, velocity, x, y) - value) < 1e-12
    np.testing.assert_allclose(theta, expected, rtol=0, atol=1e-12)


def test_glorot_has_the_variance_of_its_derivation():
    W = network.initial("glorot_uniform", 0, (300, 200))
    assert abs(W.var() * (300 + 200) / 2 - 1) < 0.02


def test_early_stopping_returns_the_best_epoch():
    rng = np.random.default_rng(0)
    x, xv = rng.standard_normal((8, 6)), rng.standard_normal((50, 6))
    y, yv = rng.standard_normal(8), rng.standard_normal(50)
    net = Dense(6, 1)
    run = training.fit(
        net, net.init(0), x, y, loss="squared_error", lr=0.1, epochs=500, validation=(xv, yv),
        patience=5, backend="numpy",
    )  # fmt: skip
    assert run.stopped
    best = run.history.validation_loss.min()
    found = training.loss_value(net, run.params, xv, yv, "squared_error", backend="numpy")
    assert found == best
    assert run.history.validation_loss[-1] > best
