"""Chapter 3: one training step of a 784-128-10 network, relu and softmax cross entropy, float32."""

import importlib.util
from functools import partial
from typing import Any

import numpy as np

from benchmarks.rows import Pair, Row
from ketkar.network import Dense, chain, flatten
from ketkar.training import training_step

WIDTHS = 784, 128, 10
LR = 0.01


def _batch(N: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.random((N, WIDTHS[0]), np.float32), rng.integers(0, WIDTHS[2], N)


def _ours(N: int) -> Any:
    x, y = _batch(N)
    network = chain(Dense(*WIDTHS[:2], activation="relu"), Dense(*WIDTHS[1:]))
    theta = flatten(network.init(0, np.float32))
    step = training_step(network, loss="cross_entropy", lr=LR)
    return partial(step, theta, np.empty(0, np.float32), x, y)


def _torch(N: int, threads: int) -> Any:
    import torch

    torch.set_num_threads(threads)
    x, y = map(torch.from_numpy, _batch(N))
    network = torch.nn.Sequential(
        torch.nn.Linear(*WIDTHS[:2]), torch.nn.ReLU(), torch.nn.Linear(*WIDTHS[1:])
    )
    loss, optimiser = torch.nn.CrossEntropyLoss(), torch.optim.SGD(network.parameters(), lr=LR)

    def step() -> None:
        optimiser.zero_grad()
        loss(network(x), y).backward()
        optimiser.step()

    return step


def _pair(N: int, threads: int) -> Pair:
    there = importlib.util.find_spec("torch") is not None
    return Pair(_ours(N), _torch(N, threads) if there else None)


def _row(N: int) -> Row:
    n, m, k = WIDTHS
    # forward and the gradient of the weights in both layers, of the input in the second alone
    flops = 2 * N * (2 * n * m + 3 * m * k)
    # the weights are read twice and written once
    return Row(f"mlp-batch{N}", "torch", flops, 3 * 4 * (n * m + m * k), True, partial(_pair, N))


ROWS = [_row(64), _row(1)]
