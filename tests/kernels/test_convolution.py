"""The compiled convolution: every algorithm on odd shapes, the rule that chooses, its limits."""

import multiprocessing
import threading
import tracemalloc
from typing import NamedTuple

import numpy as np
import pytest

from ketkar.kernels import reference
from ketkar.kernels.geometry import Geometry

DTYPES = [np.float32, np.float64]


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


# What each shape is there for; the numbers leave whole vectors, tiles and bands unfilled.
LAYERS = {
    "one number": Layer((1, 1, 1, 1), (1, 1, 1, 1)),
    "channels in two vectors": Layer((2, 3, 9, 11), (37, 3, 3, 2)),
    "channels in one vector": Layer((3, 5, 7, 6), (13, 5, 2, 3), padded(1, 0, 0, 2)),
    "columns, few maps": Layer((2, 2, 10, 45), (6, 2, 5, 5), padded(2, 2, 2, 2)),
    "columns, one map": Layer((1, 1, 9, 70), (1, 1, 3, 4), padded(0, 3, 3, 0)),
    "many bands": Layer((1, 2, 40, 33), (20, 2, 3, 3), padded(1, 1, 1, 1)),
    "stride": Layer((2, 3, 13, 12), (18, 3, 3, 3), Geometry(2, 3, 1, 1, 1, 1)),
    "dilation": Layer((2, 3, 14, 13), (7, 3, 3, 3), Geometry(1, 1, 2, 1, 0, 3, 2, 3)),
    "stride beyond the kernel": Layer((1, 2, 17, 19), (5, 2, 2, 2), Geometry(3, 4)),
    "groups": Layer((2, 6, 8, 9), (15, 2, 3, 3), padded(1, 1, 1, 1, groups=3)),
    "depthwise": Layer((2, 5, 12, 20), (5, 1, 3, 3), padded(1, 1, 1, 1, groups=5)),
    "one tap, rows that fill vectors": Layer((2, 3, 16, 32), (17, 3, 1, 1)),
    "one tap, fewer maps than channels": Layer((1, 20, 5, 7), (3, 20, 1, 1)),
    "one tap, many maps": Layer((2, 5, 30, 16), (47, 5, 1, 1)),
    "columns, many maps": Layer((2, 3, 9, 48), (30, 3, 3, 3), padded(1, 1, 1, 1)),
    "columns, many channels": Layer((1, 30, 9, 48), (4, 30, 3, 3), padded(2, 1, 1, 1)),
    "a signal": Layer((3, 4, 1, 150), (18, 4, 1, 9), padded(0, 0, 4, 4)),
    "padding beyond the kernel": Layer((1, 2, 4, 5), (3, 2, 2, 2), padded(3, 2, 4, 3)),
    "a filter": Layer((1, 1, 22, 331), (1, 1, 5, 4), padded(2, 1, 1, 2)),
    "filters of an image": Layer((1, 1, 50, 160), (2, 1, 3, 3), padded(0, 0, 1, 0)),
    "filters, one a group": Layer((3, 6, 30, 75), (3, 2, 3, 3), padded(1, 1, 2, 0, groups=3)),
}  # fmt: skip
# For filters: padding all around and none, parts of strips and of bands, rows that are apart.
FILTERS = {
    "less than a vector": Layer((2, 1, 6, 3), (1, 1, 3, 3), padded(1, 1, 1, 1)),
    "one number": Layer((1, 1, 1, 1), (2, 1, 3, 3), padded(1, 1, 1, 1)),
    "one row": Layer((1, 1, 1, 70), (1, 1, 3, 3), padded(1, 1, 0, 0)),
    "padding beyond the kernel": Layer((1, 1, 4, 5), (1, 1, 3, 3), padded(3, 6, 40, 4)),
    "whole strips, no padding": Layer((1, 1, 9, 66), (1, 1, 3, 3)),
    "two bands": Layer((1, 1, 40, 400), (2, 1, 3, 3), padded(2, 1, 1, 1)),
    "channels": Layer((2, 6, 9, 75), (6, 2, 3, 3), padded(2, 2, 0, 0, groups=3)),
    "steps of two": Layer((1, 2, 19, 83), (2, 1, 3, 3), Geometry(2, 1, 1, 2, 0, 0, 2, 3, 2)),
    "steps of two, rows together": Layer((1, 2, 19, 21), (1, 2, 3, 3), Geometry(2, 1, 1, 2, 1, 1)),
    "steps beyond the kernel": Layer((1, 1, 30, 9), (1, 1, 2, 3), Geometry(5, 1, 2, 3, 1, 0)),
    "rows three apart": Layer((1, 1, 20, 50), (1, 1, 3, 3), Geometry(1, 1, 3, 2, 2, 2, 3, 2)),
    "rows apart, fewer outputs": Layer((1, 3, 15, 9), (1, 3, 3, 3), Geometry(1, 1, 0, 0, 1, 1, 7)),
    "many rows": Layer((1, 2, 24, 20), (1, 2, 11, 3), padded(5, 5, 1, 1)),
}  # fmt: skip
THREE = {
    "even tiles": Layer((1, 16, 8, 8), (32, 16, 3, 3), padded(1, 1, 1, 1)),
    "parts of tiles": Layer((3, 5, 7, 18), (19, 5, 3, 3), padded(1, 0, 2, 1)),
    "many bands": Layer((2, 3, 37, 30), (35, 3, 3, 3), padded(1, 1, 1, 1)),
    "groups": Layer((2, 6, 9, 10), (40, 3, 3, 3), padded(1, 1, 1, 1, groups=2)),
    "padding beyond the kernel": Layer((1, 2, 4, 3), (3, 2, 3, 3), padded(4, 3, 5, 3)),
    "one output": Layer((1, 1, 3, 3), (1, 1, 3, 3)),
}
LARGE = {
    "several blocks": Layer((1, 1, 70, 75), (1, 1, 12, 13), padded(5, 6, 6, 6)),
    "blocks of several images": Layer((3, 2, 20, 25), (3, 2, 11, 4), padded(5, 5, 1, 2)),
    "groups": Layer((2, 4, 18, 17), (6, 2, 5, 5), padded(2, 2, 2, 2, groups=2)),
    "the whole image": Layer((1, 2, 9, 21), (2, 2, 9, 21)),
    "one row": Layer((2, 1, 1, 90), (2, 1, 1, 17), padded(0, 0, 8, 8)),
}
CASES = [
    *((name, "direct", layer) for name, layer in LAYERS.items()),
    *((name, "winograd", layer) for name, layer in THREE.items()),
    *((name, "fft", layer) for name, layer in LARGE.items()),
    *((name, "direct", layer) for name, layer in (THREE | LARGE).items()),
]


def run(module, layer, algorithm, arrays):
    """Y, dx, dK and db, written over NaN so that nothing can be left out."""
    x, K, b, dy = arrays
    y, dx, dK, db = (np.full_like(array, np.nan) for array in (dy, x, K, b))
    module.conv2d_forward(x, K, b, layer.geometry, algorithm, y)
    module.conv2d_input_gradient(dy, K, layer.geometry, algorithm, dx)
    module.conv2d_kernel_gradient(dy, x, layer.geometry, algorithm, dK)
    module.conv2d_bias_gradient(dy, db)
    return y, dx, dK, db


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("algorithm", "layer"), [case[1:] for case in CASES], ids=[", ".join(c[:2]) for c in CASES]
)
def test_every_algorithm_computes_the_sum(cpu, algorithm, layer, dtype):
    arrays = layer.arrays(dtype)
    expected = run(reference, layer, "auto", [array.astype(np.float64) for array in arrays])
    terms = max(np.prod(layer.K[1:]), np.prod(layer.y[::2]) * layer.y[3])
    bound = {"direct": 1, "winograd": 20, "fft": 5}[algorithm] * np.finfo(dtype).eps * terms**0.5
    for got, right in zip(run(cpu, layer, algorithm, arrays), expected, strict=True):
        assert np.abs(got - right).max() <= 4 * bound * max(1, np.abs(right).max())


def test_filters_are_for_one_kernel_a_group_or_two_on_one_channel(cpu):
    from ketkar.kernels.cpu import filters

    for name, layer in LAYERS.items():
        x, K, _, _ = layer.arrays(np.float32)
        assert filters.fits(x, K, layer.geometry) == ("filter" in name)
    x, K, _, _ = Layer((1, 2, 50, 160), (2, 2, 3, 3)).arrays(np.float32)
    assert not filters.fits(x, K, Geometry())
    assert filters.fits(x, K[:1], Geometry())
    assert not filters.fits(x, K[:1], Geometry(stride_columns=2))
    for value in (np.nan, np.inf):
        K[0, 1, 2, 1] = value
        assert not filters.fits(x, K[:1], Geometry())


def filtered(layer, arrays, wrong=np.nan):
    """Y of a filter, which was filled with something else before."""
    from ketkar.kernels.cpu import filters

    x, K, b, dy = arrays
    y = np.full_like(dy, wrong)
    filters.forward(x, K, b, layer.geometry, y)
    return y


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layer", FILTERS.values(), ids=FILTERS)
def test_filters_compute_the_sum_in_strips_and_bands(cpu, layer, dtype):
    arrays = layer.arrays(dtype)
    expected = run(reference, layer, "auto", [array.astype(np.float64) for array in arrays])[0]
    got = filtered(layer, arrays)
    bound = 4 * np.finfo(dtype).eps * np.prod(layer.K[1:]) ** 0.5
    assert np.abs(got - expected).max() <= bound * max(1, np.abs(expected).max())


@pytest.mark.parametrize("name", ["padding beyond the kernel", "two bands", "channels"])
def test_filters_put_what_is_not_finite_where_the_sum_has_it(cpu, name):
    layer = FILTERS[name]
    x, K, b, dy = layer.arrays(np.float32)
    x[0, 0, 0, 0], x[0, 0, -1, -1], x[0, -1, 2, 3] = np.nan, np.inf, -np.inf
    with np.errstate(invalid="ignore"):
        expected = run(reference, layer, "auto", [x, K, b, dy])[0]
    got = filtered(layer, (x, K, b, dy), wrong=0)
    assert not np.isfinite(expected).all()
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("layer", [Layer((1, 1, 1500, 1000), (1, 1, 3, 3), padded(1, 1, 1, 1))])
def test_filters_do_not_depend_on_threads(cpu, monkeypatch, layer):
    arrays = layer.arrays(np.float32)
    results = []
    for threads in "13":
        monkeypatch.setenv("KETKAR_NUM_THREADS", threads)
        results.append(filtered(layer, arrays))
    np.testing.assert_array_equal(*results)


def test_the_rule_looks_at_kernel_channels_and_size(cpu):
    from ketkar.kernels.cpu.algorithms import choose

    plain = Geometry()

    def chosen(K, side, geometry=plain):
        return choose(K, (1, K[0], side, side), geometry)

    assert chosen((64, 64, 3, 3), 56) == "winograd"
    assert chosen((16, 32, 3, 3), 16) == chosen((32, 16, 3, 3), 16) == "winograd"
    assert chosen((16, 16, 3, 3), 16) == chosen((64, 8, 3, 3), 16) == "direct"
    assert chosen((64, 64, 3, 3), 15) == "direct"
    assert chosen((64, 64, 3, 3), 56, Geometry(groups=8)) == "direct"
    assert chosen((1, 1, 11, 11), 32) == "fft"
    assert chosen((1, 1, 11, 10), 32) == chosen((1, 1, 11, 11), 31) == "direct"
    for field in ("stride_rows", "stride_columns", "dilation_rows", "dilation_columns"):
        moved = Geometry(**{field: 2})
        assert chosen((64, 64, 3, 3), 56, moved) == chosen((1, 1, 31, 31), 64, moved) == "direct"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("layer", "algorithm"),
    [
        (Layer((2, 16, 17, 19), (33, 16, 3, 3), padded(1, 1, 1, 1)), "winograd"),
        (Layer((1, 1, 50, 49), (1, 1, 11, 12), padded(5, 5, 6, 5)), "fft"),
        (Layer((2, 3, 21, 20), (7, 3, 5, 5)), "direct"),
    ],
    ids=["winograd", "fft", "direct"],
)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_where_it_belongs(cpu, layer, algorithm, value, dtype):
    x, K, b, dy = layer.arrays(dtype)
    x[0, 0, 8, 9] = dy[-1, -1, 3, 4] = value
    with np.errstate(invalid="ignore"):
        expected = run(reference, layer, "auto", (x, K, b, dy))
    for got, right in zip(run(cpu, layer, algorithm, (x, K, b, dy)), expected, strict=True):
        assert not np.isfinite(right).all()
        np.testing.assert_array_equal(np.isnan(got), np.isnan(right))
        np.testing.assert_array_equal(np.isposinf(got), np.isposinf(right))
        np.testing.assert_array_equal(np.isneginf(got), np.isneginf(right))


def test_sums_that_overflow_only_on_the_way_are_done_directly(cpu):
    layer = Layer((1, 16, 16, 16), (32, 16, 3, 3), padded(1, 1, 1, 1))
    x, K, b, dy = layer.arrays(np.float32)
    x = np.ones_like(x) * np.float32(3e37)  # scaled by up to 6.25 in the transform
    K = np.zeros_like(K)
    K[:, 0, 1, 1] = 1
    y = np.empty_like(dy)
    cpu.conv2d_forward(x, K, 0 * b, layer.geometry, "winograd", y)
    np.testing.assert_allclose(y, 3e37, rtol=1e-5)


THREADED = {
    "direct": Layer((5, 8, 40, 41), (33, 8, 3, 3), padded(1, 1, 1, 1)),
    "columns": Layer((5, 3, 90, 64), (6, 3, 5, 5)),
    "one tap, many maps": Layer((5, 40, 36, 40), (126, 40, 1, 1)),
    "winograd": Layer((5, 18, 30, 31), (70, 18, 3, 3), padded(1, 1, 1, 1)),
    "fft": Layer((5, 2, 80, 81), (5, 2, 11, 11)),
}


def algorithm_of(name):
    return name if name in ("winograd", "fft") else "direct"


@pytest.mark.parametrize("name", list(THREADED))
def test_results_do_not_depend_on_the_number_of_threads(cpu, name, monkeypatch):
    from ketkar.kernels.cpu import threads

    monkeypatch.setattr(threads, "WHOLE", 1)  # these layers are small: more chunks than threads
    layer, algorithm = THREADED[name], algorithm_of(name)
    arrays, results = layer.arrays(np.float32), []
    for number in ("1", "2", "3", "7"):
        monkeypatch.setenv("KETKAR_NUM_THREADS", number)
        results.append(run(cpu, layer, algorithm, arrays))
    for other in results[1:]:
        for got, first in zip(other, results[0], strict=True):
            np.testing.assert_array_equal(got, first)


def test_what_many_maps_read_is_laid_out_once(cpu):
    from ketkar.kernels.cpu.plan import forward_plan

    x, K = (2, 40, 3, 480), (126, 40, 1, 1)
    places = forward_plan(x, K, Geometry(), 32).panel
    assert places.tolist() == [tap * places[1] for tap in range(40)]
    for K in (6, 40, 1, 1), (126, 40, 3, 30):  # few maps; more taps than the first cache holds
        assert forward_plan(x, K, Geometry(), 32).panel.size == 0


def test_eight_python_threads_may_call_at_once(cpu, monkeypatch):
    monkeypatch.setenv("KETKAR_NUM_THREADS", "2")
    cases = [(name, layer, layer.arrays(np.float32)) for name, layer in THREADED.items()] * 2
    algorithms = [algorithm_of(name) for name, *_ in cases]
    expected = [run(cpu, c[1], a, c[2]) for c, a in zip(cases, algorithms, strict=True)]
    results = [None] * len(cases)
    start = threading.Barrier(len(cases))

    def work(place):
        start.wait()
        for _ in range(3):
            results[place] = run(cpu, cases[place][1], algorithms[place], cases[place][2])

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(cases))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for got, right in zip(results, expected, strict=True):
        for a, b in zip(got, right, strict=True):
            np.testing.assert_array_equal(a, b)


def _in_child(queue, layer, arrays):
    from ketkar.kernels import cpu as kernels

    queue.put(run(kernels, layer, "auto", arrays))


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork"
)
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:os.fork.. was called:RuntimeWarning")  # by JAX, if imported
def test_a_forked_process_computes_the_same(cpu, monkeypatch):
    monkeypatch.setenv("KETKAR_NUM_THREADS", "2")
    layer = THREADED["winograd"]
    arrays = layer.arrays(np.float32)
    expected = run(cpu, layer, "auto", arrays)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(queue, layer, arrays))
    child.start()
    got = queue.get(timeout=60)
    child.join(timeout=60)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)


SAME = padded(1, 1, 1, 1)
# The layers of the benchmarks but one: with 256 channels of 14 x 14 and 256 maps, the transformed
# kernels of Winograd's algorithm alone take three times what the images do.
BARS = {
    "lenet1": Layer((64, 1, 28, 28), (6, 1, 5, 5), padded(2, 2, 2, 2)),
    "lenet2": Layer((64, 6, 14, 14), (16, 6, 5, 5)),
    "cifar": Layer((32, 16, 32, 32), (32, 16, 3, 3), SAME),
    "cifar, stride 2": Layer((32, 16, 32, 32), (32, 16, 3, 3), Geometry(2, 2, 1, 1, 1, 1)),
    "vgg56": Layer((8, 64, 56, 56), (64, 64, 3, 3), SAME),
    "point": Layer((8, 64, 56, 56), (256, 64, 1, 1)),
    "signal": Layer((32, 16, 1, 4096), (16, 16, 1, 9), padded(0, 0, 4, 4)),
    "filter of 5 x 5": Layer((1, 1, 1024, 1024), (1, 1, 5, 5), padded(2, 2, 2, 2)),
    "filter of 31 x 31": Layer((1, 1, 1024, 1024), (1, 1, 31, 31), padded(15, 15, 15, 15)),
}  # fmt: skip


@pytest.mark.parametrize("name", list(BARS))
def test_working_memory_stays_below_half_of_input_and_output(cpu, name, monkeypatch):
    monkeypatch.setenv("KETKAR_NUM_THREADS", "2")
    layer = BARS[name]
    x, K, b, dy = layer.arrays(np.float32)
    y, dx, dK = np.empty_like(dy), np.empty_like(x), np.empty_like(K)
    calls = [
        lambda: cpu.conv2d_forward(x, K, b, layer.geometry, "auto", y),
        lambda: cpu.conv2d_input_gradient(dy, K, layer.geometry, "auto", dx),
        lambda: cpu.conv2d_kernel_gradient(dy, x, layer.geometry, "auto", dK),
    ]
    for call in calls:
        call()  # compiling takes memory too
        tracemalloc.start()
        call()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < (x.nbytes + y.nbytes) / 2
