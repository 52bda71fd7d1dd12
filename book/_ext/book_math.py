"""Mathematics, rendered by KaTeX while the book is built.

The pages carry finished HTML, and MathML for screen readers: no script runs in the browser and
nothing is fetched from elsewhere. KaTeX is JavaScript; the quickjs wheel runs it, so that no Node
is needed. A formula that KaTeX does not understand is a warning with its place, which fails the
build.
"""

from __future__ import annotations

import functools
import html
import json
import re
from pathlib import Path
from typing import Any

import quickjs
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

log = logging.getLogger(__name__)
KATEX = Path(__file__).resolve().parents[1] / "_vendor" / "katex" / "katex.min.js"
NEW_LINE = re.compile(r"\\\\(?![a-zA-Z])")
SELF_NUMBERING = re.compile(r"\\(begin|end)\{(equation|align|gather|alignat)\}")


@functools.cache
def engine(macros: str) -> Any:
    """KaTeX, loaded once a process: a function (tex, display) that gives HTML."""
    context = quickjs.Context()
    context.eval(KATEX.read_text(encoding="utf-8"))
    return context.eval(
        "(tex, display) => katex.renderToString(tex, {displayMode: display, throwOnError: true,"
        f" strict: 'ignore', output: 'htmlAndMathml', macros: {macros}}})"
    )


@functools.cache
def render(macros: str, tex: str, display: bool) -> str:
    """The HTML of a formula."""
    return engine(macros)(tex, display)


def render_or_warn(writer: Any, node: nodes.Element, tex: str, display: bool) -> str:
    """The HTML of a node's formula; where KaTeX refuses it, its source and a warning."""
    try:
        return render(json.dumps(writer.config.katex_macros), tex, display)
    except quickjs.JSException as error:
        reason = str(error).splitlines()[0]
        log.warning("KaTeX: %s in %r", reason, tex, location=node, type="katex")
        return f"<code>{html.escape(tex)}</code>"


def display_source(node: nodes.math_block) -> str:
    """What KaTeX is given: lines are aligned, and no environment numbers itself."""
    text = node.astext().strip()
    if node.get("no-wrap", node.get("nowrap", False)):
        return SELF_NUMBERING.sub(r"\\\1{\2*}", text)
    if NEW_LINE.search(text) and r"\begin" not in text:
        return rf"\begin{{split}}{text}\end{{split}}"
    return text


def visit_inline(writer: Any, node: nodes.math) -> None:
    """Write a formula of a sentence."""
    writer.body.append(writer.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    writer.body.append(render_or_warn(writer, node, node.astext(), False) + "</span>")
    raise nodes.SkipNode


def visit_block(writer: Any, node: nodes.math_block) -> None:
    """Write a displayed formula: it scrolls by itself where it is wide, its number stays."""
    number = get_node_equation_number(writer, node) if node["number"] else ""
    label = f"Equation {number}" if number else "Formula"
    writer.body.append(writer.starttag(node, "div", CLASS="math notranslate nohighlight"))
    writer.body.append(f'<div class="math-scroll" tabindex="0" role="group" aria-label="{label}">')
    writer.body.append(render_or_warn(writer, node, display_source(node), True) + "</div>")
    if number:
        writer.body.append(f'<span class="eqno">({number})')
        writer.add_permalink_ref(node, "Link to this equation")
        writer.body.append("</span>")
    writer.body.append("</div>\n")
    raise nodes.SkipNode


def add_style(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Load KaTeX's style sheet on the pages that hold a formula."""
    if 'class="katex' in context.get("body", ""):
        app.add_css_file("katex/katex.min.css")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_block, None))
    app.add_config_value("katex_macros", {}, "env", types=frozenset({dict}))
    app.connect("html-page-context", add_style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
