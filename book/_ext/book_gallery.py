"""How the gallery's scripts are run: their style, their order, their figures and alt texts.

A script says in a comment, in the block that draws it, what its figure shows; without it the
build fails. A figure that redraws one of the textbook says which::

    # Textbook figure 3-6: Sigmoid function
    # Alt text: An S-shaped curve from 0 to 1, steepest at zero.

The figure of a :class:`matplotlib.animation.Animation` becomes a player in the page itself. It
waits until it is started, works from the keyboard and asks no other host for anything.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import book_style
import matplotlib
from sphinx.errors import ExtensionError

ALT_TEXT = re.compile(r"^# Alt text: *(.*(?:\n# *\S.*)*)", re.MULTILINE)
# An image's alt text in reStructuredText, or the image of one of Matplotlib's players.
FIGURE = re.compile(r':alt:.*|<img id="_anim_img(\w+)">')
TEXTBOOK = re.compile(r"^# Textbook figure (\d+)-(\d+): *(.+)$", re.MULTILINE)


def alt_texts(code: str) -> list[str]:
    """The alt texts that the comments of a code block give, each on one line."""
    return [re.sub(r"\n# *", " ", match[1]).strip() for match in ALT_TEXT.finditer(code)]


def scraper(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the figures of a code block as SVG, with the alt texts of its comments."""
    from sphinx_gallery.scrapers import matplotlib_scraper

    settings = {**gallery_conf, "matplotlib_animations": (True, "jshtml")}
    look = {"format": "svg", "bbox_inches": "tight", "metadata": {"Date": None}}
    # A figure without layout engine would take this one when its first frame has been saved.
    own = {"animation.writer": "pillow", "figure.constrained_layout.use": False}
    with matplotlib.rc_context(own):
        rst = matplotlib_scraper(block, block_vars, settings, **look)
    texts = alt_texts(block.content)
    found = len(FIGURE.findall(rst))
    if found != len(texts):
        raise ExtensionError(
            f"{block_vars['src_file']}, block at line {block.lineno}: {found} figures but "
            f"{len(texts)} comments '# Alt text: ...'"
        )
    remaining = iter(texts)

    def described(figure: re.Match[str]) -> str:
        if not figure[1]:
            return f":alt: {next(remaining)}"
        return f'<img id="_anim_img{figure[1]}" alt="{html.escape(next(remaining))}">'

    name = f"{Path(block_vars['src_file']).stem}_{block.lineno}"
    return repair_players(FIGURE.sub(described, rst), name)


def repair_players(rst: str, name: str) -> str:
    """Mend Matplotlib's players: what they ask of other hosts, names, ids, width, first frame."""
    # The theme brings the icons of the buttons.
    rst = re.sub(r'<link rel="stylesheet"\s+href="https://[^>]*>', "", rst)
    rst = rst.replace('type="range"', 'type="range" aria-label="Frame"')
    rst = rst.replace("width: 374px;", "width: 374px; max-width: 100%;")
    # The Enter key would send the form, and load the page anew.
    rst = rst.replace('action="#n"', 'onsubmit="return false"')
    # Ids are random; two builds should give the same page.
    for number, own in enumerate(re.findall(r'<img id="_anim_img(\w+)"', rst)):
        rst = rst.replace(own, f"_{name}_{number}")

    def started(player: re.Match[str]) -> str:
        first = re.sub(r"[\\\s]", "", player[2])
        return f'<img src="{first}"' + player[1].removeprefix("<img")

    # Without JavaScript, the first frame is to be seen.
    return re.sub(r'(<img id="_anim_img.*?frames\[0\] = "([^"]*)")', started, rst, flags=re.DOTALL)


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
