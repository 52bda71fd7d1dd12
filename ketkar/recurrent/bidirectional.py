"""Two recurrences, one from each end, and an output that reads both."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.equations import equation
from ketkar.kernels.foreign import like_for_like
from ketkar.recurrent import operands
from ketkar.recurrent.parameters import BidirectionalParams, RNNParams
from ketkar.recurrent.rnn import RNNTrace, rnn_backward, rnn_forward, typed

__all__ = [
    "BidirectionalGrads",
    "BidirectionalTrace",
    "bidirectional",
    "bidirectional_backward",
]

Array = NDArray[Any]


class BidirectionalTrace(NamedTuple):
    """The two unrolled networks, the second with time turned round, and the outputs y (T, N, m)."""

    forward: RNNTrace
    backward: RNNTrace
    y: Array

    @property
    def hf(self) -> Array:
        """The states that have read forward, (T, N, h): hf[t] knows x[0] to x[t]."""
        return self.forward.h[1:]

    @property
    def hb(self) -> Array:
        """The states that have read backward, (T, N, h): hb[t] knows x[t] to the last."""
        return self.backward.h[:0:-1]


class BidirectionalGrads(NamedTuple):
    """The gradients with respect to x, the parameters and both initial states."""

    x: Array
    params: BidirectionalParams
    h0: tuple[Array, Array]


def _checked(params: Any, function: str) -> BidirectionalParams:
    """The nine as arrays whose shapes agree."""
    p: BidirectionalParams = operands.parameters(params, (), BidirectionalParams)
    names = ("Uf", "Wf", "bf", "Ub", "Wb", "bb", "Vf", "Vb", "c")
    checks.axes(p.Uf, "Uf", ("hidden", "input"), function)
    checks.not_empty(p.Uf, "Uf")
    checks.axes(p.Ub, "Ub", ("hidden", "input"), function)
    checks.axes(p.c, "c", ("output",), function)
    checks.not_empty(p.c, "c")
    h, n = p.Uf.shape
    k, m = len(p.Ub), len(p.c)
    shapes = ((h, n), (h, h), (h,), (k, n), (k, k), (k,), (m, h), (m, k), (m,))
    axes = {"U": ("hidden", "input"), "W": ("hidden", "hidden"), "V": ("output", "hidden")}
    for name, array, shape in zip(names, p, shapes, strict=True):
        operands.shaped(array, name, shape, axes.get(name[0], ("unit",)), function)
    return p


@equation("bidirectional-forward", "bidirectional-backward", "bidirectional-output")
@like_for_like
def bidirectional(
    params: BidirectionalParams,
    x: ArrayLike,
    h0: Any = None,
    *,
    mask: ArrayLike | None = None,
    backend: str = "auto",
) -> tuple[NDArray[Any], BidirectionalTrace]:
    """Read sequences from both ends; the output of a step knows all that comes before and after.

    Parameters
    ----------
    params : BidirectionalParams
    x : array_like
        N sequences of T steps, (T, N, n).
    h0 : (array_like, array_like), optional
        The initial states of the two, (h,) or (N, h): before the first step, and after the last.
    mask : array_like of bool, optional
        Which steps are there, (T, N).
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes the two recurrences.

    Returns
    -------
    y : ndarray
        Outputs, (T, N, m): probabilities.
    trace : BidirectionalTrace
        The unrolled networks, for :func:`bidirectional_backward`.

    Raises
    ------
    ValueError
        If the shapes do not agree or there is no such backend.

    References
    ----------
    Textbook chapter 6, *Bidirectional RNNs*; M. Schuster and K. Paliwal, *Bidirectional recurrent
    neural networks*, IEEE Transactions on Signal Processing 45 (1997).

    Examples
    --------
    >>> from ketkar.recurrent import bidirectional_params
    >>> params = bidirectional_params(1, 4, 2, rng=0)
    >>> y, trace = bidirectional(params, np.ones((5, 3, 1)))
    >>> y.shape, trace.hb.shape
    ((5, 3, 2), (5, 3, 4))
    """
    p = _checked(params, "bidirectional")
    x = operands.sequences("bidirectional", x, p.Uf.shape[1], "Uf")
    kind = operands.kind_of(x, *p)
    p, x = typed(p, kind), x.astype(kind, copy=False)
    there = operands.mask_of(mask, x.shape[:2], x) if mask is not None else None
    starts = _pair(h0)
    forth, back = _recurrences(p)
    hf, seen = rnn_forward(forth, x, starts[0], mask=there, backend=backend)  # (6.11)
    turned = None if there is None else there[::-1]
    hb, turned_seen = rnn_forward(back, x[::-1], starts[1], mask=turned, backend=backend)  # (6.12)
    scores = hf @ p.Vf.T + hb[::-1] @ p.Vb.T + p.c
    scores -= scores.max(axis=2, keepdims=True)
    y = np.exp(scores)
    y /= y.sum(axis=2, keepdims=True)  # (6.13)
    return y, BidirectionalTrace(seen, turned_seen, y)


def _recurrences(p: BidirectionalParams) -> tuple[RNNParams, RNNParams]:
    """The one that reads forward and the one that reads backward, without an output layer."""
    return RNNParams(p.Uf, p.Wf, p.bf, None, None), RNNParams(p.Ub, p.Wb, p.bb, None, None)


def _pair(h0: Any) -> tuple[Any, Any]:
    if h0 is None:
        return None, None
    if not isinstance(h0, tuple | list) or len(h0) != 2:
        raise TypeError(f"h0 must be a pair of initial states, got {checks.shown(h0)}")
    return h0[0], h0[1]


@like_for_like
def bidirectional_backward(
    params: BidirectionalParams,
    dy: ArrayLike,
    trace: BidirectionalTrace,
    *,
    truncate: int | None = None,
    backend: str = "auto",
) -> BidirectionalGrads:
    """Back through time in both directions: each recurrence from its own end.

    Parameters
    ----------
    params : BidirectionalParams
        What :func:`bidirectional` was called with.
    dy : array_like
        Gradient of the loss with respect to the outputs, (T, N, m).
    trace : BidirectionalTrace
        What :func:`bidirectional` returned.
    truncate, backend
        As in :func:`rnn_backward`; the pieces are counted from where each recurrence starts.

    Returns
    -------
    BidirectionalGrads

    Raises
    ------
    ValueError
        If `dy` has not the shape of the output, or parameters and trace do not match.

    Examples
    --------
    >>> from ketkar.recurrent import bidirectional_params
    >>> params = bidirectional_params(1, 4, 2, rng=0)
    >>> y, trace = bidirectional(params, np.ones((5, 3, 1)))
    >>> bidirectional_backward(params, y, trace).params.Wb.shape
    (4, 4)
    """
    trace = operands.trace(trace, BidirectionalTrace, "bidirectional")
    kind = trace.y.dtype
    p = typed(_checked(params, "bidirectional_backward"), kind)
    error = operands.used_up(dy, "dy", trace.y.shape, kind)
    if (len(p.bf), len(p.bb), len(p.c)) != tuple(a.shape[2] for a in (trace.hf, trace.hb, trace.y)):
        raise ValueError("params have other shapes than those that the trace went through")
    dz = trace.y * (error - (error * trace.y).sum(axis=2, keepdims=True))  # (3.34)
    rows = dz.reshape(-1, dz.shape[2])
    forth, back = _recurrences(p)
    first = rnn_backward(forth, dz @ p.Vf, trace.forward, truncate=truncate, backend=backend)
    second = rnn_backward(
        back, (dz @ p.Vb)[::-1], trace.backward, truncate=truncate, backend=backend
    )
    dVf, dVb = (rows.T @ h.reshape(-1, h.shape[2]) for h in (trace.hf, trace.hb))
    grads = BidirectionalParams(*first.params[:3], *second.params[:3], dVf, dVb, rows.sum(axis=0))
    return BidirectionalGrads(first.x + second.x[::-1], grads, (first.h0, second.h0))
