"""The command line: ``ketkar doctor``, ``ketkar equations``, ``ketkar cite NAME``.

It ends with 0 when all is well, 1 when something is broken or not found, 2 when the command
itself is not understood.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import ketkar
from ketkar.equations import ROOMS, cite, equations, functions_of, public_name

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ketkar", description="A companion to Deep Learning with Python (Ketkar 2017)."
    )
    parser.add_argument("--version", action="version", version=f"ketkar {ketkar.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    doctor = commands.add_parser("doctor", help="what works on this machine, and what does not")
    doctor.set_defaults(run=_doctor)

    index = commands.add_parser("equations", help="the index: which function computes what")
    index.add_argument("--chapter", type=int, help="only the equations of this chapter")
    index.set_defaults(run=_equations)

    citation = commands.add_parser("cite", help="how to cite a function")
    citation.add_argument("name", help="a public name, such as dense or feedforward.dense")
    citation.add_argument("--bibtex", action="store_true", help="as an entry for a bibliography")
    citation.set_defaults(run=_cite)
    return parser


def _doctor(options: argparse.Namespace) -> int:
    from ketkar.doctor import examine

    findings = examine()
    for finding in findings:
        print(finding)
    return 0 if all(finding.state != "BROKEN" for finding in findings) else 1


def _equations(options: argparse.Namespace) -> int:
    chapters = {row.chapter for row in equations().values()}
    if options.chapter is not None and options.chapter not in chapters:
        known = ", ".join(str(chapter) for chapter in sorted(chapters))
        return _fail(f"there are no equations of chapter {options.chapter}; there are of {known}")
    for row in equations().values():
        if options.chapter in (None, row.chapter):
            names = ", ".join(public_name(f) for f in functions_of(row.key))
            print(f"({row.number})".ljust(8), f"{row.title}: {names}")
    return 0


def _cite(options: argparse.Namespace) -> int:
    found = _public_names()
    name = options.name.removeprefix("ketkar.")
    matches = [known for known in found if known == name or known.split(".")[-1] == name]
    if len(matches) > 1:
        return _fail(f"{name} is several things: {', '.join(matches)}; name one of them")
    if not matches:
        short = {known.split(".")[-1]: known for known in found}
        near = difflib.get_close_matches(name.split(".")[-1], short, n=1)
        hint = f"; did you mean {short[near[0]]}?" if near else ""
        return _fail(f"ketkar has no public function {name}{hint}")
    print(cite(found[matches[0]], style="bibtex" if options.bibtex else "text"))
    return 0


def _public_names() -> dict[str, Any]:
    """Every public function and class, by the name it is imported under: feedforward.dense."""
    found = {}
    for room in (*ROOMS, "drawing", "equations"):
        module = importlib.import_module(f"ketkar.{room}")
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing):
                found[f"{room}.{name}"] = thing
    return found


def _fail(sentence: str) -> int:
    print(f"ketkar: {sentence}", file=sys.stderr)
    return 1
