"""The compiled layers against the reference, on shapes that nobody would think of.

A sum of n products may be off by n u times the sum of their absolute values, whatever the order
in which they are added, where u = eps / 2 (Higham, Accuracy and Stability of Numerical Algorithms,
2002, section 3.1). Two such sums differ by at most n eps times it. That holds for each output of
the direct algorithm. The others mix the numbers of a tile or a block before they add: they are held
against the largest sum of absolute values, as the docstring of `conv2d` says.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ketkar import convolutional as conv

FEW, STEP, ZEROS = st.integers(1, 3), st.integers(1, 3), st.integers(0, 3)
MIXED = 30
"""Units of eps, of the largest sum, that an algorithm that mixes the numbers of a tile may lose;
about 6 were seen."""


@st.composite
def layers(draw):
    """Shapes and options of a layer for which the algorithm is there."""
    algorithm = draw(st.sampled_from(["auto", "direct", "winograd", "fft"]))
    groups, each, maps = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 9))
    window = (3, 3) if algorithm == "winograd" else draw(st.tuples(*[st.integers(1, 5)] * 2))
    plain = algorithm in ("winograd", "fft")
    stride, dilation = ((1, 1) if plain else draw(st.tuples(STEP, STEP)) for _ in range(2))
    padding = draw(st.tuples(*[st.tuples(ZEROS, ZEROS)] * 2) | st.just("same"))
    ends = (0, 0) if padding == "same" else map(sum, padding)
    size = [
        max(1, d * (k - 1) + 1 - zeros) + draw(st.integers(0, 12))
        for k, d, zeros in zip(window, dilation, ends, strict=True)
    ]
    shapes = (draw(FEW), groups * each, *size), (groups * maps, each, *window)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups,
               "algorithm": algorithm}  # fmt: skip
    return shapes, options, draw(st.sampled_from([np.float64, np.float32])), draw(st.integers(0, 9))


def both_ways(x, K, b, dy, options, backend):
    y = conv.conv2d(x, K, b, **options, backend=backend)
    return y, *conv.conv2d_backward(dy, x, K, b, **options, backend=backend)


def agree(layer):
    """Forward, dx, dK and db of the backend "cpu" are those of "numpy", within the bound."""
    shapes, options, dtype, seed = layer
    rng = np.random.default_rng(seed)
    x, K = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    b = rng.normal(size=len(K)).astype(dtype)
    plain = options | {"algorithm": "direct"}
    outputs = conv.conv2d(x, K, **plain, backend="numpy").shape
    dy = rng.normal(size=outputs).astype(dtype)
    found = both_ways(x, K, b, dy, options, "cpu")
    expected = both_ways(x, K, b, dy, plain, "numpy")
    absolute = (np.abs(a).astype(np.float64) for a in (x, K, b, dy))
    sums = both_ways(*absolute, plain, "numpy")
    (M, each, R, S), places = shapes[1], outputs[0] * outputs[2] * outputs[3]
    terms = each * R * S + 1, M // options["groups"] * R * S, places, places
    eps = np.finfo(dtype).eps
    assert max(MIXED, *terms) * np.finfo(np.float64).eps < 1e-12, "float64 is exact to 1e-12"
    for name, got, wanted, total, n in zip(
        ("y", "dx", "dK", "db"), found, expected, sums, terms, strict=True
    ):
        assert (got.dtype, got.shape) == (dtype, wanted.shape), name
        if options["algorithm"] == "direct":
            assert (np.abs(got - wanted) <= n * eps * total).all(), name
        else:
            assert np.abs(got - wanted).max() <= MIXED * eps * total.max(), name


@pytest.fixture
def compiled():
    pytest.importorskip("numba", reason="the compiled kernels need numba")


pytestmark = pytest.mark.usefixtures("compiled")


@settings(max_examples=250)
@given(layer=layers())
def test_the_compiled_layers_are_those_of_the_reference(layer):
    agree(layer)


@pytest.mark.slow
@settings(max_examples=4000)
@given(layer=layers())
def test_the_compiled_layers_are_those_of_the_reference_on_thousands_of_shapes(layer):
    agree(layer)


@pytest.mark.parametrize("algorithm", ["auto", "direct", "winograd", "fft"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_layer_of_the_size_of_a_network(algorithm, dtype):
    options = {"stride": 1, "padding": 1, "dilation": 1, "groups": 1, "algorithm": algorithm}
    agree((((2, 32, 21, 19), (48, 32, 3, 3)), options, dtype, 1))


@pytest.mark.parametrize("kernel", [(3, 3), (5, 2)])
def test_a_depthwise_layer(kernel):
    for stride in ((1, 1), (2, 1)):
        options = {"stride": stride, "padding": ((1, 2), (0, 1)), "dilation": (1, 2), "groups": 7}
        for dtype in (np.float64, np.float32):
            layer = ((3, 7, 12, 13), (14, 1, *kernel)), options | {"algorithm": "direct"}, dtype, 2
            agree(layer)
