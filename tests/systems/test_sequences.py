"""Training small recurrent networks: gradients, types, and who is taken for a network."""

import numpy as np
import pytest

from ketkar.datasets import Sequences, adding_problem, next_bit, recall_task, running_parity
from ketkar.gradcheck import numerical_gradient
from ketkar.recurrent import (
    bidirectional_params,
    lstm_params,
    output_params,
    output_rnn_forward,
    rnn_params,
    sequence_cross_entropy,
)
from ketkar.systems import (
    adding_answers,
    sequence_accuracy,
    sequence_outputs,
    sequence_value_and_grad,
    train_adding,
    train_parity,
    train_recall,
    train_sequences,
)
from ketkar.trees import leaves


def networks(n, m, dtype=np.float64):
    return {
        "rnn": rnn_params(n, 4, m, rng=0, dtype=dtype),
        "bidirectional": bidirectional_params(n, 4, m, rng=0, dtype=dtype),
        "lstm": (lstm_params(n, 4, rng=0, dtype=dtype), output_params(4, m, rng=0, dtype=dtype)),
    }


def assert_slopes(grads, loss, params):
    """Refuse gradients that are not the slopes of `loss` at `params`."""
    slopes = numerical_gradient(loss, params)
    for (path, grad), (_, slope) in zip(leaves(grads), leaves(slopes), strict=True):
        assert grad.shape == slope.shape, path
        assert np.allclose(grad, slope, atol=1e-7), path


@pytest.mark.parametrize("name", networks(1, 2))
def test_gradients_of_labels_at_each_step(name):
    network, data = networks(1, 2)[name], next_bit(3, 5, rng=0)
    loss, grads = sequence_value_and_grad(network, data)
    y_hat = sequence_outputs(network, data.x)
    assert loss == pytest.approx(sequence_cross_entropy(y_hat, data.y, reduction="mean"))
    assert_slopes(grads, lambda at: sequence_value_and_grad(at, data)[0], network)


@pytest.mark.parametrize("name", ["rnn", "lstm"])
def test_gradients_of_a_single_label(name):
    network, data = networks(2, 2)[name], recall_task(3, 5, rng=0)
    loss, grads = sequence_value_and_grad(network, data)
    p = sequence_outputs(network, data.x)[-1, np.arange(3), data.y]
    assert loss == pytest.approx(-np.log(p).mean())
    assert_slopes(grads, lambda at: sequence_value_and_grad(at, data)[0], network)


def step_of(run, start):
    """What one step of plain descent with the learning rate 1 took away."""
    return [a - b for (_, a), (_, b) in zip(leaves(start), leaves(run.params), strict=True)]


def test_the_adding_problem_is_learned_by_its_squared_error():
    network = networks(2, 1)["lstm"]
    data = adding_problem(4, 8, rng=5)

    def loss(at):
        return ((adding_answers(at, data.x) - data.y) ** 2).mean()

    settings = {"updates": 1, "batch": 4, "lr": 1.0, "method": "sgd", "max_norm": None}
    run = train_adding(network, 8, rng=5, **settings)
    assert run.losses[0] == pytest.approx(loss(network))
    assert_slopes(step_of(run, network), loss, network)


@pytest.mark.parametrize("forced", [True, False])
def test_parity_is_learned_with_and_without_a_teacher(forced):
    params = rnn_params(1, 4, 2, rng=0, feedback="output")
    x, y = running_parity(4, 6, rng=5)

    def loss(at):
        y_hat, _ = output_rnn_forward(at, x, teacher=y if forced else None)
        return sequence_cross_entropy(y_hat, y, reduction="mean")

    run = train_parity(params, 6, 5, forced=forced, updates=1, batch=4, lr=1.0, method="sgd")
    assert run.losses[0] == pytest.approx(loss(params))
    assert_slopes(step_of(run, params), loss, params)


def test_accuracy_counts_right_answers():
    network = networks(1, 2)["rnn"]
    x, y = next_bit(50, 5, rng=0)
    guess = sequence_outputs(network, x).argmax(axis=2)
    right = np.array([(guess[t] == y[t]).sum() for t in range(5)]) / 50
    assert sequence_accuracy(network, Sequences(x, y)) == pytest.approx(right)
    assert sequence_accuracy(network, Sequences(x, y[-1])) == pytest.approx(right[-1])


@pytest.mark.parametrize("name", ["rnn", "lstm"])
def test_single_precision_stays_single(name):
    start = networks(2, 2, np.float32)[name]
    run = train_recall(start, 6, rng=0, updates=2)
    assert {array.dtype for _, array in leaves(run.params)} == {np.dtype(np.float32)}


def test_the_same_seed_trains_the_same_network():
    start = networks(2, 2)["rnn"]
    a, b = (train_recall(start, 6, rng=3, updates=5) for _ in range(2))
    assert np.array_equal(a.losses, b.losses)
    assert not np.array_equal(a.losses, train_recall(start, 6, rng=4, updates=5).losses)


def test_a_batch_is_drawn_for_each_update():
    drawn = []

    def draw():
        drawn.append(recall_task(4, 3, rng=len(drawn)))
        return drawn[-1]

    run = train_sequences(networks(2, 2)["rnn"], draw, 7)
    assert len(drawn) == len(run.losses) == 7


def test_what_is_no_network_is_refused():
    with pytest.raises(TypeError, match=r"RNNParams, BidirectionalParams or a pair .*, got 'rnn'"):
        sequence_outputs("rnn", np.zeros((3, 2, 1)))
    with pytest.raises(TypeError, match="pair"):
        adding_answers(networks(2, 1)["rnn"], np.zeros((3, 2, 2)))
