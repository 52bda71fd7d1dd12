"""Which function computes which equation: the tag, the table behind it, and the citation.

The numbered equations of the book stand in ``equations.toml``. A function says with
``@equation("unit")`` that it computes one of them; from these tags come the index of equations,
the line under each equation in the book, the line in each docstring, and :func:`cite`.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import tomllib
from collections.abc import Callable
from importlib import resources
from typing import Any, NamedTuple, TypeVar

__all__ = [
    "Equation",
    "cite",
    "equation",
    "equations",
    "equations_of",
    "functions_of",
    "public_name",
]

T = TypeVar("T", bound=Callable[..., Any])

# The rooms whose functions carry tags; importing them fills the register.
ROOMS = (
    "feedforward",
    "convolutional",
    "recurrent",
    "gradcheck",
    "datasets",
    "network",
    "training",
    "systems",
)
_register: dict[str, list[Any]] = {}


class Equation(NamedTuple):
    """One numbered equation of the book."""

    key: str
    number: str
    title: str
    section: str

    @property
    def chapter(self) -> int:
        """The textbook's chapter, the part of the number before the point."""
        return int(self.number.split(".")[0])


@functools.cache
def equations() -> dict[str, Equation]:
    """All numbered equations of the book, by key, in the order of their numbers.

    Examples
    --------
    >>> equations()["unit"].number
    '3.2'
    """
    text = resources.files("ketkar").joinpath("equations.toml").read_text(encoding="utf-8")
    rows = (Equation(key, **row) for key, row in tomllib.loads(text).items())
    return {row.key: row for row in sorted(rows, key=lambda row: _order(row.number))}


def _order(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in number.split("."))


def equation(*keys: str) -> Callable[[T], T]:
    """Say that a function or class computes the equations with these keys.

    The object itself comes back, with a line that names the equations in its docstring.

    Parameters
    ----------
    *keys : str
        Keys of the table, such as ``"unit"``.

    Raises
    ------
    KeyError
        If a key is not in the table.
    """
    found = [_find(key) for key in keys]

    def tag(computes: T) -> T:
        for key in keys:
            _register.setdefault(key, []).append(computes)
        computes.__equations__ = keys  # type: ignore[attr-defined]
        first, _, rest = inspect.cleandoc(computes.__doc__ or "").partition("\n")
        computes.__doc__ = f"{first}\n\n{_line(found)}\n{rest}"
        return computes

    return tag


def _find(key: str) -> Equation:
    try:
        return equations()[key]
    except KeyError:
        raise KeyError(f"there is no equation {key!r} in equations.toml") from None


def _line(rows: list[Equation]) -> str:
    named = ", ".join(f"({row.number}) {row.title[0].lower()}{row.title[1:]}" for row in rows)
    return f"Equation{'s' if len(rows) > 1 else ''} {named}."


def functions_of(key: str) -> tuple[Any, ...]:
    """The functions and classes that compute an equation.

    Examples
    --------
    >>> [f.__name__ for f in functions_of("unit")]
    ['unit']
    """
    _find(key)
    for room in ROOMS:
        importlib.import_module(f"ketkar.{room}")
    return tuple(_register.get(key, ()))


def equations_of(computes: Callable[..., Any]) -> tuple[Equation, ...]:
    """The equations that a function or class computes; empty where it carries no tag."""
    return tuple(_find(key) for key in getattr(computes, "__equations__", ()))


def cite(computes: Callable[..., Any], *, style: str = "text") -> str:
    """How to cite a function of this package: equation, section, textbook and version.

    Parameters
    ----------
    computes : callable
        A public function or class of ``ketkar``.
    style : {"text", "bibtex"}
        A sentence, or an entry for a bibliography.

    Raises
    ------
    ValueError
        If `computes` is not of this package or `style` is not one of the two.
    """
    from ketkar import __version__

    module = getattr(computes, "__module__", "") or ""
    if module.split(".")[0] != "ketkar" or not hasattr(computes, "__qualname__"):
        raise ValueError(f"cite expects a function or class of ketkar, got {computes!r}")
    name = public_name(computes)
    rows = equations_of(computes)
    if style == "bibtex":
        note = f"Function {name}" + (f", {_line(list(rows))[:-1].lower()}" if rows else "")
        return (
            "@software{ketkar,\n"
            "  author  = {{The ketkar developers}},\n"
            "  title   = {ketkar: a literate companion to Deep Learning with Python},\n"
            f"  version = {{{__version__}}},\n"
            "  year    = {2026},\n"
            f"  note    = {{{note}}},\n"
            "}"
        )
    if style != "text":
        raise ValueError(f'style must be "text" or "bibtex", got {style!r}')
    head = f"The ketkar developers, {name}, ketkar {__version__}"
    if not rows:
        return f"{head}."
    sections = dict.fromkeys((row.chapter, row.section) for row in rows)
    places = "; ".join(f'chapter {chapter}, "{section}"' for chapter, section in sections)
    return (
        f"{head}. {_line(list(rows))} After N. Ketkar, Deep Learning with Python, Apress, 2017, "
        f"{places}, doi:10.1007/978-1-4842-2766-4."
    )


def public_name(computes: Callable[..., Any]) -> str:
    """The name a reader imports: ketkar.feedforward.dense for ketkar.feedforward.layer.dense.

    Examples
    --------
    >>> from ketkar import feedforward
    >>> public_name(feedforward.dense)
    'ketkar.feedforward.dense'
    """
    room = ".".join(computes.__module__.split(".")[:2])
    return f"{room}.{computes.__qualname__}"
