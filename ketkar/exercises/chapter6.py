"""The exercises of chapter 6, from one step of a recurrence to the cell of an LSTM."""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar import recurrent as rnn
from ketkar.exercises.exercise import Exercise

__all__ = ["CHAPTER_6"]

Generator = np.random.Generator
Cases = list[tuple[Any, ...]]


def _recurrence(rng: Generator, n: int, h: int, read: int) -> tuple[Any, ...]:
    """U, W and b of h units that see n inputs and read so many numbers of the step before."""
    return rng.normal(size=(h, n)), rng.normal(size=(h, read)), rng.normal(size=h)


def _steps(rng: Generator) -> Cases:
    one, two = np.array([1.0]), np.array([1.0, 0.0])
    by_hand: Cases = [
        (one, np.array([0.5]), np.array([[2.0]]), np.array([[-1.0]]), np.array([0.5])),
        (one, two, np.zeros((2, 1)), np.array([[0.0, 2.0], [1.0, 0.0]]), np.zeros(2)),
    ]
    sizes = ((3, 1), (1, 4), (2, 3))
    return by_hand + [
        (rng.normal(size=n), rng.normal(size=h), *_recurrence(rng, n, h, h)) for n, h in sizes
    ]


def _sequences(rng: Generator) -> Cases:
    by_hand: Cases = [
        (np.array([[1.0], [0.0]]), np.zeros(1), np.eye(1), np.array([[0.5]]), np.zeros(1)),
        (np.zeros((1, 1)), np.array([0.5]), np.eye(1), np.eye(1), np.zeros(1)),
    ]
    sizes = ((1, 2, 3), (5, 1, 2), (4, 3, 2))
    return by_hand + [
        (rng.normal(size=(T, n)), rng.normal(size=h), *_recurrence(rng, n, h, h))
        for T, n, h in sizes
    ]


def _states(x: Any, h0: Any, U: Any, W: Any, b: Any) -> Any:
    params = rnn.RNNParams(U, W, b, None, None)
    return rnn.rnn_forward(params, x[:, None], h0, backend="numpy")[0][:, 0]


def _sizes(rng: Generator) -> Cases:
    by_hand: Cases = [(1, 1, 1), (8, 16, 4)]
    return by_hand + [tuple(int(k) for k in rng.integers(1, 20, 3)) for _ in range(4)]


def _backward_cases(rng: Generator) -> Cases:
    first, second = np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]])
    by_hand: Cases = [
        (second, first, np.eye(1), 0.5 * np.eye(1), np.zeros(1)),
        (np.array([[1.0]]), np.array([[0.0]]), np.eye(1), np.eye(1), np.zeros(1)),
    ]
    sizes = ((3, 2, 2), (6, 1, 3))
    return by_hand + [
        (rng.normal(size=(T, h)), rng.normal(size=(T, n)), *_recurrence(rng, n, h, h))
        for T, n, h in sizes
    ]


def _backward(dh: Any, x: Any, U: Any, W: Any, b: Any) -> tuple[Any, ...]:
    params = rnn.RNNParams(U, W, b, None, None)
    _, trace = rnn.rnn_forward(params, x[:, None], backend="numpy")
    grads = rnn.rnn_backward(params, dh[:, None], trace, backend="numpy")
    return grads.x[:, 0], *grads.params[:3]


def _taught(rng: Generator) -> Cases:
    by_hand: Cases = [
        (
            np.zeros((3, 1)), np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]),
            np.ones((1, 1)), np.array([[1.0, -1.0]]), np.zeros(1),
        ),
    ]  # fmt: skip
    sizes = ((1, 1, 2, 2), (4, 2, 3, 2), (5, 1, 2, 3))
    return by_hand + [
        (rng.normal(size=(T, n)), np.eye(m)[rng.integers(0, m, T)], *_recurrence(rng, n, h, m))
        for T, n, h, m in sizes
    ]


def _forced(x: Any, y: Any, U: Any, W: Any, b: Any) -> Any:
    m = y.shape[1]
    params = rnn.RNNParams(U, W, b, np.zeros((m, len(b))), np.zeros(m))
    return rnn.output_rnn_forward(params, x[:, None], y[:, None])[1].h[:, 0]


def _both_ways(rng: Generator) -> Cases:
    one = (np.eye(1), np.eye(1), np.zeros(1))
    by_hand: Cases = [(np.array([[1.0], [0.0], [0.0]]), *one, *one)]
    sizes = ((1, 2, 2), (4, 1, 3), (5, 2, 2))
    return by_hand + [
        (rng.normal(size=(T, n)), *_recurrence(rng, n, h, h), *_recurrence(rng, n, h, h))
        for T, n, h in sizes
    ]


def _bidirectional(x: Any, *params: Any) -> tuple[Any, Any]:
    V = np.zeros((1, len(params[2])))
    p = rnn.BidirectionalParams(*(*params, V, V, np.zeros(1)))
    _, trace = rnn.bidirectional(p, x[:, None], backend="numpy")
    return trace.hf[:, 0], trace.hb[:, 0]


def _jacobians(rng: Generator) -> Cases:
    by_hand: Cases = [
        (np.array([0.5]), np.array([[2.0]])),
        (np.array([0.0, 0.5]), np.array([[1.0, 2.0], [4.0, 8.0]])),
    ]
    return by_hand + [(np.tanh(rng.normal(size=h)), rng.normal(size=(h, h))) for h in (3, 5)]


def _gradients(rng: Generator) -> Cases:
    by_hand: Cases = [
        (np.array([3.0]), np.array([4.0]), 1.0),
        (np.array([0.3]), np.array([0.4]), 1.0),
        (np.array([0.0]), np.array([0.0]), 1.0),
    ]
    return by_hand + [
        (rng.normal(size=(3, 2)), rng.normal(size=(3, 3)), kappa) for kappa in (0.5, 2.0, 50.0)
    ]


def _clipped(dU: Any, dW: Any, kappa: float) -> tuple[Any, Any]:
    grads: tuple[Any, Any] = rnn.clip_grad_norm((dU, dW), kappa).grads
    return grads


def _cells(rng: Generator) -> Cases:
    """The first: nothing comes in, all gates half open but the output gate, which looks."""
    still = (np.zeros(1), np.zeros(1), np.array([2.0]), np.zeros((4, 1, 1)), np.zeros((4, 1, 1)))
    by_hand: Cases = [(*still, np.array([[0.0], [0.0], [1.0]]), np.zeros((4, 1)))]
    return by_hand + [
        (
            rng.normal(size=n), rng.normal(size=h), rng.normal(size=h), rng.normal(size=(4, h, n)),
            rng.normal(size=(4, h, h)), rng.normal(size=(3, h)), rng.normal(size=(4, h)),
        )
        for n, h in ((2, 1), (1, 3), (3, 2))
    ]  # fmt: skip


def _lstm_cell(x: Any, y: Any, c: Any, W: Any, R: Any, p: Any, b: Any) -> tuple[Any, Any]:
    step = rnn.lstm_cell(x, y, c, rnn.LSTMParams(*W, *R, *p, *b))
    return step.c, step.y


def _gates(rng: Generator) -> Cases:
    f = np.array([[0.5], [0.25], [1.0]])
    by_hand: Cases = [(f, 0, 2), (f, 1, 1), (f, 0, 3)]
    return [*by_hand, (rng.random((6, 3)), 2, 5), (rng.random((40, 2)), 0, 40)]


CHAPTER_6 = (
    Exercise(
        "elman-cell",
        "elman_cell(x, h, U, W, b)",
        "The next hidden state of one sequence, from an input x (n,) and the hidden state h (h,) "
        "before it; U (h, n), W (h, h), b (h,).",
        rnn.elman_cell,
        _steps,
        "rnn-hidden",
    ),
    Exercise(
        "rnn-states",
        "rnn_states(x, h0, U, W, b)",
        "The hidden states (T, h) after each step of one sequence x (T, n); h0 (h,) is the state "
        "before the first step and not among them.",
        _states,
        _sequences,
        "unrolling",
    ),
    Exercise(
        "rnn-parameters",
        "rnn_parameters(n, h, m)",
        "How many weights and biases a recurrent network has with n inputs, h hidden units that "
        "are fed back, and m outputs.",
        rnn.rnn_parameter_count,
        _sizes,
        "rnn-parameter-count",
    ),
    Exercise(
        "bptt",
        "bptt(dh, x, U, W, b)",
        "The gradients of a recurrence that reads one sequence x (T, n) from the state zero, given "
        "dh (T, h), what the loss of each step says about its own state: for x, U, W and b.",
        _backward,
        _backward_cases,
        "bptt-weights",
        results=("dx", "dU", "dW", "db"),
        pair=lambda f: (lambda x, U, W, b: _states(x, None, U, W, b), f),
        pair_case=lambda rng: (rng.normal(size=(4, 2)), *_recurrence(rng, 2, 3, 3)),
    ),
    Exercise(
        "teacher-forcing",
        "teacher_forced(x, y, U, W, b)",
        "The hidden states (T, h) of a network that feeds back its output, for one sequence x "
        "(T, n) with the true outputs y (T, m), under teacher forcing; before the first step the "
        "output is zero; W (h, m).",
        _forced,
        _taught,
        "teacher-forcing",
    ),
    Exercise(
        "bidirectional-states",
        "bidirectional_states(x, Uf, Wf, bf, Ub, Wb, bb)",
        "The states (T, h) that have read one sequence x (T, n) forward, and those that have read "
        "it backward, both in the order of x; both start at zero.",
        _bidirectional,
        _both_ways,
        "bidirectional-backward",
        results=("hf", "hb"),
    ),
    Exercise(
        "hidden-jacobian",
        "hidden_jacobian(h, W)",
        "The Jacobian (h, h) of a hidden state with respect to the one before it; h (h,) is the "
        "later of the two.",
        rnn.hidden_jacobian,
        _jacobians,
        "hidden-jacobian",
    ),
    Exercise(
        "clip-norm",
        "clip_norm(dU, dW, kappa)",
        "Two gradients of any shapes, clipped by their common norm: as one vector they are at most "
        "kappa long afterwards.",
        _clipped,
        _gradients,
        "clip-norm",
        results=("dU", "dW"),
    ),
    Exercise(
        "lstm-cell",
        "lstm_cell(x, y, c, W, R, p, b)",
        "One step of an LSTM with peepholes from x (n,), the output y (h,) and the cell state "
        "c (h,): the new c and y; W (4, h, n), R (4, h, h) and b (4, h) in the order z, i, f, o, "
        "p (3, h) in the order i, f, o.",
        _lstm_cell,
        _cells,
        "lstm-output",
        results=("c", "y"),
    ),
    Exercise(
        "carousel",
        "carousel(f, first, last)",
        "How the cell state c[last] depends directly on c[first], (h,): f (T, h) are the forget "
        "gates, f[0] of the step from c[0] to c[1].",
        lambda f, first, last: f[first:last].prod(axis=0),
        _gates,
        "constant-error-carousel",
    ),
)
"""The exercises of chapter 6, in the order of the book."""
