"""Diagrams of units and networks show the numbers they are given, and only those."""

import itertools

import numpy as np
import pytest

from ketkar import drawing

MINUS = "\N{MINUS SIGN}"


def test_unit_shows_every_number(texts, parts):
    ax = drawing.unit_diagram([0.5, 0.9, -0.3], [1, -2, 2], 0.25, -1.65, 0.16110895)
    seen = texts(ax)
    for number in ("0.5", "0.9", f"{MINUS}0.3", "0.25"):
        assert number in seen
    for product in ("0.5", f"{MINUS}1.8", f"{MINUS}0.6"):
        assert product in seen
    assert f"$w_{{2}}$ = {MINUS}2" in seen
    assert f"$z$ = {MINUS}1.65" in seen
    assert "$y$ = 0.1611" in seen
    # Three inputs, the sum and the bias.
    assert len(parts(ax, "node")) == 5
    # An arrow to and from each product, and bias, activation and output.
    assert len(parts(ax, "arrow")) == 2 * 3 + 3


def test_unit_does_not_mend_a_wrong_output(texts):
    assert "$y$ = 0.9" in texts(drawing.unit_diagram([1.0], [1.0], 0.0, 1.0, 0.9))


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("activation", ["sigmoid", "relu", "identity", "step"])
def test_unit_is_legible(n, activation, faults):
    x = np.linspace(-0.9876, 0.9876, n)
    ax = drawing.unit_diagram(x, -x, -0.1234, -1.2345, 0.8765, activation=activation)
    assert faults(ax.figure) == []


def test_unit_refuses_unequal_vectors():
    with pytest.raises(ValueError, match=r"x has shape \(2,\) but w has shape \(3,\)"):
        drawing.unit_diagram([1, 2], [1, 2, 3], 0, 0, 0)
    with pytest.raises(ValueError, match="x is empty"):
        drawing.unit_diagram([], [], 0, 0, 0)


@pytest.mark.parametrize("widths", [[1, 1], [3, 4, 4, 2], [2, 3, 1]])
def test_network_has_its_units_and_edges(widths, parts, faults):
    ax = drawing.layered_network(widths)
    assert len(parts(ax, "node")) == sum(widths)
    assert len(parts(ax, "edge")) == sum(n * m for n, m in itertools.pairwise(widths))
    assert faults(ax.figure) == []


def test_wide_layers_are_drawn_with_a_gap(parts, texts):
    ax = drawing.layered_network([64, 5], symbols=["x", "y"], most=6)
    # Four units, dots, the last unit.
    assert len(parts(ax, "node")) == 5 + 5
    assert "⋮" in texts(ax)
    assert "$x_{64}$" in texts(ax)
    assert "$x_{5}$" not in texts(ax)
    assert "64" in texts(ax)


def test_wide_layers_show_the_weights_of_the_units_drawn(texts):
    W = np.arange(20.0).reshape(10, 2)
    ax = drawing.layered_network([10, 2], weights=[W], most=3, edge_labels=True)
    shown = {text for text in texts(ax) if text not in {"10", "2", "⋮"}} | {"2"}
    assert shown == {"0", "1", "18", "19"} | {"2"}


def test_network_shows_values_and_weights(example, texts, faults):
    values, weights = example
    ax = drawing.layered_network(
        [3, 3, 2], values, weights, symbols=["x", "h", "y"], edge_labels=True
    )
    seen = texts(ax)
    assert f"$x_{{3}}$\n{MINUS}0.3" in seen
    assert "$h_{1}$\n0.1301" in seen
    assert "$y_{2}$\n0.8531" in seen
    for W in weights:
        for w in W.ravel():
            assert drawing.number(w) in seen
    assert faults(ax.figure) == []


def test_sign_and_size_of_a_weight_show_in_its_line(parts):
    W = np.array([[4.0, -2.0], [0.0, 1.0]])
    edges = parts(drawing.layered_network([2, 2], weights=[W]), "edge")
    widths = np.array([edge.get_linewidth() for edge in edges])
    np.testing.assert_allclose(widths - widths[2], 2.5 * np.abs(W.ravel()) / 4)
    assert [edge.get_linestyle() == "-" for edge in edges] == [True, False, True, True]
    assert edges[0].get_edgecolor() != edges[1].get_edgecolor()


def test_each_weight_stands_on_its_own_line(example, parts):
    values, weights = example
    ax = drawing.layered_network([3, 3, 2], values, weights, edge_labels=True)
    nodes = np.array([node.get_center() for node in parts(ax, "node")])
    layers = [nodes[:3], nodes[3:6], nodes[6:]]
    numbers = [text for text in ax.texts if text.get_zorder() == 5]
    ends = [(a, b) for k in range(2) for a in layers[k] for b in layers[k + 1]]
    expected = np.concatenate([W.ravel() for W in weights])
    assert len(numbers) == len(ends)
    for text, (a, b), w in zip(numbers, ends, expected, strict=True):
        p = np.array(text.get_position())
        across = (p - a)[0] * (b - a)[1] - (p - a)[1] * (b - a)[0]
        assert abs(across) < 1e-9
        assert text.get_text() == drawing.number(w)


def test_backward_turns_the_arrows(parts):
    def tail(ax):
        return parts(ax, "edge")[0].get_path().vertices[0][0]

    assert tail(drawing.layered_network([2, 2])) < 3.2
    assert tail(drawing.layered_network([2, 2], backward=True)) > 3.2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([3],), "widths names 1 layers; a network has at least 2"),
        (([3, 0],), r"widths\[1\] must be at least 1, got 0"),
        (([3, 2], [[1, 2, 3]]), "values has 1 entries; a network of 2 layers needs 2"),
        (([3, 2], [[1, 2], None]), r"values\[0\] has shape \(2,\); the widths ask for \(3,\)"),
        (
            ([3, 2], None, [np.ones((2, 3))]),
            r"weights\[0\] has shape \(2, 3\); the widths ask for \(3, 2\)",
        ),
    ],
)
def test_network_refuses_what_does_not_fit(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        drawing.layered_network(*arguments)


def test_network_refuses_names_that_do_not_fit():
    with pytest.raises(ValueError, match="labels has 1 entries"):
        drawing.layered_network([3, 2], labels=["input"])
    with pytest.raises(ValueError, match="most must be at least 3"):
        drawing.layered_network([3, 2], most=2)


def test_diagrams_draw_on_the_axes_given():
    import matplotlib.pyplot as plt

    _, (left, right) = plt.subplots(1, 2)
    assert drawing.layered_network([2, 1], ax=left) is left
    assert drawing.unit_diagram([1.0], [1.0], 0, 1, 1, ax=right) is right


def test_notes_stand_below_their_units(example, parts, faults):
    values, weights = example
    notes = [None, ["a", "b", "c"], ["d", "e"]]
    ax = drawing.layered_network(
        [3, 3, 2], values, weights, notes=notes, edge_labels=True, labels=["x", "h", "y"]
    )
    below = {text.get_text(): text.get_position() for text in ax.texts}
    circles = parts(ax, "node")[3:]
    for note, circle in zip("abcde", circles, strict=True):
        x, y = circle.get_center()
        assert below[note] == pytest.approx((x, y - circle.radius - 0.13))
    assert faults(ax.figure) == []


def test_notes_are_one_a_unit():
    with pytest.raises(ValueError, match=r"notes\[1\] has 1 lines; the layer has 2 units"):
        drawing.layered_network([3, 2], notes=[None, ["a"]])
