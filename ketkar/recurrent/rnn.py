"""The recurrent network that feeds back its hidden state: forward, and back through time.

Going forward keeps the whole unrolled network, its trace. Going back walks over it from the last
step to the first, and what a step learns about its hidden state it passes on to the step before.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import arrays, checks
from ketkar.equations import equation
from ketkar.kernels.foreign import like_for_like
from ketkar.recurrent import operands
from ketkar.recurrent.parameters import RNNParams

__all__ = ["RNNGrads", "RNNTrace", "rnn_backward", "rnn_forward"]

Array = NDArray[Any]


class RNNTrace(NamedTuple):
    """The unrolled network.

    Attributes
    ----------
    x : ndarray
        What the network read, (T, N, n): after dropout, zero where masked.
    h : ndarray
        Hidden states, (T + 1, N, h): h[0] is the initial one, h[t] that after t steps.
    y : ndarray
        Outputs, (T, N, m): y[t] belongs to x[t].
    mask : ndarray
        Which steps are there, (T, N); without rows where all are.
    dropout : ndarray or None
        What the inputs were multiplied with, (T, N, n).
    h0 : ndarray or None
        The initial state as it was given.
    """

    x: Array
    h: Array
    y: Array
    mask: Array
    dropout: Array | None
    h0: Any


class RNNGrads(NamedTuple):
    """The gradients with respect to x, the parameters and the initial state, each of its shape."""

    x: Array
    params: RNNParams
    h0: Array


def checked(params: Any, function: str, feedback: str = "hidden") -> RNNParams:
    """The five as arrays whose shapes chain; W reads the hidden state or the output."""
    p: RNNParams = operands.parameters(params, ("V", "c"), RNNParams)
    U, W, b, V, c = p
    checks.axes(U, "U", ("hidden", "input"), function)
    checks.not_empty(U, "U")
    h = U.shape[0]
    if (V is None) != (c is None):
        raise ValueError("V and c make the output layer: both must be given, or both be None")
    if V is not None and c is not None:
        checks.axes(V, "V", ("output", "hidden"), function)
        checks.not_empty(V, "V")
        operands.shaped(V, "V", (V.shape[0], h), ("output", "hidden"), function)
        operands.shaped(c, "c", (V.shape[0],), ("output",), function)
    elif feedback == "output":
        raise ValueError(f"V and c are None; {function} feeds back an output and needs both")
    read = h if feedback == "hidden" or V is None else V.shape[0]
    operands.shaped(W, "W", (h, read), ("hidden", feedback), function)
    operands.shaped(b, "b", (h,), ("hidden",), function)
    return p


def typed(params: Any, kind: Any) -> Any:
    """The parameters as kernels want them: contiguous, of one type."""
    return type(params)(*(None if a is None else operands.ready(a, kind) for a in params))


def states(p: RNNParams, x: Array, first: Array, mask: Array, h: Array, found: Any) -> None:
    """Fill the hidden states h (T + 1, N, h) from the first (N, h); everything has been checked."""
    h[0] = first  # (6.7)
    found.rnn_forward(x, p.U, p.W, p.b, mask, h)  # (6.1)


def states_backward(
    p: RNNParams, x: Array, h: Array, dh: Array, mask: Array, stop: int, dx: Array, found: Any
) -> RNNGrads:
    """The gradients of :func:`states` from dh (T, N, h), which is used up; none of V and c.

    A dx without steps, (0, N, n), is not filled.
    """
    dU, dW, db, dh0 = (np.empty_like(a) for a in (p.U, p.W, p.b, h[0]))
    found.rnn_backward(x, p.U, p.W, mask, h, dh, stop, dx, dU, dW, db, dh0)  # (6.17), (6.18)
    return RNNGrads(dx, RNNParams(dU, dW, db, None, None), dh0)


@equation("initial-state")
@like_for_like
def rnn_forward(
    params: RNNParams,
    x: ArrayLike,
    h0: ArrayLike | None = None,
    *,
    mask: ArrayLike | None = None,
    dropout: float = 0.0,
    rng: np.random.Generator | int | None = None,
    backend: str = "auto",
) -> tuple[NDArray[Any], RNNTrace]:
    """Read sequences step by step, and say something after each step.

    Parameters
    ----------
    params : RNNParams
        U (h, n), W (h, h), b (h,), V (m, h), c (m,). With V and c None the output is the state.
    x : array_like
        N sequences of T steps, (T, N, n); T may be 0.
    h0 : array_like, optional
        The initial state: (h,) for all sequences, such as a learned one, or (N, h). Zero if left
        out.
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
        Outputs, (T, N, m): probabilities, or states (T, N, h) without an output layer.
    trace : RNNTrace
        The unrolled network, for :func:`rnn_backward`.

    Raises
    ------
    ValueError
        If the shapes do not agree or there is no such backend.
    TypeError
        If an array holds anything but real numbers, or `mask` anything but booleans.

    Notes
    -----
    NaN and infinity pass through: from the step that reads NaN on, the outputs of its sequence are
    NaN, and only those. :func:`rnn_value_and_grad` names the step.

    References
    ----------
    Textbook chapter 6, *RNN Basics*, figures 6-1 and 6-4.

    Examples
    --------
    >>> params = RNNParams(U=[[1.0]], W=[[0.5]], b=[0.0], V=[[1.0], [-1.0]], c=[0.0, 0.0])
    >>> y, trace = rnn_forward(params, [[[1.0]], [[0.0]]])
    >>> trace.h[:, 0, 0].round(4)
    array([0.    , 0.7616, 0.3634])
    >>> y[:, 0].round(4)
    array([[0.821 , 0.179 ],
           [0.6741, 0.3259]])
    """
    p = checked(params, "rnn_forward")
    x = operands.sequences("rnn_forward", x, p.U.shape[1], "U")
    kind = operands.kind_of(x, *p)
    p = typed(p, kind)
    T, N, _ = x.shape
    there = operands.mask_of(mask, (T, N), x)
    x, factor = operands.dropped(operands.masked(x.astype(kind, copy=False), there), dropout, rng)
    x = operands.ready(x)
    found = operands.kernels(backend, x, *p)
    h = arrays.empty((T + 1, N, len(p.b)), kind, x)
    states(p, x, operands.state(h0, "h0", N, len(p.b), kind, x), there, h, found)
    y = h[1:]
    if p.V is not None:
        y = arrays.empty((T, N, len(p.V)), kind, x)
        read, outputs = (a.reshape(T * N, a.shape[2]) for a in (h[1:], y))
        found.output_forward(read, p.V, p.c, outputs)  # (6.2)
    return y, RNNTrace(x, h, y, there, factor, h0)


@equation("bptt-error", "bptt-weights")
@like_for_like
def rnn_backward(
    params: RNNParams,
    dy: ArrayLike,
    trace: RNNTrace,
    *,
    dh: ArrayLike | None = None,
    truncate: int | None = None,
    backend: str = "auto",
) -> RNNGrads:
    """Backpropagation through time: the gradients, from the last step to the first.

    Parameters
    ----------
    params : RNNParams
        What :func:`rnn_forward` was called with.
    dy : array_like
        Gradient of the loss with respect to the outputs, (T, N, m).
    trace : RNNTrace
        What :func:`rnn_forward` returned.
    dh : array_like, optional
        Gradient with respect to the last hidden state, (N, h), where something else reads it.
    truncate : int, optional
        Cut the sequence into pieces of so many steps and let no gradient pass from one to the one
        before: truncated backpropagation through time.
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes it.

    Returns
    -------
    RNNGrads
        Of x (T, N, n), of the parameters, and of the initial state: (N, h), or (h,) if it was
        given so.

    Raises
    ------
    ValueError
        If `dy` has not the shape of the output, or parameters and trace do not match.

    References
    ----------
    Textbook chapter 6, *Training RNNs* and *Gradient Explosion and Vanishing*; P. Werbos,
    *Backpropagation through time*, Proceedings of the IEEE 78 (1990).

    Examples
    --------
    >>> params = RNNParams(U=[[1.0]], W=[[0.5]], b=[0.0], V=None, c=None)
    >>> y, trace = rnn_forward(params, [[[1.0]], [[0.0]]])
    >>> rnn_backward(params, [[[0.0]], [[1.0]]], trace).x[:, 0, 0].round(4)
    array([0.1823, 0.8679])
    """
    trace = operands.trace(trace, RNNTrace, "rnn_forward")
    x, h, y, mask, factor, h0 = trace
    p = typed(checked(params, "rnn_backward"), x.dtype)
    T, N, n = x.shape
    if p.U.shape != (h.shape[2], n) or y.shape[2:] != (len(p.b if p.V is None else p.V),):
        raise ValueError("params have other shapes than those that the trace went through")
    error = operands.used_up(dy, "dy", y.shape, x.dtype)
    stop = operands.cut(truncate, T)
    found = operands.kernels(backend, x, *p)
    dV = dc = None
    if p.V is not None and p.c is not None:
        dV, dc = np.empty_like(p.V), np.empty_like(p.c)
        inner = arrays.empty((T, N, h.shape[2]), x.dtype, x)
        rows = [a.reshape(T * N, a.shape[2]) for a in (error, y, h[1:], inner)]
        found.output_backward(*rows[:3], p.V, rows[3], dV, dc)
        error = inner
    last = None if dh is None else operands.used_up(dh, "dh", h.shape[1:], x.dtype)
    if last is not None and T:
        error[-1] += last
    dx, grads, dh0 = states_backward(p, x, h, error, mask, stop, np.empty_like(x), found)
    if last is not None and not T:
        dh0 += last
    if factor is not None:
        dx *= factor
    return RNNGrads(dx, grads._replace(V=dV, c=dc), operands.like_given(dh0, h0))
