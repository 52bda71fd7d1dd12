"""Dense layers: forward, backward, and a whole training step as one compiled call."""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar.kernels.codes import (
    BINARY_CROSS_ENTROPY,
    CROSS_ENTROPY,
    IDENTITY,
    LABEL_OUT_OF_RANGE,
    RELU,
    SIGMOID,
    SQUARED_ERROR,
    TANH,
)
from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.elementwise import sigmoid_of
from ketkar.kernels.cpu.matmul import buffer_size, matmul
from ketkar.kernels.cpu.tile import load, number, span, store


@helper
def _activate(z: Any, code: int) -> None:
    """Put the activation of every number of z in its place."""
    if code == SIGMOID:
        for i in range(z.size):
            z[i] = sigmoid_of(z[i])  # (3.31)
    elif code == TANH:
        for i in range(z.size):
            z[i] = np.tanh(z[i])  # (3.39)
    elif code == RELU:
        zero = z.dtype.type(0)
        for i in range(z.size):
            z[i] = zero if z[i] < zero else z[i]  # (3.36)


@helper
def _times_slope(dy: Any, y: Any, code: int) -> None:
    """Multiply dy by the activation's derivative, computed from its value y."""
    one = y.dtype.type(1)
    zero = y.dtype.type(0)
    if code == SIGMOID:
        for i in range(y.size):
            dy[i] *= y[i] * (one - y[i])  # (3.32)
    elif code == TANH:
        for i in range(y.size):
            dy[i] *= one - y[i] * y[i]  # (3.40)
    elif code == RELU:
        for i in range(y.size):
            dy[i] *= one if y[i] > zero else zero  # (3.37)


@helper
def _add_bias(z: Any, N: int, m: int, b: Any) -> None:
    for r in range(N):
        for j in range(m):
            z[r * m + j] += b[j]


@helper
def _loss_gradient(y: Any, N: int, m: int, targets: Any, labels: Any, loss: int, dy: Any) -> float:
    """Fill dy with the gradient of the summed loss; return the summed loss."""
    total = 0.0
    one = y.dtype.type(1)
    zero = y.dtype.type(0)
    if loss == SQUARED_ERROR:
        for i in range(N * m):
            error = y[i] - targets[i]
            total += error * error  # (3.28)
            dy[i] = error + error
    elif loss == BINARY_CROSS_ENTROPY:
        for i in range(N * m):
            total += max(y[i], zero) - y[i] * targets[i] + np.log1p(np.exp(-abs(y[i])))  # (3.23)
            dy[i] = sigmoid_of(y[i]) - targets[i]
    else:
        for r in range(N):
            row = y[r * m : r * m + m]
            top = row.max()
            denominator = zero
            for j in range(m):
                dy[r * m + j] = np.exp(row[j] - top)
                denominator += dy[r * m + j]
            log_sum = top + np.log(denominator)
            mass = one
            if loss == CROSS_ENTROPY:
                total += log_sum - row[labels[r]]  # (3.26)
            else:
                mass = zero
                for j in range(m):
                    target = targets[r * m + j]
                    mass += target
                    if target != 0:
                        total += target * (log_sum - row[j])
            for j in range(m):
                dy[r * m + j] *= mass / denominator
            if loss == CROSS_ENTROPY:
                dy[r * m + labels[r]] -= one
            else:
                for j in range(m):
                    dy[r * m + j] -= targets[r * m + j]
    return total


@helper
def _stack_forward(theta: Any, x: Any, N: int, widths: Any, activations: Any, work: Any, buffer: Any) -> int:
    """Fill work with the outputs of all layers, one behind the other; return where the last begins."""
    parameters = 0
    source = span(x)
    start = 0
    for layer in range(activations.size):
        n = widths[layer]
        m = widths[layer + 1]
        W = span(theta) + parameters
        z = span(work) + start
        matmul(source, n, 1, W, m, 1, z, m, N, m, n, number(W, 0), span(buffer))  # (3.7)
        y = work[start : start + N * m]
        _add_bias(y, N, m, theta[parameters + n * m : parameters + n * m + m])
        _activate(y, activations[layer])  # (3.8)
        source = z
        start += N * m
        parameters += n * m + m
    return start - N * widths[activations.size]


@helper
def _train(
    theta: Any, velocity: Any, x: Any, targets: Any, labels: Any, N: int, widths: Any,
    activations: Any, loss: int, lr: float, momentum: float, work: Any, deltas: Any, buffer: Any,
) -> float:  # fmt: skip
    L = activations.size
    start = _stack_forward(theta, x, N, widths, activations, work, buffer)
    half = deltas.size // 2
    m = widths[L]
    delta = deltas[: N * m]
    value = _loss_gradient(work[start:], N, m, targets, labels, loss, delta)
    # The rest is linear in the error of the output: scaled once, here, every product is a step.
    factor = theta.dtype.type(-lr / N)
    for i in range(N * m):
        delta[i] *= factor
    parameters = theta.size
    zero = theta.dtype.type(0)
    one = theta.dtype.type(1)
    keep = theta.dtype.type(momentum)
    for layer in range(L - 1, -1, -1):
        n = widths[layer]
        m = widths[layer + 1]
        parameters -= n * m + m
        here = (layer % 2) * half
        there = half - here
        if layer == L - 1:
            here = 0
            there = half
        else:
            pass
        start_below = start - N * n
        _times_slope(delta, work[start : start + N * m], activations[layer])  # (3.15), (3.16)
        below = delta
        if layer:
            first = half - ((L - 1 - layer) % 2) * half
            below = deltas[first : first + N * n]
            # dx^T would be strided: W^T is read in place
            matmul(span(delta), m, 1, span(theta) + parameters, 1, m, span(below), n, N, n, m, zero, span(buffer))  # (3.16)
        source = span(x)
        if layer:
            source = span(work) + start_below
        if momentum == 0.0:
            matmul(source, 1, n, span(delta), m, 1, span(theta) + parameters, m, n, m, N, one, span(buffer))  # (3.12), (3.17)
            for r in range(N):
                for j in range(m):
                    theta[parameters + n * m + j] += delta[r * m + j]
        else:
            matmul(source, 1, n, span(delta), m, 1, span(velocity) + parameters, m, n, m, N, keep, span(buffer))  # (3.13), (3.17)
            for j in range(m):
                velocity[parameters + n * m + j] *= keep
            for r in range(N):
                for j in range(m):
                    velocity[parameters + n * m + j] += delta[r * m + j]
            for i in range(parameters, parameters + n * m + m):
                theta[i] += velocity[i]
        delta = below
        start = start_below
    return value / N


@helper
def _forward(x: Any, W: Any, b: Any, z: Any, buffer: Any) -> None:
    N, n = x.shape
    m = b.size
    matmul(span(x), n, 1, span(W), m, 1, span(z), m, N, m, n, number(span(x), 0), span(buffer))
    _add_bias(z.reshape(-1), N, m, b)


@helper
def _backward(dz: Any, x: Any, W: Any, dx: Any, dW: Any, db: Any, buffer: Any) -> None:
    N, n = x.shape
    m = dz.shape[1]
    zero = number(span(x), 0)
    matmul(span(dz), m, 1, span(W), 1, m, span(dx), n, N, n, m, zero, span(buffer))
    matmul(span(x), 1, n, span(dz), m, 1, span(dW), m, n, m, N, zero, span(buffer))
    db[:] = zero
    for r in range(N):
        for j in range(m):
            db[j] += dz[r, j]


def _kernels(fingerprint: int) -> Any:
    @kernel
    def dense_train_step(theta, velocity, x, targets, labels, widths, activations, loss, lr, momentum):  # type: ignore
        _ = fingerprint
        N = x.shape[0]
        L = activations.size
        if loss == CROSS_ENTROPY:
            for r in range(N):
                if labels[r] < 0 or labels[r] >= widths[L]:
                    return LABEL_OUT_OF_RANGE
        outputs = 0
        widest = 0
        for layer in range(1, L + 1):
            outputs += widths[layer]
            widest = max(widest, widths[layer])
        work = np.empty(N * outputs, x.dtype)
        deltas = np.empty(2 * N * widest, x.dtype)
        buffer = np.empty(buffer_size(span(theta)), x.dtype)
        return _train(theta, velocity, x.reshape(-1), targets.reshape(-1), labels, N, widths, activations, loss, lr, momentum, work, deltas, buffer)

    @kernel
    def dense_stack_forward(theta, x, widths, activations, y):  # type: ignore
        _ = fingerprint
        N = x.shape[0]
        outputs = 0
        for layer in range(1, widths.size):
            outputs += widths[layer]
        work = np.empty(N * outputs, x.dtype)
        buffer = np.empty(buffer_size(span(theta)), x.dtype)
        start = _stack_forward(theta, x.reshape(-1), N, widths, activations, work, buffer)
        y.reshape(-1)[:] = work[start:]

    @kernel
    def dense_forward(x, W, b, z):  # type: ignore
        _ = fingerprint
        buffer = np.empty(buffer_size(span(x)), x.dtype)
        _forward(x, W, b, z, buffer)

    @kernel
    def dense_backward(dz, x, W, dx, dW, db):  # type: ignore
        _ = fingerprint
        buffer = np.empty(buffer_size(span(x)), x.dtype)
        _backward(dz, x, W, dx, dW, db, buffer)

    return dense_train_step, dense_stack_forward, dense_forward, dense_backward


dense_train_step, dense_stack_forward, dense_forward, dense_backward = _kernels(FINGERPRINT)
