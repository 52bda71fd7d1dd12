"""The losses of a batch, each with the gradient that starts backpropagation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar.kernels.codes import BINARY_CROSS_ENTROPY, CROSS_ENTROPY, SQUARED_ERROR
from ketkar.kernels.cpu.compiling import helper
from ketkar.kernels.cpu.elementwise import exp_of, sigmoid_of
from ketkar.kernels.cpu.span import number


@helper
def labels_fit(labels: Any, m: int) -> bool:
    """Whether every label names one of m outputs."""
    fit = True
    for r in range(labels.size):
        fit = fit and labels[r] >= 0 and labels[r] < m
    return fit


@helper
def loss_and_gradient(
    y: Any, first: int, last: int, m: int, targets: Any, labels: Any, loss: int, dy: Any,
    losses: Any,
) -> None:  # fmt: skip
    """Fill losses (N,) and their gradient dy (N, m) for some examples with outputs y (N, m)."""
    if loss == SQUARED_ERROR:
        _squared_error(y, first, last, m, targets, dy, losses)
    elif loss == BINARY_CROSS_ENTROPY:
        _binary_cross_entropy(y, first, last, m, targets, dy, losses)
    else:
        labelled = loss == CROSS_ENTROPY
        _cross_entropy(y, first, last, m, targets, labels, labelled, dy, losses)


@helper
def _squared_error(
    y: Any, first: int, last: int, m: int, targets: Any, dy: Any, losses: Any
) -> None:
    for r in range(first, last):
        total = number(y, 0)
        for i in range(r * m, r * m + m):
            error = y[i] - targets[i]
            total += error * error  # (3.28)
            dy[i] = error + error
        losses[r] = total


@helper
def _binary_cross_entropy(
    z: Any, first: int, last: int, m: int, targets: Any, dz: Any, losses: Any
) -> None:
    """On logits z: log(1 + e^z) - t z, without overflow; its derivative is sigmoid(z) - t."""
    for i in range(first * m, last * m):
        dz[i] = exp_of(-abs(z[i]))
    for r in range(first, last):
        total = number(z, 0)
        for i in range(r * m, r * m + m):
            positive = z[i] if z[i] > 0 else z[i] * 0
            total += positive - z[i] * targets[i] + np.log1p(dz[i])  # (3.23)
        losses[r] = total
    for i in range(first * m, last * m):
        dz[i] = sigmoid_of(z[i]) - targets[i]


@helper
def _cross_entropy(
    z: Any, first: int, last: int, m: int, targets: Any, labels: Any, labelled: bool, dz: Any,
    losses: Any,
) -> None:  # fmt: skip
    """On logits z: log(sum e^z) - z_label, with the largest logit taken out of the exponent.

    The exponentials are taken over all rows in one loop: that fills the vectors even where the
    outputs are few. A label is a row of targets with a single 1.
    """
    for r in range(first, last):
        row = z + r * m
        top = row[0]
        for j in range(1, m):
            top = row[j] if row[j] > top else top
        chosen = number(z, 0)
        for j in range(m):
            dz[r * m + j] = row[j] - top
            if not labelled and targets[r * m + j] != 0:
                chosen += targets[r * m + j] * dz[r * m + j]
        losses[r] = dz[r * m + labels[r]] if labelled else chosen
    for i in range(first * m, last * m):
        dz[i] = exp_of(dz[i])
    for r in range(first, last):
        row = dz + r * m
        denominator, mass = number(z, 0), number(z, 0)
        for j in range(m):
            denominator += row[j]
        for j in range(0 if labelled else m):
            mass += targets[r * m + j]
        mass = number(z, 1) if labelled else mass
        losses[r] = mass * np.log(denominator) - losses[r]  # (3.26)
        factor = mass / denominator
        for j in range(m):
            row[j] *= factor  # (3.33)
        for j in range(0 if labelled else m):
            row[j] -= targets[r * m + j]
        if labelled:
            row[labels[r]] -= number(z, 1)
