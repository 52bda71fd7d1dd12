"""A stack of dense layers: prediction, and a whole training step as one compiled call.

What is computed: for a batch x (N, n_0), forward through all layers (3.8), the loss, backward
(3.15)-(3.17), and the update of all parameters (3.12) or (3.13), in place.

Where the loops are: one product of matrices per layer on the way forward and two on the way back
(`matmul`); between them, plain loops over N m numbers that LLVM vectorises.

Why it is fast: everything happens in one call, on one thread, in memory that stays in the cache.
The gradient is never stored: on the way back everything is linear in the error of the output,
so that the error is multiplied by -lr / N once, at the start, and then the product x^T delta, added
to W by the tile that computes it, is already the step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar.kernels.codes import CROSS_ENTROPY, LABEL_OUT_OF_RANGE
from ketkar.kernels.cpu.activation import activate, times_slope
from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.dense import add_bias, add_rows
from ketkar.kernels.cpu.loss import labels_fit, loss_and_gradient
from ketkar.kernels.cpu.matmul import buffer_size, matmul
from ketkar.kernels.cpu.span import number, span


@helper
def _forward(
    theta: Any, x: Any, N: int, widths: Any, activations: Any, outputs: Any, buffer: Any
) -> Any:
    """Fill outputs with every layer's output, one behind the other; return the span of the last."""
    unit: Any = np.int64(1)
    W, source, y = span(theta), span(x), span(outputs)
    for layer in range(activations.size):
        n, m = widths[layer], widths[layer + 1]
        if layer:
            source, y = y, y + N * n
        matmul(source, n, unit, W, m, unit, y, m, N, m, n, number(W, 0), span(buffer))
        add_bias(y, N, m, W + n * m)  # (3.7)
        activate(y, N * m, activations[layer])  # (3.8)
        W = W + (n + 1) * m
    return y


@helper
def _backward(
    theta: Any, velocity: Any, x: Any, N: int, widths: Any, activations: Any, momentum: float,
    y: Any, deltas: Any, buffer: Any,
) -> None:  # fmt: skip
    """From the scaled error of the output to the update of every layer, the last layer first."""
    unit: Any = np.int64(1)
    zero, one, keep = number(span(x), 0), number(span(x), 1), number(span(x), momentum)
    delta, below = span(deltas), span(deltas) + deltas.size // 2
    place = theta.size
    for layer in range(activations.size - 1, -1, -1):
        n, m = widths[layer], widths[layer + 1]
        place -= (n + 1) * m
        W = span(theta) + place
        times_slope(delta, y, N * m, activations[layer])  # (3.15), (3.16)
        source = span(x)
        if layer:
            matmul(delta, m, unit, W, unit, m, below, n, N, n, m, zero, span(buffer))  # (3.16)
            y = y + -N * n
            source = y
        if momentum == 0:
            matmul(source, unit, n, delta, m, unit, W, m, n, m, N, one, span(buffer))  # (3.17)
            add_rows(delta, N, m, W + n * m)  # (3.12)
        else:
            V = span(velocity) + place
            matmul(source, unit, n, delta, m, unit, V, m, n, m, N, keep, span(buffer))  # (3.17)
            for j in range(n * m, n * m + m):
                V[j] *= keep
            add_rows(delta, N, m, V + n * m)  # (3.13)
            for i in range((n + 1) * m):
                W[i] += V[i]
        delta, below = below, delta


@helper
def _train(
    theta: Any, velocity: Any, x: Any, targets: Any, labels: Any, widths: Any, activations: Any,
    loss: int, lr: float, momentum: float, outputs: Any, deltas: Any, buffer: Any,
) -> float:  # fmt: skip
    N, m = x.shape[0], widths[-1]
    y = _forward(theta, x, N, widths, activations, outputs, buffer)
    delta = span(deltas)
    value = loss_and_gradient(y, N, m, span(targets), labels, loss, delta)
    factor = number(delta, -lr / N)
    for i in range(N * m):
        delta[i] *= factor
    _backward(theta, velocity, x, N, widths, activations, momentum, y, deltas, buffer)
    return value / N


@helper
def _copy_output(
    theta: Any, x: Any, widths: Any, activations: Any, outputs: Any, buffer: Any, y: Any
) -> None:
    last = _forward(theta, x, x.shape[0], widths, activations, outputs, buffer)
    for i in range(y.size):
        span(y)[i] = last[i]


@helper
def _units(widths: Any) -> tuple[int, int]:
    """How many units all layers have together, and the widest of them."""
    total, widest = 0, 0
    for layer in range(1, widths.size):
        total += widths[layer]
        widest = max(widest, widths[layer])
    return total, widest


def _kernels(fingerprint: int) -> tuple[Any, Any]:
    @kernel
    def dense_stack_forward(theta: Any, x: Any, widths: Any, activations: Any, y: Any) -> None:
        _ = fingerprint
        total, _ = _units(widths)
        outputs = np.empty(x.shape[0] * total, x.dtype)
        buffer = np.empty(buffer_size(span(theta)), x.dtype)
        _copy_output(theta, x, widths, activations, outputs, buffer, y)

    @kernel
    def dense_train_step(
        theta: Any, velocity: Any, x: Any, targets: Any, labels: Any, widths: Any,
        activations: Any, loss: int, lr: float, momentum: float,
    ) -> float:  # fmt: skip
        _ = fingerprint
        if loss == CROSS_ENTROPY and not labels_fit(labels, widths[-1]):
            return LABEL_OUT_OF_RANGE
        total, widest = _units(widths)
        outputs = np.empty(x.shape[0] * total, x.dtype)
        deltas = np.empty(2 * x.shape[0] * widest, x.dtype)
        buffer = np.empty(buffer_size(span(theta)), x.dtype)
        return _train(
            theta, velocity, x, targets, labels, widths, activations, loss, lr, momentum,
            outputs, deltas, buffer,
        )  # fmt: skip

    return dense_stack_forward, dense_train_step


dense_stack_forward, dense_train_step = _kernels(FINGERPRINT)
