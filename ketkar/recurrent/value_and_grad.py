"""A loss and all its gradients in one go: what training asks for, step after step.

Softmax and loss are computed together, nobody needs the gradient of the inputs, and a long sequence
is gone through in pieces, of which only one is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import arrays, checks
from ketkar.kernels.foreign import like_for_like
from ketkar.recurrent import lstm, operands, rnn
from ketkar.recurrent.lstm import LSTMState, LSTMTrace
from ketkar.recurrent.parameters import LSTMParams, OutputParams, RNNParams
from ketkar.trees import tree_map

__all__ = [
    "LSTMStepResult",
    "OutputGrads",
    "RNNStepResult",
    "lstm_value_and_grad",
    "output_value_and_grad",
    "rnn_value_and_grad",
]

Array = NDArray[Any]


class OutputGrads(NamedTuple):
    """The loss of a softmax layer and its gradients: of the states h, of V and of c."""

    loss: float
    h: Array
    params: OutputParams


class RNNStepResult(NamedTuple):
    """The loss and its gradients with respect to the parameters and h0; the last hidden state."""

    loss: float
    params: RNNParams
    h0: Array
    h: Array


class LSTMStepResult(NamedTuple):
    """The loss and its gradients with respect to LSTM, softmax layer and state; the last state."""

    loss: float
    params: LSTMParams
    output: OutputParams
    state: LSTMState
    last: LSTMState


@like_for_like
def output_value_and_grad(
    params: OutputParams,
    h: ArrayLike,
    labels: ArrayLike,
    *,
    mask: ArrayLike | None = None,
    reduction: str = "mean",
    backend: str = "auto",
) -> OutputGrads:
    """The cross entropy of a softmax layer on states, and its gradients, in one go.

    Softmax and cross entropy together need neither the probabilities nor their logarithms: the
    error of the scores is softmax(V h + c) minus a one at the label, (3.15).

    Parameters
    ----------
    params : OutputParams
        V (m, h), c (m,).
    h : array_like
        States, (N, h) for one step or (T, N, h) for all steps.
    labels : array_like of int
        (N,) or (T, N).
    mask : array_like of bool, optional
        Which states count, of the shape of `labels`.
    reduction : {"mean", "sum"}
        Over the states that count.
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes it.

    Returns
    -------
    OutputGrads

    Raises
    ------
    ValueError
        If the shapes do not agree, no state counts or a label is not below m.

    Examples
    --------
    >>> params = OutputParams(V=np.zeros((4, 3)), c=np.zeros(4))
    >>> result = output_value_and_grad(params, np.ones((2, 3)), [0, 1])
    >>> round(result.loss, 4), result.params.c
    (1.3863, array([-0.25, -0.25,  0.25,  0.25]))
    """
    q: OutputParams = operands.parameters(params, (), OutputParams)
    states = checks.float_array(h, "h")
    if states.ndim not in (2, 3):
        raise ValueError(f"h has {states.ndim} axes {states.shape}; expected (N, h) or (T, N, h)")
    _fits(q, states.shape[-1], "output_value_and_grad")
    kind = operands.kind_of(states, *q)
    shape = states.shape[:-1]
    known = checks.array_of(labels, "labels")
    if known.shape != shape:
        raise ValueError(f"labels have shape {known.shape}; expected {shape}, as of h")
    rows = (1, states.size // states.shape[-1])  # all states as those of one step
    there = None if mask is None else checks.array_of(mask, "mask")
    if there is not None and there.shape != shape:
        raise ValueError(f"mask has shape {there.shape}; expected {shape}, as of h")
    read = _Targets(
        known.reshape(rows), None if there is None else there.reshape(rows), len(q.V),
        reduction, rows, states,
    )  # fmt: skip
    whole = states.reshape(*rows, -1).astype(kind, copy=False)
    found = operands.kernels(backend, whole, *q)
    result = _read_out(rnn.typed(q, kind), whole, read, 0, 1, np.empty_like(whole), found)
    return result._replace(h=result.h.reshape(states.shape))


def _fits(q: OutputParams, h: int, function: str) -> None:
    """Refuse a softmax layer whose shapes do not agree, or that does not read h units."""
    checks.axes(q.V, "V", ("output", "hidden"), function)
    checks.not_empty(q.V, "V")
    operands.shaped(q.V, "V", (len(q.V), h), ("output", "hidden"), function)
    operands.shaped(q.c, "c", (len(q.V),), ("output",), function)


class _Targets:
    """What is true at each step, (T, N), or only at the end, (N,); and how much a step counts."""

    def __init__(
        self, labels: Any, mask: Any, m: int, reduction: str, shape: tuple[int, ...], like: Array
    ) -> None:
        array = checks.array_of(labels, "labels")
        if array.shape not in (shape, shape[1:]):
            raise ValueError(
                f"labels have shape {array.shape}; expected (time, batch) = {tuple(shape)}, or "
                f"(batch,) = {tuple(shape[1:])} where only the last state is read"
            )
        checks.one_of(reduction, "reduction", ("sum", "mean"))
        if not shape[0]:
            raise ValueError("x has no steps, so that nothing can be read after them")
        self.last_alone = array.ndim == 1
        known = checks.labels(array.ravel(), "labels", m).reshape(array.shape)
        self.labels = arrays.beside(known, like)
        self.mask = operands.mask_of(mask, shape, like)
        counted = int(self.mask.sum()) if len(self.mask) and not self.last_alone else array.size
        if not counted:
            raise ValueError("no step counts: mask is False everywhere")
        self.weight = 1 / counted if reduction == "mean" else 1.0

    def piece(self, first: int, last: int, kind: Any) -> tuple[Array, Array]:
        """Label and weight of each row of these steps."""
        if self.last_alone:
            return self.labels, arrays.full(len(self.labels), self.weight, kind, self.labels)
        labels = operands.ready(self.labels[first:last]).ravel()
        if len(self.mask):
            return labels, self.mask[first:last].ravel() * kind.type(self.weight)
        return labels, arrays.full(labels.size, self.weight, kind, labels)

    def there(self, first: int, last: int) -> Array:
        """The mask of these steps; without rows where all are there."""
        return self.mask[first:last]


def _read_out(
    params: OutputParams, h: Array, read: _Targets, first: int, last: int, dh: Array, found: Any
) -> OutputGrads:
    """Loss and gradients of the states h of the steps first .. last - 1; dh is filled."""
    rows = operands.ready(h).reshape(-1, h.shape[2])
    losses = arrays.empty(len(rows), h.dtype, h)
    grads = OutputParams(np.empty_like(params.V), np.empty_like(params.c))
    labels, weights = read.piece(first, last, h.dtype)
    found.output_loss(
        rows, *params, labels, weights, losses, dh.reshape(rows.shape), *grads
    )  # (6.2), (6.8)
    loss = float(losses.sum(dtype=np.float64))
    if not math.isfinite(loss):
        row = int(np.argmin(np.isfinite(losses)))
        raise FloatingPointError(
            f"the loss is not finite from step {first + row // h.shape[1]} of sequence "
            f"{row % h.shape[1]} on"
        )
    return OutputGrads(loss, dh, grads)


def _pieces(T: int, truncate: int | None) -> Iterator[tuple[int, int]]:
    """First and last step of each piece."""
    size = operands.cut(truncate, T) or T
    for first in range(0, T, size):
        yield first, min(first + size, T)


def _naming_the_step(x: Array, mask: Array, error: FloatingPointError) -> FloatingPointError:
    """The error, with the first step of x that is not finite, if there is one."""
    bad = ~np.isfinite(operands.masked(x, mask))
    if not bad.any():
        return FloatingPointError(f"{error}; x is finite, so the weights have grown too large")
    step, sequence, entry = (int(k) for k in np.argwhere(bad)[0])
    return FloatingPointError(
        f"{error}; x[{step}, {sequence}, {entry}], in step {step}, is {x[step, sequence, entry]}"
    )


def _outside(
    params: OutputParams,
    y: Array,
    read: _Targets,
    first: int,
    last: int,
    T: int,
    dy: Array,
    found: Any,
) -> OutputGrads | None:
    """Loss and gradients of the outputs of a piece; None where nothing of it is read."""
    if not read.last_alone:
        return _read_out(params, y, read, first, last, dy, found)
    if last < T:
        return None
    dy[:-1] = 0
    return _read_out(params, y[-1:], read, last - 1, last, dy[-1:], found)._replace(h=dy)


def _walk(
    x: Array, mask: Array, truncate: int | None, step: Callable[[int, int], tuple[float, Any]]
) -> Any:
    """The sum of losses and of gradients over the pieces of a sequence."""
    loss, total = 0.0, None
    for first, last in _pieces(len(x), truncate):
        try:
            value, grads = step(first, last)
        except FloatingPointError as error:
            raise _naming_the_step(x, mask, error) from None
        loss += value
        if grads is not None:
            total = grads if total is None else tree_map(np.add, total, grads)
    return loss, total


@like_for_like
def rnn_value_and_grad(
    params: RNNParams,
    x: ArrayLike,
    labels: ArrayLike,
    h0: ArrayLike | None = None,
    *,
    mask: ArrayLike | None = None,
    truncate: int | None = None,
    reduction: str = "mean",
    backend: str = "auto",
) -> RNNStepResult:
    """The loss of sequences and all its gradients: forward and back through time, in one go.

    Parameters
    ----------
    params : RNNParams
        With an output layer.
    x : array_like
        N sequences of T steps, (T, N, n).
    labels : array_like of int
        What is true after each step, (T, N); or (N,) for a single output after the last step.
    h0 : array_like, optional
        The initial state, (h,) or (N, h).
    mask : array_like of bool, optional
        Which steps are there, (T, N).
    truncate : int, optional
        Go through the sequence in pieces of so many steps, forward and back, and let no gradient
        pass from one to the one before. What has to be kept is then that of one piece, whatever
        the length of the sequence.
    reduction : {"mean", "sum"}
        Over all steps that count.
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes it.

    Returns
    -------
    RNNStepResult

    Raises
    ------
    ValueError
        If the shapes do not agree, no step counts, or a label is not below m.
    FloatingPointError
        If the loss is not finite: it names the step, and where x is not finite.

    References
    ----------
    Textbook chapter 6, *Training RNNs*.

    Examples
    --------
    >>> from ketkar.recurrent import rnn_params
    >>> x, labels = np.ones((6, 2, 3)), np.zeros((6, 2), int)
    >>> result = rnn_value_and_grad(rnn_params(3, 4, 2, rng=0), x, labels, truncate=3)
    >>> result.params.W.shape, result.h.shape
    ((4, 4), (2, 4))
    """
    p = rnn.checked(params, "rnn_value_and_grad")
    if p.V is None or p.c is None:
        raise ValueError("V and c are None; rnn_value_and_grad needs an output layer")
    x = operands.sequences("rnn_value_and_grad", x, p.U.shape[1], "U")
    kind = operands.kind_of(x, *p)
    read = _Targets(labels, mask, len(p.V), reduction, x.shape[:2], x)
    p = rnn.typed(p, kind)
    output, found = OutputParams(p.V, p.c), operands.kernels(backend, x, *p)
    now = operands.state(h0, "h0", x.shape[1], len(p.b), kind, x)
    dh0, no_dx = np.zeros_like(now), arrays.empty((0, *x.shape[1:]), kind, x)

    def step(first: int, last: int) -> tuple[float, Any]:
        nonlocal now
        there = read.there(first, last)
        inputs = operands.ready(operands.masked(x[first:last], there), kind)
        h, dh = operands.together(x, kind, (len(inputs) + 1, *now.shape), (len(inputs), *now.shape))
        rnn.states(p, inputs, now, there, h, found)
        now = h[-1].copy()
        out = _outside(output, h[1:], read, first, last, len(x), dh, found)
        if out is None:
            return 0.0, None
        grads = rnn.states_backward(p, inputs, h, out.h, there, 0, no_dx, found)
        if first == 0:
            dh0[...] = grads.h0
        return out.loss, grads.params._replace(V=out.params.V, c=out.params.c)

    loss, grads = _walk(x, read.mask, truncate, step)
    return RNNStepResult(loss, grads, operands.like_given(dh0, h0), now)


@like_for_like
def lstm_value_and_grad(
    params: LSTMParams,
    output: OutputParams,
    x: ArrayLike,
    labels: ArrayLike,
    state: Any = None,
    *,
    mask: ArrayLike | None = None,
    truncate: int | None = None,
    reduction: str = "mean",
    backend: str = "auto",
) -> LSTMStepResult:
    """The loss of an LSTM with a softmax layer and all its gradients, in one go.

    Parameters
    ----------
    params : LSTMParams
    output : OutputParams
        The softmax layer that reads the LSTM's output after each step.
    x, labels, mask, truncate, reduction, backend
        As in :func:`rnn_value_and_grad`.
    state : (y, c), optional
        The initial state.

    Returns
    -------
    LSTMStepResult

    Raises
    ------
    ValueError
        If the shapes do not agree, no step counts, or a label is not below m.
    FloatingPointError
        If the loss is not finite: it names the step, and where x is not finite.

    References
    ----------
    Textbook chapter 6, *Long Short Term Memory*.

    Examples
    --------
    >>> from ketkar.recurrent import lstm_params, output_params
    >>> lstm, output = lstm_params(3, 4, rng=0), output_params(4, 2, rng=0)
    >>> x, labels = np.ones((6, 2, 3)), np.zeros((6, 2), int)
    >>> result = lstm_value_and_grad(lstm, output, x, labels)
    >>> result.params.Rf.shape, result.output.V.shape
    ((4, 4), (2, 4))
    """
    q = lstm.checked(params, "lstm_value_and_grad")
    out_params: OutputParams = operands.parameters(output, (), OutputParams)
    h = len(q.bz)
    _fits(out_params, h, "lstm_value_and_grad")
    x = operands.sequences("lstm_value_and_grad", x, q.Wz.shape[1], "Wz")
    kind = operands.kind_of(x, *q, *out_params)
    read = _Targets(labels, mask, len(out_params.V), reduction, x.shape[:2], x)
    p, out_params = lstm.stacked_params(q, kind), rnn.typed(out_params, kind)
    found = operands.kernels(backend, x, *p)
    given = lstm.pair(state)
    now = lstm.first_state(given, x.shape[1], h, kind, x)
    initial, no_dx = LSTMState(*map(np.zeros_like, now)), arrays.empty((0, *x.shape[1:]), kind, x)

    def step(first: int, last: int) -> tuple[float, Any]:
        nonlocal now, initial
        there = read.there(first, last)
        inputs = operands.ready(operands.masked(x[first:last], there), kind)
        T, N, _ = inputs.shape
        y, c, gates, dy = operands.together(x, kind, *lstm.shapes(T, N, h), (T, N, h))
        lstm.states(p, inputs, now, there, y, c, gates, found)
        now = LSTMState(y[-1].copy(), c[-1].copy())
        out = _outside(out_params, y[1:], read, first, last, len(x), dy, found)
        if out is None:
            return 0.0, None
        trace, dc = LSTMTrace(inputs, y, c, gates, there, None, None), np.zeros_like(now.c)
        _, grads, dy0 = lstm.states_backward(p, trace, out.h, dc, 0, gates, no_dx, found)
        if first == 0:
            initial = LSTMState(dy0, dc)
        return out.loss, (grads, out.params)

    loss, (grads, out_grads) = _walk(x, read.mask, truncate, step)
    first = LSTMState(*(operands.like_given(d, g) for d, g in zip(initial, given, strict=True)))
    return LSTMStepResult(loss, lstm.taken_apart(grads, q), out_grads, first, now)
