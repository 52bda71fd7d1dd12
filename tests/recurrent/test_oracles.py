"""The same numbers from libraries that differentiate by themselves, torch and jax.

Outputs, last states and all gradients are compared, with float64 on both sides; torch has two
biases where the textbook has one, and an LSTM without peepholes. With peepholes the equations are
written out, and torch and jax differentiate them.
"""

import numpy as np
import pytest

from ketkar import recurrent as rec
from ketkar.trees import leaves

T, N, n, h, m = 7, 3, 4, 5, 6
MASK = np.arange(T)[:, None] < [7, 3, 5]


@pytest.fixture(scope="session")
def torch():
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture(scope="session")
def jax():
    jax = pytest.importorskip("jax", reason="jax is not installed")
    jax.config.update("jax_enable_x64", True)
    # the first time, it draws from NumPy's global generator, which no test of ours may do
    jax.lax.conv(np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1)), (1, 1), "VALID").block_until_ready()
    return jax


def tensors(torch, nest):
    """The arrays of a nest as tensors that want gradients, in a list."""
    return [torch.tensor(a, requires_grad=True) for _, a in leaves(nest)]


def slopes(tensors):
    return [t.grad.numpy() for t in tensors]


def test_an_rnn_against_torch(torch, rnn, draw, backend, assert_close):
    params = rnn(n, h)
    x, h0, dy, dh = draw((T, N, n), (N, h), (T, N, h), (N, h))
    net = torch.nn.RNN(n, h, dtype=torch.float64)  # tanh is what it does if not told otherwise
    zero = np.zeros(h)
    with torch.no_grad():
        for theirs, ours in zip(net.parameters(), (*params[:3], zero), strict=True):
            theirs.copy_(torch.tensor(ours))
    given, start = tensors(torch, [x, h0[None]])
    y, last = net(given, start)
    ((y * torch.tensor(dy)).sum() + (last[0] * torch.tensor(dh)).sum()).backward()
    found, trace = rec.rnn_forward(params, x, h0, backend=backend)
    grads = rec.rnn_backward(params, dy, trace, dh=dh, backend=backend)
    assert_close(found, y.detach().numpy())
    U, W, b, other = slopes(net.parameters())
    assert_close(b, other)
    assert_close((grads.params, grads.x, grads.h0), [U, W, b, given.grad, start.grad[0]])


def test_an_lstm_against_torch(torch, lstm, draw, backend, assert_close):
    params = lstm(n, h, peepholes=False)
    x, y0, c0, dy, *late = draw((T, N, n), (N, h), (N, h), (T, N, h), (N, h), (N, h))
    net = torch.nn.LSTM(n, h, dtype=torch.float64)

    def stacked(p, letter):
        """In torch's order, which names the block input g and has it third: i, f, g, o."""
        return np.concatenate([getattr(p, letter + gate) for gate in "ifzo"])

    ours = [stacked(params, letter) for letter in "WRb"]
    with torch.no_grad():
        for theirs, array in zip(net.parameters(), (*ours, np.zeros(4 * h)), strict=True):
            theirs.copy_(torch.tensor(array))
    given, y_first, c_first = tensors(torch, [x, y0[None], c0[None]])
    y, last = net(given, (y_first, c_first))
    ends = zip(last, late, strict=True)
    total = (y * torch.tensor(dy)).sum() + sum((a[0] * torch.tensor(d)).sum() for a, d in ends)
    total.backward()
    found, trace = rec.lstm_forward(params, x, (y0, c0), backend=backend)
    grads = rec.lstm_backward(params, dy, trace, dstate=late, backend=backend)
    assert_close(found, y.detach().numpy())
    assert_close(trace.last.c, last[1][0].detach().numpy())
    assert_close([stacked(grads.params, letter) for letter in "WRb"], slopes(net.parameters())[:3])
    assert_close(grads.x, given.grad.numpy())
    assert_close(grads.state, [y_first.grad[0], c_first.grad[0]])


def peephole_step(library, p, x, there, y, c):
    """The next output and cell state of an LSTM with peepholes; p in the order of `LSTMParams`."""
    Wz, Wi, Wf, Wo, Rz, Ri, Rf, Ro, pi, pf, po, bz, bi, bf, bo = p
    tanh = library.tanh

    def sigma(v):
        return (1 + tanh(v / 2)) / 2

    z = tanh(x @ Wz.T + y @ Rz.T + bz)
    i = sigma(x @ Wi.T + y @ Ri.T + pi * c + bi)
    f = sigma(x @ Wf.T + y @ Rf.T + pf * c + bf)
    new = z * i + c * f
    o = sigma(x @ Wo.T + y @ Ro.T + po * new + bo)
    out = o * tanh(new)
    return library.where(there[:, None], out, y), library.where(there[:, None], new, c)


def ours_with_peepholes(params, x, y0, c0, dy, dc, mask, backend):
    y, trace = rec.lstm_forward(params, x, (y0, c0), mask=mask, backend=backend)
    grads = rec.lstm_backward(params, dy, trace, dstate=(None, dc), backend=backend)
    return [y, trace.last.c, *grads.params, grads.x, *grads.state]


@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "mask"])
def test_peepholes_against_torch(torch, lstm, draw, backend, assert_close, mask):
    params = lstm(n, h)
    x, y0, c0, dy, dc = draw((T, N, n), (N, h), (N, h), (T, N, h), (N, h))
    *p, given, y_first, c_first = tensors(torch, [*params, x, y0, c0])
    there = torch.tensor(np.ones((T, N), bool) if mask is None else mask)
    state, outputs = (y_first, c_first), []
    for t in range(T):
        state = peephole_step(torch, p, given[t], there[t], *state)
        outputs.append(state[0])
    y, c = torch.stack(outputs), state[1]
    ((y * torch.tensor(dy)).sum() + (c * torch.tensor(dc)).sum()).backward()
    expected = [y.detach().numpy(), c.detach().numpy(), *slopes([*p, given, y_first, c_first])]
    assert_close(ours_with_peepholes(params, x, y0, c0, dy, dc, mask, backend), expected)


@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "mask"])
def test_peepholes_against_jax(jax, lstm, draw, backend, assert_close, mask):
    params = lstm(n, h)
    x, y0, c0, dy, dc = draw((T, N, n), (N, h), (N, h), (T, N, h), (N, h))
    there = np.ones((T, N), bool) if mask is None else mask

    def f(*arrays):
        *p, x, y0, c0 = arrays

        def step(state, read):
            state = peephole_step(jax.numpy, p, *read, *state)
            return state, state[0]

        (_, c), y = jax.lax.scan(step, (y0, c0), (x, there))
        return y, c

    results, back = jax.vjp(f, *params, x, y0, c0)
    expected = [np.asarray(a) for a in (*results, *back((dy, dc)))]
    assert_close(ours_with_peepholes(params, x, y0, c0, dy, dc, mask, backend), expected)


@pytest.mark.parametrize("mask", [None, MASK], ids=["plain", "mask"])
def test_a_loss_against_torch(torch, rnn, draw, backend, assert_close, mask):
    params = rnn(n, h, m)
    x, h0 = draw((T, N, n), h)
    labels = np.random.default_rng(0).integers(0, m, (T, N))
    U, W, b, V, c, start = tensors(torch, [*params, h0])
    state, scores = start.expand(N, h), []
    there = torch.tensor(np.ones((T, N), bool) if mask is None else mask)
    for t in range(T):
        new = torch.tanh(torch.tensor(x[t]) @ U.T + state @ W.T + b)
        state = torch.where(there[t][:, None], new, state)
        scores.append(state @ V.T + c)
    loss = torch.nn.functional.cross_entropy(
        torch.stack(scores)[there], torch.tensor(labels)[there], reduction="sum"
    )
    loss.backward()
    found = rec.rnn_value_and_grad(
        params, x, labels, h0, mask=mask, reduction="sum", backend=backend
    )
    assert_close(found[:3], [loss.item(), slopes([U, W, b, V, c]), start.grad.numpy()])


@pytest.mark.parametrize("forced", [False, True])
def test_an_output_recurrence_against_jax(jax, rnn, draw, assert_close, forced):
    params = rnn(n, h, m, feedback="output")
    x, y0, dy, rows = draw((T, N, n), (N, m), (T, N, m), (T, N, m))

    def f(U, W, b, V, c, x, y):
        def step(fed, read):
            x, true = read
            h = jax.numpy.tanh(x @ U.T + fed @ W.T + b)
            out = jax.nn.softmax(h @ V.T + c)
            return (true if forced else out), out

        return jax.lax.scan(step, y, (x, rows))[1]

    expected, back = jax.vjp(f, *params, x, y0)
    y, trace = rec.output_rnn_forward(params, x, rows if forced else None, y0)
    grads = rec.output_rnn_backward(params, dy, trace)
    theirs = [np.asarray(a) for a in (expected, *back(dy))]
    assert_close([y, *grads.params, grads.x, grads.y0], theirs)


def test_a_bidirectional_network_against_torch(torch, rnn, draw, backend, assert_close):
    one, other = rnn(n, h, m), rnn(n, h, m, seed=1)
    params = rec.BidirectionalParams(*one[:3], *other[:3], one.V, other.V, one.c)
    x, dy = draw((T, N, n), (T, N, m))
    net = torch.nn.RNN(n, h, bidirectional=True, dtype=torch.float64)
    zero = np.zeros(h)
    with torch.no_grad():
        for theirs, ours in zip(net.parameters(), (*one[:3], zero, *other[:3], zero), strict=True):
            theirs.copy_(torch.tensor(ours))
    given, V, c = tensors(torch, [x, np.hstack([one.V, other.V]), one.c])
    y = torch.softmax(net(given)[0] @ V.T + c, dim=2)
    (y * torch.tensor(dy)).sum().backward()
    found, trace = rec.bidirectional(params, x, backend=backend)
    grads = rec.bidirectional_backward(params, dy, trace, backend=backend)
    Uf, Wf, bf, _, Ub, Wb, bb, _ = slopes(net.parameters())
    dV = V.grad.numpy()
    expected = [Uf, Wf, bf, Ub, Wb, bb, dV[:, :h], dV[:, h:], c.grad.numpy()]
    assert_close([found, grads.params, grads.x], [y.detach().numpy(), expected, given.grad.numpy()])


@pytest.mark.parametrize("radius", [0.9, 1.2])
def test_a_long_sequence_against_torch(torch, draw, backend, assert_close, radius):
    params = rec.rnn_params(n, h, m, rng=0, radius=radius)
    x, dh = draw((80, N, n), (80, N, h))
    U, W, b = tensors(torch, params[:3])
    state, total = torch.zeros(N, h, dtype=torch.float64), 0
    for t in range(80):
        state = torch.tanh(0.1 * torch.tensor(x[t]) @ U.T + state @ W.T + b)
        total = total + (state * torch.tensor(dh[t])).sum()
    total.backward()
    states = params._replace(V=None, c=None)
    _, trace = rec.rnn_forward(states, 0.1 * x, backend=backend)
    grads = rec.rnn_backward(states, dh, trace, backend=backend)
    assert_close(grads.params, slopes([U, W, b]))
    assert_close(rec.bptt_by_definition(params, dh, trace), slopes([U, W, b]), 1e-9)
