"""Training at its limits: refusals before anything is computed, ends that keep their word."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketkar import datasets, network, training
from ketkar.kernels.backend import available
from ketkar.network import Dense, chain
from ketkar.trees import leaves

BACKENDS = [name for name in ("numpy", "cpu") if not available()[name]]
MOONS = datasets.two_moons(32, noise=0.15, rng=0)
NET = chain(Dense(2, 4, "tanh"), Dense(4, 3))
LABELS = np.arange(32) % 3
OPTIONS = {"loss": "cross_entropy", "lr": 0.1, "epochs": 2, "backend": "numpy"}
RAGGED = [[1.0, 2.0], [3.0]]


def fit(x=MOONS.x, y=LABELS, net=NET, params=None, **options):
    params = net.init(0) if params is None else params
    return training.fit(net, params, x, y, **{**OPTIONS, **options})


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("lr", [2.0, 1e30, 1e300])
def test_divergence_warns_of_nothing_and_keeps_finite_parameters(lr, dtype, backend):
    # warnings are errors here: an overflow on the way must be told once, by the error
    lr = min(lr, float(np.finfo(dtype).max) / 2)
    net = chain(Dense(2, 4), Dense(4, 1))
    x = (MOONS.x * 100).astype(dtype)
    with pytest.raises(training.TrainingDivergedError) as caught:
        fit(x, MOONS.y, net, net.init(0, dtype), loss="squared_error", lr=lr, epochs=5000,
            backend=backend)  # fmt: skip
    error = caught.value
    assert all(np.isfinite(array).all() for _, array in leaves(error.params))
    assert error.history.epochs == len(error.history.loss)
    assert np.isfinite(error.history.loss).all()
    assert f"in epoch {error.history.epochs + 1}, step 1: " in str(error)
    assert isinstance(error, ArithmeticError)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_last_step_beyond_all_numbers_is_not_returned(backend):
    net = Dense(2, 1)
    with pytest.raises(
        training.TrainingDivergedError, match="beyond all numbers in epoch 1"
    ) as end:
        fit(MOONS.x * 1e200, MOONS.y, net, loss="binary_cross_entropy", lr=1e200, epochs=1,
            params=net.init(0)._replace(W=np.zeros((2, 1))), backend=backend)  # fmt: skip
    assert "W holds values that are not finite" in str(end.value)
    assert not end.value.params.W.any()


def test_divergence_says_which_layer():
    net = chain(Dense(2, 4), Dense(4, 1))
    start = net.init(0)
    huge = start._replace(dense1=start.dense1._replace(W=np.full((2, 4), 1e308)))
    with pytest.raises(training.TrainingDivergedError) as caught:
        fit(MOONS.x * 100, MOONS.y, net, huge, loss="squared_error")
    assert "step 1: the output of dense1 is not finite" in str(caught.value)
    big = start._replace(dense2=start.dense2._replace(b=np.array([1e200])))
    with pytest.raises(training.TrainingDivergedError) as caught:
        fit(MOONS.x, MOONS.y, net, big, loss="squared_error")
    assert "the loss itself is too large to represent" in str(caught.value)


def test_divergence_within_an_epoch_names_the_step():
    x = np.ones((6, 1))
    y = np.array([0, 0, 0, 0, 1e200, 0])
    net = Dense(1, 1, init_weights="zeros")
    order = np.random.default_rng(3).permutation(6)
    place = int(np.flatnonzero(order == 4)[0]) + 1
    with pytest.raises(training.TrainingDivergedError, match=f"in epoch 1, step {place}: "):
        fit(x, y, net, loss="squared_error", batch_size=1, rng=3)


def test_an_interrupt_of_early_stopping_names_the_epoch_it_returns(capsys):
    rng = np.random.default_rng(0)
    x, xv = rng.standard_normal((8, 6)), rng.standard_normal((50, 6))
    y, yv = rng.standard_normal(8), rng.standard_normal(50)
    net, seen = Dense(6, 1), []

    def interrupt(epoch, params):
        seen.append(network.flatten(params))
        if epoch == 40:
            raise KeyboardInterrupt

    run = fit(x, y, net, loss="squared_error", epochs=500, validation=(xv, yv), patience=400,
              callback=interrupt)  # fmt: skip
    best = run.history.best_epoch
    assert best < 40
    assert run.stopped == f"interrupted in epoch 40; the parameters are those after epoch {best}"
    assert np.array_equal(network.flatten(run.params), seen[best - 1])
    assert capsys.readouterr().err.count("\n") == 1


def test_an_interrupt_in_the_first_epoch_returns_the_start(monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("ketkar.training.step.value_and_grad", interrupted)
    net = chain(Dense(2, 4, "step"), Dense(4, 3))  # a step unit goes layer by layer
    start = net.init(0)
    run = fit(net=net, params=start)
    assert run.stopped == "interrupted in epoch 1; the parameters are those after epoch 0"
    assert np.array_equal(network.flatten(run.params), network.flatten(start))
    assert run.history.epochs == 0


def test_other_errors_of_a_callback_are_passed_on(capsys):
    def broken(epoch, params):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        fit(callback=broken, progress=True)


def test_a_callback_cannot_change_the_run():
    def meddle(epoch, params):
        for _, array in leaves(params):
            array[...] = 0

    plain, meddled = fit(epochs=5), fit(epochs=5, callback=meddle)
    assert np.array_equal(network.flatten(plain.params), network.flatten(meddled.params))


def test_momentum_by_hand():
    # one weight, x = 1, target 0: the gradient is 2 w; w = 1, lr .1, momentum .5
    net = Dense(1, 1)
    start = net.init(0)._replace(W=np.array([[1.0]]))
    theta, velocity = [1.0, 0.0], [0.0, 0.0]
    for _ in range(3):
        gradient = 2 * (theta[0] + theta[1])
        velocity = [0.5 * v - 0.1 * gradient for v in velocity]
        theta = [t + v for t, v in zip(theta, velocity, strict=True)]
    run = fit([[1.0]], [0.0], net, start, loss="squared_error", momentum=0.5, epochs=3)
    assert run.params.W[0, 0] == pytest.approx(theta[0], abs=1e-14)
    assert run.params.b[0] == pytest.approx(theta[1], abs=1e-14)
    assert theta[0] == pytest.approx(0.438, abs=1e-12)


def test_whole_numbers_are_stepped_as_numbers():
    assert training.sgd_step(np.array([3]), np.array([4]), 0.1) == pytest.approx([2.6])
    moved, velocity = training.momentum_step(np.array([3]), np.array([4]), None, 0.1, 0.5)
    assert moved == pytest.approx([2.6])
    assert velocity == pytest.approx([-0.4])
    narrow = training.sgd_step(np.ones(2, np.float32), np.ones(2), 0.1)
    assert narrow.dtype == np.float32


TABLE = [
    (lambda: fit(params=Dense(2, 3).init(0)), ValueError,
     ["the network needs the parameters", "dense1.W (2, 4)", "params hold W (2, 3)"]),
    (lambda: fit(x=np.ones((4, 3)), y=[0, 1, 0, 1], net=chain(Dense(3, 2), Dense(2, 3)),
                 params=chain(Dense(2, 3), Dense(3, 2)).init(0)), ValueError,
     ["dense1.W (3, 2)", "params hold dense1.W (2, 3)"]),  # as many numbers, other shapes
    (lambda: fit(x=RAGGED), TypeError, ["x is ragged"]),
    (lambda: fit(y=RAGGED), TypeError, ["y is ragged"]),
    (lambda: fit(x=1.0), ValueError, ["x has 0 axes"]),
    (lambda: fit(x=MOONS.x * 1j), TypeError, ["x holds complex128"]),
    (lambda: fit(x=MOONS.x * 1e300, params=NET.init(0, np.float32)), ValueError,
     ["x must be finite", "inf"]),
    (lambda: fit(y=np.where(MOONS.y > 0, np.nan, 0.0), net=Dense(2, 1), loss="squared_error"),
     ValueError, ["y must be finite"]),
    (lambda: fit(validation=MOONS.x), TypeError, ["validation must be a pair (x, y)"]),
    (lambda: fit(validation=(MOONS.x,)), TypeError, ["validation must be a pair (x, y)"]),
    (lambda: fit(validation=(MOONS.x, LABELS[:3])), ValueError,
     ["validation: x has 32 examples but y has 3"]),
    (lambda: fit(validation=(MOONS.x[:, :1], LABELS)), ValueError,
     ["validation: x has 1 inputs"]),
    (lambda: fit(validation=(MOONS.x * np.nan, LABELS)), ValueError,
     ["validation: x must be finite"]),
    (lambda: fit(validation=(MOONS.x, LABELS + 1)), ValueError, ["validation: y must lie in"]),
    (lambda: fit(batch_size=4), TypeError, ["rng must be a numpy.random.Generator", "None"]),
    (lambda: fit(batch_size=4, rng=-1), ValueError, ["rng", "at least 0"]),
    (lambda: fit(batch_size=4, rng="seed"), TypeError, ["rng must be a numpy.random.Generator"]),
    (lambda: fit(batch_size=2.5, rng=0), TypeError, ["batch_size must be a whole number"]),
    (lambda: fit(patience=0, validation=(MOONS.x, LABELS)), ValueError, ["patience", "at least 1"]),
    (lambda: fit(lr="0.1"), TypeError, ["lr must be a number", "'0.1'"]),
    (lambda: fit(lr=np.ones((2, 2))), TypeError, ["lr must be a number", "a ndarray"]),
    (lambda: fit(lr=0), ValueError, ["lr must be above 0"]),
    (lambda: fit(lr=np.inf), ValueError, ["lr must be finite"]),
    (lambda: fit(lr=[0.1]), ValueError, ["lr holds 1 learning rates for 2 epochs"]),
    (lambda: fit(lr=[]), ValueError, ["lr holds 0 learning rates"]),
    (lambda: fit(lr=[0.1, 0.0]), ValueError, ["lr[1] must be above 0"]),
    (lambda: fit(lr=[0.1, [0.2, 0.3]]), TypeError, ["lr[1] must be a number"]),
    (lambda: fit(lr=lambda epoch: 1 - epoch / 2), ValueError, ["lr(2) must be above 0"]),
    (lambda: fit(lr=lambda epoch: None), TypeError, ["lr(1) must be a number"]),
    (lambda: fit(momentum=-0.1), ValueError, ["momentum must be at least 0 and below 1", "-0.1"]),
    (lambda: fit(momentum=1), ValueError, ["momentum must be at least 0 and below 1"]),
    (lambda: fit(loss=None), ValueError, ["loss must be one of", '"cross_entropy"', "None"]),
    (lambda: fit(backend="cuda"), RuntimeError, ["cuda", '"numpy"']),
    (lambda: training.sgd_step(np.ones(2), np.ones(2), -1), ValueError, ["lr must be above 0"]),
    (lambda: training.sgd_step(np.ones(2), np.ones(2) * 1j, 1), TypeError, ["grads holds"]),
    (lambda: training.sgd_step("ab", np.ones(()), 1), TypeError, ["params holds"]),
    (lambda: training.sgd_step(NET.init(0), Dense(2, 3).init(0), 1), ValueError,
     ["params and grads differ", "4 arrays", "2"]),
    (lambda: training.sgd_step(Dense(2, 3).init(0), Dense(3, 2).init(0), 1), ValueError,
     ["params and grads", "W", "(2, 3)", "(3, 2)"]),
    (lambda: training.momentum_step(np.ones(2), np.ones(2), np.ones(3), 1, 0.5), ValueError,
     ["velocity and grads", "(3,)", "(2,)"]),
    (lambda: training.momentum_step(np.ones(2), np.ones(3), np.ones(3), 1, 0.5), ValueError,
     ["params and velocity", "(2,)", "(3,)"]),
    (lambda: training.momentum_step(np.ones(2), np.ones(2), None, 1, 1), ValueError,
     ["momentum must be at least 0 and below 1"]),
    (lambda: training.iterate_minibatches([], [], 1, 0), ValueError, ["x is empty"]),
    (lambda: training.iterate_minibatches([1, 2], [1], 1, 0), ValueError,
     ["x has 2 examples", "y has 1"]),
    (lambda: training.iterate_minibatches([1, 2], [1, 2], 1), TypeError, ["rng"]),
    (lambda: training.iterate_minibatches([1, 2], [1, 2], 0, 0), ValueError, ["batch_size"]),
    (lambda: training.iterate_minibatches(RAGGED, [1, 2], 1, 0), TypeError, ["x is ragged"]),
    (lambda: training.loss_value(NET, NET.init(0), MOONS.x[0], LABELS, "cross_entropy"),
     ValueError, ["the network's output has 1 axis", "(batch, output)"]),
    (lambda: training.loss_value(NET, NET.init(0), MOONS.x, LABELS, "hinge"), ValueError,
     ["loss must be one of"]),
    (lambda: training.loss_value(NET, NET.init(0), MOONS.x, LABELS[:5], "cross_entropy"),
     ValueError, ["x has 32 examples but y has 5"]),
    (lambda: training.value_and_grad(NET, NET.init(0), MOONS.x[:, :1], LABELS, "cross_entropy"),
     ValueError, ["x has 1 inputs", "W has 2"]),
    (lambda: training.value_and_grad(NET, NET.init(0), MOONS.x, np.ones((32, 2)), "squared_error"),
     ValueError, ["y has 2 columns (32, 2)", "3 outputs"]),
    (lambda: training.predict(NET, NET.init(0), MOONS.x, "hinge"), ValueError, ["loss must be"]),
    (lambda: training.accuracy(NET, NET.init(0), MOONS.x, RAGGED), TypeError, ["y is ragged"]),
    (lambda: training.confusion_matrix([0, 1], [0], 2), ValueError, ["truth has 2", "found has 1"]),
    (lambda: training.confusion_matrix([0, 2], [0, 1], 2), ValueError, ["truth must lie in"]),
    (lambda: training.confusion_matrix([0, 1], [0, -1], 2), ValueError, ["found must lie in"]),
    (lambda: training.find_loss("mse"), ValueError, ["loss must be one of", "'mse'"]),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "words"), TABLE)
def test_a_sentence(call, error, words, refuses):
    with refuses(error, *words):
        call()


@pytest.mark.parametrize("place", ["x", "y", "validation", "rng", "lr", "momentum", "params"])
def test_whatever_comes_in(place, junk, answers_or_refuses):
    @given(junk)
    def check(value):
        with answers_or_refuses():
            options = {"batch_size": 16, "rng": 0, "epochs": 1, place: value}
            if place == "params":
                training.fit(NET, value, MOONS.x, LABELS, **OPTIONS)
            else:
                fit(**options)

    check()


@given(
    x=st.tuples(st.integers(0, 4), st.integers(0, 3)),
    y=st.one_of(st.tuples(st.integers(0, 4)), st.tuples(st.integers(0, 4), st.integers(0, 3))),
    loss=st.sampled_from(training.LOSSES),
    outputs=st.integers(1, 3),
    kind=st.sampled_from(["f4", "f8", "i8", "i4", "u1", "?", ">f8"]),
    momentum=st.sampled_from([0.0, 0.5]),
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_step_of_any_shapes(backend, x, y, loss, outputs, kind, momentum, sentence):
    net = Dense(2, outputs)
    theta = network.flatten(net.init(0))
    before, velocity = theta.copy(), np.zeros_like(theta)
    step = training.training_step(net, loss=loss, lr=0.1, momentum=momentum, backend=backend)
    inputs, targets = np.ones(x), np.zeros(y, kind)
    fits = x[1] == 2 and x[0] == y[0] > 0
    fits = fits and (y[1:] == (outputs,) or (len(y) == 1 and (
        targets.dtype.kind in "iu" if loss == "cross_entropy" else outputs == 1)))  # fmt: skip
    if not fits:
        with pytest.raises((ValueError, TypeError)) as caught:
            step(theta, velocity, inputs, targets)
        sentence(caught.value)
        assert np.array_equal(theta, before)
        return
    value = step(theta, velocity, inputs, targets)
    params = network.unflatten(before, net.init(0))
    assert value == pytest.approx(
        training.loss_value(net, params, inputs, targets, loss), rel=1e-12
    )
    _, grads = training.value_and_grad(net, params, inputs, targets, loss, backend="numpy")
    assert np.allclose(theta, before - 0.1 * network.flatten(grads), atol=1e-14)


def test_predictions_of_one_output():
    net = Dense(2, 1)
    params = net.init(0)._replace(W=np.array([[1.0], [-1.0]]))
    x = np.array([[2.0, 1.0], [1.0, 2.0], [1.0, 1.0]])
    assert training.predict_class(net, params, x).tolist() == [1, 0, 0]
    assert training.accuracy(net, params, x, [1, 0, 1]) == pytest.approx(2 / 3)
    assert training.accuracy(net, params, x, [[1], [0], [0]]) == 1
    p = training.predict(net, params, x, "binary_cross_entropy")
    assert p[:, 0] == pytest.approx([0.7310585786, 0.2689414214, 0.5])


def test_a_confusion_matrix_by_hand():
    matrix = training.confusion_matrix([0, 0, 1, 2, 2, 2], [0, 1, 1, 0, 2, 2], 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 2]]


def test_subtracting_the_loss_in_place_of_its_gradient_does_not_descend():
    def descend(rule, theta):
        path = [theta]
        for _ in range(10):
            theta = rule(theta)
            path.append(theta)
        return np.array([(t - 1) ** 2 for t in path])

    def right(theta):
        return float(training.sgd_step(np.array([theta]), np.array([2 * (theta - 1)]), 0.1)[0])

    assert (np.diff(descend(right, 3.0)) < 0).all()
    assert (np.diff(descend(lambda t: t - 0.1 * (t - 1) ** 2, 0.5)) > 0).all()
