"""What a pooling is called with, checked once and brought into a kernel's form; and the kernels.

Signals become images of one row, and a global pooling has a window as large as the image, so that
all eighteen functions of pooling come down to six.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.convolutional import operands
from ketkar.convolutional.window import number, pads, pair, place, place1d
from ketkar.kernels import backend as door
from ketkar.kernels.geometry import Geometry

Array = NDArray[Any]

WHOLE: Final = object()
"""The size of a window as large as the image."""


class Moves(NamedTuple):
    """How the window moves, as the caller wrote it."""

    stride: Any = None
    padding: Any = 0
    dilation: Any = 1
    ceil_mode: bool = False


class Given(NamedTuple):
    """What a pooling is called with, checked: an image of (N, C, H, W), and the output's shape."""

    x: Array
    size: tuple[int, int]
    geometry: Geometry
    kernels: ModuleType
    shape: tuple[int, ...]


def maximum(given: Given) -> Array:
    """The largest number of each window."""
    x, size, geometry, kernels, shape = given
    y = operands.empty(shape, x.dtype, x)
    if len(x):
        kernels.max_pool2d_forward(x, size, geometry, y)  # (5.10)
    return y


def maximum_backward(function: str, dy: ArrayLike, given: Given) -> Array:
    """From `dy`, the gradient of the output, that of the input."""
    x, size, geometry, kernels, _ = given
    delta, dx = _gradient(function, dy, given), np.empty_like(x)
    if len(x):
        kernels.max_pool2d_backward(delta, x, size, geometry, dx)  # (5.13)
    return dx


def average(given: Given, include: bool) -> Array:
    """The mean of each window; `include` counts padding."""
    x, size, geometry, kernels, shape = given
    y = operands.empty(shape, x.dtype, x)
    if len(x):
        kernels.avg_pool2d_forward(x, size, geometry, include, y)  # (5.11)
    return y


def average_backward(function: str, dy: ArrayLike, given: Given, include: bool) -> Array:
    """From `dy`, the gradient of the output, that of the input."""
    x, size, geometry, kernels, _ = given
    delta, dx = _gradient(function, dy, given), np.empty_like(x)
    if len(x):
        kernels.avg_pool2d_backward(delta, size, geometry, include, dx)  # (5.14)
    return dx


def norm(given: Given) -> Array:
    """The L2 norm of each window."""
    x, size, geometry, kernels, shape = given
    y = operands.empty(shape, x.dtype, x)
    if len(x):
        kernels.l2_pool2d_forward(x, size, geometry, y)  # (5.12)
    return y


def norm_backward(function: str, dy: ArrayLike, given: Given) -> Array:
    """From `dy`, the gradient of the output, that of the input."""
    x, size, geometry, kernels, _ = given
    delta, dx = _gradient(function, dy, given), np.empty_like(x)
    if len(x):
        kernels.l2_pool2d_backward(delta, x, norm(given), size, geometry, dx)  # (5.15)
    return dx


def _gradient(function: str, dy: ArrayLike, given: Given) -> Array:
    """`dy` with the axes of an image, refused unless it has the shape of the output."""
    N, C, *places = given.shape
    shape = (N, C) if function.startswith("global") else (N, C, *places)
    shape = (N, C, places[1]) if function.endswith("1d") else shape
    return operands.gradient(function, dy, shape, given.x.dtype).reshape(given.shape)


def images(
    function: str,
    x: ArrayLike,
    size: Any,
    moves: Moves,
    backend: str,
    *,
    include: bool = False,
    blind: bool = False,
) -> Given:
    """What pooling of images needs."""
    x = _array(function, x, operands.IMAGE)
    window = x.shape[2:] if size is WHOLE else pair(size, "size")
    stride = pair(window if moves.stride is None else moves.stride, "stride")
    _flags(moves.ceil_mode, include)
    room = x.shape[2:]
    if moves.ceil_mode and not isinstance(moves.padding, str):
        ends, dilation = pads(moves.padding), pair(moves.dilation, "dilation")
        room = tuple(map(_room, room, ends, window, dilation, stride))
    geometry = place(room, window, stride, moves.padding, moves.dilation)
    return _settled(function, x, window, geometry, moves.ceil_mode, blind or include, backend)


def signals(
    function: str,
    x: ArrayLike,
    size: Any,
    moves: Moves,
    backend: str,
    *,
    include: bool = False,
    blind: bool = False,
) -> Given:
    """What pooling of signals needs: they become images of one row."""
    x = _array(function, x, operands.SIGNAL)
    k = number(size, "size")
    stride = number(k if moves.stride is None else moves.stride, "stride")
    _flags(moves.ceil_mode, include)
    T = x.shape[2]
    if moves.ceil_mode and not isinstance(moves.padding, str):
        ends = pair(moves.padding, "padding", least=0, form="a pair (before, after)")
        T = _room(T, ends, k, number(moves.dilation, "dilation"), stride)
    geometry = place1d(T, k, stride, moves.padding, moves.dilation)
    x = x[:, :, None]
    return _settled(function, x, (1, k), geometry, moves.ceil_mode, blind or include, backend)


def _array(function: str, x: ArrayLike, axes: tuple[str, ...]) -> Array:
    """`x` as an array of these axes, not empty but for the batch."""
    x = checks.float_array(x, "x")
    checks.axes(x, "x", axes, function)
    if 0 in x.shape[1:]:
        checks.not_empty(x, "x")
    return x


def _flags(ceil_mode: Any, include: Any) -> None:
    for name, value in (("ceil_mode", ceil_mode), ("count_include_pad", include)):
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{name} must be True or False, got {checks.shown(value)}")


def _room(size: int, ends: tuple[int, int], window: int, dilation: int, stride: int) -> int:
    """The rows or columns a window may take where the output is rounded up.

    By less than a step it may be larger than the padded image.
    """
    missing = dilation * (window - 1) + 1 - size - sum(ends)
    return size + missing if 0 < missing < stride else size


def _settled(
    function: str,
    x: Array,
    window: tuple[int, int],
    geometry: Geometry,
    ceil_mode: bool,
    blind: bool,
    backend: str,
) -> Given:
    """The output's size, and the image as a kernel wants it; `blind` windows see padding alone."""
    g, (H, W) = geometry, x.shape[2:]
    rows = _Side("row", H, window[0], g.stride_rows, g.top, g.bottom, g.dilation_rows)
    columns = _Side("column", W, window[1], g.stride_columns, g.left, g.right, g.dilation_columns)
    outputs = []
    for side in (rows, columns):
        outputs.append(side.outputs(ceil_mode))
        if not blind and (side.before or side.after) and side.is_blind(outputs[-1]):
            raise ValueError(
                f"{function} would have a window that sees only padding: it spans {side.reach} "
                f"{side.what}s, the image has {side.size} and the padding {side.before} before "
                f"and {side.after} after it"
            )
    shape = (*x.shape[:2], *outputs)
    return Given(door.ready(x), window, geometry, door.kernels(backend, x), shape)


class _Side(NamedTuple):
    """The rows or the columns that a window moves over."""

    what: str
    size: int
    window: int
    stride: int
    before: int
    after: int
    dilation: int

    @property
    def reach(self) -> int:
        """From the first to the last place the window sees."""
        return self.dilation * (self.window - 1) + 1

    def outputs(self, ceil_mode: bool) -> int:
        """How many windows there are."""
        free = self.before + self.size + self.after - self.reach
        if not ceil_mode:
            return free // self.stride + 1  # (5.25)
        count = -(-free // self.stride) + 1
        begins_behind = (count - 1) * self.stride >= self.before + self.size
        return count - 1 if begins_behind else count

    def is_blind(self, outputs: int) -> bool:
        """Whether one of the windows sees nothing of the image."""
        last = (outputs - 1) * self.stride - self.before
        if self.before >= self.reach or last >= self.size:
            return True
        if self.dilation <= self.size:
            return False
        # between two places that a window sees there may be room for the whole image
        early = min(outputs, -(-self.before // self.stride))
        starts = np.arange(early) * self.stride - self.before
        return bool((starts % self.dilation >= self.size).any())
