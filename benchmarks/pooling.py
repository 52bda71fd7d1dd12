"""Chapter 5: pooling of 64 images with 32 channels of 28 x 28, forward and backward, float32."""

import math
from functools import partial
from typing import Any

from benchmarks.problems import Pooling, usual_peers
from benchmarks.rows import Call, Row
from ketkar import convolutional

NAMES = {"max": "max_pool2d", "average": "avg_pool2d", "l2": "l2_pool2d"}


def forward(pool: Pooling) -> Call:
    f: Any = getattr(convolutional, NAMES[pool.kind])
    return partial(f, pool.arrays()[1], pool.size, stride=pool.stride)


def backward(pool: Pooling) -> Call:
    f: Any = getattr(convolutional, f"{NAMES[pool.kind]}_backward")
    return partial(f, *pool.arrays(), pool.size, stride=pool.stride)


def rows(pool: Pooling) -> list[Row]:
    x, y = 4 * math.prod(pool.x), 4 * math.prod(pool.y)
    flops = math.prod(pool.y) * pool.size**2
    name = f"{pool.kind}-{pool.size}x{pool.size}"
    needs_x = 0 if pool.kind == "average" else x
    return [
        Row(
            f"{name}-forward",
            flops,
            x + y,
            partial(forward, pool),
            usual_peers("pooling", pool),
            {"torch": 0.25},
        ),
        Row(
            f"{name}-backward",
            flops,
            y + needs_x + x,
            partial(backward, pool),
            usual_peers("pooling_backward", pool),
            {"torch": 0.9 if pool.kind == "max" else 0.3},
        ),
    ]


ROWS = [
    row
    for size, stride in ((2, 2), (3, 2))
    for kind in NAMES
    for row in rows(Pooling(kind, (64, 32, 28, 28), size, stride))
]
