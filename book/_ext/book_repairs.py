"""Repairs of the tools the book is built with, and the only place that uses their inner names.

Each has a reason beside it and a test in ``tests/book``. On an upgrade, try without it first.
"""

from __future__ import annotations

import math
import re
from typing import Any

from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

CHAPTER = re.compile(r"(\d\d)_\w+/")
NUMBERED_BY_CHAPTER = ("figure", "exercise", "table", "code-block")


def make_cache(app: Sphinx) -> None:
    """Make the notebook cache's database before several processes try to at once."""
    if app.config.nb_execution_mode == "cache":
        get_cache(app.config.nb_execution_cache_path).db.dispose()


def spread(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Mix the pages, which Sphinx hands out to its processes in runs, sorted by name.

    Unmixed, the pages of a chapter, which compute, are one run, and while one process reads it the
    others have nothing left to do.
    """
    stride = max(1, math.isqrt(len(docnames)))
    docnames[:] = [name for first in range(stride) for name in docnames[first::stride]]


# Sphinx numbers chapters by their place in the contents; here the folder 05_convolutional is
# chapter 5 whether or not chapter 4 is there. Sphinx counts figures through the whole book, and
# compares with the last build what it has counted: it gets its own numbers back before it does.


def restore_numbers(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Give Sphinx the numbers that it counted in the last build."""
    env.toc_fignumbers = getattr(env, "book_counted", env.toc_fignumbers)


def number_by_chapter(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Number figures and exercises from 1 in each chapter, as 3.1, 3.2, ..."""
    env.book_counted = env.toc_fignumbers
    last: dict[tuple[str, str], int] = {}
    numbers: dict[str, dict[str, dict[str, tuple[int, ...]]]] = {}
    for docname, kinds in env.toc_fignumbers.items():
        numbers[docname] = {kind: dict(found) for kind, found in kinds.items()}
        match = CHAPTER.match(docname)
        if not match:
            continue
        for kind in NUMBERED_BY_CHAPTER:
            for node_id in kinds.get(kind, ()):
                last[match[1], kind] = last.get((match[1], kind), 0) + 1
                numbers[docname][kind][node_id] = (int(match[1]), last[match[1], kind])
    env.toc_fignumbers = numbers
    return []


# What axe-core finds wrong in the pages of Sphinx, MyST-NB and the theme.
IN_BODY = (
    # docutils: roles that ARIA has deprecated, or that may not stand on their element
    (re.compile(r'<div role="list" class="([^"]*-list[^"]*)">'), r'<div class="\1">'),
    (re.compile(r' role="doc-(?:biblioentry|endnote)"'), ""),
)
UNNAMED_SUMMARY = re.compile(r'<summary>(?=<span class="toctree-toggle")')
NAMED_SUMMARY = '<summary aria-label="Show or hide the pages below">'


def repair_page(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Mend a page just before it is written."""
    if "body" in context:
        for pattern, replacement in IN_BODY:
            context["body"] = pattern.sub(replacement, context["body"])
    tree = context.get("generate_toctree_html")
    if tree:

        def with_named_summaries(*args: Any, **kwargs: Any) -> Any:
            made = tree(*args, **kwargs)
            return UNNAMED_SUMMARY.sub(NAMED_SUMMARY, str(made)) if made else made

        context["generate_toctree_html"] = with_named_summaries


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the repairs."""
    app.connect("builder-inited", make_cache)
    app.connect("env-before-read-docs", restore_numbers)
    app.connect("env-before-read-docs", spread)
    app.connect("env-get-updated", number_by_chapter, priority=900)
    app.connect("html-page-context", repair_page, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
