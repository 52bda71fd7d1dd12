"""Compiling: said once, kept on disk, and no obstacle where the disk cannot be written."""

import textwrap
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ketkar.kernels import backend

MESSAGE = "ketkar: compiling ... (once; later runs use the cache)"
STEP = """
    import time
    import numpy as np
    from ketkar.kernels.backend import kernels
    cpu = kernels("cpu")
    x, y = np.array([0.0, 1.0]), np.empty(2)
    start = time.perf_counter()
    cpu.exp(x, y)
    print(y[1], time.perf_counter() - start)
    cpu.tanh(x, y)
"""


def run(python, cache, script=STEP, **settings):
    settings["NUMBA_CACHE_DIR"] = str(cache)
    return python("-c", textwrap.dedent(script), settings=settings)


@pytest.mark.usefixtures("cpu")
def test_compiling_is_said_once_and_kept(python, tmp_path):
    cold = run(python, tmp_path)
    assert cold.stderr.splitlines() == [MESSAGE]
    assert float(cold.stdout.split()[0]) == pytest.approx(np.e, abs=1e-15)
    warm = run(python, tmp_path)
    assert warm.stderr == ""
    assert warm.stdout.split()[0] == cold.stdout.split()[0]


@pytest.mark.usefixtures("cpu")
def test_quiet_means_quiet(python, tmp_path):
    assert run(python, tmp_path, KETKAR_QUIET="1").stderr == ""


@pytest.mark.usefixtures("cpu")
def test_other_settings_do_not_take_each_others_code(python, tmp_path):
    assert run(python, tmp_path).stderr
    for settings in ({"KETKAR_CHECKED": "1"}, {"KETKAR_SIMD_BITS": "128"}):
        assert run(python, tmp_path, **settings).stderr.splitlines() == [MESSAGE]
        assert run(python, tmp_path, **settings).stderr == ""


@pytest.mark.usefixtures("cpu")
def test_a_user_s_own_compiling_is_not_announced(python, tmp_path):
    script = """
        from numba import njit
        from ketkar.kernels.backend import kernels
        kernels("cpu")
        print(njit(lambda x: x + 1)(1))
    """
    done = run(python, tmp_path, script)
    assert (done.stdout.strip(), done.stderr) == ("2", "")


@pytest.mark.usefixtures("cpu")
def test_without_a_cache_directory_kernels_compile_every_time(python, tmp_path):
    # the name of the class that looks for a directory has changed between releases of Numba
    script = "from numba.core import caching\n"
    script += "cls = getattr(caching, 'CacheImpl', None) or caching._CacheImpl\n"
    script += "cls._locator_classes = []\n"
    done = run(python, tmp_path, script + textwrap.dedent(STEP))
    assert float(done.stdout.split()[0]) == pytest.approx(np.e, abs=1e-15)
    assert not list(Path(tmp_path).iterdir())


def test_numba_s_level_of_optimisation_is_left_as_it_was(cpu):
    from numba.core import config

    before = config.OPT
    cpu.sigmoid(np.zeros(3, np.float32), np.zeros(3, np.float32))
    assert config.OPT == before == 3


def test_what_is_not_ours_is_compiled_at_its_own_level(cpu, monkeypatch):
    from numba import njit
    from numba.core import config, event

    levels = []

    class Watch(event.Listener):
        def on_start(self, happening):
            levels.append(int(config.OPT))

        def on_end(self, happening):
            levels.append(int(config.OPT))

    monkeypatch.setattr(config, "OPT", type(config.OPT)(1))
    with event.install_listener("numba:compile", Watch()):
        assert njit(lambda x: x + 1)(1) == 2
    assert levels == [1, 1]
    assert config.OPT == 1


@pytest.mark.usefixtures("cpu")
def test_a_change_of_any_source_renews_the_cache(monkeypatch, tmp_path):
    from ketkar.kernels.cpu import compiling

    copy = tmp_path / "cpu"
    copy.mkdir()
    for path in Path(compiling.__file__).parent.glob("*.py"):
        (copy / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(compiling, "__file__", str(copy / "compiling.py"))
    assert compiling.fingerprint() == compiling.FINGERPRINT
    (copy / "tile.py").write_text("# another tile\n")
    assert compiling.fingerprint() != compiling.FINGERPRINT


@pytest.mark.parametrize("seen", [len, 1.5, (1, 2), True], ids=str)
def test_a_kernel_sees_whole_numbers_alone(cpu, seen):
    from ketkar.kernels.cpu import compiling

    def factory(value):
        def doubled(x):
            return x if value == 7 else 2 * x

        return compiling.kernel(doubled)

    assert factory(7)(3) == 3
    with pytest.raises(TypeError, match="doubled closes over more than whole numbers"):
        factory(seen)


def test_the_module_of_a_backend_is_loaded_once(cpu):
    assert backend.kernels("cpu") is cpu


def test_a_process_never_reads_what_another_is_about_to_write(cpu, tmp_path):
    from numba.core.caching import IndexDataCacheFile

    from ketkar.kernels.cpu import compiling

    def process(stamp):
        file = IndexDataCacheFile(str(tmp_path), "kernel", stamp)
        compiling._name_once(SimpleNamespace(_cache=SimpleNamespace(_cache_file=file)))
        return file

    process("old source").save("key", "old code")
    first, second, seen = process("new source"), process("new source"), []
    write = first._save_data
    first._save_data = lambda *what: (seen.append(second.load("key")), write(*what))
    first.save("key", "new code")
    assert seen == [None]
    assert second.load("key") == "new code"
    assert len(list(tmp_path.glob("kernel.*.nbc"))) == 2


def test_kernels_have_names_that_are_given_once(cpu):
    from ketkar.kernels.cpu import winograd

    file = winograd._forward_kernel._cache._cache_file
    assert file._data_name(1) != file._data_name(1)


CONVOLVE = """
    import sys
    import numpy as np
    from ketkar.kernels import cpu, reference
    from ketkar.kernels.geometry import Geometry

    rng, geometry = np.random.default_rng(0), Geometry(1, 1, 1, 1, 1, 1)
    for call in sys.argv[1:]:
        for M, C, H, W in ((4, 3, 7, 6), (32, 16, 20, 20), (6, 3, 40, 45)):
            shapes = (2, C, H, W), (M, C, 3, 3), (M,), (2, M, H, W)
            x, K, b, dy = (rng.standard_normal(shape).astype("f") for shape in shapes)
            got, right = (np.empty_like(dy if call == "forward" else K) for _ in range(2))
            for kernels, out in ((cpu, got), (reference, right)):
                if call == "forward":
                    kernels.conv2d_forward(x, K, b, geometry, "direct", out)
                else:
                    kernels.conv2d_kernel_gradient(dy, x, geometry, "direct", out)
            assert np.abs(got - right).max() < 1e-4 * np.abs(right).max(), call
"""


@pytest.mark.usefixtures("cpu")
def test_kernels_that_several_processes_compiled_work_together(python, tmp_path):
    script, cache = textwrap.dedent(CONVOLVE), {"NUMBA_CACHE_DIR": str(tmp_path)}
    for calls in (("kernel",), ("forward",), ("kernel", "forward"), ("forward", "kernel")):
        python("-c", script, *calls, settings=cache)
