"""The kernels of pooling: against the reference, at the edges of vectors, and on every machine."""

import itertools

import numpy as np
import pytest

from ketkar.kernels import reference
from ketkar.kernels.geometry import Geometry

WINDOWS = (((2, 2), 2), ((3, 3), 2), ((3, 3), 1), ((4, 3), 3))
# outputs of a row from one to more than two vectors of the widest kind
WIDTHS = (4, 9, 16, 33, 34, 71)


def arrays(W, size, geometry, dtype):
    rng = np.random.default_rng(W)
    x = rng.integers(-4, 5, (2, 2, 8, W)).astype(dtype)  # equal numbers in most windows
    x[0, 0, 3, W // 2] = np.nan
    y = np.empty((2, 2, *geometry.output_size((8, W), size)), dtype)
    return x, y, rng.normal(size=y.shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("size", "stride"), WINDOWS)
def test_every_kernel_fills_its_output_as_the_reference_does(
    cpu, size, stride, dtype, assert_close
):
    for W, pad in itertools.product(WIDTHS, (0, 1)):
        geometry = Geometry(stride, stride, pad, pad, pad, pad)
        x, y, dy = arrays(W, size, geometry, dtype)
        norms = np.empty_like(y)
        reference.l2_pool2d_forward(x, size, geometry, norms)
        rows = (
            ("max_pool2d_forward", (x, size, geometry), y),
            ("avg_pool2d_forward", (x, size, geometry, False), y),
            ("avg_pool2d_forward", (x, size, geometry, True), y),
            ("l2_pool2d_forward", (x, size, geometry), y),
            ("max_pool2d_backward", (dy, x, size, geometry), x),
            ("avg_pool2d_backward", (dy, size, geometry, False), x),
            ("avg_pool2d_backward", (dy, size, geometry, True), x),
            ("l2_pool2d_backward", (dy, x, norms, size, geometry), x),
        )
        for name, arguments, like in rows:
            got, expected = np.full_like(like, 77), np.full_like(like, 55)
            getattr(cpu, name)(*arguments, got)
            getattr(reference, name)(*arguments, expected)
            assert_close(got, expected, dtype, f"{name} {W} {pad}")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("edge", [2, 3])
def test_windows_two_apart_give_to_each_number_once(cpu, edge, dtype):
    """Rows and columns that no window sees, ties, and what is not finite, around whole vectors."""
    rng = np.random.default_rng(edge)
    g = Geometry(2, 2)
    for H, W in itertools.product((3, 4, 7, 8), (3, 5, 8, 15, 16, 17, 33, 34, 35, 65)):
        x = rng.integers(-2, 3, (2, 2, H, W)).astype(dtype)
        x[0, 0, 0, 0], x[1, 1, -1, -1], x[1, 0, -1, 0] = np.nan, np.inf, -np.inf
        dy = rng.standard_normal((2, 2, (H - edge) // 2 + 1, (W - edge) // 2 + 1)).astype(dtype)
        y, size = np.empty_like(dy), (edge, edge)
        reference.l2_pool2d_forward(x, size, g, y)
        for name, given in (
            ("max_pool2d_backward", (dy, x, size, g)),
            ("avg_pool2d_backward", (dy, size, g, False)),
            ("l2_pool2d_backward", (dy, x, y, size, g)),
        ):
            dx, expected = np.full_like(x, np.nan), np.empty_like(x)
            getattr(cpu, name)(*given, dx)
            getattr(reference, name)(*given, expected)
            np.testing.assert_allclose(dx, expected, 1e-5, 1e-5, err_msg=f"{name}, {H} x {W}")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("edge", [2, 3])
@pytest.mark.parametrize("W", [8, 17, 22, 39])
def test_a_winner_is_the_first_at_every_place(cpu, W, edge, dtype):
    """In each channel one place holds what wins or ties; the others hold zeros of both signs."""
    rng, g, H, size = np.random.default_rng(W), Geometry(2, 2), 7, (edge, edge)
    places = np.arange(H * W)
    for value in (np.nan, np.inf, 1, -1):
        x = rng.choice(np.array([0.0, -0.0], dtype), (H * W, 1, H, W))
        x.reshape(H * W, H * W)[places, places] = value
        if value is not np.nan:  # a channel with both infinities has no sum, and no NaN either
            x[::2, 0, 2, 3::5] = -np.inf
        outputs = (H - edge) // 2 + 1, (W - edge) // 2 + 1
        dy = rng.integers(1, 99, (H * W, 1, *outputs)).astype(dtype)  # sums are exact
        dx, expected = np.full_like(x, 77), np.empty_like(x)
        cpu.max_pool2d_backward(dy, x, size, g, dx)
        reference.max_pool2d_backward(dy, x, size, g, expected)
        np.testing.assert_array_equal(dx, expected, f"{value}")


def test_kernels_write_their_output_alone(cpu):
    size, geometry = (3, 3), Geometry(2, 2)
    x, y, dy = arrays(19, size, geometry, np.float32)
    memory = np.full(x.size + 128, 77, np.float32)
    dx = memory[64:-64].reshape(x.shape)
    cpu.max_pool2d_backward(dy, x, size, geometry, dx)
    cpu.avg_pool2d_backward(dy, size, geometry, False, dx)
    assert (memory[:64] == 77).all()
    assert (memory[-64:] == 77).all()
    memory = np.full(y.size + 128, 77, np.float32)
    cpu.max_pool2d_forward(x, size, geometry, memory[64:-64].reshape(y.shape))
    assert (memory[:64] == 77).all()
    assert (memory[-64:] == 77).all()
