"""The look of the figures, the vocabulary of the diagrams, and life without matplotlib."""

import subprocess
import sys

import numpy as np
import pytest

from ketkar import drawing

MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.130108474, 4, "0.1301"),
        (2.0, 4, "2"),
        (-1.9, 4, "*1.9"),
        (-0.0, 4, "0"),
        (0, 0, "0"),
        (120, 0, "120"),
        (0.000034, 4, "3.4e*05"),
        (-1e-9, 2, "*1.0e*09"),
        (0.04, 2, "0.04"),
        (float("-inf"), 2, "*inf"),
        (float("nan"), 2, "nan"),
        (np.float32(0.5), 2, "0.5"),
    ],
)
def test_number(value, decimals, text):
    assert drawing.number(value, decimals) == text.replace("*", MINUS)


def test_lines_stand_out_from_white_paper():
    from matplotlib.colors import to_rgb

    for setting in drawing.style()["axes.prop_cycle"]:
        c = np.array(to_rgb(setting["color"]))
        linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        assert 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05) >= 3


def test_text_of_the_style_is_at_least_ten_points():
    sizes = {key: value for key, value in drawing.style().items() if key.endswith("size")}
    sizes.pop("figure.figsize")
    assert len(sizes) >= 6
    assert min(sizes.values()) >= 10


def test_style_is_accepted_by_matplotlib():
    import matplotlib.pyplot as plt

    with plt.style.context(drawing.style()):
        assert plt.rcParams["figure.constrained_layout.use"] is True
    assert plt.rcParams["figure.constrained_layout.use"] is False


def test_axes_given_come_back():
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    assert drawing.axes(ax) is ax
    assert drawing.axes() is not ax


def test_a_unit_of_the_canvas_is_an_inch():
    ax = drawing.canvas(4, 2)
    assert tuple(ax.figure.get_size_inches()) == (4, 2)
    low, high = ax.transData.transform([(0, 0), (1, 1)])
    np.testing.assert_allclose(high - low, ax.figure.dpi)


@pytest.mark.parametrize("size", [(0, 1), (1, -1), (float("nan"), 1)])
def test_canvas_refuses_no_size(size):
    with pytest.raises(ValueError, match=r"(width|height) must be"):
        drawing.canvas(*size)


def line(patch):
    """Points along an arrow and around its head, in units of the canvas."""
    patch.axes.figure.canvas.draw()
    to_pixels = patch.axes.transData
    pieces = patch.get_path().transformed(to_pixels).to_polygons(closed_only=False)
    return to_pixels.inverted().transform(np.concatenate(pieces))


def ends(patch):
    """Where an arrow that runs to the right begins and ends."""
    points = line(patch)
    return points[0], points[np.argmax(points[:, 0])]


def test_arrow_stops_at_the_edges_of_circles():
    ax = drawing.canvas(4, 2)
    a, b = drawing.node(ax, (1, 1), radius=0.3), drawing.node(ax, (3, 1), radius=0.5)
    tail, tip = ends(drawing.arrow(ax, a, b))
    # 1.5 points of air at each end.
    assert tail == pytest.approx([1.3 + 1.5 / 72, 1], abs=0.05)
    assert tip == pytest.approx([2.5 - 1.5 / 72, 1], abs=0.05)


def test_arrow_joins_boxes_and_points():
    ax = drawing.canvas(4, 2)
    start = drawing.box(ax, (1, 1), "f")
    tail, tip = ends(drawing.arrow(ax, start, (3, 1)))
    assert 1.05 < tail[0] < 1.4
    assert tip == pytest.approx([3, 1], abs=0.05)


def test_text_stands_at_the_middle_of_an_arrow():
    ax = drawing.canvas(4, 4)
    drawing.arrow(ax, (1, 1), (3, 1), "straight")
    bent = drawing.arrow(ax, (1, 3), (3, 3), "bent", bend=0.4)
    assert ax.texts[0].get_position() == (2, 1)
    middle = line(bent)
    x, y = ax.texts[1].get_position()
    assert np.hypot(middle[:, 0] - x, middle[:, 1] - y).min() < 0.06


def test_flow_draws_boxes_and_arrows(texts, parts, faults):
    boxes = {"a": ("parameters", (1, 1.2)), "b": ("loss", (4.5, 1.2))}
    arrows = [("a", "b"), ("b", "a", {"text": "gradient", "bend": -0.5})]
    ax = drawing.flow(boxes, arrows)
    assert sorted(texts(ax)) == ["gradient", "loss", "parameters"]
    assert len(parts(ax, "arrow")) == 2
    assert faults(ax.figure) == []


def test_flow_refuses_an_unknown_box():
    with pytest.raises(ValueError, match='names the box "c"; the boxes are "a", "b"'):
        drawing.flow({"a": ("a", (1, 1)), "b": ("b", (2, 1))}, [("a", "c")])


def test_import_leaves_matplotlib_alone():
    code = "import sys, ketkar.drawing; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


DRAWINGS = {
    "style": lambda: drawing.style(),
    "axes": lambda: drawing.axes(),
    "canvas": lambda: drawing.canvas(1, 1),
    "flow": lambda: drawing.flow({}, []),
    "unit_diagram": lambda: drawing.unit_diagram([1.0], [1.0], 0, 1, 1),
    "layered_network": lambda: drawing.layered_network([2, 1]),
    "matrix_blocks": lambda: drawing.matrix_blocks([("W", np.ones((2, 2)))]),
    "number_grid": lambda: drawing.number_grid(np.ones((2, 2))),
    "image_grid": lambda: drawing.image_grid(np.ones((1, 2, 2))),
    "connection_graph": lambda: drawing.connection_graph(1, 1, [(0, 0, 1)]),
    "connection_matrix": lambda: drawing.connection_matrix(1, 1, [(0, 0, 1)]),
    "window_grid": lambda: drawing.window_grid(np.ones((2, 2))),
    "picture": lambda: drawing.picture(np.ones((2, 2))),
    "shape_flow": lambda: drawing.shape_flow([(1,)], []),
    "curves": lambda: drawing.curves({"loss": [1.0]}),
    "function_panel": lambda: drawing.function_panel([0.0], {"f": [0.0]}),
    "bars": lambda: drawing.bars([1.0], ["a"]),
    "contour_path": lambda: drawing.contour_path(
        np.sum, {"a": np.ones((2, 2))}, xlim=(0, 1), ylim=(0, 1)
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_without_matplotlib_one_sentence_says_what_to_install(name, monkeypatch):
    for module in [key for key in sys.modules if key.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError) as caught:
        DRAWINGS[name]()
    assert str(caught.value) == "drawing needs matplotlib: pip install 'ketkar[plot]'"


def test_every_public_name_is_there():
    assert all(hasattr(drawing, name) for name in drawing.__all__)
    assert set(DRAWINGS) <= set(drawing.__all__)


def test_the_first_figure_leaves_a_notebook_interactive(tmp_path):
    # a notebook's backend turns interactive mode on as it is loaded, and shows figures only then
    backend = "from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas\n"
    backend += "import matplotlib\nmatplotlib.interactive(True)\n"
    (tmp_path / "notebook_backend.py").write_text(backend)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import matplotlib\nmatplotlib.rcParams['backend'] = 'module://notebook_backend'\n"
        "from ketkar import drawing\ndrawing.canvas(1, 1)\nprint(matplotlib.is_interactive())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "True\n"
