"""Chapter 5: layers of known networks, forward and backward (dx, dK and db), float32."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.problems import Layer, usual_peers
from benchmarks.rows import Call, Row
from ketkar import convolutional

LENET1 = Layer("lenet1", (64, 1, 28, 28), (6, 1, 5, 5), padding=2)
LENET2 = Layer("lenet2", (64, 6, 14, 14), (16, 6, 5, 5))
CIFAR = Layer("cifar", (32, 16, 32, 32), (32, 16, 3, 3), padding=1)
VGG56 = Layer("vgg56", (8, 64, 56, 56), (64, 64, 3, 3), padding=1)
VGG14 = Layer("vgg14", (8, 256, 14, 14), (256, 256, 3, 3), padding=1)

# Each with the ratios to torch that the forward and the backward are to reach.
LAYERS = [
    (LENET1, 0.7, 0.5),
    (LENET2, 1.0, 0.9),
    (CIFAR, 1.0, 0.95),
    (CIFAR._replace(name="cifar-stride2", stride=2), 1.0, 1.0),
    (VGG56, 0.6, 0.65),
    (VGG14, 0.7, 0.8),
    (Layer("pointwise", (8, 64, 56, 56), (256, 64, 1, 1)), 1.0, 0.95),
    (Layer("conv1d", (32, 16, 4096), (16, 16, 9), padding=4), 1.0, 1.0),
]


def forward(layer: Layer) -> Callable[..., Any]:
    _, x, K, b = layer.arrays()
    f: Any = convolutional.conv1d if x.ndim == 3 else convolutional.conv2d
    return partial(f, x, K, b, stride=layer.stride, padding=layer.padding)


def backward(layer: Layer) -> Call:
    one_row = len(layer.x) == 3
    f: Any = convolutional.conv1d_backward if one_row else convolutional.conv2d_backward
    return partial(f, *layer.arrays(), stride=layer.stride, padding=layer.padding)


def rows(layer: Layer, forward_bar: float, backward_bar: float) -> list[Row]:
    x, K, y = (4 * math.prod(shape) for shape in (layer.x, layer.K, layer.y))
    b = 4 * layer.K[0]
    return [
        Row(
            f"{layer.name}-forward",
            layer.flops,
            x + K + b + y,
            partial(forward, layer),
            usual_peers("convolution", layer),
            {"torch": forward_bar},
            layer=True,
        ),
        Row(
            f"{layer.name}-backward",
            2 * layer.flops,  # dx and dK are sums of the same size
            y + 2 * (x + K) + b,
            partial(backward, layer),
            usual_peers("convolution_backward", layer),
            {"torch": backward_bar},
            layer=True,
        ),
    ]


ROWS = [row for layer in LAYERS for row in rows(*layer)]
