"""Backpropagation, written out for a network of dense layers.

:func:`mlp_trace` goes forward and keeps what each layer saw; :func:`mlp_backward` goes back over
that trace. Both are meant to be read beside the equations. Training uses the same two steps
through :mod:`ketkar.network`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.equations import equation
from ketkar.feedforward.activations import activation as find
from ketkar.feedforward.layer import dense, layers_of, naming_layer

__all__ = ["LayerGrads", "LayerTrace", "mlp_backward", "mlp_trace"]


class LayerTrace(NamedTuple):
    """What one layer saw on the way forward: input x, weighted sum z, output y."""

    x: NDArray[Any]
    z: NDArray[Any]
    y: NDArray[Any]


class LayerGrads(NamedTuple):
    """What one layer passes on the way back: its error delta, and the gradients of W, b and x."""

    delta: NDArray[Any]
    W: NDArray[Any]
    b: NDArray[Any]
    x: NDArray[Any]


def mlp_trace(
    x: ArrayLike,
    params: Sequence[tuple[ArrayLike, ArrayLike | None]],
    activations: str | Sequence[str] = "sigmoid",
) -> list[LayerTrace]:
    """Go forward through the layers and keep what each of them saw.

    Parameters
    ----------
    x, params, activations
        As in :func:`mlp`.

    Returns
    -------
    list of LayerTrace
        One a layer, first layer first; the last one's `y` is the network's output.

    Examples
    --------
    >>> trace = mlp_trace([0.0], [([[2.0]], [1.0]), ([[1.0]], [0.0])], "tanh")
    >>> trace[0].z, trace[1].x.round(4)
    (array([1.]), array([0.7616]))
    """
    trace: list[LayerTrace] = []
    y = checks.float_array(x, "x")
    for i, (W, b, name) in enumerate(layers_of(params, activations), 1):
        with naming_layer(i):
            z = dense(y, W, b)
        trace.append(LayerTrace(y, z, find(name).value(z)))
        y = trace[-1].y
    return trace


@equation("backprop-output", "backprop-hidden", "backprop-weights")
def mlp_backward(
    dy: ArrayLike,
    trace: Sequence[LayerTrace],
    params: Sequence[tuple[ArrayLike, ArrayLike | None]],
    activations: str | Sequence[str] = "sigmoid",
) -> list[LayerGrads]:
    """Go back through the layers: the error of each comes from the error of the one above it.

    Parameters
    ----------
    dy : array_like
        Gradient of the loss with respect to the network's output, of its shape.
    trace : sequence of LayerTrace
        What :func:`mlp_trace` returned.
    params, activations
        What :func:`mlp_trace` was called with.

    Returns
    -------
    list of LayerGrads
        One a layer, first layer first; those of W and b are summed over the batch.

    Raises
    ------
    ValueError
        If `dy` has not the shape of the network's output, or trace and parameters do not match.

    References
    ----------
    D. Rumelhart, G. Hinton and R. Williams, *Learning representations by back-propagating
    errors*, Nature 323 (1986); textbook chapter 3, *Training the Neural Network*.

    Examples
    --------
    >>> params = [([[2.0]], [0.0])]
    >>> mlp_backward([1.0], mlp_trace([3.0], params, "identity"), params, "identity")[0].W
    array([[3.]])
    """
    layers = layers_of(params, activations)
    weights = _weights(layers, trace)
    error = checks.float_array(dy, "dy")
    checks.same_shape(error, "dy", trace[-1].y, "the network's output")
    error = error.astype(trace[-1].y.dtype, copy=False)
    grads: list[LayerGrads] = []
    for W, (_, _, name), seen in reversed(list(zip(weights, layers, trace, strict=True))):
        delta = error * find(name).grad(seen.z)  # (3.15) above, (3.16) below the last layer
        X, D = np.atleast_2d(seen.x), np.atleast_2d(delta)
        error = delta @ W.T  # (3.16), the sum over the units above
        grads.append(LayerGrads(delta, X.T @ D, D.sum(axis=0), error))  # (3.17)
    return grads[::-1]


def _weights(layers: Sequence[Any], trace: Any) -> list[NDArray[Any]]:
    """The weights of each layer, refused unless they are those the trace went through."""
    if not isinstance(trace, list | tuple) or not all(isinstance(t, LayerTrace) for t in trace):
        raise TypeError(f"trace must be what mlp_trace returned, got {checks.shown(trace)}")
    if len(trace) != len(layers):
        raise ValueError(f"the trace has {len(trace)} layers but there are {len(layers)} in params")
    weights = []
    for i, ((weight, _, _), seen) in enumerate(zip(layers, trace, strict=True), 1):
        W = checks.float_array(weight, "W")
        if W.shape != (seen.x.shape[-1], seen.z.shape[-1]):
            raise ValueError(
                f"layer {i}: W has shape {W.shape} but the trace went through weights of shape "
                f"{(seen.x.shape[-1], seen.z.shape[-1])}"
            )
        weights.append(W)
    return weights
