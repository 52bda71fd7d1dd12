"""Graphs and matrices of connections show the edges they are given, weight by weight."""

import itertools

import numpy as np
import pytest

from ketkar import drawing

NAMES = {1: "a", 2: "b", 3: "c"}
TIED = [(i, j, i - j + 2) for j in range(5) for i in range(5) if abs(i - j) <= 1]
DENSE = [(i, j, 5 * j + i) for j in range(5) for i in range(5)]


def look(edge):
    return edge.get_edgecolor(), str(edge.get_linestyle())


def ends(edge):
    """Where the line of an edge begins and ends, in units of the canvas."""
    return edge.get_path().vertices


@pytest.mark.parametrize("edges", [TIED, DENSE])
def test_each_edge_runs_from_its_input_to_its_output(edges, parts):
    ax = drawing.connection_graph(5, 5, edges, edge_labels=False)
    circles = [np.array(circle.get_center()) for circle in parts(ax, "node")]
    drawn = parts(ax, "edge")
    assert len(circles) == 10
    assert len(drawn) == len(edges)
    for edge, (i, j, _) in zip(drawn, edges, strict=True):
        a, b = circles[i], circles[5 + j]
        start, end = ends(edge)
        # It leaves and meets the circles at their edges, with 1.5 points of air.
        air = parts(ax, "node")[0].radius + 1.5 / 72
        np.testing.assert_allclose(start, a + air * (b - a) / np.linalg.norm(b - a))
        np.testing.assert_allclose(end, b - air * (b - a) / np.linalg.norm(b - a))


def test_inputs_stand_below_outputs(parts, texts):
    ax = drawing.connection_graph(2, 3, [(0, 0, 1)])
    low, high = parts(ax, "node")[:2], parts(ax, "node")[2:]
    assert max(c.get_center()[1] for c in low) < min(c.get_center()[1] for c in high)
    assert {"$x_{1}$", "$x_{2}$", "$s_{3}$", "input", "output"} <= set(texts(ax))


def test_the_same_weight_looks_the_same_and_no_other(parts):
    drawn = parts(drawing.connection_graph(5, 5, TIED), "edge")
    looks = {}
    for edge, (_, _, k) in zip(drawn, TIED, strict=True):
        looks.setdefault(k, set()).add(look(edge))
    assert [len(found) for found in looks.values()] == [1, 1, 1]
    (a, _), (b, _), (c, _) = (next(iter(found)) for found in looks.values())
    assert len({a, b, c}) == 3
    assert len({next(iter(found))[1] for found in looks.values()}) == 3


def test_25_weights_have_25_looks(parts):
    drawn = parts(drawing.connection_graph(5, 5, DENSE, edge_labels=False), "edge")
    assert len({look(edge) for edge in drawn}) == 25


def test_looks_do_not_hang_on_the_order_of_the_edges(parts):
    forward = parts(drawing.connection_graph(5, 5, TIED), "edge")
    backward = parts(drawing.connection_graph(5, 5, TIED[::-1]), "edge")
    assert [look(e) for e in forward] == [look(e) for e in backward[::-1]]


def test_each_name_stands_on_its_line(parts, faults):
    ax = drawing.connection_graph(5, 5, TIED, names=NAMES, title="tied")
    names = [text for text in ax.texts if text.get_text() in "abc"]
    assert [text.get_text() for text in names] == [NAMES[k] for _, _, k in TIED]
    for text, edge in zip(names, parts(ax, "edge"), strict=True):
        a, b = ends(edge)
        across = np.cross([*(b - a), 0], [*(np.array(text.get_position()) - a), 0])[2]
        assert abs(across) < 1e-9
    assert faults(ax.figure) == []


def test_the_window_of_an_output_is_filled(parts):
    ax = drawing.connection_graph(5, 5, TIED, window=0)
    filled = [circle.get_facecolor()[:3] for circle in parts(ax, "node")]
    yellow = filled[0]
    assert [k for k, colour in enumerate(filled) if colour == yellow] == [0, 1, 5]
    widths = [edge.get_linewidth() for edge in parts(ax, "edge")]
    assert [w > 2 for w in widths] == [j == 0 for _, j, _ in TIED]


def test_zeros_of_the_padding_are_dashed(parts):
    ax = drawing.connection_graph(["0", "x", "0"], 1, [(1, 0, 1)], zeros={0, 2})
    first, inner, last, output = (circle.get_linestyle() for circle in parts(ax, "node"))
    assert first == last != inner
    assert inner == output


def test_circles_stand_where_they_are_told(parts):
    ax = drawing.connection_graph(3, 2, [], input_at=[0, 1, 2], output_at=[0, 2])
    x = [circle.get_center()[0] for circle in parts(ax, "node")]
    assert x[3:] == [x[0], x[2]]


@pytest.mark.parametrize("count", [1, 2, 8])
def test_graphs_are_legible(count, faults):
    edges = [(i, i, 1) for i in range(count)]
    ax = drawing.connection_graph(count, count, edges, title="a graph")
    assert faults(ax.figure) == []


def test_the_matrix_has_its_weights_where_the_edges_say(texts, parts, faults):
    ax = drawing.connection_matrix(5, 5, TIED, names=NAMES, title="matrix")
    table = np.array(texts(ax)).reshape(5, 5)
    expected = np.full((5, 5), "·")
    for i, j, k in TIED:
        expected[j, i] = NAMES[k]
    np.testing.assert_array_equal(table, expected)
    assert faults(ax.figure) == []


def test_graph_and_matrix_share_their_colours(parts):
    from matplotlib.colors import to_rgba

    lines = parts(drawing.connection_graph(5, 5, TIED, names=NAMES), "edge")
    cells = drawing.connection_matrix(5, 5, TIED, names=NAMES).texts
    for line, (i, j, _) in zip(lines, TIED, strict=True):
        assert to_rgba(cells[5 * j + i].get_color()) == line.get_edgecolor()


def test_drawing_on_the_axes_given():
    import matplotlib.pyplot as plt

    _, (left, right) = plt.subplots(1, 2)
    assert drawing.connection_graph(2, 1, [(0, 0, 1)], ax=left) is left
    assert drawing.connection_matrix(2, 1, [(0, 0, 1)], ax=right) is right


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((0, 1, []), "inputs must be at least 1, got 0"),
        ((1, [], []), "the number of outputs must be at least 1, got 0"),
        (
            (3, 2, [(3, 0, 1)]),
            "an edge joins input 3 with output 0 .weight 1.; there are 3 inputs and 2 outputs",
        ),
        ((3, 2, [(0, -1, 1)]), "an edge joins input 0 with output -1"),
    ],
)
def test_graphs_refuse_what_is_not_there(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        drawing.connection_graph(*arguments)


def test_places_are_one_a_circle():
    with pytest.raises(ValueError, match="output_at has 3 places for 2 circles"):
        drawing.connection_graph(3, 2, [], output_at=[0, 1, 2])


def test_the_looks_of_neighbouring_weights_differ_twice(parts):
    edges = [(i, 0, i) for i in range(4)]
    drawn = parts(drawing.connection_graph(4, 1, edges), "edge")
    for a, b in itertools.combinations(drawn, 2):
        assert look(a)[0] != look(b)[0]
        assert look(a)[1] != look(b)[1]
