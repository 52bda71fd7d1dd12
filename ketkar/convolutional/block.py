"""The building block of convolutional networks: convolution, detector, pooling.

The convolution lays kernels on the image, the detector bends what they answer, and the pooling
keeps the strongest answer, or the mean, of each neighbourhood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.convolutional import pooling
from ketkar.convolutional.layer import ConvGrads, ConvParams, conv2d, conv2d_backward
from ketkar.equations import equation
from ketkar.feedforward.activations import activation as find
from ketkar.kernels.foreign import like_for_like

__all__ = [
    "POOLS",
    "Block",
    "ParallelGrads",
    "conv_detector_pool",
    "conv_detector_pool_backward",
    "parallel_blocks",
    "parallel_blocks_backward",
]

Array = NDArray[Any]

_POOLS: Final = {
    "max": (pooling.max_pool2d, pooling.max_pool2d_backward),
    "avg": (pooling.avg_pool2d, pooling.avg_pool2d_backward),
    "l2": (pooling.l2_pool2d, pooling.l2_pool2d_backward),
}
POOLS: tuple[str, ...] = tuple(_POOLS)
"""The names of the poolings of a block."""


@equation("block")
@like_for_like
def conv_detector_pool(
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None = None,
    *,
    activation: str = "relu",
    pool: str = "max",
    size: int | tuple[int, int] = 2,
    stride: int | tuple[int, int] = 1,
    padding: Any = 0,
    pool_stride: int | tuple[int, int] | None = None,
    backend: str = "auto",
) -> Array:
    """A convolution layer, an activation function and a pooling layer, one after the other.

    Parameters
    ----------
    x : array_like
        Images, (N, C, H, W): example, channel, row, column.
    K : array_like
        Kernels, (M, C, R, S).
    b : array_like, optional
        Bias, (M,); zero if left out.
    activation : str
        The detector: an activation function, one of :data:`ketkar.feedforward.ACTIVATIONS`.
    pool : {"max", "avg", "l2"}
        What stands for a neighbourhood: its largest number, its mean, or its length.
    size : int or (int, int)
        Rows and columns of a neighbourhood.
    stride, padding
        Of the convolution, as in :func:`conv2d`.
    pool_stride : int or (int, int), optional
        Steps of the pooling; `size` if left out, so that no two neighbourhoods overlap.
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes it.

    Returns
    -------
    ndarray
        Feature maps, (N, M, Ho, Wo), of the type that `x` and `K` share.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`conv2d` and the pooling, or if there is no such activation or pooling.

    References
    ----------
    Textbook chapter 5, *Convolution-Detector-Pooling Building Block*.

    Examples
    --------
    >>> edge = [[[[-1.0, 1.0]]]]
    >>> conv_detector_pool([[[[0.0, 0.0, 1.0, 1.0, 0.0]]]], edge, size=(1, 2))
    array([[[[1., 0.]]]])
    """
    detect, (pooled, _) = find(activation).value, _POOLS[checks.one_of(pool, "pool", POOLS)]
    z = conv2d(x, K, b, stride=stride, padding=padding, backend=backend)
    return pooled(detect(z), size, stride=pool_stride, backend=backend)  # (5.17)


@like_for_like
def conv_detector_pool_backward(
    dy: ArrayLike,
    x: ArrayLike,
    K: ArrayLike,
    b: ArrayLike | None = None,
    *,
    activation: str = "relu",
    pool: str = "max",
    size: int | tuple[int, int] = 2,
    stride: int | tuple[int, int] = 1,
    padding: Any = 0,
    pool_stride: int | tuple[int, int] | None = None,
    backend: str = "auto",
) -> ConvGrads:
    """The gradients of a block: back through the pooling, the detector and the convolution.

    Parameters
    ----------
    dy : array_like
        Gradient of the loss with respect to the block's output, (N, M, Ho, Wo).
    x, K, b, activation, pool, size, stride, padding, pool_stride, backend
        What :func:`conv_detector_pool` was called with.

    Returns
    -------
    ConvGrads
        Gradients with respect to `x`, `K` and `b`, as in :func:`conv2d_backward`.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`conv_detector_pool`, or if `dy` has not the shape of the output.

    Examples
    --------
    >>> x, edge = [[[[0.0, 0.0, 1.0, 1.0, 0.0]]]], [[[[-1.0, 1.0]]]]
    >>> conv_detector_pool_backward([[[[1.0, 1.0]]]], x, edge, size=(1, 2)).x
    array([[[[ 0., -1.,  1.,  0.,  0.]]]])
    """
    detector, (_, pooled_back) = find(activation), _POOLS[checks.one_of(pool, "pool", POOLS)]
    z = conv2d(x, K, b, stride=stride, padding=padding, backend=backend)
    da = pooled_back(dy, detector.value(z), size, stride=pool_stride, backend=backend)
    dz = da * detector.grad(z)  # (3.15)
    return conv2d_backward(dz, x, K, b, stride=stride, padding=padding, backend=backend)


class Block(NamedTuple):
    """One of several blocks in parallel: the arguments of :func:`conv_detector_pool`."""

    K: ArrayLike
    b: ArrayLike | None = None
    activation: str = "relu"
    pool: str = "max"
    size: int | tuple[int, int] = 2
    stride: int | tuple[int, int] = 1
    padding: Any = 0
    pool_stride: int | tuple[int, int] | None = None


class ParallelGrads(NamedTuple):
    """The gradients with respect to the common input x, and to the parameters of each block."""

    x: Array
    blocks: tuple[ConvParams, ...]


@like_for_like
def parallel_blocks(
    x: ArrayLike, blocks: Sequence[Block | Mapping[str, Any]], *, backend: str = "auto"
) -> Array:
    """Several blocks on the same image; their feature maps stand side by side, as channels.

    Parameters
    ----------
    x : array_like
        Images, (N, C, H, W): example, channel, row, column.
    blocks : sequence of Block or mapping
        The arguments of each block, as a :class:`Block` or a mapping with its names.
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes it.

    Returns
    -------
    ndarray
        Feature maps, (N, M, Ho, Wo), where M is the sum over the blocks, in their order.

    Raises
    ------
    ValueError
        If there is no block, or the maps of two blocks differ in their rows or columns.
    ValueError, TypeError, RuntimeError
        As :func:`conv_detector_pool`.

    References
    ----------
    Textbook chapter 5, *Convolution-Detector-Pooling Building Block*.

    Examples
    --------
    >>> edges = [Block(K=[[[[-1.0, 1.0]]]], size=1), Block(K=[[[[1.0, -1.0]]]], size=1)]
    >>> parallel_blocks([[[[0.0, 1.0, 1.0, 0.0]]]], edges)
    array([[[[1., 0., 0.]],
            [[0., 0., 1.]]]])
    """
    maps = [conv_detector_pool(x, **options, backend=backend) for options in _options(blocks)]
    for i, found in enumerate(maps):
        if found.shape[2:] != maps[0].shape[2:]:
            raise ValueError(
                f"blocks[{i}] gives maps of {found.shape[2:]} rows and columns but blocks[0] "
                f"of {maps[0].shape[2:]}; maps side by side have one size"
            )
    return np.concatenate(maps, axis=1)


@like_for_like
def parallel_blocks_backward(
    dy: ArrayLike,
    x: ArrayLike,
    blocks: Sequence[Block | Mapping[str, Any]],
    *,
    backend: str = "auto",
) -> ParallelGrads:
    """The gradients of blocks in parallel: the input collects those of all blocks.

    Parameters
    ----------
    dy : array_like
        Gradient of the loss with respect to the feature maps, (N, M, Ho, Wo).
    x, blocks, backend
        What :func:`parallel_blocks` was called with.

    Returns
    -------
    ParallelGrads
        Gradient with respect to `x`, and those of `K` and `b` of each block.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As :func:`parallel_blocks`, or if `dy` has not the shape of the output.

    Examples
    --------
    >>> edges = [Block(K=[[[[-1.0, 1.0]]]], size=1), Block(K=[[[[1.0, -1.0]]]], size=1)]
    >>> dy = [[[[1.0, 1.0, 1.0]], [[1.0, 1.0, 1.0]]]]
    >>> parallel_blocks_backward(dy, [[[[0.0, 1.0, 1.0, 0.0]]]], edges).x
    array([[[[-1.,  1.,  1., -1.]]]])
    """
    options = _options(blocks)
    dy = checks.float_array(dy, "dy")
    checks.axes(dy, "dy", ("batch", "channel", "row", "column"), "parallel_blocks_backward")
    maps = [len(checks.float_array(each["K"], "K")) for each in options]
    if dy.shape[1] != sum(maps):
        raise ValueError(
            f"dy has {dy.shape[1]} channels (axis 1 of {dy.shape}) but the blocks give "
            f"{' + '.join(map(str, maps))} feature maps"
        )
    parts = np.split(dy, np.cumsum(maps)[:-1], axis=1)
    grads = [
        conv_detector_pool_backward(part, x, **each, backend=backend)
        for part, each in zip(parts, options, strict=True)
    ]
    dx = np.sum([g.x for g in grads], axis=0)
    return ParallelGrads(dx, tuple(ConvParams(g.K, g.b) for g in grads))


def _options(blocks: Any) -> list[dict[str, Any]]:
    """The arguments of each block, refused unless each is a `Block` or a mapping with K."""
    found = []
    for i, block in enumerate(checks.listed(blocks, "blocks", "blocks")):
        if isinstance(block, Block):
            found.append(block._asdict())
        elif isinstance(block, Mapping) and "K" in block and set(block) <= set(Block._fields):
            found.append(dict(block))
        else:
            raise ValueError(
                f"blocks[{i}] must be a Block or a mapping of its fields "
                f"({', '.join(Block._fields)}), got {checks.shown(block)}"
            )
    if not found:
        raise ValueError("blocks must hold at least one block")
    return found
