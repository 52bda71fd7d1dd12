"""The self-checking exercises: right solutions pass, and each wrong one gets a fitting sentence."""

import re

import numpy as np
import pytest

from ketkar.equations import equations
from ketkar.exercises import CHAPTER_3, CHAPTER_5, Exercise, check, exercises, statement


def sigmoid(z):
    """A sigmoid of the student's own, stable and without branches."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(z)))


def softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def momentum_step(theta, gradient, velocity, lr, momentum):
    velocity = momentum * velocity - lr * gradient
    return theta + velocity, velocity


def correlate_2d(x, K):
    R, S = K.shape
    rows, columns = range(len(x) - R + 1), range(x.shape[1] - S + 1)
    return np.array([[np.sum(x[i : i + R, j : j + S] * K) for j in columns] for i in rows])


def receptive_field(layers):
    seen = 1
    for kernel, stride in reversed(layers):
        seen = (seen - 1) * stride + kernel
    return seen


def max_pool_backward(dy, x):
    dx = np.zeros(x.shape)
    for i, j in np.ndindex(dy.shape):
        window = x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        r, s = divmod(int(window.argmax()), 2)
        dx[2 * i + r, 2 * j + s] = dy[i, j]
    return dx


RIGHT = {
    "step": lambda z: (np.asarray(z) > 0) * 1.0,
    "unit": lambda x, w, b: sigmoid(np.sum(x * w) + b),
    "dense": lambda x, W, b: np.tanh(x @ W + b),
    "sigmoid-derivative": lambda z: sigmoid(z) * (1 - sigmoid(z)),
    "softmax": softmax,
    "binary-cross-entropy": lambda z, y: np.mean(np.logaddexp(0, z) - y * z),
    "dense-backward": lambda dy, x, W: (dy @ W.T, x.T @ dy, dy.sum(axis=0)),
    "sgd-step": lambda theta, gradient, lr: theta - lr * gradient,
    "momentum-step": momentum_step,
    "cross-correlate": lambda x, K: np.correlate(x, K, "valid"),
    "convolve": lambda x, K: np.convolve(x, K),
    "cross-correlate-2d": correlate_2d,
    "output-size": lambda size, kernel, stride, padding: (
        (size + 2 * padding - kernel) // stride + 1
    ),
    "conv-parameters": lambda rows, columns, channels, maps: (rows * columns * channels + 1) * maps,
    "receptive-field": receptive_field,
    "max-pool-backward": max_pool_backward,
    "conv-backward": lambda dy, x, K: (np.convolve(dy, K), np.correlate(x, dy, "valid")),
}


def add_in_place(theta, gradient, lr):
    theta -= lr * gradient
    return theta


WRONG = [
    ("step", lambda z: (np.asarray(z) >= 0) * 1.0, "for z = 0, your function returns 1; 0 is"),
    ("step", lambda z: 1.0 if z > 0 else 0.0, "stops with ValueError: The truth value of an"),
    ("step", lambda: 0, "takes 0 positional arguments.*It is called as step"),
    ("unit", lambda x, w, b: sigmoid(x * w + b), "an array of shape .3,.; one number is right"),
    ("unit", lambda x, w, b: sigmoid(x @ w), "b = 0.5, your function returns 0.731059; 0.817574"),
    ("unit", lambda x, w, b: None, "returns None: is the return missing"),
    ("unit", lambda x, w, b: "0.5 or so", "your function returns a str, not numbers"),
    ("dense", lambda x, W, b: (x @ W + b).T, "is right. Is it transposed?"),
    ("dense", lambda x, W, b: x @ W + b, r"entry \[0, 0\] of your result is"),
    ("dense", lambda x, W, b: np.tanh(W @ x + b), "stops with ValueError: matmul"),
    ("dense", lambda x, W, b: [[1.0], [1.0, 2.0]], "your function returns a list, not numbers"),
    ("sigmoid-derivative", lambda z: sigmoid(z), "for z = 0, .* 0.5; 0.25 is right"),
    ("sigmoid-derivative", lambda z: -sigmoid(z) * (1 - sigmoid(z)), "the opposite sign everywh"),
    ("sigmoid-derivative", lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2, "large number overflow"),
    ("softmax", lambda z: np.exp(z) / np.exp(z).sum(), "of your result is"),
    ("softmax", lambda z: np.exp(z) / np.exp(z).sum(-1, keepdims=True), "large number overflow"),
    ("softmax", lambda z: np.exp(z), "for z = .1, 2, 3., your function returns .2.718"),
    ("binary-cross-entropy", lambda z, y: np.sum(np.logaddexp(0, z) - y * z), "z = .2, -1."),
    (
        "binary-cross-entropy",
        lambda z, y: -np.mean(y * np.log(sigmoid(z)) + (1 - y) * np.log(1 - sigmoid(z))),
        "z = .1000, -1000..*overflow",
    ),
    ("dense-backward", lambda dy, x, W: dy @ W.T, "return 3 results: dx, dW, db"),
    (
        "dense-backward",
        lambda dy, x, W: (dy @ W.T, x.T @ dy, dy),
        "db is an array of shape .2, 4.; .* Is a sum missing",
    ),
    (
        "dense-backward",
        lambda dy, x, W: (dy @ W.T, -x.T @ dy, dy.sum(axis=0)),
        "(?s)entry .0, 0. of dW.*The sign is the opposite.*dW: yours has the opposite sign",
    ),
    (
        "dense-backward",
        lambda dy, x, W: (dy @ W.T, 2 * x.T @ dy, dy.sum(axis=0)),
        "of dW is .* It is 2 times what is right",
    ),
    ("sgd-step", lambda theta, gradient, lr: theta + lr * gradient, "returns .3.4.; .2.6. is"),
    ("sgd-step", lambda theta, gradient, lr: gradient, "returns .4.; .2.6. is right"),
    ("sgd-step", add_in_place, "changes its argument theta; work on a new array"),
    ("momentum-step", lambda theta, gradient, *_: (theta, gradient), "theta is .3.; .2.4. is"),
    ("cross-correlate", lambda x, K: np.convolve(x, K, "valid"), "returns .2, 2.; .-2, -2. is"),
    ("cross-correlate", lambda x, K: np.correlate(x, K, "full"), "shape .6,.; .* is right"),
    (
        "convolve",
        lambda x, K: np.correlate(x, K, "full"),
        r"entry \[0\] of your result is -1; 1 is right",
    ),
    ("cross-correlate-2d", lambda x, K: correlate_2d(x, K[::-1, ::-1]), "is 10; -2 is right"),
    ("output-size", lambda size, kernel, *_: size - kernel + 1, "padding = 1, .* 3; 5 is right"),
    ("output-size", lambda n, k, s, p: (n + 2 * p - k) / s + 1, "2.5; 2 is right"),
    ("conv-parameters", lambda R, S, C, M: R * S * C * M, "returns 150; 156 is right"),
    ("receptive-field", lambda layers: 1 + sum(k - 1 for k, _ in layers), "returns 4; 6 is right"),
    (
        "max-pool-backward",
        lambda dy, x: np.where(x == x.max(), dy.max(), 0.0),
        r"(?s)entry \[0, 1\] of your result is 0; 1 is right.*x      ",
    ),
    ("conv-backward", lambda dy, x, K: np.convolve(dy, K), "return 2 results: dx, dK"),
    (
        "conv-backward",
        lambda dy, x, K: (np.convolve(dy, K[::-1]), np.correlate(x, dy, "valid")),
        "dx is .-1, -10, 1, 10.; .1, 10, -1, -10. is right",
    ),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", RIGHT)
def test_right_solutions_pass(name, seed):
    verdict = check(name, RIGHT[name], rng=seed)
    assert verdict, verdict
    assert verdict.ok
    assert re.fullmatch(r"Right: all \d+ cases agree with \([35]\.\d+\).*\.", str(verdict))


@pytest.mark.parametrize(("name", "function", "sentence"), WRONG)
def test_wrong_solutions_are_told_what_is_wrong(name, function, sentence):
    verdict = check(name, function)
    assert not verdict
    assert repr(verdict).startswith("Not yet: ")
    assert re.search(sentence, verdict.message), verdict.message


def test_a_result_is_not_a_function():
    assert str(check("step", 1.0)).startswith("Not yet: hand over the function step(z)")


def test_every_exercise_has_a_right_solution_here():
    assert set(RIGHT) == {row.name for row in exercises()}


@pytest.mark.parametrize("row", CHAPTER_3 + CHAPTER_5, ids=lambda row: row.name)
def test_every_exercise_accepts_its_own_solution(row):
    verdict = check(row, row.solution)
    assert verdict, verdict


@pytest.mark.parametrize("row", CHAPTER_3 + CHAPTER_5, ids=lambda row: row.name)
def test_a_function_that_returns_another_number_fails(row):
    def off(*args):
        returned = row.solution(*args)
        many = isinstance(returned, tuple)
        changed = tuple(np.asarray(r) + 1e-3 for r in (returned if many else (returned,)))
        return changed if many else changed[0]

    assert not check(row, off)


def test_a_derivative_shows_the_table_of_the_gradient_check():
    text = str(check("sigmoid-derivative", lambda z: 2 * RIGHT["sigmoid-derivative"](z)))
    assert "z: yours is 2 times the numerical gradient everywhere" in text
    assert "z      (5,)" in text


def test_the_list_names_every_exercise_with_its_equation():
    text = repr(exercises())
    for row in exercises():
        assert row.name in text
        assert row.statement in text
        assert row.number == f"({equations()[row.equation].number})"


def test_statement():
    assert statement("dense-backward").startswith(
        "dense_backward(dy, x, W) -> dx, dW, db    (3.17)"
    )


def test_unknown_names_get_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'softmax'"):
        check("sofmax", softmax)
    with pytest.raises(ValueError, match="there are step, unit"):
        statement("quantum")


class TestAnExerciseOfYourOwn:
    row = Exercise(
        "mean", "mean(x)", "The mean of x.", lambda x: x.mean(), lambda rng: [(rng.normal(size=3),)]
    )

    def test_is_checked_against_its_own_solution(self):
        assert str(check(self.row, np.mean)) == "Right: all 1 cases agree with the solution."
        assert not check(self.row, np.sum)

    def test_has_a_statement_without_an_equation(self):
        assert str(self.row) == "mean(x)\nThe mean of x."
