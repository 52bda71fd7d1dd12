"""The pretended GPU: does it notice what a kernel can do wrong?"""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="Numba is not installed")

from ketkar import arrays
from ketkar.kernels.cuda.kernel import KERNELS, Kernel
from ketkar.kernels.cuda.memory import scratch
from ketkar.kernels.cuda.provider import cuda
from ketkar.kernels.cuda.simulator import BarrierError, SimulatedArray
from ketkar.kernels.simulation import ORDERS, simulate, simulation

pytestmark = pytest.mark.cuda


def kernel(arguments, threads):
    """As `ketkar.kernels.cuda.kernel.kernel`, but not one of the package's kernels."""

    def define(write):
        made = Kernel(write, arguments, threads)
        KERNELS.remove(made)
        return made

    return define


@kernel("T1 T1 i", threads=8)
def turned(T):
    """Each block turns eight numbers around in shared memory."""

    def body(x, y, waits):
        near = cuda.shared.array(8, T)
        t = cuda.threadIdx.x
        near[t] = x[cuda.blockIdx.x * 8 + t]
        if waits:
            cuda.syncthreads()
        y[cuda.blockIdx.x * 8 + t] = near[7 - t]

    return body


@kernel("T1 T1", threads=4)
def hasty(T):
    """Some threads wait, some do not."""

    def body(x, y):
        if cuda.threadIdx.x < 2:
            cuda.syncthreads()
        y[cuda.threadIdx.x] = x[cuda.threadIdx.x]

    return body


@kernel("T1 T1", threads=4)
def reaching_out(T):
    def body(x, y):
        y[cuda.threadIdx.x + 1] = x[cuda.threadIdx.x]

    return body


@kernel("T1 T1", threads=4)
def unwritten(T):
    def body(x, y):
        own = cuda.local.array(2, T)
        own[0] = x[cuda.threadIdx.x]
        y[cuda.threadIdx.x] = own[0] + own[1]

    return body


@kernel("T1 I1 i", threads=2)
def who_was_last(T):
    def body(x, last, unused):
        last[0] = cuda.blockIdx.x * 2 + cuda.threadIdx.x

    return body


X = np.arange(16, dtype=np.float32)


@pytest.mark.parametrize("order", ORDERS)
def test_with_its_barrier_a_kernel_gives_one_answer_and_without_it_nan(order):
    y = np.zeros_like(X)
    with simulate(order, seed=3):
        turned(2, X, y, 1)
        np.testing.assert_array_equal(y, [*range(7, -1, -1), *range(15, 7, -1)])
        turned(2, X, y, 0)
    assert np.isnan(y).any()


def test_threads_that_wait_for_ever_are_an_error():
    with simulate(), pytest.raises(BarrierError, match="2 of 4 threads of a block wait"):
        hasty(1, X[:4].copy(), np.zeros(4, np.float32))


def test_a_place_outside_of_an_array_is_an_error():
    with simulate(), pytest.raises(IndexError):
        reaching_out(1, X[:4].copy(), np.zeros(4, np.float32))


def test_what_was_never_written_is_nan():
    y = np.zeros(4, np.float32)
    with simulate():
        unwritten(1, X[:4].copy(), y)
        assert np.isnan(scratch(X, 3)).all()
    assert np.isnan(y).all()


def test_the_order_is_the_one_that_is_asked_for():
    last = {}
    for order, seed in (("forward", 0), ("reverse", 0), ("random", 0), ("random", 1)):
        found = np.zeros(1, np.int32)
        with simulate(order, seed) as wanted:
            assert simulation() == wanted
            who_was_last(8, X, found, 0)
        last[order, seed] = int(found[0])
    assert simulation() is None
    assert (last["forward", 0], last["reverse", 0]) == (15, 0)
    assert last["random", 0] != last["random", 1]


def test_simulations_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match='order must be one of "forward", "reverse", "random"'):
        simulate("backward").__enter__()
    with pytest.raises(ValueError, match="seed must be at least 0"):
        simulate("random", -1).__enter__()


def test_a_kernel_without_a_source_is_refused_in_a_sentence():
    names = {"cuda": cuda}
    exec("def write(T):\n    def body(x):\n        x[0] = 1\n    return body", names)
    with simulate(), pytest.raises(ValueError, match="the source of the kernel's body cannot be"):
        kernel("T1", threads=1)(names["write"])(1, X)


def test_a_simulated_array_answers_to_numpy_but_does_not_turn_into_its_arrays():
    x = SimulatedArray(X.reshape(4, 4).copy())
    assert arrays.on_device(x)
    y = np.maximum(x, 3) @ x.T + 1
    assert isinstance(y, SimulatedArray)
    np.testing.assert_array_equal(y.get(), np.maximum(x.get(), 3) @ x.get().T + 1)
    assert isinstance(np.concatenate([x, x]), SimulatedArray)
    assert isinstance(arrays.beside(X, x), SimulatedArray)
    with pytest.raises(TypeError, match="does not turn into NumPy's by itself"):
        np.asarray(x)
    with pytest.raises(TypeError, match="an array of the processor meets one of the device"):
        x[0] + X[:4]
