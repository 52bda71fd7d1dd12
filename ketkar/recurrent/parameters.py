"""The parameters of recurrent networks, by the textbook's letters, and where training starts.

The matrices have the textbook's shapes, for column vectors: U x with U (h, n). A batch of N
sequences holds its vectors in rows, and a matrix is applied to it transposed: x U^T.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketkar import checks
from ketkar.equations import equation

__all__ = [
    "BidirectionalParams",
    "LSTMParams",
    "OutputParams",
    "RNNParams",
    "bidirectional_params",
    "lstm_parameter_count",
    "lstm_params",
    "orthogonal",
    "output_params",
    "rnn_parameter_count",
    "rnn_params",
]

Array = NDArray[Any]


class RNNParams(NamedTuple):
    """A recurrent network: U (h, n) and W for the hidden state, b (h,); V (m, h) and c (m,).

    W is (h, h) where the hidden state is fed back and (h, m) where the output is. With V and c
    None the network has no output layer, and its output is the hidden state.
    """

    U: Array
    W: Array
    b: Array
    V: Array | None
    c: Array | None


class BidirectionalParams(NamedTuple):
    """Two recurrences, U (h, n), W (h, h), b (h,) each, and what reads both: V (m, h) each, c (m,).

    The letter f stands for the one that reads forward, b for the one that reads backward.
    """

    Uf: Array
    Wf: Array
    bf: Array
    Ub: Array
    Wb: Array
    bb: Array
    Vf: Array
    Vb: Array
    c: Array


class LSTMParams(NamedTuple):
    """An LSTM: W (h, n), R (h, h) and b (h,) of z, i, f and o; peepholes p (h,) of i, f and o.

    The three peepholes are None where there are none.
    """

    Wz: Array
    Wi: Array
    Wf: Array
    Wo: Array
    Rz: Array
    Ri: Array
    Rf: Array
    Ro: Array
    pi: Array | None
    pf: Array | None
    po: Array | None
    bz: Array
    bi: Array
    bf: Array
    bo: Array


class OutputParams(NamedTuple):
    """A softmax layer that reads a state: V (m, h) and c (m,)."""

    V: Array
    c: Array


def orthogonal(h: int, rng: np.random.Generator | int, radius: float = 1.0) -> Array:
    """A random matrix that turns vectors without stretching them, times a radius.

    Parameters
    ----------
    h : int
        Rows and columns.
    rng : numpy.random.Generator or int
    radius : float
        The modulus of all its eigenvalues, and its only singular value.

    Returns
    -------
    ndarray
        (h, h), float64, drawn from the uniform distribution of orthogonal matrices.

    References
    ----------
    F. Mezzadri, *How to generate random matrices from the classical compact groups*, Notices of the
    AMS 54 (2007).

    Examples
    --------
    >>> W = orthogonal(3, rng=0, radius=0.5)
    >>> np.allclose(W @ W.T, 0.25 * np.eye(3))
    True
    """
    h = checks.count(h, "h")
    radius = checks.between(radius, "radius", 0, float("inf"))
    Q, R = np.linalg.qr(checks.generator(rng).standard_normal((h, h)))
    return radius * Q * np.sign(np.diag(R))  # the signs make the distribution uniform


def _glorot(rows: int, columns: int, rng: np.random.Generator) -> Array:
    limit = np.sqrt(6 / (rows + columns))  # (3.19)
    return rng.uniform(-limit, limit, (rows, columns))


def _recurrent(h: int, rng: np.random.Generator, recurrent: str, radius: float) -> Array:
    checks.one_of(recurrent, "recurrent", ("orthogonal", "glorot"))
    if recurrent == "orthogonal":
        return orthogonal(h, rng, radius)
    return checks.between(radius, "radius", 0, float("inf")) * _glorot(h, h, rng)


def _flag(value: Any, name: str) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {checks.shown(value)}")


def output_params(
    h: int, m: int, *, rng: np.random.Generator | int, dtype: Any = np.float64
) -> OutputParams:
    """Initial parameters of a softmax layer: Glorot's uniform weights, bias zero.

    Parameters
    ----------
    h, m : int
        Hidden units, outputs.
    rng : numpy.random.Generator or int
    dtype : {float64, float32}

    Returns
    -------
    OutputParams

    Examples
    --------
    >>> output_params(16, 4, rng=0).V.shape
    (4, 16)
    """
    h, m = checks.count(h, "h"), checks.count(m, "m")
    V = _glorot(m, h, checks.generator(rng))
    return _typed(OutputParams(V, np.zeros(m)), dtype)


def rnn_params(
    n: int,
    h: int,
    m: int | None,
    *,
    rng: np.random.Generator | int,
    recurrent: str = "orthogonal",
    radius: float = 1.0,
    feedback: str = "hidden",
    dtype: Any = np.float64,
) -> RNNParams:
    """Initial parameters of a recurrent network.

    Parameters
    ----------
    n, h, m : int
        Inputs, hidden units, outputs; m None for a network without an output layer.
    rng : numpy.random.Generator or int
        U, then W, then V are drawn from it; b and c are zero.
    recurrent : {"orthogonal", "glorot"}
        How W is drawn: as an :func:`orthogonal` matrix, or by Glorot's uniform rule (3.19), as U
        and V always are.
    radius : float
        What W is multiplied with; for an orthogonal W the modulus of its eigenvalues.
    feedback : {"hidden", "output"}
        What W reads: the previous hidden state, W (h, h), or the previous output, W (h, m), which
        Glorot's rule draws.
    dtype : {float64, float32}

    Returns
    -------
    RNNParams

    Raises
    ------
    ValueError
        If a number is not positive, a name is unknown, or an output is fed back that is not there.

    References
    ----------
    Textbook chapter 6, *RNN Basics*.

    Examples
    --------
    >>> params = rnn_params(8, 16, 4, rng=0)
    >>> [array.shape for array in params]
    [(16, 8), (16, 16), (16,), (4, 16), (4,)]
    """
    n, h = checks.count(n, "n"), checks.count(h, "h")
    m = None if m is None else checks.count(m, "m")
    rng = checks.generator(rng)
    checks.one_of(feedback, "feedback", ("hidden", "output"))
    if feedback == "output" and m is None:
        raise ValueError("m is None, but the output that is to be fed back needs a size")
    U = _glorot(h, n, rng)
    if feedback == "output" and m is not None:
        W = checks.between(radius, "radius", 0, float("inf")) * _glorot(h, m, rng)
    else:
        W = _recurrent(h, rng, recurrent, radius)
    V = None if m is None else _glorot(m, h, rng)
    c = None if m is None else np.zeros(m)
    return _typed(RNNParams(U, W, np.zeros(h), V, c), dtype)


def bidirectional_params(
    n: int,
    h: int,
    m: int,
    *,
    rng: np.random.Generator | int,
    recurrent: str = "orthogonal",
    radius: float = 1.0,
    dtype: Any = np.float64,
) -> BidirectionalParams:
    """Initial parameters of a bidirectional network: two recurrences of h units each.

    Parameters
    ----------
    n, h, m : int
        Inputs, hidden units of each direction, outputs.
    rng, recurrent, radius, dtype
        As in :func:`rnn_params`.

    Returns
    -------
    BidirectionalParams

    Examples
    --------
    >>> sum(array.size for array in bidirectional_params(8, 16, 4, rng=0))
    932
    """
    m, rng = checks.count(m, "m"), checks.generator(rng)
    one, other = (
        rnn_params(n, h, m, rng=rng, recurrent=recurrent, radius=radius, dtype=dtype)
        for _ in range(2)
    )
    return BidirectionalParams(*one[:3], *other[:3], one.V, other.V, one.c)  # type: ignore[arg-type]


def lstm_params(
    n: int,
    h: int,
    *,
    rng: np.random.Generator | int,
    forget_bias: float = 1.0,
    peepholes: bool = True,
    recurrent: str = "orthogonal",
    radius: float = 1.0,
    dtype: Any = np.float64,
) -> LSTMParams:
    """Initial parameters of an LSTM.

    Parameters
    ----------
    n, h : int
        Inputs, cells.
    rng : numpy.random.Generator or int
    forget_bias : float
        The bias of the forget gate; all others are zero. A gate that starts open,
        sigmoid(1) = 0.73, lets the cell state live; sigmoid(5) = 0.993 for long gaps.
    peepholes : bool
        Whether the gates see the cell state; the weights start at zero.
    recurrent, radius, dtype
        As in :func:`rnn_params`, for each of the four R.

    Returns
    -------
    LSTMParams

    References
    ----------
    F. Gers, J. Schmidhuber and F. Cummins, *Learning to forget*, Neural Computation 12 (2000);
    F. Gers, N. Schraudolph and J. Schmidhuber, *Learning precise timing with LSTM recurrent
    networks*, JMLR 3 (2002); textbook chapter 6, *Long Short Term Memory*.

    Examples
    --------
    >>> params = lstm_params(8, 16, rng=0)
    >>> sum(array.size for array in params), params.bf[0]
    (1648, np.float64(1.0))
    """
    n, h = checks.count(n, "n"), checks.count(h, "h")
    _flag(peepholes, "peepholes")
    rng = checks.generator(rng)
    forget_bias = checks.real(forget_bias, "forget_bias")
    W = [_glorot(h, n, rng) for _ in range(4)]
    R = [_recurrent(h, rng, recurrent, radius) for _ in range(4)]
    p = [np.zeros(h) if peepholes else None for _ in range(3)]
    b = [np.full(h, forget_bias if gate == "f" else 0.0) for gate in "zifo"]
    return _typed(LSTMParams(*W, *R, *p, *b), dtype)


def _typed(params: Any, dtype: Any) -> Any:
    kind = checks.float_type(dtype)
    return type(params)(*(None if a is None else a.astype(kind, copy=False) for a in params))


@equation("rnn-parameter-count")
def rnn_parameter_count(
    n: int, h: int, m: int, *, feedback: str = "hidden", bidirectional: bool = False
) -> int:
    """How many parameters a recurrent network has, whatever the length of its sequences.

    Parameters
    ----------
    n, h, m : int
        Inputs, hidden units (of each direction), outputs.
    feedback : {"hidden", "output"}
        What W reads, the previous hidden state or the previous output.
    bidirectional : bool
        Whether there is a second recurrence, which reads backward.

    Returns
    -------
    int

    References
    ----------
    Textbook chapter 6, *RNN Basics* and *Bidirectional RNNs*.

    Examples
    --------
    >>> rnn_parameter_count(8, 16, 4), rnn_parameter_count(8, 16, 4, feedback="output")
    (468, 276)
    >>> rnn_parameter_count(8, 16, 4, bidirectional=True)
    932
    """
    n, h, m = checks.count(n, "n"), checks.count(h, "h"), checks.count(m, "m")
    checks.one_of(feedback, "feedback", ("hidden", "output"))
    _flag(bidirectional, "bidirectional")
    if bidirectional and feedback == "output":
        raise ValueError("a bidirectional network feeds back hidden states, not outputs")
    fed_back = h if feedback == "hidden" else m
    directions = 2 if bidirectional else 1
    return directions * (h * n + h * fed_back + h + m * h) + m  # (6.34)


@equation("lstm-parameter-count")
def lstm_parameter_count(n: int, h: int, *, peepholes: bool = True) -> int:
    """How many parameters an LSTM has: four times those of a plain recurrence, and the peepholes.

    Parameters
    ----------
    n, h : int
        Inputs, cells.
    peepholes : bool
        Whether the gates see the cell state.

    Returns
    -------
    int

    References
    ----------
    Textbook chapter 6, *Long Short Term Memory*.

    Examples
    --------
    >>> lstm_parameter_count(8, 16), lstm_parameter_count(8, 16, peepholes=False)
    (1648, 1600)
    """
    n, h = checks.count(n, "n"), checks.count(h, "h")
    _flag(peepholes, "peepholes")
    return 4 * (h * n + h * h + h) + (3 * h if peepholes else 0)  # (6.35)
