"""The self-checking exercises: right solutions pass, and each wrong one gets a fitting sentence."""

import re

import numpy as np
import pytest

from ketkar.equations import equations
from ketkar.exercises import CHAPTER_3, CHAPTER_5, CHAPTER_6, Exercise, check, exercises, statement


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


def rnn_states(x, h0, U, W, b):
    states = [h0]
    for step in x:
        states.append(np.tanh(U @ step + W @ states[-1] + b))
    return np.array(states[1:])


def bptt(dh, x, U, W, b):
    h = rnn_states(x, np.zeros(len(b)), U, W, b)
    before = np.vstack([np.zeros(len(b)), h[:-1]])
    dz, later = np.zeros(h.shape), np.zeros(len(b))
    for t in range(len(x) - 1, -1, -1):
        dz[t] = (dh[t] + later) * (1 - h[t] ** 2)
        later = W.T @ dz[t]
    return dz @ U, dz.T @ x, dz.T @ before, dz.sum(axis=0)


def bptt_of_single_steps(dh, x, U, W, b):
    """Wrong: no step hears from a later one."""
    h = rnn_states(x, np.zeros(len(b)), U, W, b)
    before = np.vstack([np.zeros(len(b)), h[:-1]])
    dz = dh * (1 - h**2)
    return dz @ U, dz.T @ x, dz.T @ before, dz.sum(axis=0)


def teacher_forced(x, y, U, W, b):
    told = np.vstack([np.zeros(y.shape[1]), y[:-1]])
    return np.tanh(x @ U.T + told @ W.T + b)


def bidirectional_states(x, Uf, Wf, bf, Ub, Wb, bb):
    hf = rnn_states(x, np.zeros(len(bf)), Uf, Wf, bf)
    return hf, rnn_states(x[::-1], np.zeros(len(bb)), Ub, Wb, bb)[::-1]


def hidden_jacobian(h, W):
    return np.diag(1 - h**2) @ W


def clip_norm(dU, dW, kappa):
    norm = np.sqrt(np.sum(dU**2) + np.sum(dW**2))
    factor = kappa / norm if norm > kappa else 1.0
    return dU * factor, dW * factor


def clip_each(dU, dW, kappa):
    """Wrong: the direction of the two together is lost."""
    return tuple(g * min(1.0, kappa / max(np.linalg.norm(g), 1e-300)) for g in (dU, dW))


def lstm_cell(x, y, c, W, R, p, b, *, seen="new", squash=np.tanh):
    z, i, f, o = (W[k] @ x + R[k] @ y + b[k] for k in range(4))
    new = sigmoid(i + p[0] * c) * np.tanh(z) + sigmoid(f + p[1] * c) * c
    o = sigmoid(o + p[2] * (new if seen == "new" else c))
    return new, o * squash(new)


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
    "elman-cell": lambda x, h, U, W, b: np.tanh(U @ x + W @ h + b),
    "rnn-states": rnn_states,
    "rnn-parameters": lambda n, h, m: h * (n + h + 1) + m * (h + 1),
    "bptt": bptt,
    "teacher-forcing": teacher_forced,
    "bidirectional-states": bidirectional_states,
    "hidden-jacobian": hidden_jacobian,
    "clip-norm": clip_norm,
    "lstm-cell": lstm_cell,
    "carousel": lambda f, first, last: np.multiply.reduce(f[first:last]),
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
    ("elman-cell", lambda x, h, U, W, b: U @ x + W @ h + b, "returns .2.; .0.964028. is right"),
    (
        "elman-cell",
        lambda x, h, U, W, b: np.tanh(U @ x + h @ W + b),
        "returns .0, 0.964028.; .0, 0.761594. is right",
    ),
    ("rnn-states", lambda x, h0, U, W, b: np.tanh(x @ U.T + h0 @ W.T + b), "entry .1, 0. of your"),
    (
        "rnn-states",
        lambda x, h0, U, W, b: np.vstack([h0, rnn_states(x, h0, U, W, b)]),
        "shape .3, 1.; an array of shape .2, 1. is right",
    ),
    ("rnn-parameters", lambda n, h, m: n * h + h * h + h * m, "returns 3; 5 is right"),
    ("bptt", bptt_of_single_steps, r"(?s)entry .0, 0. of dx is 0; 0.18.*dW"),
    (
        "bptt",
        lambda dh, x, U, W, b: bptt(dh, x, U, W.T, b),
        "(?s)dh of shape .3, 2., .* of d. is .* is right.*dU",
    ),
    ("bptt", lambda dh, x, U, W, b: bptt(dh, x, U, W, b)[1:], "return 4 results: dx, dU, dW, db"),
    (
        "teacher-forcing",
        lambda x, y, U, W, b: np.tanh(x @ U.T + y @ W.T + b),
        "entry .0, 0. of your result is 0.76.*; 0 is right",
    ),
    (
        "bidirectional-states",
        lambda x, *p: (RIGHT["rnn-states"](x, np.zeros(len(p[2])), *p[:3]),) * 2,
        "entry .1, 0. of hb is 0.64.*; 0 is right",
    ),
    (
        "bidirectional-states",
        lambda *p: (bidirectional_states(*p)[0], bidirectional_states(*p)[1][::-1]),
        "entry .0, 0. of hb is 0; 0.76.* is right",
    ),
    ("hidden-jacobian", lambda h, W: W * (1 - h**2), "entry .0, 1. of your result is 1.5; 2 is"),
    ("hidden-jacobian", lambda h, W: W, "entry .0, 0. of your result is 2; 1.5 is right"),
    ("clip-norm", clip_each, "dU is .1.; .0.6. is right"),
    (
        "clip-norm",
        lambda dU, dW, kappa: (dU * kappa / np.hypot(dU, dW), dW * kappa / np.hypot(dU, dW)),
        "kappa = 1, dU is .0.6.; .0.3. is right",
    ),
    ("lstm-cell", lambda *a: lstm_cell(*a, seen="old"), "y is .0.67.*; .0.556.*. is right"),
    ("lstm-cell", lambda *a: lstm_cell(*a, squash=lambda c: c), "y is .0.73.*; .0.556.*. is right"),
    ("lstm-cell", lambda *a: lstm_cell(*a)[::-1], "c is .0.556.*; .1. is right"),
    ("carousel", lambda f, first, last: f[first + 1 : last + 1].prod(0), ".0.25.; .0.125. is"),
    ("carousel", lambda f, first, last: f[first:last].sum(0), "returns .0.75.; .0.125. is right"),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", RIGHT)
def test_right_solutions_pass(name, seed):
    verdict = check(name, RIGHT[name], rng=seed)
    assert verdict, verdict
    assert verdict.ok
    assert re.fullmatch(r"Right: all \d+ cases agree with \([356]\.\d+\).*\.", str(verdict))


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


@pytest.mark.parametrize("row", CHAPTER_3 + CHAPTER_5 + CHAPTER_6, ids=lambda row: row.name)
def test_every_exercise_accepts_its_own_solution(row):
    verdict = check(row, row.solution)
    assert verdict, verdict


@pytest.mark.parametrize("row", CHAPTER_3 + CHAPTER_5 + CHAPTER_6, ids=lambda row: row.name)
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
