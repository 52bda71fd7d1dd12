"""Layers for images: they compute what the chapter's functions do, chain, learn, and come back."""

import numpy as np
import pytest

from ketkar import convolutional as conv
from ketkar import network
from ketkar.kernels.backend import available
from ketkar.network import (
    AvgPool2d,
    Conv2d,
    Dense,
    Flatten,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    L2Pool2d,
    MaxPool2d,
    RadialBasis,
    ScaledTanh,
    Subsampling,
    SubsamplingParams,
    TableConv2d,
    chain,
)
from ketkar.training import accuracy, fit

BACKENDS = ["auto", *(name for name in ("numpy", "cpu") if not available()[name])]
X = np.random.default_rng(0).normal(size=(2, 3, 7, 6))
TABLE = [(0, 2), (1,), (2, 1, 0), (0, 1)]

LAYERS = [
    Conv2d(3, 4, 3),
    Conv2d(3, 4, (2, 3), stride=(2, 1), padding=((1, 0), (2, 1)), activation="tanh"),
    Conv2d(3, 4, 3, padding="same", dilation=(1, 2), activation="sigmoid"),
    Conv2d(3, 6, 3, groups=3, padding=1, activation="relu", init_kernel="he_normal"),
    MaxPool2d(2),
    MaxPool2d(3, 2, padding=1, ceil_mode=True),
    AvgPool2d((2, 3), 1),
    AvgPool2d(2, padding=1, ceil_mode=True),
    L2Pool2d(3, 2),
    GlobalMaxPool2d(),
    GlobalAvgPool2d(),
    Flatten(),
    Subsampling(3),
    Subsampling(3, (3, 2)),
    ScaledTanh(),
    TableConv2d(TABLE, 3, (3, 2)),
    chain(Flatten(), Dense(126, 5, "tanh"), RadialBasis(np.eye(3, 5))),
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.kind)
def test_layers_check_themselves(layer):
    assert network.check_layer(layer, layer.init(0), X).ok


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.kind)
def test_shapes_and_types_are_as_promised(layer, dtype):
    params = layer.init(0, dtype)
    y, trace = layer.forward(params, X.astype(dtype))
    assert y.shape[1:] == layer.output_shape(X.shape[1:])
    dx, grads = layer.backward(params, np.ones_like(y), trace)
    assert y.dtype == dx.dtype == dtype
    assert dx.shape == X.shape
    assert type(grads) is type(params)
    for a, b in zip(params, grads, strict=True):
        if isinstance(a, np.ndarray):
            assert a.shape == b.shape
            assert b.dtype == dtype


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.kind)
def test_layers_come_back_from_a_file(layer, tmp_path):
    params = layer.init(3)
    saved = network.load(network.save(tmp_path / "layer", layer, params))
    assert saved.network == layer
    assert hash(saved.network) == hash(layer)
    assert np.array_equal(saved.network.forward(saved.params, X)[0], layer.forward(params, X)[0])


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_convolution_layer_is_conv2d_and_an_activation(backend):
    layer = Conv2d(3, 4, 3, stride=2, padding=1, activation="relu")
    K, b = layer.init(0)[0], np.array([0.5, -0.5, 0.1, 0.0])
    y, trace = layer.forward(conv.ConvParams(K, b), X, backend=backend)
    z = conv.conv2d(X, K, b, stride=2, padding=1, backend="numpy")
    np.testing.assert_allclose(y, np.maximum(z, 0), atol=1e-13)
    alone = layer.parameter_gradients((K, b), np.ones_like(y), trace, backend=backend)
    _, grads = layer.backward((K, b), np.ones_like(y), trace, backend=backend)
    assert np.array_equal(alone.K, grads.K)
    assert np.array_equal(alone.b, grads.b)
    np.testing.assert_allclose(grads.b, (z > 0).sum(axis=(0, 2, 3)), atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("layer", "function"),
    [(MaxPool2d, conv.max_pool2d), (AvgPool2d, conv.avg_pool2d), (L2Pool2d, conv.l2_pool2d)],
)
def test_pooling_layers_are_the_chapters_functions(layer, function, backend):
    moves = {"stride": (2, 1), "padding": (0, 1), "ceil_mode": True}
    y, _ = layer((3, 2), **moves).forward(network.NoParams(), X, backend=backend)
    np.testing.assert_allclose(y, function(X, (3, 2), **moves, backend="numpy"), atol=1e-13)


def test_subsampling_adds_multiplies_and_shifts():
    params = SubsamplingParams(np.array([0.5, -1.0]), np.array([1.0, 2.0]))
    x = np.array([[[[1, 2], [3, 4]], [[5, 0], [0, 1]]]], float)
    y, _ = Subsampling(2).forward(params, x)
    assert y.ravel().tolist() == [0.5 * 10 + 1, -1.0 * 6 + 2]


def test_the_scaled_tanh_is_that_of_1998():
    y, _ = ScaledTanh().forward((), np.array([[-1e3, -1.0, 0.0, 1.0, 2.0]]))
    expected = [-1.7159, -1.7159 * np.tanh(2 / 3), 0, 1.7159 * np.tanh(2 / 3), 1.492938]
    np.testing.assert_allclose(y[0], expected, atol=1e-6)


def test_a_map_of_the_table_reads_only_its_maps():
    layer = TableConv2d(TABLE, 3, 3)
    params = layer.init(0)
    assert params.K.shape == (8, 3, 3)
    y, _ = layer.forward(params, X)
    first = 0
    for m, row in enumerate(TABLE):
        K = params.K[None, first : first + len(row)]
        expected = conv.conv2d(X[:, list(row)], K, backend="numpy")[:, 0]
        np.testing.assert_allclose(y[:, m], expected, atol=1e-13)
        first += len(row)


def test_scores_are_minus_the_squared_distances():
    y, _ = RadialBasis([(1, -1), (0, 3)]).forward((), [[1.0, 1.0]])
    assert y.tolist() == [[-4.0, -5.0]]


BAD = [
    (lambda: Conv2d(0, 4, 3), "in_channels"),
    (lambda: Conv2d(3, 4, 3, groups=2), "in_channels must be a multiple of the 2 groups, got 3"),
    (lambda: Conv2d(3, 4, 0), "kernel"),
    (lambda: Conv2d(3, 4, 3, padding="some"), "padding"),
    (lambda: Conv2d(3, 4, 3, activation="cube"), "cube"),
    (lambda: MaxPool2d(2, 0), "stride"),
    (lambda: Conv2d(3, 4, 3).forward(Conv2d(3, 4, 5).init(0), X), "this convolution layer needs"),
    (lambda: Conv2d(3, 4, 9).output_shape((3, 7, 6)), "9 rows"),
    (lambda: Flatten().forward((), [1.0]), "expects a batch of examples"),
    (lambda: MaxPool2d(2).forward((np.ones(1),), X), "has no parameters"),
    (lambda: chain(Conv2d(3, 4, 3), Conv2d(3, 4, 3)), "conv2 does not fit into the chain"),
    (lambda: chain(Conv2d(3, 4, 3), Dense(4, 2)), "dense2 does not fit into the chain"),
    (lambda: TableConv2d([(0, 3)], 3, 3), r"table\[0\] must name some of the maps 0 .. 2"),
    (lambda: TableConv2d([(0, 0)], 3, 3), "each once"),
    (lambda: TableConv2d([], 3, 3), "table is empty"),
    (lambda: Subsampling(2).forward(Subsampling(2).init(0), X), "x has 3 channels"),
    (lambda: RadialBasis([1.0, 2.0]), "codes has 1 axis"),
    (lambda: RadialBasis([[np.nan]]), "codes must be finite"),
    (lambda: RadialBasis([[1, 2]]).forward((), [[1.0]]), "x has 1 inputs"),
]


@pytest.mark.parametrize(("call", "sentence"), BAD)
def test_bad_input_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def crosses_and_boxes(rng, n):
    """Images of 10 x 10: a cross or a box of 5 x 5 somewhere, in some noise."""
    shapes = np.zeros((2, 5, 5))
    shapes[0, 2], shapes[0, :, 2] = 1, 1
    shapes[1] = np.pad(np.zeros((3, 3)), 1, constant_values=1)
    y = rng.integers(0, 2, n)
    x = rng.normal(0, 0.2, (n, 1, 10, 10))
    for image, label, (i, j) in zip(x, y, rng.integers(0, 6, (n, 2)), strict=True):
        image[0, i : i + 5, j : j + 5] += shapes[label]
    return x, y


def test_a_small_network_learns_shapes_wherever_they_are():
    rng = np.random.default_rng(0)
    x, y = crosses_and_boxes(rng, 200)
    net = chain(Conv2d(1, 4, 5, activation="relu"), GlobalMaxPool2d(), Dense(4, 2))
    run = fit(net, net.init(rng), x, y, loss="cross_entropy", lr=0.05, momentum=0.9,
              batch_size=20, epochs=15, rng=rng)  # fmt: skip
    assert accuracy(net, run.params, *crosses_and_boxes(rng, 200)) >= 0.97
