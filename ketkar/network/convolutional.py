"""The convolution layer as a value.

Images are (N, C, H, W): example, channel, row, column. The shape of one image is (C, H, W); while
a network is put together its rows and columns are not known yet, and stand as None.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar import convolutional as conv
from ketkar.arrays import as_array
from ketkar.convolutional.layer import conv2d_parameter_gradients
from ketkar.convolutional.window import number, pair, place
from ketkar.feedforward.activations import activation as find
from ketkar.network.detector import activate, times_slope
from ketkar.network.images import image, padding_of, settle
from ketkar.network.initial import INITIALISERS, initial
from ketkar.network.layer import Shape

__all__ = ["Conv2d", "ConvTrace"]

Array = NDArray[Any]


class ConvTrace(NamedTuple):
    """What a convolution layer keeps on the way forward: its input and its feature maps."""

    x: Array
    y: Array


@dataclass(frozen=True)
class Conv2d:
    """A convolution layer as a value: kernels, how they move, and what their sums become.

    Parameters
    ----------
    in_channels, out_channels : int
        Number of channels C of the input, and number of feature maps M.
    kernel : int or (int, int)
        Rows and columns R and S of the kernels.
    stride, padding, dilation, groups
        As for :func:`ketkar.convolutional.conv2d`.
    activation : str
        Name of the activation function, one of :data:`ketkar.feedforward.ACTIVATIONS`.
    init_kernel : str
        Name of the initialiser of the kernels, one of :data:`INITIALISERS`. A unit reads
        C R S / groups inputs, and an input is read by about M R S / groups units.

    Raises
    ------
    ValueError
        If a number is out of range, the channels do not fall into the groups, or there is no
        such activation or initialiser.

    References
    ----------
    Textbook chapter 5, *Convolution-Detector-Pooling Building Block*.

    Examples
    --------
    >>> layer = Conv2d(1, 6, 5, padding=2, activation="relu")
    >>> params = layer.init(rng=0)
    >>> params.K.shape, params.b.shape
    ((6, 1, 5, 5), (6,))
    >>> layer.output_shape((1, 28, 28))
    (6, 28, 28)
    """

    in_channels: int
    out_channels: int
    kernel: Any
    _: KW_ONLY
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1
    activation: str = "identity"
    init_kernel: str = "glorot_uniform"

    def __post_init__(self) -> None:
        checks.count(self.in_channels, "in_channels")
        checks.count(self.out_channels, "out_channels")
        number(self.groups, "groups")
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                raise ValueError(
                    f"{name} must be a multiple of the {self.groups} groups, "
                    f"got {getattr(self, name)}"
                )
        for name in ("kernel", "stride", "dilation"):
            settle(self, name, pair(getattr(self, name), name))
        settle(self, "padding", padding_of(self.padding))
        find(self.activation)
        checks.one_of(self.init_kernel, "init_kernel", INITIALISERS)

    @property
    def kind(self) -> str:
        """The name of the kind of layer."""
        return "conv"

    def output_shape(self, shape: Shape | None) -> Shape:
        """Shape of one output example, (M, Ho, Wo); None where rows and columns are not known.

        Raises
        ------
        ValueError
            If the input has not C channels, or the kernel does not fit into it.
        """
        _, H, W = image(shape, self.in_channels)
        if H is None or W is None:
            return (self.out_channels, None, None)
        geometry = place((H, W), self.kernel, **self._moves())
        return (self.out_channels, *geometry.output_size((H, W), self.kernel))

    def init(self, rng: np.random.Generator | int, dtype: Any = np.float64) -> conv.ConvParams:
        """Draw the kernels by the initialiser and set the bias to zero."""
        C, M = self.in_channels // self.groups, self.out_channels
        window = self.kernel[0] * self.kernel[1]
        fans = C * window, M // self.groups * window
        K = initial(self.init_kernel, rng, (M, C, *self.kernel), dtype, fans=fans)
        return conv.ConvParams(K, np.zeros(M, dtype))

    def forward(
        self, params: conv.ConvParams, x: ArrayLike, *, backend: str = "auto"
    ) -> tuple[Array, ConvTrace]:
        """The feature maps (N, M, Ho, Wo) of a batch (N, C, H, W), and the trace."""
        K, b = self._own(params)
        y = conv.conv2d(x, K, b, **self._moves(), groups=self.groups, backend=backend)
        return activate(y, self.activation), ConvTrace(as_array(x), y)

    def backward(
        self, params: conv.ConvParams, dy: ArrayLike, trace: ConvTrace, *, backend: str = "auto"
    ) -> tuple[Array, conv.ConvParams]:
        """The gradient with respect to the input, and the gradients of kernels and bias."""
        K, b = self._own(params)
        grads = conv.conv2d_backward(
            self._delta(dy, trace), trace.x, K, b,
            **self._moves(), groups=self.groups, backend=backend,
        )  # fmt: skip
        return grads.x, conv.ConvParams(grads.K, grads.b)

    def parameter_gradients(
        self, params: conv.ConvParams, dy: ArrayLike, trace: ConvTrace, *, backend: str = "auto"
    ) -> conv.ConvParams:
        """The gradients of kernels and bias alone: a third of the way back is not gone."""
        K, b = self._own(params)
        return conv2d_parameter_gradients(
            self._delta(dy, trace), trace.x, K, b,
            **self._moves(), groups=self.groups, backend=backend,
        )  # fmt: skip

    def _moves(self) -> dict[str, Any]:
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}

    def _delta(self, dy: ArrayLike, trace: ConvTrace) -> Array:
        """The gradient with respect to the weighted sums."""
        error = checks.float_array(dy, "dy")
        checks.same_shape(error, "dy", trace.y, "the layer's output")
        return times_slope(error, trace.y, self.activation)

    def _own(self, params: Any) -> tuple[Array, Array]:
        """Kernels and bias, refused unless they are those of a layer of this size."""
        if not isinstance(params, tuple) or len(params) != 2:
            raise TypeError(f"params must be ConvParams(K, b), got {checks.shown(params)}")
        K, b = checks.float_array(params[0], "K"), checks.float_array(params[1], "b")
        M = self.out_channels
        needed = (M, self.in_channels // self.groups, *self.kernel)
        if K.shape != needed or b.shape != (M,):
            raise ValueError(
                f"params hold K {K.shape} and b {b.shape}; this convolution layer needs "
                f"{needed} and ({M},)"
            )
        return K, b
