"""How the book is built: ``python -m sphinx -n -W --keep-going -j 4 . _build/html``.

Sphinx reads from ``book/`` (see :func:`setup`), runs the scripts of ``gallery/`` and the cells of
the chapters, and takes the API reference from the docstrings of ``ketkar/``. What is special to
this book stands in ``book/_ext``.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
BUILD = ROOT / "_build"
EXTENSIONS = ROOT / "book" / "_ext"

# The book documents and runs this checkout, whatever is installed; notebook kernels and the
# gallery's workers are processes of their own and inherit the environment.
sys.path[:0] = [str(ROOT), str(EXTENSIONS)]
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(ROOT), str(EXTENSIONS), os.environ.get("PYTHONPATH")])
)
os.environ["KETKAR_QUIET"] = "1"
# Several of them run at once; if each had a thread for every processor, these would wait for each
# other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Kernels start with the book's style and draw in SVG. The gallery has Matplotlib use another
# backend, which they would inherit.
KERNEL_CONFIG = """\
import os
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
c = get_config()
c.InteractiveShellApp.exec_lines = ["__import__('book_style').apply()"]
c.InlineBackend.figure_formats = {"svg"}
c.InlineBackend.print_figure_kwargs = {"bbox_inches": "tight", "metadata": {"Date": None}}
c.HistoryManager.enabled = False
"""
os.environ["IPYTHONDIR"] = str(BUILD / "ipython")
_profile = BUILD / "ipython" / "profile_default"
_profile.mkdir(parents=True, exist_ok=True)
(_profile / "ipython_kernel_config.py").write_text(KERNEL_CONFIG, encoding="utf-8")

import ketkar  # noqa: E402

project = "Deep Learning with Python: a literate companion"
author = "The ketkar developers"
copyright = "2026, the ketkar developers"
version = release = ketkar.__version__
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx.ext.githubpages",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "sphinx_copybutton",
    "sphinxcontrib.bibtex",
    "book_math",
    "book_equations",
    "book_blocks",
    "book_figures",
    "book_api",
    "book_repairs",
]

# --- What is read ---------------------------------------------------------------------------
# Sphinx-Gallery writes .ipynb files of its own: only .md files are notebooks here.
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb"}
exclude_patterns = [
    "_*",
    "**/_*",
    *(f"auto_gallery/**.{end}" for end in ("ipynb", "py", "md5", "json", "zip")),
]
nitpicky = True


# --- Notebooks and gallery ------------------------------------------------------------------
def state_of_sources() -> str:
    """A hash of everything that cells and scripts depend on besides their own text."""
    files = [*(ROOT / "ketkar").rglob("*.py"), *(ROOT / "ketkar").rglob("*.toml")]
    files += [*(ROOT / "benchmarks").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.json")]
    digest = hashlib.sha256((KERNEL_CONFIG + sys.version).encode())
    for path in sorted([*files, EXTENSIONS / "book_gallery.py", EXTENSIONS / "book_style.py"]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


# Neither cache notices that the package has changed: for each state of it the notebooks get a
# cache of their own, and the gallery forgets which scripts it has run.
STATE = state_of_sources()
CACHES = BUILD / "jupyter_cache"
GALLERY = ROOT / "book" / "auto_gallery"
GALLERY_STATE = GALLERY / ".state"
if GALLERY.exists() and not (GALLERY_STATE.exists() and GALLERY_STATE.read_text() == STATE):
    for _done in GALLERY.rglob("*.md5"):
        _done.unlink()
GALLERY.mkdir(exist_ok=True)
GALLERY_STATE.write_text(STATE)

nb_execution_mode = "cache"
nb_execution_cache_path = str(CACHES / STATE)
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True
nb_output_stderr = "warn"
myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
# Prompts and trailing outputs are not copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": str(ROOT / "gallery"),
    "gallery_dirs": "auto_gallery",
    "backreferences_dir": "auto_gallery/backreferences",
    "doc_module": ("ketkar",),
    "filename_pattern": r"/plot_",
    "image_scrapers": ("book_gallery.scraper",),
    "reset_modules": ("matplotlib", "book_gallery.reset"),
    "within_subsection_order": "book_gallery.TextbookOrder",
    "capture_repr": (),
    "abort_on_example_error": True,
    "parallel": 2,
    "remove_config_comments": True,
    "write_computation_times": False,
    "min_reported_time": 1e9,
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": False,
}

# --- Numbers --------------------------------------------------------------------------------
# Figures and exercises are numbered by chapter (book_repairs); equations carry the numbers of
# ketkar/equations.toml (book_equations).
numfig = True
numfig_secnum_depth = 0
numfig_format = {"figure": "Figure %s", "table": "Table %s", "exercise": "Exercise %s"}
math_numfig = False
math_eqref_format = "({number})"
html_math_renderer = "katex"
katex_macros = {
    r"\R": r"\mathbb{R}",
    r"\E": r"\mathbb{E}",
    r"\softmax": r"\operatorname{softmax}",
    r"\relu": r"\operatorname{relu}",
    r"\diag": r"\operatorname{diag}",
}

# --- Reference ------------------------------------------------------------------------------
autosummary_generate = False  # book_api writes the pages
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
viewcode_line_numbers = False
bibtex_bibfiles = ["book/references.bib"]
bibtex_default_style = "plain"
bibtex_reference_style = "author_year"

# --- Pages ----------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = "Deep Learning with Python: a companion"
html_short_title = "ketkar"
html_static_path = ["book/_static"]
html_css_files = ["book.css"]
html_js_files = [("previews.js", {"defer": "defer"})]
html_favicon = "book/_static/favicon.svg"
templates_path = [str(ROOT / "book" / "_templates")]
html_sidebars = {"**": ["book-contents"]}
html_show_sourcelink = False
html_copy_source = False
html_last_updated_fmt = None
html_theme_options = {
    "logo": {"text": "ketkar", "image_light": "favicon.svg", "image_dark": "favicon.svg"},
    "navbar_center": [],
    "navbar_persistent": ["search-button-field"],
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "show_toc_level": 2,
    "back_to_top_button": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_context = {"default_mode": "auto"}


def _drop_old_caches(app, exception):
    """Delete the notebook caches of other states once this one is complete."""
    for old in CACHES.iterdir() if exception is None and CACHES.is_dir() else ():
        if old.name != STATE:
            shutil.rmtree(old, ignore_errors=True)


def setup(app):
    # The sources lie in book/, so that nothing else is searched and /index.html is the front
    # page; the command stays the ordinary one.
    app.srcdir = type(app.srcdir)(ROOT / "book")
    app.connect("build-finished", _drop_old_caches)
