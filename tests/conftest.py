"""What all tests share: how an error must read, and derivatives that owe nothing to the package."""

import contextlib
import linecache
import os
import re
import traceback
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import ketkar

os.environ.setdefault("MPLBACKEND", "Agg")
# what this run was given is not meant for the runs that tests start
os.environ.pop("PYTEST_ADDOPTS", None)
# a busy machine is slow, which is no failure; the same examples every time are no surprise
settings.register_profile("ketkar", deadline=None, derandomize=True, max_examples=60)
# for a copy of the package that a mutant spoils: that an example fails is enough, the smallest that
# does so is not looked for
settings.register_profile(
    "mutants", settings.get_profile("ketkar"), phases=(Phase.explicit, Phase.generate)
)
settings.load_profile("mutants" if "KETKAR_TEST_WITHOUT_COMPILING" in os.environ else "ketkar")
PACKAGE = Path(ketkar.__file__).resolve().parent


def pytest_collection_modifyitems(config, items):
    """On several processes (-n 2 --dist loadfile) begin with the files that hold what is slow.

    Then no process has a long file left when the others are done.
    """
    if hasattr(config, "workerinput"):  # this is a process of pytest-xdist
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """On several processes, leave all simulated kernels to one of them.

    They are compiled anew in each process, and one file of tests takes those of another.
    """
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            folder = "tests/kernels/cuda"
            return folder if nodeid.startswith(folder) else super()._split_scope(nodeid)

    return Scheduling(config, log)


def assert_sentence(error, *words):
    """The error is one of ours: raised by the package itself, in one line, with these words."""
    message = str(error)
    assert "\n" not in message, f"more than one line: {message!r}"
    assert len(message.split()) >= 3, f"not a sentence: {message!r}"
    assert " at 0x" not in message, f"an address is no help to a reader: {message!r}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    assert PACKAGE in Path(frame.filename).resolve().parents, (
        f"raised in {frame.filename}: {message}"
    )
    # NumPy's own errors end in a line of ours too, but that line raises nothing
    line = linecache.getline(frame.filename, frame.lineno).strip()
    assert line.startswith("raise"), f"not ours, but from {line!r}: {type(error)} {message}"
    for word in words:
        assert re.search(rf"(?<!\w){re.escape(word)}(?!\w)", message), f"no {word!r} in {message!r}"


@contextlib.contextmanager
def _refuses(error, *words):
    with pytest.raises(error) as caught:
        yield
    assert_sentence(caught.value, *words)


@pytest.fixture(scope="session")
def refuses():
    """``with refuses(ValueError, "x", "(2, 3)"):`` expects an error sentence with these words."""
    return _refuses


@pytest.fixture(scope="session")
def sentence():
    """Check an error that was caught elsewhere."""
    return assert_sentence


@contextlib.contextmanager
def _answers_or_refuses():
    """Whatever was passed in: an answer, or an error that is a sentence of ours."""
    try:
        yield
    except (ValueError, TypeError, RuntimeError) as error:
        assert_sentence(error)


@pytest.fixture(scope="session")
def answers_or_refuses():
    """``with answers_or_refuses():`` expects an answer, or a sentence; never a crash."""
    return _answers_or_refuses


_shapes = array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
_numbers = st.floats(-100, 100, width=16) | st.just(float("nan"))
_junk = st.one_of(
    st.sampled_from([None, "text", b"bytes", 1j, [[1.0, 2.0], [3.0]], {}, {"a": 1}, object(), {1}]),
    st.sampled_from(
        [0, 1, -1, 2, 3, 0.5, True, 10**30, 10**400, float("nan"), [], [[]], "sigmoid"]
    ),
    arrays(st.sampled_from(["float32", "float64", ">f8", "float16"]), _shapes, elements=_numbers),
    arrays(st.sampled_from(["int64", "int8", ">i4"]), _shapes, elements=st.integers(-2, 4)),
    arrays("uint8", _shapes, elements=st.integers(0, 4)),
    arrays("bool", _shapes),
    arrays("complex128", _shapes, elements=st.just(1 + 1j)),
    arrays("object", _shapes, elements=st.sampled_from([None, 1, "a"])),
    arrays("U3", _shapes, elements=st.sampled_from(["a", "1.5"])),
    st.builds(np.zeros, _shapes, st.just("datetime64[s]")),
)


@pytest.fixture(scope="session")
def junk():
    """A strategy for whatever a user may pass where an array is expected."""
    return _junk


def _finite_difference(f, *arguments, h=1e-4):
    """Derivatives of a number by differences of fourth order; written here, from the definition."""
    points = [np.array(a, dtype=np.float64) for a in arguments]
    derivatives = []
    for k, point in enumerate(points):
        derivative = np.zeros(point.shape)
        for place in np.ndindex(point.shape):
            total = 0.0
            for shift, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
                moved = [p.copy() for p in points]
                moved[k][place] += shift * h
                total += weight * float(f(*moved))
            derivative[place] = total / (12 * h)
        derivatives.append(derivative)
    return derivatives[0] if len(derivatives) == 1 else derivatives


@pytest.fixture(scope="session")
def finite_difference():
    """``finite_difference(f, a, b)``: the derivative of the number f(a, b) to every entry."""
    return _finite_difference


@pytest.fixture(autouse=True)
def _no_global_random_state():
    """Nothing draws from, or seeds, NumPy's global generator."""
    before = np.random.get_state()  # noqa: NPY002
    yield
    after = np.random.get_state()  # noqa: NPY002
    assert before[0] == after[0]
    assert before[2:] == after[2:]
    assert np.array_equal(before[1], after[1])
