"""LeNet-5, today's and that of 1998: sizes, tables, codes, gradients, and whether they learn."""

import json
from pathlib import Path

import numpy as np
import pytest

from ketkar.datasets import digits
from ketkar.network import Conv2d, Dense, check_layer, count_parameters, load, save
from ketkar.systems import (
    C3_TABLE,
    digit_codes,
    enlarge_digits,
    falling_rates,
    frame_digits,
    lenet5,
    lenet5_1998,
    train_lenet5,
    train_lenet5_1998,
)
from ketkar.training import accuracy

RESULT = Path(__file__).parents[2] / "benchmarks/results/lenet5_mnist.json"


@pytest.mark.parametrize(
    ("network", "side", "layers"),
    [
        (lenet5(), 28, [156, 0, 2416, 0, 0, 48120, 10164, 850]),
        (lenet5_1998(), 32, [156, 0, 12, 0, 1516, 0, 32, 0, 48120, 0, 0, 10164, 0, 0]),
    ],
)
def test_parameters_are_those_of_the_paper(network, side, layers):
    params = network.init(rng=0)
    assert [count_parameters(own) for own in params] == layers
    assert count_parameters(params) == {28: 61706, 32: 60000}[side]
    assert network.output_shape((1, side, side)) == (10,)


def test_maps_have_the_sizes_of_the_paper():
    shape, sizes = (1, 32, 32), []
    for layer in lenet5_1998().layers:
        shape = layer.output_shape(shape)
        sizes.append(shape)
    assert sizes[::2][:5] == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120, 1, 1)]


def test_the_table_is_that_of_the_paper():
    assert [len(row) for row in C3_TABLE] == [3] * 6 + [4] * 9 + [6]
    assert [sum(c in row for row in C3_TABLE) for c in range(6)] == [10] * 6
    assert len({frozenset(row) for row in C3_TABLE}) == 16
    assert set(C3_TABLE[4]) == {4, 5, 0}
    assert set(C3_TABLE[12]) == {0, 1, 3, 4}


def test_codes_are_ten_different_pictures():
    codes = digit_codes()
    assert codes.shape == (10, 84)
    assert set(np.unique(codes)) == {-1.0, 1.0}
    different = (codes[:, None] != codes).sum(axis=2)
    assert different[~np.eye(10, dtype=bool)].min() >= 6


@pytest.mark.parametrize("number", range(len(lenet5_1998().layers)))
def test_each_layer_of_1998_has_the_right_gradient(number):
    network = lenet5_1998()
    layer, shape = network.layers[number], (1, 32, 32)
    for below in network.layers[:number]:
        shape = below.output_shape(shape)
    if layer.kind in ("conv", "dense") and number > 0:
        small = {"conv": (Conv2d(2, 3, 5), (2, 6, 6)), "dense": (Dense(7, 6), (7,))}
        layer, shape = small[layer.kind]
    elif len(shape) == 3 and shape[1] > 1:
        shape = (shape[0], 6, 6)
    x = np.random.default_rng(number).normal(size=(1, *shape))
    assert check_layer(layer, layer.init(1), x).ok


@pytest.mark.parametrize(("network", "side"), [(lenet5("tanh"), 28), (lenet5_1998(), 32)])
def test_the_whole_network_passes_the_gradient_on(network, side):
    rng = np.random.default_rng(0)
    params = network.init(rng)
    x, way = rng.normal(size=(2, 2, 1, side, side))
    dy = rng.normal(size=(2, 10))
    _, trace = network.forward(params, x)
    dx, _ = network.backward(params, dy, trace)
    step = 1e-5
    rise = (dy * (network(params, x + step * way) - network(params, x - step * way))).sum()
    assert rise / (2 * step) == pytest.approx((dx * way).sum(), rel=1e-5)


@pytest.mark.parametrize(("network", "side"), [(lenet5(), 28), (lenet5_1998(), 32)])
def test_networks_come_back_from_a_file(network, side, tmp_path):
    params = network.init(0, np.float32)
    saved = load(save(tmp_path / "lenet", network, params))
    assert saved.network == network
    x = np.random.default_rng(0).random((1, 1, side, side), np.float32)
    np.testing.assert_array_equal(saved.network(saved.params, x), network(params, x))


def test_both_learn_small_digits():
    train, test = digits(rng=0)
    x, held_out = enlarge_digits(train.x), enlarge_digits(test.x)
    run = train_lenet5(lenet5(), x, train.y, rng=0, epochs=4)
    assert accuracy(lenet5(), run.params, held_out, test.y) >= 0.95
    run = train_lenet5_1998(lenet5_1998(), frame_digits(x), train.y, rng=0, epochs=4)
    assert accuracy(lenet5_1998(), run.params, frame_digits(held_out), test.y) >= 0.93


def test_data_are_prepared_as_promised():
    x = enlarge_digits(np.arange(64.0)[None])
    assert x.shape == (1, 1, 28, 28)
    assert (x[0, 0, 2:5, 5:8] == 1).all()
    assert x[0, 0, :2].sum() == x[0, 0, :, -2:].sum() == 0
    assert x[0, 0, 25, 25] == 63
    framed = frame_digits(np.ones((1, 1, 28, 28), np.float32))
    assert framed.dtype == np.float32
    assert framed[0, 0, 2, 2] == np.float32(1.175)
    assert framed[0, 0, 1, 1] == np.float32(-0.1)
    assert falling_rates(1, 0.5) == [0.5]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: enlarge_digits(np.ones((2, 63))), "x has 63 pixels"),
        (lambda: frame_digits(np.ones((2, 1, 32, 32))), "frame_digits expects"),
        (lambda: falling_rates(0), "epochs"),
        (lambda: lenet5("cube"), "cube"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_the_stored_result_says_what_the_book_says():
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    setup, runs = result["setup"], result["runs"]
    assert setup["parameters"] == 61706
    assert setup["epochs"] == 10
    for run in runs:
        assert len(run["ours"]["accuracy"]) == len(run["ours"]["seconds"]) == 10
        assert run["ours"]["accuracy"][-1] >= 0.989
    wrong = round((1 - runs[0]["ours"]["accuracy"][-1]) * setup["test_examples"])
    confusion = np.array(result["confusion"])
    assert len(result["mistakes"]) == wrong == confusion.sum() - np.trace(confusion)
    assert all(m["digit"] != m["answer"] for m in result["mistakes"])
    assert np.shape(result["filters"]) == (6, 5, 5)
