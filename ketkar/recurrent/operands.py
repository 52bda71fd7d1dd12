"""What a recurrent network is called with, checked once and brought into a kernel's form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import arrays, checks
from ketkar.kernels import backend as door
from ketkar.kernels.backend import ready as ready

Array = NDArray[Any]

SEQUENCES = ("time", "batch", "input")


def parameters(params: Any, kind: Any, like: Any) -> Any:
    """`params` as a value of the type `like`: arrays, or None where that type allows it."""
    if not isinstance(params, tuple | list) or len(params) != len(like._fields):
        names = ", ".join(like._fields)
        got = f"{len(params)}" if isinstance(params, tuple | list) else checks.shown(params)
        raise TypeError(
            f"params must be {like.__name__}, {len(like._fields)} arrays ({names}); got {got}"
        )
    return like(*(
        None if value is None and name in kind else checks.float_array(value, name)
        for name, value in zip(like._fields, params, strict=True)
    ))  # fmt: skip


def shaped(array: Array, name: str, shape: tuple[int, ...], axes: Sequence[str], of: str) -> None:
    """Refuse a parameter that has not these axes, or not these lengths."""
    if array.shape != shape:
        checks.axes(array, name, axes, of)
        raise ValueError(
            f"{name} has shape {array.shape}; {of} expects {shape}, the axes ({', '.join(axes)})"
        )


def sequences(function: str, x: ArrayLike, n: int, weight: str) -> Array:
    """X as an array (T, N, n)."""
    x = checks.float_array(x, "x")
    checks.axes(x, "x", SEQUENCES, function)
    if x.shape[2] != n:
        raise ValueError(
            f"x has {x.shape[2]} inputs (axis 2 of {x.shape}) but {weight} has {n} columns"
        )
    return x


def kind_of(*arrays: Any) -> Any:
    """The type that all these arrays share; an entry of None has none."""
    return np.result_type(*(a for a in arrays if a is not None))


def state(given: ArrayLike | None, name: str, N: int, h: int, kind: Any, like: Array) -> Array:
    """An initial state (N, h): zero, one vector (h,) for all sequences, or one a sequence."""
    if given is None:
        return arrays.zeros((N, h), kind, like)  # (6.7)
    array = checks.float_array(given, name)
    if array.shape not in ((h,), (N, h)):
        raise ValueError(
            f"{name} has shape {array.shape}; expected {(h,)}, one state for all sequences, or "
            f"{(N, h)}, one a sequence"
        )
    return arrays.contiguous(np.broadcast_to(array, (N, h)), kind)


def together(like: Array, kind: Any, *shapes: tuple[int, ...]) -> list[Array]:
    """Arrays, not filled, where `like` is; in one piece of memory, which is found sooner."""
    if arrays.on_device(like):  # whose library has a pool of its own
        return [arrays.empty(shape, kind, like) for shape in shapes]
    found = door.pieces(kind, *map(math.prod, shapes))
    return [vector.reshape(shape) for vector, shape in zip(found, shapes, strict=True)]


def like_given(gradient: Array, given: Any) -> Array:
    """The gradient of an initial state, in the shape in which the state was given."""
    return gradient if given is None or np.ndim(given) == 2 else gradient.sum(axis=0)


def mask_of(mask: ArrayLike | None, shape: tuple[int, ...], like: Array) -> Array:
    """Which steps are there, of a shape (T, N); without rows where all are."""
    if mask is None:
        return arrays.zeros((0, *shape[1:]), np.bool_, like)
    array = checks.array_of(mask, "mask")
    if array.dtype != np.bool_:
        raise TypeError(f"mask holds {array.dtype} values; expected booleans, True where a step is")
    if array.shape != shape:
        raise ValueError(f"mask has shape {array.shape}; expected (time, batch) = {shape}")
    return ready(arrays.beside(array, like))


def masked(x: Array, mask: Array) -> Array:
    """X with zeros at the steps that are not there: whatever stands in padding stays out."""
    return np.where(mask[:, :, None], x, x.dtype.type(0)) if len(mask) else x


def dropped(x: Array, rate: float, rng: Any) -> tuple[Array, Array | None]:
    """X after dropout, and what it was multiplied with: 0, or 1 / (1 - rate) for the rest."""
    rate = checks.between(rate, "dropout", 0, 1)
    if rate == 0:
        return x, None
    keep = arrays.beside(checks.generator(rng).random(x.shape) >= rate, x)
    factor = keep.astype(x.dtype) / x.dtype.type(1 - rate)
    return x * factor, factor


def cut(truncate: int | None, T: int) -> int:
    """After how many steps the gradient is cut off; 0 for never."""
    return 0 if truncate is None else checks.count(truncate, "truncate")


def kernels(backend: str, x: Array, *arrays: Any) -> Any:
    """The kernels of a backend; for sequences without a step those of NumPy, which know them."""
    found = door.kernels(backend, x, *arrays)
    return found if x.size else door.kernels("numpy")


def gradient(dy: ArrayLike, name: str, shape: tuple[int, ...]) -> Array:
    """A gradient with respect to something of this shape."""
    array = checks.float_array(dy, name)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}; expected that of the output, {shape}")
    return array


def used_up(dy: ArrayLike, name: str, shape: tuple[int, ...], kind: Any) -> Array:
    """A gradient with respect to something of this shape, as a copy that a kernel may use up."""
    return gradient(dy, name, shape).astype(kind, order="C", copy=True)


def trace(given: Any, kind: type[Any], function: str) -> Any:
    """The trace, refused unless it is what the way forward returned."""
    if not isinstance(given, kind):
        raise TypeError(f"trace must be what {function} returned, got {checks.shown(given)}")
    return given
