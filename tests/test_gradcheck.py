"""The gradient check itself: right pairs pass, each kind of wrong pair fails with its hint."""

from typing import NamedTuple

import numpy as np
import pytest

from ketkar import feedforward as ff
from ketkar import network
from ketkar.gradcheck import Report, gradcheck, numerical_gradient

RNG = np.random.default_rng(7)
X, W, V = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 3)), RNG.normal(size=(3, 2))


def forward(x, W):
    return np.tanh(x @ W)


def right(dy, x, W):
    delta = dy * (1 - np.tanh(x @ W) ** 2)
    return delta @ W.T, x.T @ delta


def wrong(dx=lambda g: g, dW=lambda g: g):
    def backward(dy, x, W):
        gx, gW = right(dy, x, W)
        return dx(gx), dW(gW)

    return backward


def test_a_right_pair_passes():
    report = gradcheck(forward, right, X, W)
    assert report.ok
    assert bool(report)
    assert [(row.name, row.shape, row.ok, row.hint) for row in report.rows] == [
        ("argument[0]", (4, 3), True, ""),
        ("argument[1]", (3, 3), True, ""),
    ]
    assert all(0 < row.error < 1e-8 for row in report.rows)


def place(value):
    def change(g):
        g = g.copy()
        g[1, 2] = value
        return g

    return change


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda g: -g, "yours has the opposite sign everywhere."),
        (lambda g: 2 * g, "yours is 2 times the numerical gradient everywhere: a constant factor."),
        (lambda g: g / 4, "yours is 0.25 times the numerical gradient everywhere: a constant"),
        (lambda g: -3 * g, "yours is -3 times the numerical gradient everywhere"),
        (lambda g: g.T, "yours is the transpose of the numerical gradient."),
        (lambda g: g + 1, "yours differs by the same amount everywhere: is a term missing?"),
        (lambda g: 0 * g, "yours is zero everywhere: is the gradient passed on?"),
        (lambda g: g * np.nan, "yours holds NaN or infinity."),
        (place(np.nan), "yours holds NaN or infinity."),
        (place(np.inf), "yours holds NaN or infinity."),
        (place(-np.inf), "yours holds NaN or infinity."),
        (place(5.0), "1 of 9 entries are off; they may miss a term"),
        (lambda g: g * np.arange(1, 10).reshape(3, 3), "8 of 9 entries are off"),
        (lambda g: np.sin(g), "9 of 9 entries are off"),
        (lambda g: g * (1 + 1e-5), "yours is close"),
    ],
)
def test_a_wrong_pair_fails_with_a_hint(change, hint):
    report = gradcheck(forward, wrong(dW=change), X, W)
    assert not report.ok
    assert not report
    x_row, w_row = report.rows
    assert x_row.ok
    assert not w_row.ok
    assert w_row.error > 1e-6
    assert w_row.hint.startswith(hint)
    assert f"argument[1]: {w_row.hint}" in str(report)
    assert str(report).endswith("Some gradients disagree with finite differences.")


@pytest.mark.parametrize("value", [np.nan, np.inf, 5.0])
def test_the_worst_entry_is_named(value):
    row = gradcheck(forward, wrong(dW=place(value)), X, W).rows[1]
    assert row.where == (1, 2)
    assert np.array_equal(row.yours, value, equal_nan=True)
    dy = np.random.default_rng(0).standard_normal((4, 3))
    assert row.numerical == pytest.approx(right(dy, X, W)[1][1, 2], rel=1e-8)


def test_a_mean_taken_for_a_sum():
    report = gradcheck(
        lambda p: ff.squared_error(p, V), lambda dy, p: dy * ff.squared_error_grad(p, V, "sum"),
        V + 1,
    )  # fmt: skip
    assert "yours is 3 times the numerical gradient" in report.rows[0].hint


def test_a_dropped_term():
    # the gradient of x W x^T misses one of its two terms
    A = W + W.T + 3 * np.eye(3)
    report = gradcheck(lambda x: x @ W @ x, lambda dy, x: dy * (W @ x), X[0])
    assert not report.ok
    assert "miss a term" in report.rows[0].hint
    assert gradcheck(lambda x: x @ A @ x, lambda dy, x: dy * 2 * (A @ x), X[0]).ok


def test_a_forward_that_breaks_down():
    report = gradcheck(
        lambda x: np.where(x > 0, x, np.nan), lambda dy, x: dy, np.array([1.0, 1e-9])
    )
    assert "the forward function gives NaN or infinity near this point." in str(report)


def test_a_kink():
    report = gradcheck(np.abs, lambda dy, x: dy * np.sign(x), np.array([1.0, -2.0, 1e-9]))
    assert not report.ok
    assert report.rows[0].where == (2,)


def test_dy_weights_every_output():
    # a backward that ignores dy is right only where dy is one
    assert not gradcheck(lambda x: 3 * x, lambda dy, x: np.full(3, 3.0), X[0])
    assert gradcheck(lambda x: 3 * x, lambda dy, x: 3 * dy, X[0])
    one = gradcheck(lambda x: (x**2).sum(), lambda dy, x: 2 * x * dy, X)
    assert one.ok
    assert not gradcheck(lambda x: (x**2).sum(), lambda dy, x: 2 * x, X)


def test_only_some_arguments():
    report = gradcheck(forward, lambda dy, x, W: right(dy, x, W)[1], X, W, wrt=[1])
    assert report.ok
    assert [row.name for row in report.rows] == ["argument[1]"]
    swapped = gradcheck(forward, lambda dy, x, W: right(dy, x, W)[::-1], X[:3], W, wrt=(1, 0))
    assert [row.name for row in swapped.rows] == ["argument[1]", "argument[0]"]
    assert swapped.ok
    skipped = gradcheck(forward, lambda dy, x, W: (None, right(dy, x, W)[1]), X, W)
    assert [row.name for row in skipped.rows] == ["argument[1]"]


class Params(NamedTuple):
    W: np.ndarray
    b: np.ndarray


def test_nests_of_arrays():
    def nested(dy, params, x):
        return Params(x.T @ dy, dy.sum(axis=0)), dy @ params.W.T

    report = gradcheck(lambda p, x: x @ p.W + p.b, nested, Params(V, np.ones(2)), X)
    assert report.ok, report
    assert [row.name for row in report.rows] == ["argument[0].W", "argument[0].b", "argument[1]"]

    def listed(dy, ps):
        return [
            Params(X.T @ dy @ ps[1].T, dy.sum(axis=0) @ ps[1].T),
            (X @ ps[0].W + ps[0].b).T @ dy,
        ]

    report = gradcheck(
        lambda ps: (X @ ps[0].W + ps[0].b) @ ps[1],
        lambda dy, ps: (listed(dy, ps),),
        [Params(W, np.ones(3)), V],
    )
    assert report.ok, report
    assert [row.name for row in report.rows] == [
        "argument[0][0].W", "argument[0][0].b", "argument[0][1]",
    ]  # fmt: skip


def test_a_backward_may_work_in_place():
    def in_place(dy, x, W):
        dy *= 1 - np.tanh(x @ W) ** 2
        dx, dW = dy @ W.T, x.T @ dy
        x *= 0
        W *= 0
        return dx, dW

    x, w = X.copy(), W.copy()
    assert gradcheck(forward, in_place, x, w).ok
    assert np.array_equal(x, X)
    assert np.array_equal(w, W)


def test_a_backward_may_return_its_arguments():
    # d/dx x^2/2 = x: the array itself comes back
    assert gradcheck(lambda x: (x**2).sum() / 2, lambda dy, x: x * dy, X).ok
    report = gradcheck(lambda x, y: (x * y).sum(), lambda dy, x, y: (y * dy, x * dy), X, X + 1)
    assert report.ok


def test_float32_lists_and_whole_numbers_are_checked_in_float64():
    assert gradcheck(forward, right, X.astype(np.float32), W.tolist()).ok
    assert gradcheck(lambda x: x**2, lambda dy, x: 2 * x * dy, 3).ok
    assert gradcheck(lambda x: x * 0, lambda dy, x: x * 0, np.zeros((0, 3))).ok


def test_the_draw_of_dy_is_reproducible():
    assert str(gradcheck(forward, right, X, W, rng=3)) == str(
        gradcheck(forward, right, X, W, rng=3)
    )
    assert gradcheck(forward, right, X, W, rng=np.random.default_rng(5)).ok


def test_tolerance():
    slightly = wrong(dW=lambda g: g * (1 + 1e-5))
    assert not gradcheck(forward, slightly, X, W)
    assert gradcheck(forward, slightly, X, W, tolerance=1e-4)


def test_the_report_prints_a_table():
    report = gradcheck(lambda x: x**3, lambda dy, x: dy * 3 * x**2, np.array([1.0, 2.0]))
    lines = str(report).splitlines()
    columns = ["array", "shape", "worst error", "at", "yours", "numerical", "verdict"]
    assert [c.strip() for c in lines[0].split("  ") if c] == columns
    assert lines[1].startswith("argument[0]  (2,)   ")
    assert lines[1].endswith("ok")
    assert lines[-1] == "All gradients agree with finite differences to 1e-06."
    assert len(lines) == 3
    assert repr(report) == str(report)
    assert isinstance(report, Report)


def test_numerical_gradient():
    found = numerical_gradient(lambda x: (x**2).sum(), X)
    assert np.allclose(found, 2 * X, atol=1e-9)
    a, b = numerical_gradient(lambda x, y: float(x @ y), X[0], X[1])
    assert np.allclose(a, X[1])
    assert np.allclose(b, X[0])
    nest = numerical_gradient(lambda p: (p.W**2).sum() + p.b.sum(), Params(V, np.ones(2)))
    assert isinstance(nest, Params)
    assert np.allclose(nest.W, 2 * V)
    assert np.allclose(nest.b, 1)
    listed = numerical_gradient(lambda p: (p[0] ** 2).sum() + p[1].sum(), [V, np.ones(2)])
    assert isinstance(listed, list)
    assert np.allclose(listed[0], 2 * V)
    assert numerical_gradient(lambda x: x**2, 1e6) == pytest.approx(2e6, rel=1e-8)


def test_numerical_gradient_error_falls_with_the_square_of_the_step():
    errors = [
        abs(float(numerical_gradient(np.exp, 1.0, step=h)) - np.exp(1.0)) for h in (1e-2, 1e-3)
    ]
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.01)


def test_numerical_gradient_leaves_its_argument_alone():
    x = X.copy()
    numerical_gradient(lambda x: x.sum(), x)
    assert np.array_equal(x, X)


def test_check_layer():
    net = network.chain(network.Dense(3, 4, "tanh"), network.Dense(4, 2))
    report = network.check_layer(net, net.init(0), X)
    assert report.ok
    assert [row.name for row in report.rows] == [
        "argument[0].dense1.W", "argument[0].dense1.b",
        "argument[0].dense2.W", "argument[0].dense2.b", "argument[1]",
    ]  # fmt: skip


TABLE = [
    (lambda: gradcheck(forward, lambda dy, x, W: right(dy, x, W)[0], X, W), ValueError,
     ["backward returned one ndarray", "2 checked arguments"]),
    (lambda: gradcheck(forward, lambda dy, x, W: (*right(dy, x, W), 1), X, W), ValueError,
     ["backward returned 3 gradients", "2 checked arguments"]),
    (lambda: gradcheck(forward, lambda dy, x, W: None, X, W), ValueError,
     ["backward returned None"]),
    (lambda: gradcheck(np.sin, lambda dy, x: None, X), ValueError,
     ["backward returned None", "return"]),
    (lambda: gradcheck(lambda x, V: x @ V, lambda dy, x, V: (dy @ V.T, dy.T @ x), X, V),
     ValueError, ["the gradient of argument[1] has shape (2, 3)", "argument[1] has (3, 2)"]),
    (lambda: gradcheck(lambda p: p[0] * p[1], lambda dy, p: ((dy,),), (X, X)), ValueError,
     ["argument[0] holds 2 arrays", "gradient holds 1"]),
    (lambda: gradcheck(lambda x: (x, {"cache": x}), lambda dy, x: dy, X), TypeError,
     ["forward must return one array of numbers", "a tuple"]),
    (lambda: gradcheck(lambda x: None, lambda dy, x: dy, X), TypeError, ["forward must return"]),
    (lambda: gradcheck(lambda x: "y", lambda dy, x: dy, X), TypeError, ["forward must return"]),
    (lambda: gradcheck(lambda: 1.0, lambda dy: ()), ValueError, ["at least one argument"]),
    (lambda: gradcheck(forward, right, X, W, wrt=[2]), ValueError, ["wrt", "0 .. 1", "[2]"]),
    (lambda: gradcheck(forward, right, X, W, wrt=[]), ValueError, ["wrt", "0 .. 1"]),
    (lambda: gradcheck(forward, right, X, W, wrt=[-1]), ValueError, ["wrt must be at least 0"]),
    (lambda: gradcheck(forward, right, X, W, wrt=1), TypeError, ["wrt must be a sequence"]),
    (lambda: gradcheck(forward, right, X, W, wrt=["x"]), TypeError, ["wrt must be a whole"]),
    (lambda: gradcheck(forward, right, X, W, rng=None), TypeError, ["rng"]),
    (lambda: gradcheck(forward, right, X, W, tolerance=0), ValueError, ["tolerance", "above 0"]),
    (lambda: gradcheck(forward, right, "x", W), TypeError, ["argument", "real numbers"]),
    (lambda: numerical_gradient(lambda x: x, X), ValueError, ["f returned an array", "(4, 3)"]),
    (lambda: numerical_gradient(lambda x: None, X), TypeError, ["f must return"]),
    (lambda: numerical_gradient(lambda x: x.sum(), X, step=0), ValueError, ["step", "above 0"]),
    (lambda: numerical_gradient(lambda x: x.sum(), X * 1j), TypeError, ["complex128"]),
    (lambda: numerical_gradient(lambda: 1.0), ValueError, ["at least one argument"]),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "words"), TABLE)
def test_a_sentence(call, error, words, refuses):
    with refuses(error, *words):
        call()
