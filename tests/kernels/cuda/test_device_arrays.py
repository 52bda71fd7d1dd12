"""Arrays of a device go in and come back as such: nothing turns into NumPy's on the way."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="Numba is not installed")

from ketkar import convolutional as conv
from ketkar import network, recurrent, training
from ketkar.feedforward import dense, dense_backward
from ketkar.kernels.backend import kernels
from ketkar.kernels.cuda.simulator import SimulatedArray
from ketkar.kernels.simulation import simulate
from ketkar.trees import leaves, tree_map

pytestmark = pytest.mark.cuda


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def both(function, *args, **kwargs):
    """What comes of arrays of NumPy, and of the same arrays on the pretended device."""
    expected = function(*args, backend="numpy", **kwargs)
    with simulate():
        result = function(*there(args), **there(kwargs))
    assert_same(result, expected)
    return result


def there(nest):
    if isinstance(nest, np.ndarray):
        return SimulatedArray(nest.copy())
    if isinstance(nest, tuple | list):
        branches = [there(branch) for branch in nest]
        return type(nest)(*branches) if hasattr(nest, "_fields") else type(nest)(branches)
    if isinstance(nest, dict):
        return {key: there(branch) for key, branch in nest.items()}
    return nest


def assert_same(result, expected):
    pairs = list(zip(leaves(result), leaves(expected), strict=True))
    assert pairs
    for (path, a), (_, b) in pairs:
        if isinstance(a, np.ndarray) and a.ndim == 0:  # a loss is a number
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13, err_msg=path)
            continue
        assert isinstance(a, SimulatedArray), path
        np.testing.assert_allclose(a.get(), b, rtol=1e-11, atol=1e-12, err_msg=path)


def test_convolution():
    x, K, b = draw(2, 3, 6, 7), draw(4, 3, 3, 2), draw(4)
    y = both(conv.conv2d, x, K, b, padding=1)
    both(conv.conv2d, x, K)
    both(conv.conv2d_backward, np.cos(y.get()), x, K, b, padding=1)
    both(conv.conv2d_transpose, draw(2, 4, 3, 3), K, draw(3), stride=2)
    both(conv.conv1d, draw(2, 3, 9), draw(4, 3, 3), padding="same")


@pytest.mark.parametrize("kind", ["max", "avg", "l2"])
def test_pooling(kind):
    x = draw(2, 3, 6, 7)
    forward, backward = (getattr(conv, f"{kind}_pool2d{end}") for end in ("", "_backward"))
    y = both(forward, x, 2)
    both(backward, np.cos(y.get()), x, 2)
    both(getattr(conv, f"global_{kind}_pool2d"), x)


def test_a_dense_layer():
    x, W, b = draw(5, 3), draw(3, 4), draw(4)
    both(dense, x, W, b, "tanh")
    both(dense, x[0], W)
    both(dense_backward, draw(5, 4), x, W, b, "sigmoid")


def test_recurrent_networks():
    params = recurrent.rnn_params(3, 4, 2, rng=0)
    x = draw(5, 2, 3)
    _, trace = both(recurrent.rnn_forward, params, x)
    result = recurrent.rnn_forward(params, x, backend="numpy")
    expected = recurrent.rnn_backward(params, np.cos(result[0]), result[1], backend="numpy")
    with simulate():
        found = recurrent.rnn_backward(there(params), there(np.cos(result[0])), trace)
    assert_same(found, expected)


@pytest.mark.parametrize("peepholes", [True, False])
def test_the_lstm(peepholes):
    params = recurrent.lstm_params(3, 4, rng=0, peepholes=peepholes)
    x, mask = draw(5, 2, 3), np.array([[True, True]] * 3 + [[True, False]] * 2)
    y, trace = recurrent.lstm_forward(params, x, mask=mask, backend="numpy")
    both(recurrent.lstm_forward, params, x, mask=mask)
    expected = recurrent.lstm_backward(params, np.cos(y), trace, backend="numpy")
    with simulate():
        _, own = recurrent.lstm_forward(there(params), there(x), mask=mask)
        found = recurrent.lstm_backward(there(params), there(np.cos(y)), own)
    assert_same(found, expected)


def test_a_training_step_of_an_lstm_stays_on_the_device():
    lstm, output = recurrent.lstm_params(3, 4, rng=0), recurrent.output_params(4, 2, rng=0)
    x, labels = draw(5, 2, 3), np.array([[0, 1], [1, 1], [0, 0], [1, 0], [0, 1]])
    expected = recurrent.lstm_value_and_grad(lstm, output, x, labels, backend="numpy")
    with simulate():
        params, out, inputs = there(lstm), there(output), there(x)
        found = recurrent.lstm_value_and_grad(params, out, inputs, there(labels), truncate=None)
        stepped = tree_map(lambda p, g: p - 0.1 * g, params, found.params)
        again = recurrent.lstm_value_and_grad(stepped, out, inputs, there(labels))
    assert_same(found, expected)
    assert again.loss < found.loss


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_training_steps_of_dense_layers_stay_on_the_device(momentum):
    net = network.chain(network.Dense(3, 5, "tanh"), network.Dense(5, 2))
    x, y = draw(6, 3), np.array([0, 1, 1, 0, 1, 0])
    assert_trains(net, x, y, momentum)


def test_training_steps_of_lenet_stay_on_the_device():
    net = network.chain(
        network.Conv2d(1, 2, 3, activation="tanh"), network.MaxPool2d(2),
        network.Conv2d(2, 3, 2, activation="relu"), network.AvgPool2d(2),
        network.Flatten(), network.Dense(3, 4, "tanh"), network.Dense(4, 2),
    )  # fmt: skip
    assert_trains(net, draw(3, 1, 8, 8), np.array([0, 1, 1]), 0.5)


def assert_trains(net, x, y, momentum):
    theta = network.flatten(net.init(rng=0))
    velocity = np.zeros_like(theta) if momentum else theta[:0].copy()
    here = training.training_step(
        net, loss="cross_entropy", lr=0.1, momentum=momentum, backend="numpy"
    )
    with simulate():
        on_device = training.training_step(net, loss="cross_entropy", lr=0.1, momentum=momentum)
        theirs, running = there(theta), there(velocity)
        first = on_device(theirs, running, there(x), there(y))
        last = on_device(theirs, running, there(x), there(y))
    assert first == pytest.approx(here(theta, velocity, x, y), rel=1e-12)
    assert last == pytest.approx(here(theta, velocity, x, y), rel=1e-12)
    assert last < first
    np.testing.assert_allclose(theirs.get(), theta, rtol=1e-11)


def test_a_network_runs_on_the_device():
    net = network.chain(
        network.Conv2d(1, 2, 3, activation="tanh"), network.MaxPool2d(2), network.Flatten(),
        network.Dense(18, 4, "sigmoid"), network.Dense(4, 2),
    )  # fmt: skip
    y = both(net, net.init(rng=0), draw(3, 1, 8, 8))
    assert y.shape == (3, 2)


def test_arrays_of_two_places_are_refused():
    x, K = draw(1, 1, 3, 3), draw(1, 1, 2, 2)
    with simulate():
        with pytest.raises(TypeError, match="some of the arrays are on a device and some are not"):
            conv.conv2d(there(x), K)
        with pytest.raises(TypeError, match='backend "cpu" works on arrays of NumPy'):
            conv.conv2d(there(x), there(K), backend="cpu")


def test_without_a_device_nothing_falls_back_in_silence():
    from ketkar.kernels import driver

    if not driver.why_not():
        pytest.skip("there is a device")
    with pytest.raises(RuntimeError, match='backend "cuda" is not there'):
        conv.conv2d(there(draw(1, 1, 3, 3)), there(draw(1, 1, 2, 2)))
    with simulate():
        assert kernels("cuda").__name__ == "ketkar.kernels.cuda"
    with pytest.raises(RuntimeError, match='backend "cuda" is not there'):
        kernels("cuda")
