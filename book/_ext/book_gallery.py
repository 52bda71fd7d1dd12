"""How the gallery's scripts are run: their style, their order, their figures and alt texts.

A script says in a comment, in the block that draws it, what its figure shows; without it the
build fails. A figure that redraws one of the textbook says which::

    # Textbook figure 3-6: Sigmoid function
    # Alt text: An S-shaped curve from 0 to 1, steepest at zero.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import book_style
from sphinx.errors import ExtensionError

ALT_TEXT = re.compile(r"^# Alt text: *(.*(?:\n# *\S.*)*)", re.MULTILINE)
TEXTBOOK = re.compile(r"^# Textbook figure (\d+)-(\d+): *(.+)$", re.MULTILINE)


def alt_texts(code: str) -> list[str]:
    """The alt texts that the comments of a code block give, each on one line."""
    return [re.sub(r"\n# *", " ", match[1]).strip() for match in ALT_TEXT.finditer(code)]


def scraper(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the figures of a code block as SVG, with the alt texts of its comments."""
    from sphinx_gallery.scrapers import matplotlib_scraper

    rst = matplotlib_scraper(
        block, block_vars, gallery_conf, format="svg", bbox_inches="tight", metadata={"Date": None}
    )
    texts = alt_texts(block.content)
    found = re.findall(r":alt:.*", rst)
    if len(found) != len(texts):
        raise ExtensionError(
            f"{block_vars['src_file']}, block at line {block.lineno}: {len(found)} figures but "
            f"{len(texts)} comments '# Alt text: ...'"
        )
    remaining = iter(texts)
    return re.sub(r":alt:.*", lambda _: f":alt: {next(remaining)}", rst)


def reset(gallery_conf: dict[str, Any], script: str) -> None:
    """Start each script in the book's style."""
    book_style.apply()


class TextbookOrder:
    """Sort the scripts of a chapter: the textbook's figures by number, then the others by name."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def __call__(self, name: str) -> tuple[int, int, str]:
        """The place of a script."""
        match = TEXTBOOK.search((self.folder / name).read_text(encoding="utf-8"))
        return (int(match[1]), int(match[2]), name) if match else (10**6, 0, name)
