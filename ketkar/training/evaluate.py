"""What a network says about data: its loss, the gradient, its predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.arrays import beside
from ketkar.equations import equation
from ketkar.kernels.foreign import like_for_like
from ketkar.network.layer import Layer, parameter_gradients
from ketkar.training.losses import find_loss

__all__ = [
    "accuracy",
    "confusion_matrix",
    "loss_value",
    "predict",
    "predict_class",
    "value_and_grad",
]


PORTION = 2**18
"""How many numbers of images go through a network at once, where nothing but the output counts."""


def _output(network: Layer, params: Any, x: ArrayLike, backend: str) -> NDArray[Any]:
    """The network's output for all examples.

    Images go in portions: what the layers make of an image is much larger than the image.
    """
    array = checks.array_of(x, "x")
    at_once = max(1, PORTION // max(1, array[:1].size))
    if array.ndim <= 2 or len(array) <= at_once:
        return network.forward(params, x, backend=backend)[0]
    parts = [
        network.forward(params, array[start : start + at_once], backend=backend)[0]
        for start in range(0, len(array), at_once)
    ]
    return np.concatenate(parts)


@equation("loss")
@like_for_like
def loss_value(
    network: Layer, params: Any, x: ArrayLike, y: ArrayLike, loss: str, *, backend: str = "auto"
) -> float:
    """The loss over a data set: the mean over its examples.

    Parameters
    ----------
    network : Layer
        A network that ends in a linear layer.
    params : NamedTuple
        Its parameters.
    x : array_like
        Inputs, (N, n), or images, (N, C, H, W).
    y : array_like
        Targets: (N, m), or (N,) for one output or for class labels.
    loss : {"squared_error", "binary_cross_entropy", "cross_entropy"}
        The loss; the last two take the network's output as logits.
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes.

    Returns
    -------
    float
        The loss.

    Raises
    ------
    ValueError
        If shapes, labels or names do not fit.

    References
    ----------
    Textbook chapter 3, *Evaluating the Output of the Neural Network*.

    Examples
    --------
    >>> from ketkar.network import Dense
    >>> layer = Dense(2, 2, init_weights="zeros")
    >>> round(loss_value(layer, layer.init(0), [[1.0, 2.0]], [0], "cross_entropy"), 6)
    0.693147
    """
    z = _output(network, params, x, backend)
    kind = find_loss(loss)
    return float(kind.value(z, beside(kind.targets(y, *_outputs(z), z.dtype), z)))  # (3.10)


def _outputs(z: NDArray[Any]) -> tuple[int, int]:
    checks.axes(z, "the network's output", ("batch", "output"), "a loss")
    return z.shape[0], z.shape[1]


@equation("gradient")
@like_for_like
def value_and_grad(
    network: Layer, params: Any, x: ArrayLike, y: ArrayLike, loss: str, *, backend: str = "auto"
) -> tuple[float, Any]:
    """The loss over a data set and its gradient with respect to the parameters.

    Parameters
    ----------
    network, params, x, y, loss, backend
        As for :func:`loss_value`.

    Returns
    -------
    value : float
        The loss.
    grads : NamedTuple
        The gradient, of the type and shapes of `params`.

    Raises
    ------
    ValueError
        If shapes, labels or names do not fit.

    References
    ----------
    Textbook chapter 3, *Training the Neural Network*.

    Examples
    --------
    >>> from ketkar.network import Dense
    >>> layer = Dense(1, 1, init_weights="zeros")
    >>> value, grads = value_and_grad(layer, layer.init(0), [[2.0]], [3.0], "squared_error")
    >>> value, grads.W, grads.b
    (9.0, array([[-12.]]), array([-6.]))
    """
    z, trace = network.forward(params, x, backend=backend)
    kind = find_loss(loss)
    targets = beside(kind.targets(y, *_outputs(z), z.dtype), z)
    dz = kind.grad(z, targets)
    grads = parameter_gradients(network, params, dz, trace, backend=backend)  # (3.11)
    return float(kind.value(z, targets)), grads


@like_for_like
def predict(
    network: Layer, params: Any, x: ArrayLike, loss: str, *, backend: str = "auto"
) -> NDArray[Any]:
    """The network's predictions, through the output unit that belongs to the loss.

    Parameters
    ----------
    network, params, x, loss, backend
        As for :func:`loss_value`.

    Returns
    -------
    ndarray
        (N, m): values for squared error, probabilities for the two cross entropies.

    Examples
    --------
    >>> from ketkar.network import Dense
    >>> layer = Dense(2, 2, init_weights="zeros")
    >>> predict(layer, layer.init(0), [[1.0, 2.0]], "cross_entropy")
    array([[0.5, 0.5]])
    """
    return find_loss(loss).output_unit(_output(network, params, x, backend))


@like_for_like
def predict_class(
    network: Layer, params: Any, x: ArrayLike, *, backend: str = "auto"
) -> NDArray[np.int64]:
    """The class that the network finds most probable, (N,).

    With one output, the class is 1 where the logit is above zero; with several, the largest
    logit wins.

    Examples
    --------
    >>> from ketkar.network import Dense
    >>> layer = Dense(2, 1)
    >>> params = layer.init(0)._replace(W=np.array([[1.0], [1.0]]))
    >>> predict_class(layer, params, [[1.0, 2.0], [-1.0, -2.0]])
    array([1, 0])
    """
    z = _output(network, params, x, backend)
    _, outputs = _outputs(z)
    found = (z[:, 0] > 0) if outputs == 1 else z.argmax(axis=1)
    return found.astype(np.int64)


@like_for_like
def accuracy(
    network: Layer, params: Any, x: ArrayLike, y: ArrayLike, *, backend: str = "auto"
) -> float:
    """The share of examples whose class the network gets right.

    Parameters
    ----------
    network, params, x, backend
        As for :func:`loss_value`.
    y : array_like
        Class labels, (N,) whole numbers, or one-hot rows (N, m).

    Returns
    -------
    float
        Between 0 and 1.

    Examples
    --------
    >>> from ketkar.network import Dense
    >>> layer = Dense(2, 3, init_weights="zeros")
    >>> accuracy(layer, layer.init(0), [[1.0, 2.0], [3.0, 4.0]], [0, 1])
    0.5
    """
    found = predict_class(network, params, x, backend=backend)
    truth = checks.array_of(y, "y")
    if truth.ndim == 2:
        truth = truth[:, 0] if truth.shape[1] == 1 else truth.argmax(axis=1)
    if truth.shape != found.shape:
        raise ValueError(f"x has {len(found)} examples but y has shape {np.shape(y)}")
    return float((found == truth).mean())


def confusion_matrix(truth: ArrayLike, found: ArrayLike, classes: int) -> NDArray[np.int64]:
    """How often each class (row) was taken for each class (column).

    Parameters
    ----------
    truth, found : array_like
        True and predicted labels, (N,).
    classes : int
        Number m of classes.

    Returns
    -------
    ndarray
        (m, m); the right answers are on the diagonal.

    Examples
    --------
    >>> confusion_matrix([0, 0, 1], [0, 1, 1], 2)
    array([[1, 1],
           [0, 1]])
    """
    rows = checks.labels(truth, "truth", checks.count(classes, "classes"))
    columns = checks.labels(found, "found", classes)
    checks.same_length(rows, "truth", 0, columns, "found", 0, "examples")
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (rows, columns), 1)
    return matrix
