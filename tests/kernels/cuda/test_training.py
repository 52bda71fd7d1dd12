"""Whole training steps on the pretended GPU: chapter functions of which all kernels are CUDA's."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="Numba is not installed")

from ketkar import recurrent, systems
from ketkar.kernels.simulation import simulate
from ketkar.network import Conv2d, Dense, Flatten, MaxPool2d, chain, flatten
from ketkar.training import training_step
from ketkar.trees import leaves, tree_map

pytestmark = pytest.mark.cuda


def assert_same(found, expected):
    pairs = list(zip(leaves(found), leaves(expected), strict=True))
    assert pairs
    for (path, a), (_, e) in pairs:
        np.testing.assert_allclose(a, e, rtol=1e-11, atol=1e-12, err_msg=path)


SEQUENCES = [
    {},
    {"mask": np.arange(5)[:, None] < np.array([5, 3, 4])},
    {"truncate": 2, "reduction": "sum"},
]


def sequences(last_alone):
    rng = np.random.default_rng(1)
    x, labels = rng.normal(size=(5, 3, 3)), rng.integers(0, 2, (5, 3))
    return x, labels[-1] if last_alone else labels


@pytest.mark.parametrize("last_alone", [False, True])
def test_the_loss_of_a_recurrent_network(last_alone):
    params = recurrent.rnn_params(3, 6, 2, rng=0)
    x, labels = sequences(last_alone)
    for kwargs in SEQUENCES:
        expected = recurrent.rnn_value_and_grad(params, x, labels, backend="cpu", **kwargs)
        with simulate("random", seed=2):
            found = recurrent.rnn_value_and_grad(params, x, labels, backend="cuda", **kwargs)
        assert_same(found, expected)


@pytest.mark.parametrize("last_alone", [False, True])
def test_the_loss_of_an_lstm(last_alone):
    lstm = recurrent.lstm_params(3, 5, rng=0, peepholes=True)
    output = recurrent.output_params(5, 2, rng=0)
    x, labels = sequences(last_alone)
    for kwargs in SEQUENCES:
        expected = recurrent.lstm_value_and_grad(lstm, output, x, labels, backend="cpu", **kwargs)
        with simulate("reverse"):
            found = recurrent.lstm_value_and_grad(
                lstm, output, x, labels, backend="cuda", **kwargs
            )  # fmt: skip
        assert_same(found, expected)


def test_an_lstm_learns():
    """Gradient steps on the device lead where they lead on the processor."""
    x, labels = sequences(False)
    lstm, output = recurrent.lstm_params(3, 5, rng=0), recurrent.output_params(5, 2, rng=0)
    losses = {}
    for backend in ("cpu", "cuda"):
        nest, losses[backend] = (lstm, output), []
        for _ in range(3):
            with simulate():
                found = recurrent.lstm_value_and_grad(*nest, x, labels, backend=backend)
            grads = found.params, found.output
            nest = tree_map(lambda p, g: p - 0.5 * g, nest, grads)
            losses[backend].append(found.loss)
    np.testing.assert_allclose(losses["cuda"], losses["cpu"], rtol=1e-12)
    assert losses["cuda"][2] < losses["cuda"][0]


def assert_trains_alike(network, x, y, loss, steps, momentum=0.5, rtol=1e-10):
    """Some steps from the same start, on the processor and on the pretended device."""
    start = flatten(network.init(rng=0))
    results = {}
    for backend in ("cpu", "cuda"):
        theta = start.copy()
        velocity = np.zeros_like(theta) if momentum else np.empty(0)
        with simulate("random", seed=5):
            step = training_step(network, loss=loss, lr=0.1, momentum=momentum, backend=backend)
            losses = [step(theta, velocity, x, y) for _ in range(steps)]
        results[backend] = losses, theta, velocity
    for found, expected in zip(results["cuda"], results["cpu"], strict=True):
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-12)
    assert not np.array_equal(results["cuda"][1], start)


@pytest.mark.parametrize(
    ("loss", "momentum"), [("cross_entropy", 0.5), ("squared_error", 0.0)], ids=str
)
def test_dense_layers(loss, momentum):
    rng = np.random.default_rng(3)
    net = chain(Dense(7, 9, "tanh"), Dense(9, 17, "sigmoid"), Dense(17, 3))
    y = rng.integers(0, 3, 5) if loss == "cross_entropy" else rng.normal(size=(5, 3))
    assert_trains_alike(net, rng.normal(size=(5, 7)), y, loss, 3, momentum)


def test_a_small_lenet():
    net = chain(
        Conv2d(1, 2, 3, activation="relu"), MaxPool2d(2),
        Conv2d(2, 3, 2, activation="tanh"), MaxPool2d(2),
        Flatten(), Dense(12, 6, "relu"), Dense(6, 3),
    )  # fmt: skip
    x = np.random.default_rng(4).normal(size=(3, 1, 12, 12))
    assert net.output_shape((1, 12, 12)) == (3,)
    assert_trains_alike(net, x, np.array([0, 2, 1]), "cross_entropy", 3)


def test_a_step_of_lenet5():
    x = np.random.default_rng(5).random((2, 1, 28, 28))
    assert_trains_alike(systems.lenet5(), x, np.array([3, 8]), "cross_entropy", 1)
