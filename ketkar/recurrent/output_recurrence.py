"""The recurrent network that feeds back its output, with and without teacher forcing.

What a step knows of the past is only the output of the step before. In training that output can be
replaced by what it should have been: then no step waits for another, and none is to blame for what
comes later.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.equations import equation
from ketkar.feedforward.activations import softmax, softmax_backward
from ketkar.recurrent import operands
from ketkar.recurrent.parameters import RNNParams
from ketkar.recurrent.rnn import checked, typed

__all__ = [
    "OutputRNNGrads",
    "OutputRNNTrace",
    "output_rnn_backward",
    "output_rnn_forward",
    "sample",
]

Array = NDArray[Any]


class OutputRNNTrace(NamedTuple):
    """The unrolled network: inputs x, states h, outputs y, what was fed back, and what was given.

    `fed` (T, N, m) holds the previous output at each step: the network's own, or the true one
    where the step was `forced`. `y0` is the output before the first step, as it was given.
    """

    x: Array
    h: Array
    y: Array
    fed: Array
    forced: bool
    y0: Any


class OutputRNNGrads(NamedTuple):
    """The gradients with respect to x, the parameters and the output before the first step."""

    x: Array
    params: RNNParams
    y0: Array


@equation("output-recurrence-hidden", "output-recurrence-output", "teacher-forcing")
def output_rnn_forward(
    params: RNNParams,
    x: ArrayLike,
    teacher: ArrayLike | None = None,
    y0: ArrayLike | None = None,
) -> tuple[NDArray[Any], OutputRNNTrace]:
    """Read sequences with nothing but the previous output as a memory.

    Parameters
    ----------
    params : RNNParams
        U (h, n), W (h, m), b (h,), V (m, h), c (m,).
    x : array_like
        N sequences of T steps, (T, N, n).
    teacher : array_like, optional
        The true outputs, (T, N, m) or labels (T, N): teacher forcing. Each step is then told what
        the output before it should have been. The last of them is not used.
    y0 : array_like, optional
        The output before the first step, (m,) or (N, m); zero if left out.

    Returns
    -------
    y : ndarray
        Outputs, (T, N, m): probabilities.
    trace : OutputRNNTrace
        The unrolled network, for :func:`output_rnn_backward`.

    Raises
    ------
    ValueError
        If the shapes do not agree.

    Notes
    -----
    Free running is a loop by its nature. Under teacher forcing all steps are computed at once, as
    the rows of one product.

    References
    ----------
    Textbook chapter 6, *RNN Basics*, figure 6-2, and *Training RNNs*, figure 6-8; R. Williams and
    D. Zipser, *A learning algorithm for continually running fully recurrent neural networks*,
    Neural Computation 1 (1989).

    Examples
    --------
    >>> from ketkar.recurrent import rnn_params
    >>> params = rnn_params(1, 4, 2, rng=0, feedback="output")
    >>> x = np.ones((5, 3, 1))
    >>> free, _ = output_rnn_forward(params, x)
    >>> forced, _ = output_rnn_forward(params, x, teacher=np.ones((5, 3), int))
    >>> free.shape, bool(np.allclose(free[0], forced[0]))
    ((5, 3, 2), True)
    """
    p = checked(params, "output_rnn_forward", feedback="output")
    assert p.V is not None
    assert p.c is not None
    x = operands.sequences("output_rnn_forward", x, p.U.shape[1], "U")
    kind = operands.kind_of(x, *p)
    p, x = typed(p, kind), x.astype(kind, copy=False)
    T, N, _ = x.shape
    m = len(p.c)
    fed = np.empty((T, N, m), kind)
    first = operands.state(y0, "y0", N, m, kind, x)
    if teacher is not None:
        known = _known(teacher, (T, N, m)).astype(kind, copy=False)
        fed[1:] = known[:-1]
        fed[:1] = first
        h = np.tanh(x @ p.U.T + fed @ p.W.T + p.b)  # (6.10)
        y = _chances(h, p)
        return y, OutputRNNTrace(x, h, y, fed, True, y0)
    h, y = np.empty((T, N, len(p.b)), kind), np.empty((T, N, m), kind)
    for t in range(T):
        fed[t] = y[t - 1] if t else first
        h[t] = np.tanh(x[t] @ p.U.T + fed[t] @ p.W.T + p.b)  # (6.3)
        y[t] = _chances(h[t], p)
    return y, OutputRNNTrace(x, h, y, fed, False, y0)


def _chances(h: Array, p: Any) -> Array:
    scores = h @ p.V.T + p.c
    return softmax(scores) if scores.size else scores  # (6.4)


def _known(teacher: ArrayLike, shape: tuple[int, int, int]) -> Array:
    """The true outputs as rows of probabilities."""
    array = checks.array_of(teacher, "teacher")
    if array.shape == shape[:2] and array.dtype.kind in "iu":
        if not array.size:
            return np.zeros(shape)
        return np.eye(shape[2])[checks.labels(array.ravel(), "teacher", shape[2])].reshape(shape)
    rows = checks.float_array(array, "teacher")
    if rows.shape != shape:
        raise ValueError(
            f"teacher has shape {rows.shape}; expected labels {shape[:2]} or rows {shape}"
        )
    return rows


@equation("bptt-error", "bptt-weights")
def output_rnn_backward(params: RNNParams, dy: ArrayLike, trace: OutputRNNTrace) -> OutputRNNGrads:
    """Back through time along the outputs; under teacher forcing no step hears from a later one.

    Parameters
    ----------
    params : RNNParams
        What :func:`output_rnn_forward` was called with.
    dy : array_like
        Gradient of the loss with respect to the outputs, (T, N, m).
    trace : OutputRNNTrace
        What :func:`output_rnn_forward` returned.

    Returns
    -------
    OutputRNNGrads
        Of x (T, N, n), of the parameters, and of y0: (N, m), or (m,) if it was given so.

    Raises
    ------
    ValueError
        If `dy` has not the shape of the output, or parameters and trace do not match.

    Examples
    --------
    >>> from ketkar.recurrent import rnn_params
    >>> params = rnn_params(1, 4, 2, rng=0, feedback="output")
    >>> y, trace = output_rnn_forward(params, np.ones((5, 3, 1)), np.ones((5, 3), int))
    >>> late = np.zeros_like(y)
    >>> late[4] = [1.0, -1.0]
    >>> output_rnn_backward(params, late, trace).x[:4].any()  # the earlier steps are not to blame
    np.False_
    """
    trace = operands.trace(trace, OutputRNNTrace, "output_rnn_forward")
    x, h, y, fed, forced, y0 = trace
    p = typed(checked(params, "output_rnn_backward", feedback="output"), x.dtype)
    if (p.U.shape, p.V.shape) != ((h.shape[2], x.shape[2]), (y.shape[2], h.shape[2])):
        raise ValueError("params have other shapes than those that the trace went through")
    error = operands.used_up(dy, "dy", y.shape, x.dtype)
    scores, dz = np.empty_like(y), np.empty_like(h)
    carried = np.zeros(y.shape[1:], x.dtype)
    for t in reversed(range(len(x) if x.size else 0)):
        scores[t] = softmax_backward(error[t] + carried, y[t])  # (3.34)
        dz[t] = (scores[t] @ p.V) * (1 - h[t] ** 2)  # (6.17)
        carried = np.zeros_like(carried) if forced and t else dz[t] @ p.W
    grads = RNNParams(
        _product(dz, x), _product(dz, fed), dz.sum(axis=(0, 1)),
        _product(scores, h), scores.sum(axis=(0, 1)),
    )  # fmt: skip  # (6.18)
    return OutputRNNGrads(dz @ p.U, grads, operands.like_given(carried, y0))


def _product(errors: Array, read: Array) -> Array:
    """The gradient of a weight: errors times what it read, over all steps of all sequences."""
    return errors.reshape(-1, errors.shape[2]).T @ read.reshape(-1, read.shape[2])


def sample(
    params: RNNParams,
    x: ArrayLike,
    steps: int,
    *,
    rng: np.random.Generator | int,
    temperature: float = 1.0,
) -> NDArray[np.int64]:
    """One to many: from one input, draw a sequence of outputs, each fed back before the next.

    Parameters
    ----------
    params : RNNParams
        A network that feeds back its output: W (h, m).
    x : array_like
        The only input, (n,) or (N, n) for N sequences; it is there at every step.
    steps : int
        How many outputs to draw.
    rng : numpy.random.Generator or int
        Draws from the probabilities.
    temperature : float
        Below 1 the likely becomes likelier, above 1 all become alike.

    Returns
    -------
    ndarray
        Labels, (steps,) or (steps, N).

    Raises
    ------
    ValueError
        If the shapes do not agree, or `temperature` is not above 0.

    References
    ----------
    Textbook chapter 6, *Training RNNs*, figure 6-8, prediction.

    Examples
    --------
    >>> from ketkar.recurrent import rnn_params
    >>> sample(rnn_params(1, 4, 2, rng=0, feedback="output"), [1.0], 6, rng=0).shape
    (6,)
    """
    p = checked(params, "sample", feedback="output")
    assert p.V is not None
    x = checks.float_array(x, "x")
    if x.ndim not in (1, 2) or x.shape[-1] != p.U.shape[1]:
        raise ValueError(
            f"x has shape {x.shape}; expected one input ({p.U.shape[1]},), or one a sequence "
            f"(N, {p.U.shape[1]})"
        )
    steps = checks.count(steps, "steps", least=0)
    temperature = checks.positive(temperature, "temperature")
    rng = checks.generator(rng)
    rows = np.atleast_2d(x)
    m = len(p.V)
    fed = np.zeros((len(rows), m))
    drawn = np.empty((steps, len(rows)), np.int64)
    for t in range(steps):
        h = np.tanh(rows @ p.U.T + fed @ p.W.T + p.b)  # (6.3)
        heights = softmax((h @ p.V.T + p.c) / temperature).cumsum(axis=1)  # (6.4)
        drawn[t] = np.minimum((rng.random((len(rows), 1)) > heights).sum(axis=1), m - 1)
        fed = np.eye(m)[drawn[t]]
    return drawn if x.ndim == 2 else drawn[:, 0]
