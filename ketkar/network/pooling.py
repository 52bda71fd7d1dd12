"""Pooling layers as values, and the way from feature maps to units. None of them has parameters."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar import convolutional as conv
from ketkar.arrays import as_array
from ketkar.convolutional import window
from ketkar.network.images import image, padding_of, settle
from ketkar.network.layer import Shape

__all__ = [
    "AvgPool2d",
    "Flatten",
    "FlattenTrace",
    "GlobalAvgPool2d",
    "GlobalMaxPool2d",
    "L2Pool2d",
    "MaxPool2d",
    "NoParams",
    "PoolTrace",
]

Array = NDArray[Any]


class NoParams(NamedTuple):
    """The parameters of a layer that has none."""


class PoolTrace(NamedTuple):
    """What a pooling layer keeps on the way forward: its input, which says what won."""

    x: Array


class FlattenTrace(NamedTuple):
    """What is needed to be images again on the way back: the shape of the batch."""

    shape: tuple[int, ...]


class _Free:
    """A layer without parameters."""

    kind: ClassVar[str]

    def init(self, rng: np.random.Generator | int, dtype: Any = np.float64) -> NoParams:
        """There is nothing to draw."""
        checks.float_type(dtype)
        return NoParams()


def _none(params: Any) -> None:
    """Refuse parameters where there are none."""
    if params != ():
        raise ValueError(f"this layer has no parameters; got {checks.shown(params)}")


class _Pooling(_Free):
    """The two ways through a pooling layer; what it pools is in `_pool` and `_pool_backward`."""

    def _pool(self, x: ArrayLike, backend: str) -> Array:
        raise NotImplementedError

    def _pool_backward(self, dy: ArrayLike, x: Array, backend: str) -> Array:
        raise NotImplementedError

    def forward(
        self, params: NoParams, x: ArrayLike, *, backend: str = "auto"
    ) -> tuple[Array, PoolTrace]:
        """The pooled maps of a batch (N, C, H, W), and the trace."""
        _none(params)
        return self._pool(x, backend), PoolTrace(as_array(x))

    def backward(
        self, params: NoParams, dy: ArrayLike, trace: PoolTrace, *, backend: str = "auto"
    ) -> tuple[Array, NoParams]:
        """The gradient with respect to the input, and no gradients of parameters."""
        _none(params)
        return self._pool_backward(dy, trace.x, backend), NoParams()


@dataclass(frozen=True)
class _Window(_Pooling):
    """The fields of a layer that pools what a window sees."""

    size: Any
    stride: Any = None
    _: KW_ONLY
    padding: Any = 0
    ceil_mode: bool = False

    def __post_init__(self) -> None:
        settle(self, "size", window.pair(self.size, "size"))
        stride = self.size if self.stride is None else window.pair(self.stride, "stride")
        settle(self, "stride", stride)
        settle(self, "padding", padding_of(self.padding))
        if not isinstance(self.ceil_mode, bool):
            raise TypeError(f"ceil_mode must be True or False, got {checks.shown(self.ceil_mode)}")

    def output_shape(self, shape: Shape | None) -> Shape:
        """Shape of one output example, (C, Ho, Wo), with None for what is not known yet."""
        C, H, W = image(shape)
        if H is None or W is None:
            return (C, None, None)
        # pooling a batch of no images says where the windows stand, or why they cannot
        return (C, *self._pool(np.empty((0, 1, H, W)), "numpy").shape[2:])

    def _moves(self) -> dict[str, Any]:
        return {"stride": self.stride, "padding": self.padding, "ceil_mode": self.ceil_mode}


@dataclass(frozen=True)
class MaxPool2d(_Window):
    """Max pooling as a value: of each window, the largest number.

    Parameters
    ----------
    size : int or (int, int)
        Rows and columns of the window.
    stride : int or (int, int), optional
        Steps of the window; as large as the window if left out.
    padding, ceil_mode
        As for :func:`ketkar.convolutional.max_pool2d`.

    References
    ----------
    Textbook chapter 5, *Pooling Operation*.

    Examples
    --------
    >>> layer = MaxPool2d(2)
    >>> layer.output_shape((6, 28, 28))
    (6, 14, 14)
    >>> layer.forward(layer.init(rng=0), [[[[1.0, 4.0], [3.0, 2.0]]]])[0]
    array([[[[4.]]]])
    """

    kind: ClassVar[str] = "max_pool"

    def _pool(self, x: ArrayLike, backend: str) -> Array:
        return conv.max_pool2d(x, self.size, **self._moves(), backend=backend)

    def _pool_backward(self, dy: ArrayLike, x: Array, backend: str) -> Array:
        return conv.max_pool2d_backward(dy, x, self.size, **self._moves(), backend=backend)


@dataclass(frozen=True)
class AvgPool2d(_Window):
    """Average pooling as a value: of each window, the mean.

    Parameters are those of :class:`MaxPool2d`; padding does not count.

    References
    ----------
    Textbook chapter 5, *Pooling Operation*.

    Examples
    --------
    >>> layer = AvgPool2d(2)
    >>> layer.forward(layer.init(rng=0), [[[[1.0, 4.0], [3.0, 2.0]]]])[0]
    array([[[[2.5]]]])
    """

    kind: ClassVar[str] = "avg_pool"

    def _pool(self, x: ArrayLike, backend: str) -> Array:
        return conv.avg_pool2d(x, self.size, **self._moves(), backend=backend)

    def _pool_backward(self, dy: ArrayLike, x: Array, backend: str) -> Array:
        return conv.avg_pool2d_backward(dy, x, self.size, **self._moves(), backend=backend)


@dataclass(frozen=True)
class L2Pool2d(_Window):
    """L2 pooling as a value: of each window, the root of the sum of squares.

    Parameters are those of :class:`MaxPool2d`.

    References
    ----------
    Textbook chapter 5, *Pooling Operation*.

    Examples
    --------
    >>> layer = L2Pool2d(2)
    >>> layer.forward(layer.init(rng=0), [[[[1.0, 4.0], [2.0, 2.0]]]])[0]
    array([[[[5.]]]])
    """

    kind: ClassVar[str] = "l2_pool"

    def _pool(self, x: ArrayLike, backend: str) -> Array:
        return conv.l2_pool2d(x, self.size, **self._moves(), backend=backend)

    def _pool_backward(self, dy: ArrayLike, x: Array, backend: str) -> Array:
        return conv.l2_pool2d_backward(dy, x, self.size, **self._moves(), backend=backend)


@dataclass(frozen=True)
class _Global(_Pooling):
    """A layer that makes one number of each feature map."""

    def output_shape(self, shape: Shape | None) -> Shape:
        """Shape of one output example, (C,)."""
        return (image(shape)[0],)


@dataclass(frozen=True)
class GlobalMaxPool2d(_Global):
    """Global max pooling as a value: of each feature map the largest number, (N, C).

    Examples
    --------
    >>> layer = GlobalMaxPool2d()
    >>> layer.forward(layer.init(rng=0), [[[[1.0, 4.0], [3.0, 2.0]]]])[0]
    array([[4.]])
    """

    kind: ClassVar[str] = "global_max_pool"

    def _pool(self, x: ArrayLike, backend: str) -> Array:
        return conv.global_max_pool2d(x)

    def _pool_backward(self, dy: ArrayLike, x: Array, backend: str) -> Array:
        return conv.global_max_pool2d_backward(dy, x)


@dataclass(frozen=True)
class GlobalAvgPool2d(_Global):
    """Global average pooling as a value: of each feature map the mean, (N, C).

    Examples
    --------
    >>> layer = GlobalAvgPool2d()
    >>> layer.forward(layer.init(rng=0), [[[[1.0, 4.0], [3.0, 2.0]]]])[0]
    array([[2.5]])
    """

    kind: ClassVar[str] = "global_avg_pool"

    def _pool(self, x: ArrayLike, backend: str) -> Array:
        return conv.global_avg_pool2d(x)

    def _pool_backward(self, dy: ArrayLike, x: Array, backend: str) -> Array:
        return conv.global_avg_pool2d_backward(dy, x)


@dataclass(frozen=True)
class Flatten(_Free):
    """From feature maps to units: the numbers of each example in one row.

    Examples
    --------
    >>> layer = Flatten()
    >>> layer.output_shape((16, 5, 5))
    (400,)
    >>> layer.forward(layer.init(rng=0), [[[[1.0, 4.0], [3.0, 2.0]]]])[0]
    array([[1., 4., 3., 2.]])
    """

    kind: ClassVar[str] = "flatten"

    def output_shape(self, shape: Shape | None) -> Shape:
        """Shape of one output example: one axis; None where its length is not known yet."""
        if shape is None or None in shape:
            return (None,)
        return (math.prod(shape),)

    def forward(
        self, params: NoParams, x: ArrayLike, *, backend: str = "auto"
    ) -> tuple[Array, FlattenTrace]:
        """The rows (N, n), and the trace."""
        _none(params)
        array = checks.float_array(x, "x")
        if array.ndim < 2:
            raise ValueError(f"x has shape {array.shape}; flatten expects a batch of examples")
        rows = array.reshape(len(array), math.prod(array.shape[1:]))
        return rows, FlattenTrace(array.shape)

    def backward(
        self, params: NoParams, dy: ArrayLike, trace: FlattenTrace, *, backend: str = "auto"
    ) -> tuple[Array, NoParams]:
        """The gradient in the shape of the input, and no gradients of parameters."""
        _none(params)
        error = checks.float_array(dy, "dy")
        rows = (trace.shape[0], math.prod(trace.shape[1:]))
        if error.shape != rows:
            raise ValueError(f"dy has shape {error.shape}; the output of flatten has shape {rows}")
        return error.reshape(trace.shape), NoParams()
