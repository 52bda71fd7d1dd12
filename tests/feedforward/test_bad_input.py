"""Bad input: a sentence that names the argument, what it is and what was expected."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketkar import feedforward as ff

X, W, B = np.ones((5, 3)), np.ones((3, 2)), np.ones(2)
RAGGED = [[1.0, 2.0], [3.0]]
PARAMS = [(W, B), (np.ones((2, 1)), None)]
ELEMENTWISE = [f for name in ff.ACTIVATIONS for f in (name, f"{name}_grad")]
NOT_NUMBERS = [
    "text", ["a", "b"], None, 1j, [1j], np.array([object()]), np.array(["2020-01-01"], "M8[D]"), {},
]  # fmt: skip


@pytest.mark.parametrize("name", [*ELEMENTWISE, "softmax", "softmax_jacobian"])
@pytest.mark.parametrize("value", NOT_NUMBERS)
def test_not_numbers(name, value, refuses):
    with refuses(TypeError, "z", "expected real numbers (float32 or float64)"):
        getattr(ff, name)(value)


@pytest.mark.parametrize("name", [*ELEMENTWISE, "softmax"])
def test_ragged(name, refuses):
    with refuses(TypeError, "z is ragged: its rows have different lengths"):
        getattr(ff, name)(RAGGED)


TABLE = [
    # activations
    (lambda: ff.softmax(1.0), ValueError, ["z is a single number", "(class,)"]),
    (lambda: ff.softmax([]), ValueError, ["z is empty", "(0,)"]),
    (lambda: ff.softmax(np.ones((2, 0))), ValueError, ["z is empty", "(2, 0)"]),
    (lambda: ff.softmax([1.0, 2.0], axis=1), ValueError, ["axis 1", "z has 1 axis (2,)"]),
    (lambda: ff.softmax([1.0, 2.0], axis="x"), TypeError, ["axis must be a whole number", "'x'"]),
    (lambda: ff.softmax([1.0, 2.0], axis=None), TypeError, ["axis must be a whole number"]),
    (lambda: ff.softmax_backward([1.0], [1.0, 2.0]), ValueError, ["dy", "(1,)", "y", "(2,)"]),
    (lambda: ff.softmax_backward([1.0], [1.0], 1), ValueError, ["axis 1", "y has 1 axis"]),
    (lambda: ff.softmax_backward(1.0, 1.0), ValueError, ["axis -1", "y has 0 axes"]),
    (lambda: ff.softmax_jacobian(W), ValueError, ["z has 2 axes (3, 2)", "(class,)"]),
    (lambda: ff.activation("cube"), ValueError, ["activation", "identity", "'cube'"]),
    (lambda: ff.activation(ff.relu), ValueError, ["activation must be one of", "a function"]),
    (lambda: ff.activation(np.array(["relu", "tanh"])), ValueError, ["activation must be one of"]),
    # units
    (lambda: ff.unit([1, 2], [1, 2, 3]), ValueError, ["x has 2 inputs", "w has 3"]),
    (lambda: ff.unit(X, [1, 2]), ValueError, ["x has 3 inputs (axis 1 of (5, 3))", "w has 2"]),
    (lambda: ff.unit(X, W), ValueError, ["w has 2 axes (3, 2)", "expects 1: (input,)"]),
    (lambda: ff.unit(1.0, [1.0]), ValueError, ["x has 0 axes", "(input,)", "(batch, input)"]),
    (lambda: ff.unit(np.ones((2, 2, 3)), [1, 2, 3]), ValueError, ["x has 3 axes (2, 2, 3)"]),
    (lambda: ff.unit([1], [1], b="1"), TypeError, ["b must be a number", "'1'"]),
    (lambda: ff.unit([1], [1], b=[1, 2]), TypeError, ["b must be a number"]),
    (lambda: ff.unit([1], [1], b=None), TypeError, ["b must be a number"]),
    (lambda: ff.unit([1], [1], b=np.nan), ValueError, ["b must be finite"]),
    (lambda: ff.unit([1], [1], b=10**400), ValueError, ["b must be finite"]),
    (lambda: ff.unit([1], [1], activation="x"), ValueError, ["activation must be one of", "'x'"]),
    (lambda: ff.unit(RAGGED, [1, 2]), TypeError, ["x is ragged"]),
    (lambda: ff.unit([1, 2], RAGGED), TypeError, ["w is ragged"]),
    (lambda: ff.relu_unit([1], [1, 2]), ValueError, ["x has 1 inputs", "w has 2"]),
    (lambda: ff.serial_steps(0, 1), ValueError, ["recognition_time must be above 0"]),
    (lambda: ff.serial_steps(1, -1), ValueError, ["switching_time must be above 0"]),
    (lambda: ff.serial_steps("a", 1), TypeError, ["recognition_time must be a number"]),
    # layers
    (lambda: ff.dense(X, np.ones((4, 2))), ValueError, ["x has 3 inputs", "W has 4"]),
    (lambda: ff.dense(X, W.T), ValueError, ["x has 3 inputs", "W has 2"]),
    (lambda: ff.dense(np.ones((2, 2, 3)), W), ValueError, ["x has 3 axes (2, 2, 3)"]),
    (lambda: ff.dense(3.0, W), ValueError, ["x has 0 axes", "(batch, input)"]),
    (lambda: ff.dense(X, [1, 2, 3]), ValueError, ["W has 1 axis (3,)", "2: (input, unit)"]),
    (lambda: ff.dense(X, W, 1.0), ValueError, ["b has 0 axes", "1: (unit,)"]),
    (lambda: ff.dense(X, W, np.ones((1, 2))), ValueError, ["b has 2 axes (1, 2)"]),
    (lambda: ff.dense(X, W, [1, 2, 3]), ValueError, ["W has 2 units", "b has 3"]),
    (lambda: ff.dense(X[:0], W), ValueError, ["x is empty", "(0, 3)"]),
    (lambda: ff.dense(X[:, :0], W[:0]), ValueError, ["x is empty", "(5, 0)"]),
    (lambda: ff.dense(X, W[:, :0]), ValueError, ["W is empty", "(3, 0)"]),
    (lambda: ff.dense(X, W, "b"), TypeError, ["b holds", "real numbers"]),
    (lambda: ff.dense(X, W * 1j), TypeError, ["W holds complex128 values"]),
    (lambda: ff.dense(RAGGED, W), TypeError, ["x is ragged"]),
    (lambda: ff.dense(X, W, backend="gpu"), ValueError, ["backend", "'gpu'", '"numpy"']),
    (lambda: ff.dense(X, W, backend="cuda"), RuntimeError, ["cuda", '"numpy"']),
    (lambda: ff.dense(X, W, B, "cube"), ValueError, ["activation must be one of"]),
    (lambda: ff.dense_backward(X, X, W), ValueError, ["dy has shape (5, 3)", "(5, 2)"]),
    (lambda: ff.dense_backward(B, X, W), ValueError, ["dy has shape (2,)", "(5, 2)"]),
    (lambda: ff.dense_backward(B * 1j, X[0], W), TypeError, ["dy holds complex128 values"]),
    (lambda: ff.dense_backward(RAGGED, X, W), TypeError, ["dy is ragged"]),
    (lambda: ff.dense_backward(np.ones((5, 2)), X, W, [1]), ValueError, ["W has 2 units", "b"]),
    # networks of layers
    (lambda: ff.mlp(X, []), ValueError, ["params", "at least one"]),
    (lambda: ff.mlp(X, None), TypeError, ["params", "(W, b)"]),
    (lambda: ff.mlp(X, [W]), ValueError, ["params[0]", "(W, b)"]),
    (lambda: ff.mlp(X, [(W, B, B)]), ValueError, ["params[0]", "(W, b)"]),
    (lambda: ff.mlp(X, [(W, B), None]), ValueError, ["params[1]", "(W, b)"]),
    (lambda: ff.mlp(X, PARAMS, ["tanh"]), ValueError, ["2 layers", "1 activations"]),
    (lambda: ff.mlp(X, PARAMS, None), TypeError, ["activations", "one a layer"]),
    (lambda: ff.mlp(X, PARAMS, ["tanh", 3]), ValueError, ["activation must be one of", "3"]),
    (lambda: ff.mlp(X, [(W, B), (W, B)]), ValueError, ["layer 2: x has 2 inputs", "W has 3"]),
    (lambda: ff.mlp("x", PARAMS), TypeError, ["x holds"]),
    (lambda: ff.mlp_trace(X, [(W, B), (W, B)]), ValueError, ["layer 2", "x has 2 inputs"]),
    (lambda: ff.mlp_trace(X, 5), TypeError, ["params", "(W, b)"]),
    (lambda: ff.mlp_backward(X, ff.mlp_trace(X, PARAMS), PARAMS), ValueError,
     ["dy has shape (5, 3)", "(5, 1)"]),
    (lambda: ff.mlp_backward(X, [], PARAMS), ValueError, ["trace has 0 layers", "2 in params"]),
    (lambda: ff.mlp_backward(np.ones((5, 1)), ff.mlp_trace(X, PARAMS), PARAMS[:1]), ValueError,
     ["trace has 2 layers", "1 in params"]),
    (lambda: ff.mlp_backward(np.ones((5, 1)), ff.mlp_trace(X, PARAMS), PARAMS[::-1]), ValueError,
     ["layer 1: W has shape (2, 1)", "(3, 2)"]),
    (lambda: ff.mlp_backward(np.ones((5, 1)), "trace", PARAMS), TypeError,
     ["trace must be what mlp_trace returned", "'trace'"]),
    (lambda: ff.mlp_backward("dy", ff.mlp_trace(X, PARAMS), PARAMS), TypeError, ["dy holds"]),
    (lambda: ff.count_parameters([3]), ValueError, ["widths", "at least one layer", "[3]"]),
    (lambda: ff.count_parameters([3, 0]), ValueError, ["widths[1] must be at least 1", "0"]),
    (lambda: ff.count_parameters([3, 2.0]), TypeError, ["widths[1] must be a whole number"]),
    (lambda: ff.count_parameters([True, 2]), TypeError, ["widths[0] must be a whole number"]),
    (lambda: ff.count_parameters(3), TypeError, ["widths"]),
    (lambda: ff.count_parameters("32"), TypeError, ["widths[0] must be a whole number"]),
    # likelihoods
    (lambda: ff.bernoulli_nll([0.5], [0.5]), ValueError, ["y must hold only 0 and 1"]),
    (lambda: ff.bernoulli_nll([1], [1.5]), ValueError, ["p must lie in [0, 1]", "p[0] is 1.5"]),
    (lambda: ff.bernoulli_nll(1, 1.5), ValueError, ["p must lie in [0, 1]", "it is 1.5"]),
    (lambda: ff.bernoulli_nll([1, 0], [0.5]), ValueError, ["y has shape (2,)", "p has shape (1,)"]),
    (lambda: ff.categorical_nll([0], [[0.5, 0.4]]), ValueError, ["row 0 of probs sums to 0.9"]),
    (lambda: ff.categorical_nll([2], [[0.5, 0.5]]), ValueError, ["y must lie in 0 .. 1", "y[0]"]),
    (lambda: ff.categorical_nll([0, 0], [[0.5, 0.5]]), ValueError, ["probs has 1 examples", "y"]),
    (lambda: ff.categorical_nll([0], [0.5, 0.5]), ValueError, ["probs has 1 axis (2,)"]),
    (lambda: ff.categorical_nll([0], [[-0.5, 1.5]]), ValueError, ["probs[0, 0] is -0.5"]),
    (lambda: ff.categorical_nll([0.0], [[0.5, 0.5]]), TypeError, ["y holds float64", "labels"]),
    (lambda: ff.gaussian_nll([1.0], [1.0], 0), ValueError, ["sigma must be above 0"]),
    (lambda: ff.gaussian_nll([1.0], [1.0], "1"), TypeError, ["sigma must be a number"]),
    (lambda: ff.gaussian_nll([1.0], [1.0, 2.0]), ValueError, ["y has shape (1,)", "mean"]),
    # labels
    (lambda: ff.one_hot([0, 3], 3), ValueError, ["labels must lie in 0 .. 2", "labels[1] is 3"]),
    (lambda: ff.one_hot([-1], 3), ValueError, ["labels must lie in 0 .. 2", "labels[0] is -1"]),
    (lambda: ff.one_hot([1.0], 3), TypeError, ["labels holds float64", "whole numbers"]),
    (lambda: ff.one_hot([True], 3), TypeError, ["labels holds bool", "whole numbers"]),
    (lambda: ff.one_hot([[1]], 3), ValueError, ["labels has 2 axes (1, 1)"]),
    (lambda: ff.one_hot(1, 3), ValueError, ["labels has 0 axes"]),
    (lambda: ff.one_hot([], 3), ValueError, ["labels is empty"]),
    (lambda: ff.one_hot([[1, 2], [3]], 4), TypeError, ["labels is ragged"]),
    (lambda: ff.one_hot([1], 0), ValueError, ["classes must be at least 1"]),
    (lambda: ff.one_hot([1], 2.0), TypeError, ["classes must be a whole number"]),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "words"), TABLE)
def test_a_sentence(call, error, words, refuses):
    with refuses(error, *words):
        call()


PREDICTIONS = {
    "squared_error": ("y_pred", "y_true"),
    "binary_cross_entropy": ("p", "y"),
    "binary_cross_entropy_with_logits": ("z", "y"),
    "cross_entropy": ("probs", "y"),
    "softmax_cross_entropy": ("logits", "y"),
}
BOTH = [(name + end, names) for name, names in PREDICTIONS.items() for end in ("", "_grad")]


@pytest.mark.parametrize(("name", "names"), BOTH)
def test_losses(name, names, refuses):
    loss, (p, y) = getattr(ff, name), names
    half = np.full((4, 3), 0.5)
    shapes = (p, "(4, 3)", y)
    with refuses(ValueError, *shapes, "(4, 2)"):
        loss(half, half[:, :2])
    with refuses(ValueError, *shapes, "(3, 4)"):
        loss(half, half.T)
    with refuses(ValueError, *shapes, "()"):
        loss(half, 0.5)
    with refuses(ValueError, p, "3 axes (1, 4, 3)"):
        loss(half[None], half[None])
    with refuses(ValueError, p, "0 axes"):
        loss(0.5, 0.5)
    with refuses(ValueError, f"{p} is empty", "(0, 3)"):
        loss(half[:0], half[:0])
    with refuses(ValueError, "reduction must be one of", '"mean", "sum", "none"', "'max'"):
        loss(half, half, "max")
    with refuses(ValueError, "reduction must be one of"):
        loss(half, half, None)
    for value in ("text", half * 1j, half.astype(object), half.astype(str), None):
        with refuses(TypeError, p, "expected real numbers"):
            loss(value, half)
        if np.ndim(value) == 2:
            with refuses(TypeError, y, "expected real numbers"):
                loss(half, value)
    with refuses(TypeError, f"{p} is ragged"):
        loss(RAGGED, half)
    with refuses(TypeError, f"{y} is ragged"):
        loss(half, RAGGED)


@pytest.mark.parametrize("end", ["", "_grad"])
@pytest.mark.parametrize("value", [-1e-9, 1 + 1e-9, 7, np.inf, -np.inf])
def test_probabilities_and_targets_out_of_range(end, value, refuses):
    half = np.full((4, 3), 0.5)
    bad = half.copy()
    bad[2, 1] = value
    for name in ("binary_cross_entropy", "cross_entropy"):
        p = PREDICTIONS[name][0]
        with refuses(ValueError, f"{p} must lie in [0, 1]", f"{p}[2, 1] is {value:g}"):
            getattr(ff, name + end)(bad, half)
    for name in PREDICTIONS:
        if name != "squared_error":
            with refuses(ValueError, "y must lie in [0, 1]", f"y[2, 1] is {value:g}"):
                getattr(ff, name + end)(half, bad)


@pytest.mark.parametrize("name", ["cross_entropy", "softmax_cross_entropy",
                                  "cross_entropy_grad", "softmax_cross_entropy_grad"])  # fmt: skip
def test_labels_out_of_range(name, refuses):
    loss, half = getattr(ff, name), np.full((2, 3), 0.5)
    with refuses(ValueError, "y must lie in 0 .. 2 for 3 classes", "y[1] is 3"):
        loss(half, [0, 3])
    with refuses(ValueError, "y must lie in 0 .. 2", "y[0] is -1"):
        loss(half, [-1, 0])
    with refuses(TypeError, "y holds float64", "whole numbers"):
        loss(half, [0.0, 1.0])
    with refuses(TypeError, "y holds bool"):
        loss(half, [True, False])
    with refuses(ValueError, "has 2 examples", "y has 3"):
        loss(half, [0, 1, 2])
    p = list(inspect.signature(loss).parameters)[0]  # noqa: RUF015
    with refuses(ValueError, f"{p} has 1 axis (3,)", "2: (batch, class)"):
        loss(half[0], [0, 1, 2])


ARRAYS = {
    name: [p for p in inspect.signature(getattr(ff, name)).parameters if p not in (
        "axis", "activation", "backend", "reduction", "classes", "bias", "sigma", "name")]
    for name in ff.__all__
    if callable(getattr(ff, name)) and name not in (
        "Activation", "DenseGrads", "DenseParams", "LayerGrads", "LayerTrace", "activation")
}  # fmt: skip


@pytest.mark.parametrize("name", ARRAYS)
def test_whatever_comes_in(name, junk, answers_or_refuses):
    f, names = getattr(ff, name), ARRAYS[name]
    extra = {"classes": 3} if name == "one_hot" else {}

    @given(st.tuples(*[junk] * len(names)))
    def check(values):
        with answers_or_refuses():
            f(**dict(zip(names, values, strict=True)), **extra)

    check()


@given(
    x=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    w=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    b=st.integers(0, 3),
    d=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    types=st.tuples(*[st.sampled_from(["f4", "f8", "i4", ">f4", "u1"])] * 4),
)
def test_dense_of_any_shapes(x, w, b, d, types):
    arrays = [np.ones(s, t) for s, t in zip((x, w, b, d), types, strict=True)]
    if 0 in (*x, *w) or x[1] != w[0] or w[1] != b:
        with pytest.raises(ValueError, match=r"x is empty|W is empty|x has|W has"):
            ff.dense(*arrays[:3])
        return
    assert np.array_equal(ff.dense(*arrays[:3]), np.full((x[0], w[1]), x[1] + 1.0))
    if d != (x[0], w[1]):
        with pytest.raises(ValueError, match=r"dy has shape"):
            ff.dense_backward(arrays[3], *arrays[:3])
    else:
        grads = ff.dense_backward(arrays[3], *arrays[:3])
        assert np.array_equal(grads.W, np.full(w, float(x[0])))
        assert np.array_equal(grads.b, np.full(b, float(x[0])))
        assert np.array_equal(grads.x, np.full(x, float(w[1])))
