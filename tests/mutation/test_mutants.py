"""Would the tests notice? Each mutant changes one line of a copy of the package and must fail.

A row names a file, what stands there, what is put in its place, and the tests that have to
notice. What stands there must occur exactly once, so that the table cannot rot.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNITS = ["tests/feedforward/test_worked_numbers.py", "tests/feedforward/test_units_and_layers.py"]
GRADS = ["tests/feedforward/test_backpropagation.py", *UNITS]
LOSSES = ["tests/feedforward/test_losses.py", "tests/feedforward/test_worked_numbers.py"]
ACTIVATIONS = ["tests/feedforward/test_activations.py"]
TRAINING = ["tests/mutation/test_training_probe.py"]

MUTANTS = {
    # the layer
    "transposed weight, forward": (
        "kernels/reference.py",
        "z[...] = x @ W + b", "z[...] = x @ W.T.reshape(W.shape) + b", UNITS),
    "dropped bias": ("kernels/reference.py", "z[...] = x @ W + b", "z[...] = x @ W", UNITS),
    "wrong sign in a hidden layer's error": (
        "feedforward/backpropagation.py", "error = delta @ W.T", "error = -delta @ W.T", GRADS),
    "wrong sign of the bias": (
        "kernels/reference.py", "z[...] = x @ W + b", "z[...] = x @ W - b", UNITS),
    "unit without its bias": (
        "feedforward/unit.py", "z = x @ w + ", "z = x @ w + 0 * ", UNITS),
    # its gradients
    "transposed weight, backward": (
        "kernels/reference.py", "dx[...] = dz @ W.T", "dx[...] = dz @ W.reshape(W.T.shape)", GRADS),
    "wrong sign of dx": ("kernels/reference.py",
        "dx[...] = dz @ W.T", "dx[...] = -dz @ W.T", GRADS),
    "wrong sign of dW": ("kernels/reference.py",
        "dW[...] = x.T @ dz", "dW[...] = -x.T @ dz", GRADS),
    "mean for sum in db": (
        "kernels/reference.py", "db[...] = dz.sum(axis=0)", "db[...] = dz.mean(axis=0)", GRADS),
    "dropped activation derivative": (
        "feedforward/backpropagation.py", "delta = error * find(name).grad(seen.z)",
        "delta = error * 1", GRADS),
    "derivative of the output in place of the sum": (
        "feedforward/backpropagation.py", ".grad(seen.z)", ".grad(seen.y)", GRADS),
    # activations
    "sigmoid derivative without its square": (
        "feedforward/activations.py", "decay / (1 + decay) ** 2  # (3.32)",
        "decay / (1 + decay)  # (3.32)", ACTIVATIONS),
    "tanh derivative too small by four": (
        "feedforward/activations.py", "return 4 * decay", "return decay", ACTIVATIONS),
    "softmax along the wrong axis": (
        "feedforward/activations.py", "scores / scores.sum(axis=axis, keepdims=True)",
        "scores / scores.sum(axis=0, keepdims=True)", ACTIVATIONS),
    "softmax gradient without its sum": (
        "feedforward/activations.py", "y * (dy - (dy * y).sum(axis=axis, keepdims=True))",
        "y * dy", ACTIVATIONS),
    # losses
    "swapped arguments of binary cross entropy": (
        "feedforward/losses.py",
        'p, y = _pair(p, "p", y, "y")', 'y, p = _pair(p, "p", y, "y")', LOSSES),
    "wrong sign of the squared error's gradient": (
        "feedforward/losses.py", "return 2 * (p - y)", "return 2 * (y - p)", LOSSES),
    "squared error's gradient without its two": (
        "feedforward/losses.py", "return 2 * (p - y)", "return (p - y)", LOSSES),
    "wrong sign in the gradient of BCE on logits": (
        "feedforward/losses.py", "(sigmoid(z) - y)", "(y - sigmoid(z))", LOSSES),
    "BCE on logits without the target": (
        "feedforward/losses.py", "np.maximum(z, 0) - z * y", "np.maximum(z, 0) - z", LOSSES),
    "wrong sign in the gradient of cross entropy": (
        "feedforward/losses.py", "-y / probs", "y / probs", LOSSES),
    "cross entropy on logits without its logarithm": (
        "feedforward/losses.py", "each = log_sum * y.sum(axis=1) - ", "each = -", LOSSES),
    "sum for mean": (
        "feedforward/losses.py", 'per_example.mean() if reduction == "mean"',
        'per_example.sum() if reduction == "mean"', LOSSES),
    "gaussian without its half": (
        "feedforward/likelihood.py", "return deviation**2 / 2 +", "return deviation**2 +", LOSSES),
    # training steps
    "reference ascends": (
        "kernels/reference.py", "theta -= theta.dtype.type(lr) * gradient",
        "theta += theta.dtype.type(lr) * gradient", TRAINING),
    "step with swapped labels": (
        "kernels/reference.py", "np.eye(m, dtype=y.dtype)[labels]",
        "np.eye(m, dtype=y.dtype)[labels[::-1]]", TRAINING),
    "step with momentum that forgets": (
        "kernels/reference.py", "velocity *= theta.dtype.type(momentum)", "velocity *= 0",
        TRAINING),
    "step with transposed weights": (
        "kernels/reference.py", "dy = delta @ layers[layer][0].T",
        "dy = delta @ layers[layer][0].reshape(layers[layer][0].shape[::-1])", TRAINING),
    "step without its mean": (
        "kernels/reference.py", "/ N, dy / N", "/ N, dy", TRAINING),
    "step whose sigmoid has the slope of tanh": (
        "kernels/reference.py", "return y * (1 - y)  # (3.32)", "return 1 - y * y", TRAINING),
    "step with a dropped bias gradient": (
        "kernels/reference.py", "db[...] = delta.sum(axis=0)", "db[...] = 0", TRAINING),
    "descent uphill": (
        "training/descent.py", "theta - theta.dtype.type(lr) * g",
        "theta + theta.dtype.type(lr) * g", TRAINING),
    "momentum forgotten": (
        "training/descent.py", "v.dtype.type(momentum) * v -", "0 * v -", TRAINING),
    "layers of the gradient in the wrong order": (
        "network/chain.py", "*reversed(grads)", "*grads", TRAINING),
    "network's layer without its derivative": (
        "network/layer.py", "* find(self.activation).grad(trace.z)", "* 1", TRAINING),
    "early stopping keeps the last": (
        "training/fit.py", "run.best if patience else run.good", "run.good", TRAINING),
    "Glorot too wide": ("network/initial.py", "np.sqrt(6 / ", "np.sqrt(12 / ", TRAINING),
}  # fmt: skip


def outcome(package: Path, tests: list[str]) -> subprocess.CompletedProcess[str]:
    """Run tests against the package in a folder; stop at the first that fails."""
    return subprocess.run(
        [
            sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider",
            "-W", "ignore::pytest.PytestAssertRewriteWarning", "-c", str(ROOT / "pyproject.toml"),
            "--rootdir", str(ROOT), "-o", "addopts=--import-mode=importlib",
            *(str(ROOT / test) for test in tests),
        ],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package), "KETKAR_QUIET": "1",
             "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )  # fmt: skip


def copied(place: Path) -> Path:
    """A copy of the package that may be spoiled."""
    shutil.copytree(ROOT / "ketkar", place / "ketkar", ignore=shutil.ignore_patterns("__pycache__"))
    return place


def fate(place: Path, name: str) -> str:
    """What became of a mutant: empty if a test noticed it, else a sentence."""
    file, before, after, tests = MUTANTS[name]
    path = copied(place) / "ketkar" / file
    source = path.read_text(encoding="utf-8")
    if source.count(before) != 1:
        return f"{before!r} stands {source.count(before)} times in {file}; the table is out of date"
    path.write_text(source.replace(before, after), encoding="utf-8")
    done = outcome(place, tests)
    if done.returncode == 1 and " failed" in done.stdout:
        return ""
    return f"no test noticed it (pytest ended with {done.returncode})\n{done.stdout[-2000:]}"


@pytest.fixture(scope="module")
def fates(tmp_path_factory):
    """All mutants, two at a time."""
    places = [tmp_path_factory.mktemp("mutant") for _ in MUTANTS]
    with ThreadPoolExecutor(max_workers=2) as workers:
        return dict(zip(MUTANTS, workers.map(fate, places, MUTANTS), strict=True))


@pytest.mark.parametrize(
    "tests", [GRADS, LOSSES, ACTIVATIONS, TRAINING],
    ids=["gradients", "losses", "activations", "training"],
)  # fmt: skip
def test_the_tests_pass_on_an_unchanged_copy(tmp_path, tests):
    done = outcome(copied(tmp_path), tests)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_noticed(fates, name):
    assert not fates[name], fates[name]
