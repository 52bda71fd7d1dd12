"""The numbers of the chapter: by hand, as digits, or by loops over plain Python numbers.

The loops know nothing of the package and nothing of NumPy: one sequence, one number at a time.
"""

import math

import numpy as np
import pytest

from ketkar import recurrent as rec


def close(found, digits, tolerance=1e-12):
    np.testing.assert_allclose(found, digits, rtol=0, atol=tolerance)


# The networks once more, as loops.


def sigma(v):
    return 1 / (1 + math.exp(-v))


def times(A, v):
    return [sum(a * b for a, b in zip(row, v, strict=True)) for row in A]


def softmax_of(scores):
    powers = [math.exp(s) for s in scores]
    return [p / sum(powers) for p in powers]


def read_out(h, V, c):
    return softmax_of([s + k for s, k in zip(times(V, h), c, strict=True)])


def recurrence(U, W, b, xs, state, there=None):
    """The states after each step; a step that is not there leaves the state."""
    states = []
    for t, x in enumerate(xs):
        if there is None or there[t]:
            sums = zip(times(U, x), times(W, state), b, strict=True)
            state = [math.tanh(u + w + k) for u, w, k in sums]
        states.append(state)
    return states


def output_recurrence(U, W, b, V, c, xs, y, teacher=None):
    """The outputs; each step is fed the output before it, or the true one."""
    outputs = []
    for t, x in enumerate(xs):
        (h,) = recurrence(U, W, b, [x], y)  # W reads the output here
        outputs.append(read_out(h, V, c))
        y = outputs[t] if teacher is None else teacher[t]
    return outputs


def lstm_states(p, xs, y, c):
    """The outputs and the cell states after each step; p maps a parameter's name to numbers."""
    outputs, cells = [], []
    for x in xs:
        sums = {
            gate: [
                a + r + b
                for a, r, b in zip(times(p[f"W{gate}"], x), times(p[f"R{gate}"], y), p[f"b{gate}"],
                                   strict=True)
            ]
            for gate in "zifo"
        }  # fmt: skip
        new, out = [], []
        for j, old in enumerate(c):
            z = math.tanh(sums["z"][j])
            i = sigma(sums["i"][j] + p["pi"][j] * old)
            f = sigma(sums["f"][j] + p["pf"][j] * old)
            cell = i * z + f * old
            o = sigma(sums["o"][j] + p["po"][j] * cell)
            new.append(cell)
            out.append(o * math.tanh(cell))
        y, c = out, new
        outputs.append(y)
        cells.append(c)
    return outputs, cells


def lists(params):
    return [None if a is None else a.tolist() for a in params]


def each(x):
    """The sequences of x (T, N, n) one after the other, as lists."""
    return [x[:, k].tolist() for k in range(x.shape[1])]


def test_one_step_of_each_network():
    U, W, b = [[1.0, 2.0], [0.0, -1.0]], [[0.5, 0.0], [1.0, 0.5]], [0.1, -0.1]
    # the sums are 1 - 2 + 0.1 + 0.1 and 1 + 0.2 - 0.2 - 0.1
    digits = [-0.6640367702678491, 0.7162978701990245]
    close(rec.elman_cell([1.0, -1.0], [0.2, -0.4], U, W, b), digits)
    close(rec.elman_cell([[1.0, -1.0]] * 2, [[0.2, -0.4]] * 2, U, W, b), [digits] * 2)
    # the previous output is (0.2, -0.4, 7), and W has a column for each
    wide = [[0.5, 0.0, 0.0], [1.0, 0.5, 0.0]]
    close(rec.jordan_cell([1.0, -1.0], [0.2, -0.4, 7.0], U, wide, b), digits)
    # scores 0.5, -1 and 1.5
    V, c = [[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]], [0.0, 0.0, 0.0]
    chances = [0.2537161816350252, 0.05661173224047128, 0.6896720861245035]
    close(rec.rnn_output([0.5, -1.0], V, c), chances)
    close(rec.rnn_output([0.0, 0.0], V, [0.5, -1.0, 1.5]), chances)
    close(rec.rnn_output([[[0.5, -1.0]]], V, c), [[chances]])


ONE = rec.LSTMParams(
    *[[[w]] for w in (0.4, -0.5, 0.3, 0.7)], *[[[r]] for r in (-0.2, 0.6, 0.4, -0.8)],
    [0.1], [-0.3], [0.25], [0.1], [0.2], [1.0], [-0.1],
)  # fmt: skip
ONE_STEP = {
    "z": 0.3799489622552249, "i": 0.549833997312478, "f": 0.7109495026250039,
    "c": 1.6308078619415258, "o": 0.6474164112925821, "y": 0.5996218936614184,
}  # fmt: skip


def test_one_step_of_an_lstm(backend):
    step = rec.lstm_cell([1.0], [0.5], [2.0], ONE)
    for name, digits in ONE_STEP.items():
        close(getattr(step, name), [digits])
    y, trace = rec.lstm_forward(ONE, [[[1.0]]], ([0.5], [2.0]), backend=backend)
    close(y, [[[ONE_STEP["y"]]]])
    close(trace.c[:, 0, 0], [2.0, ONE_STEP["c"]])
    for gate in "zifo":
        close(getattr(trace, gate), [[[ONE_STEP[gate]]]])
    assert trace.last.y == y[-1]
    # without peepholes the sums are 0.1 for i, 1.5 for f and 0.2 for o
    step = rec.lstm_cell([1.0], [0.5], [2.0], ONE._replace(pi=None, pf=None, po=None))
    close([step.i[0], step.f[0], step.o[0]], [sigma(0.0), sigma(1.5), sigma(0.2)])


def test_two_steps_and_their_gradients(backend):
    params = rec.RNNParams([[1.0]], [[0.5]], [0.0], None, None)
    h, trace = rec.rnn_forward(params, [[[1.0]], [[0.0]]], backend=backend)
    close(h[:, 0, 0], [0.7615941559557649, 0.3633994843890525])
    grads = rec.rnn_backward(params, [[[0.0]], [[1.0]]], trace, backend=backend)
    close(grads.x[:, 0, 0], [0.18225643611639825, 0.8679408147457708])
    close(grads.params.U, [[0.18225643611639825]])
    close(grads.params.W, [[0.6610186522258642]])
    close(grads.params.b, [1.050197250862169])
    close(grads.h0, [[0.09112821805819912]])
    # cut between the steps, only the second has a gradient
    cut = rec.rnn_backward(params, [[[0.0]], [[1.0]]], trace, truncate=1, backend=backend)
    close(cut.x[:, 0, 0], [0.0, 0.8679408147457708])
    close(cut.params.W, [[0.6610186522258642]])
    close(cut.params.b, [0.8679408147457708])


def test_an_rnn_is_its_loop(rnn, draw, backend):
    params = rnn(2, 3, 4)
    x, h0 = draw((4, 3, 2), (3, 3))
    U, W, b, V, c = lists(params)
    for start in (None, h0, h0[0]):
        y, trace = rec.rnn_forward(params, x, start, backend=backend)
        first = np.zeros((3, 3)) if start is None else np.broadcast_to(start, (3, 3))
        for k, xs in enumerate(each(x)):
            states = recurrence(U, W, b, xs, first[k].tolist())
            close(trace.h[:, k], [first[k].tolist(), *states])
            close(y[:, k], [read_out(h, V, c) for h in states])
        last, _ = rec.many_to_one(params, x, start, backend=backend)
        close(last, y[-1])
    states, _ = rec.rnn_forward(params._replace(V=None, c=None), x, h0[0], backend=backend)
    close(states, trace.h[1:])


def test_a_masked_rnn_is_its_loop(rnn, draw, backend):
    params = rnn(2, 3, 4)
    x, h0 = draw((5, 3, 2), (3, 3))
    mask = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 1], [1, 0, 1], [0, 0, 1]], bool)
    y, trace = rec.rnn_forward(params, x, h0, mask=mask, backend=backend)
    U, W, b, V, c = lists(params)
    for k, xs in enumerate(each(x)):
        states = recurrence(U, W, b, xs, h0[k].tolist(), mask[:, k].tolist())
        close(trace.h[1:, k], states)
        close(y[:, k], [read_out(h, V, c) for h in states])
    assert np.array_equal(trace.h[-1, 1], h0[1])


def test_an_output_recurrence_is_its_loop(rnn, draw):
    params = rnn(2, 3, 4, feedback="output")
    x, y0 = draw((4, 3, 2), (3, 4))
    labels = np.random.default_rng(1).integers(0, 4, (4, 3))
    rows = np.eye(4)[labels]
    for start in (None, y0, y0[0]):
        first = np.zeros((3, 4)) if start is None else np.broadcast_to(start, (3, 4))
        free, _ = rec.output_rnn_forward(params, x, y0=start)
        forced, trace = rec.output_rnn_forward(params, x, labels, y0=start)
        again, _ = rec.output_rnn_forward(params, x, rows, y0=start)
        assert np.array_equal(forced, again)
        assert np.array_equal(trace.fed[1:], rows[:-1])
        for k, xs in enumerate(each(x)):
            y = first[k].tolist()
            close(free[:, k], output_recurrence(*lists(params), xs, y))
            known = rows[:, k].tolist()
            close(forced[:, k], output_recurrence(*lists(params), xs, y, known))
    # told its own outputs, a network says what it says when it runs free
    same, _ = rec.output_rnn_forward(params, x, free, y0=start)
    close(same, free)


def test_a_bidirectional_network_is_two_loops(rnn, draw, backend):
    one, other = rnn(2, 3, 4), rnn(2, 5, 4, seed=1)
    params = rec.BidirectionalParams(*one[:3], *other[:3], one.V, other.V, one.c)
    x, hf, hb = draw((4, 3, 2), (3, 3), 5)
    y, trace = rec.bidirectional(params, x, (hf, hb), backend=backend)
    Uf, Wf, bf, Ub, Wb, bb, Vf, Vb, c = lists(params)
    for k, xs in enumerate(each(x)):
        forth = recurrence(Uf, Wf, bf, xs, hf[k].tolist())
        back = recurrence(Ub, Wb, bb, xs[::-1], hb.tolist())[::-1]
        close(trace.hf[:, k], forth)
        close(trace.hb[:, k], back)
        for t in range(4):
            scores = [
                a + b + e
                for a, b, e in zip(times(Vf, forth[t]), times(Vb, back[t]), c, strict=True)
            ]
            close(y[t, k], softmax_of(scores))


def test_a_masked_bidirectional_network_is_two_loops(rnn, draw, backend):
    one, other = rnn(2, 3, 4), rnn(2, 5, 4, seed=1)
    params = rec.BidirectionalParams(*one[:3], *other[:3], one.V, other.V, one.c)
    (x,) = draw((4, 3, 2))
    mask = np.array([[1, 1, 0], [1, 0, 1], [0, 0, 1], [0, 1, 1]], bool)
    _, trace = rec.bidirectional(params, x, mask=mask, backend=backend)
    Uf, Wf, bf, Ub, Wb, bb, *_ = lists(params)
    for k, xs in enumerate(each(x)):
        there = mask[:, k].tolist()
        close(trace.hf[:, k], recurrence(Uf, Wf, bf, xs, [0.0] * 3, there))
        close(trace.hb[:, k], recurrence(Ub, Wb, bb, xs[::-1], [0.0] * 5, there[::-1])[::-1])


@pytest.mark.parametrize("peepholes", [True, False])
def test_an_lstm_is_its_loop(lstm, draw, backend, peepholes):
    params = lstm(2, 3, peepholes=peepholes)
    x, y0, c0 = draw((4, 3, 2), (3, 3), (3, 3))
    numbers = {name: [0.0] * 3 if a is None else a.tolist() for name, a in params._asdict().items()}
    for start in (None, (y0, c0), (y0[0], c0), (None, c0[1])):
        y, trace = rec.lstm_forward(params, x, start, backend=backend)
        given = (None, None) if start is None else start
        first = [np.broadcast_to(0.0 if s is None else s, (3, 3)) for s in given]
        for k, xs in enumerate(each(x)):
            outputs, cells = lstm_states(numbers, xs, *(s[k].tolist() for s in first))
            close(y[:, k], outputs)
            close(trace.c[1:, k], cells)


def test_a_masked_lstm_reads_what_is_there(lstm, draw, backend):
    params = lstm(2, 3)
    x, y0, c0 = draw((4, 2, 2), 3, 3)
    mask = np.array([[1, 1], [0, 1], [1, 1], [0, 1]], bool)
    y, trace = rec.lstm_forward(params, x, (y0, c0), mask=mask, backend=backend)
    numbers = {name: a.tolist() for name, a in params._asdict().items()}
    outputs, cells = lstm_states(numbers, x[[0, 2], 0].tolist(), y0.tolist(), c0.tolist())
    close(y[:, 0], [outputs[0], outputs[0], outputs[1], outputs[1]])
    close(trace.c[1:, 0], [cells[0], cells[0], cells[1], cells[1]])
    outputs, _ = lstm_states(numbers, x[:, 1].tolist(), y0.tolist(), c0.tolist())
    close(y[:, 1], outputs)


def test_an_encoder_and_a_decoder_are_two_loops(rnn, draw, backend):
    encoder, decoder = rnn(2, 3, 5), rnn(4, 3, 2, seed=1)
    x, given = draw((4, 2, 2), (3, 2, 4))
    y, _ = rec.encoder_decoder(encoder, decoder, x, given, backend=backend)
    for k in range(2):
        read = recurrence(*lists(encoder)[:3], x[:, k].tolist(), [0.0] * 3)
        said = recurrence(*lists(decoder)[:3], given[:, k].tolist(), read[-1])
        close(y[:, k], [read_out(h, *lists(decoder)[3:]) for h in said])


def test_unrolling():
    assert rec.unroll(lambda x, h: (x, h), "ab", 0) == [("a", 0), ("b", ("a", 0))]
    assert rec.unroll(lambda x, h: x, [], 0) == []
    params = rec.rnn_params(2, 3, None, rng=0)
    x = np.random.default_rng(0).normal(size=(6, 4, 2))
    states = rec.unroll(lambda x, h: rec.elman_cell(x, h, *params[:3]), x, np.zeros((4, 3)))
    close(states, rec.rnn_forward(params, x, backend="numpy")[0])


def test_counts():
    assert rec.rnn_parameter_count(8, 16, 4) == 468
    assert rec.rnn_parameter_count(8, 16, 4, feedback="output") == 276
    assert rec.rnn_parameter_count(8, 16, 4, bidirectional=True) == 932
    assert rec.lstm_parameter_count(8, 16) == 1648
    assert rec.lstm_parameter_count(8, 16, peepholes=False) == 1600
    assert rec.lstm_parameter_count(3, 4, peepholes=False) == 128
    assert rec.lstm_parameter_count(3, 4) == 140
    assert rec.rnn_parameter_count(1, 2, 3) == 2 + 4 + 2 + 6 + 3


def size(params):
    return sum(a.size for a in params if a is not None)


def test_what_is_drawn_has_the_counted_numbers():
    assert size(rec.rnn_params(8, 16, 4, rng=0)) == 468
    assert size(rec.rnn_params(8, 16, 4, rng=0, feedback="output")) == 276
    assert size(rec.bidirectional_params(8, 16, 4, rng=0)) == 932
    assert size(rec.lstm_params(8, 16, rng=0)) == 1648
    assert size(rec.lstm_params(3, 4, rng=0, peepholes=False)) == 128
    assert size(rec.output_params(16, 4, rng=0)) == 68
    assert rec.rnn_params(8, 16, None, rng=0)[3:] == (None, None)


def test_where_training_starts():
    params = rec.lstm_params(3, 4, rng=0, forget_bias=2.5, radius=0.5)
    assert params.bf.tolist() == [2.5] * 4
    assert not np.any([params.bz, params.bi, params.bo, params.pi, params.pf, params.po])
    for R in params[4:8]:
        close(R @ R.T, 0.25 * np.eye(4))
    for W in params[:4]:
        assert 0.3 < np.abs(W).max() <= math.sqrt(6 / 7)
    params = rec.rnn_params(200, 300, 2, rng=0, recurrent="glorot", radius=3.0)
    assert abs(params.U.var() * 500 / 2 - 1) < 0.02
    assert abs(params.W.var() * 600 / 2 / 9 - 1) < 0.02
    assert rec.rnn_params(2, 3, 4, rng=0, feedback="output").W.shape == (3, 4)
    assert not params.b.any()
    assert not params.c.any()
    close(rec.orthogonal(5, rng=0, radius=2.0).T @ rec.orthogonal(5, rng=0, radius=2.0),
          4 * np.eye(5))  # fmt: skip
    # uniformly drawn, a rotation or reflection has the mean trace 0
    rng = np.random.default_rng(0)
    traces = [np.trace(rec.orthogonal(4, rng)) for _ in range(400)]
    assert abs(np.mean(traces)) < 0.2
    for maker, sizes in ((rec.rnn_params, (2, 3, 4)), (rec.lstm_params, (2, 3)),
                         (rec.bidirectional_params, (2, 3, 4)),
                         (rec.output_params, (3, 4))):  # fmt: skip
        first, second = (maker(*sizes, rng=7, dtype=np.float32) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
        assert {a.dtype for a in first} == {np.dtype(np.float32)}


def test_the_loss_of_a_sequence():
    y_hat = np.array([[[0.5, 0.5], [0.2, 0.8]], [[0.75, 0.25], [0.4, 0.6]]])
    labels = [[0, 1], [0, 0]]
    terms = [0.6931471805599453, 0.2231435513142097, 0.2876820724517809, 0.916290731874155]
    loss = rec.sequence_cross_entropy
    close(loss(y_hat, labels), sum(terms))
    close(loss(y_hat, labels, reduction="mean"), sum(terms) / 4)
    close(loss(y_hat, np.eye(2)[labels]), sum(terms))
    mask = np.array([[True, False], [False, True]])
    close(loss(y_hat, labels, mask), terms[0] + terms[3])
    close(loss(y_hat, labels, mask, "mean"), (terms[0] + terms[3]) / 2)
    grad = rec.sequence_cross_entropy_grad(y_hat, labels)
    close(grad, [[[-2, 0], [0, -1.25]], [[-4 / 3, 0], [-2.5, 0]]])
    grad = rec.sequence_cross_entropy_grad(y_hat, labels, mask, "mean")
    close(grad, [[[-1, 0], [0, 0]], [[0, 0], [-1.25, 0]]])


def test_the_fused_loss(backend):
    # scores (1, 0): the chances are sigma(1) and sigma(-1)
    params = rec.OutputParams([[1.0], [0.0]], [0.0, 0.0])
    high, low = 0.7310585786300049, 0.2689414213699951
    found = rec.output_value_and_grad(params, [[1.0], [1.0]], [0, 1], backend=backend)
    close(found.loss, (0.31326168751822286 + 1.3132616875182228) / 2)
    close(found.params.c, [high - 0.5, low - 0.5])
    close(found.params.V, [[high - 0.5], [low - 0.5]])
    close(found.h, [[-low / 2], [high / 2]])
    summed = rec.output_value_and_grad(
        params, [[[1.0]], [[1.0]]], [[0], [1]], reduction="sum", backend=backend,
        mask=[[False], [True]],
    )  # fmt: skip
    close(summed.loss, 1.3132616875182228)
    close(summed.h, [[[0.0]], [[high]]])
    close(summed.params.c, [high, low - 1])


def test_chances_of_huge_scores(backend):
    params = rec.OutputParams([[1000.0], [-1000.0]], [0.0, 0.0])
    found = rec.output_value_and_grad(params, [[1.0]], [1], backend=backend)
    close(found.loss, 2000.0)
    close(found.params.c, [1.0, -1.0])
    deep = rec.RNNParams([[1.0]], [[0.0]], [0.0], *params)
    close(rec.rnn_forward(deep, [[[9.0]]], backend=backend)[0], [[[1.0, 0.0]]])


def test_clipping():
    clipped = rec.clip_grad_norm(np.array([3.0, 4.0]), 1.0)
    close(clipped.grads, [0.6, 0.8])
    assert clipped.norm == 5.0
    grads = (np.array([3.0]), None, [np.array([[0.0, -4.0]])])
    assert rec.global_norm(grads) == 5.0
    clipped = rec.clip_grad_norm(grads, 2.5)
    close(clipped.grads[0], [1.5])
    assert clipped.grads[1] is None
    close(clipped.grads[2][0], [[0.0, -2.0]])
    # what is short enough stays as it is
    assert rec.clip_grad_norm(grads, 5.0).grads is grads
    assert rec.clip_grad_norm(clipped.grads, 2.5 * (1 + 1e-15)).grads is clipped.grads
    close(rec.clip_grad_value(np.array([3.0, -0.5, -3.0]), 1.0), [1.0, -0.5, -1.0])
    assert rec.clip_grad_value((np.array([2.0]), None), 1.0)[1] is None
    assert np.isnan(rec.clip_grad_value(np.array([np.nan]), 1.0)[0])


def test_norms_of_extreme_gradients():
    close(rec.global_norm(np.array([3e200, 4e200])) / 1e200, 5.0)
    close(rec.global_norm(np.array([3e-200, 4e-200])) / 1e-200, 5.0)
    assert rec.global_norm(np.array([3e30, 4e30], np.float32)) == pytest.approx(5e30, rel=1e-6)
    assert rec.global_norm([np.zeros(3), np.zeros(0)]) == 0.0
    clipped = rec.clip_grad_norm(np.array([3e30, 4e30], np.float32), 1.0)
    assert clipped.grads.dtype == np.float32
    np.testing.assert_allclose(clipped.grads, [0.6, 0.8], rtol=1e-6)
    for bad, norm in ((np.nan, np.nan), (np.inf, np.inf), (-np.inf, np.inf)):
        grads = np.array([1.0, bad])
        clipped = rec.clip_grad_norm(grads, 1.0)
        np.testing.assert_equal(clipped.norm, norm)
        np.testing.assert_array_equal(clipped.grads, grads)


def test_eigenvalues():
    assert rec.spectral_radius([[0.0, 2.0], [-2.0, 0.0]]) == pytest.approx(2.0, rel=1e-14)
    # not the largest singular value, which is above 100
    assert rec.spectral_radius([[0.5, 100.0], [0.0, -0.9]]) == pytest.approx(0.9, rel=1e-12)
    assert rec.spectral_radius([[0.0, 1.0], [0.0, 0.0]]) == 0.0


@pytest.mark.parametrize(
    ("rho", "after"), [(0.5, 8.9e-16), (0.9, 0.0051538), (1.0, 1.0), (1.1, 117.39), (1.5, 6.38e8)]
)
def test_fifty_steps(rho, after):
    W = rec.orthogonal(8, rng=0, radius=rho)
    norms = rec.gradient_norm_profile(W, 50)
    np.testing.assert_allclose(norms, rho ** np.arange(51), rtol=1e-9)
    assert norms[50] == pytest.approx(after, rel=3e-3)
    # tanh damps: with states other than 0 the product is smaller, but never above the bound
    h = np.tanh(np.random.default_rng(1).normal(size=(60, 8)))
    damped = rec.gradient_norm_profile(W, 50, h)
    assert np.all(damped <= norms * (1 + 1e-12))
    assert damped[50] < 0.01 * norms[50]


def test_jacobians():
    close(rec.hidden_jacobian([0.0, 0.5], [[1.0, 2.0], [4.0, 8.0]]), [[1, 2], [3, 6]])
    h = np.array([[0.5, 0.0], [0.0, 0.5]])
    W = np.array([[0.0, 1.0], [2.0, 0.0]])
    # the later Jacobian stands to the left: [[0, 1], [1.5, 0]] [[0, 0.75], [2, 0]]
    close(rec.gradient_norm_profile(W, 2, h), [1.0, 1.5, 2.0])
    close(rec.hidden_jacobian(h, W), [[[0, 0.75], [2, 0]], [[0, 1], [1.5, 0]]])


@pytest.mark.parametrize(("bias", "kept"), [(1.0, 1.5762e-7), (5.0, 0.7148)])
def test_an_open_forget_gate_keeps_the_error(bias, kept, backend):
    params = rec.lstm_params(2, 3, rng=0, forget_bias=bias)
    params = params._replace(**{name: 0 * getattr(params, name) for name in ("Wf", "Rf")})
    x = np.random.default_rng(0).normal(size=(50, 4, 2))
    _, trace = rec.lstm_forward(params, x, backend=backend)
    np.testing.assert_allclose(rec.lstm_cell_jacobian(trace), kept, rtol=2e-4)
    close(rec.lstm_cell_jacobian(trace, 3, 5), sigma(bias) ** 2)
    close(rec.lstm_cell_jacobian(trace, 5, 5), 1.0)
    mask = np.arange(50)[:, None] < [50, 2, 0, 1]
    _, trace = rec.lstm_forward(params, x, mask=mask, backend=backend)
    close(rec.lstm_cell_jacobian(trace)[1:, 0], [sigma(bias) ** k for k in (2, 0, 1)])


def test_unequal_lengths():
    sequences = [[[1.0], [2.0]], [[3.0]], [[4.0], [5.0]], np.zeros((0, 1))]
    groups = rec.group_by_length(sequences)
    assert [g.places.tolist() for g in groups] == [[3], [1], [0, 2]]
    assert [g.x[:, :, 0].tolist() for g in groups] == [[], [[3.0]], [[1.0, 4.0], [2.0, 5.0]]]
    padded = rec.pad(sequences)
    assert padded.x[:, :, 0].tolist() == [[1, 3, 4, 0], [2, 0, 5, 0]]
    assert padded.mask.tolist() == [[True, True, True, False], [True, False, True, False]]
    single = rec.pad([np.ones((2, 1), np.float32)] * 2)
    assert single.x.dtype == np.float32


def test_a_sample_feeds_back_what_was_drawn():
    # after 0 comes 1 and after 1 comes 0; before the first the bias decides
    W, V = np.array([[10.0, -10.0]]), np.array([[-100.0], [100.0]])
    params = rec.RNNParams(np.zeros((1, 1)), W, np.ones(1), V, np.zeros(2))
    assert rec.sample(params, [0.0], 5, rng=0).tolist() == [1, 0, 1, 0, 1]
    assert rec.sample(params, [[0.0]] * 3, 2, rng=0).tolist() == [[1, 1, 1], [0, 0, 0]]
    assert rec.sample(params, [0.0], 0, rng=0).shape == (0,)
    # the input is there at every step: it decides alone
    params = rec.RNNParams(np.ones((1, 1)), 0 * W, np.zeros(1), V, np.zeros(2))
    drawn = rec.sample(params, [[5.0], [-5.0]], 4, rng=0)
    assert drawn.T.tolist() == [[1] * 4, [0] * 4]


def test_a_sample_follows_the_chances():
    chances = np.array([0.1, 0.2, 0.7])
    params = rec.RNNParams(np.zeros((1, 1)), np.zeros((1, 3)), np.zeros(1), np.zeros((3, 1)),
                           np.log(chances))  # fmt: skip
    drawn = rec.sample(params, np.zeros((100, 1)), 100, rng=0)
    close(np.bincount(drawn.ravel(), minlength=3) / 10000, chances, 0.015)
    cold = rec.sample(params, np.zeros((100, 1)), 10, rng=0, temperature=0.05)
    assert np.all(cold == 2)
    warm = rec.sample(params, np.zeros((100, 1)), 100, rng=0, temperature=1e6)
    close(np.bincount(warm.ravel()) / 10000, 1 / 3, 0.02)
    rng = np.random.default_rng(3)
    assert np.array_equal(rec.sample(params, np.zeros((9, 1)), 9, rng=3),
                          rec.sample(params, np.zeros((9, 1)), 9, rng=rng))  # fmt: skip


def test_dropout_keeps_the_mean(rnn, backend):
    params = rnn(3, 2)
    x = np.ones((50, 40, 3))
    _, trace = rec.rnn_forward(params, x, dropout=0.25, rng=0, backend=backend)
    assert set(np.unique(trace.x)) == {0.0, 1 / 0.75}
    close(trace.x.mean(), 1.0, 0.02)
    plain, _ = rec.rnn_forward(params, x, backend=backend)
    again, _ = rec.rnn_forward(params, x, dropout=0.0, backend=backend)
    assert np.array_equal(plain, again)
