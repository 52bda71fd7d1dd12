"""What the tests of the drawings share: a clean slate and a reader with a sharp eye."""

import itertools

import matplotlib
import numpy as np
import pytest

matplotlib.use("agg")


@pytest.fixture(autouse=True)
def clean_slate():
    """No figure and no setting survives a test."""
    import matplotlib.pyplot as plt

    with matplotlib.rc_context():
        yield
    plt.close("all")


def _texts(figure):
    """The texts of a figure that a reader sees, without ticks beyond the ends of an axis."""
    yield from figure.texts
    for ax in figure.axes:
        yield from ax.texts
        yield ax.title
        if ax.get_legend():
            yield from ax.get_legend().get_texts()
        if not ax.axison:
            continue
        for axis in (ax.xaxis, ax.yaxis):
            yield axis.label
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if low <= tick.get_loc() <= high and axis.get_visible():
                    yield tick.label1


def _overlap(a, b):
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    return width > 1 and height > 1


def _faults(figure):
    figure.canvas.draw()
    seen = [t for t in _texts(figure) if t.get_visible() and t.get_text().strip()]
    places = {id(text): text.get_window_extent() for text in seen}
    page = figure.bbox
    for text in seen:
        place, name = places[id(text)], repr(text.get_text())
        if text.get_fontsize() < 10:
            yield f"{name} has {text.get_fontsize()} points"
        if (
            place.x0 < -0.5
            or place.y0 < -0.5
            or place.x1 > page.x1 + 0.5
            or place.y1 > page.y1 + 0.5
        ):
            yield f"{name} leaves the figure: {place} in {page}"
    for a, b in itertools.combinations(seen, 2):
        if _overlap(places[id(a)], places[id(b)]):
            yield f"{a.get_text()!r} lies on {b.get_text()!r}"
    yield from _spills(figure, places)


def _spills(figure, places):
    """Texts that are too wide for the circle they stand in."""
    for ax in figure.axes:
        circles = [patch for patch in ax.patches if patch.get_gid() == "node"]
        for circle, text in itertools.product(circles, ax.texts):
            if tuple(text.get_position()) == tuple(circle.get_center()) and id(text) in places:
                across = circle.get_window_extent().width
                if places[id(text)].width > 0.96 * across:
                    yield f"{text.get_text()!r} is too wide for its circle"


@pytest.fixture
def faults():
    """What a reader would complain about in a figure: small, clipped or overlapping text."""
    return lambda figure: list(_faults(figure))


@pytest.fixture
def texts():
    """All texts drawn on axes."""
    return lambda ax: [text.get_text() for text in ax.texts]


@pytest.fixture
def parts():
    """The patches on axes that carry a name: "node", "edge", "arrow", "cell" or "matrix"."""
    return lambda ax, name: [patch for patch in ax.patches if patch.get_gid() == name]


@pytest.fixture
def example():
    """A network of three layers with weights of both signs."""
    x = np.array([0.5, 0.9, -0.3])
    W = np.array([[1.0, 2.0, 1.0], [-2.0, 1.0, -1.0], [2.0, -4.0, 0.0]])
    V = np.array([[-3.0, 0.0], [1.0, 1.0], [-3.0, 2.0]])
    h = 1 / (1 + np.exp(-x @ W))
    return [x, h, 1 / (1 + np.exp(-h @ V))], [W, V]
