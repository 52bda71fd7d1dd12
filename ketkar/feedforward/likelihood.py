"""Where the losses come from: negative log-likelihoods of three distributions.

A network that predicts the parameter of a distribution is trained by making the observed
targets likely. Each function returns one value an example, written as the distribution reads;
the losses of :mod:`ketkar.feedforward.losses` are their sums.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.equations import equation

__all__ = ["bernoulli_nll", "categorical_nll", "gaussian_nll"]


@equation("bernoulli-nll")
def bernoulli_nll(y: ArrayLike, p: ArrayLike) -> NDArray[Any]:
    """Minus the logarithm of the probability of `y`, a coin that shows 1 with probability `p`.

    Parameters
    ----------
    y : array_like
        Outcomes, 0 or 1, (N,).
    p : array_like
        Probabilities of 1, (N,), in [0, 1].

    Returns
    -------
    ndarray
        (N,), infinite where the impossible happened.

    Raises
    ------
    ValueError
        If the shapes differ, an outcome is not 0 or 1, or a probability lies outside [0, 1].

    References
    ----------
    Textbook chapter 3, *Binary Cross Entropy*.

    Examples
    --------
    >>> bernoulli_nll([1, 0], [0.5, 0.5]).round(6)
    array([0.693147, 0.693147])
    """
    y, p = checks.float_array(y, "y"), checks.float_array(p, "p")
    checks.same_shape(y, "y", p, "p")
    if not np.isin(y, (0, 1)).all():
        raise ValueError("y must hold only 0 and 1, the outcomes of a Bernoulli variable")
    checks.probabilities(p, "p")
    y = y.astype(p.dtype, copy=False)
    with np.errstate(divide="ignore"):
        return -np.log(p**y * (1 - p) ** (1 - y))  # (3.21)


@equation("categorical-nll")
def categorical_nll(y: ArrayLike, probs: ArrayLike) -> NDArray[Any]:
    """Minus the logarithm of the probability of class `y`, a die with probabilities `probs`.

    Parameters
    ----------
    y : array_like
        Classes, (N,), whole numbers 0 .. m - 1.
    probs : array_like
        Probabilities of the m classes, (N, m), in [0, 1], rows that sum to one.

    Returns
    -------
    ndarray
        (N,), infinite where the impossible happened.

    Raises
    ------
    ValueError
        If the numbers of examples differ, a label is not below m, or a row of `probs` is no
        distribution.

    References
    ----------
    Textbook chapter 3, *Cross Entropy*.

    Examples
    --------
    >>> categorical_nll([0, 2], [[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]).round(6)
    array([0.693147, 1.386294])
    """
    probs = checks.float_array(probs, "probs")
    checks.axes(probs, "probs", ("batch", "class"), "categorical_nll")
    checks.probabilities(probs, "probs")
    total = probs.sum(axis=1)
    if not np.allclose(total, 1, rtol=0, atol=1e-5, equal_nan=True):
        row = int(np.argmax(np.abs(total - 1) > 1e-5))
        raise ValueError(f"row {row} of probs sums to {total[row]:g}; a distribution sums to 1")
    labels = checks.labels(y, "y", probs.shape[1])
    checks.same_length(probs, "probs", 0, labels, "y", 0, "examples")
    rows = np.eye(probs.shape[1], dtype=probs.dtype)[labels]
    with np.errstate(divide="ignore"):
        return -np.log(np.prod(probs**rows, axis=1))  # (3.24)


@equation("gaussian-nll")
def gaussian_nll(y: ArrayLike, mean: ArrayLike, sigma: float = 1.0) -> NDArray[Any]:
    """Minus the logarithm of the density of `y` under a Gaussian around `mean`.

    Parameters
    ----------
    y : array_like
        Observed values, (N,).
    mean : array_like
        Means, (N,), what a linear unit predicts.
    sigma : float
        Standard deviation, the same for all examples, in the unit of `y`.

    Returns
    -------
    ndarray
        (N,), the squared error over 2 sigma^2 plus a constant.

    Raises
    ------
    ValueError
        If the shapes differ or `sigma` is not above zero.

    References
    ----------
    Textbook chapter 3, *Squared Error*.

    Examples
    --------
    >>> gaussian_nll([0.0], [0.0], sigma=1.0).round(6)
    array([0.918939])
    """
    y, mean = checks.float_array(y, "y"), checks.float_array(mean, "mean")
    checks.same_shape(y, "y", mean, "mean")
    sigma = checks.positive(sigma, "sigma")
    deviation = (y.astype(mean.dtype, copy=False) - mean) / sigma
    return deviation**2 / 2 + (0.5 * math.log(2 * math.pi) + math.log(sigma))  # (3.27)
