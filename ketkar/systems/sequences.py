"""Small recurrent networks on tasks that take memory: one way to train them and to ask them.

A network is here a recurrent one, a bidirectional one, or an LSTM with the layer that reads it, as
the pair (LSTMParams, OutputParams).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.datasets import Sequences, adding_problem, recall_task, running_parity
from ketkar.feedforward import squared_error, squared_error_grad
from ketkar.recurrent import (
    BidirectionalParams,
    LSTMParams,
    OutputParams,
    RNNParams,
    bidirectional,
    bidirectional_backward,
    lstm_backward,
    lstm_forward,
    lstm_value_and_grad,
    output_rnn_backward,
    output_rnn_forward,
    rnn_forward,
    rnn_output,
    rnn_value_and_grad,
    sequence_cross_entropy,
    sequence_cross_entropy_grad,
)
from ketkar.training import Descent, descend
from ketkar.trees import leaves

__all__ = [
    "adding_answers",
    "sequence_accuracy",
    "sequence_outputs",
    "sequence_value_and_grad",
    "train_adding",
    "train_parity",
    "train_recall",
    "train_sequences",
]


def sequence_outputs(network: Any, x: ArrayLike) -> NDArray[Any]:
    """What a network says after each step: probabilities (T, N, m).

    Parameters
    ----------
    network : RNNParams, BidirectionalParams or (LSTMParams, OutputParams)
    x : array_like
        (T, N, n).

    Raises
    ------
    TypeError
        If `network` is none of the three.

    Examples
    --------
    >>> from ketkar.recurrent import lstm_params, output_params
    >>> network = lstm_params(2, 4, rng=0), output_params(4, 3, rng=0)
    >>> sequence_outputs(network, np.ones((5, 6, 2))).shape
    (5, 6, 3)
    """
    if isinstance(network, RNNParams):
        return rnn_forward(network, x)[0]
    if isinstance(network, BidirectionalParams):
        return bidirectional(network, x)[0]
    lstm, output = _lstm(network)
    return rnn_output(lstm_forward(lstm, x)[0], output.V, output.c)


def _lstm(network: Any) -> tuple[LSTMParams, OutputParams]:
    if isinstance(network, tuple) and len(network) == 2 and isinstance(network[0], LSTMParams):
        return network
    raise TypeError(
        "network must be RNNParams, BidirectionalParams or a pair (LSTMParams, OutputParams), got "
        f"{checks.shown(network)}"
    )


def sequence_value_and_grad(network: Any, data: Sequences) -> tuple[float, Any]:
    """The mean cross entropy of a network on sequences with labels, and its gradients.

    Parameters
    ----------
    network : RNNParams, BidirectionalParams or (LSTMParams, OutputParams)
    data : Sequences
        x (T, N, n); labels (T, N) for each step, or (N,) for the last one.

    Returns
    -------
    loss : float
    grads
        In the shapes of `network`.

    Raises
    ------
    TypeError
        If `network` is none of the three.

    Examples
    --------
    >>> from ketkar.recurrent import rnn_params
    >>> loss, grads = sequence_value_and_grad(rnn_params(2, 4, 2, rng=0), recall_task(6, 5, rng=0))
    >>> grads.W.shape
    (4, 4)
    """
    x, y = data
    if isinstance(network, RNNParams):
        result = rnn_value_and_grad(network, x, y)
        return result.loss, result.params
    if isinstance(network, BidirectionalParams):
        y_hat, trace = bidirectional(network, x)
        dy = sequence_cross_entropy_grad(y_hat, y, reduction="mean")
        loss = sequence_cross_entropy(y_hat, y, reduction="mean")
        return loss, bidirectional_backward(network, dy, trace).params
    both = lstm_value_and_grad(*_lstm(network), x, y)
    return both.loss, (both.params, both.output)


def sequence_accuracy(network: Any, data: Sequences) -> Any:
    """The share of right answers: a number, or one for each step where each step is asked.

    Parameters
    ----------
    network, data
        As in :func:`sequence_value_and_grad`.

    Returns
    -------
    float or ndarray
        A float for labels (N,), (T,) for labels (T, N).

    Examples
    --------
    >>> from ketkar.datasets import next_bit
    >>> from ketkar.recurrent import rnn_params
    >>> sequence_accuracy(rnn_params(1, 4, 2, rng=0), next_bit(100, 5, rng=0)).shape
    (5,)
    """
    guess = sequence_outputs(network, data.x).argmax(axis=2)
    right = guess == data.y if np.ndim(data.y) == 2 else guess[-1] == data.y
    return right.mean(axis=1) if right.ndim == 2 else float(right.mean())


def train_sequences(
    network: Any,
    draw: Callable[[], Sequences],
    updates: int,
    *,
    lr: float = 0.01,
    max_norm: float | None = 1.0,
    **settings: Any,
) -> Descent:
    """Train a network on batches that are drawn anew for each update.

    Parameters
    ----------
    network : RNNParams, BidirectionalParams or (LSTMParams, OutputParams)
        Where to start.
    draw : callable
        ``draw()`` returns a batch.
    updates : int
        How many.
    lr, max_norm, **settings
        As in :func:`ketkar.training.descend`: Adam, and clipping by the norm.

    Returns
    -------
    Descent

    Examples
    --------
    >>> from ketkar.datasets import next_bit
    >>> from ketkar.recurrent import bidirectional_params
    >>> rng = np.random.default_rng(0)
    >>> network = bidirectional_params(1, 8, 2, rng=rng)
    >>> run = train_sequences(network, lambda: next_bit(32, 5, rng), 150)
    >>> sequence_accuracy(run.params, next_bit(100, 5, rng)).round(1)
    array([1. , 1. , 1. , 1. , 0.5])
    """

    def value_and_grad(params: Any) -> tuple[float, Any]:
        return sequence_value_and_grad(params, draw())

    return descend(network, value_and_grad, updates, lr=lr, max_norm=max_norm, **settings)


def _kind(network: Any) -> np.dtype[Any]:
    """The type of a network's numbers."""
    return next(np.asarray(array).dtype for _, array in leaves(network))


def train_recall(
    network: Any,
    tau: int,
    rng: np.random.Generator | int,
    *,
    updates: int = 400,
    noise: float = 0.2,
    batch: int = 32,
    lr: float = 0.003,
    **settings: Any,
) -> Descent:
    """Train a network to name the first of `tau` symbols: :func:`~ketkar.datasets.recall_task`.

    Parameters
    ----------
    network : RNNParams or (LSTMParams, OutputParams)
        With 2 inputs and 2 outputs.
    tau : int
        Number of steps.
    rng : numpy.random.Generator or int
        Draws the sequences.
    updates, batch : int
        How many updates, on how many sequences each.
    noise : float
        Standard deviation of the noise behind the first symbol. Without any, even the smallest
        trace of the symbol tells, and Adam makes up for how small its gradient is.
    lr, **settings
        As in :func:`train_sequences`.

    Returns
    -------
    Descent

    Examples
    --------
    >>> from ketkar.recurrent import rnn_params
    >>> run = train_recall(rnn_params(2, 8, 2, rng=0), 5, rng=0, updates=200)
    >>> sequence_accuracy(run.params, recall_task(100, 5, rng=1, noise=0.2))
    1.0
    """
    rng, kind = checks.generator(rng), _kind(network)
    return train_sequences(
        network, lambda: recall_task(batch, tau, rng, noise, dtype=kind), updates, lr=lr, **settings
    )


def train_parity(
    params: RNNParams,
    tau: int,
    rng: np.random.Generator | int,
    *,
    forced: bool = True,
    updates: int = 50,
    batch: int = 32,
    lr: float = 0.05,
    **settings: Any,
) -> Descent:
    """Train a network that feeds back its output on parity, with or without teacher forcing.

    Parameters
    ----------
    params : RNNParams
        W (h, 2), 1 input and 2 outputs.
    tau : int
        Number of steps: :func:`~ketkar.datasets.running_parity`.
    rng : numpy.random.Generator or int
        Draws the sequences.
    forced : bool
        Whether each step is told the true answer of the step before, or is given the network's.
    updates, batch : int
        How many updates, on how many sequences each.
    lr, **settings
        As in :func:`ketkar.training.descend`.

    Returns
    -------
    Descent

    Examples
    --------
    >>> from ketkar.recurrent import rnn_params
    >>> params = rnn_params(1, 8, 2, rng=0, feedback="output")
    >>> run = train_parity(params, 8, rng=0)
    >>> x, y = running_parity(100, 30, rng=1)
    >>> free, _ = output_rnn_forward(run.params, x)
    >>> float((free.argmax(axis=2) == y).mean())
    1.0
    """
    rng, kind = checks.generator(rng), _kind(params)

    def value_and_grad(now: RNNParams) -> tuple[float, Any]:
        x, y = running_parity(batch, tau, rng, dtype=kind)
        y_hat, trace = output_rnn_forward(now, x, teacher=y if forced else None)
        dy = sequence_cross_entropy_grad(y_hat, y, reduction="mean")
        loss = sequence_cross_entropy(y_hat, y, reduction="mean")
        return loss, output_rnn_backward(now, dy, trace).params

    return descend(params, value_and_grad, updates, lr=lr, **settings)


def adding_answers(network: Any, x: ArrayLike) -> NDArray[Any]:
    """The number that an LSTM with a linear output says at the end of each sequence, (N,).

    Parameters
    ----------
    network : (LSTMParams, OutputParams)
        With one output, V (1, h).
    x : array_like
        (T, N, 2).

    Examples
    --------
    >>> from ketkar.recurrent import lstm_params, output_params
    >>> network = lstm_params(2, 4, rng=0), output_params(4, 1, rng=0)
    >>> adding_answers(network, adding_problem(3, 10, rng=0).x).shape
    (3,)
    """
    lstm, output = _lstm(network)
    _, trace = lstm_forward(lstm, x)
    return (trace.last.y @ output.V.T + output.c)[:, 0]


def train_adding(
    network: Any,
    tau: int,
    rng: np.random.Generator | int,
    *,
    updates: int,
    batch: int = 32,
    lr: float = 0.01,
    max_norm: float | None = 1.0,
    **settings: Any,
) -> Descent:
    """Train an LSTM with a linear output on the adding problem, by the mean squared error.

    Parameters
    ----------
    network : (LSTMParams, OutputParams)
        With 2 inputs and one output.
    tau : int
        Number of steps: :func:`~ketkar.datasets.adding_problem`.
    rng : numpy.random.Generator or int
        Draws the sequences.
    updates, batch : int
        How many updates, on how many sequences each.
    lr, max_norm, **settings
        As in :func:`ketkar.training.descend`.

    Returns
    -------
    Descent

    Examples
    --------
    >>> from ketkar.recurrent import lstm_params, output_params
    >>> network = lstm_params(2, 4, rng=0), output_params(4, 1, rng=0)
    >>> run = train_adding(network, 10, rng=0, updates=50)
    >>> bool(run.losses[-1] < run.losses[0])
    True
    """
    rng, kind = checks.generator(rng), _kind(network)

    def value_and_grad(now: Any) -> tuple[float, Any]:
        lstm, output = _lstm(now)
        x, target = adding_problem(batch, tau, rng, dtype=kind)
        y, trace = lstm_forward(lstm, x)
        answers = (y[-1] @ output.V.T + output.c)[:, 0]
        error = squared_error_grad(answers, target)[:, None]
        last = error * output.V, None
        grads = lstm_backward(lstm, np.zeros_like(y), trace, dstate=last).params
        return float(squared_error(answers, target)), (
            grads,
            OutputParams(error.T @ y[-1], error.sum(axis=0)),
        )

    return descend(network, value_and_grad, updates, lr=lr, max_norm=max_norm, **settings)
