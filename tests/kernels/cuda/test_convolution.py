"""The CUDA convolution in simulation: odd shapes, what is not finite, every order of threads."""

from typing import NamedTuple

import numpy as np
import pytest

pytest.importorskip("numba", reason="the CUDA kernels need numba")

from ketkar import gradcheck
from ketkar.kernels import reference
from ketkar.kernels.cuda import convolution
from ketkar.kernels.cuda.convolution_places import axes_back
from ketkar.kernels.geometry import Geometry
from ketkar.kernels.simulation import simulate


class Layer(NamedTuple):
    """Shapes of x (N, C, H, W) and K (M, C / groups, R, S), and where the window stands."""

    x: tuple[int, int, int, int]
    K: tuple[int, int, int, int]
    geometry: Geometry = Geometry()

    @property
    def y(self):
        return self.x[0], self.K[0], *self.geometry.output_size(self.x[2:], self.K[2:])

    def arrays(self, dtype, seed=0):
        rng = np.random.default_rng(seed)
        shapes = self.x, self.K, self.K[:1], self.y
        return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def padded(top, bottom, left, right, **more):
    return Geometry(top=top, bottom=bottom, left=left, right=right, **more)


# "Tiled" ones have more than 8 maps and at least 8 channels a group; all others are computed by
# threads on their own. The numbers leave tiles, strips, bands and blocks unfilled.
LAYERS = {
    "one number": Layer((1, 1, 1, 1), (1, 1, 1, 1)),
    "one map": Layer((2, 3, 7, 9), (1, 3, 3, 2), padded(1, 0, 2, 1)),
    "few channels": Layer((3, 3, 13, 17), (11, 3, 3, 5), padded(0, 1, 3, 2)),
    "more places than a block": Layer((2, 1, 19, 31), (3, 1, 5, 5), padded(2, 2, 2, 2)),
    "depthwise": Layer((2, 5, 8, 9), (5, 1, 3, 3), padded(1, 1, 1, 1, groups=5)),
    "depthwise, two maps each, stride": Layer(
        (2, 3, 9, 8), (6, 1, 3, 3), Geometry(2, 3, 1, 1, 0, 2, groups=3)
    ),
    "groups": Layer((2, 6, 8, 9), (15, 2, 3, 3), padded(1, 1, 1, 1, groups=3)),
    "stride beyond the kernel": Layer((1, 2, 17, 19), (5, 2, 2, 2), Geometry(3, 4)),
    "padding beyond the kernel": Layer((1, 2, 4, 5), (3, 2, 2, 2), padded(3, 2, 4, 3)),
    "kernel as large as the image": Layer((2, 2, 9, 21), (3, 2, 9, 21)),
    "stride beyond the image": Layer((2, 2, 5, 4), (3, 2, 2, 3), Geometry(70000, 9)),
    "stride and dilation with a divisor": Layer(
        (1, 2, 23, 25), (3, 2, 3, 2), Geometry(4, 6, 1, 2, 3, 0, 6, 4)
    ),
    "dilation a multiple of the stride": Layer(
        (1, 2, 14, 15), (2, 2, 3, 3), Geometry(2, 2, 1, 1, 1, 1, 4, 2)
    ),
    "tiled, one tap": Layer((2, 33, 7, 11), (37, 33, 1, 1)),
    "tiled, ragged": Layer((3, 34, 5, 7), (35, 34, 3, 2), padded(1, 0, 0, 2)),
    "tiled, wide": Layer((1, 8, 6, 33), (67, 8, 2, 3), padded(0, 1, 1, 1)),
    "tiled, stride": Layer((2, 10, 9, 8), (12, 10, 3, 3), Geometry(2, 3, 1, 0, 2, 1)),
    "tiled, dilation": Layer((1, 9, 11, 12), (10, 9, 3, 2), Geometry(1, 1, 2, 1, 0, 3, 2, 3)),
    "tiled, stride and dilation": Layer(
        (1, 11, 13, 14), (9, 11, 2, 3), Geometry(3, 2, 2, 1, 1, 3, 2, 4)
    ),
    "tiled, groups": Layer((2, 18, 5, 6), (22, 9, 3, 3), padded(1, 1, 1, 1, groups=2)),
    "tiled, a signal": Layer((3, 9, 1, 50), (18, 9, 1, 9), padded(0, 0, 4, 4)),
    "tiled, several bands": Layer((1, 9, 30, 20), (9, 9, 2, 2)),
}


def run(module, layer, arrays):
    """Y, dx, dK and db, written over NaN so that nothing can be left out."""
    x, K, b, dy = arrays
    y, dx, dK, db = (np.full_like(array, np.nan) for array in (dy, x, K, b))
    module.conv2d_forward(x, K, b, layer.geometry, "auto", y)
    module.conv2d_input_gradient(dy, K, layer.geometry, "direct", dx)
    module.conv2d_kernel_gradient(dy, x, layer.geometry, "auto", dK)
    module.conv2d_bias_gradient(dy, db)
    return y, dx, dK, db


def assert_right(got, layer, arrays, dtype):
    expected = run(reference, layer, [array.astype(np.float64) for array in arrays])
    terms = max(np.prod(layer.K[:2]) * np.prod(layer.K[2:]), np.prod(layer.y[::2]) * layer.y[3])
    bound = 4 * np.finfo(dtype).eps * terms**0.5
    for name, one, right in zip(("y", "dx", "dK", "db"), got, expected, strict=True):
        assert one.dtype == dtype
        assert np.abs(one - right).max() <= bound * max(1, np.abs(right).max()), name


def usual(layer):
    """The type that a layer is tested in by default.

    A simulated kernel takes seconds to compile for each type. Tiles of 32 maps are tested in
    float64, those of 64 and threads on their own in float32, and the rest in the slow tests.
    """
    maps, channels = layer.K[0] // layer.geometry.groups, layer.K[1]
    return np.float64 if 8 < maps <= 32 and channels >= 8 else np.float32


CASES = [
    pytest.param(name, dtype, marks=[] if dtype is usual(layer) else pytest.mark.slow)
    for name, layer in LAYERS.items()
    for dtype in (np.float32, np.float64)
]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_every_layer_is_that_of_the_reference(name, dtype):
    layer = LAYERS[name]
    arrays = layer.arrays(dtype)
    with simulate("random", seed=3):
        got = run(convolution, layer, arrays)
    assert_right(got, layer, arrays, dtype)


MANY = {
    "direct": Layer((2, 2, 50, 61), (3, 2, 2, 2)),
    "tiled": Layer((1, 9, 55, 20), (9, 9, 2, 2)),
}


@pytest.mark.parametrize("name", list(MANY))
def test_parts_add_up_to_the_same_in_every_order(name):
    layer = MANY[name]
    arrays = layer.arrays(usual(layer))
    results = []
    for order in ("forward", "reverse", "random"):
        with simulate(order, seed=7):
            results.append(run(convolution, layer, arrays))
    assert_right(results[0], layer, arrays, usual(layer))
    for other in results[1:]:
        for got, first in zip(other, results[0], strict=True):
            np.testing.assert_array_equal(got, first)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["few channels", "tiled, stride", "groups"])
def test_what_is_not_finite_stays_where_it_belongs(name, value):
    layer = LAYERS[name]
    x, K, b, dy = layer.arrays(usual(layer))
    x[0, 0, 3, 4] = dy[-1, -1, 2, 1] = value
    with np.errstate(invalid="ignore"):
        expected = run(reference, layer, (x, K, b, dy))
    with simulate("reverse"):
        results = run(convolution, layer, (x, K, b, dy))
    for got, right in zip(results, expected, strict=True):
        assert not np.isfinite(right).all()
        np.testing.assert_array_equal(np.isnan(got), np.isnan(right))
        np.testing.assert_array_equal(np.isposinf(got), np.isposinf(right))
        np.testing.assert_array_equal(np.isneginf(got), np.isneginf(right))


@pytest.mark.parametrize("name", ["few channels", "tiled, ragged"])
def test_a_weight_that_is_not_finite_shows_in_the_output_alike(name):
    layer = LAYERS[name]
    x, K, b, dy = layer.arrays(usual(layer))
    K[1, 0, 0, 0], b[2] = np.inf, np.nan
    y, right = np.empty_like(dy), np.empty_like(dy)
    with np.errstate(invalid="ignore"):
        reference.conv2d_forward(x, K, b, layer.geometry, "auto", right)
    with simulate("forward"):
        convolution.conv2d_forward(x, K, b, layer.geometry, "auto", y)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(right))
    np.testing.assert_array_equal(np.isinf(y), np.isinf(right))


def test_no_examples_give_no_gradient():
    layer = Layer((0, 3, 5, 5), (4, 3, 3, 3))
    with simulate("forward"):
        y, dx, dK, db = run(convolution, layer, layer.arrays(np.float32))
    assert (y.shape, dx.shape) == (layer.y, layer.x)
    assert not dK.any()
    assert not db.any()


def test_large_batches_are_done_in_several_launches(monkeypatch):
    layer = LAYERS["few channels"]
    arrays = layer.arrays(np.float32)
    monkeypatch.setattr(convolution, "LARGEST", 500)  # less than the places of two examples
    with simulate("forward"):
        got = run(convolution, layer, arrays)
    assert_right(got, layer, arrays, np.float32)


@pytest.mark.parametrize(
    ("stride", "dilation", "pad"),
    [(1, 1, 0), (2, 1, 1), (4, 6, 3), (6, 4, 0), (5, 3, 7), (3, 6, 2)],
)
def test_the_taps_of_a_phase_are_those_that_meet_it(stride, dilation, pad):
    from ketkar.kernels.cuda.convolution_places import seen_from

    window, places = 7, 23
    dy, dx = (1, 1, 9, 1), (1, 1, places, 1)
    geometry = Geometry(stride, 1, pad, 0, 0, 0, dilation, 1)
    axis, _ = axes_back(dy, (1, 1, window, 1), dx, geometry)
    for h in range(places):
        by_definition = {
            (r, (h + pad - r * dilation) // stride)
            for r in range(window)
            if (h + pad - r * dilation) % stride == 0
        }
        phase, a = h % stride, h // stride
        first, taps, seen, move = map(
            int,
            seen_from.py_func(phase, window, stride, axis.apart, axis.inverse, axis.pad, dilation),
        )
        found = {(first + k * axis.apart, a + seen + k * move) for k in range(taps)}
        assert found == by_definition


@pytest.mark.parametrize(
    "layer",
    [
        Layer((1, 3, 4, 3), (3, 3, 2, 3), Geometry(2, 1, 1, 0, 1, 1)),
        Layer((1, 8, 3, 3), (9, 8, 2, 1), padded(0, 1, 0, 0)),
    ],
    ids=["direct", "tiled"],
)
def test_gradients_agree_with_finite_differences(layer):
    x, K, b, _ = layer.arrays(np.float64)

    def forward(x, K, b):
        y = np.empty(layer.y)
        with simulate("reverse"):
            convolution.conv2d_forward(x, K, b, layer.geometry, "auto", y)
        return y

    def backward(dy, x, K, b):
        dx, dK, db = np.empty_like(x), np.empty_like(K), np.empty_like(b)
        with simulate("reverse"):
            convolution.conv2d_input_gradient(dy, K, layer.geometry, "auto", dx)
            convolution.conv2d_kernel_gradient(dy, x, layer.geometry, "auto", dK)
            convolution.conv2d_bias_gradient(dy, db)
        return dx, dK, db

    assert gradcheck.gradcheck(forward, backward, x, K, b)
