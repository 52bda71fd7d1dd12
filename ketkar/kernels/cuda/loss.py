"""The losses of a batch, each with the gradient that starts backpropagation.

Who does what: a block has eight rows of outputs, one example each, and 32 threads for a row. A
thread takes every 32nd output of its row. What concerns the whole row, the largest output and the
sums, goes through memory that the block shares: every thread leaves its own part there, all wait,
and then each adds up all the parts, in the same order, so that all of them know the sum without
waiting again. With few outputs only as many parts are looked at as there are outputs.

Why it is fast: a row is read from the device's memory once, and then comes out of the cache; the
loss, the softmax and the gradient are one kernel, and the probabilities are never stored.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ketkar.kernels.codes import BINARY_CROSS_ENTROPY, CROSS_ENTROPY, SQUARED_ERROR
from ketkar.kernels.cuda.elementwise import sigmoid_of
from ketkar.kernels.cuda.kernel import blocks_for, kernel
from ketkar.kernels.cuda.provider import cuda

__all__ = ["ROWS", "check_labels", "cross_entropy", "loss_and_gradient"]

ROWS = 8
"""Rows of a block."""

u = np.uint32


@kernel("T1 T1 T1 T1 u u i T", threads=(32, ROWS))
def distances(T: Any) -> Any:
    """Losses that compare each output with its target alone."""

    def body(z, targets, dz, losses, N, m, loss, scale):  # type: ignore[no-untyped-def]
        parts = cuda.shared.array((ROWS, 32), T)
        x, y = u(cuda.threadIdx.x), u(cuda.threadIdx.y)
        r = u(cuda.blockIdx.x) * u(ROWS) + y
        total = T(0)
        if r < N:
            for j in range(x, m, u(32)):
                value, target = z[r * m + j], targets[r * m + j]
                if loss == SQUARED_ERROR:
                    error = value - target
                    total += error * error  # (3.28)
                    error += error
                else:  # on logits: log(1 + e^z) - t z, without overflow
                    positive = T(0) if value < T(0) else value
                    total += positive - value * target + math.log1p(math.exp(-abs(value)))  # (3.23)
                    error = sigmoid_of(value, T(1)) - target
                dz[r * m + j] = error * scale
        parts[y, x] = total
        cuda.syncthreads()
        if r < N and x == u(0):
            for k in range(u(1), u(32)):
                total += parts[y, k]
            losses[u(1) + r] = total

    return body


@kernel("T1 T1 L1 T1 T1 T1 u u u i i T", threads=(32, ROWS))
def cross_entropies(T: Any) -> Any:
    """On logits z: log(sum e^z) - z_label, with the largest logit taken out of the exponent.

    A label is a row of targets with a single 1. Rows may have weights.
    """

    def body(z, targets, labels, weights, dz, losses, losses_at, N, m, labelled, weighted, scale):  # type: ignore[no-untyped-def]  # fmt: skip
        tops = cuda.shared.array((ROWS, 32), T)
        sums = cuda.shared.array((ROWS, 32), T)
        masses = cuda.shared.array((ROWS, 32), T)
        chosen = cuda.shared.array((ROWS, 32), T)
        x, y = u(cuda.threadIdx.x), u(cuda.threadIdx.y)
        r = u(cuda.blockIdx.x) * u(ROWS) + y
        row = r * m
        few = m if m < u(32) else u(32)
        label = np.int64(-1)
        weight, top = T(1), T(-math.inf)
        if r < N:
            label = labels[r] if labelled else label
            weight = weights[r] if weighted else weight
            for j in range(x, m, u(32)):
                top = z[row + j] if z[row + j] > top else top
        tops[y, x] = top
        cuda.syncthreads()
        for k in range(few):
            top = tops[y, k] if tops[y, k] > top else top

        denominator, mass, picked = T(0), T(0), T(0)
        if r < N:
            for j in range(x, m, u(32)):
                shifted = z[row + j] - top
                power = math.exp(shifted)
                denominator += power
                dz[row + j] = power
                target = T(0)
                if labelled:
                    target = T(1) if np.int64(j) == label else target
                else:
                    target = targets[row + j]
                mass += target
                picked += target * shifted if target != T(0) else T(0)
        sums[y, x], masses[y, x], chosen[y, x] = denominator, mass, picked
        cuda.syncthreads()
        denominator, mass, picked = T(0), T(0), T(0)
        for k in range(few):
            denominator += sums[y, k]
            mass += masses[y, k]
            picked += chosen[y, k]

        if r < N:
            if x == u(0):
                value = mass * math.log(denominator) - picked  # (3.26)
                losses[losses_at + r] = value * weight if weight != T(0) else T(0)
            factor = mass / denominator
            for j in range(x, m, u(32)):
                target = T(0)
                if labelled:
                    target = T(1) if np.int64(j) == label else target
                else:
                    target = targets[row + j]
                error = dz[row + j] * factor - target  # (3.33)
                dz[row + j] = error * weight * scale if weight != T(0) else T(0)

    return body


@kernel("L1 T1 l", threads=256)
def verdict_on_labels(T: Any) -> Any:
    """A single block: verdict[0] is 1 if every label names one of m outputs, else 0."""

    def body(labels, verdict, m):  # type: ignore[no-untyped-def]
        fits = cuda.shared.array(256, T)
        t = u(cuda.threadIdx.x)
        fit = T(1)
        for r in range(t, u(labels.size), u(256)):
            if labels[r] < 0 or labels[r] >= m:
                fit = T(0)
        fits[t] = fit
        cuda.syncthreads()
        if t == u(0):
            for k in range(u(1), u(256)):
                fit *= fits[k]
            verdict[0] = fit

    return body


def check_labels(labels: Any, verdict: Any, m: int) -> None:
    """Make verdict[0] 1 where every label names one of m outputs, else 0."""
    verdict_on_labels(1, labels, verdict, m)


def loss_and_gradient(
    z: Any, targets: Any, labels: Any, loss: int, dz: Any, losses: Any, N: int, m: int
) -> None:
    """Fill losses[1:] of all examples, and the gradient dz of their mean, for outputs z (N, m).

    All are flat arrays of the device; dz may be z itself.
    """
    blocks = blocks_for(N, ROWS)
    if loss in (SQUARED_ERROR, BINARY_CROSS_ENTROPY):
        distances(blocks, z, targets, dz, losses, N, m, loss, 1 / N)
        return
    labelled = loss == CROSS_ENTROPY
    cross_entropies(
        blocks, z, z if labelled else targets, labels, z, dz, losses, 1, N, m, labelled, False,
        1 / N,
    )  # fmt: skip


def cross_entropy(z: Any, labels: Any, weights: Any, losses: Any, N: int, m: int) -> None:
    """Fill losses with the cross entropy of every row of z, times its weight.

    The gradient takes the place of z. A row of weight 0 counts as nothing, whatever stands in it.
    """
    cross_entropies(
        blocks_for(N, ROWS), z, z, labels, weights, z, losses, 0, N, m, True, True, 1
    )  # fmt: skip
