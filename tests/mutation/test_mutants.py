"""Would the tests notice? Each mutant changes one line of a copy of the package and must fail.

A row names a file, what stands there, what is put in its place, and the tests that have to
notice. What stands there must occur exactly once, so that the table cannot rot.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNITS = ["tests/feedforward/test_worked_numbers.py", "tests/feedforward/test_units_and_layers.py"]
GRADS = ["tests/feedforward/test_backpropagation.py", *UNITS]
LOSSES = ["tests/feedforward/test_losses.py", "tests/feedforward/test_worked_numbers.py"]
ACTIVATIONS = ["tests/feedforward/test_activations.py"]
TRAINING = ["tests/mutation/test_training_probe.py"]
CONVOLUTION = ["tests/convolutional/test_worked_numbers.py",
               "tests/convolutional/test_operation.py"]  # fmt: skip
POOLING = ["tests/convolutional/test_pooling.py"]
LAYERS = ["tests/convolutional/test_worked_numbers.py", "tests/convolutional/test_gradients.py"]
TILED = [f"{LAYERS[1]}::test_tiled_conv2d"]
LOCAL = [f"{LAYERS[1]}::test_locally_connected2d"]
BLOCKS = [f"{LAYERS[1]}::test_a_block"]
LOOPS = ["tests/recurrent/test_worked_numbers.py"]
THROUGH_TIME = ["tests/recurrent/test_gradients.py"]
PIECES = [f"{THROUGH_TIME[0]}::test_a_truncated_{net}_is_its_pieces" for net in ("rnn", "lstm")]
PAIRS = [f"{THROUGH_TIME[0]}::test_going_back_once_is_the_sum_over_all_pairs"]
FORCED = [f"{THROUGH_TIME[0]}::test_under_teacher_forcing_no_step_hears_from_a_later_one"]
IN_ONE_GO = [f"{THROUGH_TIME[0]}::test_in_one_go_as_in_steps"]
BOTH_WAYS = [f"{THROUGH_TIME[0]}::test_bidirectional"]
STEPS = ["tests/training/test_steps.py"]

MUTANTS = {
    # pooling
    "padding may win the maximum": (
        "kernels/reference.py", "y[...] = -np.inf", "y[...] = 0", POOLING),
    "all equal numbers win the maximum": (
        "kernels/reference.py", "waiting[there] &= ~wins", "waiting[there] &= True", POOLING),
    "L2 pooling with a mean": (
        "kernels/reference.py", "np.sqrt(y, out=y)  # (5.12)",
        "np.sqrt(y / (size[0] * size[1]), out=y)", POOLING),
    "shares of an average not divided": (
        "kernels/reference.py", "shares = dy / _counts(", "shares = dy + 0 * _counts(", POOLING),
    "a window that begins behind the image": (
        "convolutional/pooled.py", "return count - 1 if begins_behind else count",
        "return count", POOLING),
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
        "network/chain.py", "_params_type(self.names)(*grads)",
        "_params_type(self.names)(*reversed(grads))", TRAINING),
    "network's layer without its derivative": (
        "network/layer.py", "* find(self.activation).grad(trace.z)", "* 1", TRAINING),
    "early stopping keeps the last": (
        "training/fit.py", "run.best if patience else run.good", "run.good", TRAINING),
    "Glorot too wide": ("network/initial.py", "np.sqrt(6 / ", "np.sqrt(12 / ", TRAINING),
    # convolution
    "kernel flipped where it is a cross-correlation": (
        "convolutional/operation.py", "I * K[a]  # (5.3)", "I * K[k - 1 - a]  # (5.3)",
        CONVOLUTION),
    "kernel not flipped where it is a convolution": (
        "convolutional/operation.py", "I * K[a]  # (5.2)", "I * K[k - 1 - a]  # (5.2)",
        CONVOLUTION),
    "matrix of the flipped kernel": (
        "convolutional/operation.py", "= K[a]  # (5.8)", "= K[k - 1 - a]  # (5.8)", CONVOLUTION),
    "layer that flips its kernel": (
        "kernels/reference.py",
        "tap = _by_group(K[:, :, r, s], geometry)\n        y +=",
        "tap = _by_group(K[:, :, -1 - r, -1 - s], geometry)\n        y +=", LAYERS),
    "layer whose kernel has rows and columns swapped": (
        "kernels/reference.py",
        "tap = _by_group(K[:, :, r, s], geometry)\n        y +=",
        "tap = _by_group(K[:, :, s % K.shape[2], r % K.shape[3]], geometry)\n        y +=",
        LAYERS),
    "layer without its bias": (
        "kernels/reference.py", "y[...] = b[:, None, None]", "y[...] = 0", LAYERS),
    "padding one row too low": (
        "kernels/reference.py", "(geometry.top, geometry.bottom)",
        "(geometry.top + 1, geometry.bottom)", LAYERS),
    "padding of left and right swapped": (
        "kernels/reference.py", "(geometry.left, geometry.right)",
        "(geometry.right, geometry.left)", LAYERS),
    "gradient of the image off by one row": (
        "kernels/reference.py", "dpadded[:, :, geometry.top :, geometry.left :]",
        "dpadded[:, :, max(0, geometry.top - 1) :, geometry.left :]", LAYERS),
    "dilation forgotten": (
        "kernels/reference.py", "row, column = r * geometry.dilation_rows,", "row, column = r,",
        LAYERS),
    "dilations swapped": (
        "kernels/reference.py",
        "r * geometry.dilation_rows, s * geometry.dilation_columns",
        "r * geometry.dilation_columns, s * geometry.dilation_rows", LAYERS),
    "kernel gradient of one example": (
        "kernels/reference.py", "each.sum(axis=0).reshape(dK", "each[0].reshape(dK", LAYERS),
    "bias gradient of one example": (
        "kernels/reference.py", "db[...] = dy.sum(axis=(0, 2, 3))",
        "db[...] = dy[0].sum(axis=(1, 2))", LAYERS),
    "no bias gradient": (
        "kernels/reference.py", "db[...] = dy.sum(axis=(0, 2, 3))", "db[...] = 0", LAYERS),
    "strides swapped": (
        "convolutional/window.py", "stride_rows, stride_columns = pair(",
        "stride_columns, stride_rows = pair(", LAYERS),
    "odd zero of same padding at the top": (
        "convolutional/window.py", "return total // 2, total - total // 2",
        "return total - total // 2, total // 2", LAYERS),
    "groups dropped": (
        "convolutional/operands.py",
        "geometry = place(x.shape[2:], K.shape[2:], stride, padding, dilation, groups)",
        "geometry = place(x.shape[2:], K.shape[2:], stride, padding, dilation)", LAYERS),
    "groups in the wrong order": (
        "kernels/reference.py", "y += (tap @ seen).reshape(y.shape)",
        "y += (tap[::-1] @ seen).reshape(y.shape)", LAYERS),
    "transposed layer without its bias": (
        "convolutional/transpose.py", "y += b[:, None, None]", "y += 0", LAYERS),
    "tiled layer with its turns transposed": (
        "convolutional/variants.py", "conv2d(part, K[p, q], b,", "conv2d(part, K[q, p], b,",
        LAYERS),
    "tiled layer whose image keeps the last gradient": (
        "convolutional/variants.py", "dpart += grads.x", "dpart[...] = grads.x", TILED),
    "locally connected gradient without its overlaps": (
        "convolutional/variants.py", "+ K.shape[5]] += drows[i, j]",
        "+ K.shape[5]] = drows[i, j]", LOCAL),
    "block without the detector's slope": (
        "convolutional/block.py", "dz = da * detector.grad(z)", "dz = da", BLOCKS),
    "receptive field that forgets the strides": (
        "convolutional/arithmetic.py", "jump *= stride", "jump *= 1", CONVOLUTION),
    "connections to the padding counted": (
        "convolutional/arithmetic.py", "np.minimum(start + k, n)", "(start + k)", CONVOLUTION),
    "parameters without the groups": (
        "convolutional/arithmetic.py", "(C // groups)", "C", CONVOLUTION),
    # recurrences
    "recurrence with a transposed W": (
        "kernels/recurrence.py", "h[t] @ W.T + b)", "h[t] @ W + b)", LOOPS),
    "recurrence without its memory": (
        "kernels/recurrence.py", "h[t] @ W.T + b)", "0 * h[t] @ W.T + b)", LOOPS),
    "a step that is not there is taken": (
        "kernels/recurrence.py", "np.where(mask[t, :, None], h[t + 1], h[t])", "h[t + 1]", LOOPS),
    "no slope of tanh on the way back": (
        "kernels/recurrence.py", "total * (1 - h[t + 1] ** 2), 0)", "total, 0)", THROUGH_TIME),
    "slope of tanh at the state before": (
        "kernels/recurrence.py", "(1 - h[t + 1] ** 2)", "(1 - h[t] ** 2)", THROUGH_TIME),
    "way back through a transposed W": (
        "kernels/recurrence.py", "dh[t] @ W, total)", "dh[t] @ W.T, total)", THROUGH_TIME),
    "error of a step that is not there": (
        "kernels/recurrence.py", "total * (1 - h[t + 1] ** 2), 0)",
        "total * (1 - h[t + 1] ** 2), total)", THROUGH_TIME),
    "a step that is not there passes nothing on": (
        "kernels/recurrence.py", "carried = np.where(there, dh[t] @ W, total)",
        "carried = dh[t] @ W", THROUGH_TIME),
    "recurrence not cut": (
        "kernels/recurrence.py",
        "carried = np.where(there, dh[t] @ W, total)\n        if stop and",
        "carried = np.where(there, dh[t] @ W, total)\n        if not stop and", PIECES),
    "recurrence cut one step late": (
        "kernels/recurrence.py",
        "dh[t] @ W, total)\n        if stop and t % stop == 0 and t:",
        "dh[t] @ W, total)\n        if stop and t % stop == 1:", PIECES),
    "W with the states after the steps": (
        "kernels/recurrence.py", "rows.T @ states[:-1]", "rows.T @ states[1:]", THROUGH_TIME),
    "mean of the steps for their sum": (
        "kernels/recurrence.py", "db[...] = rows.sum(axis=0)  # (6.18)",
        "db[...] = rows.mean(axis=0)", THROUGH_TIME),
    "loss whose error misses the label": (
        "kernels/recurrence.py", "dz[rows, labels] -= 1", "dz[rows, labels] -= 0.5", LOOPS),
    "softmax error without its mean": (
        "kernels/recurrence.py", "y * (dy - (dy * y).sum(axis=1, keepdims=True))", "y * dy",
        THROUGH_TIME),
    # LSTM
    "gates f and o swapped": (
        "kernels/recurrence.py", "z, i, f, o = (gates[t, :, k] for k in range(4))",
        "z, i, o, f = (gates[t, :, k] for k in range(4))", LOOPS),
    "cell that forgets where it should take in": (
        "kernels/recurrence.py", "c[t + 1] = i * z + f * c[t]  # (6.24)",
        "c[t + 1] = f * z + i * c[t]", LOOPS),
    "cell without its memory": (
        "kernels/recurrence.py", "c[t + 1] = i * z + f * c[t]  # (6.24)", "c[t + 1] = i * z",
        LOOPS),
    "output gate that sees the old cell": (
        "kernels/recurrence.py", "p[2] * c[t + 1], o)", "p[2] * c[t], o)", LOOPS),
    "input gate that sees the wrong peephole": (
        "kernels/recurrence.py", "sums[:, 1] + p[0] * c[t]", "sums[:, 1] + p[1] * c[t]", LOOPS),
    "output without the tanh of the cell": (
        "kernels/recurrence.py", "y[t + 1] = o * np.tanh(c[t + 1])", "y[t + 1] = o * c[t + 1]",
        LOOPS),
    "no error along the cell": (
        "kernels/recurrence.py", "dcell * f + di * p[0] + df * p[1], dc)",
        "di * p[0] + df * p[1], dc)", THROUGH_TIME),
    "no error through the peepholes": (
        "kernels/recurrence.py", "dcell * f + di * p[0] + df * p[1], dc)", "dcell * f, dc)",
        THROUGH_TIME),
    "no error through the peephole of the output gate": (
        "kernels/recurrence.py", "(1 - squashed**2) + do * p[2]", "(1 - squashed**2)",
        THROUGH_TIME),
    "peephole of o with the old cell": (
        "kernels/recurrence.py", "(do * c[t + 1]).sum(0)", "(do * c[t]).sum(0)", THROUGH_TIME),
    "forget gate blamed for the new cell": (
        "kernels/recurrence.py", "df = dcell * c[t] * f", "df = dcell * c[t + 1] * f",
        THROUGH_TIME),
    "cell not cut": (
        "kernels/recurrence.py", "            dc[...] = 0\n", "", PIECES),
    "cell of a step that is not there": (
        "kernels/recurrence.py", "c[t + 1] = np.where(there, c[t + 1], c[t])", "pass", LOOPS),
    # directions, teachers, lengths, clipping
    "backward state in the wrong order": (
        "recurrent/bidirectional.py", "hb[::-1] @ p.Vb.T", "hb @ p.Vb.T", LOOPS),
    "error of the backward state in the wrong order": (
        "recurrent/bidirectional.py", "first.x + second.x[::-1]", "first.x + second.x",
        BOTH_WAYS),
    "mask not turned round": (
        "recurrent/bidirectional.py", "there[::-1]", "there", LOOPS),
    "teacher one step early": (
        "recurrent/output_recurrence.py", "fed[1:] = known[:-1]", "fed[1:] = known[1:]", LOOPS),
    "blame passed on under teacher forcing": (
        "recurrent/output_recurrence.py", "if forced and t else dz[t] @ p.W",
        "if False else dz[t] @ p.W", FORCED),
    "product of Jacobians in the wrong order": (
        "recurrent/gradients.py", "product = product @ _jacobian(h[k, n], p.W)",
        "product = _jacobian(h[k, n], p.W) @ product", PAIRS),
    "initial state of all sequences by one gradient": (
        "recurrent/operands.py", "else gradient.sum(axis=0)", "else gradient[0]", THROUGH_TIME),
    "state not carried from piece to piece": (
        "recurrent/value_and_grad.py", "        now = h[-1].copy()\n", "", IN_ONE_GO),
    "mean over steps that are not there": (
        "recurrent/value_and_grad.py", "counted = int(self.mask.sum()) if",
        "counted = self.mask.size if", IN_ONE_GO),
    "clipping by each array alone": (
        "recurrent/clipping.py", "largest * float(np.sqrt(sum(squares)))",
        "largest * float(np.sqrt(max(squares)))", LOOPS),
    "radius by singular values": (
        "recurrent/gradients.py", 'np.linalg.eigvals(_finite(W, "W"))',
        'np.linalg.svd(_finite(W, "W"))[1]', LOOPS),
    "Adam without its correction of the mean": (
        "training/steps.py", "lr / (1 - BETA_1**t)", "lr / (1 - BETA_1)", STEPS),
    "walk without clipping": (
        "training/steps.py", "clip_grad_norm(grads, max_norm).grads", "grads", STEPS),
}  # fmt: skip


class Runner:
    """A process that runs tests against copies of the package."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("runner.py"))],
            env={**os.environ, "KETKAR_QUIET": "1", "KETKAR_TEST_WITHOUT_COMPILING": "1",
                 "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1",
                 "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def outcome(self, package: Path, tests: list[str]) -> tuple[int, str]:
        """The status of pytest and what it wrote; it stops at the first test that fails."""
        assert self.process.stdin
        assert self.process.stdout
        options = [
            "-x", "-q", "--no-header", "--assert=plain", "-p", "no:cacheprovider",
            "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT),
            "-o", "addopts=--import-mode=importlib", *(str(ROOT / test) for test in tests),
        ]  # fmt: skip
        self.process.stdin.write(json.dumps([str(package), options]) + "\n")
        self.process.stdin.flush()
        status, output = json.loads(self.process.stdout.readline())
        return status, output

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


@pytest.fixture(scope="module")
def runners() -> Iterator[list[Runner]]:
    """One for each of two processors."""
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    both = [Runner(), Runner()]
    yield both
    for runner in both:
        runner.close()


def copied(place: Path) -> Path:
    """A copy of the package that may be spoiled; Python reads anew only what has changed since."""
    shutil.copytree(ROOT / "ketkar", place / "ketkar", ignore=shutil.ignore_patterns("*.nb?"))
    return place


def fate(runner: Runner, place: Path, name: str) -> str:
    """What became of a mutant: empty if a test noticed it, else a sentence."""
    file, before, after, tests = MUTANTS[name]
    path = copied(place) / "ketkar" / file
    source = path.read_text(encoding="utf-8")
    if source.count(before) != 1:
        return f"{before!r} stands {source.count(before)} times in {file}; the table is out of date"
    path.write_text(source.replace(before, after), encoding="utf-8")
    status, output = runner.outcome(place, tests)
    if status == 1 and " failed" in output:
        return ""
    return f"no test noticed it (pytest ended with {status})\n{output[-2000:]}"


@pytest.fixture(scope="module")
def fates(tmp_path_factory, runners):
    """All mutants, two at a time."""
    places = {name: tmp_path_factory.mktemp("mutant") for name in MUTANTS}

    def half(first):
        names = list(MUTANTS)[first::2]
        return {name: fate(runners[first], places[name], name) for name in names}

    with ThreadPoolExecutor(max_workers=2) as workers:
        even, odd = workers.map(half, range(2))
    return even | odd


@pytest.mark.parametrize(
    "tests",
    [GRADS, LOSSES, ACTIVATIONS, TRAINING, CONVOLUTION, LAYERS, LOOPS, THROUGH_TIME, STEPS],
    ids=["gradients", "losses", "activations", "training", "convolution", "layers", "loops",
         "through time", "steps"],
)  # fmt: skip
def test_the_tests_pass_on_an_unchanged_copy(tmp_path, runners, tests):
    status, output = runners[0].outcome(copied(tmp_path), tests)
    assert status == 0, output[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_noticed(fates, name):
    assert not fates[name], fates[name]
