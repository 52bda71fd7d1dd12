"""Tensors of torch on a device: they go in and come back as such, without a copy.

The chapters' formulas need an array on which NumPy's functions work. CuPy's is one; a tensor of
torch is not, but both can stand for the same memory. So a tensor is seen as CuPy's array on the
way in and as a tensor again on the way out.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["like_for_like"]

Function = TypeVar("Function", bound=Callable[..., Any])


def like_for_like(function: Function) -> Function:
    """Let a function of arrays take torch's tensors on a device, and return them where it does.

    All work is put on torch's current stream.

    Raises
    ------
    RuntimeError
        If there is a tensor on a device, but CuPy is not installed.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if "torch" not in sys.modules or not sys.modules["torch"].cuda.is_initialized():
            return function(*args, **kwargs)  # there can be no such tensor
        tensors: list[Any] = []
        seen = _mapped(args, _tensor_noted(tensors)), _mapped(kwargs, _tensor_noted(tensors))
        if not tensors:
            return function(*args, **kwargs)
        cupy, torch = _cupy(), sys.modules["torch"]
        args, kwargs = (_mapped(nest, _as_cupy(cupy)) for nest in seen)
        device = tensors[0].device
        stream = cupy.cuda.ExternalStream(torch.cuda.current_stream(device).cuda_stream)
        with cupy.cuda.Device(device.index), stream:
            return _mapped(function(*args, **kwargs), _as_tensor(cupy, torch))

    return call  # type: ignore[return-value]


def _mapped(nest: Any, change: Callable[[Any], Any]) -> Any:
    """A nest of tuples, lists and dictionaries with what `change` makes of everything else."""
    if isinstance(nest, tuple | list):
        branches = [_mapped(branch, change) for branch in nest]
        return type(nest)(*branches) if hasattr(nest, "_fields") else type(nest)(branches)
    if isinstance(nest, dict):
        return {key: _mapped(branch, change) for key, branch in nest.items()}
    return change(nest)


def _tensor_noted(found: list[Any]) -> Callable[[Any], Any]:
    """Note each tensor on a device; without its history, as no other gradient is taken here."""

    def change(value: Any) -> Any:
        if type(value).__module__.partition(".")[0] == "torch" and getattr(value, "is_cuda", False):
            value = value.detach()
            found.append(value)
        return value

    return change


def _as_cupy(cupy: Any) -> Callable[[Any], Any]:
    return lambda value: cupy.from_dlpack(value) if getattr(value, "is_cuda", False) else value


def _as_tensor(cupy: Any, torch: Any) -> Callable[[Any], Any]:
    return lambda value: torch.from_dlpack(value) if isinstance(value, cupy.ndarray) else value


def _cupy() -> Any:
    try:
        return importlib.import_module("cupy")
    except ImportError:
        raise RuntimeError(
            "the tensors are on a device, for which CuPy is needed (python -m pip install "
            "cupy-cuda12x); or copy them to the processor"
        ) from None
