"""What holds for all CUDA kernels together: they are those that are asked for, and they agree."""

import ast
import inspect
import runpy
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="Numba is not installed")

import ketkar
from ketkar.kernels import cpu, cuda, reference
from ketkar.kernels.simulation import simulate

pytestmark = pytest.mark.cuda

CASES = runpy.run_path(str(Path(__file__).with_name("cases.py")))["CASES"]
PACKAGE = Path(ketkar.__file__).parent
FUNCTIONS = set(cuda.__all__) - {"ALGORITHMS"}


def test_the_functions_are_those_of_the_other_backends():
    assert set(cuda.__all__) == set(cpu.__all__)
    for name in FUNCTIONS:
        parameters = [
            list(inspect.signature(getattr(module, name)).parameters)
            for module in (cuda, reference)
        ]
        assert parameters[0] == parameters[1], name


def test_the_table_has_every_function_small_and_large():
    for small in (True, False):
        assert {case.function for case in CASES if case.small is small} == FUNCTIONS
    assert len({str(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_writes_what_it_compares(case):
    """A wrong table could pass on any device: every output begins as NaN, or changes."""
    before, after = case.arguments(np.float32), case.expected(np.float32)
    assert list(inspect.signature(getattr(reference, case.function)).parameters) == list(before)
    for name, value in after.items():
        if name != "returned" and value.size and case.title != "wrong-label":
            assert not np.array_equal(value, before[name], equal_nan=True), name
            assert np.isfinite(value).any(), name


@pytest.mark.parametrize("case", [case for case in CASES if case.small], ids=str)
def test_a_pretended_gpu_agrees_with_the_reference(case, assert_close):
    with simulate("random", seed=3):
        found = case.run(cuda, np.float32)
    for name, value in case.expected(np.float32).items():
        assert_close(found[name], value, np.float32, name)


def test_one_module_names_the_target():
    """Numba's GPU target has a successor of another name; `offline` looks into its inside."""
    naming = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{name}" for name in names)]
            if any(name.split(".")[:2] == ["numba", "cuda"] for name in names):
                naming.add(file.relative_to(PACKAGE).as_posix())
    assert naming == {"kernels/cuda/provider.py", "kernels/cuda/offline.py"}
