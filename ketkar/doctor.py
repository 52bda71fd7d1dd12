"""What works on this machine, what does not, and why: the answer of ``ketkar doctor``."""

from __future__ import annotations

import platform
import time
from importlib import metadata
from typing import Literal, NamedTuple

import numpy as np

import ketkar
from ketkar.kernels import driver
from ketkar.kernels.backend import available, threads
from ketkar.network import Dense, chain, flatten
from ketkar.training import training_step

__all__ = ["Finding", "examine"]

# What is installed beside the package, and what each is for.
COMPANIONS = {
    "numpy": "all arithmetic",
    "numba": "the compiled kernels",
    "numba-cuda": "the kernels for NVIDIA GPUs",
    "matplotlib": "drawing",
    "scikit-learn": "the digits",
    "autograd": "a comparison in the book",
    "sphinx": "building the book",
}


class Finding(NamedTuple):
    """One sentence about this machine: something works ("ok"), is absent ("no"), or is broken."""

    sentence: str
    state: Literal["ok", "no", "BROKEN"] = "ok"

    def __str__(self) -> str:
        return f"{self.state:6} {self.sentence}"


def examine() -> list[Finding]:
    """Look at versions, backends, the GPU and threads; nothing is changed but Numba's cache.

    Examples
    --------
    >>> print(examine()[0])  # doctest: +ELLIPSIS
    ok     ketkar ... on Python ...
    """
    return [
        Finding(
            f"ketkar {ketkar.__version__} on Python {platform.python_version()}, "
            f"{platform.system()} {platform.machine()}."
        ),
        *(_version(package, purpose) for package, purpose in COMPANIONS.items()),
        *_gpu(driver.gpu(), driver.toolkit()),
        *(_backend(name, reason) for name, reason in available().items()),
        _threads(),
    ]


def _version(package: str, purpose: str) -> Finding:
    try:
        return Finding(f"{package} {metadata.version(package)} is installed ({purpose}).")
    except metadata.PackageNotFoundError:
        return Finding(
            f"{package} is not installed; without it there is no {_lack(package)}.", "no"
        )


def _lack(package: str) -> str:
    return {
        "numba": "compiled kernel, and NumPy computes",
        "numba-cuda": "kernel for NVIDIA GPUs",
    }.get(package, COMPANIONS[package])


def _gpu(gpu: driver.GPU | None, toolkit: tuple[int, int] | None) -> list[Finding]:
    """The GPU, if there is one; what stands against using it is said of the backend."""
    if gpu is None:
        return []
    compiler = "" if toolkit is None else f"; the toolkit is of CUDA {toolkit[0]}.{toolkit[1]}"
    return [
        Finding(
            f"There is a GPU: {gpu.name}, compute capability {gpu.capability[0]}."
            f"{gpu.capability[1]}, {gpu.memory / 2**30:.1f} GiB, with a driver of CUDA "
            f"{gpu.driver[0]}.{gpu.driver[1]}{compiler}."
        )
    ]


def _backend(name: str, reason: str) -> Finding:
    if reason:
        return Finding(f'The backend "{name}" cannot be used: {reason}.', "no")
    try:
        seconds, difference = _try_out(name)
    except Exception as error:  # whatever a broken installation does, the doctor reports it
        cause = " ".join(str(error).split()) or type(error).__name__
        return Finding(f'The backend "{name}" is installed but fails: {cause}', "BROKEN")
    if not difference < 1e-12:
        return Finding(
            f'The backend "{name}" computes wrongly: it is {difference:.1e} away from the NumPy '
            "reference.",
            "BROKEN",
        )
    return Finding(f'The backend "{name}" works (a training step, ready after {seconds:.2g} s).')


def _try_out(name: str) -> tuple[float, float]:
    """Seconds until a first training step is done, and its distance from the reference."""
    network = chain(Dense(2, 3, "tanh"), Dense(3, 2))
    theta = flatten(network.init(rng=0))
    expected = theta.copy()
    x, y = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([1, 0])
    start = time.perf_counter()
    training_step(network, loss="cross_entropy", lr=0.5, backend=name)(theta, theta[:0], x, y)
    seconds = time.perf_counter() - start
    training_step(network, loss="cross_entropy", lr=0.5, backend="numpy")(expected, theta[:0], x, y)
    return seconds, float(np.abs(theta - expected).max())


def _threads() -> Finding:
    try:
        number = threads()
    except ValueError as error:
        return Finding(f"{error}.", "BROKEN")
    return Finding(
        f"Large products may use {number} thread{'' if number == 1 else 's'} "
        "(KETKAR_NUM_THREADS sets another number)."
    )
