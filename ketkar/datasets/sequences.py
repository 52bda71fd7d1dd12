"""Sequences, made to show what it takes to remember; time comes first, x (tau, N, n)."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketkar import checks

__all__ = [
    "POLARITY_WORDS",
    "Sequences",
    "adding_problem",
    "next_bit",
    "polarity_sentences",
    "recall_task",
    "running_parity",
]

NOUNS: Final = ("plot", "acting", "music", "ending")
GOOD: Final = ("good", "funny", "clever")
BAD: Final = ("bad", "dull", "silly")
POLARITY_WORDS: Final = (*NOUNS, *GOOD, *BAD, "is", "not")


class Sequences(NamedTuple):
    """N sequences of tau steps: inputs x (tau, N, n), and targets y.

    The targets are (tau, N) where something is asked after each step, and (N,) where only the end
    counts.

    Examples
    --------
    >>> Sequences(np.zeros((7, 4, 2)), np.zeros(4, int)).y.shape
    (4,)
    """

    x: NDArray[Any]
    y: NDArray[Any]


def recall_task(
    N: int,
    tau: int,
    rng: np.random.Generator | int,
    noise: float = 0.0,
    *,
    dtype: Any = np.float64,
) -> Sequences:
    """Which symbol came first? All that matters is in the first step, and it is asked at the end.

    Parameters
    ----------
    N : int
        Number of sequences, half of each symbol (one more of the first if odd), in random order.
    tau : int
        Number of steps.
    rng : numpy.random.Generator or int
        The source of randomness, or a seed.
    noise : float
        Standard deviation of the noise on the later steps, at least 0.
    dtype : {float64, float32}
        The type of x.

    Returns
    -------
    Sequences
        x (tau, N, 2): the first step is (1, 0) or (0, 1), each later one zero but for the noise;
        y (N,) 0 or 1, the place of the one.

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    After S. Hochreiter and J. Schmidhuber, *Long short-term memory*, Neural Computation 9 (1997),
    section 5.2.

    Examples
    --------
    >>> data = recall_task(2, tau=3, rng=0)
    >>> data.y
    array([0, 1])
    >>> data.x[:, 0].astype(int)
    array([[1, 0],
           [0, 0],
           [0, 0]])
    """
    rng = checks.generator(rng)
    N, tau = checks.count(N, "N"), checks.count(tau, "tau")
    noise = checks.between(noise, "noise", 0, np.inf)
    y = rng.permutation(np.arange(N) % 2)
    x = rng.normal(0, noise, (tau, N, 2))
    x[0] = np.eye(2)[y]
    return _typed(x, y, dtype)


def _typed(x: NDArray[Any], y: NDArray[Any], dtype: Any) -> Sequences:
    return Sequences(x.astype(checks.float_type(dtype), copy=False), y)


def _bits(N: int, tau: int, rng: np.random.Generator | int, more: int = 0) -> NDArray[np.int64]:
    shape = checks.count(tau, "tau") + more, checks.count(N, "N")
    return checks.generator(rng).integers(0, 2, shape)


def running_parity(
    N: int, tau: int, rng: np.random.Generator | int, *, dtype: Any = np.float64
) -> Sequences:
    """Is the number of ones so far even or odd? The last answer and one bit give the next answer.

    Parameters
    ----------
    N, tau : int
        Number of sequences and of steps.
    rng : numpy.random.Generator or int
        The source of randomness, or a seed.
    dtype : {float64, float32}
        The type of x.

    Returns
    -------
    Sequences
        x (tau, N, 1), bits; y (tau, N) 0 while the number of ones is even, 1 while it is odd.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> data = running_parity(1, tau=6, rng=0)
    >>> data.x[:, 0, 0].astype(int), data.y[:, 0]
    (array([1, 1, 1, 0, 0, 0]), array([1, 0, 1, 1, 1, 1]))
    """
    bits = _bits(N, tau, rng)
    return _typed(bits[:, :, None], bits.cumsum(axis=0) % 2, dtype)


def next_bit(
    N: int, tau: int, rng: np.random.Generator | int, *, dtype: Any = np.float64
) -> Sequences:
    """What comes next, where nothing that came tells: who reads forward can only guess.

    Parameters
    ----------
    N, tau : int
        Number of sequences and of steps.
    rng : numpy.random.Generator or int
        The source of randomness, or a seed.
    dtype : {float64, float32}
        The type of x.

    Returns
    -------
    Sequences
        x (tau, N, 1), independent bits; y (tau, N) with y[t] = x[t + 1]. The last y is one more
        random bit, which stands nowhere in x.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> data = next_bit(1, tau=6, rng=0)
    >>> data.x[:, 0, 0].astype(int), data.y[:, 0]
    (array([1, 1, 1, 0, 0, 0]), array([1, 1, 0, 0, 0, 0]))
    """
    bits = _bits(N, tau, rng, more=1)
    return _typed(bits[:-1, :, None], bits[1:], dtype)


def adding_problem(
    N: int, tau: int, rng: np.random.Generator | int, *, dtype: Any = np.float64
) -> Sequences:
    """Add the two marked numbers of a long sequence, and let the others go by.

    One mark stands among the first ten steps, the other among the first tau / 2 that are left. In
    half as many steps again, and often more, nothing comes but what must not be remembered.

    Parameters
    ----------
    N : int
        Number of sequences.
    tau : int
        Number of steps, at least 4; below 20 steps the first mark stands in the first half.
    rng : numpy.random.Generator or int
        The source of randomness, or a seed.
    dtype : {float64, float32}
        The type of x and y.

    Returns
    -------
    Sequences
        x (tau, N, 2): numbers, uniform in [-1, 1], and marks: 1 at the two, -1 at the first and the
        last step, else 0. y (N,) = 0.5 + (X1 + X2) / 4 for the two numbers X1 and X2. If a mark
        falls on the first step, the -1 stays and the number there is set to zero.

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, *Long short-term memory*, Neural Computation 9 (1997), section
    5.4, where the length of a sequence varies by a tenth. They count an answer as right if it is
    off by less than 0.04.

    Examples
    --------
    >>> data = adding_problem(1, tau=6, rng=0)
    >>> data.x[:, 0].T.round(2)
    array([[ 0.27, -0.46, -0.92, -0.97,  0.63,  0.83],
           [-1.  ,  1.  ,  1.  ,  0.  ,  0.  , -1.  ]])
    >>> data.y.round(2)
    array([0.16])
    """
    rng = checks.generator(rng)
    N, tau = checks.count(N, "N"), checks.count(tau, "tau", least=4)
    values, marks = rng.uniform(-1, 1, (tau, N)), np.zeros((tau, N))
    each = np.arange(N)
    first = rng.integers(0, min(10, tau // 2), N)
    second = rng.integers(0, tau // 2 - 1, N)
    second += second >= first  # counted among the steps that are not marked yet
    marked = np.stack([first, second])
    marks[marked, each] = 1
    values[0][marks[0] == 1] = 0
    marks[[0, -1]] = -1
    y = 0.5 + values[marked, each].sum(axis=0) / 4
    data = _typed(np.stack([values, marks], axis=2), y, dtype)
    return data._replace(y=y.astype(data.x.dtype, copy=False))


def polarity_sentences(
    N: int, rng: np.random.Generator | int, *, dtype: Any = np.float64
) -> Sequences:
    """Is this praise? That is not in the words but in their order: which of them is negated.

    A sentence of six words speaks of two things, of one with a good word and of the other with its
    opposite, and before one of these stands *not* and before the other *is*. Exchange *is* and
    *not*, and the sentence means the contrary, in the same words.

    Parameters
    ----------
    N : int
        Number of sentences.
    rng : numpy.random.Generator or int
        The source of randomness, or a seed.
    dtype : {float64, float32}
        The type of x.

    Returns
    -------
    Sequences
        x (6, N, 12), one-hot, the words in the order of ``POLARITY_WORDS``; y (N,) 1 for praise,
        where the bad word is the negated one, else 0.

    Raises
    ------
    ValueError
        If `N` is not positive.

    Examples
    --------
    >>> data = polarity_sentences(4, rng=0)
    >>> for sentence, praise in zip(data.x.argmax(axis=2).T, data.y):
    ...     print(praise, *(POLARITY_WORDS[word] for word in sentence))
    1 music not silly plot is clever
    0 ending not funny music is dull
    1 acting is funny ending not dull
    1 plot is funny music not dull
    """
    rng = checks.generator(rng)
    N = checks.count(N, "N")
    nouns = rng.permuted(np.tile(np.arange(len(NOUNS)), (N, 1)), axis=1)
    pair = rng.integers(0, len(GOOD), N)
    y, negated = rng.integers(0, 2, (2, N))  # and whether the first or the second is negated
    good, bad = len(NOUNS) + pair, len(NOUNS) + len(GOOD) + pair
    bad_first = y != negated  # in praise the bad word is where the "not" is
    affirm, deny = len(POLARITY_WORDS) - 2, len(POLARITY_WORDS) - 1
    words = np.stack(
        [
            nouns[:, 0], np.where(negated == 0, deny, affirm), np.where(bad_first, bad, good),
            nouns[:, 1], np.where(negated == 1, deny, affirm), np.where(bad_first, good, bad),
        ]
    )  # fmt: skip
    return _typed(np.eye(len(POLARITY_WORDS))[words], y, dtype)
