"""The kernels in NumPy, written as the equations read: the oracle for every other backend.

A stack of dense layers keeps all its parameters in one flat vector: W_1 (row after row), b_1,
W_2, b_2, and so on. `widths` are the numbers of units (n_0, n_1, ..., n_L), input first;
`activations` and `loss` are numbers from `ketkar.kernels.codes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ketkar.kernels.codes import (
    BINARY_CROSS_ENTROPY,
    CROSS_ENTROPY,
    LABEL_OUT_OF_RANGE,
    RELU,
    SIGMOID,
    SQUARED_ERROR,
    TANH,
)
from ketkar.kernels.geometry import Geometry
from ketkar.kernels.recurrence import (  # noqa: F401
    lstm_backward,
    lstm_forward,
    output_backward,
    output_forward,
    output_loss,
    rnn_backward,
    rnn_forward,
)

Array = NDArray[Any]

ALGORITHMS: Final = ("auto", "direct")
"""How this backend can convolve."""


def exp(x: Array, y: Array) -> None:
    """Fill y with e^x."""
    with np.errstate(over="ignore", under="ignore"):
        np.exp(x, out=y)


def sigmoid(x: Array, y: Array) -> None:
    """Fill y with 1 / (1 + e^-x), from ``e^-|x|``, which cannot overflow."""
    with np.errstate(under="ignore"):
        small = np.exp(-np.abs(x))
        y[...] = np.where(x >= 0, 1, small) / (1 + small)  # (3.31)


def tanh(x: Array, y: Array) -> None:
    """Fill y with tanh(x)."""
    np.tanh(x, out=y)  # (3.39)


def dense_forward(x: Array, W: Array, b: Array, z: Array) -> None:
    """Fill z (N, m) with x W + b, of x (N, n), W (n, m) and b (m,)."""
    z[...] = x @ W + b  # (3.7)


def dense_backward(dz: Array, x: Array, W: Array, dx: Array, dW: Array, db: Array) -> None:
    """Fill dx (N, n), dW (n, m) and db (m,) from dz (N, m): the gradients of a dense layer."""
    dx[...] = dz @ W.T  # (3.16)
    dW[...] = x.T @ dz  # (3.17)
    db[...] = dz.sum(axis=0)  # (3.17)


def dense_stack_forward(
    theta: Array, x: Array, widths: Array, activations: Array, y: Array
) -> None:
    """Fill y (N, n_L) with the output of the whole stack for x (N, n_0)."""
    y[...] = _outputs(_layers(theta, widths), x, activations)[-1]  # (3.8)


def dense_train_step(
    theta: Array,
    velocity: Array,
    x: Array,
    targets: Array,
    labels: Array,
    widths: Array,
    activations: Array,
    loss: int,
    lr: float,
    momentum: float,
) -> float:
    """One step of steepest descent on a batch: theta changes in place, the loss before it returns.

    Parameters
    ----------
    theta : array (p,)
        All parameters of the stack.
    velocity : array (p,)
        The running step of (3.13); empty where momentum is 0.
    x : array (N, n_0)
    targets : array (N, n_L)
        Read by every loss but the cross entropy of labels, for which it may have no rows.
    labels : int64 array (N,)
        Read by the cross entropy of labels alone.
    widths, activations : int64 arrays (L + 1,) and (L,)
    loss : int
    lr, momentum : float

    Returns
    -------
    float
        The mean loss over the batch, or LABEL_OUT_OF_RANGE with nothing changed.
    """
    if loss == CROSS_ENTROPY and ((labels < 0) | (labels >= widths[-1])).any():
        return LABEL_OUT_OF_RANGE
    layers = _layers(theta, widths)
    outputs = _outputs(layers, x, activations)
    value, dy = _loss(outputs[-1], targets, labels, loss)
    gradient = np.empty_like(theta)
    gradients = _layers(gradient, widths)
    for layer in reversed(range(len(layers))):
        delta = dy * _slope(outputs[layer + 1], activations[layer])  # (3.15), (3.16)
        dW, db = gradients[layer]
        dW[...] = outputs[layer].T @ delta  # (3.17)
        db[...] = delta.sum(axis=0)  # (3.17)
        if layer:
            dy = delta @ layers[layer][0].T  # (3.16)
    if momentum == 0.0:
        theta -= theta.dtype.type(lr) * gradient  # (3.12)
    else:
        velocity *= theta.dtype.type(momentum)
        velocity -= theta.dtype.type(lr) * gradient  # (3.13)
        theta += velocity
    return value


def _layers(theta: Array, widths: Array) -> list[tuple[Array, Array]]:
    """Views of every layer's W (n, m) and b (m,) inside the flat vector."""
    layers, start = [], 0
    for n, m in zip(widths[:-1].tolist(), widths[1:].tolist(), strict=True):
        W = theta[start : start + n * m].reshape(n, m)
        b = theta[start + n * m : start + n * m + m]
        layers.append((W, b))
        start += n * m + m
    return layers


def _outputs(layers: list[tuple[Array, Array]], x: Array, activations: Array) -> list[Array]:
    """The input and every layer's output (3.8)."""
    outputs = [x]
    for (W, b), code in zip(layers, activations.tolist(), strict=True):
        z = np.empty((len(x), len(b)), x.dtype)
        dense_forward(outputs[-1], W, b, z)
        outputs.append(_activate(z, code))
    return outputs


def _activate(z: Array, code: int) -> Array:
    if code == SIGMOID:
        sigmoid(z, z)
    elif code == TANH:
        tanh(z, z)
    elif code == RELU:
        np.maximum(z, 0, out=z)  # (3.36)
    return z


def _slope(y: Array, code: int) -> Array:
    """The derivative of an activation, from its value y."""
    if code == SIGMOID:
        return y * (1 - y)  # (3.32)
    if code == TANH:
        return 1 - y * y  # (3.40)
    if code == RELU:
        return (y > 0).astype(y.dtype)  # (3.37)
    return np.ones_like(y)


def _loss(y: Array, targets: Array, labels: Array, loss: int) -> tuple[float, Array]:
    """The mean loss and its gradient with respect to y (N, m)."""
    N, m = y.shape
    with np.errstate(over="ignore", under="ignore"):
        if loss == SQUARED_ERROR:
            value, dy = (y - targets) ** 2, 2 * (y - targets)  # (3.28)
        elif loss == BINARY_CROSS_ENTROPY:
            value = np.maximum(y, 0) - y * targets + np.log1p(np.exp(-np.abs(y)))  # (3.23)
            dy = np.empty_like(y)
            sigmoid(y, dy)
            dy -= targets
        else:
            if loss == CROSS_ENTROPY:
                targets = np.eye(m, dtype=y.dtype)[labels]
            shifted = y - y.max(axis=1, keepdims=True)
            log_sum = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
            value = np.where(targets == 0, 0, targets * (log_sum - shifted))  # (3.26)
            dy = targets.sum(axis=1, keepdims=True) * np.exp(shifted - log_sum) - targets
        return float(value.sum(dtype=np.float64)) / N, dy / N


def conv2d_forward(
    x: Array, K: Array, b: Array, geometry: Geometry, algorithm: str, y: Array
) -> None:
    """Fill y (N, M, Ho, Wo) with the cross-correlation of x (N, C, H, W) with K (M, C/g, R, S).

    One tap (r, s) after the other: the part of the image that the tap meets, times the tap.
    """
    padded = _padded(x, geometry)
    y[...] = b[:, None, None]
    for r, s in np.ndindex(K.shape[2:]):
        seen = _by_group(padded[_met(r, s, geometry, y)], geometry)
        tap = _by_group(K[:, :, r, s], geometry)
        y += (tap @ seen).reshape(y.shape)  # (5.16), (5.21)


def conv2d_input_gradient(
    dy: Array, K: Array, geometry: Geometry, algorithm: str, dx: Array
) -> None:
    """Fill dx (N, C, H, W): each tap gives back to the part of the image that it met."""
    dpadded = _padded(np.zeros_like(dx), geometry)
    delta = _by_group(dy, geometry)
    for r, s in np.ndindex(K.shape[2:]):
        met = dpadded[_met(r, s, geometry, dy)]  # a view
        tap = _by_group(K[:, :, r, s], geometry)
        met += (tap.swapaxes(1, 2) @ delta).reshape(met.shape)  # (5.18)
    rows, columns = dx.shape[2:]
    dx[...] = dpadded[:, :, geometry.top :, geometry.left :][:, :, :rows, :columns]


def conv2d_kernel_gradient(
    dy: Array, x: Array, geometry: Geometry, algorithm: str, dK: Array
) -> None:
    """Fill dK (M, C/g, R, S): each tap of the kernel sums what it met, times the errors there."""
    padded = _padded(x, geometry)
    delta = _by_group(dy, geometry)
    for r, s in np.ndindex(dK.shape[2:]):
        seen = _by_group(padded[_met(r, s, geometry, dy)], geometry)
        each = delta @ seen.swapaxes(2, 3)
        dK[:, :, r, s] = each.sum(axis=0).reshape(dK.shape[:2])  # (5.19)


def conv2d_bias_gradient(dy: Array, db: Array) -> None:
    """Fill db (M,): a bias stands in every row and column of every example."""
    db[...] = dy.sum(axis=(0, 2, 3))  # (5.20)


def _padded(x: Array, geometry: Geometry, value: float = 0.0) -> Array:
    """A copy of the images x (N, C, H, W) with their padding around them."""
    rows, columns = (geometry.top, geometry.bottom), (geometry.left, geometry.right)
    return np.pad(x, ((0, 0), (0, 0), rows, columns), constant_values=value)


def _met(r: int, s: int, geometry: Geometry, y: Array) -> tuple[slice, ...]:
    """Where the padded image meets tap (r, s): one row and column for each of y (N, M, Ho, Wo)."""
    row, column = r * geometry.dilation_rows, s * geometry.dilation_columns
    rows, columns = y.shape[2:]
    return (
        slice(None),
        slice(None),
        slice(row, row + (rows - 1) * geometry.stride_rows + 1, geometry.stride_rows),
        slice(column, column + (columns - 1) * geometry.stride_columns + 1,
              geometry.stride_columns),
    )  # fmt: skip


def _by_group(a: Array, geometry: Geometry) -> Array:
    """Channels apart by group: a tap (M, C/g) as (g, M/g, C/g), images as (N, g, C/g, H W)."""
    if a.ndim == 2:
        return a.reshape(geometry.groups, -1, a.shape[1])
    N, C, H, W = a.shape
    return a.reshape(N, geometry.groups, C // geometry.groups, H * W)


# Pooling: size is the window's (R, S); taps that fall outside of the image are left out.


def max_pool2d_forward(x: Array, size: tuple[int, int], geometry: Geometry, y: Array) -> None:
    """Fill y (N, C, Ho, Wo) with the largest number that each window sees in x (N, C, H, W)."""
    y[...] = -np.inf
    for there, here in _taps(size, geometry, x.shape[2:], y.shape[2:]):
        y[there] = np.maximum(y[there], x[here])  # (5.10)


def max_pool2d_backward(
    dy: Array, x: Array, size: tuple[int, int], geometry: Geometry, dx: Array
) -> None:
    """Fill dx (N, C, H, W): each window gives its error to the first number that is its maximum."""
    y = np.empty_like(dy)
    max_pool2d_forward(x, size, geometry, y)
    dx[...] = 0
    waiting = np.ones(dy.shape, bool)
    for there, here in _taps(size, geometry, x.shape[2:], dy.shape[2:]):
        wins = waiting[there] & ((x[here] == y[there]) | np.isnan(x[here]))
        with np.errstate(over="ignore", invalid="ignore"):
            dx[here] += np.where(wins, dy[there], 0)  # (5.13)
        waiting[there] &= ~wins


def avg_pool2d_forward(
    x: Array, size: tuple[int, int], geometry: Geometry, count_include_pad: bool, y: Array
) -> None:
    """Fill y (N, C, Ho, Wo) with the mean of what each window sees in x (N, C, H, W)."""
    y[...] = 0
    with np.errstate(over="ignore", invalid="ignore"):
        for there, here in _taps(size, geometry, x.shape[2:], y.shape[2:]):
            y[there] += x[here]
        y /= _counts(size, geometry, count_include_pad, x, y)  # (5.11)


def avg_pool2d_backward(
    dy: Array, size: tuple[int, int], geometry: Geometry, count_include_pad: bool, dx: Array
) -> None:
    """Fill dx (N, C, H, W): each window gives equal shares of its error to all that it sees."""
    dx[...] = 0
    with np.errstate(over="ignore", invalid="ignore"):
        shares = dy / _counts(size, geometry, count_include_pad, dx, dy).astype(dy.dtype)
        for there, here in _taps(size, geometry, dx.shape[2:], dy.shape[2:]):
            dx[here] += shares[there]  # (5.14)


def l2_pool2d_forward(x: Array, size: tuple[int, int], geometry: Geometry, y: Array) -> None:
    """Fill y (N, C, Ho, Wo) with the root of the sum of squares of what each window sees."""
    y[...] = 0
    with np.errstate(over="ignore", under="ignore"):
        for there, here in _taps(size, geometry, x.shape[2:], y.shape[2:]):
            y[there] += x[here] ** 2
    np.sqrt(y, out=y)  # (5.12)


def l2_pool2d_backward(
    dy: Array, x: Array, y: Array, size: tuple[int, int], geometry: Geometry, dx: Array
) -> None:
    """Fill dx (N, C, H, W) with what l2_pool2d_forward gave y for: dy x / y, and 0 where y is 0."""
    dx[...] = 0
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        ratio = np.divide(dy, y, out=np.zeros_like(dy), where=y != 0)
        for there, here in _taps(size, geometry, x.shape[2:], dy.shape[2:]):
            dx[here] += ratio[there] * x[here]  # (5.15)


def _taps(
    size: tuple[int, int], geometry: Geometry, image: tuple[int, ...], outputs: tuple[int, ...]
) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Of each tap of a window, row by row: the outputs whose tap lies in the image, and where."""
    every = slice(None), slice(None)
    g = geometry
    for r, s in np.ndindex(size):
        row, column = r * g.dilation_rows - g.top, s * g.dilation_columns - g.left
        rows = _inside(row, g.stride_rows, image[0], outputs[0])
        columns = _inside(column, g.stride_columns, image[1], outputs[1])
        yield (*every, rows[0], columns[0]), (*every, rows[1], columns[1])


def _inside(offset: int, stride: int, size: int, outputs: int) -> tuple[slice, slice]:
    """The i of all outputs for which i stride + offset lies in 0 .. size - 1, and these places."""
    first = max(0, -(offset // stride))
    last = max(first, min(outputs, -((offset - size) // stride)))
    return slice(first, last), slice(first * stride + offset, last * stride + offset, stride)


def _counts(
    size: tuple[int, int], geometry: Geometry, count_include_pad: bool, x: Array, y: Array
) -> Array:
    """How many numbers each window sees, (Ho, Wo): of the image, or of its padding too."""
    H, W = x.shape[2:]
    if count_include_pad:
        H, W = H + geometry.top + geometry.bottom, W + geometry.left + geometry.right
        geometry = geometry._replace(top=0, left=0)
    counts = np.zeros((1, 1, *y.shape[2:]))
    for there, _ in _taps(size, geometry, (H, W), y.shape[2:]):
        counts[there] += 1
    return counts
