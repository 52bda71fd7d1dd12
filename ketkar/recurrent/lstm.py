"""Long short-term memory: forward, and back through time.

Next to its output an LSTM carries a second state from step to step, the cell state c. Nothing is
done to it but to multiply it with the forget gate and to add what the input gate lets in; along
this path a gradient neither shrinks nor grows while the gate is open.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import arrays, checks
from ketkar.equations import equation
from ketkar.kernels.foreign import like_for_like
from ketkar.recurrent import operands
from ketkar.recurrent.parameters import LSTMParams

__all__ = ["LSTMGrads", "LSTMState", "LSTMTrace", "lstm_backward", "lstm_forward"]

Array = NDArray[Any]
PEEPHOLES = ("pi", "pf", "po")


class LSTMState(NamedTuple):
    """What an LSTM carries from step to step: its output y (N, h) and its cell state c (N, h)."""

    y: Array
    c: Array


class LSTMTrace(NamedTuple):
    """The unrolled network.

    Attributes
    ----------
    x : ndarray
        What the network read, (T, N, n): after dropout, zero where masked.
    y, c : ndarray
        Outputs and cell states, (T + 1, N, h): y[0] and c[0] are the initial ones.
    gates : ndarray
        (T, N, 4, h): the block input z and the gates i, f and o, also to be had by their letters.
    mask : ndarray
        Which steps are there, (T, N); without rows where all are.
    dropout : ndarray or None
        What the inputs were multiplied with, (T, N, n).
    state : LSTMState or None
        The initial state as it was given.
    """

    x: Array
    y: Array
    c: Array
    gates: Array
    mask: Array
    dropout: Array | None
    state: Any

    @property
    def z(self) -> Array:
        """The block input of every step, (T, N, h)."""
        return self.gates[:, :, 0]

    @property
    def i(self) -> Array:
        """The input gate at every step, (T, N, h)."""
        return self.gates[:, :, 1]

    @property
    def f(self) -> Array:
        """The forget gate at every step, (T, N, h)."""
        return self.gates[:, :, 2]

    @property
    def o(self) -> Array:
        """The output gate at every step, (T, N, h)."""
        return self.gates[:, :, 3]

    @property
    def last(self) -> LSTMState:
        """The state after the last step."""
        return LSTMState(self.y[-1], self.c[-1])


class LSTMGrads(NamedTuple):
    """The gradients with respect to x, the parameters and the initial state, each of its shape."""

    x: Array
    params: LSTMParams
    state: LSTMState


class Stacked(NamedTuple):
    """The parameters as the kernels want them: the rows of z, i, f and o one below the other."""

    W: Array
    R: Array
    p: Array
    b: Array


def checked(params: Any, function: str) -> LSTMParams:
    """The fifteen as arrays whose shapes agree; all peepholes or none of them."""
    q: LSTMParams = operands.parameters(params, PEEPHOLES, LSTMParams)
    checks.axes(q.Wz, "Wz", ("hidden", "input"), function)
    checks.not_empty(q.Wz, "Wz")
    h, n = q.Wz.shape
    missing = [name for name, value in zip(PEEPHOLES, q[8:11], strict=True) if value is None]
    if missing and len(missing) < len(PEEPHOLES):
        raise ValueError(f"{' and '.join(missing)} None: give all three peepholes, or none of them")
    of_gates, of_vectors = {"W": (h, n), "R": (h, h)}, (h,)
    for name, array in zip(LSTMParams._fields, q, strict=True):
        shape = of_gates.get(name[0], of_vectors)
        if array is not None and array.shape != shape:
            axes = ("hidden", "input" if name[0] == "W" else "hidden")[: len(shape)]
            operands.shaped(array, name, shape, axes, function)
    return q


def stacked_params(q: LSTMParams, kind: Any) -> Stacked:
    # of matrices that lie column by column, the whole would do so too
    W, R, b = (operands.ready(np.concatenate(a, dtype=kind)) for a in (q[:4], q[4:8], q[11:]))
    shape, peepholes = (len(PEEPHOLES), len(q.bz)), [a for a in q[8:11] if a is not None]
    if not peepholes:
        return Stacked(W, R, arrays.zeros(shape, kind, b), b)
    return Stacked(W, R, np.concatenate(peepholes, dtype=kind).reshape(shape), b)


def taken_apart(stacked: Stacked, like: LSTMParams) -> LSTMParams:
    """The gradients of the fifteen; None for peepholes that are not there."""
    h, n = like.Wz.shape
    p = [None] * 3 if like.pi is None else list(stacked.p)
    W, R, b = stacked.W.reshape(4, h, n), stacked.R.reshape(4, h, h), stacked.b.reshape(4, h)
    return LSTMParams(*W, *R, *p, *b)


def first_state(given: tuple[Any, Any], N: int, h: int, kind: Any, like: Array) -> LSTMState:
    """The state before the first step, (N, h) each, as it was given or zero."""
    return LSTMState(
        operands.state(given[0], "state.y", N, h, kind, like),  # (6.7)
        operands.state(given[1], "state.c", N, h, kind, like),
    )


def states(
    p: Stacked, x: Array, first: LSTMState, mask: Array, y: Array, c: Array, gates: Array,
    found: Any,
) -> None:  # fmt: skip
    """Fill outputs, cell states and gates of all steps; everything has been checked."""
    y[0], c[0] = first  # (6.7)
    found.lstm_forward(x, *p, mask, y, c, gates)  # (6.21) to (6.26)


def shapes(T: int, N: int, h: int) -> tuple[tuple[int, ...], ...]:
    """The shapes of outputs, cell states and gates."""
    return (T + 1, N, h), (T + 1, N, h), (T, N, 4, h)


def states_backward(
    p: Stacked, trace: LSTMTrace, dy: Array, dc: Array, stop: int, errors: Array, dx: Array,
    found: Any,
) -> tuple[Array, Stacked, Array]:  # fmt: skip
    """The gradients of :func:`states`, of x, the parameters and the first output.

    dy (T, N, h) is used up, dc (N, h) goes from the last cell state to the first. `errors` is
    filled and may be the trace's gates; a dx without steps, (0, N, n), is not filled.
    """
    grads, dy0 = Stacked(*(np.empty_like(a) for a in p)), np.empty_like(dc)
    found.lstm_backward(
        trace.x, p.W, p.R, p.p, trace.mask, trace.y, trace.c, trace.gates, dy, dc, stop,
        errors, dx, *grads, dy0,
    )  # (6.27) to (6.32)  # fmt: skip
    return dx, grads, dy0


@equation("initial-state")
@like_for_like
def lstm_forward(
    params: LSTMParams,
    x: ArrayLike,
    state: Any = None,
    *,
    mask: ArrayLike | None = None,
    dropout: float = 0.0,
    rng: np.random.Generator | int | None = None,
    backend: str = "auto",
) -> tuple[NDArray[Any], LSTMTrace]:
    """Read sequences step by step with a memory that gates open and close: (6.21) to (6.26).

    Parameters
    ----------
    params : LSTMParams
        W (h, n), R (h, h), b (h,) of z, i, f and o; peepholes p (h,) of i, f and o, or None.
    x : array_like
        N sequences of T steps, (T, N, n); T may be 0.
    state : (y, c), optional
        The initial output and cell state, such as :attr:`LSTMTrace.last`: (N, h) each, or (h,) for
        all sequences. Zero if left out.
    mask : array_like of bool, optional
        Which steps are there, (T, N), for sequences of unequal length (:func:`pad`). A step that
        is not leaves the state as it was.
    dropout : float
        The probability with which an input is set to zero; the others grow by 1 / (1 - dropout).
    rng : numpy.random.Generator or int
        Draws what is dropped; needed with dropout alone.
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes it.

    Returns
    -------
    y : ndarray
        Outputs, (T, N, h). A softmax layer may follow: :func:`rnn_output`.
    trace : LSTMTrace
        The unrolled network, for :func:`lstm_backward`.

    Raises
    ------
    ValueError
        If the shapes do not agree or there is no such backend.
    TypeError
        If an array holds anything but real numbers, or `mask` anything but booleans.

    References
    ----------
    Textbook chapter 6, *Long Short Term Memory*, figure 6-11.

    Examples
    --------
    >>> from ketkar.recurrent import lstm_params
    >>> y, trace = lstm_forward(lstm_params(3, 4, rng=0), np.ones((5, 2, 3)))
    >>> y.shape, trace.f.shape
    ((5, 2, 4), (5, 2, 4))
    """
    q = checked(params, "lstm_forward")
    x = operands.sequences("lstm_forward", x, q.Wz.shape[1], "Wz")
    kind = operands.kind_of(x, *q)
    T, N, _ = x.shape
    h = len(q.bz)
    there = operands.mask_of(mask, (T, N), x)
    x, factor = operands.dropped(operands.masked(x.astype(kind, copy=False), there), dropout, rng)
    x = operands.ready(x)
    start = first_state(pair(state), N, h, kind, x)
    stacked = stacked_params(q, kind)
    y, c, gates = operands.together(x, kind, *shapes(T, N, h))
    states(stacked, x, start, there, y, c, gates, operands.kernels(backend, x, *stacked))
    return y[1:], LSTMTrace(x, y, c, gates, there, factor, state)


def pair(state: Any) -> tuple[Any, Any]:
    """The two states of an LSTM, or what is given for them."""
    if state is None:
        return None, None
    if not isinstance(state, tuple | list) or len(state) != 2:
        raise TypeError(f"state must be a pair (y, c), got {checks.shown(state)}")
    return state[0], state[1]


@equation(
    "lstm-output-gate-error", "lstm-cell-error", "lstm-input-gate-error", "lstm-forget-gate-error",
    "lstm-block-input-error", "lstm-weights",
)  # fmt: skip
@like_for_like
def lstm_backward(
    params: LSTMParams,
    dy: ArrayLike,
    trace: LSTMTrace,
    *,
    dstate: Any = None,
    truncate: int | None = None,
    backend: str = "auto",
) -> LSTMGrads:
    """Backpropagation through time for the LSTM: the gradients, from the last step to the first.

    Parameters
    ----------
    params : LSTMParams
        What :func:`lstm_forward` was called with.
    dy : array_like
        Gradient of the loss with respect to the outputs, (T, N, h).
    trace : LSTMTrace
        What :func:`lstm_forward` returned; it is not changed.
    dstate : (dy, dc), optional
        Gradient with respect to the last state, (N, h) each, where something else reads it.
    truncate : int, optional
        Cut the sequence into pieces of so many steps and let no gradient pass from one to the one
        before: truncated backpropagation through time.
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes it.

    Returns
    -------
    LSTMGrads
        Of x (T, N, n), of the parameters, and of the initial state: (N, h) each, or (h,) if it was
        given so.

    Raises
    ------
    ValueError
        If `dy` has not the shape of the output, or parameters and trace do not match.

    References
    ----------
    Textbook chapter 6, *Long Short Term Memory*; A. Graves and J. Schmidhuber, *Framewise phoneme
    classification with bidirectional LSTM*, Neural Networks 18 (2005).

    Examples
    --------
    >>> from ketkar.recurrent import lstm_params
    >>> params = lstm_params(3, 4, rng=0)
    >>> y, trace = lstm_forward(params, np.ones((5, 2, 3)))
    >>> grads = lstm_backward(params, np.ones_like(y), trace)
    >>> grads.x.shape, grads.params.Rf.shape, grads.state.c.shape
    ((5, 2, 3), (4, 4), (2, 4))
    """
    trace = operands.trace(trace, LSTMTrace, "lstm_forward")
    x, y, _, gates, _, factor, state = trace
    q = checked(params, "lstm_backward")
    T, N, n = x.shape
    h = y.shape[2]
    if q.Wz.shape != (h, n):
        raise ValueError(
            f"Wz has shape {q.Wz.shape}, but the trace went through weights of shape {(h, n)}"
        )
    stacked = stacked_params(q, x.dtype)
    error, errors = operands.together(x, x.dtype, (T, N, h), gates.shape)
    error[...] = operands.gradient(dy, "dy", (T, N, h))
    last = pair(dstate)
    dc = arrays.zeros((N, h), x.dtype, x)
    if last[1] is not None:
        dc += operands.gradient(last[1], "dstate.c", (N, h))
    if last[0] is not None and T:
        error[-1] += operands.gradient(last[0], "dstate.y", (N, h))
    stop = operands.cut(truncate, T)
    dx, grads, dy0 = states_backward(
        stacked, trace, error, dc, stop, errors, np.empty_like(x),
        operands.kernels(backend, x, *stacked),
    )  # fmt: skip
    if last[0] is not None and not T:
        dy0 += operands.gradient(last[0], "dstate.y", (N, h))
    if factor is not None:
        dx *= factor
    given = pair(state)
    initial = LSTMState(operands.like_given(dy0, given[0]), operands.like_given(dc, given[1]))
    return LSTMGrads(dx, taken_apart(grads, q), initial)
