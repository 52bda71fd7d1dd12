"""A stack of dense layers: prediction, and a whole training step as one compiled call.

What is computed: for a batch x (N, n_0), forward through all layers (3.8), the loss, backward
(3.15)-(3.17), and the update of all parameters (3.12) or (3.13), in place.

Where the loops are: one product of matrices per layer on the way forward and two on the way back
(`matmul`); between them, plain loops over N m numbers that LLVM vectorises.

Why it is fast: everything happens in one call, in memory that stays in the cache. The gradient is
never stored: on the way back everything is linear in the error of the output, so that the error is
multiplied by -lr / N once, at the start, and then the product x^T delta, added to W by the tile
that computes it, is already the step.

On a large batch the step has two phases for several threads. In the first each takes a part of the
examples through the network and back, and nobody changes a parameter; in the second each takes a
part of every layer's inputs, and updates their weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar.kernels.codes import CROSS_ENTROPY, LABEL_OUT_OF_RANGE
from ketkar.kernels.cpu.activation import activate, times_slope
from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.dense import add_bias, add_rows, parts_of, share
from ketkar.kernels.cpu.loss import labels_fit, loss_and_gradient
from ketkar.kernels.cpu.matmul import buffer_size, matmul
from ketkar.kernels.cpu.span import LINE, number, span, to_line
from ketkar.kernels.cpu.threads import split

WHOLE, EXAMPLES, UPDATE = 0, 1, 2


@helper
def _units(widths: Any) -> int:
    """How many units all layers have together."""
    total = 0
    for layer in range(1, widths.size):
        total += widths[layer]
    return total


@helper
def _forward(
    theta: Any, x: Any, first: int, last: int, widths: Any, activations: Any, outputs: Any,
    buffer: Any,
) -> Any:  # fmt: skip
    """Fill outputs, a matrix (N, m) per layer, for some examples; return the last matrix's span."""
    unit: Any = np.int64(1)
    N, count = x.shape[0], last - first
    W, source, y = span(theta), span(x), span(outputs)
    for layer in range(activations.size):
        n, m = widths[layer], widths[layer + 1]
        if layer:
            source, y = y, y + N * n
        here, there = source + first * n, y + first * m
        zero = number(W, 0)
        matmul(here, n, unit, W, m, unit, there, m, count, m, n, zero, span(buffer))
        add_bias(there, count, m, W + n * m)  # (3.7)
        activate(there, count * m, activations[layer])  # (3.8)
        W = W + (n + 1) * m
    return y


@helper
def _examples(
    theta: Any, x: Any, targets: Any, labels: Any, first: int, last: int, widths: Any,
    activations: Any, loss: int, factor: float, outputs: Any, deltas: Any, losses: Any,
    buffer: Any,
) -> None:  # fmt: skip
    """Fill outputs and deltas, a matrix (N, m) per layer each, and losses for some examples."""
    unit: Any = np.int64(1)
    N, count, m = x.shape[0], last - first, widths[-1]
    y = _forward(theta, x, first, last, widths, activations, outputs, buffer)
    W = span(theta) + theta.size
    delta = span(deltas) + N * (_units(widths) - m)
    loss_and_gradient(y, first, last, m, span(targets), labels, loss, delta, span(losses))
    scale = number(delta, factor)
    for i in range(first * m, last * m):
        delta[i] *= scale
    for layer in range(activations.size - 1, -1, -1):
        n, m = widths[layer], widths[layer + 1]
        here = delta + first * m
        times_slope(here, y + first * m, count * m, activations[layer])  # (3.15), (3.16)
        if layer:
            W = W + -(n + 1) * m
            y, delta = y + -N * n, delta + -N * n
            zero = number(W, 0)
            below = delta + first * n
            matmul(here, m, unit, W, unit, m, below, n, count, n, m, zero, span(buffer))  # (3.16)


@helper
def _update(
    theta: Any, velocity: Any, x: Any, part: int, parts: int, widths: Any, momentum: float,
    outputs: Any, deltas: Any, buffer: Any,
) -> None:  # fmt: skip
    """Add the step to a part of every layer's weights; the biases go with the last part."""
    unit: Any = np.int64(1)
    N = x.shape[0]
    W, source, y, delta = span(theta), span(x), span(outputs), span(deltas)
    place = 0
    for layer in range(widths.size - 1):
        n, m = widths[layer], widths[layer + 1]
        if layer:
            source, y, delta = y, y + N * n, delta + N * n
        first, last = share(n, part, parts), share(n, part + 1, parts)
        target, keep = W, number(W, 1)
        if momentum != 0:
            target, keep = span(velocity) + place, number(W, momentum)
        matmul(
            source + first, unit, n, delta, m, unit, target + first * m, m,
            last - first, m, N, keep, span(buffer),
        )  # (3.17) and (3.12)  # fmt: skip
        if part == parts - 1:
            for j in range(n * m, n * m + m):
                target[j] *= keep
            add_rows(delta, N, m, target + n * m)  # (3.17) and (3.12)
            last += 1
        if momentum != 0:
            for i in range(first * m, last * m):
                W[i] += target[i]  # (3.13)
        W = W + (n + 1) * m
        place += (n + 1) * m


@helper
def _train(
    theta: Any, velocity: Any, x: Any, targets: Any, labels: Any, widths: Any, activations: Any,
    loss: int, lr: float, momentum: float, outputs: Any, deltas: Any, losses: Any, buffer: Any,
    phase: int, part: int, parts: int,
) -> float:  # fmt: skip
    N = x.shape[0]
    if phase != UPDATE:
        first, last = share(N, part, parts), share(N, part + 1, parts)
        _examples(
            theta, x, targets, labels, first, last, widths, activations, loss, -lr / N,
            outputs, deltas, losses, buffer,
        )  # fmt: skip
    if phase != EXAMPLES:
        _update(theta, velocity, x, part, parts, widths, momentum, outputs, deltas, buffer)
    total = 0.0
    for r in range(N if phase != EXAMPLES else 0):
        total += losses[r]
    return total / N


@helper
def _copy_output(
    theta: Any, x: Any, widths: Any, activations: Any, outputs: Any, buffer: Any, y: Any
) -> None:
    last = _forward(theta, x, 0, x.shape[0], widths, activations, outputs, buffer)
    for i in range(y.size):
        span(y)[i] = last[i]


def _kernels(fingerprint: int) -> tuple[Any, Any]:
    @kernel
    def stack_forward(theta: Any, x: Any, widths: Any, activations: Any, y: Any) -> None:
        _ = fingerprint
        outputs = np.empty(x.shape[0] * _units(widths), x.dtype)
        buffer = np.empty(buffer_size(span(theta)), x.dtype)
        _copy_output(theta, x, widths, activations, outputs, buffer, y)

    @kernel
    def train(
        theta: Any, velocity: Any, x: Any, targets: Any, labels: Any, widths: Any,
        activations: Any, loss: int, lr: float, momentum: float, scratch: Any,
        phase: int, part: int, parts: int,
    ) -> float:  # fmt: skip
        _ = fingerprint
        if loss == CROSS_ENTROPY and not labels_fit(labels, widths[-1]):
            return LABEL_OUT_OF_RANGE
        size = (x.shape[0] * _units(widths) + LINE - 1) // LINE * LINE
        if phase == WHOLE:
            scratch = np.empty(2 * size + x.shape[0] + LINE, x.dtype)
        start = to_line(scratch)
        middle, end = start + size, start + 2 * size
        buffer = np.empty(buffer_size(span(theta)), x.dtype)
        return _train(
            theta, velocity, x, targets, labels, widths, activations, loss, lr, momentum,
            scratch[start:middle], scratch[middle:end], scratch[end:], buffer,
            phase, part, parts,
        )  # fmt: skip

    return stack_forward, train


dense_stack_forward, _train_kernel = _kernels(FINGERPRINT)


def dense_train_step(
    theta: Any, velocity: Any, x: Any, targets: Any, labels: Any, widths: Any,
    activations: Any, loss: int, lr: float, momentum: float,
) -> float:  # fmt: skip
    """One step of steepest descent on a batch; see `ketkar.kernels.reference`."""
    arguments = theta, velocity, x, targets, labels, widths, activations, loss, lr, momentum
    N = x.shape[0]
    parts = parts_of(N, theta.size)
    if parts == 1:
        return _train_kernel(*arguments, theta, WHOLE, 0, 1)
    scratch = np.empty(N * (2 * int(widths[1:].sum()) + 1) + 3 * LINE, x.dtype)
    for phase in (EXAMPLES, UPDATE):
        values = split(lambda *part: _train_kernel(*arguments, scratch, phase, *part), parts)  # noqa: B023
        if LABEL_OUT_OF_RANGE in values:
            break
    return values[-1]
