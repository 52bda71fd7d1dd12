"""Chapter 5: one large image and one filter, small and large, float32."""

import math
from functools import partial

from benchmarks.convolution import forward
from benchmarks.problems import Layer, peer
from benchmarks.rows import Row

SMALL = Layer("filter5", (1, 1, 1024, 1024), (1, 1, 5, 5), padding=2, bias=False)
LARGE = Layer("filter31", (1, 1, 1024, 1024), (1, 1, 31, 31), padding=15, bias=False)


def row(layer: Layer, bars: dict[str, float], torch_fft: int = 0) -> Row:
    """`torch_fft` is the size of its transform: the fastest of those that are large enough."""
    by_fft = {
        "torch-fft": peer("with_torch", "fft_filter", layer, torch_fft),
        "scipy-fft": peer("with_scipy", "fft_filter", layer),
    }
    return Row(
        layer.name,
        layer.flops,
        4 * (math.prod(layer.x) + math.prod(layer.K) + math.prod(layer.y)),
        partial(forward, layer),
        {
            "torch": peer("with_torch", "convolution", layer),
            **(by_fft if torch_fft else {}),
            "jax": peer("with_jax", "convolution", layer),
            "scipy-ndimage": peer("with_scipy", "ndimage_filter", layer),
            "numpy": peer("with_numpy", "tap_filter", layer),
        },
        bars,
        also=("scipy-ndimage",),
    )


ROWS = [
    row(SMALL, {"torch": 0.05}),
    row(LARGE, {"torch": 0.05, "torch-fft": 1.1}, torch_fft=1056),
]
