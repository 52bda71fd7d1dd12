"""A data set, and how it is split into one part to learn from and one to be tested on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketkar import checks
from ketkar.equations import equation

__all__ = ["Dataset", "Split", "split"]


@equation("dataset")
class Dataset(NamedTuple):
    """N examples: inputs x, first axis the examples, and targets y.

    Examples
    --------
    >>> Dataset(np.zeros((4, 2)), np.zeros(4)).x.shape
    (4, 2)
    """

    x: NDArray[Any]
    y: NDArray[Any]


class Split(NamedTuple):
    """A data set in two parts."""

    train: Dataset
    test: Dataset


def split(data: Dataset, test: float, rng: np.random.Generator | int) -> Split:
    """Set part of a data set aside for testing, the same share of each class.

    Parameters
    ----------
    data : Dataset
        Examples with class labels, whole numbers (N,).
    test : float
        The share to set aside, above 0 and below 1.
    rng : numpy.random.Generator or int
        Draws which examples.

    Returns
    -------
    Split
        The two parts, each in random order.

    Raises
    ------
    ValueError
        If the share is out of range, or so small or large that a class would miss in a part.

    Examples
    --------
    >>> data = Dataset(np.arange(8)[:, None], np.array([0, 0, 0, 0, 1, 1, 1, 1]))
    >>> split(data, test=0.25, rng=0).test.y.tolist()
    [0, 1]
    """
    rng = checks.generator(rng)
    if not 0 < checks.real(test, "test") < 1:
        raise ValueError(f"test must be above 0 and below 1, got {test!r}")
    if np.asarray(data.y).dtype.kind not in "iu":
        raise TypeError("split shares out the classes: y must hold whole numbers, the labels")
    aside: list[NDArray[np.intp]] = []
    for label in np.unique(data.y):
        members = rng.permutation(np.flatnonzero(data.y == label))
        number = round(test * len(members))
        if not 0 < number < len(members):
            raise ValueError(
                f"class {label} has {len(members)} examples; a share of {test:g} leaves a part "
                "without any"
            )
        aside.append(members[:number])
    chosen = np.zeros(len(data.y), bool)
    chosen[np.concatenate(aside)] = True
    parts = (rng.permutation(np.flatnonzero(~chosen)), np.sort(np.flatnonzero(chosen)))
    return Split(*(Dataset(data.x[part], data.y[part]) for part in parts))
