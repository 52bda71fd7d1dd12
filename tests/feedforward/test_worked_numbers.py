"""The numbers of the chapter, worked by hand: each stands here as digits, not as a formula."""

import math

import numpy as np
import pytest

from ketkar import datasets
from ketkar import feedforward as ff

SIG = {-1.9: 0.130108474363, 3.1: 0.956892745059, -0.4: 0.401312339888}


def test_inference_example_by_units():
    x = [0.5, 0.9, -0.3]
    weights = ([1, -2, 2], [2, 1, -4], [1, -1, 0])
    sums = [float(ff.linear_unit(x, w)) for w in weights]
    assert sums == pytest.approx([-1.9, 3.1, -0.4], abs=1e-12)
    hidden = [float(ff.sigmoid_unit(x, w)) for w in weights]
    assert hidden == pytest.approx([0.130108474, 0.956892745, 0.401312340], abs=1e-9)
    outputs = [float(ff.unit(hidden, w)) for w in ([-3, 1, -3], [0, 1, 2])]
    assert outputs == pytest.approx([0.345841365, 0.853149211], abs=1e-9)


@pytest.mark.parametrize("batch", [False, True])
def test_inference_example_by_layers(batch):
    example = datasets.inference_example()
    x = np.tile(example.x, (5, 1)) if batch else example.x
    trace = ff.mlp_trace(x, [(example.W_hidden, None), (example.W_output, None)])
    assert np.abs(trace[0].z - [-1.9, 3.1, -0.4]).max() < 1e-12
    assert np.abs(trace[0].y - list(SIG.values())).max() < 1e-10
    assert np.abs(trace[1].z - [-0.637369697693, 1.759517424834]).max() < 1e-10
    assert np.abs(trace[1].y - [0.345841364604, 0.853149210766]).max() < 1e-10


def test_inference_example_keeps_its_digits():
    example = datasets.inference_example()
    assert np.abs(example.hidden - list(SIG.values())).max() < 5e-13
    assert np.abs(example.output - [0.345841364604, 0.853149210766]).max() < 5e-13
    # one column a unit, as in x W; the slides print one row a unit
    assert np.array_equal(example.W_hidden.T, [[1, -2, 2], [2, 1, -4], [1, -1, 0]])
    assert np.array_equal(example.W_output.T, [[-3, 1, -3], [0, 1, 2]])
    assert np.array_equal(example.x, [0.5, 0.9, -0.3])


def test_the_slides_round_in_between():
    rounded = ff.mlp([0.13, 0.96, 0.40], [([[-3.0, 0], [1, 1], [-3, 2]], None)])
    assert np.abs(rounded - [0.347510537807, 0.853209660199]).max() < 1e-10


def test_two_two_one_network():
    hidden = ([[0.2, -0.3], [0.2, 0.3]], [0.2, 0.2])
    output = ([[0.3], [0.9]], [0.2])
    trace = ff.mlp_trace([0.35, 0.7], [hidden, output])
    assert np.abs(trace[0].z - [0.41, 0.305]).max() < 1e-12
    assert np.abs(trace[0].y - [0.601088, 0.575664]).max() < 5e-7
    assert abs(trace[1].z[0] - 0.898424) < 5e-7
    assert abs(trace[1].y[0] - 0.710626) < 5e-7


def test_two_two_one_network_gradients_by_hand():
    # (y - 1)^2 / 2 at the example above; every factor of the chain rule is multiplied out here
    h1, h2 = 1 / (1 + math.exp(-0.41)), 1 / (1 + math.exp(-0.305))
    y = 1 / (1 + math.exp(-(0.3 * h1 + 0.9 * h2 + 0.2)))
    params = [([[0.2, -0.3], [0.2, 0.3]], [0.2, 0.2]), ([[0.3], [0.9]], [0.2])]
    trace = ff.mlp_trace([0.35, 0.7], params)
    grads = ff.mlp_backward(trace[-1].y - 1.0, trace, params)
    d = (y - 1) * y * (1 - y)
    assert grads[1].delta == pytest.approx([d], rel=1e-9)
    assert grads[1].W[:, 0] == pytest.approx([d * h1, d * h2], rel=1e-9)
    d1, d2 = d * 0.3 * h1 * (1 - h1), d * 0.9 * h2 * (1 - h2)
    assert grads[0].delta == pytest.approx([d1, d2], rel=1e-9)
    assert grads[0].W[0] == pytest.approx([0.35 * d1, 0.35 * d2], rel=1e-9)
    assert grads[0].W[1] == pytest.approx([0.7 * d1, 0.7 * d2], rel=1e-9)
    assert grads[0].b == pytest.approx([d1, d2], rel=1e-9)
    assert grads[0].x == pytest.approx([0.2 * d1 - 0.3 * d2, 0.2 * d1 + 0.3 * d2], rel=1e-9)


def test_softmax_example():
    probabilities = ff.softmax([2.0, 1.0, 0.1])
    assert np.abs(probabilities - [0.659001139, 0.242432971, 0.098565890]).max() < 1e-9
    assert np.abs(np.exp([2.0, 1.0, 0.1]).sum() - 11.212509) < 1e-6
    assert float(ff.softmax_cross_entropy([[2.0, 1.0, 0.1]], [0])) == pytest.approx(
        0.417030, abs=5e-7
    )
    gradient = ff.softmax_cross_entropy_grad([[2.0, 1.0, 0.1]], [0])
    assert np.abs(gradient - [[-0.340999, 0.242433, 0.098566]]).max() < 5e-7


@pytest.mark.parametrize(
    ("widths", "weights", "parameters"),
    [
        ([960, 3, 4], 2892, 2899),
        ([960, 30, 4], 28920, 28954),
        ([960, 4, 30], 3960, 3994),
        ([960, 5, 30], 4950, 4985),
        ([3, 3, 2], 15, 20),
        ([100, 10, 1], 1010, 1021),
        ([784, 30, 10], 23820, 23860),
        ([64, 32, 10], 2368, 2410),
        ([7, 5], 35, 40),
    ],
)
def test_parameter_counts(widths, weights, parameters):
    assert ff.count_parameters(widths, bias=False) == weights
    assert ff.count_parameters(widths) == parameters


def test_hundred_steps():
    assert ff.serial_steps(0.1, 0.001) == pytest.approx(100, rel=1e-12)
    assert ff.serial_steps(0.5, 0.002) == pytest.approx(250, rel=1e-12)


def test_binary_cross_entropy_by_hand():
    # -ln .9, -ln .8 and their sum
    each = ff.binary_cross_entropy([0.9, 0.2], [1, 0], reduction="none")
    assert np.abs(each - [0.105360516, 0.223143551]).max() < 1e-9
    assert float(ff.binary_cross_entropy([0.9, 0.2], [1, 0], "sum")) == pytest.approx(0.328504067)
    assert float(ff.binary_cross_entropy([0.9, 0.2], [1, 0])) == pytest.approx(0.1642520335)
    assert float(ff.binary_cross_entropy([0.25], [0.5])) == pytest.approx(0.836988216)
    gradient = ff.binary_cross_entropy_grad([0.9, 0.2], [1, 0], "sum")
    assert np.abs(gradient - [-1 / 0.9, 1 / 0.8]).max() < 1e-12


def test_cross_entropy_by_hand():
    probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]]
    each = ff.cross_entropy(probs, [0, 2], reduction="none")
    assert np.abs(each - [0.356674944, 1.203972804]).max() < 1e-9
    assert float(ff.cross_entropy(probs, [0, 2])) == pytest.approx(0.780323874)
    assert np.abs(
        ff.cross_entropy_grad(probs, [0, 2]) - [[-0.5 / 0.7, 0, 0], [0, 0, -0.5 / 0.3]]
    ).max() < 1e-12  # fmt: skip


def test_squared_error_by_hand():
    prediction, truth = [[1.0, 2.0], [3.0, 5.0]], [[0.0, 4.0], [3.0, 4.5]]
    assert float(ff.squared_error(prediction, truth, "sum")) == 5.25
    assert float(ff.squared_error(prediction, truth)) == 2.625  # over examples, not over outputs
    assert ff.squared_error(prediction, truth, "none").tolist() == [5.0, 0.25]
    assert ff.squared_error_grad(prediction, truth).tolist() == [[1.0, -2.0], [0.0, 0.5]]


def test_squared_error_hardly_moves_a_wrong_sigmoid():
    # z = -5 and y = 1: the sigmoid is saturated on the wrong side
    p = ff.sigmoid([-5.0])
    squared = ff.squared_error_grad(p, [1.0]) * ff.sigmoid_grad([-5.0])
    entropy = ff.binary_cross_entropy_with_logits_grad([-5.0], [1.0])
    assert squared[0] == pytest.approx(-0.013207, abs=1e-6)
    assert entropy[0] == pytest.approx(-0.993307, abs=1e-6)
    assert 75 < entropy[0] / squared[0] < 76


def test_likelihoods_by_hand():
    assert ff.bernoulli_nll([1, 0], [0.25, 0.25]) == pytest.approx([math.log(4), math.log(4 / 3)])
    assert ff.categorical_nll([1], [[0.5, 0.125, 0.375]]) == pytest.approx([3 * math.log(2)])
    # at one standard deviation: 1/2 + ln(sqrt(2 pi) 2)
    assert ff.gaussian_nll([5.0], [3.0], 2.0) == pytest.approx([0.5 + 0.9189385332 + 0.6931471806])


def test_threshold_units_are_gates_but_not_xor():
    for name, w, b in (("and", [1, 1], -1.5), ("or", [1, 1], -0.5)):
        gate = datasets.logic_gate(name)
        assert np.array_equal(ff.threshold_unit(gate.x, w, b), gate.y)
    gate = datasets.xor()
    grid = np.linspace(-2, 2, 17)
    for w1 in grid:
        for w2 in grid:
            for b in grid:
                assert (ff.threshold_unit(gate.x, [w1, w2], b) != gate.y).any()
    hidden = ff.dense(gate.x, [[1, 1], [1, 1]], [-0.5, -1.5], "step")
    assert np.array_equal(ff.dense(hidden, [[1], [-2]], [-0.5], "step")[:, 0], gate.y)
