"""Convolution layers: against nested loops on every backend, and what they must not depend on."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ketkar import convolutional as conv
from ketkar.gradcheck import gradcheck

EPS = np.finfo(np.float32).eps
SMALL, STEP, ZEROS = st.integers(1, 3), st.integers(1, 3), st.integers(0, 3)
NAMES = ("y", "dx", "dK", "db")


@st.composite
def layers(draw):
    """Shapes and options of a layer whose kernel fits into the padded image."""
    groups = draw(SMALL)
    C, M = groups * draw(SMALL), groups * draw(SMALL)
    window = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride, dilation = draw(st.tuples(STEP, STEP)), draw(st.tuples(STEP, STEP))
    pads = draw(st.tuples(st.tuples(ZEROS, ZEROS), st.tuples(ZEROS, ZEROS)))
    size = [
        max(1, d * (k - 1) + 1 - sum(p)) + draw(st.integers(0, 5))
        for k, d, p in zip(window, dilation, pads, strict=True)
    ]
    shapes = (draw(SMALL), C, *size), (M, C // groups, *window)
    options = {"stride": stride, "padding": pads, "dilation": dilation, "groups": groups}
    return shapes, options, draw(st.sampled_from([np.float64, np.float32])), draw(st.integers(0, 9))


def bound(dtype, absolute):
    """How far a sum may be off, where `absolute` is the sum of the absolute values.

    float32: each of a few dozen terms is rounded, and what a fast algorithm does with them first
    costs some more; 60 units in the last place of the largest sum are enough for all of it.
    """
    return (1e-12 if dtype == np.float64 else 60 * EPS) * max(1.0, absolute.max(initial=0))


def compare(found, expected, absolutes, dtype):
    for name, got, wanted, absolute in zip(NAMES, found, expected, absolutes, strict=True):
        assert got.dtype == dtype
        assert got.shape == wanted.shape, name
        assert np.abs(got - wanted).max(initial=0) <= bound(dtype, absolute), name


@settings(max_examples=1000)
@given(layer=layers())
def test_every_backend_gives_the_sums_of_nested_loops(backend, loops, layer):
    shapes, options, dtype, seed = layer
    rng = np.random.default_rng(seed)
    x, K = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    b = rng.normal(size=len(K)).astype(dtype)
    y = conv.conv2d(x, K, b, **options, backend=backend)
    dy = rng.normal(size=y.shape).astype(dtype)
    found = y, *conv.conv2d_backward(dy, x, K, b, **options, backend=backend)
    how = options["stride"], options["padding"], options["dilation"], options["groups"]
    absolutes = loops(*(np.abs(a) for a in (x, K, b, dy)), *how)
    compare(found, loops(x, K, b, dy, *how), absolutes, dtype)


@settings(max_examples=400)
@given(layer=layers(), extra=st.tuples(ZEROS, ZEROS))
def test_a_transposed_layer_is_the_gradient_of_its_convolution(backend, loops, layer, extra):
    shapes, options, dtype, seed = layer
    rng = np.random.default_rng(seed)
    dy, K = (rng.normal(size=shape).astype(dtype) for shape in shapes)  # of the transposed layer
    stride, dilation = options["stride"], options["dilation"]
    extra = tuple(min(e, max(s, d) - 1) for e, s, d in zip(extra, stride, dilation, strict=True))
    size = [(n - d * (k - 1) - 1 + sum(p)) // s + 1 for n, k, s, p, d in zip(
        dy.shape[2:], K.shape[2:], stride, options["padding"], dilation, strict=True)]  # fmt: skip
    x = rng.normal(size=(len(dy), len(K), *size)).astype(dtype)
    b = rng.normal(size=dy.shape[1]).astype(dtype)
    image = [(n - 1) * s + d * (k - 1) + 1 - sum(p) + e for n, k, s, p, d, e in zip(
        size, K.shape[2:], stride, options["padding"], dilation, extra, strict=True)]  # fmt: skip
    if min(image) < 1:
        with pytest.raises(ValueError, match="leaves nothing"):
            conv.conv2d_transpose(x, K, **options, output_padding=extra, backend=backend)
        return
    dy = rng.normal(size=(*dy.shape[:2], *image)).astype(dtype)
    how = stride, options["padding"], dilation, options["groups"]
    # the loops as a convolution of dy: x stands where its error does, dx where its output
    none = np.zeros(len(K))
    dx, y, dK, _ = loops(dy, K, none, x, *how)
    absolutes = loops(np.abs(dy), np.abs(K), none, np.abs(x), *how)
    options |= {"output_padding": extra, "backend": backend}
    found = (
        conv.conv2d_transpose(x, K, b, **options),
        *conv.conv2d_transpose_backward(dy, x, K, b, **options),
    )
    expected = y + b[:, None, None], dx, dK, dy.sum(axis=(0, 2, 3), dtype=float)
    sums = absolutes[1] + 5, absolutes[0], absolutes[2], np.abs(dy).sum(axis=(0, 2, 3))
    compare(found, expected, sums, dtype)


@settings(max_examples=200)
@given(
    N=SMALL, C=SMALL, M=SMALL, T=st.integers(1, 12), k=st.integers(1, 4), stride=STEP,
    dilation=STEP, padding=st.tuples(ZEROS, ZEROS) | ZEROS | st.just("same"),
)  # fmt: skip
def test_a_signal_is_an_image_of_one_row(backend, N, C, M, T, k, stride, dilation, padding):
    rng = np.random.default_rng(T)
    x, K, b = rng.normal(size=(N, C, T)), rng.normal(size=(M, C, k)), rng.normal(size=M)
    before, after = (padding, padding) if isinstance(padding, int) else padding[:2]
    if padding != "same" and dilation * (k - 1) + 1 > T + before + after:
        with pytest.raises(ValueError, match="the window spans"):
            conv.conv1d(x, K, stride=stride, dilation=dilation, padding=padding)
        return
    pads = padding if padding == "same" else ((0, 0), (before, after))
    one = {"stride": stride, "dilation": dilation, "padding": padding, "backend": backend}
    two = {"stride": (1, stride), "dilation": (1, dilation), "padding": pads, "backend": backend}
    y = conv.conv1d(x, K, b, **one)
    assert np.array_equal(y[:, :, None], conv.conv2d(x[:, :, None], K[:, :, None], b, **two))
    dy = rng.normal(size=y.shape)
    grads = conv.conv1d_backward(dy, x, K, b, **one)
    flat = conv.conv2d_backward(dy[:, :, None], x[:, :, None], K[:, :, None], b, **two)
    assert np.array_equal(grads.x[:, :, None], flat.x)
    assert np.array_equal(grads.K[:, :, None], flat.K)
    assert np.array_equal(grads.b, flat.b)


OPTIONS = {
    "plain": {},
    "strided": {"stride": (2, 3), "padding": 1},
    "dilated": {"dilation": (2, 1), "padding": ((2, 1), (0, 2))},
    "groups": {"groups": 2, "padding": (0, 1)},
    "same": {"padding": "same", "stride": 2},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_gradients(name, backend, draw):
    options = OPTIONS[name] | {"backend": backend}
    x, K, b = draw((2, 4, 5, 6), (2, 4 // options.get("groups", 1), 3, 2), 2, seed=1)
    assert gradcheck(
        lambda *a: conv.conv2d(*a, **options),
        lambda dy, *a: tuple(conv.conv2d_backward(dy, *a, **options)), x, K, b,
    )  # fmt: skip
    options.pop("padding", None)
    x, K = draw((2, 4, 3, 2), (4, 2, 3, 2), seed=2)
    b = np.ones(2 * options.get("groups", 1))
    assert gradcheck(
        lambda *a: conv.conv2d_transpose(*a, **options),
        lambda dy, *a: tuple(conv.conv2d_transpose_backward(dy, *a, **options)), x, K, b,
    )  # fmt: skip


@pytest.mark.parametrize("padding", [0, (2, 1), "same"])
def test_gradients_of_signals(padding, backend, draw):
    options = {"padding": padding, "stride": 2, "dilation": 2, "groups": 2, "backend": backend}
    x, K, b = draw((2, 4, 9), (6, 2, 3), 6)
    assert gradcheck(
        lambda *a: conv.conv1d(*a, **options),
        lambda dy, *a: tuple(conv.conv1d_backward(dy, *a, **options)), x, K, b,
    )  # fmt: skip


def test_a_transposed_layer_is_the_transpose(backend, draw):
    # <conv(u), v> = <u, transposed(v)>, also where the stride leaves rows of the image unseen
    for stride, padding in itertools.product((1, 2, 3), (0, 1)):
        u, K = draw((2, 4, 8, 7), (6, 2, 3, 3), seed=stride)
        options = {"stride": stride, "padding": padding, "groups": 2, "backend": backend}
        y = conv.conv2d(u, K, **options)
        (v,) = draw(y.shape, seed=5)
        left = (8 + 2 * padding - 3) % stride, (7 + 2 * padding - 3) % stride
        back = conv.conv2d_transpose(v, K, **options, output_padding=left)
        assert back.shape == u.shape
        assert (y * v).sum() == pytest.approx((u * back).sum(), rel=1e-12)


def test_a_layer_is_a_dense_layer_with_a_banded_matrix(backend, draw):
    x, K = draw((4, 1, 9), (1, 1, 3))
    for mode, padding in (("valid", 0), ("same", "same"), ("full", 2)):
        matrix = conv.convolution_matrix(K[0, 0], 9, mode)
        y = conv.conv1d(x, K, padding=padding, backend=backend)
        assert np.abs(y[:, 0] - x[:, 0] @ matrix.T).max() < 1e-12
        assert np.array_equal(np.unique(matrix[matrix != 0]), np.sort(K[0, 0]))
        grads = conv.conv1d_backward(y, x, K, padding=padding, backend=backend)
        assert np.abs(grads.x[:, 0] - y[:, 0] @ matrix).max() < 1e-12


def test_a_shift_of_the_input_shifts_the_output(backend, draw):
    x, K, b = draw((2, 3, 8, 9), (4, 3, 3, 3), 4)

    def circular(x):
        around = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="wrap")
        return conv.conv2d(around, K, b, backend=backend)

    for shift in ((1, 0), (0, 1), (3, -2)):
        moved = circular(np.roll(x, shift, axis=(2, 3)))
        np.testing.assert_allclose(
            moved, np.roll(circular(x), shift, axis=(2, 3)), rtol=0, atol=1e-13
        )


def test_a_stride_takes_every_second_or_third_output(backend, draw):
    x, K = draw((2, 3, 11, 12), (4, 3, 3, 2))
    whole = conv.conv2d(x, K, padding=1, backend=backend)
    for rows, columns in itertools.product((1, 2, 3), (1, 2, 5)):
        y = conv.conv2d(x, K, stride=(rows, columns), padding=1, backend=backend)
        np.testing.assert_allclose(y, whole[:, :, ::rows, ::columns], rtol=0, atol=1e-13)


def test_a_dilated_kernel_is_one_with_zeros_between_its_taps(backend, draw):
    x, K = draw((2, 3, 11, 12), (4, 3, 3, 2))
    spread = np.zeros((4, 3, 5, 4))
    spread[:, :, ::2, ::3] = K
    y = conv.conv2d(x, K, dilation=(2, 3), padding=2, backend=backend)
    np.testing.assert_allclose(y, conv.conv2d(x, spread, padding=2, backend=backend), atol=1e-13)


@pytest.mark.parametrize("L", [1, 2, 4])
def test_the_reach_grows_with_depth(L, backend):
    x = np.zeros((1, 1, 1, 21))
    x[..., 10] = 1
    for _ in range(L):
        x = conv.conv2d(x, np.ones((1, 1, 1, 3)), padding=(0, 1), backend=backend)
    assert np.count_nonzero(x) == conv.receptive_field([(3, 1)] * L) == 2 * L + 1


@pytest.mark.parametrize("kernel", [(1, 1), (2, 4), (3, 5), (6, 7)])
@pytest.mark.parametrize("dilation", [1, 2, (1, 3)])
def test_padding_same_keeps_the_size(kernel, dilation, backend, draw):
    x, K = draw((2, 1, 6, 5), (1, 1, *kernel))
    y = conv.conv2d(x, K, padding="same", dilation=dilation, backend=backend)
    assert y.shape == x.shape
    by_number = conv.same_padding(kernel, dilation)
    assert np.array_equal(
        y, conv.conv2d(x, K, padding=by_number, dilation=dilation, backend=backend)
    )
    for stride in (2, 3, 4):
        strided = conv.conv2d(
            x, K, padding="same", dilation=dilation, stride=stride, backend=backend
        )
        assert strided.shape[2:] == (-(-6 // stride), -(-5 // stride))


def test_an_even_padding_of_same_is_centred_by_stride(backend):
    # 6 numbers, kernel 3, stride 2: one zero in all, at the end
    y = conv.conv1d(
        [[[1, 2, 3, 4, 5, 6]]], [[[1, 1, 1]]], padding="same", stride=2, backend=backend
    )
    assert y.tolist() == [[[6, 12, 11]]]
    # a stride beyond the kernel needs none
    y = conv.conv1d([[[1, 2, 3, 4, 5, 6]]], [[[1]]], padding="same", stride=4, backend=backend)
    assert y.tolist() == [[[1, 5]]]


def test_no_bias_is_a_bias_of_zero(backend, draw):
    x, K, dy = draw((2, 3, 5, 5), (4, 3, 2, 2), (2, 4, 4, 4))
    zero = np.zeros(4)
    with_zero = conv.conv2d(x, K, zero, backend=backend)
    assert np.array_equal(conv.conv2d(x, K, backend=backend), with_zero)
    without = conv.conv2d_backward(dy, x, K, backend=backend)
    grads = conv.conv2d_backward(dy, x, K, zero, backend=backend)
    assert without.b is None
    assert np.allclose(grads.b, dy.sum(axis=(0, 2, 3)), rtol=1e-13)
    assert np.array_equal(without.x, grads.x)
    assert np.array_equal(without.K, grads.K)
    assert conv.conv1d_backward(dy[..., 0], x[..., 0], K[..., 0], backend=backend).b is None
    back = conv.conv2d_transpose_backward(x, dy, K, backend=backend)
    assert back.b is None


def test_examples_do_not_see_each_other(backend, draw):
    x, K, b = draw((5, 3, 7, 6), (4, 3, 3, 2), 4)
    y = conv.conv2d(x, K, b, padding=1, backend=backend)
    (dy,) = draw(y.shape, seed=1)
    grads = conv.conv2d_backward(dy, x, K, b, padding=1, backend=backend)
    each = [
        conv.conv2d_backward(dy[i : i + 1], x[i : i + 1], K, b, padding=1, backend=backend)
        for i in range(5)
    ]
    for i in range(5):
        one = conv.conv2d(x[i : i + 1], K, b, padding=1, backend=backend)[0]
        np.testing.assert_allclose(one, y[i], rtol=0, atol=1e-13)
        np.testing.assert_allclose(each[i].x[0], grads.x[i], rtol=0, atol=1e-13)
    np.testing.assert_allclose(sum(g.K for g in each), grads.K, rtol=0, atol=1e-12)
    np.testing.assert_allclose(sum(g.b for g in each), grads.b, rtol=0, atol=1e-12)


PAIRS = {
    "conv1d": (((2, 4, 9), (6, 2, 3), 6, (2, 6, 7)), {"groups": 2}),
    "conv2d": (((2, 4, 5, 6), (6, 2, 3, 2), 6, (2, 6, 5, 6)), {"groups": 2, "padding": "same"}),
    "conv2d_transpose": (((2, 4, 3, 2), (4, 3, 3, 2), 6, (2, 6, 5, 3)), {"groups": 2}),
    "tiled_conv2d": (((2, 2, 5, 6), (2, 2, 3, 2, 3, 2), 3, (2, 3, 5, 6)), {"padding": "same"}),
    "locally_connected2d": (((2, 2, 3, 4), (2, 3, 3, 2, 2, 2), (3, 2, 3), (2, 3, 2, 3)), {}),
}  # fmt: skip


@pytest.fixture(scope="module", params=PAIRS)
def pair(request, backend):
    """Arguments x, K, b and dy of a pair, and a function that calls both sides of it."""
    name, (shapes, options) = request.param, PAIRS[request.param]
    rng = np.random.default_rng(7)
    if name != "locally_connected2d":
        options = options | {"backend": backend}

    def both(x, K, b, dy):
        return (getattr(conv, name)(x, K, b, **options),
                *getattr(conv, f"{name}_backward")(dy, x, K, b, **options))  # fmt: skip

    return [rng.normal(size=shape) for shape in shapes], both


def test_float32_stays_and_is_close_to_float64(pair):
    arguments, both = pair
    rough = [a.astype(np.float32) for a in arguments]
    for a, c in zip(both(*rough), both(*(a.astype(float) for a in rough)), strict=True):
        assert (a.dtype, c.dtype) == (np.float32, np.float64)
        assert np.abs(a - c).max() < 1e-4
    x, K, b, dy = rough
    # x and K decide; b and dy follow
    assert [a.dtype for a in both(x, K, b.astype(float), dy.astype(float))] == [np.float32] * 4
    assert [a.dtype for a in both(x, K.astype(float), b, dy)] == [np.float64] * 4
    assert [a.dtype for a in both(*(a.astype(np.float16) for a in rough))] == [np.float64] * 4
    whole = [np.rint(3 * a) for a in arguments]
    for a, c in zip(both(*(a.astype(np.int8) for a in whole)), both(*whole), strict=True):
        assert a.dtype == np.float64
        assert np.array_equal(a, c)


def test_layout_in_memory_does_not_matter(pair):
    arguments, both = pair
    expected = both(*arguments)

    def variants(a):
        frozen = a.copy()
        frozen.flags.writeable = False
        spread = np.zeros([2 * size for size in a.shape])
        spread[tuple(slice(None, None, 2) for _ in a.shape)] = a
        yield np.asfortranarray(a)
        yield frozen
        yield spread[tuple(slice(None, None, 2) for _ in a.shape)]
        yield a[::-1].copy()[::-1]
        yield a[..., ::-1].copy()[..., ::-1]
        yield a.astype(">f8")
        yield a.tolist()
        yield np.frombuffer(b"x" + a.tobytes(), np.uint8)[1:].view(np.float64).reshape(a.shape)

    for changed in zip(*map(variants, arguments), strict=True):
        for got, wanted in zip(both(*changed), expected, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-13)


def test_arrays_that_overlap_themselves_or_each_other(pair):
    (x, K, b, dy), both = pair
    windows = np.lib.stride_tricks.as_strided(
        np.arange(99.0), x.shape, [8 * (i + 1) for i in range(x.ndim)]
    )
    flat = np.broadcast_to(np.float64(2), K.shape)
    rows = np.broadcast_to(b.ravel()[:1], b.shape)
    ones = np.broadcast_to(dy[:1], dy.shape)
    found = both(windows, flat, rows, ones)
    for got, wanted in zip(found, both(*map(np.array, (windows, flat, rows, ones))), strict=True):
        assert np.array_equal(got, wanted)
    shared = np.arange(1000.0)
    views = [shared[: a.size].reshape(a.shape) for a in (x, K, b, dy)]
    for got, wanted in zip(both(*views), both(*map(np.array, views)), strict=True):
        assert np.array_equal(got, wanted)
    assert np.array_equal(shared, np.arange(1000.0))


def test_arguments_are_neither_changed_nor_returned(pair):
    arguments, both = pair
    kept = [a.copy() for a in arguments]
    for out in both(*arguments):
        assert not any(np.shares_memory(out, a) for a in arguments)
        out[...] = 7
    assert all(np.array_equal(a, c) for a, c in zip(arguments, kept, strict=True))


def test_an_empty_batch_has_empty_outputs_and_zero_gradients(pair):
    (x, K, b, dy), both = pair
    y, dx, dK, db = both(x[:0], K, b, dy[:0])
    assert y.shape == dy[:0].shape
    assert dx.shape == x[:0].shape
    assert np.array_equal(dK, np.zeros(K.shape))
    assert np.array_equal(db, np.zeros(b.shape))
    assert both(x[:0].astype("f4"), K.astype("f4"), b, dy[:0])[0].dtype == np.float32


def test_gradients_are_linear_in_dy(pair):
    (x, K, b, dy), both = pair
    once, twice = both(x, K, b, dy)[1:], both(x, K, b, -2 * dy)[1:]
    for a, c in zip(once, twice, strict=True):
        np.testing.assert_allclose(-2 * a, c, rtol=1e-12)
        assert np.abs(a).max() > 0.1


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_reach_the_outputs_whose_windows_hold_them(number, backend):
    x, K = np.ones((2, 2, 5, 6)), np.ones((3, 2, 2, 2))
    x[1, 0, 3, 2] = number
    with np.errstate(invalid="ignore"):
        y = conv.conv2d(x, K, backend=backend)
        grads = conv.conv2d_backward(np.ones_like(y), x, K, np.zeros(3), backend=backend)
    touched = np.zeros(y.shape, bool)
    touched[1, :, 2:4, 1:3] = True
    assert np.array_equal(~np.isfinite(y), touched)
    assert np.isfinite(grads.x).all()
    assert np.array_equal(
        ~np.isfinite(grads.K), np.array([[[[True] * 2] * 2, [[False] * 2] * 2]] * 3)
    )
    assert np.isfinite(grads.b).all()
    dy = np.ones(y.shape)
    dy[0, 1, 0, 0] = number
    with np.errstate(invalid="ignore"):
        grads = conv.conv2d_backward(dy, np.ones_like(x), K, np.zeros(3), backend=backend)
    assert not np.isfinite(grads.x[0, :, :2, :2]).any()
    assert np.isfinite(grads.x[1]).all()
    assert np.isfinite(grads.x[0, :, 2:]).all()
    assert (~np.isfinite(grads.b)).tolist() == [False, True, False]
    assert np.array_equal(~np.isfinite(grads.K[:, 0, 0, 0]), [False, True, False])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_do_not_depend_on_the_number_of_threads(backend, dtype, monkeypatch, draw):
    x, K, b = draw((8, 16, 20, 20), (32, 16, 3, 3), 32, dtype=dtype)
    (dy,) = draw((8, 32, 20, 20), seed=1, dtype=dtype)
    results = []
    for number in ("1", "2", "5"):
        monkeypatch.setenv("KETKAR_NUM_THREADS", number)
        y = conv.conv2d(x, K, b, padding=1, backend=backend)
        results.append((y, *conv.conv2d_backward(dy, x, K, b, padding=1, backend=backend)))
    for other in results[1:]:
        for a, c in zip(results[0], other, strict=True):
            assert np.array_equal(a, c)


def test_parameters_and_gradients_have_names():
    assert conv.ConvParams._fields == ("K", "b")
    assert conv.ConvGrads._fields == ("x", "K", "b")
