"""What an import costs and brings, and which names may never vanish."""

import importlib
import importlib.util
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import ketkar

RELEASED = (Path(__file__).parent / "released_names.txt").read_text(encoding="utf-8").split()
HEAVY = ("numba", "llvmlite", "matplotlib", "scipy", "sklearn", "sphinx")


def python(script):
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120
    )


def test_importing_brings_nothing_heavy():
    done = python(f"import ketkar, sys; print([m for m in {HEAVY} if m in sys.modules])")
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_the_chapters_need_no_numba_and_no_matplotlib():
    done = python(
        "from ketkar import feedforward, convolutional, recurrent, network, training, gradcheck\n"
        "from ketkar import datasets, drawing, systems, exercises\n"
        f"import sys; print([m for m in {HEAVY} if m in sys.modules])"
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_importing_is_quick():
    script = (
        "import numpy, time; start = time.perf_counter(); import ketkar; "
        "print(time.perf_counter() - start)"
    )
    seconds = [float(python(script).stdout) for _ in range(5)]
    assert statistics.median(seconds) < 0.15


@pytest.mark.parametrize("name", RELEASED)
def test_a_released_name_is_still_there(name):
    room, _, thing = name.rpartition(".")
    assert hasattr(importlib.import_module(room), thing)


def test_no_name_is_unreleased():
    rooms = [name for name in ketkar.__all__ if name != "cite"]
    rooms = [f"ketkar.{room}" for room in rooms] + ["ketkar.equations"]
    names = {f"{room}.{n}" for room in rooms for n in importlib.import_module(room).__all__}
    assert sorted(names | {"ketkar.cite"}) == sorted(RELEASED)


def test_an_unknown_room_is_named():
    with pytest.raises(
        AttributeError, match="has no attribute 'nothing'; it has cite, convolutional, datasets"
    ):
        ketkar.nothing  # noqa: B018
    assert "feedforward" in dir(ketkar)


def test_drawing_without_matplotlib_says_what_to_install():
    done = python(
        "import sys; sys.modules['matplotlib'] = None\n"
        "import numpy as np\n"
        "from ketkar.training import History\n"
        "try:\n    History(np.ones(1), np.ones(1), np.ones(0)).plot()\n"
        "except ImportError as error:\n    print(error)"
    )
    assert "ketkar[plot]" in done.stdout, done.stderr


FIT = """
import sys
if len(sys.argv) > 1:
    sys.modules[sys.argv[1]] = None  # the import system's way to say: not there
import numpy as np
from ketkar import network, training
net = network.chain(network.Dense(3, 5, "tanh"), network.Dense(5, 2))
rng = np.random.default_rng(0)
x, y = rng.standard_normal((20, 3)), rng.integers(0, 2, 20)
options = dict(loss="cross_entropy", lr=0.1, momentum=0.5, batch_size=6, epochs=5, rng=1)
run = training.fit(net, net.init(0), x, y, **options)
print(*network.flatten(run.params).tolist(), *run.history.loss.tolist())
try:
    training.fit(net, net.init(0), x, y, **options, backend="cpu")
except RuntimeError as error:
    print(error)
"""


def test_without_numba_training_gives_the_same_results():
    def fitted(*blocked):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", FIT, *blocked],
            capture_output=True, text=True, timeout=240,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    numbers, sentence = fitted("numba")
    assert sentence == (
        'backend "cpu" is not there: numba is not installed (python -m pip install numba); '
        'there is "numpy"'
    )
    here = fitted()
    assert len(here) == (1 if importlib.util.find_spec("numba") else 2)
    with_numba = [float(number) for number in here[0].split()]
    assert [float(number) for number in numbers.split()] == pytest.approx(with_numba, abs=1e-12)
