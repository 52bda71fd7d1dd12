"""The exercises of chapter 5, from a sliding kernel to the gradients of a convolution layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar import convolutional as conv
from ketkar.exercises.exercise import Exercise

__all__ = ["CHAPTER_5"]

Generator = np.random.Generator
Cases = list[tuple[Any, ...]]


def _signals(rng: Generator) -> Cases:
    by_hand: Cases = [
        (np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 0.0, -1.0])),
        (np.array([1.0, 5.0, 2.0]), np.array([2.0, 1.0])),
    ]
    return by_hand + [(rng.normal(size=n), rng.normal(size=k)) for n, k in ((6, 1), (5, 5), (9, 4))]


def _images(rng: Generator) -> Cases:
    by_hand: Cases = [(np.arange(9.0).reshape(3, 3), np.array([[1.0, 2.0], [0.0, -1.0]]))]
    shapes = (((4, 5), (2, 3)), ((6, 3), (3, 1)), ((3, 3), (3, 3)))
    return by_hand + [(rng.normal(size=image), rng.normal(size=k)) for image, k in shapes]


def _sizes(rng: Generator) -> Cases:
    by_hand: Cases = [(5, 3, 1, 0), (5, 3, 1, 1), (28, 2, 2, 0), (6, 3, 2, 0)]
    for _ in range(6):
        kernel, padding = int(rng.integers(1, 6)), int(rng.integers(0, 3))
        size = kernel + int(rng.integers(0, 20))
        by_hand.append((size, kernel, int(rng.integers(1, 5)), padding))
    return by_hand


def _layers(rng: Generator) -> Cases:
    by_hand: Cases = [(5, 5, 1, 6), (3, 1, 4, 2)]
    return by_hand + [tuple(int(n) for n in rng.integers(1, 12, 4)) for _ in range(4)]


def _stacks(rng: Generator) -> Cases:
    by_hand: Cases = [([(3, 1)],), ([(3, 1), (3, 1)],), ([(2, 2), (3, 1)],), ([],)]
    return by_hand + [
        ([(int(rng.integers(1, 6)), int(rng.integers(1, 4))) for _ in range(depth)],)
        for depth in (2, 3, 5)
    ]


def _pooled(rng: Generator) -> Cases:
    by_hand: Cases = [
        (np.array([[10.0]]), np.array([[1.0, 3.0], [4.0, 2.0]])),
        (np.array([[1.0, 2.0]]), np.array([[0.0, 5.0, 6.0, 6.0], [5.0, 1.0, 6.0, 0.0]])),
    ]
    drawn = [
        (rng.normal(size=(h, w)), rng.normal(size=(2 * h, 2 * w))) for h, w in ((2, 2), (1, 3))
    ]
    return by_hand + drawn


def _max_pool_backward(dy: Any, x: Any) -> Any:
    return conv.max_pool2d_backward(dy[None, None], x[None, None], 2, backend="numpy")[0, 0]


def _backward(rng: Generator) -> Cases:
    by_hand: Cases = [
        (np.array([1.0, 10.0]), np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 0.0, -1.0])),
        (np.array([1.0, -1.0]), np.array([1.0, 2.0, 4.0]), np.array([3.0, 5.0])),
    ]
    drawn = [
        (rng.normal(size=n - k + 1), rng.normal(size=n), rng.normal(size=k))
        for n, k in ((5, 1), (4, 4), (8, 3))
    ]
    return by_hand + drawn


def _conv_backward(dy: Any, x: Any, K: Any) -> tuple[Any, ...]:
    grads = conv.conv1d_backward(
        dy[None, None], x[None, None], K[None, None], backend="numpy", algorithm="direct"
    )
    return grads.x[0, 0], grads.K[0, 0]


CHAPTER_5 = (
    Exercise(
        "cross-correlate",
        "cross_correlate(I, K)",
        "The cross-correlation of a signal I (n,) with a kernel K (k,) wherever the kernel lies "
        "inside the signal: n - k + 1 numbers.",
        conv.cross_correlate1d,
        _signals,
        "cross-correlation",
    ),
    Exercise(
        "convolve",
        "convolve(I, K)",
        "The convolution of a signal I (n,) with a kernel K (k,) wherever the two overlap: "
        "n + k - 1 numbers.",
        conv.convolve1d,
        _signals,
        "convolution",
    ),
    Exercise(
        "cross-correlate-2d",
        "cross_correlate2d(I, K)",
        "The cross-correlation of an image I (H, W) with a kernel K (R, S) wherever the kernel "
        "lies inside the image.",
        conv.cross_correlate2d,
        _images,
        "cross-correlation-2d",
    ),
    Exercise(
        "output-size",
        "output_size(size, kernel, stride, padding)",
        "How many outputs a kernel has along one axis of this size, with padding zeros at both "
        "ends; four whole numbers in, one out.",
        conv.conv_output_size,
        _sizes,
        "output-size",
    ),
    Exercise(
        "conv-parameters",
        "conv_parameters(rows, columns, channels, maps)",
        "How many weights and biases a layer has whose kernels have so many rows and columns, "
        "which sees so many channels and gives so many feature maps.",
        lambda rows, columns, channels, maps: conv.conv2d_num_params(
            (rows, columns), channels, maps
        ),
        _layers,
        "convolution-parameters",
    ),
    Exercise(
        "receptive-field",
        "receptive_field(layers)",
        "How many inputs along one axis a unit behind the last layer sees; layers is a list of "
        "pairs (kernel, stride), the first layer first.",
        conv.receptive_field,
        _stacks,
        "receptive-field",
    ),
    Exercise(
        "max-pool-backward",
        "max_pool_backward(dy, x)",
        "The gradient with respect to an image x (H, W), H and W even, of max pooling with windows "
        "of 2 x 2 side by side, given the gradient dy (H/2, W/2); of equal numbers the first wins.",
        _max_pool_backward,
        _pooled,
        "max-pooling-backward",
        pair=lambda f: (
            lambda x: conv.max_pool2d(x[None, None], 2, backend="numpy")[0, 0],
            f,
        ),
        pair_case=lambda rng: (rng.permutation(24.0 * np.arange(24)).reshape(4, 6),),
    ),
    Exercise(
        "conv-backward",
        "conv_backward(dy, x, K)",
        "The gradients of the cross-correlation of a signal x (n,) with a kernel K (k,), given "
        "the gradient dy (n - k + 1,) with respect to its output: for x and for K.",
        _conv_backward,
        _backward,
        "convolution-backward-kernel",
        results=("dx", "dK"),
        pair=lambda f: (conv.cross_correlate1d, f),
        pair_case=lambda rng: (rng.normal(size=6), rng.normal(size=3)),
    ),
)
"""The exercises of chapter 5, in the order of the book."""
