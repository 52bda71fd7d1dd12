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
        raise ValueError(f"test must be above 0 and below 1, got {checks.shown(test)}")
    x, y = _examples(data)
    aside: list[NDArray[np.intp]] = []
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        number = round(test * len(members))
        if not 0 < number < len(members):
            raise ValueError(
                f"class {label} has {len(members)} examples; a share of {test:g} leaves a part "
                "without any"
            )
        aside.append(members[:number])
    chosen = np.zeros(len(y), bool)
    chosen[np.concatenate(aside)] = True
    parts = (rng.permutation(np.flatnonzero(~chosen)), np.sort(np.flatnonzero(chosen)))
    return Split(*(Dataset(x[part], y[part]) for part in parts))


def _examples(data: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Inputs and labels of a data set, refused unless they belong together."""
    if not isinstance(data, tuple) or len(data) != 2:
        raise TypeError(f"data must be a Dataset (x, y), got {checks.shown(data)}")
    x, y = checks.array_of(data[0], "x"), checks.array_of(data[1], "y")
    checks.axes(y, "y", ("batch",), "split")
    checks.not_empty(y, "y")
    if y.dtype.kind not in "iu":
        raise TypeError("split shares out the classes: y must hold whole numbers, the labels")
    if not x.ndim:
        raise ValueError("x has 0 axes; split expects the examples along the first axis")
    checks.same_length(x, "x", 0, y, "y", 0, "examples")
    return x, y
