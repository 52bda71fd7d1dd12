"""Layers as values: dense layers, chains of layers, and the parameters that belong to them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketkar import feedforward as ff
from ketkar import network
from ketkar.feedforward import DenseParams
from ketkar.kernels.backend import available
from ketkar.network import Dense, chain
from ketkar.trees import leaves

BACKENDS = ["auto", *(name for name in ("numpy", "cpu") if not available()[name])]
X = np.random.default_rng(0).normal(size=(6, 3))
NET = chain(Dense(3, 5, "tanh"), Dense(5, 4, "sigmoid"), Dense(4, 2))
PARAMS = NET.init(1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_chain_is_the_composition_of_its_layers(backend):
    expected = ff.mlp(X, PARAMS, ["tanh", "sigmoid", "identity"])
    assert np.allclose(NET(PARAMS, X, backend=backend), expected, rtol=1e-13)
    assert np.allclose(NET(PARAMS, X[0], backend=backend), expected[0], rtol=1e-13)
    y, trace = NET.forward(PARAMS, X, backend=backend)
    assert np.array_equal(y, NET(PARAMS, X, backend=backend))
    assert [t.z.shape for t in trace] == [(6, 5), (6, 4), (6, 2)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_chain_differentiates_like_the_written_out_backpropagation(backend, finite_difference):
    names = ["tanh", "sigmoid", "identity"]
    dy = np.random.default_rng(2).normal(size=(6, 2))
    _, trace = NET.forward(PARAMS, X, backend=backend)
    dx, grads = NET.backward(PARAMS, dy, trace, backend=backend)
    by_hand = ff.mlp_backward(dy, ff.mlp_trace(X, PARAMS, names), PARAMS, names)
    assert np.allclose(dx, by_hand[0].x, atol=1e-14)
    for yours, theirs in zip(grads, by_hand, strict=True):
        assert np.allclose(yours.W, theirs.W, atol=1e-13)
        assert np.allclose(yours.b, theirs.b, atol=1e-13)

    def total(x, W, b):
        h = np.tanh(x @ W + b)
        h = 1 / (1 + np.exp(-(h @ PARAMS[1].W + PARAMS[1].b)))
        return (dy * (h @ PARAMS[2].W + PARAMS[2].b)).sum()

    for yours, theirs in zip(
        (dx, *grads.dense1), finite_difference(total, X, *PARAMS.dense1), strict=True
    ):
        assert np.allclose(yours, theirs, atol=1e-9)


@pytest.mark.parametrize("activation", ["identity", "sigmoid", "tanh", "relu"])
def test_a_layer_checks_itself(activation):
    layer = Dense(3, 4, activation)
    assert network.check_layer(layer, layer.init(0), X)


def test_a_chain_is_a_layer():
    inner = chain(Dense(3, 5, "tanh"), Dense(5, 4, "sigmoid"))
    nested = chain(inner, Dense(4, 2))
    assert nested.names == ("chain1", "dense2")
    params = type(nested.init(0))(type(inner.init(0))(PARAMS[0], PARAMS[1]), PARAMS[2])
    assert np.array_equal(nested(params, X), NET(PARAMS, X))
    assert network.check_layer(nested, params, X)
    assert nested.output_shape((3,)) == (2,)
    assert [name for name, _ in leaves(params)][:2] == ["chain1.dense1.W", "chain1.dense1.b"]


def test_gradients_are_of_the_type_of_the_parameters():
    for dtype in (np.float32, np.float64):
        params = NET.init(0, dtype)
        y, trace = NET.forward(params, X.astype(dtype))
        dx, grads = NET.backward(params, np.ones_like(y), trace)
        assert y.dtype == dx.dtype == dtype
        assert type(grads) is type(params)
        assert [type(g) for g in grads] == [DenseParams] * 3
        for (name, a), (other, b) in zip(leaves(params), leaves(grads), strict=True):
            assert name == other
            assert a.shape == b.shape
            assert a.dtype == b.dtype == dtype


def test_layers_are_values():
    assert Dense(3, 4, "tanh") == Dense(3, 4, "tanh") != Dense(3, 4)
    assert chain(Dense(3, 4)) == chain(Dense(3, 4))
    assert len({NET, chain(*NET.layers)}) == 1
    with pytest.raises(AttributeError):
        Dense(3, 4).n_in = 5
    assert network.Layer.__doc__


def test_the_same_seed_gives_the_same_parameters():
    for a, b in ((NET.init(7), NET.init(7)), (NET.init(7), NET.init(np.random.default_rng(7)))):
        assert np.array_equal(network.flatten(a), network.flatten(b))
    assert not np.array_equal(network.flatten(NET.init(7)), network.flatten(NET.init(8)))
    rng = np.random.default_rng(7)
    assert not np.array_equal(network.flatten(NET.init(rng)), network.flatten(NET.init(rng)))
    assert not (NET.init(7).dense1.W[:2, :2] == NET.init(7).dense2.W[:2, :2]).any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, "float32"])
@pytest.mark.parametrize("name", network.INITIALISERS)
def test_initial_weights(name, dtype):
    n, m = 400, 300
    W = network.initial(name, 3, (n, m), dtype)
    assert W.shape == (n, m)
    assert W.dtype.itemsize == np.dtype(dtype).itemsize
    variance, limit = {
        "zeros": (0, 0),
        "uniform": (0.1**2 / 12, 0.05),
        "glorot_uniform": (2 / (n + m), math.sqrt(6 / (n + m))),
        "he_normal": (2 / n, math.inf),
    }[name]
    assert float(W.var()) == pytest.approx(variance, rel=0.02)
    assert abs(float(W.mean())) <= 4 * math.sqrt(variance / W.size)
    assert np.abs(W).max() <= limit * (1 + 1e-6) if variance else not W.any()
    if math.isfinite(limit) and variance:
        assert np.abs(W).max() > 0.999 * limit
    if name == "he_normal":  # a normal distribution, not a uniform one of that variance
        assert (np.abs(W) < W.std()).mean() == pytest.approx(0.6827, abs=0.01)
    layer = Dense(n, m, init_weights=name)
    assert np.array_equal(layer.init(3).W, network.initial(name, 3, (n, m)))
    assert not layer.init(3).b.any()


def test_initialisers_keep_the_size_of_signals():
    # the reason for their width: through ten layers the outputs neither vanish nor explode
    x = np.random.default_rng(0).normal(size=(200, 128))
    for name, activation in (("he_normal", "relu"), ("glorot_uniform", "identity")):
        net = chain(*(Dense(128, 128, activation, name) for _ in range(10)))
        size = (net(net.init(0), x) ** 2).mean()
        assert 0.1 < size / (x**2).mean() < 10


def test_flatten_and_unflatten():
    theta = network.flatten(PARAMS)
    assert theta.shape == (network.count_parameters(PARAMS),) == (54,)
    assert ff.count_parameters([3, 5, 4, 2]) == 54
    assert np.array_equal(theta[:15], PARAMS.dense1.W.ravel())
    assert np.array_equal(theta[15:20], PARAMS.dense1.b)
    assert not np.shares_memory(theta, PARAMS.dense1.W)
    views = network.unflatten(theta, PARAMS)
    assert type(views) is type(PARAMS)
    for (_, a), (_, b) in zip(leaves(views), leaves(PARAMS), strict=True):
        assert np.array_equal(a, b)
        assert np.shares_memory(a, theta)
    theta[:] = 0
    assert not views.dense3.W.any()
    assert PARAMS.dense3.W.any()


BIG = np.zeros((4, 4))
TABLE = [
    (lambda: chain(), ValueError, ["a chain needs at least one layer"]),
    (lambda: chain(Dense(3, 4), Dense(5, 2)), ValueError,
     ["dense2 does not fit into the chain", "(5,)", "(4,)"]),
    (lambda: chain(chain(Dense(3, 4)), Dense(5, 2)), ValueError, ["dense2 does not fit"]),
    (lambda: chain(Dense(3, 4), chain(Dense(5, 2))), ValueError, ["chain2 does not fit", "(5,)"]),
    (lambda: chain(Dense), TypeError, ["layer 1 of the chain", "expected a layer"]),
    (lambda: chain(Dense(3, 4), "tanh"), TypeError, ["layer 2 of the chain is 'tanh'"]),
    (lambda: chain([Dense(3, 4)]), TypeError, ["layer 1 of the chain", "a list"]),
    (lambda: Dense(0, 2), ValueError, ["n_in must be at least 1"]),
    (lambda: Dense(2, -1), ValueError, ["n_out must be at least 1"]),
    (lambda: Dense(2.0, 1), TypeError, ["n_in must be a whole number", "2.0"]),
    (lambda: Dense("2", 1), TypeError, ["n_in must be a whole number"]),
    (lambda: Dense(2, 1, "cube"), ValueError, ["activation must be one of"]),
    (lambda: Dense(2, 1, init_weights="ones"), ValueError, ["init_weights must be one of"]),
    (lambda: Dense(2, 1).init(None), TypeError, ["rng must be a numpy.random.Generator"]),
    (lambda: Dense(2, 1).init("seed"), TypeError, ["rng must be a numpy.random.Generator"]),
    (lambda: Dense(2, 1).init(np.random.RandomState(0)), TypeError, ["rng", "a RandomState"]),
    (lambda: Dense(2, 1).init(-1), ValueError, ["rng", "-1"]),
    (lambda: Dense(2, 1).init(0, int), TypeError, ["dtype must be float32 or float64"]),
    (lambda: Dense(2, 1).init(0, "float16"), TypeError, ["dtype must be float32 or float64"]),
    (lambda: Dense(2, 1).init(0, "number"), TypeError, ["dtype must be", "'number'"]),
    (lambda: Dense(2, 1).init(0, None), TypeError, ["dtype must be float32 or float64", "None"]),
    (lambda: network.initial("ones", 0, (2, 3)), ValueError, ["name must be one of", "'ones'"]),
    (lambda: network.initial("zeros", 0, ()), ValueError, ["shape must be (input, unit)", "()"]),
    (lambda: network.initial("zeros", 0, (2,)), ValueError, ["shape must be (input, unit)"]),
    (lambda: network.initial("zeros", 0, 3), TypeError, ["shape must be a sequence"]),
    (lambda: network.initial("zeros", 0, (2, 0)), ValueError, ["shape[1] must be at least 1"]),
    (lambda: network.initial("zeros", 0, (2, 1.5)), TypeError, ["shape[1] must be a whole"]),
    (lambda: NET(PARAMS[:2], X), ValueError, ["params must hold one entry", "3 layers",
                                              "2 entries"]),
    (lambda: NET(list(PARAMS), X), ValueError, ["params must hold one entry", "got"]),
    (lambda: NET(None, X), ValueError, ["params must hold one entry", "None"]),
    (lambda: NET(PARAMS[::-1], X), ValueError, ["params hold W (4, 2)", "needs (3, 5)"]),
    (lambda: NET(PARAMS, X[:, :2]), ValueError, ["x has 2 inputs", "W has 3"]),
    (lambda: NET(PARAMS, "x"), TypeError, ["x holds"]),
    (lambda: NET(PARAMS, X[:0]), ValueError, ["x is empty"]),
    (lambda: NET(PARAMS, X, backend="gpu"), ValueError, ["backend", "'gpu'"]),
    (lambda: NET.backward(PARAMS, np.ones((6, 3)), NET.forward(PARAMS, X)[1]), ValueError,
     ["dy has shape (6, 3)", "(6, 2)"]),
    (lambda: NET.backward(PARAMS, np.ones((6, 2)), ()), ValueError, ["trace", "3 layers"]),
    (lambda: NET.backward(PARAMS, np.ones((6, 2)), None), ValueError, ["trace", "None"]),
    (lambda: Dense(3, 2).forward(BIG, X), TypeError, ["params must be DenseParams(W, b)"]),
    (lambda: Dense(3, 2).forward((BIG, BIG[0]), X), ValueError, ["W (4, 4)", "(3, 2)"]),
    (lambda: Dense(3, 2).forward((None, BIG[0]), X), TypeError, ["W holds"]),
    (lambda: network.flatten(()), ValueError, ["there are no parameters"]),
    (lambda: network.flatten((np.ones(2), np.ones(2, np.float32))), TypeError,
     ["all float32 or all float64", "float32, float64"]),
    (lambda: network.flatten(np.ones(3, int)), TypeError, ["these are int64"]),
    (lambda: network.unflatten(np.ones(53), PARAMS), ValueError, ["theta has shape (53,)",
                                                                  "(54,)"]),
    (lambda: network.unflatten([1.0], PARAMS), ValueError, ["theta has shape (1,)"]),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "words"), TABLE)
def test_a_sentence(call, error, words, refuses):
    with refuses(error, *words):
        call()


def test_whatever_comes_in(junk, answers_or_refuses):
    @given(junk, st.sampled_from([
        lambda v: NET(PARAMS, v), lambda v: NET(v, X), lambda v: Dense(3, 2).forward(v, X),
        lambda v: Dense(3, 2).forward((v, np.ones(2)), X), lambda v: chain(v),
        lambda v: NET.backward(PARAMS, v, NET.forward(PARAMS, X)[1]), lambda v: Dense(v, 2),
        lambda v: network.initial(v, 0, (2, 2)), lambda v: network.flatten(v),
        lambda v: network.unflatten(v, PARAMS), lambda v: Dense(2, 2).init(v),
        lambda v: Dense(2, 2).init(0, v), lambda v: network.initial("zeros", 0, v),
        lambda v: network.check_layer(NET, PARAMS, v),
    ]))  # fmt: skip
    def check(value, call):
        with answers_or_refuses():
            call(value)

    check()
