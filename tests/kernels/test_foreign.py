"""Tensors of torch on a device, played by stand-ins: the real ones need a GPU."""

from __future__ import annotations

import contextlib
import sys
from types import ModuleType, SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

from ketkar.kernels.foreign import like_for_like


class Tensor:
    """What is asked of a tensor of torch."""

    def __init__(self, memory, history=False, is_cuda=True):
        self.memory, self.history, self.is_cuda = memory, history, is_cuda
        self.device = SimpleNamespace(index=1)

    def detach(self):
        return Tensor(self.memory)


Tensor.__module__ = "torch"


class Array(np.ndarray):
    """What stands for an array of CuPy."""


class Pair(NamedTuple):
    a: object
    b: object


@pytest.fixture
def libraries(monkeypatch):
    torch, cupy, opened = ModuleType("torch"), ModuleType("cupy"), []
    torch.cuda = SimpleNamespace(
        is_initialized=lambda: True,
        current_stream=lambda device: SimpleNamespace(cuda_stream=700 + device.index),
    )
    torch.from_dlpack = lambda array: Tensor(np.asarray(array))

    def from_dlpack(tensor):
        assert not tensor.history
        return tensor.memory.view(Array)

    @contextlib.contextmanager
    def opening(kind, value):
        opened.append((kind, value))
        yield

    cupy.ndarray, cupy.from_dlpack = Array, from_dlpack
    cupy.cuda = SimpleNamespace(
        ExternalStream=lambda pointer: opening("stream", pointer),
        Device=lambda index: opening("device", index),
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    return opened


@like_for_like
def doubled(pair, *, more=None):
    """What it is given, twice; and the types it sees."""
    arrays = [pair.a, pair.b, *(more or [])]
    return Pair(pair.a * 2, {"seen": [type(array) for array in arrays]}), pair.a


def test_tensors_go_in_as_arrays_of_cupy_and_come_back_without_a_copy(libraries):
    a, b, c = np.arange(3.0), np.ones(2), np.zeros(1)
    given = Pair(Tensor(a, history=True), Tensor(b))
    result, same = doubled(given, more=[Tensor(c), "text", 3])
    assert result.b["seen"] == [Array, Array, Array, str, int]
    assert isinstance(result, Pair)
    assert isinstance(result.a, Tensor)
    np.testing.assert_array_equal(result.a.memory, [0.0, 2.0, 4.0])
    assert np.shares_memory(same.memory, a)
    assert sorted(libraries) == [("device", 1), ("stream", 701)]


def test_what_is_not_on_a_device_passes_as_it_is(libraries):
    tensor = Tensor(np.ones(2), is_cuda=False)
    assert like_for_like(lambda value: value)(tensor) is tensor
    assert like_for_like(lambda value: value)(value=[1, None]) == [1, None]
    assert libraries == []


def test_without_cupy_a_sentence_says_what_is_needed(libraries, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(RuntimeError, match="for which CuPy is needed"):
        doubled(Pair(Tensor(np.ones(1)), 0))
