"""The training step of a dense stack: the reference against differences, compiled against it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketkar.kernels import codes, reference

ACTIVATIONS = sorted(codes.ACTIVATIONS.values())
LOSSES = sorted(codes.LOSSES.values())


def loss_of(p, theta):
    """The loss alone, from a step of no length."""
    return reference.dense_train_step(theta.copy(), *p[1:8], 0.0, 0.0)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_reference_descends_along_the_numerical_gradient(problem, activation, loss):
    p = problem([3, 4, 5, 2], [activation, activation, codes.IDENTITY], loss, N=3)
    theta, gradient = p.theta, np.empty_like(p.theta)
    for i in range(theta.size):
        h = np.zeros_like(theta)
        h[i] = 1e-5
        gradient[i] = (loss_of(p, theta + h) - loss_of(p, theta - h)) / 2e-5
    stepped = p.copy()
    reference.dense_train_step(*stepped)
    np.testing.assert_allclose((theta - stepped.theta) / p.lr, gradient, atol=1e-8)


def test_the_reference_knows_hand_worked_losses():
    y, no_labels = np.array([[1.0, 2.0], [0.0, -1.0]]), np.empty(0, np.int64)
    widths, activations = np.array([2, 2]), np.array([codes.IDENTITY])
    theta = np.array([1.0, 0, 0, 1, 0, 0])  # the unit matrix: the output is the input

    def loss(targets, labels, code):
        rest = widths, activations, code, 0.0, 0.0
        return reference.dense_train_step(theta, np.empty(0), y, targets, labels, *rest)

    assert loss(np.zeros((2, 2)), no_labels, codes.SQUARED_ERROR) == (1 + 4 + 0 + 1) / 2
    labels = np.array([1, 0])
    both = np.log1p(np.exp(-1))  # the right class leads by 1 in both rows
    assert loss(y[:0], labels, codes.CROSS_ENTROPY) == pytest.approx(both)
    assert loss(np.eye(2)[labels], no_labels, codes.CROSS_ENTROPY_DENSE) == pytest.approx(both)
    softplus = np.log1p(np.exp(y)) - y * np.eye(2)[labels]
    binary = loss(np.eye(2)[labels], no_labels, codes.BINARY_CROSS_ENTROPY)
    assert binary == pytest.approx(softplus.sum() / 2)


def test_momentum_keeps_a_part_of_the_last_step(problem):
    p = problem([3, 2], [codes.IDENTITY], codes.SQUARED_ERROR, N=4, momentum=0.75)
    plain, heavy = p._replace(theta=p.theta.copy(), momentum=0.0), p.copy()
    reference.dense_train_step(*plain)
    reference.dense_train_step(*heavy)
    gradient_step = plain.theta - p.theta
    np.testing.assert_allclose(heavy.velocity, 0.75 * p.velocity + gradient_step)
    np.testing.assert_allclose(heavy.theta, p.theta + heavy.velocity)


@pytest.fixture(scope="module")
def agree(cpu, assert_close):
    """Steps both ways and compares; the compiled step may write to theta and velocity alone."""
    return lambda p, dtype: _agree(cpu, assert_close, p, dtype)


def _agree(cpu, assert_close, p, dtype):
    slow, fast = p.copy(), p.copy()
    kept = [array.copy() for array in p[2:7]]
    expected = reference.dense_train_step(*slow)
    value = cpu.dense_train_step(*fast)
    assert_close(value, expected, dtype, "loss")
    assert_close(fast.theta, slow.theta, dtype, "theta")
    assert_close(fast.velocity, slow.velocity, dtype, "velocity")
    for before, after in zip(kept, p[2:7], strict=True):
        np.testing.assert_array_equal(before, after)


@given(data=st.data())
def test_compiled_agrees_with_the_reference(agree, problem, data):
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    widths = data.draw(st.lists(st.integers(1, 70), min_size=2, max_size=5))
    depth = len(widths) - 1
    activations = data.draw(st.lists(st.sampled_from(ACTIVATIONS), min_size=depth, max_size=depth))
    loss = data.draw(st.sampled_from(LOSSES))
    momentum = data.draw(st.sampled_from([0.0, 0.9]))
    N = data.draw(st.integers(1, 80))
    p = problem(widths, activations, loss, N, dtype, momentum, seed=data.draw(st.integers(0, 99)))
    agree(p, dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_with_every_loss(agree, problem, activation, loss, momentum, dtype):
    layers = [activation, activation, codes.IDENTITY]
    agree(problem([11, 19, 9, 6], layers, loss, 13, dtype, momentum), dtype)
    agree(problem([5, 3], [activation], loss, 1, dtype, momentum), dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", LOSSES)
def test_large_logits_do_not_overflow(agree, problem, loss, dtype):
    p = problem([4, 5], [codes.IDENTITY], loss, 9, dtype, lr=1e-6)
    agree(p._replace(x=p.x * 1000), dtype)


@pytest.mark.parametrize("N", [1, 9])
@pytest.mark.parametrize("loss", LOSSES)
def test_nan_in_the_input_reaches_the_loss(cpu, problem, loss, N):
    for activation in ACTIVATIONS:
        p = problem([6, 5, 3], [activation, codes.IDENTITY], loss, N)
        p.x[0, 2] = np.nan
        slow, fast = p.copy(), p.copy()
        assert np.isnan(cpu.dense_train_step(*fast))
        assert np.isnan(reference.dense_train_step(*slow))
        np.testing.assert_array_equal(np.isnan(fast.theta), np.isnan(slow.theta))


@pytest.mark.parametrize("backend", ["numpy", "cpu"])
@pytest.mark.parametrize("wrong", [-1, 4, 2**62, -(2**63)])
@pytest.mark.parametrize("place", [0, 7, 19])
def test_a_label_out_of_range_changes_nothing(request, problem, backend, wrong, place):
    kernels = request.getfixturevalue("cpu") if backend == "cpu" else reference
    p = problem([3, 4], [codes.IDENTITY], codes.CROSS_ENTROPY, 20, momentum=0.5)
    p.labels[place] = wrong
    stepped = p.copy()
    assert kernels.dense_train_step(*stepped) == codes.LABEL_OUT_OF_RANGE
    np.testing.assert_array_equal(stepped.theta, p.theta)
    np.testing.assert_array_equal(stepped.velocity, p.velocity)


@given(widths=st.lists(st.integers(1, 40), min_size=2, max_size=5), N=st.integers(1, 40))
def test_stack_forward_agrees_with_the_reference(cpu, problem, assert_close, widths, N):
    layers = [ACTIVATIONS[i % 4] for i in range(len(widths) - 1)]
    for dtype in (np.float32, np.float64):
        p = problem(widths, layers, codes.SQUARED_ERROR, N, dtype)
        got, expected = np.full_like(p.targets, np.nan), np.full_like(p.targets, np.nan)
        cpu.dense_stack_forward(p.theta, p.x, p.widths, p.activations, got)
        reference.dense_stack_forward(p.theta, p.x, p.widths, p.activations, expected)
        assert_close(got, expected, dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_training_learns_a_rule(cpu, problem, dtype):
    p = problem([6, 16, 3], [codes.RELU, codes.IDENTITY], codes.CROSS_ENTROPY, 256, dtype, 0.9)
    p.labels[:] = np.argmax(p.x[:, :3] + p.x[:, 3:], axis=1)
    losses = [cpu.dense_train_step(*p) for _ in range(300)]
    assert losses[-1] < 0.1 * losses[0]
