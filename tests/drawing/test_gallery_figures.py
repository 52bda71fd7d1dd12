"""The gallery's figures as a reader sees them: nothing clipped, overlapping or too small."""

import re
import runpy
from pathlib import Path

import pytest

from ketkar import drawing

GALLERY = Path(__file__).parents[2] / "gallery"
SLOW = {"plot_fig_3_10_hands_on"}
DIAGRAMS = {
    "03_feedforward": [
        "plot_backprop",
        "plot_digit_recognition",
        "plot_inference_example",
        "plot_neuron_threshold",
        "plot_sigmoid_regions",
    ],
    "05_convolutional": [
        "plot_architectures",
        "plot_conv_gradients",
        "plot_conv_variants",
        "plot_deep_stack",
        "plot_groups",
        "plot_lenet5",
        "plot_receptive_field",
        "plot_residual",
        "plot_stride",
        "plot_tensor_shapes",
        "plot_winograd_error",
    ],
    "06_recurrent": [
        "plot_rnn_intro",
        "plot_rnn_summary",
    ],
}
SCRIPTS = {
    path.stem: path
    for chapter, diagrams in DIAGRAMS.items()
    for path in sorted((GALLERY / chapter).glob("plot_*.py"))
    if path.stem.startswith("plot_fig_") or path.stem in diagrams
}
TEXTBOOK = re.compile(r"^# Textbook figure (\d+)-(\d+): ", re.MULTILINE)


def scripts():
    for name in SCRIPTS:
        yield pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])


@pytest.mark.parametrize("name", list(scripts()))
def test_figures_are_legible(name, faults, monkeypatch):
    import matplotlib.pyplot as plt

    if name == "plot_digit_recognition":
        pytest.importorskip("sklearn")
    found = {}

    def show():
        """Look at the open figures as the build does, block by block."""
        for number in plt.get_fignums():
            found[len(found) + 1] = faults(plt.figure(number))
        plt.close("all")

    monkeypatch.setattr(plt, "show", show)
    plt.style.use(drawing.style())
    runpy.run_path(str(SCRIPTS[name]))
    assert 1 <= len(found) <= 3
    assert not any(found.values()), found


@pytest.mark.parametrize(("chapter", "last"), [(3, 10), (5, 13), (6, 11)])
def test_all_figures_of_the_chapter_are_drawn_once(chapter, last):
    found = [
        int(number)
        for path in SCRIPTS.values()
        for of_chapter, number in TEXTBOOK.findall(path.read_text(encoding="utf-8"))
        if int(of_chapter) == chapter
    ]
    assert sorted(found) == list(range(1, last + 1))


def test_all_diagrams_named_here_are_there():
    assert {name for names in DIAGRAMS.values() for name in names} <= SCRIPTS.keys()
