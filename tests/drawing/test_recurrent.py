"""Graphs of recurrent networks join what the equations join, and show what they are given."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from ketkar import drawing

MINUS = "\N{MINUS SIGN}"
STEP = SimpleNamespace(z=[0.5], i=[0.25], f=[0.75], o=[0.6], c=[-0.25], y=[-0.147])


def name(symbol, step=None):
    """The label of a circle: h and 2 stand for the hidden state of step 2."""
    letter = {"y_hat": r"\hat{y}", "hf": "h_f", "hb": "h_b"}.get(symbol, symbol)
    return f"${letter}$" if step is None else f"${letter}^{{({step})}}$"


@pytest.fixture
def joined(parts):
    """The arrows of a graph as triples (from, to, parameter), found by where they begin and end."""

    def found(ax):
        circles = parts(ax, "node")
        middles = np.array([circle.get_center() for circle in circles])
        links = []
        for arrow in parts(ax, "arrow"):
            if arrow._posA_posB is None:  # around corners or over the top
                ends = arrow._path_original.vertices[[0, -1]]
            else:
                ends = np.array(arrow._posA_posB)
            distances = np.linalg.norm(ends[:, None] - middles, axis=2)
            near = [
                circles[k].get_label() if row[k] < circles[k].radius + 0.03 else ""
                for k, row in zip(distances.argmin(axis=1), distances, strict=True)
            ]
            links.append((*near, arrow.get_label()))
        return links

    return found


def within(step, loss=True):
    """The arrows inside of one step."""
    links = {
        (name("x", step), name("h", step), "U"),
        (name("h", step), name("y_hat", step), "V"),
        ("", name("h", step), "b"),
        ("", name("y_hat", step), "c"),
    }
    if loss:
        links |= {(name(s, step), name("L", step), "") for s in ("y_hat", "y")}
    return links


@pytest.mark.parametrize(
    ("feedback", "source"), [("hidden", "h"), ("output", "y_hat"), ("target", "y")]
)
def test_folded_graph_has_one_loop_from_what_is_fed_back(feedback, source, joined, texts, faults):
    ax = drawing.recurrent_graph(feedback)
    assert set(joined(ax)) == within("t") | {(name(source, "t"), name("h", "t"), "W")}
    assert f"$W$ reads {name(source, 't-1')}" in texts(ax)
    assert faults(ax.figure) == []


@pytest.mark.parametrize(
    ("feedback", "source"), [("hidden", "h"), ("output", "y_hat"), ("target", "y")]
)
@pytest.mark.parametrize("tau", [1, 2, 4])
@pytest.mark.parametrize("start", [True, False])
def test_unrolled_graph_joins_each_step_with_the_next(tau, feedback, source, start, joined, faults):
    ax = drawing.unrolled_graph(tau, feedback, start=start)
    first = 1 if start else 2
    chain = {(name(source, t - 1), name("h", t), "W") for t in range(first, tau + 1)}
    expected = chain.union(*(within(t) for t in range(1, tau + 1)))
    drawn = joined(ax)
    assert set(drawn) == expected
    assert len(drawn) == len(expected)
    assert faults(ax.figure) == []


def test_a_single_output_stands_above_the_last_step(joined, parts, faults):
    ax = drawing.unrolled_graph(3, outputs="last")
    upwards = [link for link in joined(ax) if link[2] in ("V", "c", "")]
    assert set(upwards) == {
        (name("h", 3), name("y_hat"), "V"),
        ("", name("y_hat"), "c"),
        (name("y_hat"), name("L"), ""),
        (name("y"), name("L"), ""),
    }
    assert len(parts(ax, "node")) == 3 + 4 + 3
    assert faults(ax.figure) == []
    folded = drawing.recurrent_graph(outputs="last")
    assert {name("y_hat"), name("L"), name("y")} <= {c.get_label() for c in parts(folded, "node")}
    assert faults(folded.figure) == []


def test_an_input_at_the_first_step_alone(joined):
    ax = drawing.unrolled_graph(3, "output", inputs="first", loss=False)
    assert [link[:2] for link in joined(ax) if link[2] == "U"] == [(name("x", 1), name("h", 1))]


def test_a_parameter_looks_the_same_at_every_step_and_unlike_the_others(parts):
    looks = {}
    for arrow in parts(drawing.unrolled_graph(4), "arrow"):
        look = arrow.get_edgecolor(), str(arrow.get_linestyle())
        looks.setdefault(arrow.get_label(), set()).add(look)
    assert all(len(found) == 1 for found in looks.values())
    weights = [next(iter(looks[letter])) for letter in "UVW"]
    for column in zip(*weights, strict=True):  # colours differ, and dash patterns
        assert len(set(column)) == 3


def test_letters_stand_beside_their_arrows_and_can_be_left_out(texts, parts):
    shown = texts(drawing.unrolled_graph(3))
    assert [shown.count(f"${letter}$") for letter in "UWVbc"] == [3] * 5
    bare = drawing.unrolled_graph(3, parameters=False)
    assert not {f"${letter}$" for letter in "UWVbc"} & set(texts(bare))
    assert {arrow.get_label() for arrow in parts(bare, "arrow")} == {"", "U", "V", "W"}


def test_numbers_stand_in_their_circles(parts, faults):
    h = np.array([[0.0, 0.0], [0.25, -0.5], [0.75, 1.0]])
    y_hat = np.array([[0.1, 0.9], [0.3, 0.7]])
    ax = drawing.unrolled_graph(2, values={"x": [1.0, -1.0], "h": h, "y_hat": y_hat, "L": [2, 3]})
    inside = {tuple(text.get_position()): text.get_text() for text in ax.texts}
    found = {c.get_label(): inside[tuple(c.get_center())] for c in parts(ax, "node")}
    assert found[name("h", 0)] == f"{name('h', 0)}\n0\n0"
    assert found[name("h", 1)] == f"{name('h', 1)}\n0.25\n{MINUS}0.5"
    assert found[name("h", 2)] == f"{name('h', 2)}\n0.75\n1"
    assert found[name("x", 2)] == f"{name('x', 2)}\n{MINUS}1"
    assert found[name("y_hat", 1)] == f"{name('y_hat', 1)}\n0.1\n0.9"
    assert found[name("L", 2)] == f"{name('L', 2)}\n3"
    assert found[name("y", 1)] == name("y", 1)
    assert faults(ax.figure) == []


def test_folded_graph_shows_what_is_fed_back(texts, faults):
    values = {"h": [0.5, -0.25], "fed": [0.75, 1.0], "y_hat": [0.2, 0.8], "L": 0.223}
    ax = drawing.recurrent_graph(values=values)
    assert f"$W$ reads {name('h', 't-1')} = 0.75, 1" in texts(ax)
    assert f"{name('h', 't')}\n0.5\n{MINUS}0.25" in texts(ax)
    assert f"{name('L', 't')}\n0.22" in texts(ax)
    assert faults(ax.figure) == []


def test_a_bidirectional_network_has_two_chains_and_no_arrow_between_them(joined, faults):
    ax = drawing.bidirectional_graph(3, loss=True)
    expected = set()
    for t in (1, 2, 3):
        expected |= {(name("x", t), name(f"h{way}", t), f"U_{way}") for way in "fb"}
        expected |= {(name(f"h{way}", t), name("y_hat", t), f"V_{way}") for way in "fb"}
        expected |= {(name(s, t), name("L", t), "") for s in ("y_hat", "y")}
    for t in (1, 2):
        expected.add((name("hf", t), name("hf", t + 1), "W_f"))
        expected.add((name("hb", t + 1), name("hb", t), "W_b"))
    drawn = joined(ax)
    assert set(drawn) == expected
    assert len(drawn) == len(expected)
    assert faults(ax.figure) == []


def test_bidirectional_graph_shows_numbers(texts, faults):
    ax = drawing.bidirectional_graph(4, values={"hf": np.arange(4) / 8, "hb": -np.arange(4) / 8})
    assert f"{name('hf', 4)}\n0.38" in texts(ax)
    assert f"{name('hb', 2)}\n{MINUS}0.12" in texts(ax)
    assert faults(ax.figure) == []


def test_the_decoder_starts_from_the_encoders_last_state(joined, faults):
    ax = drawing.encoder_decoder_graph(3, 2)
    links = joined(ax)
    chain = [link for link in links if link[2] in ("W", "W'")]
    assert chain == [
        (name("h", 1), name("h", 2), "W"),
        (name("h", 2), name("h", 3), "W"),
        (name("h", 3), name("h'", 1), "W'"),
        (name("h'", 1), name("h'", 2), "W'"),
    ]
    read = [link for link in links if link[2] == "U'"]
    assert read == [(name("y", 0), name("h'", 1), "U'"), (name("y", 1), name("h'", 2), "U'")]
    said = [link for link in links if link[2] == "V"]
    assert said == [(name("h'", t), name("y_hat", t), "V") for t in (1, 2)]
    assert faults(ax.figure) == []


def test_several_graphs_share_a_canvas(parts, faults):
    sheet = drawing.canvas(6.4, 3)
    for tau, corner in ((1, (0.0, 0.0)), (3, (1.5, 0.0))):
        drawn = drawing.unrolled_graph(tau, loss=False, start=False, at=corner, ax=sheet)
        assert drawn is sheet
    assert [float(end) for end in sheet.get_xlim()] == [0.0, 6.4]
    places = {c.get_label(): c.get_center()[0] for c in parts(sheet, "node")}
    assert places[name("h", 3)] > places[name("h", 2)] > 1.5
    assert len(parts(sheet, "node")) == 3 + 9
    assert faults(sheet.figure) == []


@pytest.mark.parametrize(
    ("arguments", "settings", "sentence"),
    [
        ((2, "state"), {}, "feedback must be one of"),
        ((0,), {}, "tau must be at least 1, got 0"),
        ((2, "output"), {"outputs": "last"}, "leaves no output to feed back"),
        ((2, "target"), {"loss": False}, "the targets are fed back"),
        ((2,), {"inputs": "last"}, "inputs must be one of"),
        ((2,), {"values": {"z": [1, 2]}}, r'values has "z"; this graph has circles for "x", "h"'),
        (
            (2,), {"values": {"h": [1, 2]}},
            r'values\["h"\] has shape \(2,\); expected a row of 1 to 3 numbers for each of 3',
        ),
        ((2,), {"values": {"x": np.ones((2, 4))}}, "a row of 1 to 3 numbers for each of 2 circles"),
    ],
)  # fmt: skip
def test_graphs_refuse_what_does_not_fit(arguments, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        drawing.unrolled_graph(*arguments, **settings)


def test_an_lstm_joins_gates_products_and_sum(parts, faults):
    ax = drawing.lstm_diagram()
    names = [arrow.get_label() for arrow in parts(ax, "arrow")]
    assert names.count("peephole") == 3
    assert names.count("recurrent") == 2
    bare = drawing.lstm_diagram(peepholes=False)
    assert "peephole" not in [arrow.get_label() for arrow in parts(bare, "arrow")]
    assert not {"$p_f$", "$p_i$", "$p_o$"} & {text.get_text() for text in bare.texts}
    assert faults(ax.figure) == faults(bare.figure) == []


def test_the_output_gate_sees_the_new_cell_state_and_the_others_the_old_one(parts):
    ax = drawing.lstm_diagram()
    circles = {}
    for text, circle in itertools.product(ax.texts, parts(ax, "node")):
        if text.get_position() == tuple(circle.get_center()):
            circles.setdefault(text.get_text(), []).append(circle.get_center()[0])
    old, new = circles["$c^{(t-1)}$"][0], circles["$c^{(t)}$"][0]
    holes = [arrow for arrow in parts(ax, "arrow") if arrow.get_label() == "peephole"]
    starts = [arrow._path_original.vertices[0, 0] for arrow in holes]
    ends = [arrow._path_original.vertices[-1, 0] for arrow in holes]
    assert starts == [old, old, new]
    assert np.abs(np.array(ends) - sorted(circles[r"$\sigma$"])).max() < 0.3


def test_an_lstm_adds_up(texts, faults):
    ax = drawing.lstm_diagram(
        STEP, x=[1.0, -2.0], before=([0.3], [-0.5]), decimals=3, title="one step"
    )
    seen = texts(ax)
    for text in (
        "$z^{(t)}$ = 0.5", "$i^{(t)}$ = 0.25", "$f^{(t)}$ = 0.75", "$o^{(t)}$ = 0.6",
        f"$c^{{(t)}}$\n{MINUS}0.25", f"$y^{{(t)}}$\n{MINUS}0.147", "$y^{(t-1)}$\n0.3",
        f"$x^{{(t)}}$\n1\n{MINUS}2", "0.125", f"{MINUS}0.375", f"{MINUS}0.245",
    ):  # fmt: skip
        assert text in seen
    assert faults(ax.figure) == []


def test_an_lstm_does_not_mend_a_wrong_cell_state(texts):
    wrong = SimpleNamespace(**{**vars(STEP), "c": [0.9]})
    seen = texts(drawing.lstm_diagram(wrong, before=([0.3], [-0.5]), decimals=3))
    assert "$c^{(t)}$\n0.9" in seen
    assert {"0.125", f"{MINUS}0.375"} <= set(seen)


def test_an_lstm_shows_one_cell():
    two = SimpleNamespace(**{**vars(STEP), "f": [0.1, 0.2]})
    with pytest.raises(ValueError, match=r"step.f has shape \(2,\); .* room for a single number"):
        drawing.lstm_diagram(two)
    with pytest.raises(ValueError, match=r"x has shape \(3,\); .* room for 1 to 2 numbers"):
        drawing.lstm_diagram(x=[1, 2, 3])


def test_a_map_has_a_column_a_step_and_marks_what_is_negative(faults):
    values = np.array([[0.5, -0.5, 0.0], [-0.9, 0.1, 0.2]])
    ax = drawing.sequence_heatmap(values, name="hidden state", title="a sequence")
    image = ax.images[0]
    np.testing.assert_array_equal(image.get_array(), values.T)
    assert image.get_clim() == (-1.0, 1.0)
    marks = {tuple(place) for place in ax.collections[0].get_offsets()}
    assert marks == {(0.0, 1.0), (1.0, 0.0)}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step $t$", "unit")
    assert ax.figure.axes[1].get_ylabel() == "hidden state"
    assert faults(ax.figure) == []


@pytest.mark.parametrize(
    ("T", "expected"),
    [(3, ["1", "2", "3"]), (20, ["1", "3"]), (60, ["1", "5", "10"]), (300, ["1", "50", "100"])],
)
def test_the_steps_of_a_map_are_counted_from_one(T, expected, faults):
    ax = drawing.sequence_heatmap(np.zeros((T, 2)))
    ticks = [
        (tick.get_text(), place)
        for tick, place in zip(ax.get_xticklabels(), ax.get_xticks(), strict=True)
    ]
    assert [text for text, _ in ticks][: len(expected)] == expected
    assert all(int(text) == place + 1 for text, place in ticks)
    assert faults(ax.figure) == []


def test_names_of_steps_and_units_stand_at_the_map(faults):
    ax = drawing.sequence_heatmap(
        np.full((5, 2), 0.5), kind="gate", steps=list("hello"), units=["$i$", "$f$"]
    )
    assert [tick.get_text() for tick in ax.get_xticklabels()] == list("hello")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["$i$", "$f$"]
    assert ax.images[0].get_clim() == (0.0, 1.0)
    assert faults(ax.figure) == []


def test_the_scale_of_states_is_symmetric():
    large = drawing.sequence_heatmap([[3.0, -4.0]])
    assert large.images[0].get_clim() == (-4.0, 4.0)
    assert drawing.sequence_heatmap([[0.1]], limit=0.5).images[0].get_clim() == (-0.5, 0.5)


@pytest.mark.parametrize(
    ("values", "settings", "sentence"),
    [
        (np.zeros((2, 3, 4)), {}, "values"),
        (np.zeros((0, 3)), {}, "values is empty"),
        ([[0.5, 1.5]], {"kind": "gate"}, "values lie between 0.5 and 1.5; gates lie between 0 and"),
        ([[0.5]], {"kind": "cell"}, "kind must be one of"),
        ([[0.5]], {"limit": 0.0}, "limit"),
        (np.zeros((2, 3)), {"steps": ["a"]}, r"steps has 1 names; values has shape \(2, 3\)"),
        (np.zeros((2, 3)), {"units": ["a"]}, r"units has 1 names; values has shape \(2, 3\)"),
    ],
)
def test_a_map_refuses_what_does_not_fit(values, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        drawing.sequence_heatmap(values, **settings)


def test_diagrams_draw_on_the_axes_given():
    import matplotlib.pyplot as plt

    _, panels = plt.subplots(2, 2)
    draw = (drawing.recurrent_graph, drawing.lstm_diagram)
    for function, ax in zip(draw, panels[0], strict=True):
        assert function(ax=ax) is ax
    assert drawing.bidirectional_graph(2, ax=panels[1, 0]) is panels[1, 0]
    assert drawing.sequence_heatmap(np.zeros((2, 2)), ax=panels[1, 1]) is panels[1, 1]
