"""Plain NumPy, as one would write it without a library of kernels."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.problems import Array, Layer, Pooling
from benchmarks.rows import Call


def _columns(x: Array, layer: Layer) -> Array:
    """im2col, (N, C R S, Ho Wo): a column for each place of the window."""
    axes = tuple(range(2, x.ndim))
    padded = np.pad(x, [(0, 0), (0, 0), *[(layer.padding,) * 2 for _ in axes]])
    windows = sliding_window_view(padded, layer.K[2:], axes)
    windows = windows[(slice(None), slice(None), *[slice(None, None, layer.stride)] * len(axes))]
    taps = tuple(range(x.ndim, windows.ndim))
    return windows.transpose(0, 1, *taps, *axes).reshape(x.shape[0], _length(layer), -1)


def _length(layer: Layer) -> int:
    """C R S, the numbers that one sum takes."""
    return int(np.prod(layer.K[1:]))


def convolve(layer: Layer, x: Array, K: Array, b: Array | None) -> Array:
    y = np.matmul(K.reshape(len(K), -1), _columns(x, layer))
    if b is not None:
        y += b[:, None]
    return y.reshape(layer.y)


def convolution(layer: Layer) -> Call:
    _, x, K, b = layer.arrays()
    return lambda: convolve(layer, x, K, b)


def _taps(layer: Layer, padded: Array) -> Iterator[tuple[Any, Any]]:
    """Each place in the window, and the numbers of the image that it meets."""
    sizes = layer.y[2:]
    for place in itertools.product(*map(range, layer.K[2:])):
        along: list[Any] = [
            slice(k, k + layer.stride * n, layer.stride) for k, n in zip(place, sizes, strict=True)
        ]
        yield place, padded[(..., *along)]


def convolution_backward(layer: Layer) -> Call:
    dy, x, K, _ = layer.arrays()
    N, M = layer.y[:2]
    inside: Any = (..., *[slice(layer.padding, layer.padding + n) for n in layer.x[2:]])

    def backward() -> Any:
        rows = dy.reshape(N, M, -1)
        dK = np.matmul(rows, _columns(x, layer).swapaxes(1, 2)).sum(axis=0).reshape(K.shape)
        columns = np.matmul(K.reshape(M, -1).T, rows).reshape(N, *layer.K[1:], *layer.y[2:])
        dx = np.zeros((*x.shape[:2], *[n + 2 * layer.padding for n in x.shape[2:]]), np.float32)
        for place, met in _taps(layer, dx):
            met += columns[(slice(None), slice(None), *place)]
        return np.ascontiguousarray(dx[inside]), dK, rows.sum(axis=(0, 2))

    return backward


def tap_filter(layer: Layer) -> Call:
    """A sum over the places of the window: im2col of a large image needs gigabytes."""
    _, x, K, _ = layer.arrays()

    def run() -> Array:
        padded = np.pad(x, [(0, 0), (0, 0), *[(layer.padding,) * 2] * 2])
        y = np.zeros(layer.y, np.float32)
        product = np.empty_like(y)
        for place, met in _taps(layer, padded):
            y += np.multiply(K[(0, 0, *place)], met, out=product)
        return y

    return run


def _window(pool: Pooling, x: Array) -> list[Any]:
    """For each place in the window, the numbers of x that it meets."""
    R, s = range(pool.size), pool.stride
    Ho, Wo = pool.y[2:]
    return [x[:, :, r : r + s * Ho : s, q : q + s * Wo : s] for r in R for q in R]


def _norm(places: Sequence[Array]) -> Array:
    total = np.square(places[0])
    for met in places[1:]:
        total += np.square(met)
    return np.sqrt(total, out=total)


def pooling(pool: Pooling) -> Call:
    places = _window(pool, pool.arrays()[1])

    def largest() -> Array:
        y = places[0].copy()
        for met in places[1:]:
            np.maximum(y, met, out=y)
        return y

    def average() -> Array:
        y = places[0].copy()
        for met in places[1:]:
            y += met
        y /= len(places)
        return y

    return {"max": largest, "average": average, "l2": lambda: _norm(places)}[pool.kind]


def pooling_backward(pool: Pooling) -> Call:
    dy, x = pool.arrays()
    places = _window(pool, x)

    def largest() -> Array:
        dx = np.zeros_like(x)
        y = np.maximum.reduce(places)
        free = np.ones(y.shape, bool)
        for met, target in zip(places, _window(pool, dx), strict=True):
            here = free & (met == y)
            free ^= here
            target += dy * here
        return dx

    def average() -> Array:
        dx, share = np.zeros_like(x), dy / np.float32(len(places))
        for target in _window(pool, dx):
            target += share
        return dx

    def norm() -> Array:
        dx, rate = np.zeros_like(x), dy / _norm(places)
        for met, target in zip(places, _window(pool, dx), strict=True):
            target += rate * met
        return dx

    return {"max": largest, "average": average, "l2": norm}[pool.kind]


def training_step(params: Sequence[Any], lr: float, x: Any, labels: Any) -> Call:
    """Steepest descent on two dense layers, relu between them."""
    W1, b1, W2, b2 = (p.copy() for p in params)
    rate, examples = np.float32(lr), np.arange(len(x))

    def step() -> Any:
        z = x @ W1
        z += b1
        h = np.maximum(z, 0)
        p = h @ W2
        p += b2
        p -= p.max(axis=1, keepdims=True)
        np.exp(p, out=p)
        p /= p.sum(axis=1, keepdims=True)
        value = -np.log(p[examples, labels]).mean()
        p[examples, labels] -= 1
        p /= np.float32(len(x))
        dh = p @ W2.T
        dh *= z > 0
        for parameter, gradient in (
            (W2, h.T @ p),
            (b2, p.sum(axis=0)),
            (W1, x.T @ dh),
            (b1, dh.sum(axis=0)),
        ):
            gradient *= rate
            parameter -= gradient
        return value

    return step
