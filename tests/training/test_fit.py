"""The training loop: what it computes, how it ends, and what it keeps when it is cut short."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import numpy as np
import pytest

from ketkar import datasets, network, training
from ketkar.kernels.backend import available
from ketkar.network import Dense, chain
from ketkar.trees import leaves

BACKENDS = [name for name in ("numpy", "cpu") if not available()[name]]
MOONS = datasets.two_moons(64, noise=0.15, rng=0)
TASKS = {
    "squared_error": (chain(Dense(2, 5, "sigmoid"), Dense(5, 3, "tanh"), Dense(3, 2)),
                      np.random.default_rng(0).standard_normal((64, 2))),
    "binary_cross_entropy": (chain(Dense(2, 5, "tanh"), Dense(5, 1)), MOONS.y),
    "cross_entropy": (chain(Dense(2, 7, "relu"), Dense(7, 3)), np.arange(64) % 3),
}  # fmt: skip


def flat(params):
    return network.flatten(params)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("momentum", [0.0, 0.8])
@pytest.mark.parametrize("loss", TASKS)
def test_fit_is_the_loop_of_the_book(loss, momentum, backend):
    net, y = TASKS[loss]
    start = net.init(rng=1)
    run = training.fit(
        net, start, MOONS.x, y, loss=loss, lr=0.1, momentum=momentum, batch_size=10, epochs=3,
        rng=5, backend=backend,
    )  # fmt: skip
    params, velocity, losses = start, None, []
    rng = np.random.default_rng(5)
    for _ in range(3):
        for x, t in training.iterate_minibatches(MOONS.x, y, 10, rng):
            value, grads = training.value_and_grad(net, params, x, t, loss, backend="numpy")
            losses.append(value)
            if momentum:
                params, velocity = training.momentum_step(params, grads, velocity, 0.1, momentum)
            else:
                params = training.sgd_step(params, grads, 0.1)
    np.testing.assert_allclose(flat(run.params), flat(params), rtol=0, atol=1e-12)
    np.testing.assert_allclose(run.history.step_losses, losses, rtol=1e-12)
    assert len(losses) == 3 * 7
    weights = [10] * 6 + [4]
    np.testing.assert_allclose(run.history.loss[0], np.average(losses[:7], weights=weights))


def test_rows_of_classes_train_like_their_labels():
    net, y = TASKS["cross_entropy"]
    runs = [
        training.fit(net, net.init(0), MOONS.x, t, loss="cross_entropy", lr=0.3, epochs=5)
        for t in (y, np.eye(3)[y])
    ]
    np.testing.assert_allclose(flat(runs[0].params), flat(runs[1].params), rtol=0, atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_types_are_kept_and_the_start_is_not_touched(backend):
    net, y = TASKS["cross_entropy"]
    start = net.init(0, np.float32)
    before = flat(start)
    run = training.fit(
        net, start, MOONS.x, y, loss="cross_entropy", lr=0.1, epochs=2, backend=backend
    )
    assert all(array.dtype == np.float32 for _, array in leaves(run.params))
    np.testing.assert_array_equal(flat(start), before)
    assert type(run.params) is type(start)


@dataclass(frozen=True)
class Scale:
    """A layer of one's own: y = a x with one number a."""

    kind: str = "scale"

    def output_shape(self, shape):
        return (3,) if shape is None else shape

    def init(self, rng, dtype=np.float64):
        return (np.array([2.0], dtype),)

    def forward(self, params, x, *, backend="auto"):
        return params[0] * x, x

    def backward(self, params, dy, trace, *, backend="auto"):
        return params[0] * dy, (np.array([(dy * trace).sum()], params[0].dtype),)


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_a_layer_of_ones_own_is_trained_layer_by_layer(momentum):
    net = chain(Dense(2, 3, "tanh"), Scale(), Dense(3, 1))
    start = net.init(0)
    assert network.check_layer(net, start, MOONS.x[:4])
    run = training.fit(
        net, start, MOONS.x, MOONS.y, loss="binary_cross_entropy", lr=0.1, momentum=momentum,
        epochs=4,
    )  # fmt: skip
    params, velocity = start, None
    for _ in range(4):
        _, grads = training.value_and_grad(net, params, *MOONS, "binary_cross_entropy")
        params, velocity = training.momentum_step(params, grads, velocity, 0.1, momentum)
    np.testing.assert_allclose(flat(run.params), flat(params), rtol=0, atol=1e-12)


def test_a_step_activation_does_not_train_what_lies_below_it():
    net = chain(Dense(2, 6, "step"), Dense(6, 1))
    start = net.init(0)
    run = training.fit(net, start, *MOONS, loss="binary_cross_entropy", lr=0.5, epochs=50)
    np.testing.assert_array_equal(run.params.dense1.W, start.dense1.W)
    assert np.abs(run.params.dense2.W - start.dense2.W).max() > 0.1


def test_full_batch_falls_in_every_epoch_and_single_examples_fall_faster_but_not_always():
    data = datasets.two_moons(512, noise=0.15, rng=0)
    net = chain(Dense(2, 16, "tanh"), Dense(16, 1))

    def losses(batch_size, epochs):
        seen = []
        training.fit(
            net, net.init(0), *data, loss="binary_cross_entropy", lr=0.1, epochs=epochs,
            batch_size=batch_size, rng=0,
            callback=lambda _, p: seen.append(
                training.loss_value(net, p, *data, "binary_cross_entropy")),
        )  # fmt: skip
        return np.array(seen)

    full, single = losses(None, 40), losses(1, 40)
    assert (np.diff(full) < 0).all()
    assert single[4] < 0.5 * full[4]
    assert (np.diff(single) > 0).any()


def fragile(patience=None, **options):
    """Six inputs, eight examples of noise: the validation loss soon rises."""
    rng = np.random.default_rng(0)
    x, xv = rng.standard_normal((8, 6)), rng.standard_normal((50, 6))
    y, yv = rng.standard_normal(8), rng.standard_normal(50)
    net = Dense(6, 1)
    run = training.fit(
        net, net.init(0), x, y, loss="squared_error", lr=0.1, epochs=500, validation=(xv, yv),
        patience=patience, **options,
    )  # fmt: skip
    return run, lambda p: training.loss_value(net, p, xv, yv, "squared_error", backend="numpy")


def test_early_stopping_returns_the_best_parameters():
    run, validation_loss = fragile(patience=5)
    history = run.history
    assert history.epochs == history.best_epoch + 5 < 500
    assert validation_loss(run.params) == history.validation_loss.min()
    assert f"those after epoch {history.best_epoch}" in run.stopped
    last, _ = fragile()
    assert validation_loss(last.params) == last.history.validation_loss[-1]
    assert last.history.epochs == 500
    assert last.stopped == ""


def test_an_interrupt_keeps_the_last_whole_epoch(capsys):
    seen = []

    def interrupt(epoch, params):
        seen.append(params)
        if epoch == 4:
            raise KeyboardInterrupt

    net, y = TASKS["cross_entropy"]
    run = training.fit(
        net, net.init(0), MOONS.x, y, loss="cross_entropy", lr=0.1, epochs=50, callback=interrupt
    )
    np.testing.assert_array_equal(flat(run.params), flat(seen[-1]))
    assert run.history.epochs == 4
    assert run.stopped == "interrupted in epoch 4; the parameters are those after epoch 4"
    assert capsys.readouterr().err == f"fit: {run.stopped}\n"


def test_an_interrupt_within_an_epoch_drops_its_steps(monkeypatch):
    module = importlib.import_module("ketkar.training.fit")
    real, calls = module.training_step, []

    def prepared(*arguments, **options):
        step = real(*arguments, **options)

        def once(theta, *rest):
            calls.append(theta.copy())
            if len(calls) == 10:  # the second epoch, fourth step
                raise KeyboardInterrupt
            return step(theta, *rest)

        return once

    monkeypatch.setattr(module, "training_step", prepared)
    net, y = TASKS["cross_entropy"]
    run = training.fit(
        net, net.init(0), MOONS.x, y, loss="cross_entropy", lr=0.1, epochs=9, batch_size=11, rng=0
    )
    np.testing.assert_array_equal(flat(run.params), calls[6])
    assert "interrupted in epoch 2; the parameters are those after epoch 1" in run.stopped


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.filterwarnings("ignore:overflow")
def test_a_loss_that_leaves_the_numbers_says_where_and_keeps_what_was_good(backend):
    net = chain(Dense(2, 4), Dense(4, 1))
    with pytest.raises(training.TrainingDivergedError) as caught:
        training.fit(
            net, net.init(0), MOONS.x * 10, MOONS.y, loss="squared_error", lr=5.0, epochs=500,
            backend=backend,
        )  # fmt: skip
    message = str(caught.value)
    assert "in epoch" in message
    assert "step 1" in message
    assert "a learning rate below 5 may help" in message
    assert all(np.isfinite(array).all() for _, array in leaves(caught.value.params))
    assert len(caught.value.history.loss) == caught.value.history.epochs


def test_progress_is_silent_where_there_is_no_terminal(capsys):
    net, y = TASKS["cross_entropy"]
    arguments = (net, net.init(0), MOONS.x, y)
    training.fit(*arguments, loss="cross_entropy", lr=0.1, epochs=2)
    assert capsys.readouterr() == ("", "")
    training.fit(*arguments, loss="cross_entropy", lr=0.1, epochs=2, progress=True)
    assert "2/2" in capsys.readouterr().err


def test_a_history_draws_itself():
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    run, _ = fragile(patience=5)
    ax = run.history.plot()
    assert len(ax.lines) == 2
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), run.history.loss)
    unwatched = run.history._replace(validation_loss=np.empty(0))
    assert len(unwatched.plot().lines) == 1
    with pytest.raises(ValueError, match="there was no validation set"):
        _ = unwatched.best_epoch


GOOD = {"loss": "cross_entropy", "lr": 0.1, "epochs": 1}
BAD = [
    ({"lr": -0.1}, "lr must be above 0"),
    ({"lr": np.nan}, "lr must be finite"),
    ({"lr": "fast"}, "lr must be a number"),
    ({"momentum": 1.0}, "momentum must be at least 0 and below 1"),
    ({"epochs": 0}, "epochs must be at least 1"),
    ({"epochs": 2.5}, "epochs must be a whole number"),
    ({"batch_size": 0, "rng": 0}, "batch_size must be at least 1"),
    ({"batch_size": 8}, "rng must be a numpy.random.Generator or a whole number"),
    ({"loss": "hinge"}, "loss must be one of"),
    ({"backend": "gpu"}, "backend is 'gpu'"),
    ({"patience": 3}, "patience needs validation"),
    ({"x": np.ones(64)}, "x has 1 axis"),
    ({"x": np.ones((64, 3))}, "inputs"),
    ({"x": np.empty((0, 2))}, "x is empty"),
    ({"x": np.where(np.eye(64, 2) > 0, np.nan, 1)}, r"x must be finite; x\[0, 0\] is nan"),
    ({"x": [["a", "b"]] * 64}, "expected real numbers"),
    ({"y": np.zeros(63, int)}, "x has 64 examples but y has 63"),
    ({"y": np.full(64, 3)}, r"y must lie in 0 .. 2 for 3 classes; y\[0\] is 3"),
    ({"y": np.full(64, -1)}, "y must lie in 0 .. 2"),
    ({"y": np.zeros(64)}, "expected whole numbers"),
    ({"y": np.zeros((64, 2))}, "y has 2 columns"),
    ({"y": np.full((64, 3), 1.5)}, r"y must lie in \[0, 1\]"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_input_gets_a_sentence(change, message):
    net, y = TASKS["cross_entropy"]
    options = {"x": MOONS.x, "y": y, **GOOD, **change}
    x, y = options.pop("x"), options.pop("y")
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        training.fit(net, net.init(0), x, y, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("backend", BACKENDS)
def test_awkward_arrays_train_like_plain_ones(backend):
    net, y = TASKS["cross_entropy"]
    frozen = MOONS.x.copy()
    frozen.flags.writeable = False
    awkward = [np.asfortranarray(MOONS.x), np.repeat(MOONS.x, 2, axis=0)[::2], frozen,
               MOONS.x.astype(">f8"), MOONS.x.tolist()]  # fmt: skip
    plain = training.fit(net, net.init(0), MOONS.x, y, **GOOD, backend=backend)
    for x in awkward:
        run = training.fit(net, net.init(0), x, y.astype(np.int32), **GOOD, backend=backend)
        np.testing.assert_array_equal(flat(run.params), flat(plain.params))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_step_refuses_what_a_kernel_could_overrun(backend):
    net, y = TASKS["cross_entropy"]
    theta = flat(net.init(0))
    step = training.training_step(net, loss="cross_entropy", lr=0.1, momentum=0.5, backend=backend)
    good = (theta, np.zeros_like(theta), MOONS.x, y)
    before = theta.copy()
    bad = [
        (0, theta[:-1].copy(), "theta has shape"),
        (0, theta.astype(np.float16), "float32 or float64"),
        (1, np.zeros(3), "velocity has shape"),
        (1, np.zeros(theta.size, np.float32), "of one type with theta"),
        (1, np.zeros(2 * theta.size)[::2], "contiguous"),
        (2, MOONS.x[:, :1], "x has 1 inputs"),
        (2, MOONS.x[0], "x has 1 axis"),
        (2, MOONS.x[:0], "x is empty"),
        (3, y[:-1], "64 examples"),
        (3, y + 3, "y must lie in 0 .. 2"),
        (3, y[:, None], "columns"),
    ]
    for place, value, message in bad:
        arguments = [*good]
        arguments[place] = value
        with pytest.raises((ValueError, TypeError), match=message):
            step(*arguments)
        np.testing.assert_array_equal(theta, before)
    assert step(*good) > 0
    assert not np.array_equal(theta, before)


def test_minibatches_hold_every_example_once():
    x, y = np.arange(10)[:, None], np.arange(10)
    batches = list(training.iterate_minibatches(x, y, 3, rng=0))
    assert [len(b) for _, b in batches] == [3, 3, 3, 1]
    order = np.concatenate([b for _, b in batches])
    assert sorted(order) == list(range(10))
    assert list(order) != list(range(10))
    assert all((xb[:, 0] == yb).all() for xb, yb in batches)
    for bad in (lambda: training.iterate_minibatches(1.0, y, 3, 0),
                lambda: training.iterate_minibatches(x, y[:5], 3, 0)):  # fmt: skip
        with pytest.raises(ValueError, match="axis"):
            bad()


def test_velocity_and_parameters_must_match():
    with pytest.raises(ValueError, match="shapes differ"):
        training.sgd_step(np.ones(2), np.ones(3), 0.1)
    with pytest.raises(ValueError, match="one nest holds"):
        training.sgd_step((np.ones(2),), (np.ones(2), np.ones(2)), 0.1)


def test_predictions_go_through_the_output_unit():
    net, y = TASKS["cross_entropy"]
    params = net.init(0)
    z = net(params, MOONS.x)
    p = training.predict(net, params, MOONS.x, "cross_entropy")
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(p.argmax(axis=1), training.predict_class(net, params, MOONS.x))
    np.testing.assert_array_equal(z, training.predict(net, params, MOONS.x, "squared_error"))
    right = (z.argmax(axis=1) == y).mean()
    assert training.accuracy(net, params, MOONS.x, y) == right
    assert training.accuracy(net, params, MOONS.x, np.eye(3)[y]) == right
    with pytest.raises(ValueError, match="64 examples but y"):
        training.accuracy(net, params, MOONS.x, y[:5])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("momentum", [0.0, 0.8])
@pytest.mark.parametrize(
    "lr", [[0.2, 0.05, 0.05], (0.2, 0.05, 0.05), np.array([0.2, 0.05, 0.05]),
           lambda epoch: 0.2 if epoch == 1 else 0.05]
)  # fmt: skip
def test_each_epoch_has_its_learning_rate(lr, momentum, backend):
    net, y = TASKS["cross_entropy"]
    options = {"loss": "cross_entropy", "momentum": momentum, "backend": backend}
    run = training.fit(
        net, net.init(0), MOONS.x, y, lr=lr, epochs=3, batch_size=10, rng=5, **options
    )
    params, velocity, rng = net.init(0), None, np.random.default_rng(5)
    for rate in (0.2, 0.05, 0.05):
        for x, t in training.iterate_minibatches(MOONS.x, y, 10, rng):
            _, grads = training.value_and_grad(net, params, x, t, "cross_entropy")
            params, velocity = training.momentum_step(params, grads, velocity, rate, momentum)
    np.testing.assert_allclose(flat(run.params), flat(params), rtol=0, atol=1e-12)


def test_divergence_names_the_learning_rate_of_its_epoch():
    with pytest.raises(training.TrainingDivergedError, match=r"learning rate below 1e\+200") as end:
        training.fit(
            Dense(2, 1), Dense(2, 1).init(0), MOONS.x * 1e200, MOONS.y, epochs=3,
            loss="binary_cross_entropy", lr=[1e-300, 1e200, 1e-300],
        )  # fmt: skip
    assert end.value.history.epochs == 1
