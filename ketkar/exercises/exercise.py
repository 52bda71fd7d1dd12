"""What an exercise is: a statement, a right solution, and cases on which the two are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ketkar.equations import equations

__all__ = ["Exercise"]

Pair = tuple[Callable[..., Any], Callable[..., Any]]


@dataclass(frozen=True)
class Exercise:
    """An exercise that checks itself.

    Parameters
    ----------
    name : str
        What :func:`check` is called with.
    call : str
        How the function is called, such as ``"sigmoid_grad(z)"``; gives the arguments their
        names.
    statement : str
        What is asked for, with the shapes.
    solution : callable
        A right function.
    cases : callable
        Takes a random generator and returns the cases, a tuple of arguments each. The first ones
        are those that a reader can follow by hand.
    equation : str
        Key of the numbered equation that the function computes; empty if there is none.
    results : tuple of str
        Names of the results, where the function returns several.
    pair : callable, optional
        Takes the student's function, where it is a derivative, and returns the forward and the
        backward function that :func:`ketkar.gradcheck.gradcheck` compares on the arguments of
        `pair_case`.
    pair_case : callable, optional
        Takes a random generator and returns the arguments of the forward function.

    Examples
    --------
    >>> double = Exercise("double", "double(x)", "Twice the number.", lambda x: 2 * x,
    ...                   lambda rng: [(1.0,), (rng.normal(),)])
    >>> double.arguments
    ('x',)
    """

    name: str
    call: str
    statement: str
    solution: Callable[..., Any]
    cases: Callable[[np.random.Generator], Sequence[tuple[Any, ...]]]
    equation: str = ""
    results: tuple[str, ...] = ()
    pair: Callable[[Callable[..., Any]], Pair] | None = None
    pair_case: Callable[[np.random.Generator], tuple[Any, ...]] | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the arguments."""
        inner = self.call[self.call.index("(") + 1 : self.call.rindex(")")]
        return tuple(name.strip() for name in inner.split(","))

    @property
    def number(self) -> str:
        """The number of the equation in the book, such as ``"(3.2)"``; empty if there is none."""
        return f"({equations()[self.equation].number})" if self.equation else ""

    def __str__(self) -> str:
        returned = f" -> {', '.join(self.results)}" if self.results else ""
        return "\n".join(
            filter(None, (f"{self.call}{returned}    {self.number}".rstrip(), self.statement))
        )
