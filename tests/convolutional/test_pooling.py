"""Pooling: worked numbers, every backend against nested loops, gradients, and bad input."""

import math
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ketkar import convolutional as conv
from ketkar.gradcheck import gradcheck

KINDS = ("max", "avg", "l2")
EPS = np.finfo(np.float32).eps
NAN, INF = np.nan, np.inf

# A map of 4 x 4 and what windows of 2 x 2 hold of it, worked by hand.
MAP = [[[[74, 44, 56, 78], [80, 40, 43, 13], [78, 88, 90, 96], [70, 55, 80, 35]]]]


def forward(kind, x, size, **options):
    return getattr(conv, f"{kind}_pool2d")(x, size, **options)


def backward(kind, dy, x, size, **options):
    return getattr(conv, f"{kind}_pool2d_backward")(dy, x, size, **options)


class TestWorkedNumbers:
    def test_forward(self, backend):
        y = forward("max", MAP, 2, backend=backend)
        assert y.tolist() == [[[[80, 78], [88, 96]]]]
        y = forward("avg", MAP, 2, backend=backend)
        assert y.tolist() == [[[[59.5, 47.5], [72.75, 75.25]]]]
        x = [[[[3.0, 0.0, 5.0], [0.0, 4.0, 12.0]]]]
        y = forward("l2", x, 2, stride=1, backend=backend)
        assert np.allclose(y, [[[[5.0, math.sqrt(16 + 25 + 144)]]]], rtol=1e-15)

    def test_backward(self, backend):
        dy = [[[[1.0, 2.0], [3.0, 4.0]]]]
        dx = backward("max", dy, MAP, 2, backend=backend)
        assert dx.tolist() == [[[[0, 0, 0, 2], [1, 0, 0, 0], [0, 3, 0, 4], [0, 0, 0, 0]]]]
        dx = backward("avg", np.multiply(4, dy), MAP, 2, backend=backend)
        assert dx.tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]]]
        dx = backward("l2", [[[[10.0]]]], [[[[3.0, 0.0], [0.0, 4.0]]]], 2, backend=backend)
        assert np.allclose(dx, [[[[6, 0], [0, 8]]]], rtol=1e-15)

    def test_windows_that_overlap_add_their_errors(self, backend):
        x = [[[[1.0, 9.0, 2.0]]]]
        dx = backward("max", [[[[5.0, 7.0]]]], x, (1, 2), stride=1, backend=backend)
        assert dx.tolist() == [[[[0, 12, 0]]]]

    def test_the_first_of_equals_wins(self, backend):
        x = np.ones((1, 1, 6, 6))
        for stride, places in ((3, [0, 3]), (2, [0, 2])):
            dx = backward("max", np.ones((1, 1, 2, 2)), x, 3, stride=stride, backend=backend)
            assert np.argwhere(dx[0, 0]).tolist() == [[i, j] for i in places for j in places]

    def test_ceil_mode_divides_by_what_is_seen(self, backend):
        x = [[[[1.0, 2.0, 3.0, 4.0, 10.0]]]]
        options = {"stride": 2, "ceil_mode": True, "backend": backend}
        assert forward("avg", x, (1, 2), **options).tolist() == [[[[1.5, 3.5, 10.0]]]]
        assert forward("max", x, (1, 2), **options).tolist() == [[[[2, 4, 10]]]]
        dx = backward("avg", [[[[2.0, 4.0, 6.0]]]], x, (1, 2), **options)
        assert dx.tolist() == [[[[1, 1, 2, 2, 6]]]]

    def test_ceil_mode_has_no_window_that_begins_behind_the_image(self, backend):
        x = [[[[1.0, 2.0, 3.0]]]]  # a second window would begin at column 3
        for kind in ("max", "avg"):
            y = forward(kind, x, 1, stride=3, ceil_mode=True, backend=backend)
            assert y.tolist() == [[[[1]]]]

    def test_padding_counts_where_it_is_asked_to(self, backend):
        x, options = [[[[8.0]]]], {"padding": ((1, 0), (1, 0)), "backend": backend}
        assert forward("avg", x, 2, **options).tolist() == [[[[8]]]]
        assert forward("avg", x, 2, count_include_pad=True, **options).tolist() == [[[[2]]]]
        dx = backward("avg", [[[[4.0]]]], x, 2, count_include_pad=True, **options)
        assert dx.tolist() == [[[[1]]]]

    def test_padding_never_wins(self, backend):
        x = np.full((1, 1, 2, 2), -5.0)
        assert (forward("max", x, 3, stride=1, padding=1, backend=backend) == -5).all()

    def test_signals_are_images_of_one_row(self, backend, draw):
        (x,) = draw((2, 3, 11))
        options = {"stride": 2, "backend": backend}
        for kind in KINDS:
            y = getattr(conv, f"{kind}_pool1d")(x, 3, padding=1, **options)
            image = forward(
                kind, x[:, :, None], (1, 3), padding=(0, 1), **(options | {"stride": (1, 2)})
            )
            assert np.array_equal(y, image[:, :, 0])
            dx = getattr(conv, f"{kind}_pool1d_backward")(y, x, 3, padding=1, **options)
            assert dx.shape == x.shape

    def test_global_pooling(self, backend, draw):
        (x,) = draw((2, 3, 4, 5))
        found = [getattr(conv, f"global_{kind}_pool2d")(x, backend=backend) for kind in KINDS]
        norms = np.sqrt((x**2).sum(axis=(2, 3)))
        assert np.array_equal(found[0], x.max(axis=(2, 3)))
        assert np.allclose(found[1], x.mean(axis=(2, 3)), rtol=1e-12)
        assert np.allclose(found[2], norms, rtol=1e-12)
        dx = conv.global_l2_pool2d_backward(np.ones((2, 3)), x, backend=backend)
        assert np.allclose(dx, x / norms[:, :, None, None], rtol=1e-12)

    def test_an_empty_batch(self, backend):
        x = np.ones((0, 2, 4, 4), np.float32)
        for kind in KINDS:
            y = forward(kind, x, 2, backend=backend)
            assert (y.shape, y.dtype) == ((0, 2, 2, 2), np.float32)
            assert backward(kind, y, x, 2, backend=backend).shape == x.shape


class TestNumbersThatAreNone:
    @pytest.mark.parametrize("size", [2, 3, 4])
    def test_nan_wins_and_takes_the_error(self, backend, size):
        x = np.arange(36.0).reshape(1, 1, 6, 6)
        x[0, 0, 1, 1] = NAN
        x[0, 0, 1, 0] = INF
        y = forward("max", x, size, stride=1, backend=backend)
        assert math.isnan(y[0, 0, 0, 0])
        assert not math.isnan(y[0, 0, -1, -1])
        dx = backward("max", np.ones_like(y), x, size, stride=1, backend=backend)
        assert dx[0, 0, 1, 1] == 4  # that many windows see it
        assert dx.sum() == y.size

    @pytest.mark.parametrize("size", [2, 3])
    def test_the_first_nan_wins(self, backend, size):
        x = np.zeros((1, 1, size, size))
        x[0, 0, 0, 1] = x[0, 0, 1, 0] = NAN
        dx = backward("max", [[[[1.0]]]], x, size, backend=backend)
        assert np.argwhere(dx[0, 0]).tolist() == [[0, 1]]

    def test_minus_infinity_alone(self, backend):
        x = np.full((1, 1, 4, 4), -INF, np.float32)
        assert (forward("max", x, 2, backend=backend) == -INF).all()
        dx = backward("max", np.ones((1, 1, 2, 2)), x, 2, backend=backend)
        assert np.argwhere(dx[0, 0]).tolist() == [[0, 0], [0, 2], [2, 0], [2, 2]]

    def test_what_no_window_sees_has_no_gradient(self, backend):
        x = np.ones((1, 1, 5, 5))
        x[0, 0, 4], x[0, 0, :, 4] = NAN, INF
        for kind in KINDS:
            dx = backward(kind, np.ones((1, 1, 2, 2)), x, 2, backend=backend)
            assert not dx[0, 0, 4].any()
            assert not dx[0, 0, :, 4].any()
            assert np.isfinite(dx).all()

    def test_a_norm_of_zero_has_the_gradient_zero(self, backend):
        dx = backward("l2", np.ones((1, 1, 2, 2)), np.zeros((1, 1, 4, 4)), 2, backend=backend)
        assert not dx.any()

    def test_sums_overflow_to_infinity(self, backend):
        x = np.full((1, 1, 2, 2), 3e38, np.float32)
        assert forward("l2", x, 2, backend=backend).item() == INF
        assert forward("avg", x, 2, backend=backend).item() == INF


@st.composite
def poolings(draw):
    """A random image, and a window that fits into it with its padding."""
    few, ends = st.integers(1, 3), st.tuples(st.integers(0, 2), st.integers(0, 2))
    window, stride = draw(
        st.sampled_from([((2, 2), (2, 2)), ((3, 3), (2, 2)), ((3, 3), (1, 1)), None])
    ) or (draw(st.tuples(st.integers(1, 4), st.integers(1, 4))), draw(st.tuples(few, few)))
    dilation = draw(st.sampled_from([(1, 1), (1, 1), (1, 2), (3, 1)]))
    pads = draw(st.tuples(ends, ends))
    size = [
        max(1, d * (k - 1) + 1 - sum(p)) + draw(st.integers(0, 22))
        for k, d, p in zip(window, dilation, pads, strict=True)
    ]
    options = {"stride": stride, "padding": pads, "dilation": dilation}
    options["ceil_mode"] = draw(st.booleans())
    kind, dtype = draw(st.sampled_from(KINDS)), draw(st.sampled_from([np.float64, np.float32]))
    if kind == "avg":
        options["count_include_pad"] = draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.normal(size=(draw(few), draw(few), *size))
    if draw(st.booleans()):
        x = x.round()  # many equal numbers
    if draw(st.booleans()):
        x.flat[rng.integers(x.size, size=3)] = rng.choice([NAN, INF, -INF], 3)
    return kind, x.astype(dtype), window, options, rng


def blind(kind, x, window, options):
    try:
        forward(kind, x, window, **options, backend="numpy")
    except ValueError as error:
        return "sees only padding" in str(error)
    return False


@pytest.fixture(scope="module")
def compiled():
    """Skips what needs the compiled kernels where nothing may be compiled."""
    pytest.importorskip("numba", reason="the compiled kernels need numba")
    if "KETKAR_TEST_WITHOUT_COMPILING" in os.environ:
        pytest.skip("nothing is compiled in this run")


@pytest.mark.usefixtures("compiled")
@settings(max_examples=600, deadline=None)
@given(pooling=poolings())
def test_compiled_kernels_agree_with_the_reference(pooling):
    kind, x, window, options, rng = pooling
    if blind(kind, x, window, options):
        with pytest.raises(ValueError, match="sees only padding"):
            forward(kind, x, window, **options, backend="cpu")
        return
    y = forward(kind, x, window, **options, backend="numpy")
    dy = rng.normal(size=y.shape).astype(x.dtype)
    dx = backward(kind, dy, x, window, **options, backend="numpy")
    agree(forward(kind, x, window, **options, backend="cpu"), y)
    agree(backward(kind, dy, x, window, **options, backend="cpu"), dx)


def agree(got, expected):
    """Equal but for the rounding of some sixteen terms; exactly so where a number is not finite."""
    assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
    finite = np.isfinite(expected)
    assert np.array_equal(got[~finite], expected[~finite], equal_nan=True)
    scale = np.abs(expected[finite]).max(initial=1.0)
    bound = (1e-12 if got.dtype == np.float64 else 20 * EPS) * scale
    assert (np.abs(got[finite] - expected[finite]) <= bound).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2}, {"stride": 1, "padding": 1}, {"dilation": 2}, {"ceil_mode": True}],
    ids=str,
)
def test_gradients_agree_with_finite_differences(kind, options, backend, draw):
    (x,) = draw((2, 2, 7, 8), seed=5)
    report = gradcheck(
        lambda x: forward(kind, x, 3, **options, backend=backend),
        lambda dy, x: backward(kind, dy, x, 3, **options, backend=backend),
        x,
    )
    assert report.ok, report


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2), (3, 1), (4, 3)])
def test_threads_do_not_change_a_bit(size, stride, draw, monkeypatch):
    (x,) = draw((8, 16, 33, 37), dtype=np.float32)
    for kind in KINDS:
        found = []
        for threads in "123":
            monkeypatch.setenv("KETKAR_NUM_THREADS", threads)
            y = forward(kind, x, size, stride=stride, backend="cpu")
            found.append((y, backward(kind, y, x, size, stride=stride, backend="cpu")))
        for y, dx in found[1:]:
            assert np.array_equal(y, found[0][0])
            assert np.array_equal(dx, found[0][1])


CASES = [
    (2, 2, 0, 1, False), (3, 2, 1, 1, False), (3, 1, 1, 2, False), (3, 2, 0, 1, True),
    (2, 3, 1, 1, True),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_torch_gives_the_same_numbers(case, backend, draw):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    F = torch.nn.functional
    size, stride, padding, dilation, ceil = case
    (x,) = draw((2, 3, 10, 11))
    t = torch.tensor(x, requires_grad=True)
    moves = {"stride": stride, "padding": padding, "ceil_mode": ceil}
    there = {"max": F.max_pool2d(t, size, dilation=dilation, **moves)}
    options = {"max": moves | {"dilation": dilation}}
    for include in (False, True):
        there[f"avg {include}"] = F.avg_pool2d(t, size, count_include_pad=include, **moves)
        options[f"avg {include}"] = moves | {"count_include_pad": include}
    if padding == 0:
        there["l2"] = F.lp_pool2d(t, 2, size, stride, ceil) if not ceil else None
        options["l2"] = moves
    for name, y in there.items():
        if y is None:  # torch scales the norms of windows that are cut off
            continue
        kind = name.split()[0]
        got = forward(kind, x, size, **options[name], backend=backend)
        assert np.allclose(got, y.detach().numpy(), rtol=1e-12, atol=1e-14), name
        (dy,) = draw(got.shape, seed=1)
        (dx,) = torch.autograd.grad(y, t, torch.tensor(dy), retain_graph=True)
        got = backward(kind, dy, x, size, **options[name], backend=backend)
        assert np.allclose(got, dx.numpy(), rtol=1e-12, atol=1e-14), name


@pytest.fixture(scope="module")
def jax():
    """Its import draws from NumPy's global generator, which no test may do."""
    jax = pytest.importorskip("jax", reason="jax is not installed")
    jax.config.update("jax_enable_x64", True)
    return jax


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_jax_gives_the_same_numbers(padding, backend, draw, jax):
    (x,) = draw((2, 3, 9, 10))

    def windows(x):
        return jax.lax.reduce_window(
            x, -jax.numpy.inf, jax.lax.max, (1, 1, 3, 3), (1, 1, 2, 2), padding
        )

    y, back = jax.vjp(windows, x)
    options = {"stride": 2, "padding": padding.lower(), "backend": backend}
    assert np.array_equal(forward("max", x, 3, **options), y)
    (dy,) = draw(y.shape, seed=1)
    assert np.allclose(backward("max", dy, x, 3, **options), back(dy)[0], rtol=1e-12, atol=1e-14)


X = np.ones((2, 3, 5, 6))


def pool(*arguments, **options):
    return lambda: conv.max_pool2d(*arguments, **options)


BAD = [
    (pool(X[0], 2), ValueError, ["x has 3 axes (3, 5, 6)", "max_pool2d expects 4"]),
    (pool(X[:, :0], 2), ValueError, ["x is empty", "(2, 0, 5, 6)"]),
    (pool(X * 1j, 2), TypeError, ["x holds complex128 values"]),
    (pool(None, 2), TypeError, ["x holds object values"]),
    (pool(X, 0), ValueError, ["size must be at least 1", "0"]),
    (pool(X, 2.0), TypeError, ["size must be a whole number or a pair", "2.0"]),
    (pool(X, None), TypeError, ["size must be a whole number or a pair", "None"]),
    (pool(X, (2, 2, 2)), ValueError, ["size", "a pair (rows, columns)", "(2, 2, 2)"]),
    (pool(X, 6), ValueError, ["window spans 6 rows", "input has 5 rows"]),
    (pool(X, 3, dilation=3), ValueError, ["7 rows with its dilation", "5 rows"]),
    (pool(X, 2, stride=0), ValueError, ["stride must be at least 1", "0"]),
    (pool(X, 2, stride="2"), TypeError, ["stride must be a whole number", "'2'"]),
    (pool(X, 2, padding=-1), ValueError, ["padding must be at least 0", "-1"]),
    (pool(X, 2, padding="full"), ValueError, ["padding must be one of", "'full'"]),
    (pool(X, 2, padding=2), ValueError, ["a window that sees only padding", "it spans 2 rows"]),
    (pool(X, 2, dilation=0), ValueError, ["dilation must be at least 1", "0"]),
    (pool(X, 2, ceil_mode=1), TypeError, ["ceil_mode must be True or False", "1"]),
    (pool(X, 2, backend="gpu"), ValueError, ["backend is 'gpu'"]),
    (lambda: conv.avg_pool2d(X, 2, padding=2), ValueError, ["avg_pool2d", "sees only padding"]),
    (lambda: conv.avg_pool2d(X, 2, count_include_pad=0), TypeError,
     ["count_include_pad must be True or False", "0"]),
    (lambda: conv.max_pool1d(X, 2), ValueError, ["x has 4 axes", "max_pool1d expects 3"]),
    (lambda: conv.max_pool1d(X[0], (1, 2)), TypeError, ["size must be a whole number"]),
    (lambda: conv.global_avg_pool2d(X[0]), ValueError, ["x has 3 axes", "global_avg_pool2d"]),
    (lambda: conv.max_pool2d_backward(X, X, 2), ValueError,
     ["dy has shape (2, 3, 5, 6)", "max_pool2d has shape (2, 3, 2, 3)"]),
    (lambda: conv.l2_pool2d_backward(X * 1j, X, 2), TypeError, ["dy holds complex128 values"]),
    (lambda: conv.global_max_pool2d_backward(X, X), ValueError,
     ["dy has shape (2, 3, 5, 6)", "global_max_pool2d has shape (2, 3)"]),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "words"), BAD)
def test_bad_input_gets_a_sentence(call, error, words):
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def test_norms_may_see_padding_alone(backend):
    y = forward("l2", np.ones((1, 1, 2, 2)), 2, padding=2, backend=backend)
    assert y.tolist() == [[[[0, 0, 0], [0, 2, 0], [0, 0, 0]]]]
