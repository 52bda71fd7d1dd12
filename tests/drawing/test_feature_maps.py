"""Windows, maps, boxes and shapes are those of the arrays."""

import itertools

import numpy as np
import pytest

from ketkar import drawing

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"


def extent(patch):
    return patch.get_x(), patch.get_y(), patch.get_width(), patch.get_height()


@pytest.mark.parametrize("values", [np.arange(12.0).reshape(3, 4) - 5, np.full((2, 2), "a")])
def test_grid_shows_each_value_where_it_stands(values, parts, faults):
    ax = drawing.window_grid(values, title="grid")
    assert len(parts(ax, "cell")) == values.size
    for text in ax.texts:
        j, i = text.get_position()
        value = values[int(i), int(j)]
        expected = value if isinstance(value, str) else drawing.number(value)
        assert text.get_text() == expected
    assert faults(ax.figure) == []


def test_the_window_frames_its_cells_and_no_others(parts):
    from matplotlib.colors import to_rgba

    ax = drawing.window_grid(np.zeros((5, 6)), [(1, 2, 3, 2)])
    (frame,) = parts(ax, "window")
    np.testing.assert_allclose(extent(frame), (1.5, 0.5, 2, 3), atol=0.15)
    shaded = [k for k, c in enumerate(parts(ax, "cell")) if c.get_facecolor() != to_rgba("white")]
    assert shaded == [6 * i + j for i in (1, 2, 3) for j in (2, 3)]


def test_windows_differ_in_more_than_colour(parts):
    windows = [(0, 0, 2, 2), (0, 2, 2, 2), (2, 0, 2, 2), (2, 2, 2, 2)]
    frames = parts(drawing.window_grid(np.zeros((4, 4)), windows), "window")
    assert len({frame.get_edgecolor() for frame in frames}) == 4
    assert len({str(frame.get_linestyle()) for frame in frames}) == 4


def test_the_kth_window_looks_the_same_on_every_grid(parts):
    first = parts(drawing.window_grid(np.zeros((4, 4)), [(0, 0, 2, 2), (2, 2, 2, 2)]), "window")
    second = parts(drawing.window_grid(np.zeros((2, 2)), [(0, 0, 1, 1), (1, 1, 1, 1)]), "window")
    for a, b in zip(first, second, strict=True):
        assert a.get_edgecolor() == b.get_edgecolor()
        assert str(a.get_linestyle()) == str(b.get_linestyle())


def test_padding_is_dashed_and_grey(parts):
    ax = drawing.window_grid(np.pad(np.ones((2, 2)), 1), padding=1)
    dashed = [cell.get_linestyle() == "--" for cell in parts(ax, "cell")]
    inside = [5, 6, 9, 10]
    assert [k for k in range(16) if not dashed[k]] == inside
    assert len({ax.texts[k].get_color() for k in inside} | {ax.texts[0].get_color()}) == 2


@pytest.mark.parametrize("window", [(0, 0, 3, 1), (-1, 0, 1, 1), (1, 1, 1, 2), (0, 0, 0, 1)])
def test_windows_stay_on_the_grid(window):
    with pytest.raises(ValueError, match=f"leaves the grid of 2 {TIMES} 2"):
        drawing.window_grid(np.zeros((2, 2)), [window])


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2), (0, 2)])
def test_grids_have_rows_and_columns(shape):
    with pytest.raises(ValueError, match="a grid has rows and columns"):
        drawing.window_grid(np.zeros(shape))


def test_picture_keeps_values_and_scale(faults):
    values = np.array([[-1.0, 0.5], [0.0, 2.0]])
    ax = drawing.picture(values, signed=True, title="map")
    np.testing.assert_array_equal(ax.images[0].get_array(), values)
    assert ax.images[0].get_clim() == (-2, 2)
    assert ax.get_title() == "map"
    assert faults(ax.figure) == []


def test_pictures_can_share_a_scale():
    assert drawing.picture([[1.0]], largest=4).images[0].get_clim() == (0, 4)
    assert drawing.picture([[1.0]], largest=4, signed=True).images[0].get_clim() == (-4, 4)


def test_zero_is_white_without_and_grey_with_signs():
    plain = drawing.picture([[0.0, 1.0]]).images[0]
    signed = drawing.picture([[0.0, 1.0]], signed=True).images[0]
    assert plain.cmap(plain.norm(0.0))[:3] == (1, 1, 1)
    assert signed.cmap(signed.norm(0.0))[0] == pytest.approx(0.5, abs=0.01)
    assert signed.cmap(signed.norm(1.0))[:3] == (1, 1, 1)


def test_picture_refuses_what_is_no_image():
    with pytest.raises(ValueError, match="values has 3 axes"):
        drawing.picture(np.zeros((1, 2, 2)))
    with pytest.raises(ValueError, match="largest must be above 0"):
        drawing.picture([[1.0]], largest=0)


def test_a_volume_has_its_sides(parts):
    ax = drawing.canvas(4, 3)
    left, right = drawing.volume(ax, (2, 1.5), (1.0, 0.8, 0.6), slices=3)
    faces = np.array([face.get_xy()[:4] for face in parts(ax, "face")])
    front, low, high = faces[0], faces.min(axis=(0, 1)), faces.max(axis=(0, 1))
    np.testing.assert_allclose(np.ptp(front, axis=0), (1.0, 0.8))
    np.testing.assert_allclose((low + high) / 2, (2, 1.5))
    np.testing.assert_allclose(high - low, (1.3, 1.1))
    assert (left[0], right[0]) == pytest.approx((low[0], high[0]))
    # Two lines divide the depth into three channels.
    assert len(ax.lines) == 2


@pytest.mark.parametrize("size", [(0, 1, 1), (1, -1, 1), (1, 1, float("nan"))])
def test_a_volume_has_lengths_above_zero(size):
    with pytest.raises(ValueError, match=r"(width|height|depth) must be"):
        drawing.volume(drawing.canvas(2, 2), (1, 1), size)


SHAPES = [(1, 32, 32), (6, 28, 28), (6, 14, 14), (400,), (10,)]
STEPS = ["conv\n5", "pool\n2", "flatten", "dense"]


def test_flow_writes_every_shape_and_step(texts, parts, faults):
    ax = drawing.shape_flow(SHAPES, STEPS, names=list("abcde"))
    seen = texts(ax)
    for text in (f"6 {TIMES}\n28 {TIMES} 28", "400", "10", *STEPS, *"abcde"):
        assert text in seen
    assert len(parts(ax, "arrow")) == len(STEPS)
    assert len(parts(ax, "face")) == 3 * len(SHAPES)
    assert faults(ax.figure) == []


def test_larger_shapes_are_drawn_larger(parts):
    fronts = parts(drawing.shape_flow(SHAPES, STEPS), "face")[::3]
    heights = [np.ptp(face.get_xy()[:, 1]) for face in fronts]
    assert heights[0] > heights[1] > heights[2]
    assert heights[3] > heights[4]
    assert heights[0] / heights[2] == pytest.approx(np.sqrt(32 / 14))


def test_arrows_lie_between_the_boxes(parts):
    ax = drawing.shape_flow(SHAPES, STEPS)
    faces = [face.get_xy() for face in parts(ax, "face")]
    boxes = [np.concatenate(faces[k : k + 3]) for k in range(0, len(faces), 3)]
    for arrow, (a, b) in zip(parts(ax, "arrow"), itertools.pairwise(boxes), strict=True):
        (start, _), (end, _) = arrow._posA_posB
        assert a[:, 0].max() < start < end < b[:, 0].min()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((SHAPES, STEPS[:2]), "steps has 2 entries; 5 shapes need 4"),
        (([(1, 2)], []), r"shapes\[0\] is \(1, 2\); expected \(C, H, W\) or \(n,\)"),
        (([(0, 2, 2)], []), r"shapes\[0\] must be at least 1, got 0"),
    ],
)
def test_flow_refuses_what_does_not_fit(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        drawing.shape_flow(*arguments)


def test_flow_has_a_name_for_each_shape():
    with pytest.raises(ValueError, match="names has 1 entries for 5 shapes"):
        drawing.shape_flow(SHAPES, STEPS, names=["a"])


def test_drawing_on_the_axes_given():
    import matplotlib.pyplot as plt

    _, panels = plt.subplots(1, 3)
    assert drawing.window_grid(np.zeros((2, 2)), ax=panels[0]) is panels[0]
    assert drawing.picture(np.ones((2, 2)), ax=panels[1]) is panels[1]
    assert drawing.shape_flow([(4,)], [], ax=panels[2]) is panels[2]
