"""The compiled recurrences against the reference, on shapes that nobody would think of.

In float64 the two may differ by 1e-13 of the largest number of an array, in float32 by 1e-5 from
the reference in float64; 3e-15 and 1e-6 were seen, over 2000 shapes. These are the roundings of
some hundred terms, carried through a few steps whose Jacobians do not stretch. (Where they do, in a
network that is chaotic, the last digit of a step becomes the first one of a later step, and no two
orders of summation agree.)
"""

import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ketkar import recurrent as rec
from ketkar.trees import leaves, tree_map

TIME, BATCH = st.integers(1, 12), st.integers(1, 20)
UNITS = st.integers(1, 40) | st.sampled_from([15, 16, 17, 31, 32, 33, 63, 65])
FEW = st.integers(1, 20)
SEEDS = st.integers(0, 10**6)
TYPES = st.sampled_from([np.float64, np.float32])
CUTS = st.none() | st.integers(1, 13)


def case(seed, T, N, n, h, m, dtype, masked):
    """Arrays of a recurrence whose Jacobians do not stretch, and a mask or none."""
    rng = np.random.default_rng(seed)
    params = rec.rnn_params(n, h, m, rng=rng, radius=0.9)
    params = params._replace(b=0.3 * rng.normal(size=h), c=0.3 * rng.normal(size=m))
    lstm = rec.lstm_params(n, h, rng=rng, radius=0.5)
    spread = {name: 0.3 * rng.normal(size=h) for name in ("pi", "pf", "po", "bz", "bi", "bo")}
    lstm = lstm._replace(**spread)
    x, h0, c0, dh, dc = (rng.normal(size=s) for s in ((T, N, n), *[(N, h)] * 4))
    labels = rng.integers(0, m, (T, N))
    mask = rng.random((T, N)) < 0.7 if masked else None
    arrays = tree_map(lambda a: a.astype(dtype), (params, lstm, x, h0, c0, dh, dc))
    return *arrays, rng.normal(size=(T, N, m)).astype(dtype), labels, mask


def wider(nest):
    return tree_map(lambda a: a.astype(np.float64), nest)


def agree(run, dtype, assert_close, *nests):
    """The compiled result is the reference's, in both types, and has the type of what came in."""
    found = run("cpu", *nests)
    for path, a in leaves(found):
        assert a.dtype == dtype, path
    if dtype == np.float64:
        assert_close(found, run("numpy", *nests), 1e-13)
    else:
        assert_close(found, run("numpy", *wider(nests)), 1e-5)


@pytest.fixture(autouse=True)
def _compiled(request):
    """Most of these tests need the compiled kernels; the others ask for a backend."""
    if "backend" not in request.fixturenames:
        pytest.importorskip("numba", reason="the compiled kernels need numba")


@settings(max_examples=80)
@given(seed=SEEDS, T=TIME, N=BATCH, n=FEW, h=UNITS, m=FEW, dtype=TYPES, masked=st.booleans(),
       k=CUTS, outputs=st.booleans())  # fmt: skip
def test_rnn(assert_close, seed, T, N, n, h, m, dtype, masked, k, outputs):
    params, _, x, h0, _, dh, _, dy, _, mask = case(seed, T, N, n, h, m, dtype, masked)
    if not outputs:
        params, dy = params._replace(V=None, c=None), np.repeat(dh[None], T, axis=0)

    def run(backend, params, x, h0, dh, dy):
        y, trace = rec.rnn_forward(params, x, h0, mask=mask, backend=backend)
        grads = rec.rnn_backward(params, dy, trace, dh=dh, truncate=k, backend=backend)
        return y, trace.h, grads

    agree(run, dtype, assert_close, params, x, h0, dh, dy)


@settings(max_examples=80)
@given(seed=SEEDS, T=TIME, N=BATCH, n=FEW, h=UNITS, dtype=TYPES, masked=st.booleans(), k=CUTS,
       peepholes=st.booleans())  # fmt: skip
def test_lstm(assert_close, seed, T, N, n, h, dtype, masked, k, peepholes):
    _, params, x, h0, c0, dh, dc, _, _, mask = case(seed, T, N, n, h, 1, dtype, masked)
    if not peepholes:
        params = params._replace(pi=None, pf=None, po=None)

    def run(backend, params, x, y0, c0, dh, dc):
        y, trace = rec.lstm_forward(params, x, (y0, c0), mask=mask, backend=backend)
        grads = rec.lstm_backward(
            params, np.cos(y), trace, dstate=(dh, dc), truncate=k, backend=backend
        )
        return y, trace.y, trace.c, trace.gates, grads

    agree(run, dtype, assert_close, params, x, h0, c0, dh, dc)


@settings(max_examples=60)
@given(seed=SEEDS, T=TIME, N=BATCH, n=FEW, h=UNITS, m=UNITS, dtype=TYPES, masked=st.booleans(),
       k=CUTS, last=st.booleans(), reduction=st.sampled_from(["mean", "sum"]))  # fmt: skip
def test_in_one_go(assert_close, seed, T, N, n, h, m, dtype, masked, k, last, reduction):
    params, lstm, x, h0, c0, *_, labels, mask = case(seed, T, N, n, h, m, dtype, masked)
    labels = labels[-1] if last else labels
    if mask is not None:
        mask[0, 0] = True
    options = {"mask": mask, "truncate": k, "reduction": reduction}

    def run(backend, params, lstm, x, h0, c0):
        one = rec.rnn_value_and_grad(params, x, labels, h0, **options, backend=backend)
        output = rec.OutputParams(*params[3:])
        other = rec.lstm_value_and_grad(
            lstm, output, x, labels, (h0, c0), **options, backend=backend
        )
        kind = x.dtype.type  # the loss is a float, whatever the type of the arrays
        return one._replace(loss=kind(one.loss)), other._replace(loss=kind(other.loss))

    agree(run, dtype, assert_close, params, lstm, x, h0, c0)


@settings(max_examples=40)
@given(seed=SEEDS, N=st.integers(1, 70), h=UNITS, m=UNITS, dtype=TYPES, masked=st.booleans())
def test_output_layer(assert_close, seed, N, h, m, dtype, masked):
    params, *_, mask = case(seed, 1, N, 1, h, m, dtype, masked)
    rng = np.random.default_rng(seed)
    states = np.tanh(rng.normal(size=(N, h))).astype(dtype)
    labels = rng.integers(0, m, N)
    if mask is not None:
        mask = mask[0]
        mask[-1] = True

    def run(backend, params, states):
        output = rec.OutputParams(*params[3:])
        found = rec.output_value_and_grad(output, states, labels, mask=mask, backend=backend)
        return found._replace(loss=states.dtype.type(found.loss))

    agree(run, dtype, assert_close, params, states)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("T", "N", "n", "h", "m"), [(3, 130, 5, 97, 70), (90, 1, 2, 33, 3)])
def test_large_and_long(assert_close, dtype, T, N, n, h, m):
    for outputs in (True, False):
        test_rnn.hypothesis.inner_test(
            assert_close, 1, T, N, n, h, m, dtype, not outputs, None, outputs
        )
    test_lstm.hypothesis.inner_test(assert_close, 1, T, N, n, h, dtype, False, 7, True)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("T", "N", "n", "h", "m"), [(40, 61, 33, 65, 50), (9, 17, 200, 150, 90),
                                           (300, 8, 3, 64, 2)])  # fmt: skip
def test_the_number_of_threads_changes_nothing(monkeypatch, dtype, T, N, n, h, m):
    from ketkar.kernels.cpu import recurrence

    params, lstm, x, h0, c0, dh, dc, dy, labels, mask = case(0, T, N, n, h, m, dtype, True)
    output = rec.OutputParams(*params[3:])
    results = []
    for threads in ("1", "2", "3", "7"):
        monkeypatch.setenv("KETKAR_NUM_THREADS", threads)
        if N == 61:  # here are enough sequences for all of them
            assert recurrence.slices(x, 4 * (lstm.Wz.size + lstm.Rz.size)) == int(threads)
        y, trace = rec.rnn_forward(params, x, h0, mask=mask, backend="cpu")
        grads = rec.rnn_backward(params, dy, trace, dh=dh, backend="cpu")
        states, memory = rec.lstm_forward(lstm, x, (h0, c0), mask=mask, backend="cpu")
        slopes = rec.lstm_backward(lstm, states, memory, dstate=(dh, dc), backend="cpu")
        loss = rec.output_value_and_grad(output, states, labels, backend="cpu")
        one = rec.rnn_value_and_grad(params, x, labels, h0, truncate=20, backend="cpu")
        results.append([
            a for _, a in leaves((y, grads, trace.h, states, slopes, memory.c, loss, one))
        ])  # fmt: skip
    for other in results[1:]:
        for a, e in zip(other, results[0], strict=True):
            np.testing.assert_array_equal(a, e)


NETS = ["rnn", "lstm"]


def outputs_of(net, x, state, mask, backend, rnn, lstm):
    """Outputs and states of a network on 3 inputs with 17 units, and its way back."""
    if net == "rnn":
        params = rnn(3, 17, 5, size=0.4)
        y, trace = rec.rnn_forward(params, x, state, mask=mask, backend=backend)
        return y, trace.h, lambda: rec.rnn_backward(params, y, trace, backend=backend)
    params = lstm(3, 17, size=0.4)
    start = None if state is None else (state, state)
    y, trace = rec.lstm_forward(params, x, start, mask=mask, backend=backend)
    return y, trace.c, lambda: rec.lstm_backward(params, y, trace, backend=backend)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("masked", [False, True])
def test_nan_goes_on_in_its_sequence_and_nowhere_else(rnn, lstm, draw, backend, net, masked):
    x, state = draw((9, 21, 3), (21, 17))
    mask = np.ones((9, 21), bool) if masked else None
    sound, _, back = outputs_of(net, x, state, mask, backend, rnn, lstm)
    back_sound = back()
    for step, sequence in ((0, 0), (4, 7), (8, 20)):
        spoiled = x.copy()
        spoiled[step, sequence, 1] = np.nan
        y, states, back = outputs_of(net, spoiled, state, mask, backend, rnn, lstm)
        expected = np.zeros(y.shape, bool)
        expected[step:, sequence] = True
        np.testing.assert_array_equal(np.isnan(y), expected)
        assert np.isnan(states[step + 1 :, sequence]).all()
        np.testing.assert_array_equal(y[~expected], sound[~expected])
        # its gradient is NaN too, the others' is what it was, and the weights owe it theirs
        grads = back()
        others = np.arange(21) != sequence
        np.testing.assert_array_equal(grads.x[:, others], back_sound.x[:, others])
        assert np.isnan(grads.x[step:, sequence]).all()
        assert np.isnan(grads.params[0]).all()
    # a state that is NaN spoils its sequence from the first step on
    broken = state.copy()
    broken[7, 3] = np.nan
    y, _, _ = outputs_of(net, x, broken, mask, backend, rnn, lstm)
    assert np.isnan(y[:, 7]).all()
    others = np.arange(21) != 7
    np.testing.assert_array_equal(y[:, others], sound[:, others])


@pytest.mark.parametrize("net", NETS)
def test_nan_in_padding_is_not_read(rnn, lstm, draw, backend, net):
    (x,) = draw((9, 21, 3))
    mask = np.arange(9)[:, None] < np.arange(21) % 9 + 1
    sound, _, back = outputs_of(net, x, None, mask, backend, rnn, lstm)
    spoiled = np.where(mask[:, :, None], x, np.nan)
    y, _, back_spoiled = outputs_of(net, spoiled, None, mask, backend, rnn, lstm)
    np.testing.assert_array_equal(y, sound)
    for (_, a), (_, e) in zip(leaves(back_spoiled()), leaves(back()), strict=True):
        np.testing.assert_array_equal(a, e)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_saturates(rnn, lstm, draw, net, value):
    x, state = draw((6, 11, 3), (11, 17))
    x[2, 4, 1] = value
    # columns of one sign: no infinity meets another
    found, expected = (
        outputs_of(net, x, state, None, backend, rnn, lstm)[0] for backend in ("cpu", "numpy")
    )
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_huge_inputs_saturate(rnn, lstm, draw, backend, dtype):
    (x,) = draw((5, 9, 3), dtype=dtype)
    x *= dtype(1e30)
    for net in NETS:
        y, states, _ = outputs_of(net, x, None, None, backend, rnn, lstm)
        assert np.isfinite(y).all()
        assert np.isfinite(states).all()
        if net == "rnn":
            np.testing.assert_array_equal(np.abs(states[1:]), 1)


def forms(a):
    """The same numbers, lying otherwise in memory."""
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    wide[..., ::2] = a
    frozen = a.copy()
    frozen.flags.writeable = False
    unaligned = np.frombuffer(b"x" + a.tobytes(), a.dtype, offset=1).reshape(a.shape)
    return {
        "strided": wide[..., ::2],
        "backwards": np.ascontiguousarray(a[::-1])[::-1],
        "columns": np.asfortranarray(a),
        "frozen": frozen,
        "unaligned": unaligned,
        "other byte order": a.astype(a.dtype.newbyteorder()),
        "list": a.tolist(),
    }


def signatures():
    """How many versions of the kernels this process has compiled or loaded."""
    modules = [m for name, m in list(sys.modules.items()) if name.startswith("ketkar.kernels.cpu")]
    found = {id(k): k for m in modules for k in vars(m).values() if hasattr(k, "signatures")}
    return sum(len(kernel.signatures) for kernel in found.values())


@pytest.mark.parametrize("form", ["strided", "backwards", "columns", "frozen", "unaligned",
                                  "other byte order", "list"])  # fmt: skip
def test_however_arrays_lie_in_memory(rnn, lstm, softmax_layer, draw, backend, form):
    x, h0, dy, dh = draw((5, 6, 3), (6, 7), (5, 6, 4), (6, 7))
    mask = np.random.default_rng(0).random((5, 6)) < 0.7
    labels = np.random.default_rng(1).integers(0, 4, (5, 6))
    nets = rnn(3, 7, 4), lstm(3, 7), softmax_layer(7, 4)

    def run(nets, x, h0, dy, dh, mask, labels):
        one, other, output = nets
        y, trace = rec.rnn_forward(one, x, h0, mask=mask, backend=backend)
        grads = rec.rnn_backward(one, dy, trace, dh=dh, backend=backend)
        states, memory = rec.lstm_forward(other, x, (h0, h0), mask=mask, backend=backend)
        slopes = rec.lstm_backward(other, states, memory, dstate=(dh, dh), backend=backend)
        loss = rec.output_value_and_grad(output, states, labels, mask=mask, backend=backend)
        whole = rec.lstm_value_and_grad(other, output, x, labels, mask=mask, backend=backend)
        return y, grads, states, slopes, loss, whole

    def other(a):
        return forms(a)[form]

    plain = run(nets, x, h0, dy, dh, mask, labels)
    compiled = signatures()
    turned = [type(net)(*map(other, net)) for net in nets]
    found = run(turned, *map(other, (x, h0, dy, dh, mask, labels)))
    assert signatures() == compiled  # compiling takes half a minute
    for (path, a), (_, e) in zip(leaves(found), leaves(plain), strict=True):
        np.testing.assert_array_equal(a, e, path)


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8, np.bool_, np.float16])
def test_other_numbers_become_float64(rnn, lstm, backend, dtype):
    x = np.random.default_rng(0).integers(0, 2, (4, 3, 2)).astype(dtype)
    for forward, params in ((rec.rnn_forward, rnn(2, 5, 3)), (rec.lstm_forward, lstm(2, 5))):
        y, trace = forward(params, x, backend=backend)
        assert y.dtype == trace.x.dtype == np.float64
        np.testing.assert_array_equal(y, forward(params, x * 1.0, backend=backend)[0])


def test_float32_stays_and_float64_wins(rnn, lstm, softmax_layer, draw, backend):
    small, wide = draw((4, 3, 2), dtype=np.float32)[0], draw((4, 3, 2))[0]
    for make, forward, back in ((rnn, rec.rnn_forward, rec.rnn_backward),
                                (lstm, rec.lstm_forward, rec.lstm_backward)):  # fmt: skip
        for params_type, x, expected in ((np.float32, small, np.float32),
                                         (np.float64, small, np.float64),
                                         (np.float32, wide, np.float64)):  # fmt: skip
            params = make(2, 5, dtype=params_type)
            y, trace = forward(params, x, backend=backend)
            grads = back(params, np.ones(y.shape), trace, backend=backend)
            assert {a.dtype for _, a in leaves((y, grads))} == {np.dtype(expected)}
    params = rnn(2, 5, 3, dtype=np.float32)
    once = rec.many_to_one(params._replace(V=params.V.astype(float)), small, backend=backend)[0]
    assert once.dtype == np.float64
    found = rec.rnn_value_and_grad(params, small, np.zeros((4, 3), int), backend=backend)
    assert {a.dtype for _, a in leaves((found.params, found.h))} == {np.dtype(np.float32)}
    layer = softmax_layer(5, 3, dtype=np.float32)
    found = rec.lstm_value_and_grad(
        lstm(2, 5, dtype=np.float32), layer, small, np.zeros(3, int), backend=backend
    )
    assert {a.dtype for _, a in leaves((found.params, found.output))} == {np.dtype(np.float32)}


def working_memory(T, truncate, net="rnn"):
    """The most bytes that a loss with its gradients needs at once, beyond what it is given."""
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(T, 1, 1)), rng.integers(0, 2, (T, 1))
    params = rec.rnn_params(1, 2, 2, rng=0)
    lstm, output = rec.lstm_params(1, 2, rng=0), rec.output_params(2, 2, rng=0)

    def run(x, labels):
        if net == "rnn":
            return rec.rnn_value_and_grad(params, x, labels, truncate=truncate)
        return rec.lstm_value_and_grad(lstm, output, x, labels, truncate=truncate)

    run(x[:10], labels[:10])  # compiles, and makes what is made once
    tracemalloc.start()
    try:
        run(x, labels)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("net", NETS)
def test_without_truncation_memory_grows_with_the_sequence(net):
    short, long = (working_memory(T, None, net) for T in (20_000, 200_000))
    assert 8 < long / short < 12


@pytest.mark.slow
@pytest.mark.parametrize("net", NETS)
def test_truncated_a_million_steps_need_no_more_memory(net):
    short, long = (working_memory(T, 10_000, net) for T in (100_000, 1_000_000))
    assert long < 1.05 * short
    # what is kept is a few arrays of one piece; x alone has 8 million bytes
    assert long < 5_000_000
