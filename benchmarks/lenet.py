"""LeNet-5 on the whole of MNIST: how well it reads after each epoch, and how long an epoch takes.

    python -m benchmarks.lenet --data DIR --json benchmarks/results/lenet5_mnist.json

DIR holds MNIST's four files. The network is that of :func:`ketkar.systems.lenet5`, trained by
:func:`ketkar.systems.train_lenet5`. Where PyTorch is installed it trains the same network from the
same weights on the same batches with the same steps, an epoch of ours and an epoch of theirs by
turns; ``--alone`` leaves it out. The time of an epoch is that of its steps, without the test.
In the first epoch both do the same arithmetic; when the rate falls, our momentum keeps the old step
and PyTorch's the old gradient, so that from then on the losses differ a little.

How the result is read::

    result = json.loads(Path("benchmarks/results/lenet5_mnist.json").read_text())
    result["runs"][0]["ours"]["accuracy"]   # on the test images, one number an epoch
    result["runs"][0]["ours"]["seconds"]    # an epoch
    result["runs"][0]["ours"]["loss"]       # the mean over the steps of an epoch
    result["runs"][0].get("torch")          # the same keys; not there where it was left out
    result["runs"][0]["seed"]
    result["filters"]                       # 6 kernels of 5 x 5 weights: the first layer, first run
    result["mistakes"]                      # index of the test image, digit, answer: first run
    result["confusion"]                     # 10 x 10, digit by answer: first run
    result["machine"], result["versions"], result["setup"]

Every seed has a run; what holds for the first run alone says so.
"""

import argparse
import importlib.util
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import machine, versions
from ketkar.datasets import mnist
from ketkar.datasets.dataset import Split
from ketkar.network import count_parameters
from ketkar.systems import falling_rates, lenet5, train_lenet5
from ketkar.training import accuracy, confusion_matrix, iterate_minibatches, predict_class

BATCH, MOMENTUM, HIGHEST = 64, 0.9, 0.05
Curves = dict[str, list[float]]


def _with_torch(params: Any, data: Split, rng: np.random.Generator, rates: list[float]) -> Any:
    """PyTorch's epochs, one at each `next`: its seconds, its mean loss, its accuracy."""
    import torch
    from torch import nn

    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    ours = [array for layer in params for array in layer]
    with torch.no_grad():
        for theirs, array in zip(net.parameters(), ours, strict=True):
            theirs.copy_(torch.from_numpy(np.array(array.T if array.ndim == 2 else array)))
    optimiser = torch.optim.SGD(net.parameters(), lr=rates[0], momentum=MOMENTUM)
    loss_of = nn.CrossEntropyLoss()
    (x, y), (test_x, test_y) = data

    def epochs() -> Iterator[tuple[float, float, float]]:
        for rate in rates:
            optimiser.param_groups[0]["lr"] = rate
            total, start = 0.0, time.perf_counter()
            for xb, yb in iterate_minibatches(x, y, BATCH, rng):
                optimiser.zero_grad()
                loss = loss_of(net(torch.from_numpy(xb)), torch.from_numpy(yb))
                loss.backward()
                optimiser.step()
                total += loss.item() * len(xb)
            taken = time.perf_counter() - start
            with torch.inference_mode():
                parts = np.array_split(test_x, 10)
                found = [net(torch.from_numpy(part)).argmax(1) for part in parts]
            right = (torch.cat(found).numpy() == test_y).mean()
            yield taken, total / len(x), float(right)

    return epochs()


def _run(data: Split, seed: int, epochs: int, alone: bool) -> tuple[dict[str, Any], Any]:
    """One seed: the curves, and the parameters at the end."""
    network, rates = lenet5(), falling_rates(epochs, HIGHEST)
    ours: Curves = {"accuracy": [], "seconds": [], "loss": []}
    theirs: Curves = {"accuracy": [], "seconds": [], "loss": []}
    same_rng = np.random.default_rng(seed)  # fit's: the weights first, then the orders
    start_params = network.init(same_rng, np.float32)
    peer = None if alone else _with_torch(start_params, data, same_rng, rates)
    if seed == 0:  # compile, unmeasured
        train_lenet5(network, data.train.x[:128], data.train.y[:128], rng=0, epochs=1)
    start = time.perf_counter()

    def after_epoch(epoch: int, params: Any) -> None:
        nonlocal start
        ours["seconds"].append(time.perf_counter() - start)
        ours["accuracy"].append(accuracy(network, params, *data.test))
        line = f"seed {seed} epoch {epoch}: ours {ours['accuracy'][-1]:.2%}"
        line += f" in {ours['seconds'][-1]:.1f} s"
        if peer is not None:
            taken, loss, right = next(peer)
            for name, value in (("accuracy", right), ("seconds", taken), ("loss", loss)):
                theirs[name].append(value)
            line += f"; torch {right:.2%} in {taken:.1f} s"
        print(line, flush=True)
        start = time.perf_counter()

    run = train_lenet5(
        network, *data.train, rng=seed, epochs=epochs, lr=rates, momentum=MOMENTUM,
        batch_size=BATCH, callback=after_epoch, progress=False,
    )  # fmt: skip
    ours["loss"] = run.history.loss.tolist()
    curves: dict[str, Any] = {"seed": seed, "ours": ours}
    return curves if alone else {**curves, "torch": theirs}, run.params


def _seen(data: Split, params: Any) -> dict[str, Any]:
    """What the trained network looks for, and what it takes for what."""
    found = predict_class(lenet5(), params, data.test.x)
    digits = data.test.y
    return {
        "filters": np.round(params[0].K[:, 0], 5).astype(float).tolist(),
        "mistakes": [
            {"index": int(i), "digit": int(digits[i]), "answer": int(found[i])}
            for i in np.flatnonzero(found != digits)
        ],
        "confusion": confusion_matrix(digits, found, 10).tolist(),
    }


def measure(data: Split, seeds: int, epochs: int, alone: bool) -> Iterator[dict[str, Any]]:
    """The result after each seed."""
    result: dict[str, Any] = {
        "machine": machine([]),
        "versions": versions(),
        "setup": {
            "parameters": count_parameters(lenet5().init(0)), "examples": len(data.train.x),
            "test_examples": len(data.test.x), "epochs": epochs, "batch_size": BATCH,
            "momentum": MOMENTUM, "learning_rates": falling_rates(epochs, HIGHEST),
        },
        "runs": [],
    }  # fmt: skip
    for seed in range(seeds):
        curves, params = _run(data, seed, epochs, alone)
        result["runs"].append(curves)
        if seed == 0:
            result |= _seen(data, params)
        yield result


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lenet", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, metavar="DIR", help="the folder of MNIST's files")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result here")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="default: 3")
    parser.add_argument("--epochs", type=int, default=10, metavar="N", help="default: 10")
    parser.add_argument("--alone", action="store_true", help="without PyTorch")
    given = parser.parse_args()
    alone = given.alone or importlib.util.find_spec("torch") is None
    data = mnist(given.data)
    for result in measure(data, given.seeds, given.epochs, alone):
        if given.json:
            given.json.parent.mkdir(parents=True, exist_ok=True)
            given.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    last = [run["ours"]["accuracy"][-1] for run in result["runs"]]
    print(f"accuracy after {given.epochs} epochs: {min(last):.2%} to {max(last):.2%}")


if __name__ == "__main__":
    main()
