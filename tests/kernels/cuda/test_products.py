"""Products of matrices and sums over rows: all tiles, shares and ways of storing."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="Numba is not installed")

from ketkar.kernels.cuda import products
from ketkar.kernels.simulation import simulate

TYPES = (np.float32, np.float64)

# M, N, K: a number; tiles for few rows, with edges; for few columns; with edges all round; three
# shares of a long K; exact tiles (to compile a kernel takes seconds: in float64 not all)
SIZES = [(1, 1, 1), (13, 131, 37), (67, 7, 33), (65, 129, 19), (19, 67, 800), (64, 64, 32)]


def difference(got, expected, terms):
    """In roundings of the largest number, for sums of so many terms."""
    scale = np.finfo(got.dtype).eps * np.sqrt(terms) * max(1.0, np.abs(expected).max())
    return np.abs(got - expected).max() / scale


@pytest.mark.parametrize(
    ("size", "dtype"),
    [(size, np.float32) for size in SIZES] + [(size, np.float64) for size in SIZES if size[1] > 7],
)
def test_products_of_all_sizes_and_turns(size, dtype):
    M, N, K = size
    rng = np.random.default_rng(3)
    A, B = (rng.standard_normal(shape).astype(dtype) for shape in ((M, K), (K, N)))
    bias, before = (rng.standard_normal(k).astype(dtype) for k in (N + 2, M * N + 3))
    for turned in range(4):
        a, b = A.T if turned & 1 else A, B.T if turned & 2 else B
        a, b = np.append(np.full(5, np.nan, dtype), a), np.append(np.full(2, np.nan, dtype), b)
        C = before.copy()
        with simulate(("forward", "reverse", "random", "random")[turned], seed=turned):
            products.multiply(
                a, b, C, M, N, K, A_at=5, B_at=2, C_at=1, A_turned=bool(turned & 1),
                B_turned=bool(turned & 2), bias=bias, bias_at=2, add=turned > 1,
            )  # fmt: skip
        expected = A.astype(float) @ B + bias[2:]
        if turned > 1:
            expected += before[1:-2].reshape(M, N)
        assert difference(C[1:-2].reshape(M, N), expected, K) < 8
        np.testing.assert_array_equal(C[[0, -2, -1]], before[[0, -2, -1]])


def test_large_tiles():
    M, N, K = 16 * 128 + 1, 7 * 128 + 1, 9
    rng = np.random.default_rng(4)
    A, B = (rng.standard_normal(k).astype(np.float32) for k in (M * K, K * N))
    assert products._tile(M, N)[0] is products.LARGE
    C = np.empty(M * N, np.float32)
    with simulate("random", seed=1):
        products.multiply(A, B, C, M, N, K, B_turned=True)
    assert difference(C.reshape(M, N), A.reshape(M, K) @ B.reshape(N, K).T, K) < 8


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_number_stays_in_its_row_and_column(bad):
    M, N, K = 67, 70, 21
    A, B = np.ones((M, K)), np.ones((K, N))
    A[66, 20] = bad  # the last of all, which the edges of tiles copy again
    C = np.empty(M * N)
    with simulate():
        products.multiply(A.ravel(), B.ravel(), C, M, N, K)
    assert (C.reshape(M, N)[:66] == K).all()
    np.testing.assert_array_equal(C.reshape(M, N)[66], np.full(N, bad))
    B[20, 69] = bad
    with simulate():
        products.multiply(np.ones(M * K), B.ravel(), C, M, N, K)
    assert (C.reshape(M, N)[:, :69] == K).all()
    np.testing.assert_array_equal(C.reshape(M, N)[:, 69], np.full(M, bad))


def test_the_order_of_threads_does_not_matter():
    rng = np.random.default_rng(5)
    A, B = (rng.standard_normal(19 * 900).astype(np.float32) for _ in range(2))
    found = []
    for order in ("forward", "reverse", "random"):
        C, s = np.empty(19 * 19, np.float32), np.empty(19, np.float32)
        with simulate(order, seed=2):
            products.multiply(A, B, C, 19, 19, 900, A_turned=True)
            products.column_sums(A, s, 900, 19)
        found.append(np.append(C, s))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("size", [(1, 1), (7, 45), (511, 3), (1031, 33)])
def test_sums_over_rows(size, dtype):
    M, N = size
    A = np.random.default_rng(6).standard_normal(M * N + 4).astype(dtype)
    s = np.full(N + 2, 7, dtype)
    with simulate("random", seed=3):
        products.column_sums(A, s, M, N, A_at=4, s_at=1)
    assert difference(s[1:-1], A[4:].astype(float).reshape(M, N).sum(axis=0), M) < 4
    assert s[0] == s[-1] == 7


def test_a_long_sum_is_split_into_whole_panels():
    for tiles, K in ((1, 100), (1, 100_000), (7, 5_001), (500, 10_000), (100, 513)):
        share, parts = products._shares(tiles, K)
        assert share % products.MIDDLE.depth == 0
        assert (parts - 1) * share < K <= parts * share
        assert parts == 1 or (share >= products.SHORTEST and tiles < products.ENOUGH)
