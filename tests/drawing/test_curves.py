"""Curves, bars and contours draw the points they are given."""

import numpy as np
import pytest

from ketkar import drawing


def test_curves_carry_their_data_and_names(faults):
    series = {"training": [3.0, 2.0, 1.0], "validation": [3.0, 2.5, 2.6]}
    ax = drawing.curves(series, xlabel="epoch", ylabel="loss")
    for line, (name, heights) in zip(ax.lines, series.items(), strict=True):
        assert line.get_label() == name
        np.testing.assert_array_equal(line.get_ydata(), heights)
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(series)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")
    assert faults(ax.figure) == []


def test_curves_differ_in_more_than_colour():
    ax = drawing.curves({str(k): [0.0, k] for k in range(5)})
    assert len({line.get_color() for line in ax.lines}) == 5
    assert len({str(line._dash_pattern) for line in ax.lines}) == 5


def test_one_curve_needs_no_legend():
    ax = drawing.curves({"loss": [3.0, 1.0]}, log=True)
    assert ax.get_legend() is None
    assert ax.get_yscale() == "log"


def test_curves_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match="needs at least one curve"):
        drawing.curves({})
    with pytest.raises(ValueError, match=r"loss has shape \(2,\) but x has shape \(3,\)"):
        drawing.curves({"loss": [1, 2]}, [1, 2, 3])
    with pytest.raises(ValueError, match="loss has 2 axes"):
        drawing.curves({"loss": [[1, 2]]})


def test_function_panel_marks_its_points(texts, faults):
    z = np.linspace(-3, 3, 31)
    points = {"low": (-2.0, 0.0), "high": (1.0, 0.9)}
    ax = drawing.function_panel(z, {"f": z, "g": z**2}, points=points, above=["high"])
    assert texts(ax) == ["low", "high"]
    dots = [line for line in ax.lines if line.get_label() == "_point"]
    assert [(dot.get_xdata()[0], dot.get_ydata()[0]) for dot in dots] == list(points.values())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["f", "g"]
    ax.figure.canvas.draw()
    for text, above in zip(ax.texts, (False, True), strict=True):
        height = ax.transData.transform(text.xy)[1]
        assert bool(text.get_window_extent().y0 > height) is above
    assert faults(ax.figure) == []


def test_bars_carry_their_numbers(texts, faults):
    ax = drawing.bars([0.659, 0.242, 0.0986], ["a", "b", "c"], highlight=0, ylabel="p", title="t")
    assert [bar.get_height() for bar in ax.patches] == [0.659, 0.242, 0.0986]
    assert texts(ax) == ["0.659", "0.242", "0.099"]
    assert [bool(bar.get_hatch()) for bar in ax.patches] == [True, False, False]
    assert faults(ax.figure) == []


def test_bars_refuse_names_that_do_not_fit():
    with pytest.raises(ValueError, match="names has 1 entries for 2 bars"):
        drawing.bars([1, 2], ["a"])


def test_contour_shows_the_function_and_the_path(faults):
    path = np.array([[2.0, 1.0], [1.0, 0.2], [0.5, 0.0]])
    ax = drawing.contour_path(
        lambda t: t[0] ** 2 + 5 * t[1] ** 2, {"a": path, "b": path / 2},
        xlim=(-3, 3), ylim=(-2, 2), levels=[1.0, 4.0],
    )  # fmt: skip
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), path)
    # The contour at height 4 cuts the axes at 2 and at the root of 4/5.
    outer = ax.collections[0].get_paths()[1].vertices
    assert np.abs(outer[:, 0]).max() == pytest.approx(2.0, abs=0.02)
    assert np.abs(outer[:, 1]).max() == pytest.approx(np.sqrt(0.8), abs=0.02)
    assert ax.lines[0].get_marker() != ax.lines[1].get_marker()
    assert faults(ax.figure) == []


def test_paths_from_one_place_name_it_once(texts):
    start = [[1.0, 1.0], [0.0, 0.0]]
    ax = drawing.contour_path(np.sum, {"a": start, "b": start}, xlim=(-2, 2), ylim=(-2, 2))
    assert texts(ax) == ["start"]


def test_contour_refuses_paths_that_are_not_in_the_plane():
    with pytest.raises(ValueError, match="descent has 3 coordinates; a contour plot has 2"):
        drawing.contour_path(np.sum, {"descent": np.ones((4, 3))}, xlim=(-1, 1), ylim=(-1, 1))
