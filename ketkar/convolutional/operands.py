"""What a convolution layer is called with, checked once and brought into a kernel's form."""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.convolutional.window import number, pads, pair, place, place1d
from ketkar.kernels import backend as door
from ketkar.kernels.geometry import ALGORITHMS, Geometry

Array = NDArray[Any]

IMAGE = ("batch", "channel", "row", "column")
SIGNAL = ("batch", "channel", "step")


class Operands(NamedTuple):
    """Arrays of one type, contiguous, of 4 axes each; b is zero where none was given."""

    x: Array
    K: Array
    b: Array
    geometry: Geometry
    algorithm: str
    kernels: ModuleType

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        """Shape of the output, (N, M, Ho, Wo)."""
        size = self.x.shape[2], self.x.shape[3]
        window = self.K.shape[2], self.K.shape[3]
        return (self.x.shape[0], self.K.shape[0], *self.geometry.output_size(size, window))


class Transposed(NamedTuple):
    """The same for a transposed convolution: x (N, C, H, W) has the place of a convolution's output.

    Where the output is padded by more than a stride, x has rows and columns of zeros at its end.
    """

    x: Array
    K: Array
    b: Array
    geometry: Geometry
    kernels: ModuleType
    size: tuple[int, int]
    image_shape: tuple[int, int, int, int]

    def cropped(self, dx: Array) -> Array:
        """The part of a gradient that belongs to the x that was given."""
        rows, columns = self.size
        return dx[:, :, :rows, :columns]


def kernels(backend: str, *arrays: Array) -> ModuleType:
    """The kernels of a backend; while one has no convolution, those of the reference."""
    found = door.kernels(backend, *arrays)
    return found if hasattr(found, "conv2d_forward") else door.kernels("numpy")


def convolution(
    function: str,
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    algorithm: str,
    backend: str,
    axes: tuple[str, ...] = IMAGE,
) -> Operands:
    """What :func:`conv2d` needs, or :func:`conv1d` where `axes` are those of a signal."""
    x, K = checks.float_array(x, "x"), checks.float_array(K, "K")
    checks.axes(x, "x", axes, function)
    checks.axes(K, "K", ("kernel", *axes[1:]), function)
    if 0 in x.shape[1:]:
        checks.not_empty(x, "x")
    checks.not_empty(K, "K")
    groups = _grouped(x, K, groups)
    kind = np.result_type(x, K)
    b = bias_of(b, K, 0, kind, function)
    if axes is SIGNAL:
        geometry = place1d(x.shape[2], K.shape[2],
            stride=stride, padding=padding, dilation=dilation, groups=groups)  # fmt: skip
        x, K = x[:, :, None], K[:, :, None]
    else:
        geometry = place(x.shape[2:], K.shape[2:],
            stride=stride, padding=padding, dilation=dilation, groups=groups)  # fmt: skip
    found = kernels(backend, x, K)
    if algorithm != "auto":
        applicable(algorithm, found, K.shape[2:], geometry)
    x, K = door.ready(x, kind), door.ready(K, kind)
    return Operands(x, K, b, geometry, algorithm, found)


def _grouped(x: Array, K: Array, groups: int) -> int:
    """The number of groups, refused unless the channels of x and the kernels fall into them."""
    C, M, each = x.shape[1], K.shape[0], K.shape[1]
    if groups == 1 and type(groups) is int:
        if C != each:
            checks.same_length(x, "x", 1, K, "K", 1, "channels")
        return 1
    groups = number(groups, "groups")
    if C % groups:
        raise ValueError(f"the {C} channels of x {x.shape} do not fall into {groups} equal groups")
    if M % groups:
        raise ValueError(f"the {M} kernels of K {K.shape} do not fall into {groups} equal groups")
    if C // groups != each:
        raise ValueError(
            f"x has {C // groups} channels in each of {groups} groups (axis 1 of {x.shape}) "
            f"but K has {each} (axis 1 of {K.shape})"
        )
    return groups


def bias_of(b: ArrayLike | None, K: Array, axis: int, kind: Any, function: str) -> Array:
    """The bias (M,), one a feature map; zero where none was given."""
    if b is None:
        return np.zeros(K.shape[axis], kind)
    b = checks.float_array(b, "b")
    checks.axes(b, "b", ("kernel",), function)
    checks.same_length(K, "K", axis, b, "b", 0, "kernels")
    return door.ready(b, kind)


def applicable(
    algorithm: str, found: ModuleType, window: tuple[int, ...], geometry: Geometry
) -> None:
    """Refuse an algorithm that there is not, or not for this kernel, stride and dilation."""
    checks.one_of(algorithm, "algorithm", ALGORITHMS)
    if algorithm in ("auto", "direct"):
        return
    if found is door.kernels("numpy"):
        raise ValueError(
            f'algorithm "{algorithm}" is not in the "numpy" backend, which knows "auto" and '
            '"direct"'
        )
    stride = geometry.stride_rows, geometry.stride_columns
    dilation = geometry.dilation_rows, geometry.dilation_columns
    if algorithm == "winograd" and window != (3, 3):
        raise ValueError(f'algorithm "winograd" needs a kernel of 3 by 3, got {window}')
    if stride != (1, 1):
        raise ValueError(f'algorithm "{algorithm}" needs a stride of 1, got {stride}')
    if dilation != (1, 1):
        raise ValueError(f'algorithm "{algorithm}" needs a dilation of 1, got {dilation}')


def gradient(dy: ArrayLike, shape: tuple[int, ...], kind: Any, function: str) -> Array:
    """`dy` as a kernel wants it, refused unless it has the shape of the output."""
    dy = checks.float_array(dy, "dy")
    if dy.shape != shape:
        raise ValueError(f"dy has shape {dy.shape}; the output of {function} has shape {shape}")
    return door.ready(dy, kind)


def transposed(
    function: str,
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    dilation: Any,
    groups: int,
    backend: str,
) -> Transposed:
    """What :func:`conv2d_transpose` needs."""
    x, K = checks.float_array(x, "x"), checks.float_array(K, "K")
    checks.axes(x, "x", IMAGE, function)
    checks.axes(K, "K", ("channel", "kernel", "row", "column"), function)
    if 0 in x.shape[1:]:
        checks.not_empty(x, "x")
    checks.not_empty(K, "K")
    checks.same_length(x, "x", 1, K, "K", 0, "channels")
    groups = number(groups, "groups")
    if x.shape[1] % groups:
        raise ValueError(
            f"the {x.shape[1]} channels of x {x.shape} do not fall into {groups} equal groups"
        )
    kind = np.result_type(x, K)
    maps = K.shape[1] * groups
    b = np.zeros(maps, kind) if b is None else checks.float_array(b, "b")
    checks.axes(b, "b", ("kernel",), function)
    if len(b) != maps:
        raise ValueError(f"b has {len(b)} numbers but the output has {maps} feature maps")
    if isinstance(padding, str):
        raise ValueError(
            f"{function} takes padding in numbers, got {checks.shown(padding)}: a rule does not "
            "say which of several images to return to"
        )
    size, window = (x.shape[2], x.shape[3]), (K.shape[2], K.shape[3])
    strides, dilations = pair(stride, "stride"), pair(dilation, "dilation")
    ends, extra = pads(padding), pair(output_padding, "output_padding", least=0)
    image = []
    for i, what in enumerate(("rows", "columns")):
        if extra[i] >= max(strides[i], dilations[i]):
            raise ValueError(
                f"output_padding must be below the stride {strides[i]} or the dilation "
                f"{dilations[i]} of the {what}, got {extra[i]}"
            )
        reach = dilations[i] * (window[i] - 1) + 1
        length = (size[i] - 1) * strides[i] + reach + extra[i] - sum(ends[i])
        if length < 1:
            raise ValueError(
                f"the output would have {length} {what}: {length + sum(ends[i])} less a padding "
                f"of {ends[i][0]} + {ends[i][1]}"
            )
        image.append(length)
    geometry = Geometry(*strides, *ends[0], *ends[1], *dilations, groups)
    more = extra[0] // strides[0], extra[1] // strides[1]
    if any(more):
        x = np.pad(x, ((0, 0), (0, 0), (0, more[0]), (0, more[1])))
    return Transposed(
        door.ready(x, kind), door.ready(K, kind), door.ready(b, kind), geometry,
        kernels(backend, x, K), size, (x.shape[0], maps, image[0], image[1]),
    )  # fmt: skip
