"""What a convolution layer is called with, checked once and brought into a kernel's form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import arrays, checks
from ketkar.convolutional.window import number, pads, pair, place, place1d, small_enough
from ketkar.kernels import backend as door
from ketkar.kernels.geometry import ALGORITHMS, Geometry

Array = NDArray[Any]

IMAGE = ("batch", "channel", "row", "column")
SIGNAL = ("batch", "channel", "step")


class Operands(NamedTuple):
    """Arrays of one type, contiguous, of 4 axes each (b of one), and what the kernels need besides.

    In a convolution x (N, C, H, W) is its input and `shape` that of its output. In a transposed
    convolution x stands where the output does otherwise, and `shape` is that of the image.
    """

    x: Array
    K: Array
    b: Array
    geometry: Geometry
    algorithm: str
    kernels: ModuleType
    shape: tuple[int, ...]


def convolution(
    function: str,
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None,
    *,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    algorithm: str,
    backend: str,
    axes: tuple[str, ...] = IMAGE,
) -> Operands:
    """What a convolution needs; with the axes of a signal, as an image of one row."""
    x, K, kind = image_and_kernels(function, x, K, axes, ("kernel", *axes[1:]))
    groups = _grouped(x, K, groups)
    b = bias(function, b, K.shape[0], kind, K)
    if axes is SIGNAL:
        geometry = place1d(x.shape[2], K.shape[2], stride, padding, dilation, groups)
        x, K = x[:, :, None], K[:, :, None]
    else:
        geometry = place(x.shape[2:], K.shape[2:], stride, padding, dilation, groups)
    found = door.kernels(backend, x, K, b)
    _applicable(algorithm, found, K.shape[2:], geometry)
    shape = (x.shape[0], K.shape[0], *geometry.output_size(x.shape[2:], K.shape[2:]))
    return Operands(door.ready(x, kind), door.ready(K, kind), b, geometry, algorithm, found, shape)


def transposed(
    function: str,
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None,
    *,
    stride: Any,
    padding: Any,
    output_padding: Any,
    dilation: Any,
    groups: int,
    backend: str,
) -> Operands:
    """What a transposed convolution needs.

    An output padding of a stride or more (below the dilation) is rows and columns of zeros at the
    end of x, so that x has the size that a convolution of the image would give.
    """
    axes = ("channel", "kernel", "row", "column")
    x, K, kind = image_and_kernels(function, x, K, IMAGE, axes)
    checks.same_length(x, "x", 1, K, "K", 0, "channels")
    groups = number(groups, "groups")
    _falls_into(groups, x.shape[1], "channels of x", x)
    maps = K.shape[1] * groups
    b = bias(function, b, maps, kind, K)
    strides, dilations = pair(stride, "stride"), pair(dilation, "dilation")
    ends, extra = pads(padding), pair(output_padding, "output_padding", least=0)
    size = [
        _returned(what, x.shape[2 + i], K.shape[2 + i], strides[i], ends[i], extra[i], dilations[i])
        for i, what in enumerate(("rows", "columns"))
    ]
    small_enough(size[0] + sum(ends[0]), size[1] + sum(ends[1]))
    geometry = Geometry(*strides, *ends[0], *ends[1], *dilations, groups)
    more = [n // stride for n, stride in zip(extra, strides, strict=True)]
    if any(more):
        x = np.pad(x, ((0, 0), (0, 0), (0, more[0]), (0, more[1])))
    found = door.kernels(backend, x, K, b)
    shape = (x.shape[0], maps, *size)
    return Operands(door.ready(x, kind), door.ready(K, kind), b, geometry, "auto", found, shape)


def image_and_kernels(
    function: str,
    x: ArrayLike,
    K: ArrayLike,
    x_axes: Sequence[str],
    K_axes: Sequence[str],
) -> tuple[Array, Array, Any]:
    """Both as arrays of these axes, not empty but for the batch; and the type that they share."""
    x, K = checks.float_array(x, "x"), checks.float_array(K, "K")
    checks.axes(x, "x", x_axes, function)
    checks.axes(K, "K", K_axes, function)
    if 0 in x.shape[1:]:
        checks.not_empty(x, "x")
    checks.not_empty(K, "K")
    return x, K, x.dtype if x.dtype == K.dtype else np.result_type(x, K)


def bias(function: str, b: ArrayLike | None, maps: int, kind: Any, like: Array) -> Array:
    """The bias (M,), one number a feature map; zero where none was given."""
    if b is None:
        return arrays.zeros(maps, kind, like)
    b = checks.float_array(b, "b")
    checks.axes(b, "b", ("feature map",), function)
    if len(b) != maps:
        raise ValueError(f"b has {len(b)} numbers but the output has {maps} feature maps")
    return door.ready(b, kind)


def gradient(function: str, dy: ArrayLike, shape: tuple[int, ...], kind: Any) -> Array:
    """`dy` as a kernel wants it, refused unless it has the shape of the output."""
    dy = checks.float_array(dy, "dy")
    if dy.shape != shape:
        raise ValueError(f"dy has shape {dy.shape}; the output of {function} has shape {shape}")
    return door.ready(dy, kind)


def empty(shape: tuple[int, ...], kind: Any, like: Array) -> Array:
    """An array for the output where `like` is, refused if it would be larger than the memory."""
    if arrays.on_device(like):
        return arrays.empty(shape, kind, like)
    try:
        return door.aligned(math.prod(shape), kind).reshape(shape)
    except (MemoryError, OverflowError, ValueError):
        raise ValueError(f"the output would have shape {shape}: memory cannot hold it") from None


def _grouped(x: Array, K: Array, groups: int) -> int:
    """The number of groups, refused unless the channels of x and the kernels fall into them."""
    if type(groups) is int and groups == 1:
        if x.shape[1] != K.shape[1]:
            checks.same_length(x, "x", 1, K, "K", 1, "channels")
        return 1
    groups = number(groups, "groups")
    _falls_into(groups, x.shape[1], "channels of x", x)
    _falls_into(groups, K.shape[0], "kernels of K", K)
    each = x.shape[1] // groups
    if each != K.shape[1]:
        raise ValueError(
            f"x has {each} channels in each of {groups} groups (axis 1 of {x.shape}) "
            f"but K has {K.shape[1]} channels (axis 1 of {K.shape})"
        )
    return groups


def _falls_into(groups: int, count: int, what: str, array: Array) -> None:
    if count % groups:
        raise ValueError(f"the {count} {what} {array.shape} do not fall into {groups} equal groups")


def _applicable(
    algorithm: str, found: ModuleType, window: tuple[int, ...], geometry: Geometry
) -> None:
    """Refuse an algorithm that there is not, or not for this kernel, stride and dilation."""
    checks.one_of(algorithm, "algorithm", ALGORITHMS)
    if algorithm in ("auto", "direct"):
        return
    if algorithm == "winograd" and window != (3, 3):
        raise ValueError(
            f'algorithm "winograd" needs kernels of 3 rows and 3 columns, got {window}'
        )
    stride = geometry.stride_rows, geometry.stride_columns
    if stride != (1, 1):
        raise ValueError(f'algorithm "{algorithm}" needs a stride of 1, got {stride}')
    dilation = geometry.dilation_rows, geometry.dilation_columns
    if dilation != (1, 1):
        raise ValueError(f'algorithm "{algorithm}" needs a dilation of 1, got {dilation}')
    if algorithm not in found.ALGORITHMS:
        name = next(name for name in door.BACKENDS if door.MODULES[name] == found.__name__)
        has = " and ".join(f'"{known}"' for known in found.ALGORITHMS)
        raise ValueError(f'algorithm "{algorithm}" is not in backend "{name}"; it has {has}')


def _returned(
    what: str, size: int, window: int, stride: int, ends: tuple[int, int], extra: int, dilation: int
) -> int:
    """The rows or columns of the image that a transposed convolution returns to (5.22)."""
    if extra >= max(stride, dilation):
        raise ValueError(
            f"output_padding must be below the stride {stride} or the dilation {dilation} of the "
            f"{what}, got {extra}"
        )
    full = (size - 1) * stride + dilation * (window - 1) + extra + 1
    if full <= sum(ends):
        raise ValueError(
            f"the padding {ends[0]} + {ends[1]} leaves nothing of an output of {full} {what}"
        )
    return full - sum(ends)
