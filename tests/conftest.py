"""What all tests share: how an error must read, and derivatives that owe nothing to the package."""

import contextlib
import linecache
import os
import re
import traceback
from pathlib import Path

import numpy as np
import pytest

import ketkar

os.environ.setdefault("MPLBACKEND", "Agg")
PACKAGE = Path(ketkar.__file__).resolve().parent


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
