"""The convolution of signals and images: by the sums themselves, and what they imply."""

# ruff: noqa: E741
# I is the textbook's name for the input.

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketkar import convolutional as conv

WHOLE = st.lists(st.integers(-9, 9), min_size=1, max_size=9)
MODES = ["full", "same", "valid"]


def at(I, *place):
    """The signal or image there, zero outside."""
    inside = all(0 <= p < n for p, n in zip(place, I.shape, strict=True))
    return I[place] if inside else 0.0


def test_convolution_of_signals_by_hand():
    # 1 2 4 with 3 1 0 2, multiplied like polynomials
    full = [3, 7, 14, 6, 4, 8]
    assert conv.convolve1d([1, 2, 4], [3, 1, 0, 2]).tolist() == full
    assert conv.convolve1d([3, 1, 0, 2], [1, 2, 4]).tolist() == full
    assert conv.convolve1d([3, 1, 0, 2], [1, 2, 4], "same").tolist() == full[1:5]
    assert conv.convolve1d([3, 1, 0, 2], [1, 2, 4], "valid").tolist() == full[2:4]
    assert conv.convolve1d([3, 1, 0, 2], [1, 2], "same").tolist() == [3, 7, 2, 2]


def test_cross_correlation_of_signals_by_hand():
    # 3 1 0 2 with 1 2 4: the kernel is not flipped
    full = [12, 10, 5, 9, 4, 2]
    assert conv.cross_correlate1d([3, 1, 0, 2], [1, 2, 4], "full").tolist() == full
    assert conv.cross_correlate1d([3, 1, 0, 2], [1, 2, 4]).tolist() == [5, 9]
    assert conv.cross_correlate1d([3, 1, 0, 2], [1, 2, 4], "same").tolist() == full[1:5]
    # an even kernel: of two taps none stands before the place; of four, one
    assert conv.cross_correlate1d([3, 1, 0, 2], [1, 2], "same").tolist() == [5, 1, 4, 2]
    assert conv.cross_correlate1d([3, 1, 5], [1, 10, 100, 1000], "same").tolist() == [
        5130, 513, 51]  # fmt: skip


def test_convolution_of_images_by_hand():
    I, K = [[1, 2], [3, 4]], [[1, 10], [100, 1000]]
    full = [[1, 12, 20], [103, 1234, 2040], [300, 3400, 4000]]
    assert conv.convolve2d(I, K).tolist() == full
    assert conv.convolve2d(K, I).tolist() == full
    assert conv.convolve2d(I, K, "same").tolist() == [[1, 12], [103, 1234]]
    assert conv.convolve2d(I, K, "valid").tolist() == [[1234]]
    assert conv.cross_correlate2d(I, K).tolist() == [[4321]]
    assert conv.cross_correlate2d(I, K, "same").tolist() == [[4321, 402], [43, 4]]
    assert conv.cross_correlate2d(I, K, "full").tolist() == [
        [1000, 2100, 200], [3010, 4321, 402], [30, 43, 4]]  # fmt: skip


@given(I=WHOLE, K=WHOLE)
def test_each_number_of_a_signal_is_the_sum_of_the_equation(I, K):
    I, K = np.array(I, float), np.array(K, float)
    T, k = len(I), len(K)
    every = [sum(at(I, a) * at(K, t - a) for a in range(T)) for t in range(T + k - 1)]  # (5.1)
    assert conv.convolve1d(I, K).tolist() == every
    first = (k - 1) // 2
    assert conv.convolve1d(I, K, "same").tolist() == every[first : first + T]

    def crossed(t):
        return sum(at(I, t + a) * K[a] for a in range(k))  # (5.3)

    assert conv.cross_correlate1d(I, K, "full").tolist() == [crossed(t) for t in range(1 - k, T)]
    same = conv.cross_correlate1d(I, K, "same").tolist()
    assert same == [crossed(t - (k - 1) // 2) for t in range(T)]
    if k <= T:
        assert conv.cross_correlate1d(I, K).tolist() == [crossed(t) for t in range(T - k + 1)]
        assert conv.convolve1d(I, K, "valid").tolist() == every[k - 1 : T]


@given(
    sizes=st.tuples(*[st.integers(1, 5)] * 4),
    seed=st.integers(0, 99),
)
def test_each_number_of_an_image_is_the_sum_of_the_equation(sizes, seed):
    H, W, R, S = sizes
    rng = np.random.default_rng(seed)
    I, K = rng.integers(-9, 9, (H, W)).astype(float), rng.integers(-9, 9, (R, S)).astype(float)
    every = np.array(
        [[sum(I[a, b] * at(K, m - a, n - b) for a in range(H) for b in range(W))
          for n in range(W + S - 1)] for m in range(H + R - 1)])  # (5.4)  # fmt: skip
    assert np.array_equal(conv.convolve2d(I, K), every)
    m, n = (R - 1) // 2, (S - 1) // 2
    assert np.array_equal(conv.convolve2d(I, K, "same"), every[m : m + H, n : n + W])

    def crossed(m, n):
        return sum(at(I, m + a, n + b) * K[a, b] for a in range(R) for b in range(S))  # (5.6)

    full = [[crossed(m, n) for n in range(1 - S, W)] for m in range(1 - R, H)]
    assert np.array_equal(conv.cross_correlate2d(I, K, "full"), full)
    same = [[crossed(i - m, j - n) for j in range(W)] for i in range(H)]
    assert np.array_equal(conv.cross_correlate2d(I, K, "same"), same)
    if R <= H and S <= W:
        assert np.array_equal(conv.cross_correlate2d(I, K), np.array(full)[R - 1 : H, S - 1 : W])
        assert np.array_equal(conv.convolve2d(I, K, "valid"), every[R - 1 : H, S - 1 : W])


def test_convolution_commutes_and_cross_correlation_does_not(draw):
    a, b = draw(7, 7, seed=1)
    assert np.allclose(conv.convolve1d(a, b), conv.convolve1d(b, a), rtol=1e-13)
    assert np.abs(
        conv.cross_correlate1d(a, b, "full") - conv.cross_correlate1d(b, a, "full")
    ).max() > 0.5  # fmt: skip
    # exchanged, it is the same read backwards
    assert np.allclose(
        conv.cross_correlate1d(a, b, "full"), conv.cross_correlate1d(b, a, "full")[::-1], rtol=1e-13
    )
    I, K = draw((5, 6), (3, 2), seed=2)
    assert np.allclose(conv.convolve2d(I, K), conv.convolve2d(K, I), rtol=1e-12)
    assert not np.allclose(
        conv.cross_correlate2d(I, K, "full"), conv.cross_correlate2d(K, I, "full")
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("k", [1, 3, 5])
def test_cross_correlation_is_convolution_with_the_flipped_kernel(draw, mode, k):
    I, K = draw(9, k, seed=3)
    assert np.allclose(
        conv.cross_correlate1d(I, K, mode), conv.convolve1d(I, K[::-1], mode), rtol=1e-13
    )
    I, K = draw((9, 8), (k, 3), seed=4)
    flipped = K[::-1, ::-1]
    assert np.allclose(
        conv.cross_correlate2d(I, K, mode), conv.convolve2d(I, flipped, mode), rtol=1e-12
    )


@given(K=WHOLE, T=st.integers(1, 9), mode=st.sampled_from(MODES))
def test_the_matrix_is_the_cross_correlation(K, T, mode):
    if mode == "valid" and len(K) > T:
        return
    I = np.arange(1.0, T + 1)
    matrix = conv.convolution_matrix(K, T, mode)
    assert np.array_equal(matrix @ I, conv.cross_correlate1d(I, K, mode))
    # Toeplitz: what stands on a diagonal is one number
    assert np.array_equal(matrix[1:, 1:], matrix[:-1, :-1])


def test_the_matrix_has_as_many_numbers_as_the_kernel():
    matrix = conv.convolution_matrix([2.0, 3.0, 5.0], 5, "same")
    assert matrix.tolist() == [
        [3, 5, 0, 0, 0], [2, 3, 5, 0, 0], [0, 2, 3, 5, 0], [0, 0, 2, 3, 5], [0, 0, 0, 2, 3]
    ]  # fmt: skip
    assert np.count_nonzero(matrix) == conv.count_connections(5, 3, padding="same") == 13
    assert set(np.unique(matrix)) == {0, 2, 3, 5}


def test_the_output_is_highest_where_the_input_resembles_the_kernel():
    rng = np.random.default_rng(0)
    k = np.array([1.0, -1.0, 2.0, 1.0, -2.0])
    assert (k * k).sum() == 11
    I = 0.1 * rng.standard_normal(80)
    I[37:42] = k
    s = conv.cross_correlate1d(I, k)
    assert s.argmax() == 37
    assert s[37] == pytest.approx(11, rel=1e-12)
    # one large number is enough to draw the highest output to it; the cosine is not misled
    I[12] += 8
    s = conv.cross_correlate1d(I, k)
    assert s.argmax() == 10
    assert s[10] > 14
    cosine = conv.normalised_cross_correlate1d(I, k)
    assert cosine.argmax() == 37
    assert cosine[37] == pytest.approx(1, abs=1e-12)
    assert np.abs(cosine).max() <= 1


def test_the_normalised_form_is_the_cosine(draw):
    I, K = draw(20, 4, seed=5)
    expected = [
        I[t : t + 4] @ K / np.sqrt((I[t : t + 4] ** 2).sum() * (K**2).sum()) for t in range(17)
    ]
    found = conv.normalised_cross_correlate1d(I, K)
    assert np.allclose(found, expected, rtol=1e-13)
    assert np.allclose(conv.normalised_cross_correlate1d(-3 * I, K), -found, rtol=1e-13)
    huge = conv.normalised_cross_correlate1d(I * 1e200, K * 1e-200)
    assert np.allclose(huge, found, rtol=1e-13)
    assert conv.normalised_cross_correlate1d([0, 0, 1], [1, 0]).tolist() == [0, 0]
    assert conv.normalised_cross_correlate1d([1, 2, 3], [0, 0]).tolist() == [0, 0]
    assert np.isnan(conv.normalised_cross_correlate1d([np.nan, 1, 1], [1, 0])).tolist() == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    "name", ["convolve1d", "cross_correlate1d", "normalised_cross_correlate1d"]
)
def test_types_of_signals(name):
    f = getattr(conv, name)
    I, K = np.ones(5, np.float32), np.ones(2, np.float32)
    assert f(I, K).dtype == np.float32
    assert f(I, K.astype(float)).dtype == np.float64
    assert f([1, 2, 3], [1, 2]).dtype == np.float64
    assert f(I.astype(np.float16), K.astype(np.float16)).dtype == np.float64
    assert conv.convolution_matrix(K, 5).dtype == np.float32


@pytest.mark.parametrize("name", ["convolve2d", "cross_correlate2d"])
def test_types_of_images(name):
    f = getattr(conv, name)
    I, K = np.ones((5, 4), np.float32), np.ones((2, 2), np.float32)
    assert f(I, K).dtype == np.float32
    assert f(I, K.astype(">f8")).dtype == np.float64


def test_nan_and_infinity_reach_the_outputs_whose_windows_hold_them():
    s = conv.cross_correlate1d([0, 0, np.nan, 0, 0, np.inf], [1.0, 2.0])
    assert np.isnan(s).tolist() == [False, True, True, False, False]
    assert s[4] == np.inf
    assert np.isnan(conv.convolve2d([[np.nan, 1.0]], [[1.0]])).tolist() == [[True, False]]
