"""The convolution's kernels, and the rule that chooses how a layer is computed.

The rule looks at the shapes alone, so that the same layer is always computed in the same way:

- *winograd* for kernels of 3 x 3 with stride and dilation 1, where both sides of the layer have at
  least 16 channels a group, one of them 32, and the output has at least 256 places. With fewer
  channels its transforms cost more than they save.
- *fft* for kernels of at least 11 x 11 with stride and dilation 1, where an image of the output has
  at least 1024 places.
- *direct* for all others. One kernel a group, or two on one channel, are computed by `filters`, in
  another order, if they are large enough.

Numbers that the first two cannot handle, infinities, NaN and sums that would overflow on the way,
are found in the result, which is then computed directly.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from ketkar.kernels.cpu import convolution as direct
from ketkar.kernels.cpu import fft, filters, winograd
from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel
from ketkar.kernels.cpu.span import number, span
from ketkar.kernels.cpu.sums import sum_of
from ketkar.kernels.cpu.threads import split, worth
from ketkar.kernels.geometry import Geometry

ALGORITHMS: Final = ("auto", "direct", "winograd", "fft")
"""How this backend can convolve."""

_FAST: Final[dict[str, ModuleType]] = {"winograd": winograd, "fft": fft}


def choose(K: tuple[int, ...], y: tuple[int, ...], geometry: Geometry) -> str:
    """The algorithm for a layer with kernels K (M, C / groups, R, S) and output y (N, M, Ho, Wo).

    Examples
    --------
    >>> choose((64, 64, 3, 3), (8, 64, 56, 56), Geometry())
    'winograd'
    >>> choose((6, 1, 5, 5), (64, 6, 28, 28), Geometry())
    'direct'
    """
    M, C, R, S = K
    M //= geometry.groups
    g = geometry
    if (g.stride_rows, g.stride_columns, g.dilation_rows, g.dilation_columns) != (1, 1, 1, 1):
        return "direct"
    places = y[0] * y[2] * y[3]
    if (R, S) == (3, 3) and min(M, C) >= 16 and max(M, C) >= 32 and places >= 256:
        return "winograd"
    if min(R, S) >= 11 and y[2] * y[3] >= 1024:
        return "fft"
    return "direct"


def conv2d_forward(x: Any, K: Any, b: Any, geometry: Geometry, algorithm: str, y: Any) -> None:
    """Fill y (N, M, Ho, Wo) with the output of a convolution layer; see the reference."""
    if algorithm == "auto":
        algorithm = choose(K.shape, y.shape, geometry)
    if algorithm == "direct" or not _FAST[algorithm].forward(x, K, b, geometry, y):
        found = filters if filters.fits(x, K, geometry) else direct
        found.forward(x, K, b, geometry, y)


def conv2d_input_gradient(dy: Any, K: Any, geometry: Geometry, algorithm: str, dx: Any) -> None:
    """Fill dx (N, C, H, W) with the gradient of the input; see the reference."""
    if algorithm == "auto":
        algorithm = choose(K.shape, dy.shape, geometry)
    if algorithm == "direct" or not _FAST[algorithm].input_gradient(dy, K, geometry, dx):
        direct.input_gradient(dy, K, geometry, dx)


def conv2d_kernel_gradient(dy: Any, x: Any, geometry: Geometry, algorithm: str, dK: Any) -> None:
    """Fill dK (M, C / groups, R, S) with the gradient of the kernels; see the reference."""
    if algorithm == "auto":
        algorithm = choose(dK.shape, dy.shape, geometry)
    if algorithm == "direct" or not _FAST[algorithm].kernel_gradient(dy, x, geometry, dK):
        direct.kernel_gradient(dy, x, geometry, dK)


@helper
def _channel_sums(dy: Any, N: int, M: int, plane: int, first: int, last: int, db: Any) -> None:
    for m in range(first, last):
        total = 0.0
        for n in range(N):
            total += sum_of(dy + (n * M + m) * plane, plane)
        db[m] = number(dy, total)  # (5.20)


def _kernels(fingerprint: int) -> Any:
    @kernel
    def channel_sums(dy: Any, db: Any, part: int, parts: int) -> None:
        _ = fingerprint
        N, M, Ho, Wo = dy.shape
        first, last = M * part // parts, M * (part + 1) // parts
        _channel_sums(span(dy), N, M, Ho * Wo, first, last, span(db))

    return channel_sums


_channel_sums_kernel = _kernels(FINGERPRINT)
LARGE = 1 << 20
"""Numbers to add up that are worth a thread of their own."""


def conv2d_bias_gradient(dy: Any, db: Any) -> None:
    """Fill db (M,) with the sums of dy (N, M, Ho, Wo) over all but the channels."""
    parts = max(1, min(worth(dy.size, LARGE), dy.shape[1]))
    split(lambda *part: _channel_sums_kernel(dy, db, *part), parts)
