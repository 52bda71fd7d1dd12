"""Matrices, tables and images: shapes and numbers are those of the arrays."""

import numpy as np
import pytest

from ketkar import drawing

TIMES, MINUS = "\N{MULTIPLICATION SIGN}", "\N{MINUS SIGN}"


def luminance(colour):
    """Brightness as the accessibility guidelines define it."""
    c = np.asarray(colour[:3])
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(a, b):
    light, dark = sorted([luminance(a), luminance(b)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_blocks_carry_the_shapes_of_the_arrays(parts, texts, faults):
    x, W = np.ones(5), np.ones((5, 4))
    ax = drawing.matrix_blocks([("x", x), r"$\cdot$", ("W", W), "=", ("o", x @ W)])
    seen = texts(ax)
    for shape in ("1 * 5", "5 * 4", "1 * 4"):
        assert shape.replace("*", TIMES) in seen
    assert len(parts(ax, "matrix")) == 3
    assert len(parts(ax, "cell")) == 5 + 20 + 4
    assert faults(ax.figure) == []


def test_a_block_is_as_wide_and_high_as_its_matrix(parts):
    frame = parts(drawing.matrix_blocks([("W", np.ones((5, 4)))], cell=0.2), "matrix")[0]
    assert frame.get_width() == pytest.approx(0.8)
    assert frame.get_height() == pytest.approx(1.0)


def test_cells_stand_in_the_order_of_the_matrix(parts):
    W = np.array([[1.0, -1.0, 0.0]])
    red, _, blue, _ = np.array(
        [c.get_facecolor() for c in parts(drawing.matrix_blocks([("W", W)]), "cell")]
    ).T
    assert blue[0] > red[0]
    assert red[1] > blue[1]
    assert red[2] == pytest.approx(blue[2], abs=0.02)


def test_wide_blocks_stay_on_the_canvas(parts, faults):
    ax = drawing.matrix_blocks([("X", np.ones((3, 40))), ("W", np.ones((40, 10)))], cell=0.3)
    frames = parts(ax, "matrix")
    assert all(f.get_x() > 0 and f.get_x() + f.get_width() < 6.4 for f in frames)
    assert faults(ax.figure) == []


def test_blocks_refuse_what_is_no_matrix():
    with pytest.raises(ValueError, match=r"K has 3 axes \(2, 2, 2\); a matrix has 2"):
        drawing.matrix_blocks([("K", np.ones((2, 2, 2)))])
    with pytest.raises(ValueError, match="W is empty"):
        drawing.matrix_blocks([("W", np.ones((0, 2)))])
    with pytest.raises(ValueError, match="needs at least one pair"):
        drawing.matrix_blocks(["+"])


@pytest.mark.parametrize("low", [-1.0, 0.0])
def test_table_shows_each_number_where_it_stands(low, faults):
    values = np.random.default_rng(0).uniform(low, 1, (4, 7))
    ax = drawing.number_grid(values, rows=list("abcd"), columns=list("1234567"))
    assert len(ax.texts) == values.size
    for text in ax.texts:
        j, i = text.get_position()
        assert text.get_text() == drawing.number(values[int(i), int(j)], 2)
    assert faults(ax.figure) == []


@pytest.mark.parametrize("low", [-1.0, 0.0])
def test_ink_stands_out_from_its_ground(low):
    values = np.linspace(low, 1, 60).reshape(5, 12)
    ax = drawing.number_grid(values)
    ground = ax.images[0].get_array()
    for text in ax.texts:
        j, i = text.get_position()
        ink = {"black": (0, 0, 0), "white": (1, 1, 1)}[text.get_color()]
        assert contrast(ink, ground[int(i), int(j)]) >= 4.5


def test_table_of_equal_or_missing_numbers():
    assert [t.get_text() for t in drawing.number_grid(np.zeros(2)).texts] == ["0", "0"]
    assert [t.get_text() for t in drawing.number_grid([1.0, np.nan]).texts] == ["1", "nan"]


def test_table_refuses_names_that_do_not_fit():
    with pytest.raises(ValueError, match=r"rows has 1 names; values has shape \(2, 3\)"):
        drawing.number_grid(np.ones((2, 3)), rows=["a"])


def test_images_share_one_scale(faults):
    stack = np.random.default_rng(0).uniform(0, 3, (10, 8, 8))
    figure = drawing.image_grid(stack, titles=list("0123456789"), columns=5)
    assert len(figure.axes) == 10
    for k, ax in enumerate(figure.axes):
        np.testing.assert_array_equal(ax.images[0].get_array(), stack[k])
        assert ax.images[0].get_clim() == (0, stack.max())
        assert ax.get_title() == str(k)
    assert faults(figure) == []


def test_signed_images_are_grey_at_zero():
    W = np.array([[[-3.0, 1.0]]])
    picture = drawing.image_grid(W, signed=True).axes[0].images[0]
    assert picture.get_clim() == (-3, 3)
    darkest, _ = (luminance(picture.cmap(picture.norm(v))) for v in (-3.0, 1.0))
    assert darkest == 0
    assert picture.cmap(picture.norm(3.0))[:3] == (1, 1, 1)


def test_images_refuse_what_is_no_stack():
    with pytest.raises(ValueError, match=r"images has 2 axes \(8, 8\); image_grid expects 3"):
        drawing.image_grid(np.ones((8, 8)))
    with pytest.raises(ValueError, match="titles has 1 entries for 2 images"):
        drawing.image_grid(np.ones((2, 8, 8)), titles=["a"])
    with pytest.raises(ValueError, match="columns must be at least 1"):
        drawing.image_grid(np.ones((2, 8, 8)), columns=0)


def test_images_draw_on_the_figure_given():
    import matplotlib.pyplot as plt

    figure = plt.figure()
    assert drawing.image_grid(np.ones((2, 4, 4)), figure=figure) is figure
