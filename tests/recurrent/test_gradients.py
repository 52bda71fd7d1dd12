"""Every way back through time against finite differences, the definition, and its own pieces."""

import numpy as np
import pytest

from ketkar import recurrent as rec
from ketkar.gradcheck import gradcheck
from ketkar.trees import leaves, tree_map

T, N, n, h, m = 5, 3, 1, 2, 4
MASK = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 1], [1, 0, 1], [1, 0, 1]], bool)


def flat(*parts):
    return np.concatenate([np.ravel(part) for part in parts])


def apart(dy, *shapes):
    """The parts of a flat gradient."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    return [part.reshape(s) for part, s in zip(np.split(dy, ends[:-1]), shapes, strict=True)]


def times(factor, nest):
    return tree_map(lambda a: factor * a, nest)


def added(nests):
    total, *others = nests
    for other in others:
        total = tree_map(np.add, total, other)
    return total


@pytest.mark.parametrize("outputs", [m, None], ids=["outputs", "states"])
@pytest.mark.parametrize("shape", [(h,), (N, h)], ids=["one h0", "an h0 each"])
@pytest.mark.parametrize(
    "options", [{}, {"mask": MASK}, {"dropout": 0.4, "rng": 3},
                {"mask": MASK, "dropout": 0.2, "rng": 0}],
    ids=["plain", "mask", "dropout", "mask and dropout"],
)  # fmt: skip
def test_rnn(rnn, draw, backend, outputs, shape, options):
    x, h0 = draw((T, N, n), shape)
    sizes = (T, N, outputs or h), (N, h)

    def forward(params, x, h0):
        y, trace = rec.rnn_forward(params, x, h0, **options, backend=backend)
        return flat(y, trace.h[-1])

    def backward(dy, params, x, h0):
        _, trace = rec.rnn_forward(params, x, h0, **options, backend=backend)
        error, last = apart(dy, *sizes)
        grads = rec.rnn_backward(params, error, trace, dh=last, backend=backend)
        return grads.params, grads.x, grads.h0

    report = gradcheck(forward, backward, rnn(n, h, outputs), x, h0)
    assert report, report


@pytest.mark.parametrize("peepholes", [True, False])
@pytest.mark.parametrize("shapes", [((h,), (N, h)), ((N, h), (h,))], ids=["one y0", "one c0"])
@pytest.mark.parametrize(
    "options", [{}, {"mask": MASK}, {"mask": MASK, "dropout": 0.4, "rng": 3}],
    ids=["plain", "mask", "mask and dropout"],
)  # fmt: skip
def test_lstm(lstm, draw, backend, peepholes, shapes, options):
    x, y0, c0 = draw((T, N, n), *shapes)

    def forward(params, x, y0, c0):
        y, trace = rec.lstm_forward(params, x, (y0, c0), **options, backend=backend)
        return flat(y, trace.last.y, trace.last.c)

    def backward(dy, params, x, y0, c0):
        _, trace = rec.lstm_forward(params, x, (y0, c0), **options, backend=backend)
        error, *last = apart(dy, (T, N, h), (N, h), (N, h))
        grads = rec.lstm_backward(params, error, trace, dstate=last, backend=backend)
        return grads.params, grads.x, *grads.state

    report = gradcheck(forward, backward, lstm(n, h, peepholes=peepholes), x, y0, c0)
    assert len(report.rows) == (15 if peepholes else 12) + 3
    assert report, report


@pytest.mark.parametrize("shape", [(m,), (N, m)], ids=["one y0", "a y0 each"])
@pytest.mark.parametrize("teacher", [None, "labels", "rows"])
def test_an_output_recurrence(rnn, draw, teacher, shape):
    x, y0, rows = draw((T, N, n), shape, (T, N, m))
    known = {None: None, "labels": np.arange(T * N).reshape(T, N) % m, "rows": rows}[teacher]

    def forward(params, x, y0):
        return rec.output_rnn_forward(params, x, known, y0)[0]

    def backward(dy, params, x, y0):
        _, trace = rec.output_rnn_forward(params, x, known, y0)
        grads = rec.output_rnn_backward(params, dy, trace)
        return grads.params, grads.x, grads.y0

    report = gradcheck(forward, backward, rnn(n, h, m, feedback="output"), x, y0)
    assert report, report


def test_under_teacher_forcing_no_step_hears_from_a_later_one(rnn, draw):
    params = rnn(n, h, m, feedback="output")
    x, rows, late = draw((T, N, n), (T, N, m), (T, N, m))
    late[:-1] = 0
    _, forced = rec.output_rnn_forward(params, x, rows)
    grads = rec.output_rnn_backward(params, late, forced)
    assert not grads.x[:-1].any()
    assert grads.x[-1].all()
    assert not grads.y0.any()
    _, free = rec.output_rnn_forward(params, x)
    assert rec.output_rnn_backward(params, late, free).x.all()


@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "mask"])
def test_bidirectional(rnn, draw, backend, mask):
    one, other = rnn(n, h, m), rnn(n, 2, m, seed=1)
    params = rec.BidirectionalParams(*one[:3], *other[:3], one.V, other.V, one.c)
    x, hf, hb = draw((T, N, n), (N, h), 2)

    def run(params, x, hf, hb):
        return rec.bidirectional(params, x, (hf, hb), mask=mask, backend=backend)

    def backward(dy, *arguments):
        params = arguments[0]
        grads = rec.bidirectional_backward(params, dy, run(*arguments)[1], backend=backend)
        return grads.params, grads.x, *grads.h0

    report = gradcheck(lambda *arguments: run(*arguments)[0], backward, params, x, hf, hb)
    assert report, report


@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "mask"])
def test_many_to_one(rnn, draw, backend, mask):
    x, h0 = draw((T, N, n), h)

    def run(params, x, h0):
        return rec.many_to_one(params, x, h0, mask=mask, backend=backend)

    def backward(dy, params, x, h0):
        grads = rec.many_to_one_backward(params, dy, run(params, x, h0)[1], backend=backend)
        return grads.params, grads.x, grads.h0

    report = gradcheck(lambda *arguments: run(*arguments)[0], backward, rnn(n, h, m), x, h0)
    assert report, report


@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "mask"])
def test_encoder_decoder(rnn, draw, backend, mask):
    x, given = draw((T, N, n), (2, N, 1))

    def run(*arguments):
        return rec.encoder_decoder(*arguments, mask=mask, backend=backend)

    def backward(dy, encoder, decoder, x, given):
        _, trace = run(encoder, decoder, x, given)
        grads = rec.encoder_decoder_backward(encoder, decoder, dy, trace, backend=backend)
        return grads.encoder, grads.decoder, grads.x, grads.given

    nets = rnn(n, h, size=1.0), rnn(1, h, m, seed=1, size=1.0)
    report = gradcheck(lambda *arguments: run(*arguments)[0], backward, *nets, x, given)
    assert report, report


LABELS = {"each step": np.arange(T * N).reshape(T, N) % m, "the end": np.array([2, 0, 1])}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "mask"])
@pytest.mark.parametrize("labels", LABELS)
def test_rnn_value_and_grad(rnn, draw, backend, labels, mask, reduction):
    x, h0 = draw((T, N, n), h)

    def run(params, h0):
        return rec.rnn_value_and_grad(
            params, x, LABELS[labels], h0, mask=mask, reduction=reduction, backend=backend
        )

    def backward(dy, *arguments):
        found = run(*arguments)
        return times(dy, found.params), dy * found.h0

    report = gradcheck(lambda *a: run(*a).loss, backward, rnn(n, h, m), h0)
    assert len(report.rows) == 6
    assert report, report


@pytest.mark.parametrize("peepholes", [True, False])
@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "mask"])
@pytest.mark.parametrize("labels", LABELS)
def test_lstm_value_and_grad(lstm, softmax_layer, draw, backend, labels, mask, peepholes):
    x, y0, c0 = draw((T, N, n), (N, h), h)

    def run(params, output, y0, c0):
        return rec.lstm_value_and_grad(
            params, output, x, LABELS[labels], (y0, c0), mask=mask, backend=backend
        )

    def backward(dy, *arguments):
        found = run(*arguments)
        return tuple(times(dy, [found.params, found.output, *found.state]))

    arguments = lstm(n, h, peepholes=peepholes), softmax_layer(h, m), y0, c0
    report = gradcheck(lambda *a: run(*a).loss, backward, *arguments)
    assert report, report


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("shape", [(N,), (T, N)], ids=["one step", "all steps"])
@pytest.mark.parametrize("masked", [False, True])
def test_output_value_and_grad(softmax_layer, draw, backend, shape, masked, reduction):
    (states,) = draw((*shape, h))
    labels = np.arange(states.size // h).reshape(shape) % m
    mask = labels != 1 if masked else None

    def run(params, states):
        return rec.output_value_and_grad(
            params, states, labels, mask=mask, reduction=reduction, backend=backend
        )

    def backward(dy, *arguments):
        found = run(*arguments)
        return times(dy, found.params), dy * found.h

    report = gradcheck(lambda *a: run(*a).loss, backward, softmax_layer(h, m), states)
    assert report, report


def test_the_loss_of_a_sequence(draw, finite_difference, assert_close):
    (scores,) = draw((T, N, m))
    y_hat = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
    rows = y_hat[::-1]
    for y in (LABELS["each step"], rows):
        for mask in (None, MASK):
            for reduction in ("sum", "mean"):
                slope = finite_difference(
                    lambda p, y=y, mask=mask, reduction=reduction: rec.sequence_cross_entropy(
                        p, y, mask, reduction
                    ),
                    y_hat,
                )
                found = rec.sequence_cross_entropy_grad(y_hat, y, mask, reduction)
                assert_close(found, slope, 1e-6)


def test_jacobians(rnn, lstm, draw, finite_difference, assert_close):
    params = rnn(n, h)
    x, state = draw(n, h)
    new = rec.elman_cell(x, state, *params[:3])
    for k in range(h):
        slope = finite_difference(lambda s, k=k: rec.elman_cell(x, s, *params[:3])[k], state)
        assert_close(rec.hidden_jacobian(new, params.W)[k], slope, 1e-7)
    # a cell state depends on the one before through the forget gate alone if no gate sees either
    params = lstm(n, h, peepholes=False)
    params = params._replace(**{name: 0 * getattr(params, name) for name in params._fields[4:8]})
    xs, c0 = draw((T, 1, n), h)
    _, trace = rec.lstm_forward(params, xs, (None, c0), backend="numpy")
    for k in range(h):
        slope = finite_difference(
            lambda c, k=k: rec.lstm_forward(params, xs, (None, c), backend="numpy")[1].c[-1, 0, k],
            c0,
        )
        assert_close(np.diag(rec.lstm_cell_jacobian(trace)[0])[k], slope, 1e-7)


@pytest.mark.parametrize("steps", [0, 1, 2, 7])
def test_going_back_once_is_the_sum_over_all_pairs(rnn, draw, assert_close, steps):
    params = rnn(n, h, m)
    x, h0, dh = draw((steps, N, n), (N, h), (steps, N, h))
    _, trace = rec.rnn_forward(params, x, h0)
    fast, slow = rec.bptt(params, dh, trace), rec.bptt_by_definition(params, dh, trace)
    assert_close(fast, slow, 1e-12)
    states = params._replace(V=None, c=None)
    _, trace = rec.rnn_forward(states, x, h0, backend="numpy")
    grads = rec.rnn_backward(states, dh, trace, backend="numpy")
    assert_close(fast, tuple(grads.params[:3]), 1e-12)
    assert fast._fields == ("U", "W", "b")


def pieces(k):
    return [(first, min(first + k, T)) for first in range(0, T, k)]


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "mask"])
def test_a_truncated_rnn_is_its_pieces(rnn, draw, backend, assert_close, k, mask):
    params = rnn(n, h, m)
    x, h0, dy, dh = draw((T, N, n), (N, h), (T, N, m), (N, h))
    _, trace = rec.rnn_forward(params, x, h0, mask=mask, backend=backend)
    whole = rec.rnn_backward(params, dy, trace, dh=dh, truncate=k, backend=backend)
    parts, state = [], h0
    for first, last in pieces(k):
        part = slice(first, last)
        there = None if mask is None else mask[part]
        _, trace = rec.rnn_forward(params, x[part], state, mask=there, backend=backend)
        state = trace.h[-1]
        late = dh if last == T else None
        parts.append(rec.rnn_backward(params, dy[part], trace, dh=late, backend=backend))
    assert_close(whole.params, added([part.params for part in parts]))
    assert_close(whole.x, np.concatenate([part.x for part in parts]))
    assert_close(whole.h0, parts[0].h0)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "mask"])
def test_a_truncated_lstm_is_its_pieces(lstm, draw, backend, assert_close, k, mask):
    params = lstm(n, h)
    x, y0, c0, dy, *dstate = draw((T, N, n), (N, h), (N, h), (T, N, h), (N, h), (N, h))
    _, trace = rec.lstm_forward(params, x, (y0, c0), mask=mask, backend=backend)
    whole = rec.lstm_backward(params, dy, trace, dstate=dstate, truncate=k, backend=backend)
    parts, state = [], (y0, c0)
    for first, last in pieces(k):
        part = slice(first, last)
        there = None if mask is None else mask[part]
        _, trace = rec.lstm_forward(params, x[part], state, mask=there, backend=backend)
        state = trace.last
        late = dstate if last == T else None
        parts.append(rec.lstm_backward(params, dy[part], trace, dstate=late, backend=backend))
    assert_close(whole.params, added([part.params for part in parts]))
    assert_close(whole.x, np.concatenate([part.x for part in parts]))
    assert_close(whole.state, parts[0].state)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_truncated_bidirectional_network_is_cut_twice(rnn, draw, backend, assert_close, k):
    one, other = rnn(n, h, m), rnn(n, h, m, seed=1)
    params = rec.BidirectionalParams(*one[:3], *other[:3], one.V, other.V, one.c)
    x, dy = draw((T, N, n), (T, N, m))
    y, trace = rec.bidirectional(params, x, backend=backend)
    whole = rec.bidirectional_backward(params, dy, trace, truncate=k, backend=backend)
    dz = y * (dy - (dy * y).sum(axis=2, keepdims=True))
    states = one._replace(V=None, c=None), other._replace(V=None, c=None)
    forth = rec.rnn_backward(states[0], dz @ one.V, trace.forward, truncate=k, backend=backend)
    back = rec.rnn_backward(states[1], (dz @ other.V)[::-1], trace.backward, truncate=k,
                            backend=backend)  # fmt: skip
    assert_close(whole.x, forth.x + back.x[::-1])
    assert_close(tuple(whole.params[:6]), (*forth.params[:3], *back.params[:3]))


def slopes(y, labels, mask, reduction):
    """The loss and its gradient to the outputs, for labels of all steps or of the end."""
    if labels.ndim == 2:
        return (
            rec.sequence_cross_entropy(y, labels, mask, reduction),
            rec.sequence_cross_entropy_grad(y, labels, mask, reduction),
        )
    dy = np.zeros_like(y)
    dy[-1:] = rec.sequence_cross_entropy_grad(y[-1:], labels[None], None, reduction)
    return rec.sequence_cross_entropy(y[-1:], labels[None], None, reduction), dy


@pytest.mark.parametrize("k", [None, 1, 2, 5, 9])
@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "mask"])
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_in_one_go_as_in_steps(
    rnn, lstm, softmax_layer, draw, backend, assert_close, k, mask, labels, reduction
):
    labels = LABELS[labels]
    x, h0, c0 = draw((T, N, n), (N, h), h)
    options = {"truncate": k, "backend": backend}
    params = rnn(n, h, m)
    y, trace = rec.rnn_forward(params, x, h0, mask=mask, backend=backend)
    loss, dy = slopes(y, labels, mask, reduction)
    grads = rec.rnn_backward(params, dy, trace, **options)
    found = rec.rnn_value_and_grad(params, x, labels, h0, mask=mask, reduction=reduction, **options)
    assert_close(found, (loss, grads.params, grads.h0, trace.h[-1]))

    params, output = lstm(n, h), softmax_layer(h, m)
    states, trace = rec.lstm_forward(params, x, (h0, c0), mask=mask, backend=backend)
    y = rec.rnn_output(states, *output)
    loss, dy = slopes(y, labels, mask, reduction)
    dz = y * (dy - (dy * y).sum(axis=2, keepdims=True))
    grads = rec.lstm_backward(params, dz @ output.V, trace, **options)
    found = rec.lstm_value_and_grad(
        params, output, x, labels, (h0, c0), mask=mask, reduction=reduction, **options
    )
    rows = dz.reshape(-1, m)
    layer = rows.T @ states.reshape(-1, h), rows.sum(axis=0)
    assert_close(found, (loss, grads.params, layer, grads.state, trace.last))


LENGTHS = [4, 2, 5, 2, 1, 4]


def sequences(seed=0):
    rng = np.random.default_rng(seed)
    return (
        [rng.normal(size=(length, n)) for length in LENGTHS],
        [rng.integers(0, m, length) for length in LENGTHS],
    )


@pytest.mark.parametrize("net", ["rnn", "lstm"])
def test_grouped_padded_and_alone_sequences_are_the_same(
    rnn, lstm, softmax_layer, backend, assert_close, net
):
    xs, ys = sequences()

    def value_and_grad(x, labels, mask=None):
        options = {"mask": mask, "reduction": "sum", "backend": backend}
        if net == "rnn":
            found = rec.rnn_value_and_grad(rnn(n, h, m), x, labels, **options)
            return found.loss, found.params
        found = rec.lstm_value_and_grad(lstm(n, h), softmax_layer(h, m), x, labels, **options)
        return found.loss, found.params, found.output

    alone = added([value_and_grad(x[:, None], y[:, None]) for x, y in zip(xs, ys, strict=True)])
    groups = rec.group_by_length(xs)
    assert [group.x.shape[:2] for group in groups] == [(1, 1), (2, 2), (4, 2), (5, 1)]
    grouped = added([
        value_and_grad(g.x, np.stack([ys[i] for i in g.places], axis=1)) for g in groups
    ])  # fmt: skip
    assert_close(grouped, alone)
    x, mask = rec.pad(xs)
    labels = np.zeros(mask.shape, int)
    for k, y in enumerate(ys):
        labels[: len(y), k] = y
    assert_close(value_and_grad(x, labels, mask), alone)
    # whatever stands in the padding
    for rubbish in (7.0, np.nan, np.inf):
        spoiled = np.where(mask[:, :, None], x, rubbish)
        assert_close(value_and_grad(spoiled, labels, mask), alone)


def test_padding_has_no_gradient(rnn, lstm, draw, backend):
    xs, _ = sequences()
    x, mask = rec.pad(xs)
    dy = draw((*mask.shape, h))[0] * mask[:, :, None]
    for params, forward, backward in (
        (rnn(n, h), rec.rnn_forward, rec.rnn_backward),
        (lstm(n, h), rec.lstm_forward, rec.lstm_backward),
    ):
        y, trace = forward(params, x, mask=mask, backend=backend)
        grads = backward(params, dy, trace, backend=backend)
        assert not grads.x[~mask].any()
        for k, one in enumerate(xs):
            alone, trace = forward(params, one[:, None], backend=backend)
            np.testing.assert_allclose(y[: len(one), k], alone[:, 0], atol=1e-13)
            assert np.all(y[len(one) :, k] == y[len(one) - 1, k])
            here = backward(params, dy[: len(one), k : k + 1], trace, backend=backend)
            np.testing.assert_allclose(grads.x[: len(one), k], here.x[:, 0], atol=1e-12)


def test_an_initial_state_of_zeros_is_none(rnn, lstm, draw, backend, assert_close):
    x, dy = draw((T, N, n), (T, N, h))
    for params, forward, backward, none in (
        (rnn(n, h), rec.rnn_forward, rec.rnn_backward, np.zeros(h)),
        (lstm(n, h), rec.lstm_forward, rec.lstm_backward, (np.zeros(h), np.zeros((N, h)))),
    ):
        left_out, given = (
            (y, backward(params, dy, trace, backend=backend))
            for y, trace in (forward(params, x, s, backend=backend) for s in (None, none))
        )
        assert np.array_equal(left_out[0], given[0])
        assert_close(left_out[1][:2], given[1][:2], 0)
        # the one gradient of all sequences is the sum of theirs
        ours = left_out[1][2] if forward is rec.rnn_forward else left_out[1][2].y
        sums = given[1][2] if forward is rec.rnn_forward else given[1][2].y
        assert ours.shape == (N, h)
        assert_close(sums, ours.sum(axis=0))


@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize("steps", [0, 1])
def test_short_sequences_and_empty_batches(rnn, lstm, draw, backend, steps, batch):
    x, h0, c0, dh, dc = draw((steps, batch, n), *[(batch, h)] * 4)
    params = rnn(n, h, m)
    y, trace = rec.rnn_forward(params, x, h0, backend=backend)
    assert y.shape == (steps, batch, m)
    assert trace.h.shape == (steps + 1, batch, h)
    grads = rec.rnn_backward(params, np.ones_like(y), trace, dh=dh, truncate=2, backend=backend)
    assert (grads.x.shape, grads.h0.shape) == (x.shape, h0.shape)
    if not steps:
        assert np.array_equal(grads.h0, dh)
    if not steps * batch:
        assert not any(a.any() for _, a in leaves(grads.params))
    params = lstm(n, h)
    y, trace = rec.lstm_forward(params, x, (h0, c0), backend=backend)
    grads = rec.lstm_backward(params, np.ones_like(y), trace, dstate=(dh, dc), backend=backend)
    assert y.shape == (steps, batch, h)
    if not steps:
        assert np.array_equal(grads.state.y, dh)
        assert np.array_equal(grads.state.c, dc)
    if not steps * batch:
        assert not any(a.any() for _, a in leaves(grads.params))
    params = rnn(n, h, m, feedback="output")
    for known in (None, np.zeros((steps, batch), int)):
        y, trace = rec.output_rnn_forward(params, x, known)
        assert y.shape == (steps, batch, m)
        assert rec.output_rnn_backward(params, y, trace).x.shape == x.shape
    params = rec.bidirectional_params(n, h, m, rng=0)
    y, trace = rec.bidirectional(params, x, backend=backend)
    grads = rec.bidirectional_backward(params, y, trace, backend=backend)
    assert (y.shape, grads.x.shape) == ((steps, batch, m), x.shape)
    params = rnn(n, h, m)
    y, trace = rec.many_to_one(params, x, h0, backend=backend)
    assert y.shape == (batch, m)
    assert rec.many_to_one_backward(params, y, trace, backend=backend).x.shape == x.shape
    if not steps:
        np.testing.assert_allclose(y, rec.rnn_output(h0, params.V, params.c), atol=1e-14)


def test_traces_and_arguments_stay_as_they_were(rnn, lstm, draw, backend):
    x, h0, dy, dh = draw((T, N, n), (N, h), (T, N, h), (N, h))
    for params, forward, backward, start, late in (
        (rnn(n, h), rec.rnn_forward, rec.rnn_backward, h0, {"dh": dh}),
        (lstm(n, h), rec.lstm_forward, rec.lstm_backward, (h0, h0), {"dstate": (dh, dh)}),
    ):
        y, trace = forward(params, x, start, mask=MASK, backend=backend)
        given = [x, h0, dy, dh, y, *(a for _, a in leaves((params, trace)))]
        before = [a.copy() for a in given]
        first = backward(params, dy, trace, **late, backend=backend)
        second = backward(params, dy, trace, **late, backend=backend)
        assert all(np.array_equal(a, b) for a, b in zip(given, before, strict=True))
        for (_, a), (_, b) in zip(leaves(first), leaves(second), strict=True):
            assert np.array_equal(a, b)
