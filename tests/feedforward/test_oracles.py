"""The same numbers from libraries that differentiate by themselves: torch, jax and autograd."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from ketkar import datasets, network, training
from ketkar import feedforward as ff


def _torch():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    F = torch.nn.functional

    def grads(f, *arrays):
        tensors = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in arrays]
        value = f(*tensors)
        value.backward()
        return value.item(), [t.grad.numpy() for t in tensors]

    def entropy(z, y):
        kind = torch.long if np.ndim(y) == 1 else torch.float64
        return F.cross_entropy(z, torch.tensor(y, dtype=kind))

    def plain(y):
        return torch.tensor(y, dtype=torch.float64)

    return SimpleNamespace(
        grads=grads, sigmoid=torch.sigmoid, tanh=torch.tanh, relu=torch.relu,
        identity=lambda z: z, softmax=lambda z: torch.softmax(z, -1), sum=torch.sum, const=plain,
        squared_error=lambda p, y: ((p - plain(y)) ** 2).sum(-1).mean(),
        binary_cross_entropy=lambda p, y: F.binary_cross_entropy(
            p, plain(y), reduction="none").sum(-1).mean(),
        binary_cross_entropy_with_logits=lambda z, y: F.binary_cross_entropy_with_logits(
            z, plain(y), reduction="none").sum(-1).mean(),
        cross_entropy=lambda p, y: F.nll_loss(torch.log(p), torch.tensor(y)),
        softmax_cross_entropy=entropy,
    )  # fmt: skip


def _jax():
    jax = pytest.importorskip("jax", reason="jax is not installed")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy

    def grads(f, *arrays):
        value, found = jax.value_and_grad(f, argnums=tuple(range(len(arrays))))(*arrays)
        return float(value), [np.asarray(g) for g in found]

    return _generic(jnp, grads, jax.nn.sigmoid, jax.nn.relu)


def _autograd():
    autograd = pytest.importorskip("autograd", reason="autograd is not installed")
    anp = autograd.numpy

    def grads(f, *arrays):
        found = autograd.grad(f, argnum=list(range(len(arrays))))(*arrays)
        return float(f(*arrays)), [np.asarray(g) for g in found]

    return _generic(anp, grads, lambda z: 1 / (1 + anp.exp(-z)), lambda z: anp.maximum(z, 0))


def _generic(xp, grads, sigmoid, relu):
    """The losses as they are defined, in a module that looks like NumPy."""

    def rows(y, m):
        return np.eye(m)[y] if np.ndim(y) == 1 else np.asarray(y)

    def softmax(z):
        e = xp.exp(z)
        return e / xp.sum(e, axis=-1, keepdims=True)

    def coin(p, y):
        return -xp.mean(xp.sum(y * xp.log(p) + (1 - y) * xp.log(1 - p), axis=-1))

    def die(p, y):
        return -xp.mean(xp.sum(rows(y, p.shape[1]) * xp.log(p), axis=-1))

    return SimpleNamespace(
        grads=grads, sigmoid=sigmoid, tanh=xp.tanh, relu=relu, identity=lambda z: z, sum=xp.sum,
        softmax=softmax, const=lambda y: y,
        squared_error=lambda p, y: xp.mean(xp.sum((p - y) ** 2, axis=-1)),
        binary_cross_entropy=coin, cross_entropy=die,
        binary_cross_entropy_with_logits=lambda z, y: coin(sigmoid(z), y),
        softmax_cross_entropy=lambda z, y: die(softmax(z), y),
    )  # fmt: skip


@pytest.fixture(scope="module", params=["torch", "jax", "autograd"])
def oracle(request):
    return {"torch": _torch, "jax": _jax, "autograd": _autograd}[request.param]()


def draw(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("activation", ["identity", "sigmoid", "tanh", "relu"])
def test_dense(oracle, activation):
    x, W, b, dy = draw((7, 5), (5, 3), (3,), (7, 3), seed=1)
    f = getattr(oracle, activation)
    weight = oracle.const(dy)
    value, grads = oracle.grads(lambda x, W, b: oracle.sum(weight * f(x @ W + b)), x, W, b)
    assert float((dy * ff.dense(x, W, b, activation)).sum()) == pytest.approx(value, rel=1e-12)
    for yours, theirs in zip(ff.dense_backward(dy, x, W, b, activation), grads, strict=True):
        assert np.abs(yours - theirs).max() < 1e-12


LOSSES = [
    "squared_error",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "softmax_cross_entropy",
]


@pytest.mark.parametrize("name", LOSSES)
def test_losses(oracle, name):
    (z,) = draw((6, 4), seed=2)
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 4, 6)
    prediction = {"binary_cross_entropy": 1 / (1 + np.exp(-z)), "cross_entropy": ff.softmax(z)}.get(
        name, z
    )
    truth = {
        "squared_error": rng.normal(size=(6, 4)),
        "binary_cross_entropy": rng.uniform(size=(6, 4)),
        "binary_cross_entropy_with_logits": rng.integers(0, 2, (6, 4)).astype(float),
    }.get(name, labels)
    value, (grad,) = oracle.grads(lambda p: getattr(oracle, name)(p, truth), prediction)
    assert float(getattr(ff, name)(prediction, truth)) == pytest.approx(value, rel=1e-12)
    assert np.abs(getattr(ff, f"{name}_grad")(prediction, truth) - grad).max() < 1e-12


def test_softmax(oracle):
    z, dy = draw((5, 4), (5, 4), seed=4)
    weight = oracle.const(dy)
    value, (grad,) = oracle.grads(lambda z: oracle.sum(weight * oracle.softmax(z)), z)
    assert float((dy * ff.softmax(z)).sum()) == pytest.approx(value, rel=1e-12)
    assert np.abs(ff.softmax_backward(dy, ff.softmax(z)) - grad).max() < 1e-12


def test_inference_example(oracle):
    example = datasets.inference_example()
    target = np.array([[1.0, 0.0]])

    def loss(x, W, V):
        y = oracle.sigmoid(oracle.sigmoid(x @ W) @ V)
        return oracle.squared_error(y, target)

    value, grads = oracle.grads(loss, example.x[None], example.W_hidden, example.W_output)
    params = [(example.W_hidden, None), (example.W_output, None)]
    trace = ff.mlp_trace(example.x[None], params)
    assert float(ff.squared_error(trace[-1].y, target)) == pytest.approx(value, rel=1e-13)
    back = ff.mlp_backward(ff.squared_error_grad(trace[-1].y, target), trace, params)
    for yours, theirs in zip((back[0].x, back[0].W, back[1].W), grads, strict=True):
        assert np.abs(yours - theirs).max() < 1e-14


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("loss", training.LOSSES)
def test_random_networks(oracle, loss, seed):
    rng = np.random.default_rng(seed)
    widths = [int(w) for w in rng.integers(2, 7, rng.integers(2, 5))]
    hidden = [str(rng.choice(["tanh", "sigmoid", "relu"])) for _ in widths[2:]]
    names = [*hidden, "identity"]
    net = network.chain(*(
        network.Dense(n, m, name)
        for (n, m), name in zip(itertools.pairwise(widths), names, strict=True)
    ))  # fmt: skip
    params = net.init(rng)
    x = rng.normal(size=(8, widths[0]))
    y = {
        "squared_error": rng.normal(size=(8, widths[-1])),
        "binary_cross_entropy": rng.integers(0, 2, (8, widths[-1])).astype(float),
        "cross_entropy": rng.integers(0, widths[-1], 8),
    }[loss]
    on_logits = {"binary_cross_entropy": "binary_cross_entropy_with_logits",
                 "cross_entropy": "softmax_cross_entropy"}.get(loss, loss)  # fmt: skip

    def f(*flat):
        y_pred = oracle.const(x)
        for k, name in enumerate(names):
            y_pred = getattr(oracle, name)(y_pred @ flat[2 * k] + flat[2 * k + 1])
        return getattr(oracle, on_logits)(y_pred, y)

    flat = [a for layer in params for a in layer]
    expected, theirs = oracle.grads(f, *flat)
    value, grads = training.value_and_grad(net, params, x, y, loss)
    assert value == pytest.approx(expected, rel=1e-12)
    for a, b in zip([a for layer in grads for a in layer], theirs, strict=True):
        assert np.abs(a - b).max() < 1e-12


def test_against_scipy():
    special = pytest.importorskip("scipy.special", reason="SciPy is not installed")
    z = np.linspace(-40, 40, 801)
    assert np.allclose(ff.sigmoid(z), special.expit(z), rtol=1e-14, atol=0)
    rows = z.reshape(89, 9)
    assert np.allclose(ff.softmax(rows), special.softmax(rows, axis=1), rtol=1e-13, atol=0)
    labels = np.arange(89) % 9
    expected = -special.log_softmax(rows, axis=1)[np.arange(89), labels]
    assert np.allclose(ff.softmax_cross_entropy(rows, labels, "none"), expected, rtol=1e-13)
    bits = (z > 3).astype(float)
    entropy = -special.log_expit(np.where(bits == 1, z, -z))
    assert np.allclose(
        ff.binary_cross_entropy_with_logits(z, bits, "none"), entropy, rtol=1e-13, atol=1e-300
    )
    p = special.expit(z)
    assert np.allclose(ff.binary_cross_entropy(p, p, "none"),
                       special.entr(p) + special.entr(1 - p), atol=1e-14)  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sigmoid_and_softmax_to_the_last_digits(dtype):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    z = np.random.default_rng(0).normal(0, 20, 1000).astype(dtype)
    for name in ("sigmoid", "tanh", "relu"):
        theirs = getattr(torch, name)(torch.tensor(z)).numpy()
        np.testing.assert_array_max_ulp(ff.activation(name).value(z), theirs, maxulp=6)
