"""The built book in a real browser: no error, no outside request, no barrier, no overflow."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
# A formula's visible half is hidden from screen readers, and thousands of boxes deep.
RULES = """axe.run({exclude: [".katex-html"]}, %s).then(
    found => found.violations.map(rule => rule.id + ": " + rule.nodes.slice(0, 3).map(
        node => node.target.join(" ") + " [" + node.failureSummary.split("\\n").slice(1, 2) + "]"
    ).join("; ")))"""
# The dark pages differ from the light ones in nothing but colours.
OPTIONS = {"desktop": "{}", "dark": "{runOnly: ['color-contrast']}", "phone": "{}"}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
VIEWS = {
    "desktop": {},
    "dark": {"dark": True},
    "phone": {"width": 390, "height": 844},
}
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


@pytest.fixture(scope="module")
def chosen(site):
    written = [*site.glob("*.html"), *site.glob("[0-9][0-9]_*/*.html"), *site.glob("api/*.html")]
    written += site.glob("auto_gallery/*.html")
    names = {path.relative_to(site).as_posix() for path in written}
    return sorted(names.union(KINDS))


@pytest.mark.parametrize("view", VIEWS)
def test_pages_load_without_complaint_and_fit_the_window(chromium, address, chosen, view):
    faults = []
    for name in chosen:
        visit = chromium.open(address + name, **VIEWS[view])
        outside = [url for url in visit.requests if not url.startswith((address, "data:"))]
        overflow = chromium.evaluate(OVERFLOW)
        if visit.complaints or outside or overflow > 0:
            faults.append((name, visit.complaints, outside, overflow))
    assert not faults


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_pages_have_no_barrier_that_axe_finds(chromium, address, chosen, view):
    axe = AXE.read_text(encoding="utf-8")
    faults = {}
    for name in chosen:
        chromium.open(address + name, **VIEWS[view])
        chromium.evaluate("document.querySelectorAll('details.fold').forEach(d => d.open = true)")
        chromium.evaluate(axe + "; true")
        if found := chromium.evaluate(RULES % OPTIONS[view]):
            faults[name] = found
    assert not faults


def test_a_link_to_an_equation_shows_the_equation(chromium, address):
    chromium.open(address + "equations.html")
    shown = chromium.evaluate(
        """new Promise(done => {
            document.querySelector(".equation-index a[href*='#equation-']").focus();
            const preview = () => document.querySelector(".book-preview")?.textContent ?? "";
            setTimeout(() => done(preview()), 1500);
        })"""
    )
    assert "(3.1)" in shown
    closed = chromium.evaluate(
        """document.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true})),
        document.querySelector(".book-preview") === null"""
    )
    assert closed


def test_the_search_finds_a_function(chromium, address):
    chromium.open(address + "search.html?q=softmax")
    count = chromium.evaluate(
        """new Promise(done => setTimeout(
            () => done(document.querySelectorAll("#search-results li").length), 2500))"""
    )
    assert count > 3
