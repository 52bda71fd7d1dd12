"""Nests of arrays: parameters, gradients and velocities are tuples, NamedTuples and lists.

Where a nest has None, there is no array: nothing is found there, and None stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from numpy.typing import NDArray

from ketkar.arrays import as_array

__all__ = ["leaves", "rebuild", "tree_map"]


def leaves(tree: Any, name: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays of a nest with the path to each, in order.

    Examples
    --------
    >>> [path for path, _ in leaves([(1.0, 2.0), 3.0], "params")]
    ['params[0][0]', 'params[0][1]', 'params[1]']
    """
    if isinstance(tree, tuple | list):
        fields = getattr(tree, "_fields", None)
        for i, branch in enumerate(tree):
            step = f"[{i}]" if fields is None else f".{fields[i]}" if name else fields[i]
            yield from leaves(branch, f"{name}{step}")
    elif tree is not None:
        yield name, as_array(tree)


def rebuild(like: Any, arrays: Iterator[Any]) -> Any:
    """A nest of the shape of `like` with the next of `arrays` at each leaf."""
    if isinstance(like, tuple | list):
        branches = [rebuild(branch, arrays) for branch in like]
        return type(like)(*branches) if hasattr(like, "_fields") else type(like)(branches)
    return None if like is None else next(arrays)


def tree_map(f: Callable[..., Any], tree: Any, *others: Any, names: Sequence[str] = ()) -> Any:
    """Apply `f` to the leaves that stand at the same place of each nest.

    Parameters
    ----------
    f : callable
        Takes as many arrays as there are nests.
    tree, *others : nest of arrays
        Nests of the same shape.
    names : sequence of str
        What an error calls the nests.

    Raises
    ------
    ValueError
        If the nests differ in the number of leaves or in the shape of one.

    Examples
    --------
    >>> tree_map(lambda a, b: a + b, (1.0, [2.0]), (10.0, [20.0]))
    (np.float64(11.0), [np.float64(22.0)])
    """
    called = list(names) or [f"nest {i}" for i in range(1 + len(others))]
    rows = list(leaves(tree))
    columns = [list(leaves(other)) for other in others]
    for name, column in zip(called[1:], columns, strict=True):
        if len(column) != len(rows):
            raise ValueError(
                f"{called[0]} and {name} differ: one nest holds {len(rows)} arrays, "
                f"the other {len(column)}"
            )
        for (path, a), (_, b) in zip(rows, column, strict=True):
            if a.shape != b.shape:
                raise ValueError(
                    f"{called[0]} and {name}: the shapes differ{' at ' * bool(path)}{path}: "
                    f"{a.shape}, {b.shape}"
                )
    results = (f(*(array for _, array in row)) for row in zip(rows, *columns, strict=True))
    return rebuild(tree, results)
