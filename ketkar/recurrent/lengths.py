"""Sequences of unequal length: in groups of equal length, or padded, with a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks

__all__ = ["Group", "Padded", "group_by_length", "pad"]

Array = NDArray[Any]


class Group(NamedTuple):
    """Sequences of one length, x (T, N, n), and where each stood among all, (N,)."""

    x: Array
    places: NDArray[np.int64]


class Padded(NamedTuple):
    """Sequences with zeros behind them, x (T, N, n), and which steps are there, mask (T, N)."""

    x: Array
    mask: NDArray[np.bool_]


def _each(sequences: Sequence[ArrayLike]) -> list[Array]:
    """The sequences as arrays of one type, (T_i, n) with the same n."""
    arrays = [
        checks.float_array(x, f"sequences[{i}]")
        for i, x in enumerate(checks.listed(sequences, "sequences", "arrays (T, n)"))
    ]
    if not arrays:
        raise ValueError("there is no sequence")
    for i, x in enumerate(arrays):
        checks.axes(x, f"sequences[{i}]", ("time", "input"), "a sequence")
        checks.same_length(arrays[0], "sequences[0]", 1, x, f"sequences[{i}]", 1, "inputs")
    kind = np.result_type(*arrays)
    return [x.astype(kind, copy=False) for x in arrays]


def group_by_length(sequences: Sequence[ArrayLike]) -> list[Group]:
    """Put sequences of equal length together: each group is a batch, and nothing is padded.

    Parameters
    ----------
    sequences : sequence of array_like
        (T_i, n) each.

    Returns
    -------
    list of Group
        One a length, the shortest first.

    Raises
    ------
    ValueError
        If there is no sequence, or they differ in the number of inputs.

    References
    ----------
    Textbook chapter 6, *Training RNNs*, figure 6-7.

    Examples
    --------
    >>> groups = group_by_length([np.zeros((2, 1)), np.zeros((3, 1)), np.zeros((2, 1))])
    >>> [(group.x.shape, group.places.tolist()) for group in groups]
    [((2, 2, 1), [0, 2]), ((3, 1, 1), [1])]
    """
    arrays = _each(sequences)
    lengths = np.array([len(x) for x in arrays])
    groups = []
    for length in np.unique(lengths):
        index = np.flatnonzero(lengths == length)
        groups.append(Group(np.stack([arrays[i] for i in index], axis=1), index))
    return groups


def pad(sequences: Sequence[ArrayLike]) -> Padded:
    """Make sequences equally long with zeros behind them, and say which steps are there.

    Parameters
    ----------
    sequences : sequence of array_like
        (T_i, n) each.

    Returns
    -------
    Padded
        With the mask, outputs and gradients are those of the sequences alone.

    Raises
    ------
    ValueError
        If there is no sequence, or they differ in the number of inputs.

    Examples
    --------
    >>> padded = pad([np.ones((1, 2)), np.ones((3, 2))])
    >>> padded.x.shape, padded.mask.sum(axis=0)
    ((3, 2, 2), array([1, 3]))
    """
    arrays = _each(sequences)
    lengths = np.array([len(x) for x in arrays])
    x = np.zeros((lengths.max(), len(arrays), arrays[0].shape[1]), arrays[0].dtype)
    for i, sequence in enumerate(arrays):
        x[: len(sequence), i] = sequence
    return Padded(x, np.arange(len(x))[:, None] < lengths)
