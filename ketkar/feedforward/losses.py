"""Loss functions: how far a prediction is from its target, one for each kind of task.

============  ==================  ===========================  ==========================
Task          Output unit         Loss on the output           Loss on the logit
============  ==================  ===========================  ==========================
regression    linear              squared_error                (the same)
two classes   sigmoid             binary_cross_entropy         ..._with_logits
m classes     softmax             cross_entropy                softmax_cross_entropy
============  ==================  ===========================  ==========================

The order of arguments is prediction, then truth. The textbook sums over the examples
(``reduction="sum"``); training divides by their number (``reduction="mean"``, the default), so
that the learning rate does not depend on the size of the batch. Gradients are with respect to
the prediction and belong to the same reduction.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import arrays, checks
from ketkar.equations import equation
from ketkar.feedforward.activations import sigmoid, softmax

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_grad",
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits_grad",
    "cross_entropy",
    "cross_entropy_grad",
    "one_hot",
    "softmax_cross_entropy",
    "softmax_cross_entropy_grad",
    "squared_error",
    "squared_error_grad",
]

REDUCTIONS = ("mean", "sum", "none")


def _reduce(each: NDArray[Any], reduction: str) -> Any:
    """Sum `each` (N,) or (N, m) over the outputs, then reduce over the examples."""
    checks.one_of(reduction, "reduction", REDUCTIONS)
    per_example = each.sum(axis=1) if each.ndim == 2 else each
    if reduction == "none":
        return per_example
    return per_example.mean() if reduction == "mean" else per_example.sum()


def _share(y: NDArray[Any], reduction: str) -> Any:
    """What each example's gradient is multiplied with under that reduction."""
    checks.one_of(reduction, "reduction", REDUCTIONS)
    return y.dtype.type(1 / len(y) if reduction == "mean" else 1)


def _pair(
    prediction: ArrayLike, name: str, truth: ArrayLike, truth_name: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both as float arrays of one shape, (N,) or (N, m), not empty."""
    p, y = checks.float_array(prediction, name), checks.float_array(truth, truth_name)
    if p.ndim not in (1, 2):
        raise ValueError(
            f"{name} has {p.ndim} axes {p.shape}; a loss expects 1: (batch,), or 2: (batch, output)"
        )
    checks.same_shape(p, name, y, truth_name)
    checks.not_empty(p, name)
    return p, y.astype(p.dtype, copy=False)


@equation("squared-error")
def squared_error(y_pred: ArrayLike, y_true: ArrayLike, reduction: str = "mean") -> Any:
    """The loss of regression: the square of the difference, summed over the outputs.

    Parameters
    ----------
    y_pred, y_true : array_like
        Predictions and targets, (N,) or (N, m).
    reduction : {"mean", "sum", "none"}
        Over the N examples.

    Returns
    -------
    float or ndarray
        The loss, or (N,) with ``reduction="none"``.

    Raises
    ------
    ValueError
        If the shapes differ or there is no example.

    References
    ----------
    Textbook chapter 3, *Squared Error*.

    Examples
    --------
    >>> float(squared_error([1.0, 2.0], [0.0, 4.0], reduction="sum"))
    5.0
    """
    p, y = _pair(y_pred, "y_pred", y_true, "y_true")
    return _reduce((y - p) ** 2, reduction)  # (3.28)


def squared_error_grad(
    y_pred: ArrayLike, y_true: ArrayLike, reduction: str = "mean"
) -> NDArray[Any]:
    """The gradient of :func:`squared_error` with respect to `y_pred`, of its shape.

    Examples
    --------
    >>> squared_error_grad([1.0, 2.0], [0.0, 4.0], reduction="sum")
    array([ 2., -4.])
    """
    p, y = _pair(y_pred, "y_pred", y_true, "y_true")
    return 2 * (p - y) * _share(p, reduction)


@equation("binary-cross-entropy")
def binary_cross_entropy(p: ArrayLike, y: ArrayLike, reduction: str = "mean") -> Any:
    """The loss of a choice between two classes, from the probability of the second.

    Parameters
    ----------
    p : array_like
        Predicted probabilities that y = 1, (N,) or (N, m), in [0, 1].
    y : array_like
        Targets in [0, 1], of the same shape.
    reduction : {"mean", "sum", "none"}
        Over the N examples.

    Returns
    -------
    float or ndarray
        The loss, or (N,) with ``reduction="none"``. It is infinite where a certain prediction
        is wrong; train with :func:`binary_cross_entropy_with_logits`, which stays finite.

    Raises
    ------
    ValueError
        If the shapes differ, there is no example, or a value lies outside [0, 1].

    References
    ----------
    Textbook chapter 3, *Binary Cross Entropy*.

    Examples
    --------
    >>> round(float(binary_cross_entropy([0.9, 0.2], [1, 0])), 6)
    0.164252
    """
    p, y = _probable_pair(p, y)
    with np.errstate(divide="ignore", invalid="ignore"):
        # a term whose target is 0 counts as 0 even where its logarithm is infinite
        miss = np.where(y == 0, 0, y * np.log(p))
        false_alarm = np.where(y == 1, 0, (1 - y) * np.log1p(-p))
    each = np.where(np.isnan(p), p, -(miss + false_alarm))
    return _reduce(each, reduction)  # (3.22)


def binary_cross_entropy_grad(p: ArrayLike, y: ArrayLike, reduction: str = "mean") -> NDArray[Any]:
    """The gradient of :func:`binary_cross_entropy` with respect to `p`, of its shape.

    Infinite where a certain prediction is wrong.

    Examples
    --------
    >>> binary_cross_entropy_grad([0.5], [1])
    array([-2.])
    """
    p, y = _probable_pair(p, y)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        miss = np.where(y == 0, 0, y / p)
        false_alarm = np.where(y == 1, 0, (1 - y) / (1 - p))
    return np.where(np.isnan(p), p, false_alarm - miss) * _share(p, reduction)


def _probable_pair(p: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    p, y = _pair(p, "p", y, "y")
    checks.probabilities(p, "p")
    checks.probabilities(y, "y")
    return p, y


@equation("binary-cross-entropy-logits")
def binary_cross_entropy_with_logits(z: ArrayLike, y: ArrayLike, reduction: str = "mean") -> Any:
    """Binary cross entropy of sigmoid(z), computed from z so that it never overflows.

    Parameters
    ----------
    z : array_like
        Logits, the weighted sums before the sigmoid, (N,) or (N, m).
    y : array_like
        Targets in [0, 1], of the same shape.
    reduction : {"mean", "sum", "none"}
        Over the N examples.

    Returns
    -------
    float or ndarray
        The loss, or (N,) with ``reduction="none"``.

    Raises
    ------
    ValueError
        If the shapes differ, there is no example, or a target lies outside [0, 1].

    Examples
    --------
    >>> float(binary_cross_entropy_with_logits([-1000.0], [1]))
    1000.0
    """
    z, y = _pair(z, "z", y, "y")
    checks.probabilities(y, "y")
    with np.errstate(invalid="ignore"):  # an infinite logit: NaN is the answer
        each = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))  # (3.23)
    return _reduce(each, reduction)


@equation("backprop-output")
def binary_cross_entropy_with_logits_grad(
    z: ArrayLike, y: ArrayLike, reduction: str = "mean"
) -> NDArray[Any]:
    """The gradient of :func:`binary_cross_entropy_with_logits`: sigmoid(z) - y.

    Examples
    --------
    >>> binary_cross_entropy_with_logits_grad([0.0], [1])
    array([-0.5])
    """
    z, y = _pair(z, "z", y, "y")
    checks.probabilities(y, "y")
    return (sigmoid(z) - y) * _share(z, reduction)  # (3.15)


def one_hot(labels: ArrayLike, classes: int) -> NDArray[np.float64]:
    """Class labels as rows with a single one.

    Parameters
    ----------
    labels : array_like
        Whole numbers 0 .. m - 1, (N,).
    classes : int
        The number m of classes.

    Returns
    -------
    ndarray
        (N, m), float64.

    Examples
    --------
    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    return np.eye(checks.count(classes, "classes"))[checks.labels(labels, "labels", classes)]


def _classes(prediction: ArrayLike, name: str, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """The prediction (N, m) and the targets as rows of probabilities (N, m)."""
    p = checks.float_array(prediction, name)
    checks.axes(p, name, ("batch", "class"), "cross entropy")
    checks.not_empty(p, name)
    y = checks.array_of(y, "y")
    if y.ndim != 1:
        y = checks.float_array(y, "y")
        checks.same_shape(p, name, y, "y")
        checks.probabilities(y, "y")
        return p, y.astype(p.dtype, copy=False)
    checks.same_length(p, name, 0, y, "y", 0, "examples")
    known = arrays.beside(checks.labels(y, "y", p.shape[1]), p)
    return p, np.eye(p.shape[1], dtype=p.dtype, like=p)[known]


@equation("cross-entropy")
def cross_entropy(probs: ArrayLike, y: ArrayLike, reduction: str = "mean") -> Any:
    """The loss of a choice between m classes, from their probabilities.

    Parameters
    ----------
    probs : array_like
        Predicted probabilities, (N, m), in [0, 1].
    y : array_like
        Class labels, (N,), whole numbers 0 .. m - 1; or rows of probabilities, (N, m).
    reduction : {"mean", "sum", "none"}
        Over the N examples.

    Returns
    -------
    float or ndarray
        The loss, or (N,) with ``reduction="none"``. It is infinite where the true class was
        given probability 0; train with :func:`softmax_cross_entropy`, which stays finite.

    Raises
    ------
    ValueError
        If the shapes differ, there is no example, a probability lies outside [0, 1], or a label
        is not below m.

    References
    ----------
    Textbook chapter 3, *Cross Entropy*.

    Examples
    --------
    >>> round(float(cross_entropy([[0.7, 0.2, 0.1]], [0])), 6)
    0.356675
    """
    probs, y = _classes(probs, "probs", y)
    checks.probabilities(probs, "probs")
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where((y == 0) & ~np.isnan(probs), 0, -y * np.log(probs))
    return _reduce(each, reduction)  # (3.25)


def cross_entropy_grad(probs: ArrayLike, y: ArrayLike, reduction: str = "mean") -> NDArray[Any]:
    """The gradient of :func:`cross_entropy` with respect to `probs`, (N, m).

    Examples
    --------
    >>> cross_entropy_grad([[0.5, 0.5]], [0])
    array([[-2.,  0.]])
    """
    probs, y = _classes(probs, "probs", y)
    checks.probabilities(probs, "probs")
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        each = np.where((y == 0) & ~np.isnan(probs), 0, -y / probs)
    return each * _share(probs, reduction)


@equation("cross-entropy-logits")
def softmax_cross_entropy(logits: ArrayLike, y: ArrayLike, reduction: str = "mean") -> Any:
    """Cross entropy of softmax(logits), computed from the logits so that it never overflows.

    Parameters
    ----------
    logits : array_like
        Scores before the softmax, (N, m).
    y : array_like
        Class labels, (N,), whole numbers 0 .. m - 1; or rows of probabilities, (N, m).
    reduction : {"mean", "sum", "none"}
        Over the N examples.

    Returns
    -------
    float or ndarray
        The loss, or (N,) with ``reduction="none"``.

    Raises
    ------
    ValueError
        If the shapes differ, there is no example, or a label is not below m.

    Examples
    --------
    >>> round(float(softmax_cross_entropy([[2.0, 1.0, 0.1]], [0])), 6)
    0.41703
    """
    logits, y = _classes(logits, "logits", y)
    with np.errstate(invalid="ignore", over="ignore"):
        shifted = logits - logits.max(axis=1, keepdims=True)
        # a class whose target is 0 counts as 0 even where its score is -infinity
        scored = np.where((y == 0) & ~np.isnan(shifted), 0, y * shifted).sum(axis=1)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    each = log_sum * y.sum(axis=1) - scored  # (3.26)
    return _reduce(each, reduction)


@equation("backprop-output")
def softmax_cross_entropy_grad(
    logits: ArrayLike, y: ArrayLike, reduction: str = "mean"
) -> NDArray[Any]:
    """The gradient of :func:`softmax_cross_entropy`: softmax(logits) - y, row by row.

    Examples
    --------
    >>> softmax_cross_entropy_grad([[2.0, 1.0, 0.1]], [0]).round(6)
    array([[-0.340999,  0.242433,  0.098566]])
    """
    logits, y = _classes(logits, "logits", y)
    p = softmax(logits)
    return (p * y.sum(axis=1, keepdims=True) - y) * _share(logits, reduction)  # (3.15)
