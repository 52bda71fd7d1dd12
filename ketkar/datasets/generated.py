"""Data generated from a seed, each set made to show one thing."""

from __future__ import annotations

import numpy as np

from ketkar import checks
from ketkar.datasets.dataset import Dataset

__all__ = ["coin_flips", "noisy_line", "noisy_sine", "two_moons"]


def _noise(noise: float) -> float:
    return checks.between(noise, "noise", 0, np.inf)


def two_moons(N: int, noise: float, rng: np.random.Generator | int) -> Dataset:
    """Two half circles that reach into each other: two classes that no line separates.

    Parameters
    ----------
    N : int
        Number of examples, half of each class (one more of the first if odd).
    noise : float
        Standard deviation of the noise on both coordinates, at least 0.
    rng : numpy.random.Generator or int
        The source of randomness, or a seed.

    Returns
    -------
    Dataset
        x (N, 2), y (N,) labels 0 and 1.

    Examples
    --------
    >>> two_moons(100, noise=0.1, rng=0).x.shape
    (100, 2)
    """
    rng = checks.generator(rng)
    lower = checks.count(N, "N", least=2) // 2
    angle = rng.uniform(0, np.pi, N)
    y = np.repeat([0, 1], [N - lower, lower])
    upper_moon = np.column_stack([np.cos(angle), np.sin(angle)])
    lower_moon = np.column_stack([1 - np.cos(angle), 0.5 - np.sin(angle)])
    x = np.where(y[:, None] == 0, upper_moon, lower_moon) + rng.normal(0, _noise(noise), (N, 2))
    return Dataset(x, y)


def noisy_sine(N: int, noise: float, rng: np.random.Generator | int) -> Dataset:
    """Points around one period of a sine: a function to be learned from few examples.

    Parameters
    ----------
    N : int
        Number of examples.
    noise : float
        Standard deviation of the noise on y, at least 0.
    rng : numpy.random.Generator or int
        The source of randomness, or a seed.

    Returns
    -------
    Dataset
        x (N, 1) in [0, 1), y (N,) = sin(2 pi x) + noise.

    Examples
    --------
    >>> data = noisy_sine(5, noise=0.0, rng=0)
    >>> bool(np.allclose(data.y, np.sin(2 * np.pi * data.x[:, 0])))
    True
    """
    rng = checks.generator(rng)
    x = rng.uniform(0, 1, (checks.count(N, "N"), 1))
    return Dataset(x, np.sin(2 * np.pi * x[:, 0]) + rng.normal(0, _noise(noise), N))


def noisy_line(
    N: int, slope: float, intercept: float, noise: float, rng: np.random.Generator | int
) -> Dataset:
    """Points around a line, the noise Gaussian: what a linear unit models.

    Parameters
    ----------
    N : int
        Number of examples.
    slope, intercept : float
        The line.
    noise : float
        Standard deviation of the noise on y, at least 0.
    rng : numpy.random.Generator or int
        The source of randomness, or a seed.

    Returns
    -------
    Dataset
        x (N, 1) standard normal, y (N,).

    Examples
    --------
    >>> data = noisy_line(3, 2.0, 1.0, noise=0.0, rng=0)
    >>> bool(np.allclose(data.y, 2 * data.x[:, 0] + 1))
    True
    """
    rng = checks.generator(rng)
    x = rng.normal(0, 1, (checks.count(N, "N"), 1))
    line = checks.real(slope, "slope") * x[:, 0] + checks.real(intercept, "intercept")
    return Dataset(x, line + rng.normal(0, _noise(noise), N))


def coin_flips(N: int, w: float, b: float, rng: np.random.Generator | int) -> Dataset:
    """Coins whose probability of heads depends on x: what a sigmoid unit models.

    Parameters
    ----------
    N : int
        Number of examples.
    w, b : float
        The coin at x shows 1 with probability 1 / (1 + exp(-(w x + b))).
    rng : numpy.random.Generator or int
        The source of randomness, or a seed.

    Returns
    -------
    Dataset
        x (N, 1) standard normal, y (N,) outcomes 0 and 1.

    Examples
    --------
    >>> sorted(set(coin_flips(100, 1.0, 0.0, rng=0).y.tolist()))
    [0, 1]
    """
    rng = checks.generator(rng)
    x = rng.normal(0, 1, (checks.count(N, "N"), 1))
    # u < sigmoid(z) exactly when logit(u) < z
    u = rng.uniform(0, 1, N)
    z = checks.real(w, "w") * x[:, 0] + checks.real(b, "b")
    return Dataset(x, (np.log(u) - np.log1p(-u) < z).astype(np.int64))
