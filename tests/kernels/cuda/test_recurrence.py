"""The recurrent kernels, simulated, against the reference: in one start, and step by step."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="Numba is not installed")

from ketkar.kernels import reference
from ketkar.kernels.cuda import recurrence, walk
from ketkar.kernels.simulation import ORDERS, simulate

pytestmark = [pytest.mark.cuda, pytest.mark.usefixtures("products_of_numpy")]

SIZES = [(1, 1, 1, 1), (5, 3, 2, 7), (4, 9, 13, 33), (2, 2, 3, 130)]
"""T, N, n and h: ones, primes, more sequences than a block's, more units than a block's threads."""
BOUNDS = {np.float64: 1e-13, np.float32: 3e-6}


@pytest.fixture(params=["in one start", "step by step"])
def way(request, monkeypatch):
    """Both ways through time, whatever the size of the matrix."""
    if request.param == "step by step":
        monkeypatch.setattr(walk, "LARGE", 0)


def given(size, dtype, masked=False):
    """x, U, W, b, mask, h0 and dh."""
    rng = np.random.default_rng(0)
    T, N, n, h = size
    shapes = (T, N, n), (h, n), (h, h), (h,), (N, h), (T, N, h)
    x, U, W, b, h0, dh = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    W /= np.sqrt(h).astype(dtype)
    mask = rng.random((T, N)) < 0.6 if masked else np.ones((0, N), bool)
    if masked:
        x[~mask] = 0
    return x, U, W, b, mask, h0, dh


def empty(like, *shape):
    return np.full(shape, np.nan, like.dtype)


def both_ways(module, x, U, W, b, mask, h0, dh, stop=0, wanted=True):
    """Everything that the two kernels fill."""
    h, dh = empty(x, len(x) + 1, *h0.shape), dh.copy()
    h[0] = h0
    module.rnn_forward(x, U, W, b, mask, h)
    filled = empty(x, len(x) if wanted else 0, *x.shape[1:]), *map(np.empty_like, (U, W, b, h0))
    for array in filled:
        array.fill(np.nan)
    module.rnn_backward(x, U, W, mask, h, dh, stop, *filled)
    return dict(zip(("h", "dh", "dx", "dU", "dW", "db", "dh0"), (h, dh, *filled), strict=True))


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
            found = both_ways(recurrence, *arrays, stop, wanted)
        agree(found, expected, BOUNDS[dtype])
        assert {array.dtype for array in found.values()} == {np.dtype(dtype)}
        if masked:
            gone = ~arrays[4]
            assert not found["dh"][gone].any()
            np.testing.assert_array_equal(found["h"][1:][gone], found["h"][:-1][gone])


def test_one_result_in_every_order(way):
    arrays = given((3, 5, 2, 9), np.float64, masked=True)
    results = []
    for order in ORDERS:
        with simulate(order, seed=1):
            results.append(both_ways(recurrence, *arrays, stop=2))
    for other in results[1:]:
        for name, array in other.items():
            np.testing.assert_array_equal(array, results[0][name], name)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_sequence(value, way):
    x, U, W, b, mask, h0, dh = given((4, 6, 3, 5), np.float64)
    U = np.abs(U)  # no infinity meets another
    spoiled = x.copy()
    spoiled[1, 4, 2] = value
    with simulate("reverse"):
        sound = both_ways(recurrence, x, U, W, b, mask, h0, dh)
        found = both_ways(recurrence, spoiled, U, W, b, mask, h0, dh)
    others = np.arange(6) != 4
    for name in ("h", "dh", "dx"):
        np.testing.assert_array_equal(found[name][:, others], sound[name][:, others], name)
    if np.isnan(value):
        assert np.isnan(found["h"][2:, 4]).all()
        assert np.isnan(found["dW"]).all()
    else:
        np.testing.assert_array_equal(found["h"][2, 4], 1)


def test_steps_that_are_not_there_change_nothing(way):
    x, U, W, b, _, h0, dh = given((4, 3, 2, 5), np.float64)
    W[...] = np.nan  # not even this comes through
    mask = np.ones((4, 3), bool)
    mask[:, 1] = False
    dh[3, 1, 2] = np.inf
    with simulate("forward"):
        found = both_ways(recurrence, x, U, W, b, mask, h0, dh)
    np.testing.assert_array_equal(found["h"][:, 1], np.broadcast_to(h0[1], (5, 5)))
    np.testing.assert_array_equal(found["dh"][:, 1], 0)
    total = ((dh[3, 1] + dh[2, 1]) + dh[1, 1]) + dh[0, 1]
    np.testing.assert_array_equal(found["dh0"][1], total)
    assert np.isnan(found["h"][1:, [0, 2]]).all()


def test_nothing_passes_a_cut(way):
    arrays = given((6, 3, 2, 5), np.float64)
    with simulate("random", seed=2):
        found = both_ways(recurrence, *arrays, stop=1)
    slope = 1 - found["h"][1:] ** 2
    np.testing.assert_allclose(found["dh"], arrays[-1] * slope, rtol=1e-14)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("m", "h"), [(1, 1), (33, 33), (28, 7), (132, 33)])
def test_a_panel_holds_the_matrix_and_zeros(m, h, turned):
    W = np.arange(1.0, m * h + 1).reshape(m, h)
    with simulate("random", seed=4):
        made = walk.panel(W, turned)
    rows, columns = (h, m) if turned else (m, h)
    values = made.values.reshape(-1, 4 * made.piece)
    assert len(values) == made.groups * made.share >= rows
    assert made.groups * made.piece <= walk.THREADS
    assert len(values) * walk.ROWS <= walk.room(np.float64)
    gates = m // h if turned else 1
    pieces = values[:rows].reshape(rows, gates, -1)[:, :, : columns // gates]
    np.testing.assert_array_equal(pieces.reshape(rows, columns), W.T if turned else W)
    assert np.count_nonzero(values) == W.size


def test_only_a_small_matrix_is_walked_with():
    def fits(m, h, dtype):
        return walk.fits(np.empty((m, h), dtype))

    assert fits(512, 512, np.float32)
    assert fits(1024, 256, np.float32)
    assert not fits(513, 513, np.float32)
    assert not fits(1028, 257, np.float32)
    assert fits(384, 96, np.float64)
    assert not fits(388, 97, np.float64)
    for dtype in BOUNDS:  # all of these must find room in what a block shares
        largest = walk.room(dtype) // walk.ROWS
        for m, h in ((largest, largest // 4), (4, 1), (largest // 2, largest // 8)):
            for turned in (False, True):
                with simulate():
                    made = walk.panel(np.empty((m, h), dtype), turned)
                assert walk.ROWS * made.groups * made.share <= walk.room(dtype)
                assert 16 * made.groups * made.piece <= walk.PARTS
