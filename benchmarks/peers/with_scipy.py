"""SciPy, for the filters of one image."""

from typing import Any

import scipy.fft
import scipy.ndimage

from benchmarks.problems import Layer
from benchmarks.rows import Call
from ketkar.kernels.backend import threads


def ndimage_filter(layer: Layer) -> Call:
    """Always on one thread."""
    _, x, K, _ = layer.arrays()
    image, kernel = x[0, 0], K[0, 0]
    return lambda: scipy.ndimage.correlate(image, kernel, mode="constant")[None, None]


def fft_filter(layer: Layer) -> Call:
    """The filter as a product of transforms; faster than ``fftconvolve`` and ``oaconvolve``."""
    _, x, K, _ = layer.arrays()
    image, kernel = x[0, 0], K[0, 0]
    (H, W), (R, S) = image.shape, kernel.shape
    shape = [scipy.fft.next_fast_len(n + k - 1, real=True) for n, k in ((H, R), (W, S))]
    top, left, workers = R - 1 - layer.padding, S - 1 - layer.padding, threads()

    def run() -> Any:
        spectrum = scipy.fft.rfft2(image, shape, workers=workers)
        spectrum *= scipy.fft.rfft2(kernel[::-1, ::-1], shape, workers=workers)
        y = scipy.fft.irfft2(spectrum, shape, workers=workers, overwrite_x=True)
        return y[None, None, top : top + H, left : left + W]

    return run
