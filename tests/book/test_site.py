"""The files of the built book: pictures, links, mathematics, nothing from elsewhere."""

import functools
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from ketkar.equations import equations, functions_of


class Page(HTMLParser):
    """What a page loads, links to, names, and shows as pictures."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loads, self.names, self.pictures = [], [], set(), []
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if "id" in given:
            self.names.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload", "modulepreload"):
            self.loads.append(given["href"])
        if tag in ("script", "img", "iframe", "source", "video", "audio") and given.get("src"):
            self.loads.append(given["src"])
        if tag == "img":
            self.pictures.append((given.get("src"), given.get("alt")))


@pytest.fixture(scope="module")
def pages(site):
    return {path.relative_to(site).as_posix(): Page(path) for path in sorted(site.rglob("*.html"))}


def test_nothing_is_loaded_from_elsewhere(pages, site):
    for name, page in pages.items():
        outside = [load for load in page.loads if urlsplit(load).netloc]
        assert not outside, name
    for style in site.rglob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", style.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", text), style


def test_every_picture_has_an_alt_text(pages):
    for name, page in pages.items():
        for source, alt in page.pictures:
            decoration = "/_images/sphx_glr_" in source and "_thumb" in source
            logo = "logo__image" in page.text and "favicon" in source
            assert alt or decoration or logo, f"{name}: {source}"
            assert alt is not None, f"{name}: {source}"


def test_links_within_the_book_lead_somewhere(pages, site):
    @functools.cache
    def place(folder, path):
        """What a link from a folder names: a file, as the site names it, if it is there."""
        found = (site / folder / unquote(path)).resolve()
        return found.relative_to(site.resolve()).as_posix() if found.exists() else None

    broken = []
    for name, page in pages.items():
        folder = name.rpartition("/")[0]
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            found = place(folder, parts.path) if parts.path else name
            target = pages.get(found)
            fragment = unquote(parts.fragment)
            if found is None or (target and fragment and fragment not in target.names):
                broken.append(f"{name}: {link}")
    assert not broken


def test_every_equation_is_displayed_once_with_its_number_and_its_functions(pages):
    for key, row in equations().items():
        places = [name for name, page in pages.items() if f"equation-{key}" in page.names]
        assert len(places) == 1, (key, places)
        text = pages[places[0]].text
        shown = text[text.index(f'id="equation-{key}"') :].partition("</p>")[0]
        assert f'<span class="eqno">({row.number})' in shown
        for computes in functions_of(key):
            assert computes.__qualname__ in shown.partition("computed by")[2]


def test_an_equation_of_a_docstring_is_a_link(pages):
    text = pages["api/generated/ketkar.feedforward.unit.html"].text
    assert re.search(r'href="[^"]*03_feedforward/\w+\.html#equation-unit"[^>]*>\(3\.2\)<', text)


def test_formulas_carry_mathml_and_need_no_script(pages):
    page = pages["notation.html"]
    assert page.text.count("<math xmlns") > 20
    scripts = [load for load in page.loads if ".js" in load]
    assert scripts
    assert not [load for load in scripts if "mathjax" in load.lower() or "katex" in load.lower()]


def test_a_page_of_the_reference_shows_the_gallery(pages):
    text = pages["api/generated/ketkar.feedforward.sigmoid.html"].text
    assert "Examples in the gallery" in text
    assert "sphx-glr-thumbcontainer" in text


def test_the_textbook_s_figures_are_in_the_index(pages):
    text = pages["figures.html"].text
    for number in range(1, 11):
        assert f"Figure 3-{number}:" in text
