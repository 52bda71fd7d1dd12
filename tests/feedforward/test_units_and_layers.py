"""Units and dense layers: a layer is its units side by side, a batch is more rows."""

import numpy as np
import pytest

from ketkar import feedforward as ff
from ketkar.gradcheck import gradcheck

SMOOTH = ("identity", "sigmoid", "tanh", "relu")
UNITS = {
    "threshold_unit": "step",
    "linear_unit": "identity",
    "sigmoid_unit": "sigmoid",
    "relu_unit": "relu",
    "tanh_unit": "tanh",
}


def draw(*shapes, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=shape).astype(dtype) for shape in shapes)


@pytest.mark.parametrize("name", UNITS)
def test_a_named_unit_is_a_unit_with_that_activation(name):
    x, w = draw((6, 3), 3)
    found = getattr(ff, name)(x, w, 0.3)
    assert np.array_equal(found, ff.unit(x, w, 0.3, UNITS[name]))
    by_hand = [
        ff.activation(UNITS[name]).value(sum(a * c for a, c in zip(row, w, strict=True)) + 0.3)
        for row in x
    ]
    assert np.allclose(found, by_hand, rtol=1e-14)
    one = getattr(ff, name)(x[2], w, 0.3)
    assert np.ndim(one) == 0
    assert one == found[2]


def test_a_unit_is_a_sigmoid_unit_without_bias_unless_said():
    assert ff.unit([2.0], [1.0]) == ff.sigmoid_unit([2.0], [1.0], 0.0) != ff.unit([2.0], [1.0], 1)


@pytest.mark.parametrize("activation", ff.ACTIVATIONS)
def test_a_layer_is_its_units(activation):
    x, W, b = draw((5, 4), (4, 3), 3)
    y = ff.dense(x, W, b, activation)
    for j in range(3):
        assert np.allclose(y[:, j], ff.unit(x, W[:, j], b[j], activation), rtol=1e-13)
    for i in range(5):
        assert np.allclose(ff.dense(x[i], W, b, activation), y[i], rtol=1e-13)


def test_no_bias_is_a_bias_of_zero():
    x, W = draw((5, 4), (4, 3))
    assert np.array_equal(ff.dense(x, W), ff.dense(x, W, np.zeros(3)))
    assert np.array_equal(ff.dense_backward(x @ W, x, W).b, (x @ W).sum(axis=0))


@pytest.mark.parametrize("backend", ["auto", "numpy"])
@pytest.mark.parametrize("activation", SMOOTH)
@pytest.mark.parametrize("batch", [True, False])
def test_dense_gradients(activation, batch, backend, finite_difference):
    x, W, b, dy = draw((5, 4), (4, 3), 3, (5, 3), seed=2)
    if not batch:
        x, dy = x[0], dy[0]

    def f(x, W, b):
        return ff.dense(x, W, b, activation, backend=backend)

    grads = ff.dense_backward(dy, x, W, b, activation, backend=backend)
    scalar = ff.activation(activation).value
    expected = finite_difference(lambda x, W, b: (dy * scalar(x @ W + b)).sum(), x, W, b)
    for yours, theirs in zip(grads, expected, strict=True):
        assert np.abs(yours - theirs).max() < 1e-8
    report = gradcheck(
        f, lambda dy, x, W, b: ff.dense_backward(dy, x, W, b, activation), x, W, b, rng=4
    )
    assert report.ok, report


def test_gradients_of_weights_are_summed_over_the_batch():
    x, W, b, dy = draw((5, 4), (4, 3), 3, (5, 3))
    whole = ff.dense_backward(dy, x, W, b, "tanh")
    each = [ff.dense_backward(d, row, W, b, "tanh") for d, row in zip(dy, x, strict=True)]
    assert np.allclose(whole.W, sum(g.W for g in each))
    assert np.allclose(whole.b, sum(g.b for g in each))
    assert np.allclose(whole.x, [g.x for g in each])


@pytest.mark.parametrize("activation", SMOOTH)
def test_float32_stays_and_is_close_to_float64(activation):
    x, W, b, dy = draw((9, 6), (6, 5), 5, (9, 5), dtype=np.float32)
    exact = [a.astype(np.float64) for a in (x, W, b, dy)]
    y = ff.dense(x, W, b, activation)
    assert y.dtype == np.float32
    assert np.allclose(y, ff.dense(*exact[:3], activation), rtol=1e-5, atol=1e-6)
    rough = ff.dense_backward(dy, x, W, b, activation)
    fine = ff.dense_backward(exact[3], *exact[:3], activation)
    for a, c in zip(rough, fine, strict=True):
        assert a.dtype == np.float32
        assert np.allclose(a, c, rtol=1e-4, atol=1e-5)
    assert ff.dense(x, W, activation=activation).dtype == np.float32
    for name in UNITS:
        assert getattr(ff, name)(x, W[:, 0], 0.5).dtype == np.float32
        assert getattr(ff, name)(x[0], W[:, 0]).dtype == np.float32
    assert all(t.y.dtype == np.float32 for t in ff.mlp_trace(x, [(W, b)], activation))


def test_mixed_types_go_to_the_wider():
    x, W = draw((5, 4), (4, 3), dtype=np.float32)
    assert ff.dense(x, W.astype(np.float64)).dtype == np.float64
    assert ff.dense(x, W, np.zeros(3)).dtype == np.float32  # the bias follows x and W


def test_layout_in_memory_does_not_matter():
    x, W, b, dy = draw((5, 4), (4, 3), 3, (5, 3))
    y, grads = ff.dense(x, W, b, "tanh"), ff.dense_backward(dy, x, W, b, "tanh")

    def variants(a):
        frozen = a.copy()
        frozen.flags.writeable = False
        spread = np.zeros([2 * size for size in a.shape])
        spread[tuple(slice(None, None, 2) for _ in a.shape)] = a
        yield np.asfortranarray(a)
        yield frozen
        yield spread[tuple(slice(None, None, 2) for _ in a.shape)]
        yield a[::-1].copy()[::-1]
        yield a.astype(">f8")
        yield a.tolist()
        yield np.frombuffer(b"x" + a.tobytes(), np.uint8)[1:].view(np.float64).reshape(a.shape)

    for xs, Ws, bs, ds in zip(*map(variants, (x, W, b, dy)), strict=True):
        assert np.allclose(ff.dense(xs, Ws, bs, "tanh"), y, rtol=1e-14)
        for a, c in zip(ff.dense_backward(ds, xs, Ws, bs, "tanh"), grads, strict=True):
            assert np.allclose(a, c, rtol=1e-13)


def test_arguments_are_neither_changed_nor_returned():
    arguments = draw((5, 4), (4, 3), 3, (5, 3))
    kept = [a.copy() for a in arguments]
    x, W, b, dy = arguments
    outputs = [ff.dense(x, W, b), *ff.dense_backward(dy, x, W, b)]
    for out in outputs:
        assert not any(np.shares_memory(out, a) for a in arguments)
        out[...] = 7
    assert all(np.array_equal(a, c) for a, c in zip(arguments, kept, strict=True))


def test_nan_and_infinity_pass():
    y = ff.dense([[np.nan, 1.0], [1.0, 1.0], [1.0, np.inf]], [[1.0], [2.0]])
    assert np.isnan(y[0, 0])
    assert y[1, 0] == 3
    assert y[2, 0] == np.inf
    assert np.isnan(ff.dense([[np.nan]], [[0.0]])[0, 0])


def test_linear_layers_collapse_into_one():
    rng = np.random.default_rng(5)
    params = [(rng.normal(size=(4, 4)), rng.normal(size=4)) for _ in range(5)]
    x = rng.normal(size=(20, 4))
    W, b = np.eye(4), np.zeros(4)
    for W_l, b_l in params:
        W, b = W @ W_l, b @ W_l + b_l
    deep, flat = ff.mlp(x, params, "identity"), ff.dense(x, W, b)
    assert np.abs(deep - flat).max() < 1e-12 * np.abs(flat).max()
    # with a bend between the layers they do not
    assert np.linalg.matrix_rank(np.c_[x, np.ones(20)]) == 5
    bent = ff.mlp(x, params, ["relu"] * 4 + ["identity"])
    fitted = np.linalg.lstsq(np.c_[x, np.ones(20)], bent, rcond=None)[0]
    assert np.abs(np.c_[x, np.ones(20)] @ fitted - bent).max() > 0.5


def test_a_composition_is_written_from_inside_out():
    x, W1, b1, W2, b2 = draw((6, 2), (2, 5), 5, (5, 3), 3)
    y = ff.mlp(x, [(W1, b1), (W2, b2)], ["tanh", "sigmoid"])
    assert np.allclose(y, 1 / (1 + np.exp(-(np.tanh(x @ W1 + b1) @ W2 + b2))), rtol=1e-13)
    same = ff.mlp(x, [(W1, b1), ff.DenseParams(W2, b2)])
    assert np.allclose(same, ff.mlp(x, [(W1, b1), (W2, b2)], ["sigmoid", "sigmoid"]))
    assert np.allclose(ff.mlp(x[0], [(W1, b1), (W2, b2)], ["tanh", "sigmoid"]), y[0])
