"""Adam by hand, and the plain loop of steps: what it does, and how it ends."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest

from ketkar import training


class Pair(NamedTuple):
    W: object
    b: object


def adam_by_hand(theta, gradients, lr):
    """One number, moved by the paper's formulas."""
    mean = square = 0.0
    places = []
    for t, g in enumerate(gradients, 1):
        mean = 0.9 * mean + 0.1 * g
        square = 0.999 * square + 0.001 * g * g
        m, s = mean / (1 - 0.9**t), square / (1 - 0.999**t)
        theta -= lr * m / (math.sqrt(s) + 1e-8)
        places.append(theta)
    return places


def test_steps_of_adam_are_those_worked_by_hand():
    # the first step is the learning rate, whatever the size of the gradient
    params, state = training.adam_step(np.array([3.0, 3.0]), np.array([4.0, -1e-3]), None, 0.1)
    np.testing.assert_allclose(params, [2.9, 3.1], rtol=0, atol=1e-5)
    assert state.steps == 1
    np.testing.assert_allclose(state.mean, [0.4, -1e-4], rtol=1e-12)
    np.testing.assert_allclose(state.square, [0.016, 1e-9], rtol=1e-12)
    # from 4 to -2 the means are 0.16 and 0.019984: a step of 0.1 * 0.842105 / 3.161803
    params, state = training.adam_step(params, np.array([-2.0, 0.0]), state, 0.1)
    np.testing.assert_allclose(params[0], 2.9 - 0.1 * 0.8421052632 / 3.1618030463, rtol=1e-9)
    assert state.steps == 2


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_adam_along_many_steps(dtype):
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(40, 6)) * 10.0 ** rng.integers(-6, 6, 6)
    params = start = Pair(np.arange(4.0, dtype=dtype).reshape(2, 2), [np.array([7, 8], dtype)])
    state = None
    for g in gradients.astype(dtype):
        grads = Pair(g[:4].reshape(2, 2), [g[4:]])
        params, state = training.adam_step(params, grads, state, 0.01)
    assert isinstance(params, Pair)
    assert params.W.dtype == params.b[0].dtype == dtype
    found = np.concatenate([params.W.ravel(), params.b[0]])
    starts = [0.0, 1.0, 2.0, 3.0, 7.0, 8.0]
    expected = [adam_by_hand(s, g, 0.01)[-1] for s, g in zip(starts, gradients.T, strict=True)]
    tolerance = 1e-12 if dtype == np.float64 else 2e-6
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    assert start.W.tolist() == [[0, 1], [2, 3]]


def test_a_place_without_an_array_stays_so():
    params, state = training.adam_step((np.ones(2), None), (np.ones(2), None), None, 0.1)
    assert params[1] is None
    params, _ = training.adam_step(params, (np.ones(2), None), state, 0.1)
    np.testing.assert_allclose(params[0], 0.8, atol=1e-6)
    run = training.descend(params, lambda p: (1.0, p), 3, lr=0.1)
    assert run.params[1] is None


def test_adam_refuses(refuses):
    with refuses(ValueError, "lr must be above 0", "0"):
        training.adam_step(np.ones(2), np.ones(2), None, 0.0)
    with refuses(ValueError, "params and grads", "(2,), (3,)"):
        training.adam_step(np.ones(2), np.ones(3), None, 0.1)
    with refuses(ValueError, "params and grads differ", "2 arrays", "1"):
        training.adam_step((np.ones(2), np.ones(1)), (np.ones(2), None), None, 0.1)


def bowl(w):
    return float(w @ w), 2 * w


def test_a_walk_of_gradient_steps():
    start = np.array([3.0, -1.0])
    run = training.descend(start, bowl, 4, lr=0.25, method="sgd")
    np.testing.assert_allclose(run.params, start / 16, rtol=1e-15)
    np.testing.assert_allclose(run.losses, [10, 10 / 4, 10 / 16, 10 / 64], rtol=1e-15)
    np.testing.assert_allclose(run.norms, 2 * np.sqrt(run.losses), rtol=1e-15)
    assert start.tolist() == [3.0, -1.0]
    run = training.descend(start, bowl, 0, lr=0.25)
    assert run.params is start
    assert run.losses.shape == run.norms.shape == (0,)


def test_a_walk_of_adam():
    run = training.descend(np.array([3.0]), bowl, 50, lr=0.1)
    place, places = 3.0, []
    mean = square = 0.0
    for t in range(1, 51):
        g = 2 * place
        mean, square = 0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g * g
        place -= 0.1 * mean / (1 - 0.9**t) / (math.sqrt(square / (1 - 0.999**t)) + 1e-8)
        places.append(place)
    np.testing.assert_allclose(run.params, places[-1:], rtol=1e-10)
    np.testing.assert_allclose(run.losses[1:], np.square(places[:-1]), rtol=1e-9)


def test_a_walk_with_clipping():
    start = (np.array([30.0]), [np.array([40.0])])

    def value_and_grad(p):
        return 1.0, (p[0] / 10, [p[1][0] / 10])

    run = training.descend(start, value_and_grad, 1, lr=1.0, method="sgd", max_norm=2.5)
    np.testing.assert_allclose([run.params[0][0], run.params[1][0][0]], [28.5, 38.0], rtol=1e-15)
    assert run.norms.tolist() == [5.0]  # as it was before
    free = training.descend(start, value_and_grad, 1, lr=1.0, method="sgd", max_norm=6.0)
    np.testing.assert_allclose([free.params[0][0], free.params[1][0][0]], [27, 36], rtol=1e-15)


@pytest.mark.parametrize("method", ["adam", "sgd"])
def test_a_callback_sees_each_step_and_may_end_the_walk(method):
    seen = []

    def callback(step, params):
        seen.append((step, params.copy()))
        return step == 3

    run = training.descend(np.ones(2), bowl, 10, lr=0.1, method=method, callback=callback)
    assert [step for step, _ in seen] == [1, 2, 3]
    assert np.array_equal(seen[-1][1], run.params)
    assert len(run.losses) == 3
    # anything but True goes on
    run = training.descend(np.ones(2), bowl, 4, lr=0.1, method=method, callback=lambda *_: 1)
    assert len(run.losses) == 4


@pytest.mark.parametrize("spoiled", ["loss", "gradient"])
def test_a_walk_that_leaves_the_numbers_says_where(spoiled):
    calls = []

    def value_and_grad(w):
        calls.append(w)
        bad = np.nan if len(calls) == 3 else 1.0
        return (bad, 2 * w) if spoiled == "loss" else (1.0, bad * w)

    with pytest.raises(training.TrainingDivergedError, match="step 3: the loss is") as caught:
        training.descend(np.ones(2), value_and_grad, 9, lr=0.1, max_norm=1.0)
    assert len(calls) == 3
    assert caught.value.params is calls[-1]
    assert caught.value.history.step_losses.tolist() == [1.0] * 2 or spoiled == "loss"
    assert len(caught.value.history.step_losses) == 2


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"steps": -1}, ValueError, ["steps must be at least 0", "-1"]),
        ({"steps": 1.5}, TypeError, ["steps must be a whole number", "1.5"]),
        ({"lr": 0}, ValueError, ["lr must be above 0", "0"]),
        ({"lr": "fast"}, TypeError, ["lr must be a number", "'fast'"]),
        ({"method": "momentum"}, ValueError, ["method", '"adam", "sgd"', "'momentum'"]),
        ({"max_norm": 0}, ValueError, ["max_norm must be above 0", "0"]),
        ({"max_norm": "1"}, TypeError, ["max_norm must be a number", "'1'"]),
    ],
)
def test_a_walk_refuses(options, error, words, refuses):
    arguments = {"steps": 3, "lr": 0.1} | options
    steps = arguments.pop("steps")
    with refuses(error, *words):
        training.descend(np.ones(2), bowl, steps, **arguments)


def test_adam_against_torch():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rng = np.random.default_rng(1)
    params, state = rng.normal(size=(3, 2)), None
    theirs = torch.tensor(params, requires_grad=True)
    optimiser = torch.optim.Adam([theirs], lr=0.05)
    for _ in range(30):
        g = rng.normal(size=(3, 2))
        theirs.grad = torch.tensor(g)
        optimiser.step()
        params, state = training.adam_step(params, g, state, 0.05)
    np.testing.assert_allclose(params, theirs.detach().numpy(), rtol=0, atol=1e-13)
