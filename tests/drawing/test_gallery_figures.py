"""The gallery's figures as a reader sees them: nothing clipped, overlapping or too small."""

import runpy
from pathlib import Path

import pytest

from ketkar import drawing

GALLERY = Path(__file__).parents[2] / "gallery" / "03_feedforward"
SLOW = {"plot_fig_3_10_hands_on"}
SCRIPTS = [
    *sorted(path.stem for path in GALLERY.glob("plot_fig_3_*.py")),
    "plot_backprop",
    "plot_digit_recognition",
    "plot_inference_example",
    "plot_neuron_threshold",
    "plot_sigmoid_regions",
]


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
    runpy.run_path(str(GALLERY / f"{name}.py"))
    assert 1 <= len(found) <= 2
    assert not any(found.values()), found


def test_all_ten_figures_of_the_chapter_are_drawn():
    numbers = [int(name.split("_")[3]) for name in SCRIPTS if name.startswith("plot_fig_3_")]
    assert numbers == list(range(1, 11))
