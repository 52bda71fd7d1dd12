"""From the sum to the fastest loop: one convolution layer, rung by rung.

Each rung is a function of a padded image x (N, C, H, W) and a kernel K (M, C, R, S), stride 1, that
gives y (N, M, H - R + 1, W - S + 1). They compute the same sum, and differ in who runs the loops
and in which order.
"""

import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import report
from benchmarks.convolution import VGG56, forward
from benchmarks.measure import QUICK, Plan, shortest
from benchmarks.problems import Layer, peer
from benchmarks.processes import environment, lines_of, say
from benchmarks.rows import TOLERANCE, Call, arrays, difference, installed

try:
    import numba
    from numba import prange
except ImportError:
    numba, prange = None, range

Array = NDArray[Any]
PLANS = {
    "quick": QUICK,
    "full": Plan(budget_s=1.0, least=3),
    "page": Plan(rounds=15, slice_s=0.003, settle_s=0.001, budget_s=0.2, least=3),
}
"""How long to measure: the page of the book has its own, which leaves out rungs as well."""
OURS = "ketkar, direct"
"""The rung that all others are held to."""
SIZES = {
    "small": Layer("small", (4, 16, 32, 32), (32, 16, 3, 3), padding=1, bias=False),
    "large": VGG56._replace(bias=False),
}


def python_sum(x: list[Any], K: list[Any]) -> list[Any]:
    """The sum as it is written, on nested lists: Python runs every loop."""
    C, R, S = len(K[0]), len(K[0][0]), len(K[0][0][0])
    rows, columns = range(len(x[0][0]) - R + 1), range(len(x[0][0][0]) - S + 1)
    taps = [(c, r, s) for c in range(C) for r in range(R) for s in range(S)]
    return [
        [
            [
                [sum(image[c][i + r][j + s] * k[c][r][s] for c, r, s in taps) for j in columns]
                for i in rows
            ]
            for k in K
        ]
        for image in x
    ]


def im2col(x: Array, K: Array) -> Array:
    """Each window becomes a column, and the sum one product of matrices: BLAS runs the loops."""
    N, M, (R, S) = len(x), len(K), K.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (R, S), (2, 3))  # (N, C, H, W, R, S)
    columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(N, K[0].size, -1)
    return np.matmul(K.reshape(M, -1), columns).reshape(N, M, *windows.shape[2:4])


def loops(x: Array, K: Array) -> Array:
    """The sum as it is written, compiled: one number of y after the other."""
    N, C, H, W = x.shape
    M, _, R, S = K.shape
    y = np.empty((N, M, H - R + 1, W - S + 1), x.dtype)
    for n in range(N):
        for m in range(M):
            for i in range(H - R + 1):
                for j in range(W - S + 1):
                    total = x.dtype.type(0)
                    for c in range(C):
                        for r in range(R):
                            for s in range(S):
                                total += x[n, c, i + r, j + s] * K[m, c, r, s]
                    y[n, m, i, j] = total
    return y


def reordered_loops(x: Array, K: Array) -> Array:
    """The same loops, the one along a row innermost: many numbers of y at once, in one vector."""
    N, C, H, W = x.shape
    M, _, R, S = K.shape
    y = np.zeros((N, M, H - R + 1, W - S + 1), x.dtype)
    for n in range(N):
        for m in range(M):
            for i in range(H - R + 1):
                for c in range(C):
                    for r in range(R):
                        for s in range(S):
                            for j in range(W - S + 1):
                                y[n, m, i, j] += x[n, c, i + r, j + s] * K[m, c, r, s]
    return y


def parallel_loops(x: Array, K: Array) -> Array:
    """The loops reordered, and images and kernels shared out among the threads."""
    N, C, H, W = x.shape
    M, _, R, S = K.shape
    y = np.zeros((N, M, H - R + 1, W - S + 1), x.dtype)
    for nm in prange(N * M):
        n, m = nm // M, nm % M
        for i in range(H - R + 1):
            for c in range(C):
                for r in range(R):
                    for s in range(S):
                        for j in range(W - S + 1):
                            y[n, m, i, j] += x[n, c, i + r, j + s] * K[m, c, r, s]
    return y


class Rung(NamedTuple):
    """A step of the ladder, ready to run."""

    name: str
    call: Call
    part: tuple[int, int] | None = None
    """Images and kernels that are computed where all would take too long; else None."""


def _padded(x: Array, padding: int) -> Array:
    return np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])


def _python(layer: Layer, part: tuple[int, int]) -> Rung:
    _, x, K, _ = layer.arrays()
    image, kernels = _padded(x[: part[0]], layer.padding).tolist(), K[: part[1]].tolist()
    whole = part == (len(x), len(K))
    return Rung(
        "Python, the sum",
        lambda: np.array(python_sum(image, kernels), np.float32),
        None if whole else part,
    )


def _compiled(name: str, layer: Layer, function: Callable[..., Any], **settings: Any) -> Rung:
    _, x, K, _ = layer.arrays()
    compiled = numba.njit(error_model="numpy", **settings)(function)
    return Rung(name, lambda: compiled(_padded(x, layer.padding), K))


def rungs(layer: Layer, part: tuple[int, int] = (1, 1), all_rungs: bool = True) -> list[Rung]:
    """The ladder for one layer, from the slowest rung that is expected to the fastest.

    Parameters
    ----------
    layer : Layer
        Of stride 1 and without bias.
    part : tuple of int
        How many images and kernels plain Python computes; its time is scaled to the whole.
    all_rungs : bool
        Whether the loops on several threads and torch are among them.
    """
    _, x, K, _ = layer.arrays()
    found = [
        _python(layer, part),
        Rung("NumPy, the reference", partial(forward(layer), backend="numpy")),
        Rung("NumPy, im2col and BLAS", lambda: im2col(_padded(x, layer.padding), K)),
    ]
    if numba is not None:
        found += [
            _compiled("Numba, the sum", layer, loops),
            _compiled("Numba, reordered", layer, reordered_loops),
        ]
        if all_rungs:
            threads = _compiled("Numba, reordered, threads", layer, parallel_loops, parallel=True)
            found.append(threads)
    found.append(Rung(OURS, partial(forward(layer), algorithm="direct")))
    if layer.K[2:] == (3, 3) and numba is not None:
        found.append(Rung("ketkar, Winograd", partial(forward(layer), algorithm="winograd")))
    if all_rungs and installed("torch"):
        found.append(Rung("torch", peer("with_torch", "convolution", layer)()))
    return found


def time_rungs(layer: Layer, ladder: list[Rung], plan: Plan) -> list[dict[str, Any]]:
    """Milliseconds of each rung for the whole layer: the shortest of several, taken by turns.

    Raises
    ------
    ValueError
        If a rung does not compute what ketkar computes.
    """
    ours = next(rung.call for rung in ladder if rung.name == OURS)
    expected = ours()
    for rung in ladder:
        n, m = rung.part or expected.shape[:2]
        found = difference([expected[:n, :m]], arrays(rung.call()))
        if not found <= TOLERANCE:
            raise ValueError(f"{rung.name} and ketkar differ by {found:.1e} of the largest number")
    taken = shortest({rung.name: rung.call for rung in ladder}, plan)
    results = []
    for rung in ladder:
        scale = 1.0 if rung.part is None else math.prod(expected.shape[:2]) / math.prod(rung.part)
        found_ms = scale * taken[rung.name]
        results.append({"rung": rung.name, "ms": found_ms, "scaled": scale != 1.0})
    return results


def run(threads: list[int], quick: bool) -> dict[str, Any]:
    """Print the ladder on each number of threads; give the report."""
    limits: list[Any] = []
    results: list[Any] = []
    for count in threads:
        speed = "quick" if quick else "full"
        settings = environment(count)
        for found in lines_of("benchmarks.ladder", str(count), speed, settings=settings):
            if "limits" in found:
                limits.append(found["limits"])
                print(report.limits_line(found["limits"]))
                continue
            print(f"\n{found['size']}: {found['layer']}, {count} thread(s)")
            print(f"{'rung':26} {'ms':>12} {'of ketkar, direct':>20} {'of limit':>9}")
            results += found["results"]
            ours = next(r["ms"] for r in found["results"] if r["rung"] == OURS)
            for r in found["results"]:
                scaled = "  (scaled from a part)" if r["scaled"] else ""
                times, share = f"{r['ms'] / ours:.2f}", f"{r['share_of_limit']:9.2%}"
                print(f"{r['rung']:26} {r['ms']:12.4f} {times:>20} {share}{scaled}", flush=True)
    return {
        "machine": report.machine(limits, quick),
        "versions": report.versions(),
        "ladder": results,
    }


def describe(layer: Layer) -> str:
    (N, C, H, W), (M, _, R, S) = layer.x, layer.K
    return f"{N} images of {C} x {H} x {W}, {M} kernels of {R} x {S}, padding {layer.padding}"


def main(threads: int, speed: str, sizes: Sequence[str]) -> None:
    """Measure and say the limits, and then the rungs of each size; `speed` is one of PLANS."""
    from benchmarks import limits
    from benchmarks.turns import share_of_limit

    # The limits are taken before and after: a busy machine may be free at one of the times.
    limit = limits.measure(threads)
    found = {}
    for size in sizes:
        ladder = rungs(SIZES[size], all_rungs=speed != "page")
        found[size] = time_rungs(SIZES[size], ladder, PLANS[speed])
        limit = limit.or_better(limits.measure(threads))
    say(limits=limit._asdict())
    for size, results in found.items():
        layer = SIZES[size]
        moved = 4 * sum(math.prod(shape) for shape in (layer.x, layer.K, layer.y))
        for result in results:
            share = share_of_limit(layer.flops, moved, limit, result["ms"])
            result |= {"size": size, "threads": threads, "share_of_limit": share}
        say(size=size, layer=describe(layer), results=results)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:] or list(SIZES))
