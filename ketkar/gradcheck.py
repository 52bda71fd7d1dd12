"""Is my gradient right? One check for any forward/backward pair, with a table to read.

A backward function is right when it agrees with finite differences: nudge one number of one
argument up and down, watch the output, and divide. :func:`gradcheck` does this for every number
and, where the two disagree, says what the disagreement looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketkar import checks
from ketkar.equations import equation
from ketkar.trees import leaves, rebuild

__all__ = ["Report", "Row", "gradcheck", "numerical_gradient"]

# The error of a central difference is about step^2 from the curvature and eps/step from
# rounding; the two meet near the cube root of eps.
STEP = float(np.cbrt(np.finfo(np.float64).eps))


class Row(NamedTuple):
    """The verdict on one array: how far its gradient is from the finite difference."""

    name: str
    shape: tuple[int, ...]
    error: float
    where: tuple[int, ...]
    yours: float
    numerical: float
    ok: bool
    hint: str


@dataclass(frozen=True, repr=False)
class Report:
    """The verdict on a pair: one row an array. Prints as a table; true where all rows are ok."""

    rows: tuple[Row, ...]
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether every gradient agrees."""
        return all(row.ok for row in self.rows)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        head = ("array", "shape", "worst error", "at", "yours", "numerical", "verdict")
        body = [
            (
                row.name,
                str(row.shape),
                f"{row.error:.1e}",
                str(list(row.where)),
                f"{row.yours:.6g}",
                f"{row.numerical:.6g}",
                "ok" if row.ok else "WRONG",
            )
            for row in self.rows
        ]
        widths = [max(len(line[i]) for line in (head, *body)) for i in range(len(head))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in (head, *body)
        ]
        hints = [f"{row.name}: {row.hint}" for row in self.rows if row.hint]
        verdict = (
            f"All gradients agree with finite differences to {self.tolerance:g}."
            if self.ok
            else "Some gradients disagree with finite differences."
        )
        return "\n".join([*lines, *hints, verdict])

    def __repr__(self) -> str:
        return str(self)


@equation("finite-difference")
def numerical_gradient(f: Callable[..., Any], *arguments: Any, step: float = STEP) -> Any:
    """The gradient of a number with respect to every entry, by central differences.

    Parameters
    ----------
    f : callable
        Takes the arguments, returns one number.
    *arguments : array_like or nest of arrays
        Where the gradient is taken. Computed in float64.
    step : float
        How far each entry is nudged, relative to its size where that is above 1.

    Returns
    -------
    array or nest, or tuple of them
        The gradient, in the shape of the argument; a tuple of gradients for several arguments.

    Raises
    ------
    ValueError
        If `f` does not return one number.

    Examples
    --------
    >>> numerical_gradient(lambda theta: (theta**2).sum(), [1.0, -3.0]).round(6)
    array([ 2., -6.])
    """
    if not arguments:
        raise ValueError("numerical_gradient needs at least one argument after the function")
    step = checks.positive(step, "step")
    work = [_writable(argument) for argument in arguments]
    gradients = tuple(
        rebuild(nest, iter([_central(f, work, array, step) for _, array in leaves(nest)]))
        for nest in work
    )
    return gradients[0] if len(gradients) == 1 else gradients


def _writable(nest: Any) -> Any:
    """A copy of the nest in float64, whose arrays may be nudged in place.

    A list of numbers is one array; a tuple, or a list of arrays, is a nest.
    """
    if not isinstance(nest, tuple) and not (
        isinstance(nest, list) and any(isinstance(b, tuple | np.ndarray) for b in nest)
    ):
        return np.array(checks.float_array(nest, "an argument"), dtype=np.float64)
    return rebuild(nest, iter([np.array(a, dtype=np.float64) for _, a in leaves(nest)]))


def _central(
    f: Callable[..., Any], work: Sequence[Any], array: NDArray[Any], step: float
) -> NDArray[np.float64]:
    gradient = np.empty_like(array)
    for i in np.ndindex(array.shape):
        value = array[i].copy()
        h = step * max(1.0, abs(float(value)))
        array[i] = value + h
        above = _number(f(*work))
        array[i] = value - h
        below = _number(f(*work))
        array[i] = value
        gradient[i] = (above - below) / (2 * h)  # (3.18)
    return gradient


def _number(value: Any) -> float:
    array = _output(value, "f")
    if array.size != 1:
        raise ValueError(f"f returned an array of shape {array.shape}; a gradient needs one number")
    return float(array.reshape(()))


def gradcheck(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    *arguments: Any,
    wrt: Sequence[int] | None = None,
    rng: np.random.Generator | int = 0,
    tolerance: float = 1e-6,
) -> Report:
    """Compare a backward function with finite differences of its forward function.

    Parameters
    ----------
    forward : callable
        ``forward(*arguments)`` returns an array or a number.
    backward : callable
        ``backward(dy, *arguments)`` takes the gradient with respect to the output, of its shape,
        and returns one gradient for each of the checked arguments: a tuple, or the gradient
        alone where one argument is checked. An entry of None is skipped.
    *arguments : array_like or nest of arrays
        The point at which the pair is checked; computed in float64. Keep away from kinks.
    wrt : sequence of int, optional
        Which arguments have gradients; all if left out.
    rng : numpy.random.Generator or int
        Draws the `dy` that the outputs are weighted with.
    tolerance : float
        The largest relative error that counts as agreement.

    Returns
    -------
    Report
        Prints as a table with a hint at each wrong gradient; ``report.ok`` is the verdict.

    Raises
    ------
    ValueError
        If `backward` returns the wrong number of gradients, or one of the wrong shape.
    TypeError
        If `forward` returns anything but one array or number.

    Examples
    --------
    >>> import numpy as np
    >>> def cube(x):
    ...     return x**3
    >>> def cube_backward(dy, x):
    ...     return dy * x**2
    >>> print(gradcheck(cube, cube_backward, np.array([1.0, 2.0])))
    array        shape  worst error  at   yours    numerical  verdict
    argument[0]  (2,)   6.7e-01      [0]  0.12573  0.377191   WRONG
    argument[0]: yours is 0.333 times the numerical gradient everywhere: a constant factor.
    Some gradients disagree with finite differences.
    """
    point = [_writable(argument) for argument in arguments]
    chosen = _chosen(wrt, len(point))
    tolerance = checks.positive(tolerance, "tolerance")
    y = _output(forward(*point), "forward")
    dy = checks.generator(rng).standard_normal(y.shape)
    # copies: a backward that works in place must not change what it is compared with
    returned = backward(dy.copy()[()], *(_writable(argument) for argument in point))
    if returned is None:
        raise ValueError("backward returned None: is a return statement missing?")
    if len(chosen) == 1 and not (type(returned) is tuple and len(returned) == 1):
        returned = (returned,)
    if not isinstance(returned, tuple | list) or len(returned) != len(chosen):
        raise ValueError(
            f"backward returned {_described(returned)}; expected one gradient for each of the "
            f"{len(chosen)} checked arguments"
        )
    rows: list[Row] = []
    for number, theirs in zip(chosen, returned, strict=True):
        if theirs is not None:
            rows += _rows(forward, point, number, theirs, dy, tolerance)
    return Report(tuple(rows), tolerance)


def _chosen(wrt: Sequence[int] | None, arguments: int) -> list[int]:
    """The numbers of the arguments to check."""
    if not arguments:
        raise ValueError("gradcheck needs at least one argument after the two functions")
    if wrt is None:
        return list(range(arguments))
    chosen = [checks.count(i, "wrt", least=0) for i in checks.listed(wrt, "wrt", "whole numbers")]
    if not chosen or max(chosen) >= arguments:
        raise ValueError(f"wrt must name some of the arguments 0 .. {arguments - 1}, got {chosen}")
    return chosen


def _output(value: Any, name: str) -> NDArray[np.float64]:
    try:
        # None would become NaN
        return np.asarray("" if value is None else value, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"{name} must return one array of numbers, got {checks.shown(value)}"
        ) from None


def _described(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"{len(value)} gradients"
    return f"one {type(value).__name__}"


def _rows(
    forward: Callable[..., Any],
    point: list[Any],
    number: int,
    theirs: Any,
    dy: NDArray[Any],
    tolerance: float,
) -> list[Row]:
    """The verdicts on the arrays of one argument."""
    analytic = list(
        leaves(theirs if isinstance(point[number], tuple | list) else np.asarray(theirs))
    )
    places = list(leaves(point[number], f"argument[{number}]"))
    if len(analytic) != len(places):
        raise ValueError(
            f"argument[{number}] holds {len(places)} arrays but its gradient holds {len(analytic)}"
        )
    rows = []
    for (name, array), (_, gradient) in zip(places, analytic, strict=True):
        if gradient.shape != array.shape:
            raise ValueError(
                f"the gradient of {name} has shape {gradient.shape}, but {name} has {array.shape}"
            )
        yours = np.array(gradient, dtype=np.float64)
        numerical = _central(lambda *a: np.sum(dy * forward(*a)), point, array, STEP)
        rows.append(_row(name, yours, numerical, tolerance))
    return rows


def _row(name: str, yours: NDArray[Any], numerical: NDArray[Any], tolerance: float) -> Row:
    scale = np.maximum(np.abs(yours), np.abs(numerical))
    known = np.isfinite(scale)
    # an entry much smaller than the largest is judged by the largest: its digits are rounding
    floor = max(float(np.max(scale, initial=0.0, where=known)) * 1e-3, 1e-9)
    with np.errstate(invalid="ignore"):
        error = np.where(known, np.abs(yours - numerical) / np.maximum(scale, floor), np.inf)
    if error.size == 0:
        return Row(name, yours.shape, 0.0, (), 0.0, 0.0, True, "")
    worst = np.unravel_index(int(np.argmax(error)), error.shape)
    where = tuple(int(i) for i in worst)
    ok = bool(error[worst] <= tolerance)
    hint = "" if ok else _hint(yours, numerical)
    return Row(
        name, yours.shape, float(error[worst]), where,
        float(yours[worst]), float(numerical[worst]), ok, hint,
    )  # fmt: skip


def _hint(yours: NDArray[Any], numerical: NDArray[Any]) -> str:
    """What the disagreement looks like, as a sentence."""
    if not np.isfinite(yours).all():
        return "yours holds NaN or infinity."
    if not np.isfinite(numerical).all():
        return "the forward function gives NaN or infinity near this point."
    atol = 1e-7 * float(np.max(np.abs(numerical)))

    def close(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
        return np.isclose(a, b, rtol=1e-4, atol=atol)

    if not yours.any():
        return "yours is zero everywhere: is the gradient passed on?"
    if close(yours, numerical).all():
        return "yours is close: the point may lie near a kink, or the function bend strongly there."
    if close(yours, -numerical).all():
        return "yours has the opposite sign everywhere."
    factor = float((yours * numerical).sum() / max(float((numerical**2).sum()), 1e-300))
    if close(yours, factor * numerical).all():
        return f"yours is {factor:.3g} times the numerical gradient everywhere: a constant factor."
    square = yours.ndim == 2 and yours.shape[0] == yours.shape[1]
    if square and close(yours.T, numerical).all():
        return "yours is the transpose of the numerical gradient."
    difference = numerical - yours
    if close(difference, difference.flat[0]).all():
        return "yours differs by the same amount everywhere: is a term missing?"
    wrong = ~close(yours, numerical)
    share = f"{int(wrong.sum())} of {wrong.size} entries are off"
    return f"{share}; they may miss a term, or a factor that varies from entry to entry."
