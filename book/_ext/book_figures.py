"""Figures: the check that each has an alt text, and the index of figures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from book_gallery import TEXTBOOK
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

log = logging.getLogger(__name__)
GALLERY = Path(__file__).resolve().parents[2] / "gallery"


# --- on every page --------------------------------------------------------------------------


def check_alt_texts(app: Sphinx, doctree: nodes.document) -> None:
    """Warn of a picture without alt text; thumbnails are decoration, their link has a text."""
    for node in doctree.findall(nodes.Element):
        if node.tagname not in ("image", "imgsgnode") or node.get("alt"):
            continue
        if "/thumb/" in node.get("uri", ""):
            continue
        log.warning("a figure without alt text", location=node, type="book", subtype="alt")


# --- the index ------------------------------------------------------------------------------


class TextbookFigure(NamedTuple):
    """A figure of the textbook that a script of the gallery draws anew."""

    chapter: int
    number: int
    title: str
    label: str


def textbook_figures() -> list[TextbookFigure]:
    """The textbook's figures in the gallery, by number."""
    found = []
    for path in sorted(GALLERY.glob("*/plot_*.py")):
        for match in TEXTBOOK.finditer(path.read_text(encoding="utf-8")):
            label = f"sphx_glr_auto_gallery_{path.parent.name}_{path.name}".lower()
            found.append(TextbookFigure(int(match[1]), int(match[2]), match[3].strip(), label))
    return sorted(found)


class figure_list(nodes.General, nodes.Element):  # noqa: N801
    """Where the index of the book's own figures will stand."""


class FigureIndex(SphinxDirective):
    """The figures of the textbook that the gallery redraws, then the figures of the book."""

    def run(self) -> list[nodes.Node]:
        """Build the lists; the book's figures are known only when all pages are read."""
        self.env.note_dependency(__file__)
        for path in GALLERY.glob("*/plot_*.py"):
            self.env.note_dependency(path)
        items = nodes.bullet_list()
        for figure in textbook_figures():
            link = reference("std", "ref", figure.label, figure.title, self.env.docname)
            number = nodes.Text(f"Figure {figure.chapter}-{figure.number}: ")
            items += nodes.list_item("", nodes.paragraph("", "", number, link))
        return [
            nodes.rubric("", "Figures of the textbook, drawn anew in the gallery"),
            items,
            nodes.rubric("", "Figures of this book"),
            figure_list(),
        ]


def reference(domain: str, role: str, target: str, text: str, docname: str) -> nodes.Element:
    """A reference that Sphinx resolves."""
    return addnodes.pending_xref(
        "",
        nodes.inline(text, text),
        refdomain=domain,
        reftype=role,
        reftarget=target,
        refdoc=docname,
        refexplicit=True,
        refwarn=True,
    )


def captioned(doctree: nodes.document) -> Iterator[tuple[str, list[nodes.Node]]]:
    """The named figures of a page: their ids and captions."""
    for node in doctree.findall(nodes.figure):
        captions = [child for child in node.children if isinstance(child, nodes.caption)]
        if node["names"] and captions:
            yield node["names"][0], captions[0].children


def collect(app: Sphinx, doctree: nodes.document) -> None:
    """Keep the figures of a page for the index."""
    found = [
        (name, [child.deepcopy() for child in caption]) for name, caption in captioned(doctree)
    ]
    app.env.book_figures[app.env.docname] = found


class ListFigures(SphinxPostTransform):
    """Fill the index of the book's figures, before references are resolved."""

    default_priority = 5

    def run(self, **options: Any) -> None:
        """Replace the mark by the list."""
        for mark in list(self.document.findall(figure_list)):
            items = nodes.bullet_list()
            for docname in self.env.toc_fignumbers:
                for name, caption in self.env.book_figures.get(docname, ()):
                    items += self.item(name, caption)
            mark.replace_self(items if len(items) else [])

    def item(self, name: str, caption: list[nodes.Node]) -> nodes.list_item:
        """One line of the index: the figure's number, a link, and its caption."""
        link = reference("std", "numref", name, "", self.env.docname)
        link["refexplicit"] = False
        text = nodes.paragraph("", "", link, nodes.Text(": "), *(n.deepcopy() for n in caption))
        for copied in text.findall(addnodes.pending_xref):
            copied["refdoc"] = self.env.docname  # links lead from here, no longer from their page
        return nodes.list_item("", text)


def prepare(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Make room for the figures of the pages."""
    env.book_pages_read = bool(docnames)
    if not hasattr(env, "book_figures"):
        env.book_figures = {}


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget a page's figures before it is read again."""
    getattr(env, "book_figures", {}).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    """Take over what another process has read."""
    for docname in docnames & other.book_figures.keys():
        env.book_figures[docname] = other.book_figures[docname]


def write_index_again(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """The index follows every page: write it anew whenever one has been read."""
    return ["figures"] if env.book_pages_read and "figures" in env.all_docs else []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the index and the check."""
    app.add_node(figure_list)
    app.add_directive("figure-index", FigureIndex)
    app.add_post_transform(ListFigures)
    app.connect("doctree-read", check_alt_texts)
    app.connect("doctree-read", collect)
    app.connect("env-before-read-docs", prepare)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", write_index_again)
    return {"env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
