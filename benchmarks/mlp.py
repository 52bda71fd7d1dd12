"""Chapter 3: one training step of a 784-128-10 network, relu and softmax cross entropy, float32."""

from functools import partial
from typing import Any

import numpy as np

from benchmarks.problems import peer
from benchmarks.rows import Call, Row
from ketkar.network import Dense, chain, flatten
from ketkar.training import training_step

WIDTHS = 784, 128, 10
LR = 0.01
NETWORK = chain(Dense(*WIDTHS[:2], activation="relu"), Dense(*WIDTHS[1:]))


def _batch(N: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.random((N, WIDTHS[0]), np.float32), rng.integers(0, WIDTHS[2], N)


def _ours(N: int) -> Call:
    theta = flatten(NETWORK.init(0, np.float32))
    step = training_step(NETWORK, loss="cross_entropy", lr=LR)
    no_velocity, (x, y) = np.empty(0, np.float32), _batch(N)
    return partial(step, theta, no_velocity, x, y)


def row(N: int, bar: float) -> Row:
    n, m, k = WIDTHS
    (W1, b1), (W2, b2) = NETWORK.init(0, np.float32)
    return Row(
        f"mlp-batch{N}",
        # forward and the gradient of the weights in both layers, of the input in the second alone
        2 * N * (2 * n * m + 3 * m * k),
        # the weights are read twice and written once
        3 * 4 * (n * m + m * k),
        partial(_ours, N),
        {
            name: peer(f"with_{name}", "training_step", [W1, b1, W2, b2], LR, *_batch(N))
            for name in ("torch", "jax", "numpy")
        },
        {"torch": bar},
    )


ROWS = [row(64, 0.45), row(1, 0.07)]
