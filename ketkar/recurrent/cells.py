"""One step of each network, as the equation has it, and how steps make an unrolled network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.equations import equation
from ketkar.feedforward.activations import sigmoid, softmax
from ketkar.recurrent.lstm import checked
from ketkar.recurrent.parameters import LSTMParams

__all__ = ["LSTMStep", "elman_cell", "jordan_cell", "lstm_cell", "rnn_output", "unroll"]

Array = NDArray[Any]


@equation("rnn-hidden", "single-output-hidden")
def elman_cell(
    x: ArrayLike, h: ArrayLike, U: ArrayLike, W: ArrayLike, b: ArrayLike
) -> NDArray[Any]:
    """The next hidden state, from an input and the hidden state before it.

    Parameters
    ----------
    x : array_like
        The input of this step, (n,) or (N, n).
    h : array_like
        The previous hidden state, (h,) or (N, h).
    U, W, b : array_like
        Weights (h, n) and (h, h), bias (h,).

    Returns
    -------
    ndarray
        tanh(U x + W h + b), of the shape of `h`.

    Raises
    ------
    ValueError
        If the shapes do not agree.

    References
    ----------
    Textbook chapter 6, *RNN Basics*, figure 6-1; J. Elman, *Finding structure in time*, Cognitive
    Science 14 (1990).

    Examples
    --------
    >>> elman_cell([1.0], [0.5], U=[[2.0]], W=[[-1.0]], b=[0.0]).round(4)
    array([0.9051])
    """
    return np.tanh(_both(x, "x", U, h, "h", W) + _bias(b, U))  # (6.1)


@equation("output-recurrence-hidden", "teacher-forcing")
def jordan_cell(
    x: ArrayLike, y: ArrayLike, U: ArrayLike, W: ArrayLike, b: ArrayLike
) -> NDArray[Any]:
    """The next hidden state, from an input and the output before it.

    With the network's own previous output this is (6.3), with the true one (6.10).

    Parameters
    ----------
    x : array_like
        The input of this step, (n,) or (N, n).
    y : array_like
        The previous output, (m,) or (N, m).
    U, W, b : array_like
        Weights (h, n) and (h, m), bias (h,).

    Returns
    -------
    ndarray
        tanh(U x + W y + b), (h,) or (N, h).

    Raises
    ------
    ValueError
        If the shapes do not agree.

    References
    ----------
    Textbook chapter 6, *RNN Basics*, figure 6-2, and *Training RNNs*, figure 6-8; M. Jordan,
    *Serial order*, report 8604, Institute for Cognitive Science, San Diego 1986.

    Examples
    --------
    >>> jordan_cell([1.0], [0.2, 0.8], U=[[1.0]], W=[[0.0, 1.0]], b=[-1.0]).round(4)
    array([0.664])
    """
    return np.tanh(_both(x, "x", U, y, "y", W) + _bias(b, U))  # (6.3), (6.10)


@equation("rnn-output", "output-recurrence-output", "single-output")
def rnn_output(h: ArrayLike, V: ArrayLike, c: ArrayLike) -> NDArray[Any]:
    """The output that a hidden state stands for: probabilities.

    Parameters
    ----------
    h : array_like
        Hidden states, (h,), (N, h) or (T, N, h).
    V, c : array_like
        Weights (m, h), bias (m,).

    Returns
    -------
    ndarray
        softmax(V h + c), (m,), (N, m) or (T, N, m).

    Raises
    ------
    ValueError
        If the shapes do not agree.

    References
    ----------
    Textbook chapter 6, *RNN Basics*.

    Examples
    --------
    >>> rnn_output([1.0], V=[[2.0], [0.0]], c=[0.0, 0.0]).round(4)
    array([0.8808, 0.1192])
    """
    scores = _sum(h, "h", V, "V") + _bias(c, V, "c", "V")
    checks.not_empty(checks.float_array(V, "V"), "V")
    return softmax(scores) if scores.size else scores  # (6.2), (6.4), (6.6)


def _sum(x: ArrayLike, name: str, W: ArrayLike, weight: str) -> Array:
    """W x, for one vector x or for a batch of them in rows."""
    x, W = checks.float_array(x, name), checks.float_array(W, weight)
    checks.axes(W, weight, ("row", "column"), "a recurrent cell")
    if x.ndim == 0:
        raise ValueError(f"{name} is a single number; a recurrent cell expects a vector or a batch")
    checks.same_length(x, name, x.ndim - 1, W, weight, 1, "entries")
    return x @ W.T


def _both(
    x: ArrayLike, x_name: str, U: ArrayLike, h: ArrayLike, h_name: str, W: ArrayLike
) -> Array:
    """U x + W h."""
    one, other = _sum(x, x_name, U, "U"), _sum(h, h_name, W, "W")
    _together(one, x_name, other, h_name)
    checks.same_length(checks.float_array(U, "U"), "U", 0, checks.float_array(W, "W"), "W", 0,
                       "units")  # fmt: skip
    return one + other


def _together(a: Array, a_name: str, b: Array, b_name: str) -> None:
    """Refuse two batches of different sizes; a vector goes with any batch."""
    if a.ndim > 1 and b.ndim > 1 and a.shape[:-1] != b.shape[:-1]:
        raise ValueError(
            f"{a_name} is a batch of {a.shape[:-1]} but {b_name} is one of {b.shape[:-1]}"
        )


def _bias(b: ArrayLike, W: ArrayLike, name: str = "b", weight: str = "U") -> Array:
    b, W = checks.float_array(b, name), checks.float_array(W, weight)
    checks.axes(b, name, ("unit",), "a recurrent cell")
    checks.same_length(b, name, 0, W, weight, 0, "units")
    return b


class LSTMStep(NamedTuple):
    """One step of an LSTM: block input z, gates i, f and o, cell state c, output y; each (N, h)."""

    z: Array
    i: Array
    f: Array
    o: Array
    c: Array
    y: Array


@equation(
    "lstm-block-input", "lstm-input-gate", "lstm-forget-gate", "lstm-cell", "lstm-output-gate",
    "lstm-output",
)  # fmt: skip
def lstm_cell(x: ArrayLike, y: ArrayLike, c: ArrayLike, params: LSTMParams) -> LSTMStep:
    """One step of an LSTM with peepholes, gate by gate.

    Parameters
    ----------
    x : array_like
        The input of this step, (n,) or (N, n).
    y, c : array_like
        Output and cell state of the step before, (h,) or (N, h).
    params : LSTMParams
        Without peepholes where these are None.

    Returns
    -------
    LSTMStep
        All that happens in the step; `c` and `y` are the new state.

    Raises
    ------
    ValueError
        If the shapes do not agree.

    References
    ----------
    Textbook chapter 6, *Long Short Term Memory*, figure 6-11; S. Hochreiter and J. Schmidhuber,
    *Long short-term memory*, Neural Computation 9 (1997); K. Greff et al., *LSTM: a search space
    odyssey*, IEEE TNNLS 28 (2017).

    Examples
    --------
    >>> from ketkar.recurrent import lstm_params
    >>> step = lstm_cell([1.0, 0.0], [0.0], [2.0], lstm_params(2, 1, rng=0, forget_bias=5.0))
    >>> bool(step.f[0] > 0.99), bool(np.isclose(step.c[0], step.i[0] * step.z[0] + step.f[0] * 2))
    (True, True)
    """
    p = checked(params, "lstm_cell")
    x, y, c = (checks.float_array(a, name) for a, name in ((x, "x"), (y, "y"), (c, "c")))
    if c.ndim == 0 or c.shape[-1] != len(p.bz):
        raise ValueError(f"c has shape {c.shape}; expected {len(p.bz)} cells in its last axis")
    for a, a_name, b, b_name in ((x, "x", y, "y"), (x, "x", c, "c"), (y, "y", c, "c")):
        _together(a, a_name, b, b_name)

    def weighted(W: Array, R: Array, b: Array, gate: str) -> Array:
        return _sum(x, "x", W, f"W{gate}") + _sum(y, "y", R, f"R{gate}") + b

    def seen(weights: Array | None, cell: Array) -> Any:
        return 0 if weights is None else weights * cell

    z = np.tanh(weighted(p.Wz, p.Rz, p.bz, "z"))  # (6.21)
    i = sigmoid(weighted(p.Wi, p.Ri, p.bi, "i") + seen(p.pi, c))  # (6.22)
    f = sigmoid(weighted(p.Wf, p.Rf, p.bf, "f") + seen(p.pf, c))  # (6.23)
    new = i * z + f * c  # (6.24)
    o = sigmoid(weighted(p.Wo, p.Ro, p.bo, "o") + seen(p.po, new))  # (6.25)
    return LSTMStep(z, i, f, o, new, o * np.tanh(new))  # (6.26)


@equation("unrolling")
def unroll(cell: Callable[[Any, Any], Any], xs: Iterable[Any], h0: Any) -> list[Any]:
    """The unrolled network: a step, applied again and again to the state that the last one left.

    Parameters
    ----------
    cell : callable
        ``cell(x, h)`` returns the next state.
    xs : iterable
        The inputs, first to last.
    h0 : array
        The initial state.

    Returns
    -------
    list
        The states h^(1), ..., h^(tau), one an input.

    References
    ----------
    Textbook chapter 6, *Training RNNs*, figures 6-4 to 6-7.

    Examples
    --------
    >>> unroll(lambda x, h: x + 0.5 * h, [1.0, 1.0, 1.0], 0.0)
    [1.0, 1.5, 1.75]
    """
    states = []
    if not callable(cell):
        raise TypeError(f"cell must be a function of x and h, got {checks.shown(cell)}")
    for x in checks.listed(xs, "xs", "inputs"):
        h0 = cell(x, h0)  # (6.9)
        states.append(h0)
    return states
