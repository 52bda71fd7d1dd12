"""The softmax layer that reads hidden states: forward, backward, and fused with its loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar.kernels.codes import CROSS_ENTROPY
from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.dense import add_bias, add_rows, share
from ketkar.kernels.cpu.elementwise import exp_of
from ketkar.kernels.cpu.loss import loss_and_gradient
from ketkar.kernels.cpu.machine import ROWS
from ketkar.kernels.cpu.matmul import buffer_size, matmul
from ketkar.kernels.cpu.recurrence import LARGE
from ketkar.kernels.cpu.span import number, span
from ketkar.kernels.cpu.threads import split, worth


@helper
def _scores(h: Any, V: Any, c: Any, z: Any, i: int, j: int, buffer: Any) -> None:
    """Fill the rows i .. j - 1 of z (R, m) with h V + c, of h (R, k) and V (k, m)."""
    unit: Any = np.int64(1)
    k, m = V.shape
    there, zero = span(z) + i * m, number(span(z), 0)
    matmul(span(h) + i * k, k, unit, span(V), m, unit, there, m, j - i, m, k, zero, span(buffer))
    add_bias(there, j - i, m, span(c))


@helper
def _softmax(y: Any, rows: int, m: int) -> None:
    for r in range(rows):
        z = y + r * m
        top = z[0]
        for j in range(1, m):
            top = z[j] if z[j] > top else top
        for j in range(m):
            z[j] -= top
    for j in range(rows * m):
        y[j] = exp_of(y[j])
    for r in range(rows):
        z, total = y + r * m, number(y, 0)
        for j in range(m):
            total += z[j]
        for j in range(m):
            z[j] /= total  # (6.2)


@helper
def _back(dz: Any, V: Any, dh: Any, i: int, j: int, buffer: Any) -> None:
    """Fill the rows i .. j - 1 of dh (R, k) with dz V, of V (m, k)."""
    unit: Any = np.int64(1)
    m, k = V.shape
    here, zero = span(dz) + i * m, number(span(dz), 0)
    matmul(here, m, unit, span(V), k, unit, span(dh) + i * k, k, j - i, k, m, zero, span(buffer))


@helper
def _weights(dz: Any, h: Any, dV: Any, dc: Any, buffer: Any) -> None:
    """Fill dV (m, k) and dc (m,) with the sums over all rows."""
    unit: Any = np.int64(1)
    m, k = dV.shape
    rows = dz.size // m
    zero = number(span(dz), 0)
    matmul(span(dz), unit, m, span(h), k, unit, span(dV), k, m, k, rows, zero, span(buffer))
    dc[:] = zero
    add_rows(span(dz), rows, m, span(dc))


@helper
def _weighted(dz: Any, losses: Any, weights: Any, i: int, j: int, m: int) -> None:
    """Times the weights; what has the weight 0 is 0, whatever it was."""
    for r in range(i, j):
        here, weight = dz + r * m, weights[r]
        if weight == 0:
            losses[r] = weight
            for k in range(m):
                here[k] = weight
        else:
            losses[r] *= weight
            for k in range(m):
                here[k] *= weight


def _kernels(fingerprint: int) -> tuple[Any, Any, Any, Any]:
    @kernel
    def forward(h: Any, V: Any, c: Any, y: Any, part: int, parts: int) -> None:
        _ = fingerprint
        buffer = np.empty(buffer_size(span(h)), h.dtype)
        i, j, m = share(len(h), part, parts), share(len(h), part + 1, parts), c.size
        _scores(h, V, c, y, i, j, buffer)
        _softmax(span(y) + i * m, j - i, m)

    @kernel
    def loss(
        h: Any, V: Any, VT: Any, c: Any, labels: Any, weights: Any, z: Any, dz: Any, losses: Any,
        dh: Any, part: int, parts: int,
    ) -> None:  # fmt: skip
        _ = fingerprint
        buffer = np.empty(buffer_size(span(h)), h.dtype)
        i, j, m = share(len(h), part, parts), share(len(h), part + 1, parts), c.size
        _scores(h, VT, c, z, i, j, buffer)
        loss_and_gradient(
            span(z), i, j, m, span(z), labels, CROSS_ENTROPY, span(dz), span(losses)
        )  # (6.8), (3.15)  # fmt: skip
        _weighted(span(dz), span(losses), span(weights), i, j, m)
        _back(dz, V, dh, i, j, buffer)

    @kernel
    def back(dy: Any, y: Any, V: Any, dh: Any, part: int, parts: int) -> None:
        _ = fingerprint
        buffer = np.empty(buffer_size(span(y)), y.dtype)
        i, j, m = share(len(y), part, parts), share(len(y), part + 1, parts), V.shape[0]
        for r in range(i, j):
            error, p, total = span(dy) + r * m, span(y) + r * m, number(span(y), 0)
            for k in range(m):
                total += error[k] * p[k]
            for k in range(m):
                error[k] = p[k] * (error[k] - total)  # (3.34)
        _back(dy, V, dh, i, j, buffer)

    @kernel
    def weights(dz: Any, h: Any, dV: Any, dc: Any) -> None:
        _ = fingerprint
        buffer = np.empty(buffer_size(span(h)), h.dtype)
        _weights(dz, h, dV, dc, buffer)

    return forward, loss, back, weights


_forward_kernel, _loss_kernel, _back_kernel, _weights_kernel = _kernels(FINGERPRINT)


def _parts(h: Any, V: Any) -> int:
    return max(1, min(len(h) // ROWS, worth(len(h) * V.size, LARGE)))


def output_forward(h: Any, V: Any, c: Any, y: Any) -> None:
    """Fill y (R, m) with softmax(h V^T + c); see `ketkar.kernels.recurrence`."""
    turned = np.ascontiguousarray(V.T)
    split(lambda *part: _forward_kernel(h, turned, c, y, *part), _parts(h, V))


def output_backward(dy: Any, y: Any, h: Any, V: Any, dh: Any, dV: Any, dc: Any) -> None:
    """Fill dh, dV and dc from dy, which is used up; see `ketkar.kernels.recurrence`."""
    split(lambda *part: _back_kernel(dy, y, V, dh, *part), _parts(h, V))
    _weights_kernel(dy, h, dV, dc)


def output_loss(
    h: Any, V: Any, c: Any, labels: Any, weights: Any, losses: Any, dh: Any, dV: Any, dc: Any
) -> None:
    """Fill losses, dh, dV and dc from labels and weights; see `ketkar.kernels.recurrence`."""
    turned = np.ascontiguousarray(V.T)
    z, dz = (np.empty((len(h), len(V)), h.dtype) for _ in range(2))
    split(
        lambda *part: _loss_kernel(h, V, turned, c, labels, weights, z, dz, losses, dh, *part),
        _parts(h, V),
    )
    _weights_kernel(dz, h, dV, dc)
