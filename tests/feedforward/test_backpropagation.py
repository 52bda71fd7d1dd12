"""Backpropagation through a network of layers, against finite differences and by hand."""

import itertools

import numpy as np
import pytest

from ketkar import datasets
from ketkar import feedforward as ff
from ketkar.gradcheck import gradcheck


def network(widths, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [
        ff.DenseParams(rng.normal(size=(n, m)).astype(dtype), rng.normal(size=m).astype(dtype))
        for n, m in itertools.pairwise(widths)
    ]


def plain(x, flat, names):
    """The network once more, in three lines of its own."""
    f = {"tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "identity": lambda z: z}
    for k, name in enumerate(names):
        x = f[name](x @ flat[2 * k] + flat[2 * k + 1])
    return x


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize(
    ("widths", "names"),
    [
        ([3, 2], ["sigmoid"]),
        ([3, 4, 2], ["tanh", "identity"]),
        ([2, 3, 3, 4, 1], ["tanh", "sigmoid", "tanh", "identity"]),
    ],
)
def test_gradients_of_every_layer(widths, names, batch, finite_difference):
    params = network(widths, seed=1)
    rng = np.random.default_rng(2)
    x = rng.normal(size=(5, widths[0])) if batch else rng.normal(size=widths[0])
    trace = ff.mlp_trace(x, params, names)
    dy = rng.normal(size=trace[-1].y.shape)
    grads = ff.mlp_backward(dy, trace, params, names)
    flat = [array for layer in params for array in layer]
    expected = finite_difference(lambda x, *flat: (dy * plain(x, flat, names)).sum(), x, *flat)
    assert np.allclose(grads[0].x, expected[0], atol=1e-8)
    for k, layer in enumerate(grads):
        assert np.allclose(layer.W, expected[1 + 2 * k], atol=1e-8)
        assert np.allclose(layer.b, expected[2 + 2 * k], atol=1e-8)
        assert layer.delta.shape == trace[k].z.shape

    def forward(x, params):
        return ff.mlp(x, params, names)

    def backward(dy, x, params):
        layers = ff.mlp_backward(dy, ff.mlp_trace(x, params, names), params, names)
        return layers[0].x, tuple(ff.DenseParams(g.W, g.b) for g in layers)

    report = gradcheck(forward, backward, x, tuple(params))
    assert report.ok, report
    assert len(report.rows) == 1 + 2 * len(params)


def test_the_inference_example_by_hand(finite_difference):
    example = datasets.inference_example()
    params = [(example.W_hidden, None), (example.W_output, None)]
    trace = ff.mlp_trace(example.x, params)
    grads = ff.mlp_backward(trace[-1].y - [1.0, 0.0], trace, params)
    o, h = example.output, example.hidden
    delta = (o - [1, 0]) * o * (1 - o)
    hidden = (example.W_output @ delta) * h * (1 - h)
    assert np.allclose(grads[1].delta, delta, atol=1e-11)
    assert np.allclose(grads[0].delta, hidden, atol=1e-11)
    assert np.allclose(grads[1].W, np.outer(h, delta), atol=1e-11)
    assert np.allclose(grads[0].W, np.outer(example.x, hidden), atol=1e-11)

    def loss(x, W, V):
        y = 1 / (1 + np.exp(-(1 / (1 + np.exp(-x @ W))) @ V))
        return ((y - [1, 0]) ** 2).sum() / 2

    expected = finite_difference(loss, example.x, example.W_hidden, example.W_output)
    assert np.allclose(grads[0].x, expected[0], atol=1e-9)
    assert np.allclose(grads[0].W, expected[1], atol=1e-9)
    assert np.allclose(grads[1].W, expected[2], atol=1e-9)


@pytest.mark.parametrize(
    ("unit", "on_output", "on_logits", "truth"),
    [
        ("sigmoid", ff.binary_cross_entropy_grad, ff.binary_cross_entropy_with_logits_grad,
         np.array([[1.0, 0.0, 0.3], [0.0, 1.0, 1.0]])),
        ("softmax", ff.cross_entropy_grad, ff.softmax_cross_entropy_grad, np.array([2, 0])),
    ],
)  # fmt: skip
def test_a_loss_and_its_unit_give_prediction_minus_truth(unit, on_output, on_logits, truth):
    z = np.random.default_rng(3).normal(size=(2, 3))
    rows = truth if truth.ndim == 2 else np.eye(3)[truth]
    if unit == "sigmoid":
        p = ff.sigmoid(z)
        through = on_output(p, truth, "sum") * ff.sigmoid_grad(z)
    else:
        p = ff.softmax(z)
        through = ff.softmax_backward(on_output(p, truth, "sum"), p)
    assert np.allclose(through, p - rows, atol=1e-12)
    assert np.allclose(on_logits(z, truth, "sum"), p - rows, atol=1e-15)


def test_step_units_pass_no_error_on():
    params = network([2, 4, 1])
    x = np.random.default_rng(0).normal(size=(6, 2))
    trace = ff.mlp_trace(x, params, ["step", "identity"])
    grads = ff.mlp_backward(np.ones((6, 1)), trace, params, ["step", "identity"])
    assert not grads[0].W.any()
    assert not grads[0].b.any()
    assert grads[1].b == 6


def test_float32_all_the_way():
    params = network([3, 4, 2], dtype=np.float32)
    x = np.ones((5, 3), np.float32)
    trace = ff.mlp_trace(x, params)
    for layer in ff.mlp_backward(np.ones((5, 2), np.float32), trace, params):
        assert {array.dtype.name for array in layer} == {"float32"}
