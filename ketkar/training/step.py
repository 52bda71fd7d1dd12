"""One training step as one call: forward, loss, backward and update, in place of theta.

A stack of dense layers goes to a single kernel, which is compiled where Numba is installed. Any
other network goes through its own forward and backward. Both do the same arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketkar import checks
from ketkar.arrays import beside, on_device, usable
from ketkar.equations import equation
from ketkar.kernels import codes
from ketkar.kernels.backend import kernels, ready
from ketkar.kernels.foreign import like_for_like
from ketkar.network.chain import Chain
from ketkar.network.layer import Dense, Layer
from ketkar.network.parameters import count_parameters, unflatten
from ketkar.training.evaluate import value_and_grad
from ketkar.training.losses import Loss, find_loss
from ketkar.trees import leaves

__all__ = ["Step", "training_step"]

Array = NDArray[Any]
Step = Callable[[Array, Array, Array, Array], float]


class DenseStack(NamedTuple):
    """A network that is dense layers all through: its widths, and its activations as codes."""

    widths: NDArray[np.int64]
    activations: NDArray[np.int64]

    @property
    def size(self) -> int:
        """The number p of parameters."""
        n, m = self.widths[:-1], self.widths[1:]
        return int(((n + 1) * m).sum())


def _dense_stack(network: Layer) -> DenseStack | None:
    """The network as a stack of dense layers; None where it holds anything else."""
    layers = network.layers if isinstance(network, Chain) else (network,)
    dense = [layer for layer in layers if isinstance(layer, Dense)]
    if len(dense) < len(layers) or any(d.activation not in codes.ACTIVATIONS for d in dense):
        return None
    return DenseStack(
        np.array([dense[0].n_in, *(layer.n_out for layer in dense)]),
        np.array([codes.ACTIVATIONS[layer.activation] for layer in dense]),
    )


@equation("steepest-descent", "momentum", "minibatch")
def training_step(
    network: Layer, *, loss: str, lr: float, momentum: float = 0.0, backend: str = "auto"
) -> Step:
    """Prepare the training step of a network: forward, loss, backward and update in one call.

    Parameters
    ----------
    network : Layer
        A network that ends in a linear layer.
    loss : {"squared_error", "binary_cross_entropy", "cross_entropy"}
        The loss; the last two take the network's output as logits.
    lr : float
        The learning rate, above zero.
    momentum : float
        Which part of the last step is kept, at least 0 and below 1.
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes; "auto" compiles where Numba is installed.

    Returns
    -------
    callable
        ``step(theta, velocity, x, y)`` changes the vector theta (p,) of parameters and, with
        momentum, the vector velocity (p,) in place, and returns the mean loss of the batch
        before the step. x is (N, n), or images (N, C, H, W); y is (N,) class labels or (N, m)
        targets.

    Raises
    ------
    ValueError
        If a number is out of range, or there is no such loss or backend. The step itself raises
        it for shapes and labels that do not fit, before it changes anything.

    Examples
    --------
    >>> from ketkar.network import Dense, flatten
    >>> layer = Dense(1, 1, init_weights="zeros")
    >>> theta = flatten(layer.init(0))
    >>> step = training_step(layer, loss="squared_error", lr=0.1, backend="numpy")
    >>> step(theta, np.empty(0), np.array([[2.0]]), np.array([[3.0]])), theta
    (9.0, array([1.2, 0.6]))
    """
    lr, momentum = checks.positive(lr, "lr"), checks.between(momentum, "momentum", 0, 1)
    kind = find_loss(loss)
    stack = _dense_stack(network)
    module = kernels(backend)
    if stack is not None:
        return _fused(backend, module, stack, kind, lr, momentum)
    return _layer_by_layer(network, kind, lr, momentum, backend)


def _fused(
    backend: str, module: Any, stack: DenseStack, loss: Loss, lr: float, momentum: float
) -> Step:
    """The step of a stack of dense layers: one kernel call behind a few comparisons."""
    widths, activations = stack
    size, inputs, outputs = stack.size, int(widths[0]), int(widths[-1])
    labels_code, rows_code = _loss_codes(loss)
    no_labels = np.empty(0, np.int64)
    no_rows = {kind: np.empty((0, outputs), kind) for kind in _FLOATS}

    def as_they_are(dtype: Any, examples: int) -> tuple[Any, ...]:
        """Types and shapes of targets that need no look at their values."""
        if loss.name == "squared_error":
            return ((dtype, (examples, outputs)),)
        return ((_LABELS, (examples,)),) if labels_code is not None else ()

    def step(theta: Array, velocity: Array, x: Array, y: Array) -> float:
        _theta_fits(theta, velocity, size, momentum)
        dtype = theta.dtype
        run = module.dense_train_step
        if on_device(theta):
            run = kernels(backend, theta).dense_train_step
            x, y = (beside(checks.array_of(a, name), theta) for a, name in ((x, "x"), (y, "y")))
        x = x if isinstance(x, np.ndarray) else checks.array_of(x, "x")
        y = y if isinstance(y, np.ndarray) else checks.array_of(y, "y")
        if x.dtype != dtype or x.ndim != 2 or not usable(x):
            x = ready(checks.float_array(x, "x"), dtype)
            checks.axes(x, "x", ("batch", "input"), "a training step")
        examples, n = x.shape
        if n != inputs or not examples:
            checks.not_empty(x, "x")
            raise ValueError(f"x has {n} inputs {x.shape}; the network has {inputs}")
        if not (usable(y) and (y.dtype, y.shape) in as_they_are(dtype, examples)):
            y = ready(loss.targets(y, examples, outputs, dtype))
        if labels_code is not None and y.ndim == 1:
            code, rows, labels = labels_code, no_rows[dtype], y
        else:
            code, rows, labels = rows_code, y, no_labels
        value = run(theta, velocity, x, rows, labels, widths, activations, code, lr, momentum)
        if value == codes.LABEL_OUT_OF_RANGE:
            checks.labels(y, "y", outputs)
        return float(value)

    return like_for_like(step)


def _loss_codes(kind: Loss) -> tuple[int | None, int]:
    """The kernel's code of the loss on class labels, if it takes any, and on rows of targets."""
    if kind.name == "cross_entropy":
        return codes.CROSS_ENTROPY, codes.CROSS_ENTROPY_DENSE
    return None, codes.LOSSES[kind.name]


def _theta_fits(theta: Array, velocity: Array, size: int, momentum: float) -> None:
    """Refuse vectors that a kernel could write beyond, or that it could not write to."""
    for vector, name, expected in (
        (theta, "theta", size),
        (velocity, "velocity", size if momentum else None),
    ):
        if expected is not None and vector.shape != (expected,):
            raise ValueError(f"{name} has shape {vector.shape}; this network needs ({expected},)")
        if vector.dtype != theta.dtype or vector.dtype not in _FLOATS or not usable(vector):
            raise ValueError(
                f"{name} must be a contiguous, writeable array of float32 or float64, "
                f"of one type with theta; it is {vector.dtype}"
            )


_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_LABELS = np.dtype(np.int64)


def _layer_by_layer(network: Layer, kind: Loss, lr: float, momentum: float, backend: str) -> Step:
    """The step of any network, through its own forward and backward."""
    like = network.init(0)
    size = count_parameters(like)
    known: list[Any] = [None, None, None]  # the last theta, its parameters, room for the gradient

    def step(theta: Array, velocity: Array, x: Array, y: Array) -> float:
        _theta_fits(theta, velocity, size, momentum)
        if theta is not known[0]:
            known[:] = theta, unflatten(theta, like), np.empty_like(theta)
        _, params, gradient = known
        x = beside(checks.float_array(x, "x"), theta).astype(theta.dtype, copy=False)
        checks.not_empty(x, "x")
        value, grads = value_and_grad(network, params, x, y, kind.name, backend=backend)
        np.concatenate([array.ravel() for _, array in leaves(grads)], out=gradient)
        gradient *= theta.dtype.type(lr)
        if momentum:
            velocity *= theta.dtype.type(momentum)
            velocity -= gradient  # (3.13)
            theta += velocity
        else:
            theta -= gradient  # (3.12)
        return value

    return like_for_like(step)
