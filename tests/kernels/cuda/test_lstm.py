"""The kernels of the LSTM, simulated, against the reference: in one start, and step by step."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="Numba is not installed")

from ketkar.kernels import reference
from ketkar.kernels.cuda import lstm, walk
from ketkar.kernels.simulation import ORDERS, simulate

pytestmark = [pytest.mark.cuda, pytest.mark.usefixtures("products_of_numpy")]

SIZES = [(1, 1, 1, 1), (5, 3, 2, 7), (4, 9, 13, 33), (2, 2, 3, 70)]
"""T, N, n and h: ones, primes, more sequences than a block's, more units than a block's threads."""
BOUNDS = {np.float64: 1e-13, np.float32: 3e-6}


@pytest.fixture(params=["in one start", "step by step"])
def way(request, monkeypatch):
    """Both ways through time, whatever the size of the matrix."""
    if request.param == "step by step":
        monkeypatch.setattr(walk, "LARGE", 0)


def given(size, dtype, masked=False):
    """x, W, R, p, b, mask, y0, c0, dy and dc."""
    rng = np.random.default_rng(0)
    T, N, n, h = size
    shapes = [
        (T, N, n),
        (4 * h, n),
        (4 * h, h),
        (3, h),
        (4 * h,),
        (N, h),
        (N, h),
        (T, N, h),
        (N, h),
    ]
    drawn = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    drawn[2] /= np.sqrt(h).astype(dtype)
    mask = rng.random((T, N)) < 0.6 if masked else np.ones((0, N), bool)
    if masked:
        drawn[0][~mask] = 0
    return *drawn[:5], mask, *drawn[5:]


def empty(like, *shape):
    return np.full(shape, np.nan, like.dtype)


def forward(module, x, W, R, p, b, mask, y0, c0):
    T, N, h = len(x), *y0.shape
    y, c, gates = empty(x, T + 1, N, h), empty(x, T + 1, N, h), empty(x, T, N, 4, h)
    y[0], c[0] = y0, c0
    module.lstm_forward(x, W, R, p, b, mask, y, c, gates)
    return y, c, gates


def both_ways(module, x, W, R, p, b, mask, y0, c0, dy, dc, stop=0, wanted=True, apart=True):
    """Everything that the two kernels fill; the errors stand `apart` from the gates or do not."""
    y, c, gates = forward(module, x, W, R, p, b, mask, y0, c0)
    found = {"y": y, "c": c, "gates": gates.copy()}
    errors = empty(x, *gates.shape) if apart else gates
    dc, dx = dc.copy(), empty(x, len(x) if wanted else 0, *x.shape[1:])
    filled = [empty(x, *array.shape) for array in (W, R, p, b, y0)]
    module.lstm_backward(
        x, W, R, p, mask, y, c, gates, dy.copy(), dc, stop, errors, dx, *filled
    )  # fmt: skip
    names = "dW", "dR", "dp", "db", "dy0"
    return found | {"errors": errors, "dc": dc, "dx": dx} | dict(zip(names, filled, strict=True))


def agree(found, expected, bound):
    for name, array in found.items():
        scale = np.abs(expected[name]).max(initial=1)
        np.testing.assert_allclose(array, expected[name], rtol=0, atol=bound * scale, err_msg=name)


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_agrees_with_the_reference(size, dtype, way):
    for masked, stop, wanted in ((False, 0, True), (True, 2, True), (True, 0, False)):
        arrays = given(size, dtype, masked)
        expected = both_ways(reference, *arrays, stop, wanted)
        with simulate("random", seed=3):
            found = both_ways(lstm, *arrays, stop, wanted, apart=not masked)
        agree(found, expected, BOUNDS[dtype])
        assert {array.dtype for array in found.values()} == {np.dtype(dtype)}
        if masked:
            gone = ~arrays[5]
            assert not found["errors"][gone].any()
            for name in ("y", "c"):
                np.testing.assert_array_equal(found[name][1:][gone], found[name][:-1][gone])


def test_one_result_in_every_order(way):
    arrays = given((3, 5, 2, 9), np.float64, masked=True)
    results = []
    for order in ORDERS:
        with simulate(order, seed=1):
            results.append(both_ways(lstm, *arrays, stop=2))
    for other in results[1:]:
        for name, array in other.items():
            np.testing.assert_array_equal(array, results[0][name], name)


def test_without_peepholes_the_gates_see_no_cell(way):
    x, W, R, p, b, mask, y0, c0, *_ = given((3, 2, 2, 5), np.float64)
    p[...] = 0
    with simulate("reverse"):
        _, _, gates = forward(lstm, x, W, R, p, b, mask, y0, c0)
        _, _, others = forward(lstm, x[:1], W, R, p, b, mask, y0, c0 + 1)
    np.testing.assert_array_equal(others[0], gates[0])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_sequence(value, way):
    x, W, *rest = given((4, 6, 3, 5), np.float64)
    W = np.abs(W)  # no infinity meets another
    spoiled = x.copy()
    spoiled[1, 4, 2] = value
    with simulate("reverse"):
        sound = both_ways(lstm, x, W, *rest)
        found = both_ways(lstm, spoiled, W, *rest)
    others = np.arange(6) != 4
    for name in ("y", "c", "gates", "errors", "dx"):
        np.testing.assert_array_equal(found[name][:, others], sound[name][:, others], name)
    if np.isnan(value):
        assert np.isnan(found["y"][2:, 4]).all()
        assert np.isnan(found["dR"]).all()
    else:
        np.testing.assert_array_equal(found["gates"][1, 4], 1)


@pytest.mark.parametrize("dtype", BOUNDS)
def test_gates_far_from_zero_are_zero_or_one(dtype, way):
    x, W, R, p, b, mask, y0, c0, *_ = given((1, 2, 3, 5), dtype)
    x *= dtype(1e30)
    expected = forward(reference, x, W, R, p, b, mask, y0, c0)[2]
    with simulate("forward"):
        gates = forward(lstm, x, W, R, p, b, mask, y0, c0)[2]
    np.testing.assert_array_equal(gates, expected)
    assert set(np.abs(gates).ravel()) <= {0, 1}


def test_steps_that_are_not_there_change_nothing(way):
    x, W, R, p, b, _, y0, c0, dy, dc = given((4, 3, 2, 5), np.float64)
    R[...] = np.nan  # not even this comes through
    mask = np.ones((4, 3), bool)
    mask[:, 1] = False
    dy[3, 1, 2] = np.inf
    with simulate("forward"):
        found = both_ways(lstm, x, W, R, p, b, mask, y0, c0, dy, dc)
    np.testing.assert_array_equal(found["y"][:, 1], np.broadcast_to(y0[1], (5, 5)))
    np.testing.assert_array_equal(found["c"][:, 1], np.broadcast_to(c0[1], (5, 5)))
    np.testing.assert_array_equal(found["errors"][:, 1], 0)
    total = ((dy[3, 1] + dy[2, 1]) + dy[1, 1]) + dy[0, 1]
    np.testing.assert_array_equal(found["dy0"][1], total)
    np.testing.assert_array_equal(found["dc"][1], dc[1])
    assert np.isnan(found["y"][1:, [0, 2]]).all()


def test_nothing_passes_a_cut(way):
    arrays = given((6, 3, 2, 5), np.float64)
    with simulate("random", seed=2):
        found = both_ways(lstm, *arrays, stop=1)
        # with a cut before every step, a step is alone with what its output gets
        x, W, R, p, b, mask, *_, dy, dc = arrays
        for t in (0, 5):
            one = both_ways(
                lstm, x[t : t + 1], W, R, p, b, mask, found["y"][t], found["c"][t],
                dy[t : t + 1], dc if t == 5 else 0 * dc,
            )  # fmt: skip
            np.testing.assert_allclose(one["errors"][0], found["errors"][t], rtol=1e-14, atol=0)
