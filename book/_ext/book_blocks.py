"""Exercises numbered by chapter, hints and solutions that open on demand, boxes.

MyST-NB runs only the code cells at the top level of a page. A solution that holds cells therefore
stands between two markers, ``{solution-start}`` and ``{solution-end}``, and is folded after the
page has been read. ``{solution}`` and ``{hint}`` fold plain text.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.parsers.rst.directives.admonitions import BaseAdmonition
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

log = logging.getLogger(__name__)
BOXES = {"errata": "Errata", "mistakes": "Common mistakes"}
FOLDS = {"hint": "Hint", "solution": "Solution"}


class exercise(nodes.General, nodes.Element):  # noqa: N801 (Sphinx names the numbering after it)
    """A numbered exercise."""


class fold(nodes.General, nodes.Element):  # noqa: N801
    """A hint or a solution, closed until the reader opens it."""


class fold_mark(nodes.Invisible, nodes.Element):  # noqa: N801
    """Where a fold with code cells starts or ends."""


class Exercise(SphinxDirective):
    """An exercise: an optional title, and the label to refer to it by."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec = {"label": directives.unchanged_required}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Build the block."""
        node = exercise("", *self.parse_content_to_nodes())
        node["title"] = self.arguments[0] if self.arguments else ""
        self.set_source_info(node)
        if "label" in self.options:
            self.options["name"] = self.options["label"]
            self.add_name(node)
        else:
            log.warning("an exercise needs a :label:", location=node, type="book")
        return [node]


class Fold(SphinxDirective):
    """A hint or solution of text: the argument is the label of its exercise."""

    has_content = True
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Build the folded block."""
        node = fold("", *self.parse_content_to_nodes(), kind=self.name)
        node["of"] = nodes.fully_normalize_name(self.arguments[0])
        self.set_source_info(node)
        return [node]


class FoldMark(SphinxDirective):
    """The start (with the exercise's label) or the end of a fold that holds code cells."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Leave a mark."""
        kind, _, edge = self.name.partition("-")
        node = fold_mark("", kind=kind, edge=edge)
        node["of"] = nodes.fully_normalize_name(self.arguments[0]) if self.arguments else ""
        self.set_source_info(node)
        return [node]


class Box(BaseAdmonition):
    """An admonition whose title is always the same."""

    node_class = nodes.admonition

    def run(self) -> list[nodes.Node]:
        """Build the box."""
        self.options["class"] = [self.name]
        self.arguments = [BOXES[self.name]]
        return super().run()


def fold_marked(app: Sphinx, doctree: nodes.document) -> None:
    """Put what stands between a start and an end mark into a fold."""
    while start := next(doctree.findall(fold_mark), None):
        place = start.parent
        first = place.index(start)
        siblings = place.children[first + 1 :]
        after = next((n for n in siblings if isinstance(n, fold_mark)), None)
        if start["edge"] != "start" or after is None or after["edge"] != "end":
            log.warning(
                "%s-start and -end must stand in pairs, in one section",
                start["kind"],
                location=start,
                type="book",
            )
            place.remove(start)
            continue
        last = place.index(after)
        node = fold("", *place.children[first + 1 : last], kind=start["kind"], of=start["of"])
        node.source, node.line = start.source, start.line
        place[first : last + 1] = [node]


def number_of(app: Sphinx, label: str) -> str:
    """The number of the exercise with this label, empty if there is none."""
    docname, node_id = app.env.domains.standard_domain.anonlabels.get(label, ("", ""))[:2]
    number = app.env.toc_fignumbers.get(docname, {}).get("exercise", {}).get(node_id, ())
    return ".".join(map(str, number))


def check_folds(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give each fold its title; warn where its exercise is unknown."""
    for node in doctree.findall(fold):
        number = number_of(app, node["of"])
        if not number:
            log.warning("%s of an unknown exercise %r", node["kind"], node["of"], location=node)
        node["title"] = f"{FOLDS[node['kind']]} for Exercise {number}"


def visit_exercise(writer: Any, node: exercise) -> None:
    """Open the block and write its number and title."""
    writer.body.append(writer.starttag(node, "div", CLASS="exercise"))
    writer.body.append('<p class="exercise-title">')
    writer.add_fignumber(node)
    if node["title"]:
        writer.body.append(f'<span class="exercise-name">{writer.encode(node["title"])}</span>')
    if node["ids"]:
        writer.add_permalink_ref(node, "Link to this exercise")
    writer.body.append("</p>\n")


def depart_exercise(writer: Any, node: exercise) -> None:
    """Close the block."""
    writer.body.append("</div>\n")


def visit_fold(writer: Any, node: fold) -> None:
    """Open the fold and write its summary."""
    writer.body.append(writer.starttag(node, "details", CLASS=f"fold {node['kind']}"))
    writer.body.append(f"<summary>{writer.encode(node['title'])}</summary>\n")


def depart_fold(writer: Any, node: fold) -> None:
    """Close the fold."""
    writer.body.append("</details>\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register nodes and directives."""
    app.add_enumerable_node(
        exercise,
        "exercise",
        lambda node: node["title"] or "Exercise",
        html=(visit_exercise, depart_exercise),
    )
    app.add_node(fold, html=(visit_fold, depart_fold))
    app.add_node(fold_mark)
    app.add_directive("exercise", Exercise)
    for name in FOLDS:
        app.add_directive(name, Fold, override=True)  # docutils has a hint of its own
        app.add_directive(f"{name}-start", FoldMark)
        app.add_directive(f"{name}-end", FoldMark)
    for name in BOXES:
        app.add_directive(name, Box)
    app.connect("doctree-read", fold_marked)
    app.connect("doctree-resolved", check_folds)
    app.connect(
        "config-inited",
        lambda app, config: config.numfig_format.setdefault("exercise", "Exercise %s"),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
