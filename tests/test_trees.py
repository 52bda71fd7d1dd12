"""Nests of arrays: every leaf is found, in order, and put back where it was."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketkar.trees import leaves, rebuild, tree_map


class Pair(NamedTuple):
    W: object
    b: object


# None stands where an array might be, but is not
arrays = st.builds(np.full, st.integers(0, 3), st.floats(-9, 9)) | st.none()
nests = st.recursive(
    arrays,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.builds(Pair, inner, inner),
    ),
    max_leaves=8,
)


def same(a, b):
    if isinstance(a, tuple | list):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if a is None or b is None:
        return a is b
    return np.array_equal(a, b)


@given(nests)
def test_leaves_and_back(nest):
    found = list(leaves(nest))
    assert len({path for path, _ in found}) == len(found)
    assert same(rebuild(nest, iter([array for _, array in found])), nest)
    assert same(tree_map(lambda a: a, nest), nest)


@given(nests)
def test_map_meets_the_leaves_of_the_same_place(nest):
    doubled = tree_map(lambda a, b: a + b, nest, nest)
    assert same(doubled, tree_map(lambda a: 2 * a, nest))


def test_paths():
    nest = Pair([1.0, (2.0,)], Pair(3.0, 4.0))
    assert [path for path, _ in leaves(nest)] == ["W[0]", "W[1][0]", "b.W", "b.b"]
    assert [path for path, _ in leaves(nest, "params")] == [
        "params.W[0]", "params.W[1][0]", "params.b.W", "params.b.b",
    ]  # fmt: skip
    assert [path for path, _ in leaves(5.0)] == [""]


def test_a_place_without_an_array():
    nest = Pair(None, [1.0, None, (None, 2.0)])
    assert list(leaves(nest, "params")) == [("params.b[0]", 1.0), ("params.b[2][1]", 2.0)]
    assert rebuild(nest, iter([3.0, 4.0])) == Pair(None, [3.0, None, (None, 4.0)])
    assert tree_map(np.negative, nest) == Pair(None, [-1.0, None, (None, -2.0)])
    assert tree_map(np.add, nest, nest) == Pair(None, [2.0, None, (None, 4.0)])
    assert list(leaves(None)) == []
    assert tree_map(np.negative, None) is None


def test_nests_that_differ(refuses):
    with refuses(ValueError, "a and b differ", "2 arrays", "the other 1"):
        tree_map(np.add, (1.0, 2.0), (1.0,), names=("a", "b"))
    with refuses(ValueError, "nest 0 and nest 1 differ", "2 arrays", "the other 1"):
        tree_map(np.add, Pair(1.0, 2.0), Pair(1.0, None))
    with refuses(ValueError, "nest 0 and nest 1", "W", "(2,), (3,)"):
        tree_map(np.add, Pair(np.ones(2), 1.0), Pair(np.ones(3), 1.0))
    with pytest.raises(StopIteration):
        rebuild((1.0, 2.0), iter([1.0]))
