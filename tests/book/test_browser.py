"""The built book in a real browser: no error, no outside request, no barrier, no overflow."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
AXE = HERE / "vendor" / "axe.min.js"
# A formula's visible half is hidden from screen readers, and thousands of boxes deep.
RULES = """axe.run({exclude: [".katex-html"]}, {resultTypes: ["violations"]}).then(
    found => found.violations.map(rule => rule.id + ": " + rule.nodes.slice(0, 3).map(
        node => node.target.join(" ") + " [" + node.failureSummary.split("\\n").slice(1, 2) + "]"
    ).join("; ")))"""
# What comes again and again is looked at once: of the words of a program that have the same class,
# and so the same colours, one is left, and of the long index the beginning of each letter. The
# boxes of a formula are hidden from screen readers; its unbreakable parts keep their size. Colours
# change at once.
ONCE = """
document.head.append(Object.assign(document.createElement("style"),
    {textContent: "* { transition: none !important; }"}));
document.querySelectorAll("details.fold").forEach(fold => fold.open = true);
const parts = [...document.querySelectorAll(".katex-html .katex-base")];
if (!parts.length && document.querySelector(".katex-html"))
    throw Error("KaTeX calls the parts of a formula otherwise");
const sizes = parts.map(part => part.getBoundingClientRect());
parts.forEach((part, k) => {
    Object.assign(part.style, {display: "inline-block", width: `${sizes[k].width}px`,
                               height: `${sizes[k].height}px`});
    part.replaceChildren();
});
document.querySelectorAll("pre").forEach(program => {
    const seen = new Set();
    program.querySelectorAll("span").forEach(word => {
        const look = word.parentNode.className + " > " + word.className;
        if (word.children.length || word.parentNode.localName === "a") return;
        if (seen.has(look)) word.replaceWith(word.textContent);
        else seen.add(look);
    });
    program.normalize();
});
document.querySelectorAll(".genindextable li:nth-child(n + 4)").forEach(item => item.remove());
"""
# Every page lists all pages. Where that has been looked at, only the way to this page is left.
SHORT_LIST = """
document.querySelectorAll(".bd-sidebar-primary li:not(.current)").forEach(item => item.remove());
"""
# What a formula says to a screen reader depends neither on colours nor on the window.
SAID = """
document.querySelectorAll(".katex-mathml").forEach(said => said.textContent = said.textContent);
"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# A moment after the window has changed, a script of the theme makes what now scrolls focusable.
SCROLLED_BY_KEYS = """[...document.querySelectorAll("pre")].every(
    program => program.scrollWidth <= program.clientWidth || program.tabIndex === 0)"""
DESKTOP, PHONE = (1280, 900), (390, 844)

# Of the pages that a template makes, one of each kind stands for all.
KINDS = (
    "api/generated/ketkar.feedforward.dense.html",
    "api/generated/ketkar.feedforward.DenseGrads.html",
    "api/generated/ketkar.network.Chain-class.html",
    "auto_gallery/03_feedforward/plot_fig_3_06_sigmoid.html",
    "auto_gallery/03_feedforward/plot_backprop.html",
    "auto_gallery/03_feedforward/index.html",
    "_modules/ketkar/feedforward/unit.html",
)
CHAPTERS = sorted(folder.name for folder in (HERE.parents[1] / "book").glob("[0-9][0-9]_*"))
PARTS = [
    "kinds",
    *(pytest.param(name, marks=pytest.mark.slow) for name in (*CHAPTERS, "front", "api")),
]


def pages_of(site, part):
    """The pages of a folder of the book, or those that stand for others."""
    if part == "kinds":
        return KINDS
    patterns = {"front": ("*.html", "auto_gallery/*.html")}.get(part, (f"{part}/*.html",))
    found = {path.relative_to(site).as_posix() for name in patterns for path in site.glob(name)}
    assert found, f"the book has no page in {part}"
    return sorted(found)


def faults_of(browser, address, visit):
    """What a page complained of and asked of others, and whether it fits the window."""
    outside = [url for url in visit.requests if not url.startswith((address, "data:"))]
    return visit.complaints + outside + too_wide(browser)


def too_wide(browser):
    """How far the page reaches out of the window, as a fault."""
    overflow = browser.evaluate(OVERFLOW)
    return [f"{overflow} pixels too wide"] if overflow > 0 else []


def barriers(browser, name):
    """What axe finds on the page that is open: on a desktop, and in the dark on a phone."""
    short = "" if name.endswith("index.html") else SHORT_LIST
    browser.evaluate(ONCE + short + AXE.read_text(encoding="utf-8"))
    found = browser.evaluate(RULES)
    browser.evaluate(SAID)
    # in the dark other colours show, and on a phone other buttons, and other parts scroll
    browser.colours(dark=True)
    browser.resize(*PHONE)
    browser.until(SCROLLED_BY_KEYS, seconds=2)
    found += [f"dark, on a phone: {fault}" for fault in browser.evaluate(RULES)]
    return found


@pytest.mark.parametrize("part", PARTS)
def test_pages_have_no_fault_and_no_barrier(chromium, address, site, part):
    faults = {}
    for name in pages_of(site, part):
        found = faults_of(chromium, address, chromium.open(address + name))
        chromium.resize(*PHONE)
        found += too_wide(chromium)
        chromium.resize(*DESKTOP)
        found += barriers(chromium, name)
        if found:
            faults[name] = found
    assert not faults


@pytest.mark.parametrize("way", [{"dark": True}, {"window": PHONE}], ids=["dark", "phone"])
def test_pages_that_are_opened_so_have_no_fault(chromium, address, site, way):
    faults = {}
    for name in (*KINDS, *pages_of(site, "front")):
        found = faults_of(chromium, address, chromium.open(address + name, **way))
        theme = chromium.evaluate("document.documentElement.dataset.theme")
        if theme != ("dark" if "dark" in way else "light"):
            found.append(f"its colours are {theme}")
        if found:
            faults[name] = found
    assert not faults


def test_a_link_to_an_equation_shows_the_equation(chromium, address):
    chromium.open(address + "equations.html")
    chromium.evaluate("document.querySelector(\".equation-index a[href*='#equation-']\").focus()")
    assert chromium.until("document.querySelector('.book-preview')?.textContent.includes('(3.1)')")
    closed = chromium.evaluate(
        """document.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true})),
        document.querySelector(".book-preview") === null"""
    )
    assert closed


def test_the_search_finds_a_function(chromium, address):
    chromium.open(address + "search.html?q=softmax")
    assert chromium.until("document.querySelectorAll('#search-results li').length > 3")
