"""Chaining layers: the output of each is the input of the next, and the chain is a layer."""

from __future__ import annotations

import functools
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.equations import equation
from ketkar.network.layer import Layer, Shape, parameter_gradients
from ketkar.trees import leaves

__all__ = ["Chain", "chain"]


@functools.cache
def _params_type(names: tuple[str, ...]) -> Any:
    return namedtuple("ChainParams", names)


@equation("network")
@dataclass(frozen=True)
class Chain:
    """A network: layers one after another. Made by :func:`chain`.

    The network is a function of its input and its parameters, ``net(params, x)``; nothing is
    kept between calls.

    Examples
    --------
    >>> from ketkar.network import Dense, chain
    >>> net = chain(Dense(3, 4, "tanh"), Dense(4, 2))
    >>> params = net.init(rng=0)
    >>> net(params, [[0.5, 0.9, -0.3]]).shape
    (1, 2)
    >>> params._fields
    ('dense1', 'dense2')
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("a chain needs at least one layer")
        self.output_shape(None)

    @property
    def kind(self) -> str:
        """The name of the kind of layer."""
        return "chain"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the layers: kind and place, such as ``dense1``."""
        return tuple(f"{layer.kind}{i}" for i, layer in enumerate(self.layers, 1))

    def output_shape(self, shape: Shape | None) -> Shape:
        """Shape of one output example.

        Raises
        ------
        ValueError
            If the shapes of the layers do not chain.
        """
        for name, layer in zip(self.names, self.layers, strict=True):
            try:
                shape = layer.output_shape(shape)
            except ValueError as error:
                raise ValueError(f"{name} does not fit into the chain: {error}") from None
        assert shape is not None  # there is at least one layer
        return shape

    def init(self, rng: np.random.Generator | int, dtype: Any = np.float64) -> Any:
        """Draw the parameters of all layers: a NamedTuple with one field a layer."""
        rng = checks.generator(rng)
        return _params_type(self.names)(*(layer.init(rng, dtype) for layer in self.layers))

    def __call__(self, params: Any, x: ArrayLike, *, backend: str = "auto") -> NDArray[Any]:
        """The output for a batch of inputs.

        Parameters
        ----------
        params : NamedTuple
            Parameters as :meth:`init` draws them.
        x : array_like
            A batch of inputs, first axis the batch.
        backend : {"auto", "numpy", "cpu", "cuda"}
            What computes.

        Returns
        -------
        ndarray
            A batch of outputs.
        """
        self._fits(params)
        y: Any = checks.float_array(x, "x")
        for layer, own in zip(self.layers, params, strict=True):
            y = layer.forward(own, y, backend=backend)[0]
        return y

    def forward(
        self, params: Any, x: ArrayLike, *, backend: str = "auto"
    ) -> tuple[NDArray[Any], tuple[Any, ...]]:
        """The output for a batch, and the traces of all layers."""
        self._fits(params)
        y: Any = checks.float_array(x, "x")
        trace = []
        for layer, own in zip(self.layers, params, strict=True):
            y, kept = layer.forward(own, y, backend=backend)
            trace.append(kept)
        return y, tuple(trace)

    def backward(
        self, params: Any, dy: ArrayLike, trace: tuple[Any, ...], *, backend: str = "auto"
    ) -> tuple[NDArray[Any], Any]:
        """The gradient with respect to the input, and the gradients of all layers."""
        return self._back(params, dy, trace, backend, whole=True)

    def parameter_gradients(
        self, params: Any, dy: ArrayLike, trace: tuple[Any, ...], *, backend: str = "auto"
    ) -> Any:
        """The gradients of all layers alone: the way back ends at the first parameters."""
        return self._back(params, dy, trace, backend, whole=False)[1]

    def _back(
        self, params: Any, dy: Any, trace: tuple[Any, ...], backend: str, whole: bool
    ) -> tuple[Any, Any]:
        self._fits(params)
        if not isinstance(trace, tuple) or len(trace) != len(self.layers):
            raise ValueError(
                f"trace must hold one entry for each of the {len(self.layers)} layers, "
                f"as forward returns it; got {checks.shown(trace)}"
            )
        first = 0 if whole else self._first_with_parameters(params)
        grads = list(params)  # below the first parameters there are none, and no gradients
        for i in range(len(self.layers) - 1, first - 1, -1):
            if i == first and not whole:
                grads[i] = parameter_gradients(
                    self.layers[i], params[i], dy, trace[i], backend=backend
                )
            else:
                dy, grads[i] = self.layers[i].backward(params[i], dy, trace[i], backend=backend)
        return dy, _params_type(self.names)(*grads)

    def _first_with_parameters(self, params: Any) -> int:
        """The number of the first layer that learns, from 0; as many as there are if none does."""
        for i, own in enumerate(params):
            if next(leaves(own), None) is not None:
                return i
        return len(self.layers)

    def _fits(self, params: Any) -> None:
        if not isinstance(params, tuple) or len(params) != len(self.layers):
            held = f"{len(params)} entries" if isinstance(params, tuple) else checks.shown(params)
            raise ValueError(
                f"params must hold one entry for each of the {len(self.layers)} layers "
                f"({', '.join(self.names)}), as init returns them; got {held}"
            )


def chain(*layers: Layer) -> Chain:
    """Chain layers into a network.

    Parameters
    ----------
    *layers : Layer
        The layers, first one first, such as :class:`Dense`.

    Returns
    -------
    Chain
        The network, itself a layer.

    Raises
    ------
    ValueError
        If there is no layer, or the shapes of two neighbours do not fit.

    Examples
    --------
    >>> from ketkar.network import Dense
    >>> chain(Dense(3, 4), Dense(5, 2))
    Traceback (most recent call last):
    ValueError: dense2 does not fit into the chain: it expects inputs of shape (5,) but gets (4,)
    """
    for i, layer in enumerate(layers, 1):
        if isinstance(layer, type) or not hasattr(layer, "forward"):
            raise TypeError(
                f"layer {i} of the chain is {checks.shown(layer)}; "
                "expected a layer such as Dense(3, 2)"
            )
    return Chain(tuple(layers))
