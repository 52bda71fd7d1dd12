"""Numbered equations, tied to the functions that compute them.

``{equation} unit`` displays the equation of that key in ``ketkar/equations.toml``. Its number and
title come from the table, and the line under it from the ``@equation`` tags of the package, so
that book and package cannot drift apart. The build warns, and so fails, when a key is not in the
table, is displayed twice, is computed by nothing, or is displayed nowhere though its chapter has
a folder in the book.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from ketkar.equations import Equation, equations, functions_of

log = logging.getLogger(__name__)
CHAPTER_FOLDER = re.compile(r"(\d\d)_\w+")
# "(3.2)" where it stands alone, not as the argument in f(3.2) and not in code.
NUMBER = re.compile(r"(?<![\w`\])])\((\d+\.\d+)\)")


def public_name(computes: Any) -> str:
    """The name a reader imports: ketkar.feedforward.unit for ketkar.feedforward.unit.unit."""
    room = ".".join(computes.__module__.split(".")[:2])
    return f"{room}.{computes.__qualname__}"


def link_to_object(name: str, shown: str) -> addnodes.pending_xref:
    """A link to the API page of a function or class."""
    text = nodes.literal(shown, shown, classes=["xref", "py", "py-obj"])
    return addnodes.pending_xref(
        "", text, refdomain="py", reftype="obj", reftarget=name, refexplicit=True, refwarn=True
    )


def link_to_equation(key: str, docname: str) -> addnodes.pending_xref:
    """A link to a displayed equation, which shows its number in brackets."""
    return addnodes.pending_xref(
        "",
        nodes.literal(key, key, classes=["xref", "eq"]),
        refdomain="math",
        reftype="eq",
        reftarget=key,
        refdoc=docname,
        refexplicit=False,
        refwarn=True,
    )


def computed_by(key: str, without: str = "") -> list[nodes.Node]:
    """The names of the functions that compute an equation, each a link; `without` a prefix."""
    found: list[nodes.Node] = []
    for name in dict.fromkeys(map(public_name, functions_of(key))):
        if found:
            found.append(nodes.Text(", "))
        found.append(link_to_object(name, name.removeprefix(without)))
    return found


class EquationDirective(SphinxDirective):
    """A numbered equation of the table, and the functions that compute it."""

    has_content = True
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Display the equation and the line below it."""
        key = self.arguments[0]
        row = equations().get(key)
        if row is None:
            log.warning(
                "no equation %r in ketkar/equations.toml", key, location=self.get_location()
            )
            return []
        shown = self.env.book_equations.setdefault(self.env.docname, {})
        if key in shown:
            self.warn(f"equation {key!r} is displayed twice on this page")
        shown[key] = self.lineno
        domain = self.env.domains.math_domain
        # An equation of this project brings its number along; Sphinx would count.
        domain.equations[key] = (self.env.docname, row.number)
        tex = "\n".join(self.content)
        formula = nodes.math_block(
            tex, tex, ids=[nodes.make_id(f"equation-{key}")], docname=self.env.docname, label=key
        )
        formula["number"] = row.number
        formula["no-wrap"] = False
        self.set_source_info(formula)
        self.state.document.note_explicit_target(formula, formula)
        names = computed_by(key)
        if not names:
            self.warn(f"equation {key!r} is computed by no function: none carries its tag")
        line = nodes.paragraph("", "", nodes.inline("", row.title), classes=["computed-by"])
        line += [nodes.Text(", computed by "), *names]
        for link in line.findall(addnodes.pending_xref):
            link["refdoc"] = self.env.docname
            self.set_source_info(link)
        return [nodes.container("", formula, line, classes=["numbered-equation"])]

    def warn(self, text: str) -> None:
        """Warn at this directive."""
        log.warning("%s", text, location=self.get_location(), type="book", subtype="equation")


class EquationIndex(SphinxDirective):
    """All equations of the table, by chapter: number, title, functions."""

    def run(self) -> list[nodes.Node]:
        """Build one table a chapter."""
        found: list[nodes.Node] = []
        for chapter in sorted({row.chapter for row in equations().values()}):
            rows = [row for row in equations().values() if row.chapter == chapter]
            found.append(nodes.rubric("", f"Chapter {chapter}"))
            found.append(self.table(rows, chapter in chapters_in_book(self.env)))
        return found

    def table(self, rows: Iterable[Equation], linked: bool) -> nodes.Element:
        """The table of one chapter; its numbers are links where the chapter is written."""
        table = nodes.table(classes=["equation-index"])
        group = nodes.tgroup(cols=3)
        table += group
        group += [nodes.colspec(colwidth=width) for width in (10, 45, 45)]
        head, body = nodes.thead(), nodes.tbody()
        group += [head, body]
        head += row_of(*([nodes.Text(text)] for text in ("Number", "Equation", "Computed by")))
        for row in rows:
            number: nodes.Node = nodes.Text(f"({row.number})")
            if linked:
                number = link_to_equation(row.key, self.env.docname)
            names = computed_by(row.key, without="ketkar.")
            for link in names:
                if isinstance(link, addnodes.pending_xref):
                    link["refdoc"] = self.env.docname
            body += row_of([number], [nodes.Text(row.title)], names)
        return table


def row_of(*cells: list[nodes.Node]) -> nodes.row:
    """A row of a table."""
    row = nodes.row()
    for cell in cells:
        row += nodes.entry("", nodes.paragraph("", "", *cell))
    return row


def chapters_in_book(env: BuildEnvironment) -> dict[int, str]:
    """The chapters that have a folder in the book, as number: folder."""
    folders = (path for path in Path(env.srcdir).iterdir() if path.is_dir())
    return {int(m[1]): m[0] for path in folders if (m := CHAPTER_FOLDER.fullmatch(path.name))}


def link_docstring(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Turn the numbers of equations in a docstring into links to the book."""
    keys = {row.number: key for key, row in equations().items()}
    chapters = chapters_in_book(app.env)

    def link(match: re.Match[str]) -> str:
        number = match[1]
        known = number in keys and int(number.split(".")[0]) in chapters
        return f":eq:`{keys[number]}`" if known else match[0]

    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")) and "``" not in line:
            lines[i] = NUMBER.sub(link, line)


def prepare(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Make room for what the pages display."""
    if not hasattr(env, "book_equations"):
        env.book_equations = {}


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget what a page displayed before it is read again."""
    getattr(env, "book_equations", {}).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    """Take over what another process has read."""
    for docname in docnames & other.book_equations.keys():
        env.book_equations[docname] = other.book_equations[docname]


def check(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of equations displayed on two pages, and of those displayed on none."""
    where: dict[str, list[str]] = {}
    for docname in sorted(getattr(env, "book_equations", {})):
        for key, line in env.book_equations[docname].items():
            where.setdefault(key, []).append(docname)
            if len(where[key]) > 1:
                log.warning(
                    "equation %r is displayed on %s too", key, where[key][0],
                    location=(docname, line), type="book", subtype="equation",
                )  # fmt: skip
    chapters = chapters_in_book(env)
    for key, row in equations().items():
        if row.chapter in chapters and key not in where:
            log.warning(
                "equation (%s) %r is displayed nowhere in chapter %d", row.number, key, row.chapter,
                location=f"{chapters[row.chapter]}/index", type="book", subtype="equation",
            )  # fmt: skip


def check_labels(app: Sphinx, doctree: nodes.document) -> None:
    """Warn of an equation that has a number though it is not in the table."""
    for node in doctree.findall(nodes.math_block):
        if node.get("label") and node["label"] not in equations():
            log.warning(
                "only equations of ketkar/equations.toml are numbered; use {equation}",
                location=node, type="book", subtype="equation",
            )  # fmt: skip


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives and the checks."""
    app.setup_extension("sphinx.ext.autodoc")
    app.add_directive("equation", EquationDirective)
    app.add_directive("equation-index", EquationIndex)
    # Before numpydoc (500), which takes the docstring apart.
    app.connect("autodoc-process-docstring", link_docstring, priority=400)
    app.connect("env-before-read-docs", prepare)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("env-check-consistency", check)
    app.connect("doctree-read", check_labels)
    return {"env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
