"""What the README promises: its commands, its pointers, and its ten lines."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)


def test_the_first_two_commands_build_the_book_and_run_the_tests():
    commands = [body.strip() for kind, body in BLOCKS if kind == "bash"]
    assert commands[0].endswith("sphinx -n -W --keep-going -j 4 . _build/html")
    assert commands[0].startswith('python -m pip install -e ".[book]" && ')
    assert commands[1] == 'python -m pip install -e ".[test]" && python -m pytest'


def test_every_file_it_points_to_exists():
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT)
    assert len(targets) > 4
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_ten_lines_read_digits():
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    code = next(body for kind, body in BLOCKS if kind == "python" and "digits" in body)
    names: dict = {}
    shown, last = code.rsplit("print(", 1)
    exec(shown, names)
    assert eval(last.strip().removesuffix(")"), names) >= 0.96


def test_lenet5_has_the_shape_and_the_parameters_it_promises(capsys):
    code = next(body for kind, body in BLOCKS if kind == "python" and "lenet5" in body)
    exec(code, {})
    promised = code.rsplit("# ", 1)[1]
    assert capsys.readouterr().out == promised


def test_the_simulation_pools(capsys):
    pytest.importorskip("numba", reason="Numba is not installed")
    code = next(body for kind, body in BLOCKS if kind == "python" and "simulate" in body)
    exec(code, {})
    assert capsys.readouterr().out == "[[[[3.]]]]\n"


def test_the_lstm_remembers(capsys):
    code = next(body for kind, body in BLOCKS if kind == "python" and "recall_task" in body)
    exec(code, {})
    assert float(capsys.readouterr().out) < 0.01
