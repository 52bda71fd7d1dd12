"""The loss of a sequence: the sum of the losses of its steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.equations import equation
from ketkar.feedforward.losses import cross_entropy, cross_entropy_grad
from ketkar.recurrent import operands

__all__ = ["sequence_cross_entropy", "sequence_cross_entropy_grad"]

Array = NDArray[Any]


@equation("sequence-loss")
def sequence_cross_entropy(
    y_hat: ArrayLike, y: ArrayLike, mask: ArrayLike | None = None, reduction: str = "sum"
) -> float:
    """The loss of a sequence: the sum of the losses of its steps.

    Parameters
    ----------
    y_hat : array_like
        Predicted probabilities, (T, N, m).
    y : array_like
        What was true: labels (T, N), or rows of probabilities (T, N, m).
    mask : array_like of bool, optional
        Which steps count, (T, N).
    reduction : {"sum", "mean"}
        Over all steps of all sequences that count.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes differ, no step counts, or a label is not below m.

    References
    ----------
    Textbook chapter 6, figures 6-1 to 6-6.

    Examples
    --------
    >>> round(sequence_cross_entropy([[[0.5, 0.5]], [[0.75, 0.25]]], [[0], [0]]), 4)
    0.9808
    """
    rows, targets, _, there = _counted(y_hat, y, mask)
    checks.one_of(reduction, "reduction", ("sum", "mean"))
    return float(cross_entropy(rows[there], targets[there], reduction))  # (6.8)


def sequence_cross_entropy_grad(
    y_hat: ArrayLike, y: ArrayLike, mask: ArrayLike | None = None, reduction: str = "sum"
) -> NDArray[Any]:
    """The gradient of :func:`sequence_cross_entropy` with respect to `y_hat`, (T, N, m).

    Examples
    --------
    >>> sequence_cross_entropy_grad([[[0.5, 0.5]], [[0.75, 0.25]]], [[0], [0]])[0]
    array([[-2.,  0.]])
    """
    rows, targets, shape, there = _counted(y_hat, y, mask)
    checks.one_of(reduction, "reduction", ("sum", "mean"))
    gradient = np.zeros_like(rows)
    gradient[there] = cross_entropy_grad(rows[there], targets[there], reduction)
    return gradient.reshape(shape)


def _counted(
    y_hat: ArrayLike, y: ArrayLike, mask: ArrayLike | None
) -> tuple[Array, Array, tuple[int, ...], Array]:
    """Predictions and targets with a row for each step of each sequence, and which rows count."""
    p, y = checks.float_array(y_hat, "y_hat"), checks.array_of(y, "y")
    checks.axes(p, "y_hat", ("time", "batch", "class"), "the loss of a sequence")
    if y.shape not in (p.shape, p.shape[:2]):
        raise ValueError(f"y has shape {y.shape}; expected labels {p.shape[:2]} or rows {p.shape}")
    there = operands.mask_of(mask, p.shape[:2], p).ravel()
    if not len(there):
        there = np.ones(p.shape[0] * p.shape[1], np.bool_)
    if not there.any():
        raise ValueError(f"no step counts: y_hat has shape {p.shape} and mask leaves nothing of it")
    return p.reshape(len(there), -1), y.reshape(len(there), *y.shape[2:]), p.shape, there
