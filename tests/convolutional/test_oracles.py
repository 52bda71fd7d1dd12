"""The same numbers from libraries that differentiate by themselves, torch and jax, and from scipy.

Every layer is compared in its output and in all its gradients, with float64 on both sides. The
sums are short, a few hundred terms: 1e-12 of the largest number is several times their rounding.
"""

import numpy as np
import pytest

from ketkar import convolutional as conv

LAYERS = {
    "plain": {},
    "stride": {"stride": (2, 3)},
    "padding": {"padding": (2, 1)},
    "padding, four sides": {"padding": ((0, 2), (3, 1))},
    "dilation": {"dilation": (2, 3), "padding": (2, 3)},
    "groups": {"groups": 2},
    "depthwise": {"groups": 4, "padding": 1},
    "all": {"stride": (3, 2), "padding": ((1, 0), (2, 3)), "dilation": (1, 2), "groups": 2},
}


def close(found, expected):
    for name, a, e in zip(("y", "dx", "dK", "db"), found, expected, strict=True):
        e = np.asarray(e)
        assert a.shape == e.shape, name
        assert np.abs(a - e).max() <= 1e-12 * max(1, np.abs(e).max()), name


def pairs(value):
    """A padding as ((top, bottom), (left, right))."""
    rows, columns = value if isinstance(value, tuple) else (value, value)
    return tuple(p if isinstance(p, tuple) else (p, p) for p in (rows, columns))


@pytest.fixture(params=LAYERS)
def layer(request, draw, backend):
    """Arrays of a layer and its options, the error dy, and what the package finds."""
    options = LAYERS[request.param]
    x, K, b = draw((2, 4, 11, 12), (8, 4 // options.get("groups", 1), 3, 2), 8)
    y = conv.conv2d(x, K, b, **options, backend=backend)
    (dy,) = draw(y.shape, seed=1)
    return (x, K, b), dy, options, (y, *conv.conv2d_backward(dy, x, K, b, **options,
                                                            backend=backend))  # fmt: skip


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture(scope="session")
def jax():
    jax = pytest.importorskip("jax", reason="jax is not installed")
    jax.config.update("jax_enable_x64", True)
    # the first time, it draws from NumPy's global generator, which no test of ours may do
    jax.lax.conv(np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1)), (1, 1), "VALID").block_until_ready()
    return jax


@pytest.fixture
def signal():
    return pytest.importorskip("scipy.signal", reason="scipy is not installed")


def by_torch(torch, f, arrays, dy):
    """The value of f and its gradients to the arrays, by torch."""
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    y = f(*tensors)
    y.backward(torch.tensor(dy))
    return y.detach().numpy(), *(t.grad.numpy() for t in tensors)


def test_conv2d_against_torch(layer, torch):
    arrays, dy, options, found = layer
    F = torch.nn.functional
    (top, bottom), (left, right) = pairs(options.get("padding", 0))
    moves = {name: options[name] for name in ("stride", "dilation", "groups") if name in options}
    close(found, by_torch(
        torch, lambda x, K, b: F.conv2d(F.pad(x, (left, right, top, bottom)), K, b, **moves),
        arrays, dy,
    ))  # fmt: skip


def test_conv2d_against_jax(layer, jax):
    arrays, dy, options, found = layer

    def f(x, K, b):
        y = jax.lax.conv_general_dilated(
            x, K, window_strides=options.get("stride", (1, 1)),
            padding=pairs(options.get("padding", 0)),
            rhs_dilation=options.get("dilation", (1, 1)),
            feature_group_count=options.get("groups", 1),
        )  # fmt: skip
        return y + b[:, None, None]

    y, back = jax.vjp(f, *arrays)
    close(found, (y, *back(dy)))


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [(7, 8), (9, 5)])
def test_padding_same_against_jax(stride, size, jax, draw, backend):
    # torch has "same" for a stride of 1 alone
    x, K = draw((2, 3, *size), (4, 3, 4, 3))
    y = conv.conv2d(x, K, stride=stride, padding="same", backend=backend)
    theirs = jax.lax.conv_general_dilated(x, K, (stride, stride), "SAME")
    assert y.shape == theirs.shape
    assert np.abs(y - theirs).max() < 1e-12


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2, "padding": 1}, {"dilation": 3, "padding": 4, "groups": 2}],
    ids=["plain", "stride", "dilation and groups"],
)
def test_conv1d_against_torch(options, torch, draw, backend):
    arrays = draw((3, 4, 17), (6, 4 // options.get("groups", 1), 5), 6)
    y = conv.conv1d(*arrays, **options, backend=backend)
    (dy,) = draw(y.shape, seed=1)
    grads = conv.conv1d_backward(dy, *arrays, **options, backend=backend)
    expected = by_torch(torch, lambda *a: torch.nn.functional.conv1d(*a, **options), arrays, dy)
    close((y, *grads), expected)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": (2, 3), "padding": (1, 2), "output_padding": (1, 2)},
        {"dilation": (2, 1), "groups": 2, "stride": 2, "padding": 1},
        {"dilation": 3, "output_padding": 2},
    ],
    ids=["plain", "stride", "dilation and groups", "output padding of a dilation"],
)
def test_conv2d_transpose_against_torch(options, torch, draw, backend):
    arrays = draw((2, 4, 5, 4), (4, 3, 3, 4), 3 * options.get("groups", 1))
    y = conv.conv2d_transpose(*arrays, **options, backend=backend)
    (dy,) = draw(y.shape, seed=1)
    grads = conv.conv2d_transpose_backward(dy, *arrays, **options, backend=backend)
    close((y, *grads), by_torch(
        torch, lambda *a: torch.nn.functional.conv_transpose2d(*a, **options), arrays, dy
    ))  # fmt: skip


@pytest.mark.parametrize("pool", ["max", "avg", "l2"])
def test_a_block_against_torch(pool, torch, draw, backend):
    F = torch.nn.functional
    pools = {"max": F.max_pool2d, "avg": F.avg_pool2d,
             "l2": lambda a, size: F.lp_pool2d(a, 2.0, size)}  # fmt: skip
    arrays = draw((2, 3, 9, 8), (4, 3, 2, 3), 4)
    options = {"activation": "tanh", "pool": pool, "size": 2, "backend": backend}
    y = conv.conv_detector_pool(*arrays, **options)
    (dy,) = draw(y.shape, seed=1)
    grads = conv.conv_detector_pool_backward(dy, *arrays, **options)
    close((y, *grads), by_torch(
        torch, lambda *a: pools[pool](torch.tanh(F.conv2d(*a)), 2), arrays, dy
    ))  # fmt: skip


def test_a_locally_connected_layer_against_torch(torch, draw):
    # unfold gives every window as a column
    x, K, b = draw((2, 3, 6, 5), (3, 4, 4, 3, 2, 2), (4, 3, 4))
    options = {"stride": (2, 1)}

    def f(x, K, b):
        windows = torch.nn.functional.unfold(x, (2, 2), **options)  # (N, C R S, Ho Wo)
        y = torch.einsum("nkp,pmk->nmp", windows, K.reshape(12, 4, 12))
        return y.reshape(2, 4, 3, 4) + b

    y = conv.locally_connected2d(x, K, b, **options)
    (dy,) = draw(y.shape, seed=1)
    grads = conv.locally_connected2d_backward(dy, x, K, b, **options)
    close((y, *grads), by_torch(torch, f, (x, K, b), dy))


@pytest.mark.parametrize("mode", ["full", "valid"])
@pytest.mark.parametrize("kernel", [(1, 1), (2, 3), (4, 3)])
def test_images_against_scipy(mode, kernel, signal, draw):
    image, K = draw((7, 8), kernel)
    for ours, theirs in (
        (conv.convolve2d, signal.convolve2d), (conv.cross_correlate2d, signal.correlate2d)
    ):  # fmt: skip
        np.testing.assert_allclose(ours(image, K, mode), theirs(image, K, mode), rtol=0, atol=1e-13)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_signals_against_numpy_and_scipy(mode, k, signal, draw):
    x, K = draw(9, k)
    close = {"rtol": 0, "atol": 1e-13}
    np.testing.assert_allclose(conv.convolve1d(x, K, mode), np.convolve(x, K, mode), **close)
    np.testing.assert_allclose(conv.convolve1d(x, K, mode), signal.convolve(x, K, mode), **close)
    if mode != "same":  # where the kernel's centre is, each library decides for itself
        np.testing.assert_allclose(
            conv.cross_correlate1d(x, K, mode), np.correlate(x, K, mode), **close
        )


def test_the_banded_matrix_against_scipy(draw):
    linalg = pytest.importorskip("scipy.linalg", reason="scipy is not installed")
    (K,) = draw(4)
    column, row = np.zeros(6), np.zeros(9)
    column[0], row[:4] = K[0], K
    assert np.array_equal(conv.convolution_matrix(K, 9), linalg.toeplitz(column, row))


def test_images_of_one_channel_are_layers_in_scipy(signal, draw, backend):
    x, K = draw((3, 1, 8, 9), (2, 1, 3, 4))
    y = conv.conv2d(x, K, backend=backend)
    for n, m in np.ndindex(3, 2):
        theirs = signal.correlate2d(x[n, 0], K[m, 0], "valid")
        np.testing.assert_allclose(y[n, m], theirs, rtol=0, atol=1e-12)
