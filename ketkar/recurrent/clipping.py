"""Gradient clipping: a bound on how far one step can go."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketkar import checks
from ketkar.equations import equation
from ketkar.trees import leaves, tree_map

__all__ = ["Clipped", "clip_grad_norm", "clip_grad_value", "global_norm"]


class Clipped(NamedTuple):
    """Gradients after clipping, and the norm they had before."""

    grads: Any
    norm: float


def global_norm(grads: Any) -> float:
    """The length of all gradients as one vector: the root of the sum of all squares.

    Parameters
    ----------
    grads : array or nest of arrays

    Returns
    -------
    float
        Computed in float64 and without overflow.

    Examples
    --------
    >>> global_norm(([3.0], [[4.0]]))
    5.0
    """
    arrays = [checks.float_array(array, path or "grads") for path, array in leaves(grads)]
    largest = float(np.max([abs(a).max(initial=0.0) for a in arrays], initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    squares = (float(np.square(a.astype(np.float64) / largest).sum()) for a in arrays)
    return largest * float(np.sqrt(sum(squares)))


@equation("clip-norm")
def clip_grad_norm(grads: Any, max_norm: float) -> Clipped:
    """Shorten gradients that are too long, all by the same factor: the direction stays.

    Parameters
    ----------
    grads : array or nest of arrays
        They are not changed.
    max_norm : float
        The longest they may be, as one vector.

    Returns
    -------
    Clipped
        Gradients of the same shapes, the same ones where nothing is to be done, and the norm
        before. A norm that is not finite is left to whoever reads it: NaN cannot be scaled away.

    Raises
    ------
    ValueError
        If `max_norm` is not above 0.

    References
    ----------
    Textbook chapter 6, *Gradient Clipping*; R. Pascanu, T. Mikolov and Y. Bengio, *On the
    difficulty of training recurrent neural networks*, ICML 2013.

    Examples
    --------
    >>> clip_grad_norm(np.array([3.0, 4.0]), max_norm=1.0)
    Clipped(grads=array([0.6, 0.8]), norm=5.0)
    """
    max_norm = checks.positive(max_norm, "max_norm")
    norm = global_norm(grads)
    if not np.isfinite(norm) or norm <= max_norm:
        return Clipped(grads, norm)
    factor = max_norm / norm  # (6.19)
    return Clipped(tree_map(lambda g: _scaled(g, factor), grads), norm)


def _scaled(g: Any, factor: float) -> NDArray[Any]:
    g = checks.float_array(g, "grads")
    return g * g.dtype.type(factor)


@equation("clip-value")
def clip_grad_value(grads: Any, limit: float) -> Any:
    """Cut every entry of the gradients to [-limit, limit]: simple, and it turns the direction.

    Parameters
    ----------
    grads : array or nest of arrays
        They are not changed.
    limit : float
        The largest an entry may be.

    Returns
    -------
    array or nest of arrays
        Of the same shapes; NaN stays.

    Raises
    ------
    ValueError
        If `limit` is not above 0.

    References
    ----------
    T. Mikolov, *Statistical language models based on neural networks*, PhD thesis, Brno 2012.

    Examples
    --------
    >>> clip_grad_value(np.array([3.0, -0.5]), limit=1.0)
    array([ 1. , -0.5])
    """
    limit = checks.positive(limit, "limit")
    return tree_map(
        lambda g: np.clip(checks.float_array(g, "grads"), -limit, limit), grads
    )  # (6.20)
