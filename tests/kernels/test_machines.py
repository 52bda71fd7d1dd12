"""The same results on other machines: narrower vectors, no AVX at all, every access checked.

All kernels are compiled anew for each of them, which is what takes the time. So the machine without
AVX, which computes in 128 bits and without fused multiply-add, is the one where every access is
checked: all kernels, in both types. What the checks could hide there is the code of the vectors, so
without them only the kernels that emit it themselves run, in one type.
"""

import textwrap
from pathlib import Path

import pytest

HERE = Path(__file__).parent
VECTORS = [HERE / f"test_{name}.py" for name in ("convolution", "dense", "elementwise")]
ALL = [
    *VECTORS,
    *(HERE / f"test_{name}.py" for name in ("pooling", "train_step")),
    HERE.parent / "recurrent" / "test_backends.py",
]
OLD = {"NUMBA_CPU_NAME": "generic"}
MACHINES = {
    "no AVX and no fused multiply-add, checked": (OLD | {"KETKAR_CHECKED": "1"}, ALL),
    "256 bits": ({"KETKAR_SIMD_BITS": "256"}, ALL),
    "no AVX and no fused multiply-add, not checked": (OLD, ["-k", "float64", *VECTORS]),
}
QUIET = {"KETKAR_QUIET": "1"}


@pytest.mark.slow
@pytest.mark.usefixtures("cpu")
@pytest.mark.parametrize("name", list(MACHINES))
def test_the_tests_of_the_kernels_pass(name, python):
    from ketkar.kernels.cpu import machine

    settings, tests = MACHINES[name]
    if settings.get("KETKAR_SIMD_BITS") == str(machine.SIMD_BITS) and not machine.CHECKED:
        pytest.skip("this machine is one of these: its own tests run the same code")
    options = ["-q", "-p", "no:cacheprovider", "-m", "not slow"]
    done = python("-m", "pytest", *options, *tests, settings=settings | QUIET, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


REACH = """
    import numpy as np
    from numba import njit
    from ketkar.kernels.cpu.span import span
    from ketkar.kernels.cpu.tile import tile_outer, tile_store, tile_zeros

    lanes = 4  # of float32 in 128 bits

    @njit
    def read(x, i, shift):
        return (span(x) + shift)[i]

    @njit
    def write(x, i):
        span(x)[i] = 1.0

    @njit
    def use(a, rows, b, start, c):
        tile = tile_outer(tile_zeros(span(b), 8, 1), span(a), 1, rows, span(b) + start)
        tile_store(tile, span(c), lanes, np.float32(0))

    def outside(function, *arguments):
        try:
            function(*arguments)
        except IndexError as error:
            assert "outside an array" in str(error)
            return True
        return False

    x = np.zeros(3)
    print([outside(read, x, i, 0) for i in (-1, 0, 2, 3)])
    print([outside(read, x, -1, shift) for shift in (0, 1, 3, 4)])
    print([outside(write, x, i) for i in (-1, 0, 2, 3)], x)
    a, b = np.zeros(8, np.float32), np.zeros(lanes + 1, np.float32)
    c = np.zeros(8 * lanes, np.float32)
    print([outside(use, a, 8, b, start, c) for start in (-1, 0, 1, 2)])
    print([outside(use, a[:n].copy(), rows, b, 0, c) for n, rows in ((7, 8), (3, 3), (1, 2))])
    print([outside(use, a, 8, b, 0, c[:n].copy()) for n in (8 * lanes, 8 * lanes - 1)])
"""


def test_the_checked_mode_stops_at_the_edge_of_an_array(cpu, python):
    script = textwrap.dedent(REACH)
    settings = {"KETKAR_CHECKED": "1", "KETKAR_SIMD_BITS": "128"}
    lines = python("-c", script, settings=settings).stdout.splitlines()
    assert lines == [
        "[True, False, False, True]",
        "[True, False, False, True]",
        "[True, False, False, True] [1. 0. 1.]",
        "[True, False, False, True]",
        "[True, False, True]",
        "[False, True]",
    ]


def test_the_widest_vectors_of_the_processor_are_taken(cpu, monkeypatch):
    from numba.core import config

    from ketkar.kernels.cpu import machine

    monkeypatch.delenv("KETKAR_SIMD_BITS", raising=False)
    for features, bits in (
        ("+sse2,+avx2,+avx512f", 512),
        ("+avx2,-avx512f", 256),
        ("+sse4.2,-avx2", 128),
        ("+neon", 128),
    ):
        monkeypatch.setattr(config, "CPU_FEATURES", features)
        assert machine.simd_bits() == bits
    monkeypatch.setattr(config, "CPU_FEATURES", None)
    monkeypatch.setattr(config, "CPU_NAME", "generic")
    assert machine.simd_bits() == 128


def test_a_width_that_no_tile_has_is_refused(cpu, monkeypatch):
    from ketkar.kernels.cpu import machine

    for wrong in ("64", "wide", "-128"):
        monkeypatch.setenv("KETKAR_SIMD_BITS", wrong)
        with pytest.raises(ValueError, match="expected 128, 256 or 512"):
            machine.simd_bits()
