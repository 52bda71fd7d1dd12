"""Counting before computing: sizes, parameters, connections and receptive fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ketkar import checks
from ketkar.convolutional.window import number, pair, place, place1d
from ketkar.equations import equation

__all__ = [
    "conv2d_num_params",
    "conv_output_size",
    "count_connections",
    "count_unique_weights",
    "receptive_field",
    "same_padding",
]


@equation("output-size")
def conv_output_size(
    size: Any, kernel: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1
) -> Any:
    """How many places a kernel has on a signal or an image.

    Parameters
    ----------
    size, kernel : int or (int, int)
        Length of the signal and of the kernel; or rows and columns of the image and of the kernel.
    stride, dilation : int or (int, int)
        As in :func:`conv2d`; of a signal, one number.
    padding : int, pair, two pairs, "same" or "valid"
        As in :func:`conv2d`; of a signal, a number, (before, after) or the name of a rule.

    Returns
    -------
    int or (int, int)
        Length of the output where `size` is a number; its rows and columns where it is a pair.

    Raises
    ------
    ValueError
        If the kernel is larger than the padded signal, or a number is out of range.
    TypeError
        If a number is not whole.

    References
    ----------
    Around textbook chapter 5, *Convolution as tensor*.

    Examples
    --------
    >>> conv_output_size(32, 5), conv_output_size(224, 7, stride=2, padding=3)
    (28, 112)
    >>> conv_output_size((32, 28), (5, 3), stride=(1, 2))
    (28, 13)
    """
    if not isinstance(size, tuple | list):
        length, window = number(size, "size"), number(kernel, "kernel")
        signal = place1d(length, window, stride=stride, padding=padding, dilation=dilation)
        return signal.output_size((1, length), (1, window))[1]  # (5.25)
    sizes, windows = pair(size, "size"), pair(kernel, "kernel")
    image = place(sizes, windows, stride=stride, padding=padding, dilation=dilation)
    return image.output_size(sizes, windows)  # (5.25)


@equation("same-padding")
def same_padding(kernel: Any, dilation: Any = 1) -> Any:
    """The zeros before and after that keep the size, at a stride of 1.

    Parameters
    ----------
    kernel, dilation : int or (int, int)
        Taps of the kernel and steps between them; or both for rows and columns.

    Returns
    -------
    (int, int) or ((int, int), (int, int))
        Zeros (before, after), or ((top, bottom), (left, right)); the two differ by one where the
        dilated kernel is even. :func:`conv2d` takes them as its `padding`.

    Raises
    ------
    ValueError, TypeError
        If a number is not whole or below 1.

    References
    ----------
    Around textbook chapter 5, *Convolution as tensor*.

    Examples
    --------
    >>> same_padding(3), same_padding(4), same_padding(3, dilation=2)
    ((1, 1), (1, 2), (2, 2))
    >>> same_padding((5, 1))
    ((2, 2), (0, 0))
    """
    if not isinstance(kernel, tuple | list):
        total = number(dilation, "dilation") * (number(kernel, "kernel") - 1)
        return total // 2, total - total // 2  # (5.26)
    kernels, dilations = pair(kernel, "kernel"), pair(dilation, "dilation")
    return tuple(same_padding(k, d) for k, d in zip(kernels, dilations, strict=True))


@equation("convolution-parameters")
def conv2d_num_params(
    kernel_size: Any, in_channels: int, out_channels: int, bias: bool = True, groups: int = 1
) -> int:
    """How many parameters a convolution layer has: the size of the image does not matter.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Rows and columns of a kernel, R and S; one number for a square.
    in_channels, out_channels : int
        Channels C of the input and feature maps M of the output.
    bias : bool
        Count one bias a feature map.
    groups : int
        As in :func:`conv2d`.

    Returns
    -------
    int
        (R S C / groups + 1) M, without the 1 where there is no bias.

    Raises
    ------
    ValueError
        If a number is below 1, or the channels do not fall into the groups.
    TypeError
        If a number is not whole, or `bias` is not True or False.

    References
    ----------
    Around textbook chapter 5, *Filter Banks*.

    Examples
    --------
    >>> conv2d_num_params(5, 1, 6), conv2d_num_params(11, 3, 96)
    (156, 34944)
    """
    rows, columns = pair(kernel_size, "kernel_size")
    C, M = checks.count(in_channels, "in_channels"), checks.count(out_channels, "out_channels")
    groups = checks.count(groups, "groups")
    if not isinstance(bias, bool | np.bool_):
        raise TypeError(f"bias must be True or False, got {checks.shown(bias)}")
    for channels, name in ((C, "in_channels"), (M, "out_channels")):
        if channels % groups:
            raise ValueError(f"{name} is {channels}, which does not fall into {groups} groups")
    return (rows * columns * (C // groups) + bool(bias)) * M  # (5.27)


@equation("connections")
def count_connections(size: int, kernel: int, stride: int = 1, padding: Any = 0) -> int:
    """How many pairs of an input and an output a one-dimensional convolution joins.

    Parameters
    ----------
    size, kernel : int
        Length of the signal and of the kernel.
    stride : int
        Steps of the kernel.
    padding : int, (int, int), "same" or "valid"
        As in :func:`conv1d`. A zero of the padding is no input: it is joined to nothing.

    Returns
    -------
    int
        The number of connections, at most outputs times `kernel`.

    Raises
    ------
    ValueError, TypeError
        As :func:`conv_output_size`.

    References
    ----------
    Textbook chapter 5, *Convolution Operation*.

    Examples
    --------
    >>> count_connections(5, 3, padding=1), 5 * 5  # a fully connected layer has all pairs
    (13, 25)
    """
    n, k = number(size, "size"), number(kernel, "kernel")
    signal = place1d(n, k, stride=stride, padding=padding)
    outputs = signal.output_size((1, n), (1, k))[1]
    start = np.arange(outputs) * signal.stride_columns - signal.left
    joined = np.minimum(start + k, n) - np.maximum(start, 0)  # (5.9)
    return int(np.maximum(joined, 0).sum())


@equation("connections")
def count_unique_weights(kernel: Any, in_channels: int = 1, out_channels: int = 1) -> int:
    """How many different weights a convolution layer has: those of its kernels.

    Parameters
    ----------
    kernel : int or (int, int)
        Taps of a kernel: of one for signals, or rows and columns of one for images.
    in_channels, out_channels : int
        Channels of the input and of the output.

    Returns
    -------
    int
        The number of weights that every place shares.

    Raises
    ------
    ValueError, TypeError
        If a number is not whole or below 1.

    References
    ----------
    Textbook chapter 5, *Convolution Operation*.

    Examples
    --------
    >>> count_unique_weights(3)
    3
    >>> count_unique_weights((3, 3), in_channels=2, out_channels=4)
    72
    """
    taps = pair(kernel, "kernel") if isinstance(kernel, tuple | list) else (
        number(kernel, "kernel"), 1)  # fmt: skip
    C, M = checks.count(in_channels, "in_channels"), checks.count(out_channels, "out_channels")
    return taps[0] * taps[1] * C * M


@equation("receptive-field")
def receptive_field(layers: Sequence[tuple[int, ...]]) -> int:
    """How many inputs, side by side, one output of stacked layers can see.

    Parameters
    ----------
    layers : sequence of (kernel, stride) or (kernel, stride, dilation)
        Whole numbers, the first layer first; a pooling layer counts like a convolution.

    Returns
    -------
    int
        The length in one direction; 1 for no layer.

    Raises
    ------
    ValueError, TypeError
        If a layer is not of this form, or a number is below 1.

    References
    ----------
    Around textbook chapter 5, *Increased Receptive Field*.

    Examples
    --------
    >>> receptive_field([(3, 1)] * 2), receptive_field([(5, 1), (2, 2), (5, 1), (2, 2)])
    (5, 16)
    """
    field = jump = 1
    for i, layer in enumerate(checks.listed(layers, "layers", "(kernel, stride), one a layer")):
        if not isinstance(layer, tuple | list) or len(layer) not in (2, 3):
            raise ValueError(
                f"layers[{i}] must be (kernel, stride) or (kernel, stride, dilation), "
                f"got {checks.shown(layer)}"
            )
        kernel, stride, dilation = (
            checks.count(value, f"layers[{i}][{j}]") for j, value in enumerate((*layer, 1)[:3])
        )
        field += dilation * (kernel - 1) * jump  # (5.28)
        jump *= stride
    return field
