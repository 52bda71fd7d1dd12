"""The CUDA kernels on a real GPU: against the reference, on arrays of all kinds, and watched."""

from __future__ import annotations

import importlib
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from ketkar import convolutional, recurrent
from ketkar.kernels.driver import why_not
from ketkar.network import AvgPool2d, Conv2d, Dense, Flatten, chain, flatten
from ketkar.training import training_step

WHY_NOT = why_not()
if WHY_NOT:
    pytest.skip(WHY_NOT, allow_module_level=True)
pytestmark = pytest.mark.gpu

TABLE = Path(__file__).with_name("cases.py")
CASES = runpy.run_path(str(TABLE))["CASES"]
DTYPES = (np.float32, np.float64)


@pytest.fixture
def kernels():
    return importlib.import_module("ketkar.kernels.cuda")


class Library(NamedTuple):
    """How arrays get to a device and back, and where they are there."""

    send: Any
    fetch: Any
    pointer: Any


def _library(name: str) -> Library:
    from numba import cuda

    if name == "numba":
        return Library(
            cuda.to_device,
            lambda array: array.copy_to_host(),
            lambda array: array.__cuda_array_interface__["data"][0],
        )
    if name == "cupy":
        cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
        return Library(cupy.asarray, cupy.asnumpy, lambda array: array.data.ptr)
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    if not torch.cuda.is_available():
        pytest.skip("this PyTorch was built for the processor alone")
    tensors = {}

    def send(array: Any) -> Any:
        """The kernels are handed a view of the tensor's own memory."""
        tensor = torch.from_numpy(array).to("cuda")
        view = cuda.as_cuda_array(tensor)
        tensors[id(view)] = view, tensor
        return view

    return Library(
        send,
        lambda view: tensors[id(view)][1].cpu().numpy(),
        lambda view: tensors[id(view)][1].data_ptr(),
    )


@pytest.fixture(params=["numba", "cupy", "torch"])
def library(request):
    return _library(request.param)


@pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=str)
class TestEveryCase:
    def test_numpy_arrays_go_there_and_come_back(self, case, dtype, kernels, assert_close):
        found, again = case.run(kernels, dtype), case.run(kernels, dtype)
        expected = case.expected(dtype)
        assert list(found) == list(expected)
        for name, value in expected.items():
            if name != "returned":
                assert found[name].dtype == dtype
            assert_close(found[name], value, dtype, name)
            # no sum depends on the order in which threads happen to run
            np.testing.assert_array_equal(found[name], again[name], name)

    def test_arrays_of_a_device_are_filled_where_they_are(
        self, case, dtype, kernels, library, assert_close
    ):
        sent: list[tuple[Any, int]] = []

        def send(array: Any) -> Any:
            there = library.send(array)
            sent.append((there, library.pointer(there)))
            return there

        found = case.run(kernels, dtype, send, library.fetch)
        assert all(library.pointer(there) == before for there, before in sent)
        for name, value in case.expected(dtype).items():
            assert_close(found[name], value, dtype, name)


def _cupy() -> Any:
    return pytest.importorskip("cupy", reason="CuPy is not installed")


def _torch() -> Any:
    """PyTorch; the chapters see its tensors as arrays of CuPy."""
    _cupy()
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    if not torch.cuda.is_available():
        pytest.skip("this PyTorch was built for the processor alone")
    return torch


class Kind(NamedTuple):
    """Arrays of one library: how to make one of NumPy's, and copy it back; where it is."""

    type: Any
    make: Any
    get: Any
    pointer: Any


@pytest.fixture(params=["cupy", "torch"])
def kind(request):
    if request.param == "cupy":
        cupy = _cupy()
        return Kind(cupy.ndarray, cupy.asarray, cupy.asnumpy, lambda array: array.data.ptr)
    torch = _torch()
    return Kind(
        torch.Tensor,
        lambda array: torch.from_numpy(array).to("cuda"),
        lambda tensor: tensor.cpu().numpy(),
        lambda tensor: tensor.data_ptr(),
    )


class TestChapters:
    """The functions of the chapters answer in the kind of array that they are given."""

    @pytest.mark.parametrize("backend", ["auto", "cuda"])
    def test_like_for_like(self, kind, backend, assert_close):
        rng = np.random.default_rng(0)
        x, K, b = (rng.standard_normal(s) for s in ((2, 3, 9, 8), (4, 3, 3, 3), (4,)))
        found = convolutional.conv2d(*map(kind.make, (x, K, b)), padding=1, backend=backend)
        expected = convolutional.conv2d(x, K, b, padding=1, backend="numpy")
        pooled = convolutional.max_pool2d(found, 2, backend=backend)
        for array, wanted in (
            (found, expected),
            (pooled, convolutional.max_pool2d(expected, 2, backend="numpy")),
        ):
            assert isinstance(array, kind.type)
            assert_close(kind.get(array), wanted, np.float64)

    def test_what_is_not_there_stays_away(self, kind, assert_close):
        """Without a mask, with no initial state: arrays of no elements reach the kernels."""
        x = np.random.default_rng(0).standard_normal((5, 2, 3))
        params = recurrent.lstm_params(3, 4, rng=0, peepholes=False)
        there = params._replace(
            **{k: kind.make(v) for k, v in params._asdict().items() if v is not None}
        )
        y, trace = recurrent.lstm_forward(there, kind.make(x))
        grads = recurrent.lstm_backward(there, y, trace)
        expected, its_trace = recurrent.lstm_forward(params, x, backend="numpy")
        wanted = recurrent.lstm_backward(params, expected, its_trace, backend="numpy")
        assert_close(kind.get(y), expected, np.float64)
        assert_close(kind.get(grads.x), wanted.x, np.float64)
        assert_close(kind.get(grads.params.Rf), wanted.params.Rf, np.float64)

    def test_numpy_in_numpy_out(self, assert_close):
        rng = np.random.default_rng(0)
        x = rng.standard_normal((5, 2, 3))
        params = recurrent.lstm_params(3, 4, rng=0)
        y, _ = recurrent.lstm_forward(params, x, backend="cuda")
        assert type(y) is np.ndarray
        assert_close(y, recurrent.lstm_forward(params, x, backend="numpy")[0], np.float64)


class TestStreams:
    """The current stream does not wait for others, and is busy when the kernel is started on it."""

    def test_cupys(self):
        cupy = _cupy()
        x = cupy.zeros((64, 32, 56, 56), cupy.float32)
        busy = cupy.ones((4096, 4096), cupy.float32)
        stream = cupy.cuda.Stream(non_blocking=True)
        convolutional.max_pool2d(x, 2)  # compiled before
        cupy.cuda.Device().synchronize()
        with stream:
            for _ in range(20):
                busy = busy @ busy
                busy /= busy.max()
            x += 1
            y = convolutional.max_pool2d(x, 2)
            y *= 2
        stream.synchronize()
        assert bool((y == 2).all())

    def test_torchs(self):
        torch = _torch()
        x = torch.zeros((64, 32, 56, 56), device="cuda")
        busy = torch.ones((4096, 4096), device="cuda")
        convolutional.max_pool2d(x, 2)
        torch.cuda.synchronize()
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            for _ in range(20):
                busy = busy @ busy
                busy /= busy.max()
            x += 1
            y = convolutional.max_pool2d(x, 2)
            y *= 2
        stream.synchronize()
        assert bool((y == 2).all())


NETWORKS = {
    "dense": (chain(Dense(20, 33, "relu"), Dense(33, 5)), (20,)),
    "convolutional": (
        chain(Conv2d(1, 3, 3, activation="tanh"), AvgPool2d(2), Flatten(), Dense(75, 5)),
        (1, 12, 12),
    ),
}


class TestTraining:
    """Whole steps, several of them, from the same parameters."""

    @pytest.fixture(params=list(NETWORKS))
    def problem(self, request):
        network, shape = NETWORKS[request.param]
        rng = np.random.default_rng(0)
        return network, rng.standard_normal((17, *shape)), rng.integers(0, 5, 17)

    def steps(self, network, backend, theta, velocity, x, y):
        step = training_step(network, loss="cross_entropy", lr=0.1, momentum=0.5, backend=backend)
        return [float(step(theta, velocity, x, y)) for _ in range(5)]

    @pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])
    def test_numpy(self, problem, dtype, assert_close):
        network, x, y = problem
        start = flatten(network.init(0, dtype))
        results = {}
        for backend in ("numpy", "cuda"):
            theta = start.copy()
            losses = self.steps(network, backend, theta, np.zeros_like(theta), x.astype(dtype), y)
            results[backend] = theta, losses
        for found, expected in zip(results["cuda"], results["numpy"], strict=True):
            assert_close(found, expected, dtype)

    def test_in_place(self, problem, kind, assert_close):
        network, x, y = problem
        start = flatten(network.init(0))
        expected = start.copy()
        losses = self.steps(network, "numpy", expected, np.zeros_like(expected), x, y)
        theta = kind.make(start)
        before = kind.pointer(theta)
        there = map(kind.make, (np.zeros_like(start), x, y))
        assert_close(self.steps(network, "auto", theta, *there), losses, np.float64)
        assert kind.pointer(theta) == before
        assert_close(kind.get(theta), expected, np.float64)


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["memcheck", "racecheck"])
def test_a_sanitizer_finds_nothing(tool):
    """No access outside of an array, and no two threads at one place of shared memory."""
    sanitizer = shutil.which("compute-sanitizer")
    if sanitizer is None:
        pytest.skip("compute-sanitizer of the CUDA toolkit is not on the path")
    options = ["--tool", tool, "--error-exitcode", "3", "--report-api-errors", "no"]
    if tool == "racecheck":
        options = options[:-2]
    done = subprocess.run(
        [sanitizer, *options, sys.executable, str(TABLE)],
        capture_output=True, text=True, timeout=1800, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "all small calls were made" in done.stdout
