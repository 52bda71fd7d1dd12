"""Losses: their values at the limits, their gradients, and where they come from."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ketkar import feedforward as ff
from ketkar.gradcheck import gradcheck

RNG = np.random.default_rng(11)
Z = RNG.normal(0, 1.2, (6, 4))
P = 1 / (1 + np.exp(-Z))
ROWS = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
COINS = RNG.integers(0, 2, (6, 4)).astype(float)
SOFT = RNG.uniform(size=(6, 4))
LABELS = RNG.integers(0, 4, 6)
MIXED = RNG.dirichlet(np.ones(4), 6)

PAIRS = {  # name: (prediction, truths, the loss of one example from its definition)
    "squared_error": (
        Z,
        [SOFT, COINS],
        lambda p, y: sum((a - c) ** 2 for a, c in zip(p, y, strict=True)),
    ),
    "binary_cross_entropy": (
        P,
        [COINS, SOFT],
        lambda p, y: (
            -sum(c * math.log(a) + (1 - c) * math.log(1 - a) for a, c in zip(p, y, strict=True))
        ),
    ),
    "binary_cross_entropy_with_logits": (
        Z,
        [COINS, SOFT],
        lambda z, y: (
            -sum(
                c * math.log(1 / (1 + math.exp(-a))) + (1 - c) * math.log(1 / (1 + math.exp(a)))
                for a, c in zip(z, y, strict=True)
            )
        ),
    ),
    "cross_entropy": (
        ROWS,
        [LABELS, MIXED],
        lambda p, y: -sum(c * math.log(a) for a, c in zip(p, y, strict=True)),
    ),
    "softmax_cross_entropy": (
        Z,
        [LABELS, MIXED],
        lambda z, y: (
            -sum(
                c * math.log(math.exp(a) / sum(map(math.exp, z))) for a, c in zip(z, y, strict=True)
            )
        ),
    ),
}
CASES = [(name, i) for name in PAIRS for i in range(2)]


def case(name, i):
    prediction, truths, one = PAIRS[name]
    truth = truths[i]
    rows = np.eye(4)[truth] if truth.ndim == 1 else truth
    return prediction, truth, np.array([one(p, y) for p, y in zip(prediction, rows, strict=True)])


@pytest.mark.parametrize(("name", "i"), CASES)
def test_values_are_the_definitions(name, i):
    prediction, truth, each = case(name, i)
    loss = getattr(ff, name)
    assert np.allclose(loss(prediction, truth, "none"), each, rtol=1e-12)
    assert float(loss(prediction, truth, "sum")) == pytest.approx(each.sum(), rel=1e-12)
    assert float(loss(prediction, truth)) == pytest.approx(each.sum() / 6, rel=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("name", "i"), CASES)
def test_gradients(name, i, reduction, finite_difference):
    prediction, truth, _ = case(name, i)
    loss, grad = getattr(ff, name), getattr(ff, f"{name}_grad")
    one = PAIRS[name][2]
    rows = np.eye(4)[truth] if truth.ndim == 1 else truth
    share = 1 / 6 if reduction == "mean" else 1

    def total(p):
        return share * sum(one(a, y) for a, y in zip(p, rows, strict=True))

    found = grad(prediction, truth, reduction)
    assert np.allclose(found, finite_difference(total, prediction, h=1e-5), rtol=1e-6, atol=1e-8)
    report = gradcheck(
        lambda p: loss(p, truth, reduction), lambda dy, p: dy * grad(p, truth, reduction),
        prediction,
    )  # fmt: skip
    assert report.ok, report
    each = gradcheck(
        lambda p: loss(p, truth, "none"), lambda dy, p: dy[:, None] * grad(p, truth, "none"),
        prediction,
    )  # fmt: skip
    assert each.ok, each


@pytest.mark.parametrize("name", ["squared_error", "binary_cross_entropy",
                                  "binary_cross_entropy_with_logits"])  # fmt: skip
def test_one_output_may_be_a_vector(name):
    prediction, truth, _ = case(name, 0)
    loss, grad = getattr(ff, name), getattr(ff, f"{name}_grad")
    column = prediction[:, :1], truth[:, :1]
    flat = prediction[:, 0], truth[:, 0]
    assert loss(*flat) == pytest.approx(float(loss(*column)), rel=1e-15)
    assert np.allclose(grad(*flat), grad(*column)[:, 0], rtol=1e-15)


@pytest.mark.parametrize(("name", "i"), CASES)
def test_float32_stays_and_is_close(name, i):
    prediction, truth, _ = case(name, i)
    loss, grad = getattr(ff, name), getattr(ff, f"{name}_grad")
    narrow = prediction.astype(np.float32)
    for reduction in ("none", "mean", "sum"):
        value = loss(narrow, truth, reduction)
        assert value.dtype == np.float32
        assert np.allclose(value, loss(prediction, truth, reduction), rtol=2e-5)
        slope = grad(narrow, truth, reduction)
        assert slope.dtype == np.float32
        assert np.allclose(slope, grad(prediction, truth, reduction), rtol=1e-4, atol=1e-6)


def test_the_order_of_the_arguments_matters():
    assert ff.binary_cross_entropy([0.25], [1.0]) == pytest.approx(math.log(4))
    assert ff.binary_cross_entropy([1.0], [0.25]) == math.inf
    assert ff.squared_error_grad([3.0], [1.0])[0] == 4
    assert ff.cross_entropy([[0.25, 0.75]], [[1.0, 0.0]]) == pytest.approx(math.log(4))


def test_certain_and_right_costs_nothing():
    assert ff.binary_cross_entropy([0.0, 1.0], [0, 1]) == 0
    assert ff.cross_entropy([[0.0, 1.0, 0.0]], [1]) == 0
    assert ff.binary_cross_entropy_grad([0.0, 1.0], [0, 1], "sum").tolist() == [1.0, -1.0]
    assert ff.cross_entropy_grad([[0.0, 1.0]], [1]).tolist() == [[0.0, -1.0]]


def test_certain_and_wrong_costs_infinitely_much():
    assert ff.binary_cross_entropy([0.0], [1]) == math.inf
    assert ff.binary_cross_entropy([1.0], [0]) == math.inf
    assert ff.binary_cross_entropy([1.0], [0.5]) == math.inf
    assert ff.cross_entropy([[0.0, 1.0]], [0]) == math.inf
    assert ff.binary_cross_entropy_grad([0.0, 1.0], [1, 0], "sum").tolist() == [-math.inf, math.inf]
    assert ff.cross_entropy_grad([[0.0, 1.0]], [0])[0, 0] == -math.inf


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_from_logits_no_loss_overflows(dtype):
    big = np.array([1e4, 1e4, -1e4, -1e4], dtype)
    each = ff.binary_cross_entropy_with_logits(big, [1, 0, 1, 0], "none")
    assert each.tolist() == [0, 1e4, 1e4, 0]
    slope = ff.binary_cross_entropy_with_logits_grad(big, [1, 0, 1, 0], "sum")
    assert slope.tolist() == [0, 1, -1, 0]
    rows = np.array([[1e4, 0, -1e4]] * 3, dtype)
    assert ff.softmax_cross_entropy(rows, [0, 1, 2], "none").tolist() == [0, 1e4, 2e4]
    assert ff.softmax_cross_entropy_grad(rows, [0, 1, 2], "sum").tolist() == [
        [0, 0, 0], [1, -1, 0], [1, 0, -1],
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_largest_logits_there_are(dtype):
    top = float(np.finfo(dtype).max)
    rows = np.array([[top, -top]], dtype)
    assert ff.softmax_cross_entropy(rows, [0]) == 0
    assert ff.softmax_cross_entropy(rows, [1]) == math.inf  # twice the largest number
    assert ff.softmax_cross_entropy_grad(rows, [1]).tolist() == [[1, -1]]
    assert ff.binary_cross_entropy_with_logits(rows[0], [1, 0], "none").tolist() == [0, 0]
    assert ff.binary_cross_entropy_with_logits(rows[0], [0, 1], "none").tolist() == [top, top]


def test_a_class_that_is_ruled_out():
    rows = np.array([[0.0, -np.inf, 0.0]])
    assert ff.softmax_cross_entropy(rows, [0]) == pytest.approx(math.log(2))
    assert ff.softmax_cross_entropy(rows, [1]) == math.inf
    assert np.allclose(ff.softmax_cross_entropy_grad(rows, [0]), [[-0.5, 0, 0.5]])


def test_tiny_probabilities_give_no_warning():
    tiny = np.nextafter(0.0, 1.0)
    assert ff.binary_cross_entropy([tiny], [1]) == pytest.approx(744.44, abs=0.01)
    assert ff.binary_cross_entropy_grad([tiny], [1])[0] == -math.inf
    assert ff.cross_entropy_grad([[tiny, 1.0]], [0])[0, 0] == -math.inf
    narrow = np.array([1e-42, 1.0], np.float32)
    assert ff.cross_entropy_grad(narrow[None], [0])[0, 0] == -math.inf


@pytest.mark.parametrize("name", PAIRS)
def test_nan_passes_to_its_example_alone(name):
    prediction, truth, _ = case(name, 0)
    prediction = prediction.copy()
    prediction[2, 1] = np.nan
    each = getattr(ff, name)(prediction, truth, "none")
    assert np.isnan(each).tolist() == [i == 2 for i in range(6)]
    assert np.isnan(getattr(ff, name)(prediction, truth))
    grad = getattr(ff, f"{name}_grad")(prediction, truth)
    assert np.isnan(grad[2, 1])
    assert not np.isnan(np.delete(grad, 2, axis=0)).any()


@given(
    z=arrays(np.float64, (3, 4), elements=st.floats(-1e5, 1e5)),
    labels=arrays(np.int64, 3, elements=st.integers(0, 3)),
    shift=st.floats(-1e3, 1e3),
)
def test_losses_on_logits_are_finite_positive_and_shift_free(z, labels, shift):
    value = ff.softmax_cross_entropy(z, labels, "none")
    assert np.isfinite(value).all()
    assert (value >= 0).all()
    assert np.allclose(ff.softmax_cross_entropy(z + shift, labels, "none"), value, atol=1e-6)
    rows = np.eye(4)[labels]
    both = ff.binary_cross_entropy_with_logits(z, rows, "none")
    assert np.isfinite(both).all()
    assert (both >= 0).all()


def test_stable_forms_agree_with_the_plain_ones():
    z = np.linspace(-12, 12, 49)
    y = (np.arange(49) % 3 == 0).astype(float)
    assert np.allclose(
        ff.binary_cross_entropy_with_logits(z, y, "none"),
        ff.binary_cross_entropy(ff.sigmoid(z), y, "none"),
        rtol=1e-9,
    )
    assert np.allclose(
        ff.softmax_cross_entropy(Z, LABELS, "none"), ff.cross_entropy(ROWS, LABELS, "none")
    )


def test_two_classes_are_one_logit():
    z = np.linspace(-5, 5, 11)
    labels = np.arange(11) % 2
    pair = np.column_stack([np.zeros(11), z])
    assert np.allclose(ff.softmax(pair)[:, 1], ff.sigmoid(z), rtol=1e-14)
    assert np.allclose(
        ff.softmax_cross_entropy(pair, labels, "none"),
        ff.binary_cross_entropy_with_logits(z, labels, "none"),
    )


def test_losses_are_negative_log_likelihoods():
    coins, p = COINS[:, 0], P[:, 0]
    assert np.allclose(
        ff.bernoulli_nll(coins, p), ff.binary_cross_entropy(p, coins, "none"), rtol=1e-12
    )
    assert np.allclose(
        ff.categorical_nll(LABELS, ROWS), ff.cross_entropy(ROWS, LABELS, "none"), rtol=1e-12
    )
    y, mean = Z[:, 0], Z[:, 1]
    for sigma in (0.1, 1.0, 7.0):
        constant = math.log(sigma * math.sqrt(2 * math.pi))
        affine = ff.squared_error(mean, y, "none") / (2 * sigma**2) + constant
        assert np.allclose(ff.gaussian_nll(y, mean, sigma), affine, rtol=1e-12)


def test_likelihoods_against_scipy():
    stats = pytest.importorskip("scipy.stats", reason="SciPy is not installed")
    assert np.allclose(ff.bernoulli_nll(COINS[:, 0], P[:, 0]),
                       -stats.bernoulli.logpmf(COINS[:, 0], P[:, 0]))  # fmt: skip
    assert np.allclose(
        ff.gaussian_nll(Z[:, 0], Z[:, 1], 0.7), -stats.norm.logpdf(Z[:, 0], Z[:, 1], 0.7)
    )
    expected = [
        -stats.multinomial.logpmf(np.eye(4)[k], 1, p) for k, p in zip(LABELS, ROWS, strict=True)
    ]
    assert np.allclose(ff.categorical_nll(LABELS, ROWS), expected)


def test_likelihoods_are_probabilities():
    p = np.array([0.0, 0.2, 0.5, 1.0])
    assert np.allclose(np.exp(-ff.bernoulli_nll(np.ones(4), p)) + np.exp(
        -ff.bernoulli_nll(np.zeros(4), p)), 1)  # fmt: skip
    total = sum(np.exp(-ff.categorical_nll(np.full(6, k), ROWS)) for k in range(4))
    assert np.allclose(total, 1)
    grid = np.linspace(-8, 8, 4001)
    density = np.exp(-ff.gaussian_nll(grid, np.full(4001, 0.5), 0.8))
    assert density.sum() * (grid[1] - grid[0]) == pytest.approx(1, abs=1e-9)
    assert ff.bernoulli_nll([1], [0.0]) == math.inf
    assert ff.categorical_nll([0], [[0.0, 1.0]]) == math.inf


def test_likelihoods_keep_float32():
    narrow, rows = P[:, 0].astype(np.float32), ROWS.astype(np.float32)
    coins = COINS[:, 0].astype(np.float32)
    for y in (coins, coins.astype(int)):
        assert ff.bernoulli_nll(y, narrow).dtype == np.float32
        assert ff.gaussian_nll(y, narrow, 2.0).dtype == np.float32
    assert ff.categorical_nll(LABELS, rows).dtype == np.float32
    assert np.allclose(
        ff.categorical_nll(LABELS, rows), ff.categorical_nll(LABELS, ROWS), rtol=1e-5
    )
    assert np.allclose(ff.bernoulli_nll(coins, narrow), ff.bernoulli_nll(COINS[:, 0], P[:, 0]),
                       rtol=1e-5)  # fmt: skip


def test_maximum_likelihood_finds_the_mean():
    # of all constant predictions the one that each loss prefers is the mean of the targets
    y = np.array([0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0])
    grid = np.linspace(0.05, 0.95, 181)
    for loss in (ff.squared_error, ff.binary_cross_entropy):
        values = [float(loss(np.full(8, p), y)) for p in grid]
        assert grid[int(np.argmin(values))] == pytest.approx(0.75)


def test_matched_loss_of_one_sigmoid_unit_is_convex_and_squared_error_is_not():
    x = np.array([-2.0, -0.5, 1.0, 1.5])
    y = np.array([0.0, 1.0, 0.0, 1.0])
    w = np.linspace(-8, 8, 321)
    entropy = [float(ff.binary_cross_entropy_with_logits(k * x, y)) for k in w]
    squared = [float(ff.squared_error(ff.sigmoid(k * x), y)) for k in w]
    assert np.diff(entropy, 2).min() > 0
    assert np.diff(squared, 2).min() < -1e-5


def test_one_hot():
    assert ff.one_hot([2, 0, 1], 3).tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert ff.one_hot(np.array([1], np.uint8), 2).dtype == np.float64
    hot = ff.one_hot([1, 1], 2)
    hot[0] = 9  # rows of their own
    assert hot[1].tolist() == [0, 1]
