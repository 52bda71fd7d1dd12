"""Chapter 6: forward and backpropagation through time in one call, float32.

A row of the RNN is loss and gradients of a network with a softmax layer of 10 outputs, labelled at
every step; a row of the LSTM goes forward and, from a given gradient with respect to its outputs,
back to the gradients of input and parameters. PyTorch's LSTM has no peepholes, so here ours has
none. The sizes are those of a short, a medium and a large problem.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.problems import Sequences, peer
from benchmarks.rows import Call, Row
from ketkar import recurrent

SIZES = ((1, 100, 32, 64), (32, 100, 64, 128), (64, 50, 256, 512))
"""Batch N, steps T, inputs n, hidden units h."""


def _rnn(problem: Sequences, backend: str = "auto") -> Call:
    x, labels = problem.arrays()
    params = problem.rnn()

    def run() -> Any:
        found = recurrent.rnn_value_and_grad(params, x, labels, backend=backend)
        return found.loss, *found.params

    return run


def _lstm(problem: Sequences, backend: str = "auto") -> Call:
    x, dy = problem.arrays()[0], problem.output_gradient()
    params = problem.lstm()

    def run() -> Any:
        _, trace = recurrent.lstm_forward(params, x, backend=backend)
        grads = recurrent.lstm_backward(params, dy, trace, backend=backend)
        return grads.x, *(g for g in grads.params if g is not None)

    return run


def _row(
    kind: str, problem: Sequences, gates: int, outputs: int, input_gradient: bool, bar: float
) -> Row:
    N, T, n, h = problem.N, problem.T, problem.n, problem.h
    ours: Callable[..., Call] = {"rnn": _rnn, "lstm": _lstm}[kind]
    weights = gates * h * (n + h) + outputs * h
    # forward, the errors of what comes before, and the gradients of the weights: of the input only
    # where it is asked for
    products = 3 * weights - (0 if input_gradient else gates * h * n)
    return Row(
        f"{kind}-batch{N}",
        2 * N * T * products,
        # inputs are read twice, states and sums written once and read once, weights as in a step
        4 * (2 * N * T * (n + h * (1 + gates)) + 3 * weights),
        partial(ours, problem),
        {
            "torch": peer("with_torch", kind, problem),
            "jax": peer("with_jax", kind, problem),
            "numpy": partial(ours, problem, "numpy"),
        },
        {"torch": bar},
    )


def _rows() -> list[Row]:
    problems = [Sequences(*sizes, outputs=10) for sizes in SIZES]
    return [
        *(
            _row("rnn", problem, 1, 10, False, bar)
            for problem, bar in zip(problems, (0.05, 0.4, 0.8), strict=True)
        ),
        *(
            _row("lstm", problem, 4, 0, True, bar)
            for problem, bar in zip(problems, (0.4, 0.9, 0.95), strict=True)
        ),
    ]


ROWS = _rows()
