"""The layers of 1998 that are no longer built: subsampling that learns, chosen maps, distances.

LeNet-5 as it was published needs four kinds of layer beside the dense and the convolution layer.
:func:`ketkar.systems.lenet5_1998` chains them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar import convolutional as conv
from ketkar.arrays import as_array
from ketkar.convolutional.window import pair
from ketkar.equations import equation
from ketkar.network.images import image, settle
from ketkar.network.initial import glorot_uniform
from ketkar.network.layer import Shape
from ketkar.network.pooling import NoParams, _Free, _none

__all__ = ["RadialBasis", "ScaledTanh", "Subsampling", "SubsamplingParams", "TableConv2d"]

Array = NDArray[Any]
SCALE, SLOPE = 1.7159, 2 / 3


class SubsamplingParams(NamedTuple):
    """A coefficient and a bias for each map, (C,) both."""

    w: Array
    b: Array


@equation("subsampling")
@dataclass(frozen=True)
class Subsampling:
    """Pooling that learns: the sum of each window, times a coefficient of its map, plus a bias.

    The windows do not overlap. The coefficients start at one over the size of the window, which
    makes the layer an average.

    Parameters
    ----------
    channels : int
        Number of maps C.
    size : int or (int, int)
        Rows and columns of the window.

    Raises
    ------
    ValueError
        If a number is below 1.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, *Gradient-based learning applied to document
    recognition*, 1998, section II.B.

    Examples
    --------
    >>> layer = Subsampling(1)
    >>> layer.forward(SubsamplingParams([0.5], [1.0]), [[[[1.0, 4.0], [3.0, 2.0]]]])[0]
    array([[[[6.]]]])
    """

    channels: int
    size: Any = 2

    kind: ClassVar[str] = "subsampling"

    def __post_init__(self) -> None:
        checks.count(self.channels, "channels")
        settle(self, "size", pair(self.size, "size"))

    def output_shape(self, shape: Shape | None) -> Shape:
        """Shape of one output example, (C, Ho, Wo)."""
        C, H, W = image(shape, self.channels)
        if H is None or W is None:
            return (C, None, None)
        return (C, *conv.avg_pool2d(np.empty((0, 1, H, W)), self.size, backend="numpy").shape[2:])

    def init(self, rng: np.random.Generator | int, dtype: Any = np.float64) -> SubsamplingParams:
        """An average: nothing is drawn."""
        dtype = checks.float_type(dtype)
        C = self.channels
        return SubsamplingParams(np.full(C, 1 / self._window, dtype), np.zeros(C, dtype))

    def forward(
        self, params: SubsamplingParams, x: ArrayLike, *, backend: str = "auto"
    ) -> tuple[Array, tuple[Array, Array]]:
        """The smaller maps of a batch (N, C, H, W), and the trace: input and sums."""
        w, b = self._own(params)
        x = checks.float_array(x, "x")
        total = conv.avg_pool2d(x, self.size, backend=backend) * x.dtype.type(self._window)
        if x.shape[1] != self.channels:
            raise ValueError(f"x has {x.shape[1]} channels {x.shape}; the layer {self.channels}")
        return w[:, None, None] * total + b[:, None, None], (x, total)  # (5.29)

    def backward(
        self, params: SubsamplingParams, dy: ArrayLike, trace: Any, *, backend: str = "auto"
    ) -> tuple[Array, SubsamplingParams]:
        """The gradient with respect to the input, and those of coefficients and biases."""
        w, _ = self._own(params)
        x, total = trace
        error = checks.float_array(dy, "dy")
        checks.same_shape(error, "dy", total, "the layer's output")
        spread = error * (w * w.dtype.type(self._window))[:, None, None]
        dx = conv.avg_pool2d_backward(spread, x, self.size, backend=backend)
        each = (0, 2, 3)
        return dx, SubsamplingParams((error * total).sum(axis=each), error.sum(axis=each))

    @property
    def _window(self) -> int:
        """How many numbers a window holds."""
        return int(self.size[0] * self.size[1])

    def _own(self, params: Any) -> tuple[Array, Array]:
        if not isinstance(params, tuple) or len(params) != 2:
            raise TypeError(f"params must be SubsamplingParams(w, b), got {checks.shown(params)}")
        w, b = checks.float_array(params[0], "w"), checks.float_array(params[1], "b")
        if not w.shape == b.shape == (self.channels,):
            raise ValueError(
                f"params hold w {w.shape} and b {b.shape}; this layer needs ({self.channels},)"
            )
        return w, b


@equation("scaled-tanh")
@dataclass(frozen=True)
class ScaledTanh(_Free):
    """The activation of 1998 as a layer: 1.7159 tanh(2 z / 3), which takes 1 to 1 and -1 to -1.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, *Gradient-based learning applied to document
    recognition*, 1998, appendix A.

    Examples
    --------
    >>> layer = ScaledTanh()
    >>> layer.forward(layer.init(rng=0), [[-1.0, 0.0, 1.0]])[0].round(4)
    array([[-1.,  0.,  1.]])
    """

    kind: ClassVar[str] = "scaled_tanh"

    def output_shape(self, shape: Shape | None) -> Shape:
        """Shape of one output example: that of the input."""
        return (None,) if shape is None else shape

    def forward(
        self, params: NoParams, x: ArrayLike, *, backend: str = "auto"
    ) -> tuple[Array, Array]:
        """The activations of a batch, and the trace: the activations once more."""
        _none(params)
        z = checks.float_array(x, "x")
        y = z.dtype.type(SCALE) * np.tanh(z.dtype.type(SLOPE) * z)  # (5.30)
        return y, y

    def backward(
        self, params: NoParams, dy: ArrayLike, trace: Array, *, backend: str = "auto"
    ) -> tuple[Array, NoParams]:
        """The gradient with respect to the input, told by the activations."""
        _none(params)
        error = checks.float_array(dy, "dy")
        checks.same_shape(error, "dy", trace, "the layer's output")
        kind = trace.dtype.type
        return error * (kind(SLOPE * SCALE) - kind(SLOPE / SCALE) * trace * trace), NoParams()


@dataclass(frozen=True)
class TableConv2d:
    """A convolution whose maps read chosen maps of the input: a table says which.

    Only the kernels in the table are parameters, in the order of the table. It is computed as a
    convolution layer whose other kernels are zero.

    Parameters
    ----------
    table : sequence of sequences of int
        For each of the M maps of the output, the maps of the input that it reads.
    in_channels : int
        Number of maps C of the input.
    kernel : int or (int, int)
        Rows and columns of the kernels.

    Raises
    ------
    ValueError
        If a map reads nothing, reads a map twice, or one that is not there.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, *Gradient-based learning applied to document
    recognition*, 1998, table I.

    Examples
    --------
    >>> layer = TableConv2d([(0, 1), (1,)], 2, 3)
    >>> params = layer.init(rng=0)
    >>> params.K.shape, params.b.shape
    ((3, 3, 3), (2,))
    """

    table: Any
    in_channels: int
    kernel: Any

    kind: ClassVar[str] = "table_conv"

    def __post_init__(self) -> None:
        C = checks.count(self.in_channels, "in_channels")
        rows = []
        for m, row in enumerate(checks.listed(self.table, "table", "lists of maps")):
            name = f"table[{m}]"
            read = [checks.count(c, name, least=0) for c in checks.listed(row, name, "maps")]
            if not read or len(set(read)) < len(read) or max(read) >= C:
                raise ValueError(
                    f"{name} must name some of the maps 0 .. {C - 1}, each once; got {read}"
                )
            rows.append(tuple(read))
        if not rows:
            raise ValueError("table is empty; it needs a row for each map of the output")
        settle(self, "table", tuple(rows))
        settle(self, "kernel", pair(self.kernel, "kernel"))

    def output_shape(self, shape: Shape | None) -> Shape:
        """Shape of one output example, (M, Ho, Wo)."""
        _, H, W = image(shape, self.in_channels)
        if H is None or W is None:
            return (len(self.table), None, None)
        return (len(self.table), *conv.conv_output_size((H, W), self.kernel))

    def init(self, rng: np.random.Generator | int, dtype: Any = np.float64) -> conv.ConvParams:
        """Draw the kernels, each row of the table by the number of maps it reads; no bias yet."""
        rng, dtype = checks.generator(rng), checks.float_type(dtype)
        window, (m, _) = self.kernel[0] * self.kernel[1], self._places()
        fan_out = window * len(m) // self.in_channels
        K = np.concatenate([
            glorot_uniform(rng, (len(row), *self.kernel), window * len(row), fan_out)
            for row in self.table
        ])  # fmt: skip
        return conv.ConvParams(K.astype(dtype, copy=False), np.zeros(len(self.table), dtype))

    def forward(
        self, params: conv.ConvParams, x: ArrayLike, *, backend: str = "auto"
    ) -> tuple[Array, Array]:
        """The maps (N, M, Ho, Wo) of a batch (N, C, H, W), and the trace: the input."""
        K, b = self._whole(params)
        return conv.conv2d(x, K, b, backend=backend), as_array(x)

    def backward(
        self, params: conv.ConvParams, dy: ArrayLike, trace: Array, *, backend: str = "auto"
    ) -> tuple[Array, conv.ConvParams]:
        """The gradient with respect to the input, and the gradients of kernels and bias."""
        K, b = self._whole(params)
        grads = conv.conv2d_backward(dy, trace, K, b, backend=backend)
        return grads.x, conv.ConvParams(grads.K[self._places()], grads.b)

    def _places(self) -> tuple[list[int], list[int]]:
        """The output map and the input map of each kernel."""
        joined = [(m, c) for m, row in enumerate(self.table) for c in row]
        return [m for m, _ in joined], [c for _, c in joined]

    def _whole(self, params: Any) -> tuple[Array, Array]:
        """All kernels (M, C, R, S), zero where the table has none, and the bias."""
        if not isinstance(params, tuple) or len(params) != 2:
            raise TypeError(f"params must be ConvParams(K, b), got {checks.shown(params)}")
        K, b = checks.float_array(params[0], "K"), checks.float_array(params[1], "b")
        places, M = self._places(), len(self.table)
        needed = (len(places[0]), *self.kernel)
        if K.shape != needed or b.shape != (M,):
            raise ValueError(
                f"params hold K {K.shape} and b {b.shape}; this layer needs {needed} and ({M},)"
            )
        whole = np.zeros((M, self.in_channels, *self.kernel), K.dtype)
        whole[places] = K
        return whole, b


@equation("rbf-output")
@dataclass(frozen=True)
class RadialBasis(_Free):
    """Scores of classes: minus the squared distance of the input from the code of each class.

    The codes are fixed. Under the cross entropy the scores act as logits, which pushes the input
    towards the code of its class and away from the others.

    Parameters
    ----------
    codes : sequence of sequences of float
        The code of each class, (m, n).

    Raises
    ------
    ValueError
        If the codes are not finite numbers (m, n).

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, *Gradient-based learning applied to document
    recognition*, 1998, sections II.B and II.C.

    Examples
    --------
    >>> layer = RadialBasis([(1, -1), (1, 1)])
    >>> layer.forward(layer.init(rng=0), [[1.0, 0.5]])[0]
    array([[-2.25, -0.25]])
    """

    codes: Any

    kind: ClassVar[str] = "radial_basis"

    def __post_init__(self) -> None:
        codes = checks.float_array(self.codes, "codes")
        checks.axes(codes, "codes", ("class", "input"), "RadialBasis")
        checks.not_empty(codes, "codes")
        if not np.isfinite(codes).all():
            raise ValueError("codes must be finite; they hold NaN or infinity")
        settle(self, "codes", tuple(tuple(row) for row in codes.tolist()))

    def output_shape(self, shape: Shape | None) -> Shape:
        """Shape of one output example, (m,)."""
        n = len(self.codes[0])
        if shape not in (None, (None,), (n,)):
            raise ValueError(f"it expects inputs of shape ({n},) but gets {shape}")
        return (len(self.codes),)

    def forward(
        self, params: NoParams, x: ArrayLike, *, backend: str = "auto"
    ) -> tuple[Array, Array]:
        """The scores (N, m) of a batch (N, n), and the trace: the differences."""
        _none(params)
        rows = checks.float_array(x, "x")
        checks.axes(rows, "x", ("batch", "input"), "RadialBasis")
        codes = np.array(self.codes, rows.dtype)
        if rows.shape[1] != codes.shape[1]:
            raise ValueError(f"x has {rows.shape[1]} inputs {rows.shape}; codes {codes.shape}")
        away = rows[:, None] - codes
        return -(away * away).sum(axis=2), away  # (5.31)

    def backward(
        self, params: NoParams, dy: ArrayLike, trace: Array, *, backend: str = "auto"
    ) -> tuple[Array, NoParams]:
        """The gradient with respect to the input; the codes have none."""
        _none(params)
        error = checks.float_array(dy, "dy")
        if error.shape != trace.shape[:2]:
            raise ValueError(f"dy has shape {error.shape}; the scores have {trace.shape[:2]}")
        return -2 * (error[:, :, None] * trace).sum(axis=1), NoParams()
