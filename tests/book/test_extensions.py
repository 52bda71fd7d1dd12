"""The book's own directives and checks, on small books made for each test."""

import importlib
import io
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import ketkar
from ketkar.equations import equations

pytest.importorskip("sphinx", reason="the book's tools are in the extra `book`")
pytest.importorskip("myst_nb", reason="the book's tools are in the extra `book`")
pytestmark = pytest.mark.filterwarnings(
    # What the tools say to each other about their own future.
    "ignore::DeprecationWarning",
    "ignore::PendingDeprecationWarning",
    "ignore::ResourceWarning",
)

ROOT = Path(__file__).resolve().parents[2]
EXTENSIONS = ["book_math", "book_equations", "book_blocks", "book_figures", "book_repairs"]
API = """
.. py:module:: ketkar.feedforward
.. py:function:: unit
.. py:function:: dense
"""


@pytest.fixture(autouse=True)
def _extensions_are_importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))


@pytest.fixture
def build(tmp_path):
    """Build a book from {file: text}; give its pages and its warnings."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    def run(pages, **settings):
        source = tmp_path / "book"
        for name, text in pages.items():
            path = source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        warnings = io.StringIO()
        config = {
            "extensions": ["myst_nb", *EXTENSIONS],
            "source_suffix": {".rst": "restructuredtext", ".md": "myst-nb"},
            "myst_enable_extensions": ["colon_fence", "dollarmath"],
            "nb_execution_mode": "off",
            "numfig": True,
            "numfig_secnum_depth": 0,
            "math_numfig": False,
            "html_math_renderer": "katex",
            "nitpicky": True,
            **settings,
        }
        out = tmp_path / "out"
        with patch_docutils(), docutils_namespace():
            app = Sphinx(
                source, None, out, tmp_path / "doctrees", "html", confoverrides=config,
                status=None, warning=warnings, freshenv=True,
            )  # fmt: skip
            app.build()
        found = {p.relative_to(out).as_posix(): p.read_text("utf-8") for p in out.rglob("*.html")}
        text = re.sub(r"\x1b\[[\d;]*m", "", warnings.getvalue())
        return SimpleNamespace(pages=found, warnings=text)

    return run


def index(*names):
    """A front page that lists the others."""
    return "# Book\n\n```{toctree}\n" + "\n".join(names) + "\n```\n"


def shown(key, tex="y = x"):
    """The markup of an equation of the table."""
    return f"```{{equation}} {key}\n{tex}\n```\n"


def test_an_equation_has_the_number_of_the_table_and_names_its_functions(build):
    book = build(
        {
            "index.md": index("one", "two", "api"),
            "one.md": "# One\n\nAs {eq}`layer` says.\n",
            "two.md": "# Two\n\n" + shown("layer", r"y = f(x W + b)"),
            "api.rst": "API\n===\n" + API,
        }
    )
    assert not book.warnings
    assert '<span class="eqno">(3.7)' in book.pages["two.html"]
    line = book.pages["two.html"].partition('class="computed-by"')[2].partition("</p>")[0]
    assert "A layer in vector form" in line
    assert 'href="api.html#ketkar.feedforward.dense"' in line
    assert re.search(r'href="two.html#equation-layer">\(3\.7\)', book.pages["one.html"])


def test_orphans_and_doubles_are_warnings(build, monkeypatch):
    book = build(
        {
            "index.md": index("03_feedforward/index", "other", "api"),
            "03_feedforward/index.md": "# Chapter\n\n" + shown("unit") + shown("no-such"),
            "other.md": "# Other\n\n" + shown("unit") + "$$a = b$$ (mine)\n",
            "api.rst": "API\n===\n" + API,
        }
    )
    assert "no equation 'no-such' in ketkar/equations.toml" in book.warnings
    assert "equation 'unit' is displayed on 03_feedforward/index too" in book.warnings
    assert "only equations of ketkar/equations.toml are numbered" in book.warnings
    missing = re.findall(r"equation \((3\.\d+)\) '\S+' is displayed nowhere", book.warnings)
    chapter = [row for row in equations().values() if row.chapter == 3]
    assert missing == [row.number for row in chapter if row.key != "unit"]


def test_an_equation_without_a_function_is_a_warning(build, monkeypatch):
    monkeypatch.setattr(importlib.import_module("book_equations"), "functions_of", lambda key: ())
    book = build({"index.md": "# Book\n\n" + shown("unit")})
    assert "equation 'unit' is computed by no function" in book.warnings


def test_every_equation_of_the_table_has_a_function():
    from ketkar.equations import functions_of

    assert all(functions_of(key) for key in equations())


def test_a_bad_formula_is_a_warning_with_its_place(build):
    book = build({"index.md": "# Book\n\nA formula $\\nosuchcommand{x}$ here.\n"})
    assert re.search(r"index\.md:3: WARNING: KaTeX: .*nosuchcommand", book.warnings)
    assert book.warnings.count("WARNING") == 1


def test_formulas_are_finished_html_with_mathml(build):
    book = build({"index.md": "# Book\n\n$$\na &= b \\\\\nc &= d\n$$\n"})
    assert not book.warnings
    assert "<math xmlns" in book.pages["index.html"]
    assert 'href="_static/katex/katex.min.css' in book.pages["index.html"]


EXERCISE = """---
file_format: mystnb
kernelspec:
  name: python3
  display_name: Python 3
---

# Page

:::{exercise} By hand
:label: ex-%(name)s

Compute.
:::

See {numref}`ex-%(name)s`.

:::{solution-start} ex-%(name)s
:::

It is so:

```{code-cell} ipython3
1 + 1
```

:::{solution-end}
:::

After.
"""


def test_exercises_are_numbered_by_chapter_and_solutions_hold_cells(build):
    book = build(
        {
            "index.md": index("03_feedforward/a", "05_convolutional/b", "05_convolutional/c"),
            "03_feedforward/a.md": EXERCISE % {"name": "a"},
            "05_convolutional/b.md": EXERCISE % {"name": "b"},
            "05_convolutional/c.md": EXERCISE % {"name": "c"},
        },
        nb_execution_mode="force",
    )
    # The folder of chapter 3 is there, so its equations are missed; that is all.
    assert set(re.findall(r"WARNING: (\w+)", book.warnings)) == {"equation"}
    for page, number in {"03_feedforward/a": "3.1", "05_convolutional/c": "5.2"}.items():
        text = book.pages[page + ".html"]
        assert re.search(rf">Exercise {number} <", text)
        assert re.search(rf">Exercise {number}</span></a>", text)
        fold = text.partition("<details")[2].partition("</details>")
        assert f"<summary>Solution for Exercise {number}</summary>" in fold[0]
        assert "1 + 1" in re.sub("<[^>]*>", "", fold[0])
        assert 'class="cell_output' in fold[0]
        assert "After." in fold[2]


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (":::{solution-start} ex-a\n:::\n\nText\n", "must stand in pairs"),
        (":::{solution-end}\n:::\n", "must stand in pairs"),
        (":::{hint} ex-none\nText\n:::\n", "hint of an unknown exercise 'ex-none'"),
        (":::{exercise}\nText\n:::\n", "an exercise needs a :label:"),
        ("```{image} picture.svg\n```\n", "a figure without alt text"),
        (":::{note}\n```{code-cell} ipython3\n1\n```\n:::\n", "code-cell"),
    ],
)
def test_wrong_markup_is_a_warning(build, text, warning):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
    book = build({"index.md": "# Book\n\n" + text, "picture.svg": svg})
    assert warning in book.warnings


def test_boxes_have_their_titles(build):
    text = "# Book\n\n:::{errata}\nWrong.\n:::\n\n:::{mistakes}\nOften.\n:::\n"
    book = build({"index.md": text})
    assert not book.warnings
    assert re.search(r'class="errata admonition">\s*<p class="admonition-title">Errata<',
                     book.pages["index.html"])  # fmt: skip
    assert ">Common mistakes<" in book.pages["index.html"]


def test_figures_are_listed_with_their_numbers(build):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
    figure = "```{figure} ../picture.svg\n:name: fig-%s\n:alt: A point.\n\nThe point $x$.\n```\n"
    book = build(
        {
            "index.md": index("05_convolutional/a", "05_convolutional/b", "figures"),
            "picture.svg": svg,
            "05_convolutional/a.md": "# A\n\n" + figure % "one",
            "05_convolutional/b.md": "# B\n\n" + figure % "two",
            "figures.md": "# Figures\n\n```{figure-index}\n```\n",
        }
    )
    # The gallery and the chapter's equations are no part of this small book.
    absent = re.compile("sphx_glr|is displayed nowhere in chapter 5")
    assert not [line for line in book.warnings.splitlines() if not absent.search(line)]
    listed = book.pages["figures.html"].partition("Figures of this book")[2]
    assert re.search(r'href="05_convolutional/a.html#fig-one".*?5\.1', listed, re.DOTALL)
    assert re.search(r'href="05_convolutional/b.html#fig-two".*?5\.2', listed, re.DOTALL)


def test_numbers_in_docstrings_become_links(tmp_path):
    book_equations = importlib.import_module("book_equations")
    (tmp_path / "03_feedforward").mkdir()
    app = SimpleNamespace(env=SimpleNamespace(srcdir=tmp_path))
    lines = [
        "Equations (3.6) one unit, (3.7) a layer.",
        ">>> round(3.7), (3.7)",
        "The value f(3.7) and ``(3.7)`` are code; (9.9) is unknown; (5.1) is not written yet.",
    ]
    book_equations.link_docstring(app, "function", "f", None, None, lines)
    assert lines[0] == "Equations :eq:`layer-unit` one unit, :eq:`layer` a layer."
    assert lines[1] == ">>> round(3.7), (3.7)"
    assert ":eq:" not in lines[2]


@pytest.fixture
def scrape(tmp_path):
    """Let the gallery take the open figures of a block of a script; give their markup."""
    pytest.importorskip("sphinx_gallery")
    pytest.importorskip("matplotlib")
    from sphinx_gallery.scrapers import ImagePathIterator

    settings = {
        "src_dir": str(tmp_path), "image_srcset": (), "matplotlib_animations": (False, None),
        "compress_images": (), "compress_images_args": (), "thumbnail_size": (80, 60),
    }  # fmt: skip

    def run(code, **variables):
        block = SimpleNamespace(content=code, lineno=7)
        known = {
            "image_path_iterator": ImagePathIterator(tmp_path / "sphx_glr_plot_a_{:03d}.png"),
            "src_file": "plot_a.py",
            "example_globals": variables,
        }
        return importlib.import_module("book_gallery").scraper(block, known, settings)

    return run


def test_the_gallery_wants_an_alt_text_for_each_figure(tmp_path, scrape):
    from matplotlib import pyplot as plt
    from sphinx.errors import ExtensionError

    plt.subplots()
    rst = scrape("plt.subplots()\n# Alt text: Two empty axes, one\n# beside the other.\nplt.show()")
    assert ":alt: Two empty axes, one beside the other.\n" in rst
    assert (tmp_path / "sphx_glr_plot_a_001.svg").exists()
    plt.subplots()
    with pytest.raises(ExtensionError, match=r"plot_a\.py, block at line 7: 1 figures but 0"):
        scrape("plt.subplots()")


def test_an_animation_is_a_player_that_needs_no_other_host_and_no_mouse(scrape):
    pytest.importorskip("matplotlib")
    from matplotlib import pyplot as plt
    from matplotlib.animation import FuncAnimation

    def player():
        fig, ax = plt.subplots(figsize=(1, 1))
        (line,) = ax.plot([0, 1])
        moving = FuncAnimation(fig, lambda k: line.set_ydata([0, k]), frames=3, interval=500)
        return scrape('# Alt text: A line that "rises" & falls.\nplt.show()', moving=moving)

    rst = player()
    assert ".. raw:: html" in rst
    assert not re.findall(r"(?:href|src)=[\"'](?!data:)", rst)
    assert 'alt="A line that &quot;rises&quot; &amp; falls."' in rst
    assert re.search(r'<img src="data:image/png;base64,[\w+/=]+" id="_anim_img_plot_a_7_0"', rst)
    assert len(re.findall(r"frames\[\d\] =", rst)) == 3
    assert re.search(r'type="range" aria-label="\w+"', rst)
    assert 'onsubmit="return false"' in rst
    assert rst == player()  # no random ids


def test_the_textbook_s_figures_come_first_and_in_order(tmp_path):
    pytest.importorskip("matplotlib")
    order = importlib.import_module("book_gallery").TextbookOrder(str(tmp_path))
    for name, text in {
        "plot_a.py": "x = 1\n",
        "plot_b.py": "# Textbook figure 3-10: Last\n",
        "plot_c.py": "# Textbook figure 3-2: First\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    names = sorted(("plot_a.py", "plot_b.py", "plot_c.py"), key=order)
    assert names == ["plot_c.py", "plot_b.py", "plot_a.py"]


def rooms():
    """The packages that the front page of ketkar names."""
    return [name for name in ketkar.__all__ if hasattr(getattr(ketkar, name), "__path__")]


@pytest.mark.parametrize("room", rooms())
def test_the_reference_lists_every_public_name_once(room):
    book_api = importlib.import_module("book_api")
    page = ROOT / "book" / "api" / f"{room}.md"
    assert f".. api:: ketkar.{room}\n" in page.read_text(encoding="utf-8")
    module = importlib.import_module(f"ketkar.{room}")
    listed = [name for names in book_api.by_module(module).values() for name in names]
    assert sorted(listed) == sorted(module.__all__)


def test_pages_of_the_reference_differ_in_more_than_case():
    book_api = importlib.import_module("book_api")
    app = SimpleNamespace(config=SimpleNamespace(autosummary_filename_map={}))
    for room in rooms():
        module = f"ketkar.{room}"
        names = book_api.public_names(sys.modules[module])
        files = [book_api.file_of(app, module, name).lower() for name in names]
        assert len(set(files)) == len(files)


def test_pages_of_a_chapter_are_not_read_one_after_the_other():
    repairs = importlib.import_module("book_repairs")
    names = sorted(f"{chapter}/page{k:02}" for chapter in "abcd" for k in range(25))
    mixed = names.copy()
    repairs.spread(None, None, mixed)
    assert sorted(mixed) == names
    for first in range(0, 100, 20):  # what a process is given at once
        assert {name[0] for name in mixed[first : first + 20]} == set("abcd")
