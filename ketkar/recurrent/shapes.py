"""The shapes of recurrent networks: what goes in and what comes out, one or many.

======================  ============================================================
Shape                   Function
======================  ============================================================
one to one              a dense layer; no recurrence
one to many             :func:`sample`
many to one             :func:`many_to_one`
many to many            :func:`rnn_forward`, an output after each step
many to many, in turn   :func:`encoder_decoder`, first all is read, then all is said
======================  ============================================================
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.arrays import contiguous
from ketkar.equations import equation
from ketkar.kernels.foreign import like_for_like
from ketkar.recurrent import operands
from ketkar.recurrent.parameters import RNNParams
from ketkar.recurrent.rnn import (
    RNNGrads,
    RNNTrace,
    checked,
    rnn_backward,
    rnn_forward,
    typed,
)

__all__ = [
    "EncoderDecoderGrads",
    "EncoderDecoderTrace",
    "ManyToOneTrace",
    "encoder_decoder",
    "encoder_decoder_backward",
    "many_to_one",
    "many_to_one_backward",
]

Array = NDArray[Any]


class ManyToOneTrace(NamedTuple):
    """The unrolled network without outputs, and the only output y (N, m)."""

    states: RNNTrace
    y: Array


@equation("single-output")
@like_for_like
def many_to_one(
    params: RNNParams,
    x: ArrayLike,
    h0: ArrayLike | None = None,
    *,
    mask: ArrayLike | None = None,
    backend: str = "auto",
) -> tuple[NDArray[Any], ManyToOneTrace]:
    """Read whole sequences, then say one thing about each.

    Parameters
    ----------
    params, x, h0, mask, backend
        As in :func:`rnn_forward`, with an output layer.

    Returns
    -------
    y : ndarray
        softmax(V h + c) of the last hidden state, (N, m).
    trace : ManyToOneTrace
        For :func:`many_to_one_backward`.

    Raises
    ------
    ValueError
        If the shapes do not agree, or there is no output layer.

    References
    ----------
    Textbook chapter 6, *RNN Basics*, figure 6-3.

    Examples
    --------
    >>> from ketkar.recurrent import rnn_params
    >>> y, _ = many_to_one(rnn_params(3, 4, 2, rng=0), np.ones((7, 5, 3)))
    >>> y.shape
    (5, 2)
    """
    p = _with_output(params, "many_to_one")
    x = checks.float_array(x, "x")
    p = typed(p, operands.kind_of(x, *p))
    _, trace = rnn_forward(p._replace(V=None, c=None), x, h0, mask=mask, backend=backend)
    kind = trace.h.dtype
    V, c = (a for a in p[3:] if a is not None)
    y = np.empty((trace.h.shape[1], len(V)), kind)
    last = contiguous(trace.h[-1])
    operands.kernels(backend, last, V).output_forward(last, V, c, y)  # (6.6)
    return y, ManyToOneTrace(trace, y)


def _with_output(params: RNNParams, function: str) -> RNNParams:
    p = checked(params, function)
    if p.V is None:
        raise ValueError(f"V and c are None; {function} needs an output layer")
    return p


@like_for_like
def many_to_one_backward(
    params: RNNParams, dy: ArrayLike, trace: ManyToOneTrace, *, backend: str = "auto"
) -> RNNGrads:
    """The gradients of :func:`many_to_one`, from dy (N, m).

    Examples
    --------
    >>> from ketkar.recurrent import rnn_params
    >>> params = rnn_params(3, 4, 2, rng=0)
    >>> y, trace = many_to_one(params, np.ones((7, 5, 3)))
    >>> many_to_one_backward(params, y, trace).x.shape
    (7, 5, 3)
    """
    trace = operands.trace(trace, ManyToOneTrace, "many_to_one")
    kind = trace.y.dtype
    p = typed(_with_output(params, "many_to_one_backward"), kind)
    assert p.V is not None
    if p.V.shape != (trace.y.shape[1], trace.states.h.shape[2]):
        raise ValueError("params have other shapes than those that the trace went through")
    error = operands.used_up(dy, "dy", trace.y.shape, kind)
    last = contiguous(trace.states.h[-1])
    dh, dV, dc = np.empty_like(last), np.empty_like(p.V), np.empty_like(p.c)
    operands.kernels(backend, last, p.V).output_backward(error, trace.y, last, p.V, dh, dV, dc)
    none = np.zeros_like(trace.states.y)
    grads = rnn_backward(p._replace(V=None, c=None), none, trace.states, dh=dh, backend=backend)
    return grads._replace(params=grads.params._replace(V=dV, c=dc))


class EncoderDecoderTrace(NamedTuple):
    """The unrolled networks: of the encoder, without outputs, and of the decoder."""

    encoder: RNNTrace
    decoder: RNNTrace


class EncoderDecoderGrads(NamedTuple):
    """The gradients with respect to both inputs and the parameters of both networks."""

    x: Array
    encoder: RNNParams
    given: Array
    decoder: RNNParams


@like_for_like
def encoder_decoder(
    encoder: RNNParams,
    decoder: RNNParams,
    x: ArrayLike,
    given: ArrayLike,
    *,
    mask: ArrayLike | None = None,
    backend: str = "auto",
) -> tuple[NDArray[Any], EncoderDecoderTrace]:
    """Read a whole sequence, then say another one: the last state of one starts the other.

    Parameters
    ----------
    encoder : RNNParams
        Its output layer, if it has one, is not used.
    decoder : RNNParams
        With as many hidden units as the encoder.
    x : array_like
        What is read, (T, N, n).
    given : array_like
        What the decoder reads, (T', N, n'): in training the true outputs, one step late.
    mask : array_like of bool, optional
        Which steps of x are there, (T, N).
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes it.

    Returns
    -------
    y : ndarray
        Outputs of the decoder, (T', N, m).
    trace : EncoderDecoderTrace
        For :func:`encoder_decoder_backward`.

    Raises
    ------
    ValueError
        If the shapes do not agree.

    References
    ----------
    K. Cho et al., *Learning phrase representations using RNN encoder-decoder*, EMNLP 2014;
    I. Sutskever, O. Vinyals and Q. Le, *Sequence to sequence learning*, NIPS 2014.

    Examples
    --------
    >>> from ketkar.recurrent import rnn_params
    >>> encoder, decoder = rnn_params(3, 4, None, rng=0), rnn_params(2, 4, 2, rng=1)
    >>> y, _ = encoder_decoder(encoder, decoder, np.ones((7, 5, 3)), np.ones((4, 5, 2)))
    >>> y.shape
    (4, 5, 2)
    """
    states = checked(encoder, "encoder_decoder")._replace(V=None, c=None)
    _, read = rnn_forward(states, x, mask=mask, backend=backend)
    y, said = rnn_forward(decoder, given, read.h[-1], backend=backend)
    return y, EncoderDecoderTrace(read, said)


@like_for_like
def encoder_decoder_backward(
    encoder: RNNParams,
    decoder: RNNParams,
    dy: ArrayLike,
    trace: EncoderDecoderTrace,
    *,
    backend: str = "auto",
) -> EncoderDecoderGrads:
    """The gradients of :func:`encoder_decoder`: through the decoder, its first state, the encoder.

    Examples
    --------
    >>> from ketkar.recurrent import rnn_params
    >>> encoder, decoder = rnn_params(3, 4, None, rng=0), rnn_params(2, 4, 2, rng=1)
    >>> y, trace = encoder_decoder(encoder, decoder, np.ones((7, 5, 3)), np.ones((4, 5, 2)))
    >>> encoder_decoder_backward(encoder, decoder, y, trace).encoder.W.shape
    (4, 4)
    """
    trace = operands.trace(trace, EncoderDecoderTrace, "encoder_decoder")
    said = rnn_backward(decoder, dy, trace.decoder, backend=backend)
    none = np.zeros_like(trace.encoder.y)
    states = checked(encoder, "encoder_decoder_backward")._replace(V=None, c=None)
    read = rnn_backward(states, none, trace.encoder, dh=said.h0, backend=backend)
    return EncoderDecoderGrads(read.x, read.params, said.x, said.params)
