"""What is said of a machine without packages, driver or GPU; a pretended driver answers."""

from enum import IntEnum
from importlib import metadata
from types import SimpleNamespace

import pytest

from ketkar.kernels import driver
from ketkar.kernels.simulation import simulate

EXTRA = 'python -m pip install "ketkar[cuda12]"'


class Result(IntEnum):
    CUDA_SUCCESS = 0
    CUDA_ERROR_NO_DEVICE = 100
    CUDA_ERROR_SYSTEM_DRIVER_MISMATCH = 803


class Attribute(IntEnum):
    CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75
    CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76


class Driver:
    """Answers as `cuda.bindings.driver` does: an error, and then what was asked for."""

    CUdevice_attribute = Attribute

    def __init__(self, version=12080, count=1, capability=(8, 9), starts=Result.CUDA_SUCCESS):
        self.version, self.count, self.capability, self.starts = version, count, capability, starts

    def cuInit(self, flags):  # noqa: N802
        return (self.starts,)

    def cuDeviceGetCount(self):  # noqa: N802
        return Result.CUDA_SUCCESS, self.count

    def cuDriverGetVersion(self):  # noqa: N802
        return Result.CUDA_SUCCESS, self.version

    def cuDeviceGet(self, number):  # noqa: N802
        assert number == 0
        return Result.CUDA_SUCCESS, "the device"

    def cuDeviceGetAttribute(self, attribute, device):  # noqa: N802
        assert device == "the device"
        return Result.CUDA_SUCCESS, self.capability[attribute - 75]

    def cuDeviceGetName(self, length, device):  # noqa: N802
        return Result.CUDA_SUCCESS, b"NVIDIA Pretended 1".ljust(length, b"\0")

    def cuDeviceTotalMem(self, device):  # noqa: N802
        return Result.CUDA_SUCCESS, 24 * 2**30


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch):
    """The answer is kept for the process: each test starts without one, and leaves none."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    driver._found.cache_clear()
    yield
    driver._found.cache_clear()


def obstacle(toolkit=(12, 9), linker=True, **of_driver):
    return driver.examined(Driver(**of_driver), toolkit, linker).obstacle


def test_nothing_stands_against_a_good_gpu():
    found = driver.examined(Driver(), (12, 9), True)
    assert found.obstacle == ""
    assert found.gpu == driver.GPU("NVIDIA Pretended 1", (8, 9), 24 * 2**30, (12, 8))
    assert obstacle(toolkit=None) == ""
    assert obstacle(version=13000, toolkit=(12, 9)) == ""
    assert obstacle(version=13000, toolkit=(13, 1), capability=(7, 5)) == ""
    assert obstacle(capability=(5, 0)) == obstacle(capability=(12, 1)) == ""


def test_no_library_of_the_driver():
    class Absent:
        def cuInit(self, flags):  # noqa: N802
            raise RuntimeError('"cuda" is an NVIDIA driver library and can only be found ...')

    assert driver.examined(Absent(), (12, 9), True) == driver.Found(
        "no NVIDIA driver is installed (https://www.nvidia.com/drivers)"
    )


def test_a_driver_that_does_not_start():
    assert obstacle(starts=Result.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH) == (
        "the NVIDIA driver answers CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (restart the machine; if "
        "that does not help, install the driver anew)"
    )


@pytest.mark.parametrize("answer", [{"count": 0}, {"starts": Result.CUDA_ERROR_NO_DEVICE}])
def test_a_driver_without_a_gpu(answer, monkeypatch):
    assert obstacle(**answer) == (
        "there is an NVIDIA driver but no GPU that it can use (to a container it must be handed "
        "on, as docker run --gpus all does)"
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert obstacle(**answer) == (
        "CUDA_VISIBLE_DEVICES='-1' leaves no GPU (take it out of the environment)"
    )
    assert obstacle() == ""


def test_a_gpu_that_is_too_old():
    start = "the GPU, NVIDIA Pretended 1, has compute capability "
    assert obstacle(capability=(3, 7)) == (
        start + "3.7; CUDA 12 needs 5.0 or more (only another GPU helps)"
    )
    assert obstacle(capability=(3, 7), toolkit=None) == obstacle(capability=(3, 7))
    assert obstacle(capability=(6, 1), version=13000, toolkit=(13, 0)) == (
        start + f"6.1; CUDA 13 needs 7.5 or more ({EXTRA})"
    )
    assert obstacle(capability=(3, 7), version=13000, toolkit=(13, 0)).endswith(
        "needs 7.5 or more (only another GPU helps)"
    )


def test_a_driver_that_is_older_than_the_toolkit():
    assert obstacle(version=12040, toolkit=(13, 1)) == (
        "the NVIDIA driver is of CUDA 12.4, too old for code of the installed toolkit of CUDA "
        f"13.1 ({EXTRA}, or update the driver)"
    )
    assert obstacle(version=11080, toolkit=(12, 9)) == (
        "the NVIDIA driver is of CUDA 11.8 and must be of 12.0 or later (update the driver)"
    )
    assert driver.examined(Driver(version=12040), (13, 1), True).gpu is not None


def test_a_driver_of_the_same_number_need_only_load_what_nvjitlink_made():
    """Else it would have to compile, and say that the version of the PTX is not supported."""
    assert obstacle(version=12040, toolkit=(12, 9), linker=True) == ""
    assert obstacle(version=12040, toolkit=(12, 9), linker=False) == (
        "the NVIDIA driver is of CUDA 12.4, too old for code of the installed toolkit of CUDA "
        f"12.9 ({EXTRA}, or update the driver)"
    )
    assert obstacle(version=12090, toolkit=(12, 9), linker=False) == ""
    assert obstacle(version=12040, toolkit=None, linker=False) == ""


def test_missing_packages(monkeypatch):
    there = {"numba", "numba_cuda"}
    monkeypatch.setattr(driver, "installed", there.__contains__)
    for platform in ("linux", "win32"):
        monkeypatch.setattr(driver.sys, "platform", platform)
        assert driver._missing() == ""
    there.remove("numba_cuda")
    assert driver.why_not() == f"numba-cuda is not installed ({EXTRA})"
    assert driver.gpu() is None
    monkeypatch.setattr(driver.sys, "platform", "darwin")
    assert driver._missing() == "CUDA is to be had for Linux and Windows alone"
    there.remove("numba")
    assert driver._missing() == "numba is not installed (python -m pip install numba)"


def test_an_incomplete_numba_cuda(monkeypatch):
    monkeypatch.setattr(driver, "_missing", str)
    monkeypatch.setitem(driver.sys.modules, "cuda.bindings", None)
    assert driver.why_not().startswith("numba-cuda is not complete: ")
    assert driver.why_not().endswith(f" ({EXTRA})")
    assert "\n" not in driver.why_not()


def test_the_driver_is_asked_once_a_process(monkeypatch):
    asked = []
    monkeypatch.setattr(driver, "_missing", lambda: asked.append(1) or "a package is missing")
    assert driver.why_not() == driver.why_not() == "a package is missing"
    assert len(asked) == 1


def test_in_a_simulation_nothing_is_asked(monkeypatch):
    monkeypatch.setattr(driver, "_missing", lambda: pytest.fail("asked"))
    with simulate():
        assert driver.why_not() == ""


def test_the_version_of_the_toolkit(monkeypatch):
    versions = {"nvidia-cuda-nvcc-cu12": "12.4.131", "cuda-toolkit": "13.0.2.0"}

    def version(name):
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(driver, "metadata", SimpleNamespace(
        version=version, PackageNotFoundError=metadata.PackageNotFoundError
    ))  # fmt: skip
    assert driver.toolkit() == (13, 0)
    del versions["cuda-toolkit"]
    assert driver.toolkit() == (12, 4)
    assert driver._has("nvidia-cuda-nvcc-cu12")
    versions.clear()
    assert driver.toolkit() is None
    assert not driver._has("nvidia-cuda-nvcc-cu12")


def test_the_driver_of_this_machine_answers_in_one_sentence():
    """Whatever stands here: through the real `cuda.bindings`, where it is installed."""
    answer = driver.why_not()
    assert "\n" not in answer
    assert not answer or len(answer.split()) >= 4
    assert answer or driver.gpu() is not None


def test_asking_imports_no_numba(python):
    script = "import sys; from ketkar.kernels import driver; driver.why_not(); "
    script += "print('numba' in sys.modules, 'llvmlite' in sys.modules)"
    assert python("-c", script).stdout.split() == ["False", "False"]
