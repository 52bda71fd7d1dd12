"""A stack of dense layers: prediction, and a whole training step that never leaves the device.

What is computed: for a batch x (N, n_0), forward through all layers (3.8), the loss, backward
(3.15)-(3.17), and the update of all parameters (3.12) or (3.13), in place.

Each layer is a product of matrices forward and two backward (`products`), with one kernel for its
activation (`elementwise`) between them; the loss and its gradient are one kernel (`loss`). The
gradients of all layers stand in one vector, as the parameters do, so that a single kernel updates
everything. The processor only says what is to be done: it waits once, at the end, for the losses.
That is why labels are judged on the device, too: the update reads the verdict and does nothing
where it is bad.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ketkar.kernels.codes import CROSS_ENTROPY, LABEL_OUT_OF_RANGE
from ketkar.kernels.cuda.elementwise import activate, times_slope
from ketkar.kernels.cuda.kernel import blocks_for, kernel
from ketkar.kernels.cuda.loss import check_labels, loss_and_gradient
from ketkar.kernels.cuda.memory import fetched, on_device, scratch
from ketkar.kernels.cuda.products import column_sums, multiply
from ketkar.kernels.cuda.provider import cuda

__all__ = ["dense_stack_forward", "dense_train_step"]

THREADS = 256

u = np.uint32

Layer = tuple[int, int, int]  # inputs n, outputs m, and where W and then b stand in theta


@kernel("T1 T1 T1 T1 i i T T", threads=THREADS)
def descend(T: Any) -> Any:
    """Change every parameter by its gradient, if there is nothing against it."""

    def body(theta, velocity, gradient, verdict, judged, remembers, lr, momentum):  # type: ignore[no-untyped-def]
        i = u(cuda.blockIdx.x) * u(THREADS) + u(cuda.threadIdx.x)
        if i < np.uint64(theta.size) and (not judged or verdict[0] == T(1)):
            step = -lr * gradient[i]
            if remembers:
                step += momentum * velocity[i]
                velocity[i] = step  # (3.13)
            theta[i] += step  # (3.12)

    return body


@on_device(fills="y", keeps="widths activations")
def dense_stack_forward(theta: Any, x: Any, widths: Any, activations: Any, y: Any) -> None:
    """Fill y (N, n_L) with the output of the whole stack; see `ketkar.kernels.reference`."""
    _outputs(theta, x.reshape(-1), len(x), _layers(widths), activations.tolist(), y.reshape(-1))


@on_device(changes="theta velocity", keeps="widths activations")
def dense_train_step(
    theta: Any, velocity: Any, x: Any, targets: Any, labels: Any, widths: Any, activations: Any,
    loss: int, lr: float, momentum: float,
) -> float:  # fmt: skip
    """One step of steepest descent on a batch; see `ketkar.kernels.reference`."""
    N, layers, codes = len(x), _layers(widths), activations.tolist()
    m = layers[-1][1]
    losses = scratch(theta, N + 1)  # the first is the verdict on the labels
    judged = loss == CROSS_ENTROPY
    if judged:
        check_labels(labels, losses, m)
    last = scratch(theta, N * m)
    outputs = _outputs(theta, x.reshape(-1), N, layers, codes, last)
    delta = scratch(theta, N * m)
    loss_and_gradient(last, targets.reshape(-1), labels, loss, delta, losses, N, m)
    gradient = _gradient(theta, outputs, delta, N, layers, codes)
    remembers = momentum != 0
    descend(
        blocks_for(theta.size, THREADS), theta, velocity if remembers else theta, gradient, losses,
        judged, remembers, lr, momentum,
    )  # fmt: skip
    values = fetched(losses)
    if judged and values[0] != 1:
        return LABEL_OUT_OF_RANGE
    return float(values[1:].sum(dtype=np.float64)) / N


def _layers(widths: Any) -> list[Layer]:
    layers, start = [], 0
    for n, m in pairwise(widths.tolist()):
        layers.append((n, m, start))
        start += n * m + m
    return layers


def _outputs(
    theta: Any, x: Any, N: int, layers: list[Layer], codes: list[int], last: Any
) -> list[Any]:
    """The input and every layer's output (3.8), flat; the last one fills `last`."""
    outputs = [x]
    for (n, m, start), code in zip(layers, codes, strict=True):
        y = last if len(outputs) == len(layers) else scratch(theta, N * m)
        multiply(
            outputs[-1], theta, y, N, m, n, B_at=start, bias=theta, bias_at=start + n * m
        )  # (3.7)
        activate(y, code)
        outputs.append(y)
    return outputs


def _gradient(
    theta: Any, outputs: list[Any], delta: Any, N: int, layers: list[Layer], codes: list[int]
) -> Any:
    """The gradient of all parameters, from that of the last output, which is used up."""
    gradient = scratch(theta, theta.size)
    for layer in reversed(range(len(layers))):
        n, m, start = layers[layer]
        times_slope(delta, outputs[layer + 1], codes[layer])  # (3.15), (3.16)
        multiply(outputs[layer], delta, gradient, n, m, N, C_at=start, A_turned=True)  # (3.17)
        column_sums(delta, gradient, N, m, s_at=start + n * m)  # (3.17)
        if layer:
            below = scratch(theta, N * n)
            multiply(delta, theta, below, N, n, m, B_at=start, B_turned=True)  # (3.16)
            delta = below
    return gradient
