"""What stands between this machine and the backend "cuda": a package, the driver, the GPU.

The driver is asked through `cuda.bindings`, as numba-cuda asks it; Numba itself is not imported.
It is asked once a process: a first answer takes a fraction of a second, and a process in which the
driver has answered must not be forked by one that then computes on the GPU.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
from importlib import metadata
from typing import Any, Final, NamedTuple

from ketkar.kernels.simulation import simulation

__all__ = ["GPU", "Found", "examined", "gpu", "installed", "toolkit", "why_not"]

Version = tuple[int, int]

EXTRA: Final = 'python -m pip install "ketkar[cuda12]"'
"""What brings all packages; drivers of CUDA 12 and of all later versions run what it compiles."""
OLDEST: Final = (12, 0)
"""The driver that the oldest toolkit here needs. One of the same number before the point will do,
as nvJitLink makes machine code that it only has to load."""
_TOOLKITS: Final = ("cuda-toolkit", "nvidia-cuda-nvcc", "nvidia-cuda-nvcc-cu12")
_LINKERS: Final = ("nvidia-nvjitlink", "nvidia-nvjitlink-cu12")
_NO_DEVICE: Final = "CUDA_ERROR_NO_DEVICE"


class GPU(NamedTuple):
    """The first GPU that the driver shows us, which is the one that computes.

    Attributes
    ----------
    name : str
    capability : tuple of int
        Its generation: (9, 0) is Hopper.
    memory : int
        In bytes.
    driver : tuple of int
        The version of CUDA that the driver was made for.
    """

    name: str
    capability: Version
    memory: int
    driver: Version


class Found(NamedTuple):
    """What stands against computing on a GPU, "" if nothing; and the GPU, if we came so far."""

    obstacle: str
    gpu: GPU | None = None


class _Refused(Exception):  # noqa: N818
    """The driver answers with the name of an error."""


def why_not() -> str:
    """What stands against the backend "cuda", and what helps; an empty string where nothing does.

    Examples
    --------
    >>> from ketkar.kernels.simulation import simulate
    >>> with simulate():
    ...     why_not()
    ''
    """
    return "" if simulation() is not None else _found().obstacle


def gpu() -> GPU | None:
    """The GPU, also where something stands against using it; None where we cannot see one."""
    return _found().gpu


def installed(package: str) -> bool:
    """Whether a package could be imported; it is not."""
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):  # an entry of None in sys.modules blocks the import
        return False


def toolkit() -> Version | None:
    """The version of CUDA whose compiler is installed as a package; None if there is none."""
    for name in _TOOLKITS:
        try:
            major, minor = metadata.version(name).split(".")[:2]
        except metadata.PackageNotFoundError:
            continue
        return int(major), int(minor)
    return None


@functools.cache
def _found() -> Found:
    missing = _missing()
    if missing:
        return Found(missing)
    try:
        from cuda.bindings import driver
    except ImportError as error:
        return Found(f"numba-cuda is not complete: {_line(error)} ({EXTRA})")
    return examined(driver, toolkit(), any(map(_has, _LINKERS)))


def _missing() -> str:
    """Which package is missing."""
    if not installed("numba"):
        return "numba is not installed (python -m pip install numba)"
    if sys.platform not in ("linux", "win32"):
        return "CUDA is to be had for Linux and Windows alone"
    if not installed("numba_cuda"):
        return f"numba-cuda is not installed ({EXTRA})"
    return ""


def examined(driver: Any, compiler: Version | None, linker: bool) -> Found:
    """Ask a driver what it has, and compare.

    Parameters
    ----------
    driver : module
        `cuda.bindings.driver`, or something that answers like it.
    compiler : tuple of int or None
        The version of CUDA that compiles; None if it is not known.
    linker : bool
        Whether nvJitLink is installed, so that the driver has nothing to compile.
    """
    try:
        _ask(driver.cuInit, 0)
        if not _ask(driver.cuDeviceGetCount):
            return Found(_no_gpu())
        found = _first(driver)
    except _Refused as error:
        if str(error) == _NO_DEVICE:
            return Found(_no_gpu())
        return Found(
            f"the NVIDIA driver answers {error} (restart the machine; if that does not help, "
            "install the driver anew)"
        )
    except (RuntimeError, OSError):  # no library to load
        return Found("no NVIDIA driver is installed (https://www.nvidia.com/drivers)")
    return Found(_too_old(found, compiler, linker), found)


def _ask(function: Any, *arguments: Any) -> Any:
    error, *values = function(*arguments)
    if int(error):
        raise _Refused(error.name)
    return values[0] if values else None


def _first(driver: Any) -> GPU:
    device = _ask(driver.cuDeviceGet, 0)
    names = driver.CUdevice_attribute
    major, minor = (
        _ask(driver.cuDeviceGetAttribute, attribute, device)
        for attribute in (
            names.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
            names.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
        )
    )
    name = _ask(driver.cuDeviceGetName, 128, device).partition(b"\0")[0].decode(errors="replace")
    version = int(_ask(driver.cuDriverGetVersion))
    return GPU(
        name.strip(),
        (int(major), int(minor)),
        int(_ask(driver.cuDeviceTotalMem, device)),
        (version // 1000, version % 1000 // 10),
    )


def _no_gpu() -> str:
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return f"CUDA_VISIBLE_DEVICES={chosen!r} leaves no GPU (take it out of the environment)"
    return (
        "there is an NVIDIA driver but no GPU that it can use (to a container it must be handed "
        "on, as docker run --gpus all does)"
    )


def _too_old(found: GPU, compiler: Version | None, linker: bool) -> str:
    """What is too old: the driver for the toolkit, or the GPU for it."""
    theirs, ours = found.driver, compiler or OLDEST
    if theirs < OLDEST:
        return (
            f"the NVIDIA driver is of CUDA {_point(theirs)} and must be of {_point(OLDEST)} or "
            "later (update the driver)"
        )
    if theirs[0] < ours[0] or (theirs < ours and not linker and compiler is not None):
        return (
            f"the NVIDIA driver is of CUDA {_point(theirs)}, too old for code of the installed "
            f"toolkit of CUDA {_point(ours)} ({EXTRA}, or update the driver)"
        )
    least = (7, 5) if ours[0] >= 13 else (5, 0)
    if found.capability < least:
        helps = EXTRA if found.capability >= (5, 0) else "only another GPU helps"
        return (
            f"the GPU, {found.name}, has compute capability {_point(found.capability)}; CUDA "
            f"{ours[0]} needs {_point(least)} or more ({helps})"
        )
    return ""


def _has(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _point(version: Version) -> str:
    return f"{version[0]}.{version[1]}"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
