"""How gradients travel through time: the sum by definition, Jacobians and their products."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.equations import equation
from ketkar.recurrent import operands
from ketkar.recurrent.lstm import LSTMTrace
from ketkar.recurrent.parameters import RNNParams
from ketkar.recurrent.rnn import RNNTrace, checked, rnn_backward

__all__ = [
    "RecurrenceGrads",
    "bptt",
    "bptt_by_definition",
    "gradient_norm_profile",
    "hidden_jacobian",
    "lstm_cell_jacobian",
    "spectral_radius",
]

Array = NDArray[Any]


class RecurrenceGrads(NamedTuple):
    """The gradients with respect to U, W and b."""

    U: Array
    W: Array
    b: Array


@equation("bptt-error", "bptt-weights")
def bptt(params: RNNParams, dh: ArrayLike, trace: RNNTrace) -> RecurrenceGrads:
    """The gradients of the recurrence, by going back once: what a step owes is passed on.

    Parameters
    ----------
    params : RNNParams
        What :func:`rnn_forward` was called with; V and c are not used.
    dh : array_like
        What each step's loss says about its own hidden state, (T, N, h).
    trace : RNNTrace
        What :func:`rnn_forward` returned.

    Returns
    -------
    RecurrenceGrads

    Raises
    ------
    ValueError
        If `dh` has not the shape of the hidden states.

    References
    ----------
    Textbook chapter 6, *Training RNNs*.

    Examples
    --------
    >>> from ketkar.recurrent import rnn_forward, rnn_params
    >>> params = rnn_params(2, 3, None, rng=0)
    >>> h, trace = rnn_forward(params, np.ones((4, 5, 2)))
    >>> fast, slow = (f(params, h, trace) for f in (bptt, bptt_by_definition))
    >>> bool(np.allclose(fast.W, slow.W, rtol=1e-10))
    True
    """
    trace, states = _states(params, trace)
    none = trace._replace(y=trace.h[1:])
    error = operands.used_up(dh, "dh", none.y.shape, trace.x.dtype)
    return RecurrenceGrads(*rnn_backward(states, error, none).params[:3])


def _states(params: RNNParams, trace: Any) -> tuple[RNNTrace, RNNParams]:
    trace = operands.trace(trace, RNNTrace, "rnn_forward")
    if len(trace.mask):
        raise ValueError("the trace has a mask; the sum by definition is for sequences without one")
    return trace, checked(params, "bptt")._replace(V=None, c=None)


@equation("bptt")
def bptt_by_definition(params: RNNParams, dh: ArrayLike, trace: RNNTrace) -> RecurrenceGrads:
    """The same gradients, as the sum over all pairs of steps: slow, and true by inspection.

    Every step t has a loss, every earlier step k a hand in it: through the immediate derivative of
    its own state, carried to step t by the product of the Jacobians in between.

    Parameters
    ----------
    params, dh, trace
        As in :func:`bptt`.

    Returns
    -------
    RecurrenceGrads

    Raises
    ------
    ValueError
        If `dh` has not the shape of the hidden states.

    Notes
    -----
    The matrices of the product stand in decreasing order of time from left to right, and the empty
    product, k = t, is the identity. T steps take T (T + 1) / 2 terms, and each a matrix product.

    References
    ----------
    Textbook chapter 6, *Gradient Explosion and Vanishing*; R. Pascanu, T. Mikolov and Y. Bengio,
    *On the difficulty of training recurrent neural networks*, ICML 2013.

    Examples
    --------
    >>> from ketkar.recurrent import rnn_forward, rnn_params
    >>> params = rnn_params(2, 3, None, rng=0)
    >>> h, trace = rnn_forward(params, np.ones((4, 5, 2)))
    >>> bptt_by_definition(params, h, trace).U.shape
    (3, 2)
    """
    trace, p = _states(params, trace)
    x, h = trace.x, trace.h
    T, N, _ = x.shape
    _of_the_trace(p, trace)
    dh = operands.used_up(dh, "dh", h[1:].shape, x.dtype)
    grads = RecurrenceGrads(*(np.zeros_like(a, dtype=x.dtype) for a in p[:3]))
    for n in range(N):
        for t in range(1, T + 1):
            product = np.eye(len(p.b))  # of the Jacobians from step k to step t
            for k in range(t, 0, -1):
                row = dh[t - 1, n] @ product  # what the loss of step t says about h^(k)
                immediate = row * (1 - h[k, n] ** 2)  # and about its weighted sum
                grads.U[...] += np.outer(immediate, x[k - 1, n])
                grads.W[...] += np.outer(immediate, h[k - 1, n])
                grads.b[...] += immediate
                product = product @ _jacobian(h[k, n], p.W)  # (6.14)
    return grads


def _of_the_trace(p: RNNParams, trace: RNNTrace) -> None:
    if p.U.shape != (trace.h.shape[2], trace.x.shape[2]):
        raise ValueError("params have other shapes than those that the trace went through")


def _jacobian(h: Array, W: Array) -> Array:
    return (1 - h**2)[..., :, None] * W  # (6.15)


@equation("hidden-jacobian")
def hidden_jacobian(h: ArrayLike, W: ArrayLike) -> NDArray[Any]:
    """How the hidden state depends on the one before it: diag(1 - h^2) W.

    Parameters
    ----------
    h : array_like
        The *later* hidden state, (h,), (N, h) or (T, N, h).
    W : array_like
        Weights (h, h).

    Returns
    -------
    ndarray
        (h, h), (N, h, h) or (T, N, h, h).

    Raises
    ------
    ValueError
        If the shapes do not agree.

    References
    ----------
    Textbook chapter 6, *Gradient Explosion and Vanishing*.

    Examples
    --------
    >>> hidden_jacobian([0.0, 0.5], [[1.0, 2.0], [4.0, 8.0]])
    array([[1., 2.],
           [3., 6.]])
    """
    W = _square(W)
    h = checks.float_array(h, "h")
    if h.ndim == 0 or h.shape[-1] != len(W):
        raise ValueError(f"h has shape {h.shape}, but W has {len(W)} rows, one a hidden unit")
    return _jacobian(h, W)


def _square(W: ArrayLike) -> Array:
    W = checks.float_array(W, "W")
    checks.axes(W, "W", ("hidden", "hidden"), "a recurrence")
    if W.shape[0] != W.shape[1] or not W.size:
        raise ValueError(f"W has shape {W.shape}; expected as many columns as rows, at least one")
    return W


@equation("jacobian-bound")
def spectral_radius(W: ArrayLike) -> float:
    """The largest modulus of an eigenvalue: by this, in the long run, repeated W stretches.

    Parameters
    ----------
    W : array_like
        (h, h).

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If W is not square, or holds NaN or infinity.

    References
    ----------
    Textbook chapter 6, *Gradient Explosion and Vanishing*.

    Examples
    --------
    >>> round(spectral_radius([[0.0, 2.0], [-2.0, 0.0]]), 12)
    2.0
    """
    W = _square(W)
    return float(abs(np.linalg.eigvals(_finite(W, "W"))).max())


def _finite(array: Array, name: str) -> Array:
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity; expected finite numbers")
    return array


@equation("jacobian-bound")
def gradient_norm_profile(
    W: ArrayLike, lags: int, h: ArrayLike | None = None
) -> NDArray[np.float64]:
    """How large the product of Jacobians is over more and more steps.

    Parameters
    ----------
    W : array_like
        (h, h).
    lags : int
        The largest number of steps.
    h : array_like, optional
        Hidden states, (T, h) with T of at least `lags`, whose last are gone back from. Without
        them the network is linear, or at zero: the Jacobian is W itself.

    Returns
    -------
    ndarray
        (lags + 1,), float64: the spectral norm of the product over 0, 1, ..., lags steps. By
        (6.16) entry k is at most the largest singular value of W to the power of k; without `h`
        its k-th root tends to :func:`spectral_radius`.

    Raises
    ------
    ValueError
        If the shapes do not agree, there are fewer states than lags, or W or `h` is not finite.

    Examples
    --------
    >>> gradient_norm_profile([[0.5]], 3)
    array([1.   , 0.5  , 0.25 , 0.125])
    """
    W = _finite(_square(W), "W").astype(np.float64)
    lags = checks.count(lags, "lags", least=0)
    if h is None:
        steps = np.broadcast_to(W, (lags, *W.shape))
    else:
        states = _finite(checks.float_array(h, "h"), "h")
        checks.axes(states, "h", ("time", "hidden"), "gradient_norm_profile")
        if states.shape[0] < lags or states.shape[1] != len(W):
            raise ValueError(
                f"h has shape {states.shape}; expected at least {lags} states of {len(W)} units"
            )
        steps = _jacobian(states[len(states) - lags :][::-1], W)
    norms, product = [1.0], np.eye(len(W))
    for jacobian in steps:
        with np.errstate(over="ignore", invalid="ignore"):
            product = product @ jacobian
        known = np.isfinite(product).all()
        norms.append(float(np.linalg.norm(product, 2)) if known else np.inf)  # (6.16)
    return np.array(norms)


@equation("constant-error-carousel")
def lstm_cell_jacobian(trace: LSTMTrace, first: int = 0, last: int | None = None) -> NDArray[Any]:
    """How a cell state depends directly on an earlier one: the product of the forget gates between.

    The gates depend on the earlier state too, by peepholes and by the output; these detours are
    left out, as they are in the name of the *constant error carousel*.

    Parameters
    ----------
    trace : LSTMTrace
        What :func:`lstm_forward` returned.
    first, last : int
        The derivative of c[last] with respect to c[first], as they stand in the trace; `last` is
        the last state if left out.

    Returns
    -------
    ndarray
        (N, h): the diagonals of the Jacobians. Ones if `first` = `last`.

    Raises
    ------
    ValueError
        If the steps are not in the trace, or not in this order.

    References
    ----------
    Textbook chapter 6, *Long Short Term Memory*; S. Hochreiter and J. Schmidhuber, *Long short-term
    memory*, Neural Computation 9 (1997).

    Examples
    --------
    >>> from ketkar.recurrent import lstm_forward, lstm_params
    >>> params = lstm_params(1, 1, rng=0, forget_bias=100.0)
    >>> _, trace = lstm_forward(params, np.ones((50, 1, 1)))
    >>> lstm_cell_jacobian(trace)
    array([[1.]])
    """
    trace = operands.trace(trace, LSTMTrace, "lstm_forward")
    T = len(trace.x)
    last = T if last is None else checks.count(last, "last", least=0)
    first = checks.count(first, "first", least=0)
    if not first <= last <= T:
        raise ValueError(f"expected first <= last <= {T}, got first = {first} and last = {last}")
    f = trace.f[first:last]
    if len(trace.mask):
        f = np.where(trace.mask[first:last, :, None], f, 1)
    return f.prod(axis=0)  # (6.33)
