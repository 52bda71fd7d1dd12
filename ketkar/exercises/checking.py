"""The check: run a student's function on cases and answer with one sentence, never a traceback."""

from __future__ import annotations

import copy
import difflib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketkar import checks
from ketkar.exercises.chapter3 import CHAPTER_3
from ketkar.exercises.chapter5 import CHAPTER_5
from ketkar.exercises.chapter6 import CHAPTER_6
from ketkar.exercises.exercise import Exercise
from ketkar.gradcheck import Report, gradcheck

__all__ = ["Catalogue", "Verdict", "check", "exercises", "statement"]


@dataclass(frozen=True, repr=False)
class Verdict:
    """Whether a function solves an exercise, and a sentence that says so. True where it does."""

    ok: bool
    message: str

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return self.message


class Catalogue(tuple[Exercise, ...]):
    """Exercises; prints as a list of names, calls, equation numbers and statements."""

    def __repr__(self) -> str:
        return "\n".join(
            line
            for row in self
            for line in (f"{row.name:22}{row.call}  {row.number}".rstrip(), f"    {row.statement}")
        )


class _NotYetError(Exception):
    """Why a function does not solve the exercise yet."""


def exercises() -> Catalogue:
    """All exercises of the book, in its order; prints as a list with their statements.

    Examples
    --------
    >>> [exercise.name for exercise in exercises()][:3]
    ['step', 'unit', 'dense']
    """
    return Catalogue(CHAPTER_3 + CHAPTER_5 + CHAPTER_6)


def statement(name: str) -> str:
    """What an exercise asks for: how the function is called, its equation, and the statement.

    Examples
    --------
    >>> print(statement("sgd-step"))
    sgd_step(theta, gradient, lr)    (3.12)
    The parameters after one step of steepest descent; theta itself stays as it is.
    """
    return str(_find(name))


def check(
    exercise: str | Exercise,
    function: object,
    *,
    rng: np.random.Generator | int = 0,
) -> Verdict:
    """Whether a function solves an exercise, and if not, what is wrong with it.

    The function is run on a few cases that can be followed by hand and on random ones. Where it
    is a derivative, it is compared with finite differences too.

    Parameters
    ----------
    exercise : str or Exercise
        The name of an exercise of the book, or an exercise of your own.
    function : callable
        The function to be checked.
    rng : numpy.random.Generator or int
        Draws the random cases.

    Returns
    -------
    Verdict
        Prints as a sentence; true where the function is right.

    Raises
    ------
    ValueError
        If there is no exercise of that name. What is wrong with the function is not raised but
        said.

    Examples
    --------
    >>> check("sgd-step", lambda theta, gradient, lr: theta - lr * gradient)
    Right: all 3 cases agree with (3.12).
    >>> check("sgd-step", lambda theta, gradient, lr: theta + lr * gradient)
    Not yet: for theta = [3], gradient = [4], lr = 0.1, your function returns [3.4]; [2.6] is right.
    """
    row = _find(exercise) if isinstance(exercise, str) else exercise
    rng = checks.generator(rng)
    if not callable(function):
        return Verdict(False, f"Not yet: hand over the function {row.call}, not its result.")
    cases = row.cases(rng)
    reason = ""
    try:
        for case in cases:
            _run(row, function, case)
    except _NotYetError as error:
        reason = str(error)
    report = _gradient_report(row, function, rng)
    table = "" if report is None or report.ok else str(report)
    if reason or table:
        return Verdict(False, "\n".join(filter(None, (f"Not yet: {reason}".strip(), table))))
    source = row.number or "the solution"
    also = ", and so do finite differences" if report else ""
    return Verdict(True, f"Right: all {len(cases)} cases agree with {source}{also}.")


def _find(name: str) -> Exercise:
    table = {row.name: row for row in exercises()}
    if name not in table:
        near = difflib.get_close_matches(name, table, 1)
        meant = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(table)}"
        raise ValueError(f"there is no exercise {name!r}{meant}")
    return table[name]


def _run(row: Exercise, function: Callable[..., Any], case: tuple[Any, ...]) -> None:
    """Run one case.

    Raises
    ------
    _NotYetError
        If the function does not do what the solution does.
    """
    given = _given(row, case)
    expected = row.solution(*copy.deepcopy(case))
    handed = copy.deepcopy(case)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            returned = function(*handed)
    except Exception as error:
        first = (str(error).splitlines() or ["no message"])[0].rstrip(" .")
        raise _NotYetError(
            f"for {given}, your function stops with {type(error).__name__}: {first}. "
            f"It is called as {row.call}."
        ) from None
    for name, before, after in zip(row.arguments, case, handed, strict=True):
        if not np.array_equal(before, after):
            raise _NotYetError(f"your function changes its argument {name}; work on a new array.")
    if returned is None:
        raise _NotYetError("your function returns None: is the return missing?")
    if not row.results:
        return _compare("", returned, expected, given)
    if not isinstance(returned, tuple | list) or len(returned) != len(row.results):
        raise _NotYetError(f"return {len(row.results)} results: {', '.join(row.results)}.")
    for name, yours, right in zip(row.results, returned, expected, strict=True):
        _compare(name, yours, right, given)


def _compare(name: str, returned: Any, expected: Any, given: str) -> None:
    right = np.asarray(expected, dtype=np.float64)
    what = f"{name} is" if name else "your function returns"
    try:
        yours = np.asarray(returned, dtype=np.float64)
    except (TypeError, ValueError):
        kind = type(returned).__name__
        raise _NotYetError(f"for {given}, {what} a {kind}, not numbers.") from None
    if yours.shape != right.shape:
        hint = _shape_hint(yours, right)
        raise _NotYetError(f"for {given}, {what} {_kind(yours)}; {_kind(right)} is right.{hint}")
    wrong = ~np.isclose(yours, right, rtol=1e-8, atol=1e-12)
    if wrong.any():
        hint = _value_hint(yours, right)
        if not _is_short(right):
            at = np.argwhere(wrong)[0]
            entry = "[" + ", ".join(map(str, at)) + "]"
            what = f"entry {entry} of {name or 'your result'} is"
            yours, right = yours[tuple(at)], right[tuple(at)]
        raise _NotYetError(f"for {given}, {what} {_shown(yours)}; {_shown(right)} is right.{hint}")


def _kind(array: NDArray[Any]) -> str:
    return f"an array of shape {array.shape}" if array.ndim else "one number"


def _shape_hint(yours: NDArray[Any], right: NDArray[Any]) -> str:
    if yours.ndim == 2 and yours.T.shape == right.shape:
        return " Is it transposed?"
    if yours.ndim > right.ndim and yours.sum(axis=0).shape == right.shape:
        return " Is a sum missing?"
    return ""


def _value_hint(yours: NDArray[Any], right: NDArray[Any]) -> str:
    """What the difference looks like, where it looks like something."""
    if not np.isfinite(yours).all():
        return " Does a large number overflow on the way?"
    if right.size < 2:
        return ""  # one number has a ratio to every other
    if np.allclose(yours, -right):
        return " The sign is the opposite one."
    if yours.ndim == 2 and yours.shape == yours.T.shape and np.allclose(yours.T, right):
        return " It is transposed."
    factor = float((yours * right).sum() / max(float((right**2).sum()), 1e-300))
    if factor and np.allclose(yours, factor * right):
        return f" It is {factor:.4g} times what is right."
    return ""


def _given(row: Exercise, case: Sequence[Any]) -> str:
    """The arguments of a case, as the student would write them."""
    return ", ".join(
        f"{name} {'=' if _is_short(value) else 'of'} {_shown(value)}"
        for name, value in zip(row.arguments, case, strict=True)
    )


def _is_short(value: Any) -> bool:
    return np.ndim(value) < 2 and np.size(value) <= 4


def _shown(value: Any) -> str:
    """A number or a short array as it reads; of a long one, only the shape."""
    array = np.asarray(value)
    if not _is_short(value):
        return f"shape {array.shape}"
    if array.ndim == 0:
        return f"{float(array):.6g}"
    return "[" + ", ".join(f"{float(v):.6g}" for v in array) + "]"


def _gradient_report(
    row: Exercise, function: Callable[..., Any], rng: np.random.Generator
) -> Report | None:
    """The gradient check of a derivative; None where it is none, or does not even run."""
    if row.pair is None or row.pair_case is None:
        return None
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            report = gradcheck(*row.pair(function), *row.pair_case(rng))
    except Exception:  # the sentence before it says what is wrong
        return None
    names = row.results or row.arguments[-len(report.rows) :]
    rows = (line._replace(name=name) for line, name in zip(report.rows, names, strict=True))
    return Report(tuple(rows), report.tolerance)
