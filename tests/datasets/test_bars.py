"""Pictures of bars: what is in them, where it may lie, and what tells the classes apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ketkar.datasets import bars, one_pixel, two_bars


def windows(images, side):
    """All windows of the pictures, as rows of pixels."""
    cut = np.lib.stride_tricks.sliding_window_view(images[:, 0], (side, side), axis=(1, 2))
    return cut.reshape(len(images), -1, side * side)


@pytest.mark.parametrize("make", [bars, two_bars])
def test_the_seed_decides(make):
    a, b, c = make(20, 3), make(20, np.random.default_rng(3)), make(20, 4)
    assert np.array_equal(a.x, b.x)
    assert np.array_equal(a.y, b.y)
    assert not np.array_equal(a.x, c.x)


@given(st.integers(2, 9), st.data(), st.integers(0, 99))
def test_a_bar_is_a_straight_run_of_pixels(size, data, seed):
    length = data.draw(st.integers(2, size))
    x, y = bars(6, seed, size=size, length=length, noise=0)
    assert x.shape == (6, 1, size, size)
    assert np.bincount(y).tolist() == [3, 3]
    for image, vertical in zip(x[:, 0], y, strict=True):
        rows, columns = np.nonzero(image)
        along, across = (rows, columns) if vertical else (columns, rows)
        assert np.array_equal(along, along.min() + np.arange(length))
        assert (across == across[0]).all()
        assert (image[rows, columns] == 1).all()


def test_bars_lie_everywhere():
    x, y = bars(4000, 0, noise=0)
    for label in (0, 1):
        seen = x[y == label].mean(axis=(0, 1))
        assert seen.min() > 0
    horizontal = x[y == 0].mean(axis=(0, 1))
    # each row alike often, the middle columns in four of the nine places
    assert horizontal.sum(axis=1) == pytest.approx(np.full(12, 4 / 12), abs=0.08)
    assert horizontal[:, 4:8].sum(axis=0) == pytest.approx(np.full(4, 4 / 9), abs=0.06)


def test_the_noise_is_that_which_was_asked_for():
    for make in (bars, two_bars):
        clean, noisy = make(50, 0, noise=0), make(50, 0, noise=0.3)
        assert np.array_equal(clean.y, noisy.y)
        assert (noisy.x - clean.x).std() == pytest.approx(0.3, abs=0.01)


def test_one_pixel_at_every_place():
    x, y = one_pixel(5)
    assert x.shape == (25, 1, 5, 5)
    assert np.array_equal(x.sum(axis=0)[0], np.ones((5, 5)))
    _, _, _, columns = np.nonzero(x)
    assert np.array_equal(y, columns % 2)


@settings(max_examples=30)
@given(st.integers(2, 4), st.integers(0, 4), st.integers(0, 99))
def test_shapes_have_two_three_or_four_arms(arm, gap, seed):
    x, y = two_bars(9, seed, arm=arm, gap=gap, noise=0)
    assert np.bincount(y).tolist() == [3, 3, 3]
    assert set(np.unique(x)) == {0, 1}
    lit = np.array([2, 3, 4])[y] * (arm if gap else arm - 1) + (gap == 0)
    assert np.array_equal(x.sum(axis=(1, 2, 3)), lit)
    assert x[:, 0, :2].max() == x[:, 0, -2:].max() == 0
    assert x[:, 0, :, :2].max() == x[:, 0, :, -2:].max() == 0


def test_shapes_stand_everywhere_and_are_turned():
    x, y = two_bars(12000, 0, noise=0)
    for label in range(3):
        seen = x[y == label].mean(axis=(0, 1))
        assert seen[4:-4, 4:-4].min() > 0  # the centre, at every place where it may be
        edges = np.stack([seen[2], seen[-3], seen[:, 2], seen[:, -3]])
        assert edges[:, 4:-4].min() > 0
    # the pictures of one class, cut out: one plus sign, four Ts, four Ls
    kinds = [set() for _ in range(3)]
    for image, label in zip(x[:, 0], y, strict=True):
        rows, columns = np.nonzero(image)
        cut = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        kinds[label].add((cut.shape, cut.tobytes()))
    assert [len(kind) for kind in kinds] == [4, 4, 1]


def test_with_a_gap_every_shape_consists_of_the_same_windows():
    for gap, same in ((3, True), (0, False)):
        x, y = two_bars(60, 0, size=24, gap=gap, noise=0)
        kinds = [
            {row.tobytes() for row in windows(x[y == label], 3).reshape(-1, 9)}
            for label in range(3)
        ]
        assert (kinds[0] == kinds[1] == kinds[2]) is same
        each = [{row.tobytes() for row in picture} for picture in windows(x, 3)]
        assert all(one == each[0] for one in each) is same


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: bars(4, 0, size=5, length=6), "length 6 does not fit into 5 x 5 pixels"),
        (lambda: bars(1, 0), "N must be at least 2"),
        (lambda: bars(4, 0, noise=-1), "noise"),
        (lambda: one_pixel(1), "size must be at least 2"),
        (lambda: two_bars(3, 0, size=14, gap=3), "at least 15 x 15 pixels, got 14 x 14"),
        (lambda: two_bars(3, 0, gap=-1), "gap must be at least 0"),
        (lambda: two_bars(2, 0), "N must be at least 3"),
    ],
)
def test_what_does_not_fit_is_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


@pytest.mark.parametrize("make", [bars, two_bars])
def test_there_is_no_global_randomness(make):
    with pytest.raises(TypeError, match="rng"):
        make(10, None)
