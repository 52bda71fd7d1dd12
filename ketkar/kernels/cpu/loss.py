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
    y: Any, N: int, m: int, targets: Any, labels: Any, loss: int, dy: Any
) -> float:
    """The sum of the loss over N outputs y (m,); dy is filled with its gradient."""
    if loss == SQUARED_ERROR:
        return _squared_error(y, N * m, targets, dy)
    if loss == BINARY_CROSS_ENTROPY:
        return _binary_cross_entropy(y, N * m, targets, dy)
    return _cross_entropy(y, N, m, targets, labels, loss == CROSS_ENTROPY, dy)


@helper
def _squared_error(y: Any, count: int, targets: Any, dy: Any) -> float:
    total = 0.0
    for i in range(count):
        error = y[i] - targets[i]
        total += error * error  # (3.28)
        dy[i] = error + error
    return total


@helper
def _binary_cross_entropy(z: Any, count: int, targets: Any, dz: Any) -> float:
    """On logits z: log(1 + e^z) - t z, without overflow; its derivative is sigmoid(z) - t."""
    total = 0.0
    for i in range(count):
        dz[i] = exp_of(-abs(z[i]))
    for i in range(count):
        positive = z[i] if z[i] > 0 else z[i] * 0
        total += positive - z[i] * targets[i] + np.log1p(dz[i])  # (3.23)
    for i in range(count):
        dz[i] = sigmoid_of(z[i]) - targets[i]
    return total


@helper
def _cross_entropy(
    z: Any, N: int, m: int, targets: Any, labels: Any, labelled: bool, dz: Any
) -> float:
    """On logits z: log(sum e^z) - z_label, with the largest logit taken out of the exponent.

    The exponentials are taken over all rows in one loop: that fills the vectors even where the
    outputs are few.
    """
    total = 0.0
    for r in range(N):
        top = z[r * m]
        for j in range(1, m):
            top = z[r * m + j] if z[r * m + j] > top else top
        for j in range(m):
            dz[r * m + j] = z[r * m + j] - top
    for r in range(N if labelled else 0):
        total -= dz[r * m + labels[r]]
    for i in range(0 if labelled else N * m):
        total -= targets[i] * dz[i] if targets[i] != 0 else number(z, 0)
    for i in range(N * m):
        dz[i] = exp_of(dz[i])
    for r in range(N):
        row = dz + r * m
        denominator = number(z, 0)
        for j in range(m):
            denominator += row[j]
        mass = number(z, 1)
        if not labelled:
            mass = number(z, 0)
            for j in range(m):
                mass += targets[r * m + j]
        total += mass * np.log(denominator)  # (3.26)
        factor = mass / denominator
        for j in range(m):
            row[j] *= factor  # (3.33)
    for r in range(N if labelled else 0):
        dz[r * m + labels[r]] -= number(z, 1)
    for i in range(0 if labelled else N * m):
        dz[i] -= targets[i]
    return total
