"""Bad input: a sentence that names the argument, what it is and what was expected."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ketkar import convolutional as conv

X, K, B = np.ones((2, 3, 5, 6)), np.ones((4, 3, 2, 3)), np.ones(4)
DY = np.ones((2, 4, 4, 4))
T = np.ones((3, 2, 2, 3))  # kernels of a transposed layer: 3 channels, 2 feature maps
S, SK = np.ones((2, 3, 7)), np.ones((4, 3, 2))  # a signal and its kernels
TILES = np.ones((2, 2, 4, 3, 2, 3))
LOCAL = np.ones((4, 4, 4, 3, 2, 3))
RAGGED = [[1.0, 2.0], [3.0]]
MANY = 10**30


def conv2d(**options):
    return lambda: conv.conv2d(X, K, B, **options)


def transpose(**options):
    return lambda: conv.conv2d_transpose(X, T, **options)


TABLE = [
    # arrays
    (lambda: conv.conv2d(X[0], K), ValueError,
     ["x has 3 axes (3, 5, 6)", "conv2d expects 4: (batch, channel, row, column)"]),
    (lambda: conv.conv2d(X, K[0]), ValueError,
     ["K has 3 axes (3, 2, 3)", "4: (kernel, channel, row, column)"]),
    (lambda: conv.conv2d(X, K, B[None]), ValueError, ["b has 2 axes (1, 4)", "(feature map,)"]),
    (lambda: conv.conv2d(X, K, B[:3]), ValueError, ["b has 3 numbers", "4 feature maps"]),
    (lambda: conv.conv2d(X, K, 1.0), ValueError, ["b has 0 axes"]),
    (lambda: conv.conv2d(X[:, :2], K), ValueError,
     ["x has 2 channels (axis 1 of (2, 2, 5, 6))", "K has 3 (axis 1 of (4, 3, 2, 3))"]),
    (lambda: conv.conv2d(X[:, :0], K), ValueError, ["x is empty", "(2, 0, 5, 6)"]),
    (lambda: conv.conv2d(X[:, :, :0], K), ValueError, ["x is empty", "(2, 3, 0, 6)"]),
    (lambda: conv.conv2d(X, K[:0]), ValueError, ["K is empty", "(0, 3, 2, 3)"]),
    (lambda: conv.conv2d(X, K[..., :0]), ValueError, ["K is empty", "(4, 3, 2, 0)"]),
    (lambda: conv.conv2d(X * 1j, K), TypeError, ["x holds complex128 values"]),
    (lambda: conv.conv2d(X, K.astype(str)), TypeError, ["K holds", "real numbers"]),
    (lambda: conv.conv2d(X, K, "b"), TypeError, ["b holds", "real numbers"]),
    (lambda: conv.conv2d(RAGGED, K), TypeError, ["x is ragged"]),
    (lambda: conv.conv2d(None, K), TypeError, ["x holds object values"]),
    (lambda: conv.conv1d(X, SK), ValueError, ["x has 4 axes", "conv1d", "(batch, channel, step)"]),
    (lambda: conv.conv1d(S, K), ValueError, ["K has 4 axes", "(kernel, channel, step)"]),
    # gradients
    (lambda: conv.conv2d_backward(DY[:1], X, K), ValueError,
     ["dy has shape (1, 4, 4, 4)", "conv2d has shape (2, 4, 4, 4)"]),
    (lambda: conv.conv2d_backward(DY, X, K, stride=2), ValueError, ["dy", "(2, 4, 2, 2)"]),
    (lambda: conv.conv2d_backward(1.0, X, K), ValueError, ["dy has shape ()"]),
    (lambda: conv.conv2d_backward(DY * 1j, X, K), TypeError, ["dy holds complex128 values"]),
    (lambda: conv.conv2d_backward(RAGGED, X, K), TypeError, ["dy is ragged"]),
    (lambda: conv.conv2d_backward(DY, X[0], K), ValueError, ["conv2d_backward expects 4"]),
    (lambda: conv.conv1d_backward(S, S, SK), ValueError,
     ["dy has shape (2, 3, 7)", "conv1d has shape (2, 4, 6)"]),
    (lambda: conv.conv2d_transpose_backward(X, X, T), ValueError,
     ["dy has shape (2, 3, 5, 6)", "conv2d_transpose has shape (2, 2, 6, 8)"]),
    (lambda: conv.tiled_conv2d_backward(X, X, TILES), ValueError, ["dy", "tiled_conv2d has shape"]),
    (lambda: conv.locally_connected2d_backward(X, X, LOCAL), ValueError,
     ["dy", "locally_connected2d has shape (2, 4, 4, 4)"]),
    # stride and dilation
    (conv2d(stride=0), ValueError, ["stride must be at least 1", "0"]),
    (conv2d(stride=-2), ValueError, ["stride must be at least 1", "-2"]),
    (conv2d(stride=(1, 0)), ValueError, ["stride[1] must be at least 1", "0"]),
    (conv2d(stride=1.0), TypeError, ["stride must be a whole number or a pair", "1.0"]),
    (conv2d(stride=True), TypeError, ["stride must be a whole number or a pair", "True"]),
    (conv2d(stride=(True, 1)), TypeError, ["stride[0] must be a whole number", "True"]),
    (conv2d(stride=None), TypeError, ["stride must be a whole number", "None"]),
    (conv2d(stride="same"), TypeError, ["stride must be a whole number", "'same'"]),
    (conv2d(stride=(1, 2, 3)), ValueError, ["stride", "a pair (rows, columns)", "(1, 2, 3)"]),
    (conv2d(stride=()), ValueError, ["stride", "a pair (rows, columns)", "()"]),
    (conv2d(stride=np.array([1, 1])), TypeError, ["stride", "a pair (rows, columns)"]),
    (conv2d(stride=MANY), ValueError, ["stride must be below 2147483648"]),
    (conv2d(stride=(1, MANY)), ValueError, ["stride[1] must be below 2147483648"]),
    (conv2d(dilation=0), ValueError, ["dilation must be at least 1", "0"]),
    (conv2d(dilation=(0, 1)), ValueError, ["dilation[0] must be at least 1", "0"]),
    (conv2d(dilation=[1]), ValueError, ["dilation", "a pair (rows, columns)", "[1]"]),
    (conv2d(dilation=MANY), ValueError, ["dilation must be below 2147483648"]),
    (lambda: conv.conv1d(S, SK, stride=(1, 1)), TypeError, ["stride must be a whole number"]),
    (lambda: conv.conv1d(S, SK, dilation=0), ValueError, ["dilation must be at least 1", "0"]),
    # padding
    (conv2d(padding=-1), ValueError, ["padding must be at least 0", "-1"]),
    (conv2d(padding=(0, -1)), ValueError, ["padding[1] must be at least 0", "-1"]),
    (conv2d(padding=((0, -1), (0, 0))), ValueError, ["padding[0][1] must be at least 0", "-1"]),
    (conv2d(padding=((0, 1), (0,))), ValueError, ["padding[1]", "(left, right)", "(0,)"]),
    (conv2d(padding=((0, 1),)), ValueError, ["padding", "two pairs", "((0, 1),)"]),
    (conv2d(padding=(1, 1, 1, 1)), ValueError, ["padding", "two pairs", "(1, 1, 1, 1)"]),
    (conv2d(padding="full"), ValueError, ["padding", '"same", "valid"', "'full'"]),
    (conv2d(padding=0.5), TypeError, ["padding must be a whole number", "0.5"]),
    (conv2d(padding=None), TypeError, ["padding must be a whole number", "None"]),
    (conv2d(padding=(None, None)), TypeError, ["padding[0] must be a whole number", "None"]),
    (conv2d(padding=MANY), ValueError, ["padding must be below 2147483648"]),
    (conv2d(padding=10**9), ValueError, ["2000000005 rows and 2000000006 columns", "too many"]),
    (lambda: conv.conv1d(S, SK, padding=((1, 1), (1, 1))), TypeError, ["padding[0]", "(1, 1)"]),
    (lambda: conv.conv1d(S, SK, padding=(1,)), ValueError, ["padding", "(before, after)", "(1,)"]),
    (lambda: conv.conv1d(S, SK, padding="both"), ValueError, ["padding", "'both'"]),
    # a window that does not fit
    (lambda: conv.conv2d(X[:, :, :1], K), ValueError, ["the window spans 2 rows", "1 rows"]),
    (lambda: conv.conv2d(X[..., :2], K), ValueError, ["spans 3 columns", "has 2 columns"]),
    (conv2d(dilation=5), ValueError, ["6 rows with its dilation", "has 5 rows"]),
    (lambda: conv.conv2d(X[..., :1], K, padding=((0, 0), (1, 0))), ValueError,
     ["spans 3 columns", "2 columns with its padding (1 + 1 + 0)"]),
    (lambda: conv.conv1d(S, SK, dilation=7), ValueError, ["8 steps with its dilation", "7 steps"]),
    # groups
    (conv2d(groups=2), ValueError,
     ["the 3 channels of x (2, 3, 5, 6)", "2 equal groups"]),
    (lambda: conv.conv2d(X, K, groups=3), ValueError, ["the 4 kernels of K", "3 equal groups"]),
    (lambda: conv.conv2d(X, K[:3], groups=3), ValueError,
     ["x has 1 channels in each of 3 groups", "K has 3 channels (axis 1 of (3, 3, 2, 3))"]),
    (conv2d(groups=0), ValueError, ["groups must be at least 1", "0"]),
    (conv2d(groups=1.0), TypeError, ["groups must be a whole number", "1.0"]),
    (conv2d(groups=True), TypeError, ["groups must be a whole number", "True"]),
    (conv2d(groups=MANY), ValueError, ["groups must be below"]),
    (transpose(groups=2), ValueError, ["the 3 channels of x", "2 equal groups"]),
    (transpose(groups=(1, 1)), TypeError, ["groups must be a whole number", "(1, 1)"]),
    # transposed
    (lambda: conv.conv2d_transpose(X, K), ValueError, ["x has 3 channels", "K has 4"]),
    (lambda: conv.conv2d_transpose(X, T, B), ValueError, ["b has 4 numbers", "2 feature maps"]),
    (lambda: conv.conv2d_transpose(X, T[0]), ValueError, ["K", "(channel, kernel, row, column)"]),
    (transpose(padding="same"), TypeError, ["padding must be a whole number", "'same'"]),
    (transpose(padding=3), ValueError, ["padding 3 + 3 leaves nothing", "6 rows"]),
    (transpose(padding=((0, 0), (4, 4))), ValueError, ["4 + 4 leaves nothing", "8 columns"]),
    (transpose(output_padding=1), ValueError,
     ["output_padding must be below the stride 1 or the dilation 1 of the rows", "1"]),
    (transpose(output_padding=(0, 2), stride=2), ValueError, ["stride 2", "columns", "2"]),
    (transpose(output_padding=-1), ValueError, ["output_padding must be at least 0", "-1"]),
    (transpose(output_padding="1"), TypeError, ["output_padding must be a whole number", "'1'"]),
    (transpose(stride=2**30), ValueError, ["rows", "columns", "too many"]),
    (lambda: conv.conv2d_transpose_backward(DY, RAGGED, T), TypeError, ["x is ragged"]),
    # algorithm and backend
    (conv2d(algorithm="fast"), ValueError, ["algorithm", '"winograd"', "'fast'"]),
    (conv2d(algorithm=None), ValueError, ["algorithm must be one of", "None"]),
    (conv2d(algorithm="winograd"), ValueError, ['"winograd" needs kernels of 3 rows', "(2, 3)"]),
    (lambda: conv.conv2d(X, X[:, :, :3, :3], algorithm="winograd", stride=2), ValueError,
     ['"winograd" needs a stride of 1', "(2, 2)"]),
    (lambda: conv.conv2d(X, X[:, :, :3, :3], algorithm="winograd", dilation=(1, 2)), ValueError,
     ['"winograd" needs a dilation of 1', "(1, 2)"]),
    (conv2d(algorithm="fft", stride=(1, 2)), ValueError, ['"fft" needs a stride of 1', "(1, 2)"]),
    (conv2d(algorithm="fft", dilation=2), ValueError, ['"fft" needs a dilation of 1', "(2, 2)"]),
    (conv2d(algorithm="fft", backend="numpy"), ValueError,
     ['"fft" is not in backend "numpy"', '"direct"']),
    (lambda: conv.conv1d(S, SK, algorithm="winograd"), ValueError, ["needs kernels of 3 rows"]),
    (lambda: conv.conv2d_backward(DY, X, K, algorithm="x"), ValueError, ["algorithm", "'x'"]),
    (conv2d(backend="gpu"), ValueError, ["backend", "'gpu'", '"numpy"']),
    (conv2d(backend="cuda"), RuntimeError, ["cuda", '"numpy"']),
    (transpose(backend="gpu"), ValueError, ["backend", "'gpu'"]),
    (lambda: conv.tiled_conv2d(X, TILES, backend="gpu"), ValueError, ["backend", "'gpu'"]),
    # tiled and locally connected
    (lambda: conv.tiled_conv2d(X, K), ValueError,
     ["K has 4 axes", "(turn, turn, kernel, channel, row, column)"]),
    (lambda: conv.tiled_conv2d(X, TILES[:1]), ValueError,
     ["K has 1 turns of rows", "2 of columns"]),
    (lambda: conv.tiled_conv2d(X[:, :1], TILES), ValueError,
     ["x has 1 channels", "K has 3 (axis 3 of"]),
    (lambda: conv.tiled_conv2d(X, TILES, B[:3]), ValueError, ["b has 3 numbers", "4 feature maps"]),
    (lambda: conv.tiled_conv2d(X, TILES, stride=0), ValueError, ["stride must be at least 1"]),
    (lambda: conv.tiled_conv2d(X, TILES[..., :0]), ValueError, ["K is empty"]),
    (lambda: conv.tiled_conv2d(X[:, :, :1], TILES), ValueError, ["the window spans 2 rows"]),
    (lambda: conv.locally_connected2d(X, K), ValueError,
     ["K has 4 axes", "(output row, output column, kernel, channel, row, column)"]),
    (lambda: conv.locally_connected2d(X, TILES), ValueError,
     ["K has kernels for (2, 2) places", "the output has (4, 4)"]),
    (lambda: conv.locally_connected2d(X, LOCAL, B[:2]), ValueError, ["b has 2 numbers", "4"]),
    (lambda: conv.locally_connected2d(X, LOCAL, np.ones((4, 4, 3))), ValueError,
     ["b has shape (4, 4, 3)", "(4,)", "(4, 4, 4)"]),
    (lambda: conv.locally_connected2d(X, LOCAL, RAGGED), TypeError, ["b is ragged"]),
    (lambda: conv.locally_connected2d(X, LOCAL, B[:, None]), ValueError, ["b has 2 axes (4, 1)"]),
    # blocks
    (lambda: conv.conv_detector_pool(X, K, pool="mean"), ValueError,
     ["pool must be one of", '"max", "avg", "l2"', "'mean'"]),
    (lambda: conv.conv_detector_pool(X, K, activation="cube"), ValueError,
     ["activation", "'cube'"]),
    (lambda: conv.conv_detector_pool(X, K, size=5), ValueError, ["window spans 5 rows", "4 rows"]),
    (lambda: conv.conv_detector_pool(X, K, size=0), ValueError, ["size must be at least 1", "0"]),
    (lambda: conv.conv_detector_pool_backward(DY, X, K), ValueError, ["dy has shape (2, 4, 4, 4)"]),
    (lambda: conv.conv_detector_pool(X, K, backend="gpu"), ValueError, ["backend", "'gpu'"]),
    (lambda: conv.parallel_blocks(X, []), ValueError, ["blocks", "at least one"]),
    (lambda: conv.parallel_blocks(X, None), TypeError, ["blocks must be a sequence", "None"]),
    (lambda: conv.parallel_blocks(X, [K]), ValueError, ["blocks[0] must be a Block", "a ndarray"]),
    (lambda: conv.parallel_blocks(X, [{"b": B}]), ValueError, ["blocks[0] must be a Block"]),
    (lambda: conv.parallel_blocks(X, [{"K": K, "steps": 2}]), ValueError, ["blocks[0] must be"]),
    (lambda: conv.parallel_blocks(X, [(K, B)]), ValueError, ["blocks[0] must be a Block"]),
    (lambda: conv.parallel_blocks(X, [conv.Block(K), conv.Block(K, size=4)]), ValueError,
     ["blocks[1] gives maps of (1, 1)", "blocks[0] of (2, 2)"]),
    (lambda: conv.parallel_blocks_backward(DY, X, [conv.Block(K)] * 2), ValueError,
     ["dy has 4 channels (axis 1 of (2, 4, 4, 4))", "4 + 4 feature maps"]),
    (lambda: conv.parallel_blocks_backward(DY[0], X, [conv.Block(K)]), ValueError,
     ["dy has 3 axes"]),
    # signals and images alone
    (lambda: conv.convolve1d(X, [1.0]), ValueError, ["I has 4 axes", "convolve1d", "(step,)"]),
    (lambda: conv.convolve1d([1.0], 2.0), ValueError, ["K has 0 axes"]),
    (lambda: conv.convolve1d([], [1.0]), ValueError, ["I is empty", "(0,)"]),
    (lambda: conv.convolve1d([1.0], [1.0], "wide"), ValueError, ["mode must be one of", "'wide'"]),
    (lambda: conv.convolve1d([1.0], [1.0], None), ValueError, ["mode must be one of", "None"]),
    (lambda: conv.cross_correlate1d([1.0], [1.0, 2.0]), ValueError,
     ["K (2,) is larger than I (1,)", '"valid"']),
    (lambda: conv.cross_correlate2d([[1.0, 2.0]], [[1.0], [2.0]]), ValueError,
     ["K (2, 1) is larger than I (1, 2)"]),
    (lambda: conv.convolve2d([1.0], [[1.0]]), ValueError, ["I has 1 axis (1,)", "(row, column)"]),
    (lambda: conv.convolve2d(RAGGED, [[1.0]]), TypeError, ["I is ragged"]),
    (lambda: conv.convolve2d([[1.0]], [["a"]]), TypeError, ["K holds", "real numbers"]),
    (lambda: conv.normalised_cross_correlate1d([1.0], [1.0, 2.0]), ValueError, ["K (2,)"]),
    (lambda: conv.convolution_matrix([1.0, 2.0], 1), ValueError, ["K (2,)", "(1,)"]),
    (lambda: conv.convolution_matrix([1.0], 0), ValueError, ["size must be at least 1", "0"]),
    (lambda: conv.convolution_matrix([1.0], 2.5), TypeError, ["size must be a whole number"]),
    (lambda: conv.convolution_matrix([1.0], 2**31 - 1), ValueError, ["memory cannot hold it"]),
    # arithmetic
    (lambda: conv.conv_output_size(3, 5), ValueError, ["spans 5 steps", "has 3 steps"]),
    (lambda: conv.conv_output_size((3, 3), (2, 5)), ValueError, ["spans 5 columns"]),
    (lambda: conv.conv_output_size(7, (3, 3)), TypeError, ["kernel must be a whole number"]),
    (lambda: conv.conv_output_size(7.0, 3), TypeError, ["size must be a whole number", "7.0"]),
    (lambda: conv.conv_output_size((7, 7, 7), 3), ValueError, ["size", "a pair (rows, columns)"]),
    (lambda: conv.conv_output_size(7, 3, 0), ValueError, ["stride must be at least 1"]),
    (lambda: conv.conv_output_size(7, 3, padding="x"), ValueError, ["padding", "'x'"]),
    (lambda: conv.same_padding(0), ValueError, ["kernel must be at least 1", "0"]),
    (lambda: conv.same_padding((3,)), ValueError, ["kernel", "a pair", "(3,)"]),
    (lambda: conv.same_padding(3, (1, 2)), TypeError, ["dilation must be a whole number"]),
    (lambda: conv.conv2d_num_params(3, 4, 6, groups=4), ValueError,
     ["out_channels is 6", "4 groups"]),
    (lambda: conv.conv2d_num_params(3, 3, 4, groups=2), ValueError,
     ["in_channels is 3", "2 groups"]),
    (lambda: conv.conv2d_num_params(0, 1, 1), ValueError, ["kernel_size must be at least 1"]),
    (lambda: conv.conv2d_num_params(3, 1, 1, bias=B), TypeError, ["bias must be True or False"]),
    (lambda: conv.conv2d_num_params(3, 1.5, 1), TypeError, ["in_channels must be a whole number"]),
    (lambda: conv.count_connections(3, 5), ValueError, ["spans 5 steps"]),
    (lambda: conv.count_connections(3, 2, 1, -1), ValueError, ["padding must be at least 0"]),
    (lambda: conv.count_unique_weights(0), ValueError, ["kernel must be at least 1", "0"]),
    (lambda: conv.count_unique_weights("3"), TypeError, ["kernel must be a whole number", "'3'"]),
    (lambda: conv.receptive_field([3]), ValueError, ["layers[0] must be (kernel, stride)", "3"]),
    (lambda: conv.receptive_field([(3, 1), (3,)]), ValueError, ["layers[1] must be", "(3,)"]),
    (lambda: conv.receptive_field([(3, 0)]), ValueError, ["layers[0][1] must be at least 1", "0"]),
    (lambda: conv.receptive_field([(3.0, 1)]), TypeError, ["layers[0][0] must be a whole number"]),
    (lambda: conv.receptive_field(3), TypeError, ["layers must be a sequence", "3"]),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "words"), TABLE)
def test_a_sentence(call, error, words, refuses):
    with refuses(error, *words):
        call()


def test_an_algorithm_that_fits_is_taken(backend):
    expected = conv.conv2d(X, K, B, backend=backend)
    for algorithm in ("auto", "direct"):
        assert np.allclose(
            conv.conv2d(X, K, B, algorithm=algorithm, backend=backend), expected, rtol=1e-12
        )
    if backend == "numpy":
        with pytest.raises(ValueError, match='"winograd" is not in backend "numpy"'):
            conv.conv2d(X, X[:, :, :3, :3], algorithm="winograd", backend=backend)


ROOMS = {
    "conv1d": (S, SK, B),
    "conv2d": (X, K, B),
    "conv2d_transpose": (X, T, np.ones(2)),
    "tiled_conv2d": (X, TILES, B),
    "locally_connected2d": (X, LOCAL, B),
    "conv_detector_pool": (X, K, B),
}
OTHERS = {
    "convolve1d": ([1.0, 2.0], [1.0]),
    "convolve2d": ([[1.0, 2.0]], [[1.0]]),
    "cross_correlate1d": ([1.0, 2.0], [1.0]),
    "cross_correlate2d": ([[1.0, 2.0]], [[1.0]]),
    "normalised_cross_correlate1d": ([1.0, 2.0], [1.0]),
    "convolution_matrix": ([1.0, 2.0], 5),
    "conv_output_size": (7, 3, 1, 0, 1),
    "same_padding": (3, 1),
    "conv2d_num_params": (3, 2, 4, True, 2),
    "count_connections": (7, 3, 1, 0),
    "count_unique_weights": (3, 2, 4),
    "receptive_field": ([(3, 1)],),
    "parallel_blocks": (X, [conv.Block(K)]),
}
MOVES = ("stride", "padding", "output_padding", "dilation", "groups", "algorithm", "backend",
         "activation", "pool", "size", "pool_stride")  # fmt: skip


def known(function):
    names = getattr(conv, function).__kwdefaults__ or {}
    return [name for name in MOVES if name in names]


SPOTS = [(name, i) for name, arguments in OTHERS.items() for i in range(len(arguments))]


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), spot=st.sampled_from(SPOTS))
def test_whatever_stands_for_an_argument(data, spot, junk, answers_or_refuses):
    name, i = spot
    arguments = list(OTHERS[name])
    arguments[i] = data.draw(junk)
    with answers_or_refuses(), np.errstate(all="ignore"):
        getattr(conv, name)(*arguments)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(sorted(ROOMS)), back=st.booleans())
def test_whatever_stands_for_an_array_or_an_option(data, name, back, junk, answers_or_refuses):
    arguments = list(ROOMS[name])
    if back:
        arguments.insert(0, getattr(conv, name)(*arguments))
    spots = [*range(len(arguments)), *known(name)]
    options = {}
    for spot in data.draw(st.lists(st.sampled_from(spots), min_size=1, max_size=2, unique=True)):
        value = data.draw(junk | st.tuples(junk, st.integers(0, 3)))
        if isinstance(spot, int):
            arguments[spot] = value
        else:
            options[spot] = value
    with answers_or_refuses(), np.errstate(all="ignore"):
        getattr(conv, f"{name}_backward" if back else name)(*arguments, **options)


@settings(max_examples=300)
@given(
    shapes=st.tuples(*[st.lists(st.integers(0, 3), min_size=3, max_size=5)] * 3),
    stride=st.tuples(st.integers(0, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(-1, 3), st.integers(0, 3)),
    dilation=st.integers(1, 4),
    groups=st.integers(1, 3),
)
def test_any_shapes(backend, answers_or_refuses, shapes, stride, padding, dilation, groups):
    x, K, dy = (np.ones(shape) for shape in shapes)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups,
               "backend": backend}  # fmt: skip
    for call in (conv.conv2d, conv.conv2d_transpose):
        with answers_or_refuses():
            y = call(x, K, **options)
            assert y.shape[0] == len(x)
            with answers_or_refuses():
                getattr(conv, f"{call.__name__}_backward")(dy, x, K, **options)


def test_every_function_with_a_backward_names_it():
    pairs = [name for name in conv.__all__ if name.endswith("_backward")]
    assert len(pairs) > 10
    for name in pairs:
        forward = name.removesuffix("_backward")
        assert forward in conv.__all__
        assert (getattr(conv, forward).__kwdefaults__ or {}) == (
            getattr(conv, name).__kwdefaults__ or {}
        ), name


def test_messages_are_short(refuses):
    long = [1] * 10_000
    for options in ({"stride": long}, {"padding": long}, {"padding": [long, long]}):
        with refuses((ValueError, TypeError), "a list"):
            conv.conv2d(X, K, **options)
    for call in itertools.chain.from_iterable(TABLE):
        if callable(call) and not isinstance(call, type):
            with pytest.raises((ValueError, TypeError, RuntimeError)) as caught:
                call()
            assert len(str(caught.value)) < 200
