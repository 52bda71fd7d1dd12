"""Handwritten digits of 8 x 8 pixels, the real data set that comes with scikit-learn."""

from __future__ import annotations

import numpy as np

from ketkar.datasets.dataset import Dataset, Split, split

__all__ = ["digits"]


def digits(rng: np.random.Generator | int = 0, test: float = 0.25) -> Split:
    """1797 handwritten digits of 8 x 8 pixels, split into a training and a test set.

    Parameters
    ----------
    rng : numpy.random.Generator or int
        Draws the split.
    test : float
        The share set aside for testing, the same of each digit.

    Returns
    -------
    Split
        Two data sets: x (N, 64) grey values in [0, 1], float64; y (N,) the digits.

    Raises
    ------
    ModuleNotFoundError
        If scikit-learn, which holds the images, is not installed.

    References
    ----------
    E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning
    Repository, 1998.

    Examples
    --------
    >>> parts = digits(rng=0)
    >>> parts.train.x.shape, parts.test.x.shape
    ((1347, 64), (450, 64))
    """
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "the digits come with scikit-learn, which is not installed: "
            "python -m pip install 'ketkar[data]'"
        ) from None
    held = load_digits()
    return split(Dataset(held.data / 16.0, held.target.astype(np.int64)), test, rng)
