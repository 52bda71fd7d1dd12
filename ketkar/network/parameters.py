"""Parameters as one vector: the textbook's theta, and the way back to the layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar.arrays import as_array, empty, on_device
from ketkar.gradcheck import Report, gradcheck
from ketkar.kernels.backend import aligned
from ketkar.network.layer import Layer
from ketkar.trees import leaves, rebuild

__all__ = ["check_layer", "count_parameters", "flatten", "unflatten"]


def count_parameters(params: Any) -> int:
    """The number of numbers in a nest of parameters, the length of theta.

    Examples
    --------
    >>> from ketkar.network import Dense, chain
    >>> count_parameters(chain(Dense(64, 32), Dense(32, 10)).init(rng=0))
    2410
    """
    return sum(array.size for _, array in leaves(params))


def flatten(params: Any) -> NDArray[Any]:
    """All parameters as one new vector theta (p,): layer by layer, weights before bias.

    Raises
    ------
    ValueError
        If there are no parameters.
    TypeError
        If the arrays are not all float32 or all float64.

    Examples
    --------
    >>> from ketkar.network import Dense
    >>> flatten(Dense(2, 1).init(rng=0)).shape
    (3,)
    """
    found = list(leaves(params))
    if not found:
        raise ValueError("there are no parameters to flatten")
    kinds = {array.dtype.name for _, array in found}
    if len(kinds) != 1 or not kinds <= {"float32", "float64"}:
        raise TypeError(
            f"parameters must be all float32 or all float64; these are {', '.join(sorted(kinds))}"
        )
    first, size = found[0][1], count_parameters(params)
    theta = empty(size, first.dtype, first) if on_device(first) else aligned(size, first.dtype)
    np.concatenate([array.ravel() for _, array in found], out=theta)
    return theta


def unflatten(theta: NDArray[Any], like: Any) -> Any:
    """The nest of parameters whose arrays are views of the vector theta.

    Writing to theta changes them: that is how :func:`ketkar.training.fit` descends in place.

    Parameters
    ----------
    theta : ndarray
        The vector, (p,).
    like : nest of arrays
        Parameters of the wanted type and shapes.

    Raises
    ------
    ValueError
        If theta has not as many entries as `like`.

    Examples
    --------
    >>> from ketkar.network import Dense
    >>> params = Dense(2, 1).init(rng=0)
    >>> bool((unflatten(flatten(params), params).W == params.W).all())
    True
    """
    size = count_parameters(like)
    theta = as_array(theta)
    if theta.shape != (size,):
        raise ValueError(f"theta has shape {theta.shape}; these parameters need ({size},)")

    def views() -> Iterator[NDArray[Any]]:
        start = 0
        for _, array in leaves(like):
            yield theta[start : start + array.size].reshape(array.shape)
            start += array.size

    return rebuild(like, views())


def check_parameters(network: Layer, params: Any) -> None:
    """Refuse parameters that are not of the network: other arrays, or arrays of other shapes.

    Raises
    ------
    ValueError
        If names or shapes differ from those that ``network.init`` draws.

    Examples
    --------
    >>> from ketkar.network import Dense
    >>> check_parameters(Dense(3, 2), Dense(2, 3).init(rng=0))
    Traceback (most recent call last):
    ValueError: the network needs the parameters W (3, 2), b (2,); params hold W (2, 3), b (3,)
    """
    needed, held = (_outline(nest) for nest in (network.init(0), params))
    if needed != held:
        raise ValueError(f"the network needs the parameters {needed}; params hold {held}")


def _outline(params: Any) -> str:
    return ", ".join(f"{name or 'an array'} {array.shape}" for name, array in leaves(params))


def check_layer(
    layer: Layer, params: Any, x: ArrayLike, *, rng: np.random.Generator | int = 0,
    tolerance: float = 1e-6,
) -> Report:  # fmt: skip
    """Compare a layer's backward with finite differences of its forward.

    Parameters
    ----------
    layer : Layer
        A layer or a chain.
    params : NamedTuple
        Its parameters.
    x : array_like
        A batch of inputs.
    rng, tolerance
        As in :func:`ketkar.gradcheck.gradcheck`.

    Returns
    -------
    Report
        Rows for the parameters (argument 0) and for the input (argument 1).

    Examples
    --------
    >>> from ketkar.network import Dense
    >>> layer = Dense(3, 2, "tanh")
    >>> check_layer(layer, layer.init(rng=0), [[0.5, 0.9, -0.3]]).ok
    True
    """

    def forward(params: Any, x: NDArray[Any]) -> NDArray[Any]:
        return layer.forward(params, x)[0]

    def backward(dy: NDArray[Any], params: Any, x: NDArray[Any]) -> tuple[Any, Any]:
        dx, grads = layer.backward(params, dy, layer.forward(params, x)[1])
        return grads, dx

    return gradcheck(forward, backward, params, x, rng=rng, tolerance=tolerance)
