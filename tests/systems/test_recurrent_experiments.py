"""What chapter 6 claims of recurrent networks, measured: each claim with a threshold and seeds."""

import numpy as np
import pytest

from ketkar.datasets import (
    POLARITY_WORDS,
    Sequences,
    adding_problem,
    next_bit,
    polarity_sentences,
    recall_task,
    running_parity,
)
from ketkar.network import Dense, chain
from ketkar.recurrent import (
    bidirectional_params,
    clip_grad_norm,
    global_norm,
    gradient_norm_profile,
    group_by_length,
    lstm_cell_jacobian,
    lstm_forward,
    lstm_params,
    orthogonal,
    output_params,
    output_rnn_backward,
    output_rnn_forward,
    pad,
    rnn_forward,
    rnn_params,
    rnn_value_and_grad,
    spectral_radius,
)
from ketkar.systems import (
    adding_answers,
    sequence_accuracy,
    sequence_value_and_grad,
    train_adding,
    train_parity,
    train_recall,
    train_sequences,
)
from ketkar.training import TrainingDivergedError, accuracy, fit
from ketkar.trees import tree_map

SINGLE = np.float32


def lstm_network(n, h, m, rng, **settings):
    return lstm_params(n, h, rng=rng, dtype=SINGLE, **settings), output_params(
        h, m, rng=rng, dtype=SINGLE
    )


# Order, and what is to come


@pytest.mark.parametrize("seed", range(3))
def test_a_recurrent_network_reads_the_order_of_words(seed):
    rng = np.random.default_rng(seed)
    x, y = polarity_sentences(400, rng, dtype=SINGLE)
    test = polarity_sentences(1000, rng, dtype=SINGLE)

    def draw():
        chosen = rng.integers(0, 400, 32)
        return Sequences(x[:, chosen], y[chosen])

    network = rnn_params(len(POLARITY_WORDS), 16, 2, rng=rng, dtype=SINGLE)
    run = train_sequences(network, draw, 150)
    assert sequence_accuracy(run.params, test) > 0.95

    bag = chain(Dense(len(POLARITY_WORDS), 16, "tanh"), Dense(16, 2))
    settings = {"loss": "cross_entropy", "lr": 0.1, "momentum": 0.9, "batch_size": 32, "epochs": 20}
    params = fit(bag, bag.init(rng), x.sum(axis=0), y, rng=rng, **settings).params
    assert accuracy(bag, params, test.x.sum(axis=0), test.y) < 0.6


@pytest.mark.parametrize("seed", range(3))
def test_only_who_reads_from_both_ends_knows_what_comes(seed):
    rng = np.random.default_rng(seed)
    found = {}
    for name, make in (("both", bidirectional_params), ("forward", rnn_params)):
        network = make(1, 8, 2, rng=rng, dtype=SINGLE)
        run = train_sequences(network, lambda: next_bit(32, 12, rng, dtype=SINGLE), 150)
        found[name] = sequence_accuracy(run.params, next_bit(2000, 12, rng, dtype=SINGLE))
    assert found["both"][:11].min() >= 0.95
    assert found["both"][11] <= 0.6  # the bit after the last is nowhere to be read
    assert found["forward"].max() <= 0.6


# Teacher forcing


@pytest.mark.parametrize("seed", range(5))
def test_with_a_teacher_parity_is_learned_sooner(seed):
    start = rnn_params(1, 8, 2, rng=seed, feedback="output")
    x, y = running_parity(500, 30, rng=100)
    free = {}
    for forced in (True, False):
        run = train_parity(start, 8, rng=seed, forced=forced, updates=50)
        y_hat, _ = output_rnn_forward(run.params, x)
        free[forced] = (y_hat.argmax(axis=2) == y).mean()
    assert free[True] >= 0.95
    assert free[False] <= 0.6


@pytest.mark.parametrize("forced", [True, False])
def test_under_forcing_a_loss_is_no_concern_of_earlier_steps(forced):
    params = rnn_params(1, 8, 2, rng=0, feedback="output")
    x, y = running_parity(5, 9, rng=0)
    y_hat, trace = output_rnn_forward(params, x, teacher=y if forced else None)
    late = np.zeros_like(y_hat)
    late[6, :, 0] = 1
    dx = output_rnn_backward(params, late, trace).x
    assert dx[6].all()
    assert not dx[7:].any()
    assert dx[:6].any() != forced


# Gradients over many steps


@pytest.mark.parametrize("rho", [0.5, 0.9, 1.0, 1.1, 1.5])
def test_without_saturation_the_gradient_is_a_power_of_the_radius(rho):
    W = orthogonal(24, rng=0, radius=rho)
    norms = gradient_norm_profile(W, 50)
    assert norms == pytest.approx(rho ** np.arange(51), rel=1e-9)


@pytest.mark.parametrize(
    ("rho", "most"), [(0.5, 0.95), (0.9, 0.8), (1.0, 0.5), (1.1, 0.1), (1.5, 1e-5)]
)
def test_tanh_damps(rho, most):
    params = rnn_params(2, 24, None, rng=0, radius=rho)
    h, _ = rnn_forward(params, recall_task(20, 50, rng=0, noise=0.1).x)
    norms = np.array([gradient_norm_profile(params.W, 50, states) for states in h.swapaxes(0, 1)])
    assert (norms[:, 1:] < rho ** np.arange(1, 51)).all()
    # each step takes a factor of 1 - h^2; the states grow with the radius, and so does what is lost
    assert (norms[:, 50] / rho**50).max() < most
    if rho == 1.5:
        assert norms[:, 50].min() > 1  # it explodes all the same, but more slowly


def test_a_matrix_that_is_not_normal_stretches_before_it_shrinks():
    W = np.random.default_rng(0).normal(size=(24, 24))
    W *= 0.9 / spectral_radius(W)
    norms = gradient_norm_profile(W, 1000)
    assert norms[10] > 1.3 * 0.9**10
    assert norms[1000] ** (1 / 1000) == pytest.approx(0.9, abs=0.005)


@pytest.mark.parametrize("seed", range(3))
def test_a_first_symbol_is_recalled_only_while_its_gradient_lasts(seed):
    test = recall_task(1000, 60, rng=100, noise=0.2, dtype=SINGLE)
    found = {}
    for radius in (0.8, 1.0):
        start = rnn_params(2, 24, 2, rng=seed, radius=radius, dtype=SINGLE)
        run = train_recall(start, 60, rng=seed)
        found[radius] = sequence_accuracy(run.params, test)
    assert found[0.8] <= 0.6
    assert found[1.0] >= 0.95


# Clipping


def clipped_run(seed, max_norm):
    """The mean of the last 20 losses, and the largest norm before clipping."""
    start = rnn_params(2, 24, 2, rng=seed, radius=1.5, dtype=SINGLE)
    settings = {"noise": 0.1, "updates": 300, "method": "sgd", "lr": 0.5, "max_norm": max_norm}
    try:
        run = train_recall(start, 40, rng=seed, **settings)
    except TrainingDivergedError:
        return np.inf, np.inf
    return run.losses[-20:].mean(), run.norms.max()


def test_clipping_saves_training_from_exploding_gradients():
    clipped = np.array([clipped_run(seed, 1.0) for seed in range(5)])
    free = np.array([clipped_run(seed, None) for seed in range(5)])
    assert (clipped[:, 0] < 0.01).all()
    assert (clipped[:, 1] > 10).all()  # there was something to clip
    assert (free[:, 0] > 0.1).sum() >= 1


# The LSTM


@pytest.mark.parametrize("f", [1.0, 0.9])
def test_the_carousel_keeps_what_its_gate_lets_it_keep(f):
    # a large bias closes or opens a gate; the logit of f sets it to f whatever it reads
    bias = 800.0 if f == 1 else np.log(f / (1 - f))
    params = tree_map(np.zeros_like, lstm_params(2, 5, rng=0))._replace(
        Wz=np.ones((5, 2)), bf=np.full(5, bias)
    )
    _, trace = lstm_forward(params, np.random.default_rng(0).normal(size=(100, 3, 2)))
    for lag in (0, 1, 10, 100):
        jacobian = lstm_cell_jacobian(trace, 100 - lag)
        assert jacobian == pytest.approx(np.full((3, 5), f**lag), rel=1e-9)
        if f == 1:
            assert (jacobian == 1).all()


@pytest.mark.parametrize("seed", range(3))
def test_an_lstm_with_open_gates_recalls_over_60_steps(seed):
    test = recall_task(1000, 60, rng=100, noise=0.2, dtype=SINGLE)
    run = train_recall(lstm_network(2, 24, 2, seed, forget_bias=5.0), 60, rng=seed)
    assert sequence_accuracy(run.params, test) >= 0.95


def test_gradients_of_an_lstm_explode_too():
    rng = np.random.default_rng(0)
    data = recall_task(32, 60, rng, noise=0.2)
    norms = []
    for radius in (1.0, 8.0):
        lstm = lstm_params(2, 24, rng=0, forget_bias=5.0, radius=radius)
        _, grads = sequence_value_and_grad((lstm, output_params(24, 2, rng=0)), data)
        norms.append(global_norm(grads))
    assert norms[1] > 1e3 * norms[0]
    assert norms[1] > 1
    assert global_norm(clip_grad_norm(grads, 1.0).grads) == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(3))
def test_an_lstm_solves_the_adding_problem(seed):
    # they too started with input gates all but closed, and counted an answer as right if it was off
    # by less than 0.04 (Hochreiter and Schmidhuber 1997, section 5.4)
    rng = np.random.default_rng(seed)
    lstm, output = lstm_network(2, 8, 1, rng, forget_bias=5.0)
    network = lstm._replace(bi=np.full(8, -3, SINGLE)), output
    test, watched = (adding_problem(1000, 100, rng=own, dtype=SINGLE) for own in (100, 101))

    def right(params, data):
        return (abs(adding_answers(params, data.x) - data.y) < 0.04).mean()

    def solved(step, params):
        return step % 100 == 0 and right(params, watched) > 0.97

    run = train_adding(network, 100, rng, updates=1500, lr=0.02, callback=solved)
    assert right(run.params, test) > 0.95
    # who always answers 0.5 is right about one sequence in six
    assert (abs(0.5 - test.y) < 0.04).mean() < 0.2


# Sequences of unequal length


def test_grouping_by_length_wastes_no_step():
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 31, 1000)
    sequences = [rng.normal(size=(length, 2)) for length in lengths]
    groups = group_by_length(sequences)
    grouped = sum(group.x.shape[0] * group.x.shape[1] for group in groups)
    whole = pad(sequences)
    assert grouped == lengths.sum() == whole.mask.sum()
    assert grouped == pytest.approx(16_500, rel=0.05)
    assert whole.mask.size == 30_000
    order = rng.permutation(1000)
    batches = [lengths[order[k : k + 32]] for k in range(0, 1000, 32)]
    assert sum(batch.max() * len(batch) for batch in batches) > 0.95 * whole.mask.size


def test_groups_padding_and_single_sequences_give_the_same_gradients():
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(length, 2)) for length in rng.integers(3, 31, 60)]
    labels = rng.integers(0, 2, 60)
    params = rnn_params(2, 6, 2, rng=0)

    def total(parts):
        results = [rnn_value_and_grad(params, *part, reduction="sum", **more)
                   for *part, more in parts]  # fmt: skip
        loss, grads = results[0].loss, results[0].params
        for result in results[1:]:
            loss, grads = loss + result.loss, tree_map(np.add, grads, result.params)
        return loss, grads

    single = total((x[:, None], labels[[i]], {}) for i, x in enumerate(sequences))
    grouped = total((g.x, labels[g.places], {}) for g in group_by_length(sequences))
    x, mask = pad(sequences)
    padded = total([(x, labels, {"mask": mask})])
    for loss, grads in (grouped, padded):
        assert loss == pytest.approx(single[0], rel=1e-10)
        for a, b in zip(grads, single[1], strict=True):
            assert np.allclose(a, b, rtol=1e-10, atol=1e-10)
