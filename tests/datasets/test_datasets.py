"""Data: the same from the same seed, and of the make that is promised."""

import numpy as np
import pytest
from hypothesis import given

from ketkar import datasets
from ketkar.datasets import Dataset

MAKERS = {
    "two_moons": lambda N, rng: datasets.two_moons(N, 0.1, rng),
    "noisy_sine": lambda N, rng: datasets.noisy_sine(N, 0.1, rng),
    "noisy_line": lambda N, rng: datasets.noisy_line(N, 2.0, 1.0, 0.1, rng),
    "coin_flips": lambda N, rng: datasets.coin_flips(N, 1.0, 0.5, rng),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_the_seed_decides(make):
    a, b, c = make(20, 3), make(20, np.random.default_rng(3)), make(20, 4)
    assert np.array_equal(a.x, b.x)
    assert np.array_equal(a.y, b.y)
    assert not np.array_equal(a.x, c.x)
    assert len(a.x) == len(a.y) == 20
    assert a.x.ndim == 2
    assert a.y.ndim == 1


def test_two_moons_are_half_circles():
    data = datasets.two_moons(2001, 0.0, 0)
    upper, lower = data.x[data.y == 0], data.x[data.y == 1]
    assert (len(upper), len(lower)) == (1001, 1000)
    assert np.allclose(np.hypot(*upper.T), 1)
    assert np.allclose(np.hypot(*(lower - [1, 0.5]).T), 1)
    assert upper[:, 1].min() >= 0
    assert lower[:, 1].max() <= 0.5
    noisy = datasets.two_moons(2001, 0.2, 0)
    radius = np.hypot(*noisy.x[noisy.y == 0].T)
    assert radius.std() == pytest.approx(0.2, abs=0.02)
    # no line separates them: the best linear fit still errs
    design = np.c_[data.x, np.ones(2001)]
    fitted = design @ np.linalg.lstsq(design, 2.0 * data.y - 1, rcond=None)[0]
    assert 0.05 < ((fitted > 0) != data.y).mean() < 0.3


def test_lines_and_sines_have_the_noise_that_was_asked_for():
    line = datasets.noisy_line(5000, 2.0, 1.0, 0.5, 0)
    assert (line.y - 2 * line.x[:, 0] - 1).std() == pytest.approx(0.5, abs=0.02)
    assert np.polyfit(line.x[:, 0], line.y, 1) == pytest.approx([2.0, 1.0], abs=0.03)
    sine = datasets.noisy_sine(5000, 0.3, 0)
    assert (sine.y - np.sin(2 * np.pi * sine.x[:, 0])).std() == pytest.approx(0.3, abs=0.02)
    assert 0 <= sine.x.min() < sine.x.max() < 1


def test_coins_show_heads_with_the_probability_of_the_sigmoid():
    data = datasets.coin_flips(20000, 1.5, -0.5, 0)
    p = 1 / (1 + np.exp(-(1.5 * data.x[:, 0] - 0.5)))
    for low in np.arange(0, 1, 0.1):
        inside = (p >= low) & (p < low + 0.1)
        assert data.y[inside].mean() == pytest.approx(p[inside].mean(), abs=0.05)


def test_gates():
    assert datasets.logic_gate("or").y.tolist() == [0, 1, 1, 1]
    assert datasets.xor().y.tolist() == [0, 1, 1, 0]
    assert datasets.xor().x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_splitting_keeps_shares_and_loses_nothing():
    y = np.repeat([0, 1, 2], [40, 20, 12])
    data = Dataset(np.arange(72)[:, None], np.random.default_rng(0).permutation(y))
    parts = datasets.split(data, 0.25, 1)
    assert np.bincount(parts.test.y).tolist() == [10, 5, 3]
    assert np.bincount(parts.train.y).tolist() == [30, 15, 9]
    both = np.concatenate([parts.train.x[:, 0], parts.test.x[:, 0]])
    assert sorted(both) == list(range(72))
    for part in parts:
        assert np.array_equal(data.y[part.x[:, 0]], part.y)
    other = datasets.split(data, 0.25, 2)
    assert not np.array_equal(other.test.x, parts.test.x)
    again = datasets.split(Dataset(data.x.tolist(), data.y.tolist()), 0.25, 1)
    assert np.array_equal(again.test.x, parts.test.x)


def test_digits():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    parts = datasets.digits(rng=0)
    assert parts.train.x.shape == (1347, 64)
    assert parts.test.x.shape == (450, 64)
    assert parts.train.x.min() == 0
    assert parts.train.x.max() == 1
    assert parts.train.y.dtype == np.int64
    share = np.bincount(parts.test.y) / np.bincount(np.r_[parts.test.y, parts.train.y])
    assert np.abs(share - 0.25).max() < 0.01
    assert np.array_equal(datasets.digits(rng=0).test.y, parts.test.y)
    assert not np.array_equal(datasets.digits(rng=1).test.x, parts.test.x)


def test_digits_without_scikit_learn(monkeypatch, refuses):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with refuses(ModuleNotFoundError, "scikit-learn", "not installed", "ketkar[data]"):
        datasets.digits()


DATA = Dataset(np.zeros((8, 1)), np.array([0, 0, 0, 0, 1, 1, 1, 1]))
TABLE = [
    (lambda: datasets.two_moons(1, 0.1, 0), ValueError, ["N must be at least 2"]),
    (lambda: datasets.two_moons(2.5, 0.1, 0), TypeError, ["N must be a whole number"]),
    (lambda: datasets.two_moons(10, -0.1, 0), ValueError, ["noise must be at least 0", "-0.1"]),
    (lambda: datasets.two_moons(10, np.nan, 0), ValueError, ["noise must be finite"]),
    (lambda: datasets.two_moons(10, "little", 0), TypeError, ["noise must be a number"]),
    (lambda: datasets.two_moons(10, 0.1, None), TypeError, ["rng"]),
    (lambda: datasets.noisy_sine(0, 0.1, 0), ValueError, ["N must be at least 1"]),
    (lambda: datasets.noisy_line(3, np.inf, 0, 0.1, 0), ValueError, ["slope must be finite"]),
    (lambda: datasets.noisy_line(3, 0, None, 0.1, 0), TypeError, ["intercept must be a number"]),
    (lambda: datasets.coin_flips(3, "w", 0, 0), TypeError, ["w must be a number"]),
    (lambda: datasets.coin_flips(3, 0, np.nan, 0), ValueError, ["b must be finite"]),
    (lambda: datasets.logic_gate("nand"), ValueError, ["name must be one of", '"xor"', "'nand'"]),
    (lambda: datasets.split(DATA, 0, 0), ValueError, ["test must be above 0 and below 1", "0"]),
    (lambda: datasets.split(DATA, 1.0, 0), ValueError, ["test must be above 0 and below 1"]),
    (lambda: datasets.split(DATA, "half", 0), TypeError, ["test must be a number"]),
    (lambda: datasets.split(DATA, 0.01, 0), ValueError, ["class 0 has 4 examples", "0.01"]),
    (lambda: datasets.split(DATA, 0.25, None), TypeError, ["rng"]),
    (lambda: datasets.split(DATA._replace(y=DATA.y / 1), 0.25, 0), TypeError, ["whole numbers"]),
    (lambda: datasets.split(DATA._replace(y=DATA.y[:7]), 0.25, 0), ValueError,
     ["x has 8 examples", "y has 7"]),
    (lambda: datasets.split(DATA._replace(y=DATA.y[:, None]), 0.25, 0), ValueError,
     ["y has 2 axes (8, 1)"]),
    (lambda: datasets.split(DATA._replace(y=DATA.y[:0], x=DATA.x[:0]), 0.25, 0), ValueError,
     ["y is empty"]),
    (lambda: datasets.split(DATA._replace(x=1.0), 0.25, 0), ValueError, ["x has 0 axes"]),
    (lambda: datasets.split((1,), 0.25, 0), TypeError, ["data must be a Dataset", "(1,)"]),
    (lambda: datasets.digits(test=2), ValueError, ["test must be above 0 and below 1"]),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "words"), TABLE)
def test_a_sentence(call, error, words, refuses):
    if "digits" in call.__code__.co_names:
        pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    with refuses(error, *words):
        call()


@pytest.mark.parametrize("place", ["x", "y"])
def test_whatever_comes_in(place, junk, answers_or_refuses):
    @given(junk)
    def check(value):
        with answers_or_refuses():
            datasets.split(DATA._replace(**{place: value}), 0.5, 0)

    check()
