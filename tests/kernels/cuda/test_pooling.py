"""The CUDA kernels of pooling, simulated: against the reference, in every order of the threads."""

import numpy as np
import pytest

pytest.importorskip("numba", reason="Numba is not installed")

from ketkar.kernels import reference
from ketkar.kernels.cuda import pooling
from ketkar.kernels.cuda.simulator import SimulatedArray
from ketkar.kernels.geometry import Geometry
from ketkar.kernels.simulation import simulate

pytestmark = pytest.mark.cuda

WINDOWS = {
    "one place": ((1, 1, 1, 1), (1, 1), Geometry()),
    "two by two, edges left over": ((2, 3, 7, 9), (2, 2), Geometry(2, 2)),
    "overlap, padding": ((2, 2, 8, 7), (3, 3), Geometry(2, 2, 1, 1, 1, 1)),
    "every step, padding of each side": ((1, 2, 6, 19), (3, 2), Geometry(1, 1, 1, 0, 0, 1)),
    "steps larger than the window": ((2, 1, 13, 11), (2, 2), Geometry(5, 3)),
    "gaps larger than the largest cell": ((1, 1, 30, 5), (2, 2), Geometry(9, 4, 0, 0, 1, 1)),
    "dilation, overlap": ((1, 2, 11, 12), (2, 3), Geometry(2, 1, 2, 1, 0, 3, 3, 2)),
    "dilation, apart": ((1, 2, 11, 12), (2, 2), Geometry(4, 3, 1, 0, 1, 0, 3, 2)),
    "the whole image": ((3, 2, 7, 7), (7, 7), Geometry(7, 7)),
    "the whole image, the whole block": ((2, 1, 45, 47), (45, 47), Geometry(45, 47)),
    "large, apart": ((1, 1, 17, 19), (6, 7), Geometry(5, 5, 2, 1, 3, 3)),
    "large, overlapping": ((1, 1, 13, 14), (6, 7), Geometry(2, 2, 2, 1, 3, 3)),
    "several blocks a plane": ((1, 1, 37, 41), (2, 2), Geometry(1, 2)),
}


def operands(shape, size, geometry, dtype, over=0):
    """Small whole numbers, so that windows hold ties; `over` more windows hang over the edge."""
    rng = np.random.default_rng(shape[-1])
    x = rng.integers(-4, 5, shape).astype(dtype)
    outputs = [length + over for length in geometry.output_size(shape[2:], size)]
    dy = rng.normal(size=(*shape[:2], *outputs)).astype(dtype)
    return x, dy


def calls(x, dy, size, geometry):
    """Every function with its arguments and an array of the shape of what it fills."""
    y = np.empty_like(dy)
    reference.l2_pool2d_forward(x, size, geometry, y)
    yield "max_pool2d_forward", (x, size, geometry), y
    yield "max_pool2d_backward", (dy, x, size, geometry), x
    yield "l2_pool2d_forward", (x, size, geometry), y
    yield "l2_pool2d_backward", (dy, x, y, size, geometry), x
    for included in (False, True):
        yield "avg_pool2d_forward", (x, size, geometry, included), y
        yield "avg_pool2d_backward", (dy, size, geometry, included), x


def assert_as_the_reference(x, dy, size, geometry):
    for name, arguments, like in calls(x, dy, size, geometry):
        got, expected = np.full_like(like, 77), np.full_like(like, 55)
        getattr(pooling, name)(*arguments, got)
        with np.errstate(divide="ignore"):  # the chapters refuse a mean of nothing
            getattr(reference, name)(*arguments, expected)
        # a team adds in another order than the reference; a maximum is not rounded
        exact = name == "max_pool2d_forward"
        few = 0 if exact else 8 * np.finfo(x.dtype).eps
        scale = np.abs(expected[np.isfinite(expected)]).max(initial=1)
        message = f"{name} {arguments[3:]}"
        np.testing.assert_allclose(got, expected, rtol=0, atol=few * scale, err_msg=message)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", WINDOWS)
def test_every_function_fills_its_output_as_the_reference_does(simulated, case, dtype):
    shape, size, geometry = WINDOWS[case]
    for over in (0, 1):
        assert_as_the_reference(*operands(shape, size, geometry, dtype, over), size, geometry)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", ["two by two, edges left over", "overlap, padding",
                                  "the whole image", "large, apart"])  # fmt: skip
def test_nan_and_infinity_go_where_the_reference_lets_them(simulated, case, dtype):
    shape, size, geometry = WINDOWS[case]
    x, dy = operands(shape, size, geometry, dtype)
    x[0, 0] = -np.inf  # a maximum all the same, and the first of them wins
    x[0, -1, -2, 1:3] = np.nan
    x[-1, 0, 1, 1], x[-1, 0, 1, 2], x[-1, 0, 4, 4] = np.inf, -np.inf, np.inf
    dy[-1, 0, 0, 0] = np.inf
    dy[-1, -1, -1, -1] = np.nan
    assert_as_the_reference(x, dy, size, geometry)


def test_of_equal_numbers_the_first_wins_however_many_threads_look(simulated):
    for shape, size in (((1, 2, 4, 4), (2, 2)), ((1, 2, 24, 24), (12, 24))):
        x = np.zeros(shape, np.float32)
        x[0, 1] = np.nan
        dy = np.ones((1, 2, shape[2] // size[0], shape[3] // size[1]), np.float32)
        dx = np.full_like(x, 77)
        pooling.max_pool2d_backward(dy, x, size, Geometry(*size), dx)
        expected = np.zeros_like(x)
        expected[:, :, :: size[0], :: size[1]] = 1
        np.testing.assert_array_equal(dx, expected)


def test_planes_are_dealt_out_over_all_axes_of_the_grid(monkeypatch):
    monkeypatch.setattr(pooling, "HANDFUL", 40)
    monkeypatch.setattr(pooling, "HIGHEST", 2)
    for size, geometry in (((2, 2), Geometry(2, 2)), ((3, 3), Geometry(1, 1, 1, 1, 1, 1))):
        x, dy = operands((3, 7, 4, 5), size, geometry, np.float32)
        blocks, _ = pooling._dealt(dy, dy.shape[2:])
        assert min(blocks[1:]) > 1
        with simulate("random", seed=1):
            assert_as_the_reference(x, dy, size, geometry)


def test_orders_agree_to_the_last_bit():
    for case in ("overlap, padding", "the whole image, the whole block"):
        shape, size, geometry = WINDOWS[case]
        x, dy = operands(shape, size, geometry, np.float32)
        x += np.random.default_rng(0).random(shape, np.float32)
        for name, arguments, like in calls(x, dy, size, geometry):
            found = []
            for order in ("forward", "random"):
                with simulate(order, seed=5):
                    getattr(pooling, name)(*arguments, out := np.empty_like(like))
                found.append(out.tobytes())
            assert found[0] == found[1], name


def test_kernels_write_their_output_alone():
    for size, geometry in (((3, 3), Geometry(2, 2)), ((2, 2), Geometry(2, 2, 1, 1, 1, 1))):
        x, dy = operands((2, 2, 9, 8), size, geometry, np.float32)
        for name, arguments, like in calls(x, dy, size, geometry):
            memory = np.full(like.size + 64, 77, np.float32)
            with simulate("reverse"):
                getattr(pooling, name)(*arguments, memory[32:-32].reshape(like.shape))
            assert (memory[:32] == 77).all(), name
            assert (memory[-32:] == 77).all(), name
            assert not (memory[32:-32] == 77).any(), name


def test_arrays_of_a_device_are_taken_and_filled():
    size, geometry = (2, 2), Geometry(2, 2)
    x, dy = operands((1, 2, 4, 5), size, geometry, np.float32)
    y, dx = SimulatedArray(np.zeros_like(dy)), SimulatedArray(np.zeros_like(x))
    with simulate():
        pooling.max_pool2d_forward(SimulatedArray(x), size, geometry, y)
        pooling.max_pool2d_backward(SimulatedArray(dy), SimulatedArray(x), size, geometry, dx)
    np.testing.assert_array_equal(y.get(), x[:, :, :, :4].reshape(1, 2, 2, 2, 2, 2).max((3, 5)))
    assert (dx.get() != 0).sum() == dy.size
