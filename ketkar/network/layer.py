"""The contract of a layer, and the dense layer as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.arrays import as_array
from ketkar.feedforward.activations import activation as find
from ketkar.feedforward.layer import DenseParams, dense, dense_backward
from ketkar.network.initial import INITIALISERS, initial

__all__ = ["Dense", "DenseTrace", "Layer"]

# The length of each axis of one example; None where it is not known yet.
Shape = tuple[Any, ...]


class Layer(Protocol):
    """What every layer can do, a chain of layers included.

    A layer holds no arrays. Parameters go in and gradients of the same type come out; what the
    way back needs of the way forward is in the trace.

    A layer may have a further function, ``parameter_gradients``, with the arguments of `backward`:
    the gradients of the parameters alone. Training asks the first layer for it, where nobody needs
    the gradient with respect to the input; for a layer without it, `backward` serves.
    """

    @property
    def kind(self) -> str:
        """The name of the kind of layer, such as ``"dense"``."""
        ...

    def output_shape(self, shape: Shape | None) -> Shape:
        """Shape of one output example for inputs of `shape`; None where that is not known yet.

        Single entries may be None too: a convolution layer knows the channels of its output, but
        not its rows and columns before it knows those of its input.
        """
        ...

    def init(self, rng: np.random.Generator | int, dtype: Any = np.float64) -> Any:
        """Draw initial parameters."""
        ...

    def forward(
        self, params: Any, x: ArrayLike, *, backend: str = "auto"
    ) -> tuple[NDArray[Any], Any]:
        """The output for a batch, and the trace."""
        ...

    def backward(
        self, params: Any, dy: ArrayLike, trace: Any, *, backend: str = "auto"
    ) -> tuple[NDArray[Any], Any]:
        """The gradient with respect to the input, and the gradients of the parameters."""
        ...


def parameter_gradients(
    layer: Layer, params: Any, dy: ArrayLike, trace: Any, *, backend: str = "auto"
) -> Any:
    """The gradients of a layer's parameters alone, by its own way to them where it has one.

    Examples
    --------
    >>> layer = Dense(2, 1)
    >>> params = layer.init(rng=0)
    >>> _, trace = layer.forward(params, [[2.0, 3.0]])
    >>> parameter_gradients(layer, params, [[1.0]], trace).b
    array([1.])
    """
    alone = getattr(layer, "parameter_gradients", None)
    if alone is None:
        return layer.backward(params, dy, trace, backend=backend)[1]
    return alone(params, dy, trace, backend=backend)


class DenseTrace(NamedTuple):
    """What a dense layer keeps on the way forward: its input and its weighted sums."""

    x: NDArray[Any]
    z: NDArray[Any]


@dataclass(frozen=True)
class Dense:
    """A dense layer as a value: how wide it is, how it is activated, how it starts.

    Parameters
    ----------
    n_in, n_out : int
        Number of inputs n, and number of units m.
    activation : str
        Name of the activation function, one of :data:`ketkar.feedforward.ACTIVATIONS`.
    init_weights : str
        Name of the initialiser of the weights, one of :data:`INITIALISERS`.

    Raises
    ------
    ValueError
        If a width is below 1, or there is no such activation or initialiser.

    References
    ----------
    Textbook chapter 3, *Expressing the Neural Network in Vector Form*.

    Examples
    --------
    >>> layer = Dense(3, 2, "tanh")
    >>> params = layer.init(rng=0)
    >>> params.W.shape, params.b
    ((3, 2), array([0., 0.]))
    """

    n_in: int
    n_out: int
    activation: str = "identity"
    init_weights: str = "glorot_uniform"

    def __post_init__(self) -> None:
        checks.count(self.n_in, "n_in")
        checks.count(self.n_out, "n_out")
        find(self.activation)
        checks.one_of(self.init_weights, "init_weights", INITIALISERS)

    @property
    def kind(self) -> str:
        """The name of the kind of layer."""
        return "dense"

    def output_shape(self, shape: Shape | None) -> Shape:
        """Shape of one output example, (m,).

        Raises
        ------
        ValueError
            If the input has not the shape (n,).
        """
        if shape not in (None, (None,), (self.n_in,)):
            raise ValueError(f"it expects inputs of shape ({self.n_in},) but gets {shape}")
        return (self.n_out,)

    def init(self, rng: np.random.Generator | int, dtype: Any = np.float64) -> DenseParams:
        """Draw the weights by the initialiser and set the bias to zero."""
        W = initial(self.init_weights, rng, (self.n_in, self.n_out), dtype)
        return DenseParams(W, np.zeros(self.n_out, dtype))

    def forward(
        self, params: DenseParams, x: ArrayLike, *, backend: str = "auto"
    ) -> tuple[NDArray[Any], DenseTrace]:
        """The output (N, m) for a batch (N, n), and the trace."""
        W, b = self._own(params)
        z = dense(x, W, b, backend=backend)
        return find(self.activation).value(z), DenseTrace(as_array(x), z)

    def backward(
        self, params: DenseParams, dy: ArrayLike, trace: DenseTrace, *, backend: str = "auto"
    ) -> tuple[NDArray[Any], DenseParams]:
        """The gradient with respect to the input, and the gradients of weights and bias."""
        W, b = self._own(params)
        error = checks.float_array(dy, "dy")
        checks.same_shape(error, "dy", trace.z, "the layer's output")
        delta = error * find(self.activation).grad(trace.z)
        grads = dense_backward(delta, trace.x, W, b, backend=backend)
        return grads.x, DenseParams(grads.W, grads.b)

    def _own(self, params: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        """Weights and bias, refused unless they are those of a layer of this size."""
        if not isinstance(params, tuple) or len(params) != 2:
            raise TypeError(f"params must be DenseParams(W, b), got {checks.shown(params)}")
        W, b = checks.float_array(params[0], "W"), checks.float_array(params[1], "b")
        if W.shape != (self.n_in, self.n_out) or b.shape != (self.n_out,):
            raise ValueError(
                f"params hold W {W.shape} and b {b.shape}; a dense layer of {self.n_in} inputs "
                f"and {self.n_out} units needs {(self.n_in, self.n_out)} and ({self.n_out},)"
            )
        return W, b
