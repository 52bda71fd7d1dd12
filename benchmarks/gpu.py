"""The CUDA kernels side by side with peers on the same GPU: ``python -m benchmarks --gpu``.

A row is one workload, in float32, whose arrays are on the device before and after. Ours and the
peers take turns, as on the processor; a turn is timed by events that the GPU itself records, from
the start of its first kernel to the end of its last one, waits between them included. Before that
every peer's result must equal ours.

=================  =============================================================================
``torch``          cuBLAS and cuDNN in float32, each choosing the fastest of its algorithms
``torch-tf32``     the same with products of numbers of ten bits (TF32): another precision, so
                   its results are compared with a wider tolerance
``cupy``           cuBLAS for the products of matrices
=================  =============================================================================

The limits of the card are measured first: bytes a second of a large copy, and float32 operations
a second of a large product by cuBLAS. A row's share of its limit is the least time they leave it,
by the time it took; the sum of the chapter is counted, of which some algorithms need a part.

Ours computes on CuPy's arrays where CuPy is installed, as its memory between kernels then comes
from CuPy's pool; else on Numba's, which asks the driver for memory in every call.
"""

from __future__ import annotations

import importlib
import json
import math
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import report
from benchmarks.convolution import CIFAR, LENET2, VGG14, VGG56
from benchmarks.measure import QUICK, Plan, Timer, best, by_turns
from benchmarks.problems import Layer, Pooling, Sequences, peer
from benchmarks.rows import TOLERANCE, Call, difference, installed
from ketkar.kernels import codes, driver
from ketkar.kernels.geometry import Geometry

DEVICE = "cuda"
"""Where torch's tensors are."""
TF32_TOLERANCE = 1e-2
PACKAGES = ("numba-cuda", "cuda-toolkit", "cupy-cuda12x", "cupy-cuda13x")

BANDWIDTH = 0.8
"""The share of its limit that a row reaches which hardly computes."""
PRODUCT, CONVOLUTION, LSTM = 1.5, 2.0, 1.0
"""Ratios to reach against torch without TF32: of products, convolutions and the LSTM."""

Send = Callable[[Any], Any]
"""Brings an array to the device."""


class Row(NamedTuple):
    """A workload: what it must compute and move at least, how to set it up, and its goals."""

    name: str
    flops: float
    bytes: float
    ours: Callable[[Send], Call]
    peers: Mapping[str, Callable[[], Call]]
    ratio: float | None = None
    """To torch, at most."""
    share: float | None = None
    """Of the limit, at least."""


class Limits(NamedTuple):
    """Of the card; `gflops` is None where no cuBLAS is at hand to measure it with."""

    gbs: float
    gflops: float | None

    def share(self, row: Row, ms: float) -> float:
        """The least time the row could take, as a share of what was taken."""
        computing = row.flops / self.gflops if self.gflops else 0.0
        return max(row.bytes / self.gbs, computing) / 1e9 / (ms / 1e3)


# Rows. Each maker of ours takes a problem and how arrays get to the device, and gives a call.


def _kernels() -> Any:
    return importlib.import_module("ketkar.kernels.cuda")


def _filling(name: str, given: list[Any], *shapes: tuple[int, ...], send: Send) -> Call:
    """A call of a kernel function whose last arguments are new arrays of these shapes."""
    function = getattr(_kernels(), name)
    filled = tuple(send(np.empty(shape, np.float32)) for shape in shapes)

    def run() -> Any:
        function(*given, *filled)
        return filled

    return run


def _copy(there: Any, source: Any) -> None:
    if hasattr(there, "copy_to_device"):  # an array of Numba's
        there.copy_to_device(source)
    else:
        there[...] = source


def _torch(maker: str, *arguments: Any, tf32: bool) -> Callable[[], Call]:
    """A peer's call, before which torch is told what precision it may have."""

    def make() -> Call:
        call = peer("with_torch", maker, *arguments, device=DEVICE)()
        import torch

        def run() -> Any:
            torch.backends.cuda.matmul.allow_tf32 = tf32
            torch.backends.cudnn.allow_tf32 = tf32
            torch.backends.cudnn.benchmark = True
            return call()

        return run

    return make


def _peers(maker: str, *arguments: Any, tf32: bool = True) -> dict[str, Callable[[], Call]]:
    found = {"torch": _torch(maker, *arguments, tf32=False)}
    return found | ({"torch-tf32": _torch(maker, *arguments, tf32=True)} if tf32 else {})


def _matrices(M: int, K: int, N: int) -> list[Any]:
    """Dz (M, N), x (M, K), W (K, N) and b (N,), scaled so that results are of the size of one."""
    rng = np.random.default_rng(0)
    dz, x, W = (rng.standard_normal(s, np.float32) for s in ((M, N), (M, K), (K, N)))
    return [dz, x, W / np.float32(math.sqrt(K)), rng.standard_normal(N, np.float32)]


def _cupy_product(*sizes: int) -> Call:
    cupy = importlib.import_module("cupy")
    _, x, W, b = map(cupy.asarray, _matrices(*sizes))
    z = cupy.empty((sizes[0], sizes[2]), cupy.float32)

    def run() -> Any:
        cupy.matmul(x, W, out=z)
        return cupy.add(z, b, out=z)

    return run


def products(M: int, K: int, N: int) -> list[Row]:
    """A dense layer of M examples: x W + b, and back."""

    def forward(send: Send) -> Call:
        _, *given = map(send, _matrices(M, K, N))
        return _filling("dense_forward", given, (M, N), send=send)

    def backward(send: Send) -> Call:
        given = list(map(send, _matrices(M, K, N)[:3]))
        return _filling("dense_backward", given, (M, K), (K, N), (N,), send=send)

    def of_torch(tf32: bool, back: bool) -> Callable[[], Call]:
        def make() -> Call:
            dz, x, W, b = _matrices(M, K, N)
            given = (dz, x, W) if back else (x, W, b)
            return _torch("product_backward" if back else "product", *given, tf32=tf32)()

        return make

    flops, moved = 2 * M * N * K, 4 * (M * K + K * N + M * N)
    name = f"dense-{M}x{K}x{N}"
    peers = {"torch": of_torch(False, False), "torch-tf32": of_torch(True, False)}
    peers["cupy"] = partial(_cupy_product, M, K, N)
    back = {"torch": of_torch(False, True), "torch-tf32": of_torch(True, True)}
    return [
        Row(f"{name}-forward", flops, moved, forward, peers, PRODUCT),
        Row(f"{name}-backward", 2 * flops, 2 * moved, backward, back, PRODUCT),
    ]


def convolutions(layer: Layer) -> list[Row]:
    """A layer of images, and back to dx, dK and db."""
    step, p = layer.stride, layer.padding
    geometry = Geometry(step, step, p, p, p, p)
    biases = (layer.K[0],)

    def forward(send: Send) -> Call:
        _, x, K, b = layer.arrays()
        given = [*map(send, (x, K, b)), geometry, "auto"]
        return _filling("conv2d_forward", given, layer.y, send=send)

    def backward(send: Send) -> Call:
        dy, x, K = map(send, layer.arrays()[:3])
        calls = [
            _filling("conv2d_input_gradient", [dy, K, geometry, "auto"], layer.x, send=send),
            _filling("conv2d_kernel_gradient", [dy, x, geometry, "auto"], layer.K, send=send),
            _filling("conv2d_bias_gradient", [dy], biases, send=send),
        ]
        return lambda: [call()[0] for call in calls]

    x, K, y = (4 * math.prod(shape) for shape in (layer.x, layer.K, layer.y))
    peers, back = _peers("convolution", layer), _peers("convolution_backward", layer)
    return [
        Row(f"{layer.name}-forward", layer.flops, x + K + y, forward, peers, CONVOLUTION),
        # dx and dK are sums of the same size
        Row(
            f"{layer.name}-backward", 2 * layer.flops, y + 2 * (x + K), backward, back, CONVOLUTION
        ),
    ]


def poolings(pool: Pooling) -> list[Row]:
    """What hardly computes: the goal is the memory's speed."""
    name = {"max": "max", "average": "avg", "l2": "l2"}[pool.kind]
    size, geometry = (pool.size, pool.size), Geometry(pool.stride, pool.stride)
    include = [False] if name == "avg" else []

    def forward(send: Send) -> Call:
        given = [send(pool.arrays()[1]), size, geometry, *include]
        return _filling(f"{name}_pool2d_forward", given, pool.y, send=send)

    def backward(send: Send) -> Call:
        dy, x = map(send, pool.arrays())
        arrays = [dy] if name == "avg" else [dy, x]
        if name == "l2":
            arrays.append(forward(send)()[0])
        given = [*arrays, size, geometry, *include]
        return _filling(f"{name}_pool2d_backward", given, pool.x, send=send)

    x, y = 4 * math.prod(pool.x), 4 * math.prod(pool.y)
    flops = math.prod(pool.y) * pool.size**2
    back = {"max": y + 2 * x, "avg": y + x, "l2": 2 * y + 2 * x}[name]
    title = f"{pool.kind}-{pool.size}x{pool.size}"
    peers, back_peers = (
        _peers(maker, pool, tf32=False) for maker in ("pooling", "pooling_backward")
    )
    return [
        Row(f"{title}-forward", flops, x + y, forward, peers, share=BANDWIDTH),
        Row(f"{title}-backward", flops, back, backward, back_peers, share=BANDWIDTH),
    ]


def activation(name: str, size: int) -> Row:
    """What a gate does to its sum, by itself."""

    def numbers() -> Any:
        return np.random.default_rng(0).standard_normal(size, np.float32)

    def ours(send: Send) -> Call:
        return _filling(name, [send(numbers())], (size,), send=send)

    peers = {"torch": lambda: _torch("activation", name, numbers(), tf32=False)()}
    return Row(name, 10 * size, 8 * size, ours, peers, share=BANDWIDTH)


def lstm(problem: Sequences) -> Row:
    """Forward and back through time, as the row of the same name on the processor."""
    N, T, n, h = problem.N, problem.T, problem.n, problem.h

    def ours(send: Send) -> Call:
        kernels, q = _kernels(), problem.lstm()
        W, R, b = (np.concatenate(q[k : k + 4]) for k in (0, 4, 11))
        x, W, R, b = map(send, (problem.arrays()[0], W, R, b))
        p, everywhere = send(np.zeros((3, h), np.float32)), np.zeros((0, N), np.bool_)
        y, c = (send(np.zeros((T + 1, N, h), np.float32)) for _ in range(2))
        gates = send(np.empty((T, N, 4, h), np.float32))
        dy, nothing = send(problem.output_gradient()), send(np.zeros((N, h), np.float32))
        used, dc = (send(np.empty(a.shape, np.float32)) for a in (dy, nothing))
        shapes = (T, N, n), (4 * h, n), (4 * h, h), (3, h), (4 * h,), (N, h)
        dx, dW, dR, dp, db, dy0 = (send(np.empty(shape, np.float32)) for shape in shapes)
        found = dx, *(g[k * h : (k + 1) * h] for g in (dW, dR, db) for k in range(4))

        def run() -> Any:
            kernels.lstm_forward(x, W, R, p, b, everywhere, y, c, gates)
            _copy(used, dy)
            _copy(dc, nothing)
            kernels.lstm_backward(
                x, W, R, p, everywhere, y, c, gates, used, dc, 0,
                gates, dx, dW, dR, dp, db, dy0,
            )  # fmt: skip
            return found

        return run

    weights = 4 * h * (n + h)
    # as in `benchmarks.recurrent`: three products, and what is read and written at least
    flops = 2 * N * T * 3 * weights
    moved = 4 * (2 * N * T * (n + 5 * h) + 3 * weights)
    return Row(f"lstm-batch{N}", flops, moved, ours, _peers("lstm", problem), LSTM)


def dense_steps(N: int, widths: tuple[int, int, int]) -> Row:
    """A training step of two dense layers; ours gives the loss as a number, and so waits."""
    from ketkar.network import Dense, chain, flatten

    network = chain(Dense(*widths[:2], activation="relu"), Dense(*widths[1:]))

    def batch() -> tuple[Any, Any]:
        rng = np.random.default_rng(0)
        return rng.random((N, widths[0]), np.float32), rng.integers(0, widths[2], N)

    def ours(send: Send) -> Call:
        step = _kernels().dense_train_step
        theta, (x, labels) = send(flatten(network.init(0, np.float32))), map(send, batch())
        fixed = np.empty(0, np.float32), x, np.empty((0, widths[2]), np.float32), labels
        settings = np.array(widths), np.array([codes.RELU, codes.IDENTITY]), codes.CROSS_ENTROPY
        return lambda: np.float64(step(theta, *fixed, *settings, 0.01, 0.0))

    def of_torch(tf32: bool) -> Callable[[], Call]:
        def make() -> Call:
            (W1, b1), (W2, b2) = network.init(0, np.float32)
            return _torch("training_step", [W1, b1, W2, b2], 0.01, *batch(), tf32=tf32)()

        return make

    n, m, k = widths
    peers = {"torch": of_torch(False), "torch-tf32": of_torch(True)}
    flops, moved = 2 * N * (2 * n * m + 3 * m * k), 3 * 4 * (n * m + m * k)
    return Row(f"mlp-{n}-{m}-{k}-batch{N}", flops, moved, ours, peers)


def rows() -> list[Row]:
    """All of them."""
    pools = [
        Pooling(kind, (32, 64, 112, 112), size, 2)
        for size in (2, 3)
        for kind in ("max", "average", "l2")
    ]
    return [
        *products(4096, 4096, 4096),
        *products(1000, 784, 500),
        *(row for layer in (LENET2, CIFAR, VGG56, VGG14) for row in convolutions(layer)),
        *convolutions(VGG56._replace(name="vgg56-batch64", x=(64, 64, 56, 56))),
        *(row for pool in pools for row in poolings(pool)),
        *(activation(name, 1 << 26) for name in ("sigmoid", "tanh")),
        lstm(Sequences(64, 50, 256, 512, outputs=10)),
        dense_steps(64, (784, 128, 10)),
        dense_steps(512, (784, 2048, 10)),
    ]


# Measuring.


def events(call: Call, repeat: int) -> float:
    """Seconds a call, by two events on the stream on which all libraries here compute."""
    from numba import cuda

    start, end = cuda.event(), cuda.event()
    start.record()
    for _ in range(repeat):
        call()
    end.record()
    end.synchronize()
    return float(cuda.event_elapsed_time(start, end)) / 1e3 / repeat


def sender() -> Send:
    """How arrays get to the device: as CuPy's where it is installed, else as Numba's."""
    if installed("cupy"):
        return importlib.import_module("cupy").asarray
    return importlib.import_module("numba.cuda").to_device


def here(result: Any) -> list[Any]:
    """What a call returned, as NumPy arrays on the processor."""
    parts = result if isinstance(result, tuple | list) else [result]
    return [_fetched(part) for part in parts]


def _fetched(part: Any) -> Any:
    if hasattr(part, "copy_to_host"):
        return part.copy_to_host()
    if hasattr(part, "detach"):
        return part.detach().cpu().numpy()
    return part.get() if hasattr(part, "get") else np.asarray(part)


def usable(name: str) -> bool:
    """Whether a peer is installed and made for a GPU."""
    if not installed(name):
        return False
    return name == "cupy" or importlib.import_module("torch").cuda.is_available()


def assert_same_work(row: str, ours: Call, peers: Mapping[str, Call]) -> None:
    """Refuse to go on where a peer's result is not ours, twice, as every call may change things."""
    expected = [here(ours()) for _ in range(2)]
    for name, call in peers.items():
        most = TF32_TOLERANCE if name.endswith("tf32") else TOLERANCE
        found = float(np.max([difference(turn, here(call())) for turn in expected]))
        if not found <= most:  # NaN is refused, too
            raise ValueError(
                f"{row}: {name} and ours differ by {found:.1e} of the largest number; "
                f"at most {most:.0e} is taken for the same work"
            )


def measure_limits(send: Send, timer: Timer = events) -> Limits:
    """A copy of 256 MiB, and a product of two matrices with 4096 rows and columns."""
    size, side = 1 << 26, 4096
    source, there = (send(np.zeros(size, np.float32)) for _ in range(2))
    copy_s = best(lambda: _copy(there, source), timer=timer)
    found = []
    if usable("cupy"):
        found.append(_cupy_product(side, side, side))
    if usable("torch"):
        found.append(_torch("product", *_matrices(side, side, side)[1:], tf32=False)())
    product_s = [best(call, timer=timer) for call in found]
    return Limits(
        2 * 4 * size / copy_s / 1e9, 2 * side**3 / min(product_s) / 1e9 if product_s else None
    )


def measure(
    row: Row, limit: Limits, plan: Plan, send: Send, timer: Timer = events
) -> list[dict[str, Any]]:
    """One result for each peer, or a single one without a peer where none can be used.

    Raises
    ------
    ValueError
        If a peer does not compute what ours computes.
    """
    ours, peers = row.ours(send), {name: row.peers[name]() for name in row.peers if usable(name)}
    assert_same_work(row.name, ours, peers)
    ours_ms, timings = by_turns(ours, peers, plan, timer=timer)
    found = [{"peer": name, **timing._asdict()} for name, timing in timings.items()]
    nobody = dict.fromkeys(("peer", "peer_ms", "ratio", "spread", "turns"))
    return [
        {"name": row.name, "ours_ms": ours_ms, "share_of_limit": limit.share(row, ours_ms)}
        | result
        | {
            "ratio_goal": row.ratio if result["peer"] == "torch" else None,
            "share_goal": row.share if k == 0 else None,
        }
        for k, result in enumerate(found or [nobody])
    ]


# What is said of it.

HEAD = (
    f"{'row':28} {'peer':11} {'ours ms':>10} {'peer ms':>10} {'ratio':>7}  "
    f"{'quartiles':13} {'of limit':>8}  goal"
)


def line(result: Mapping[str, Any]) -> str:
    """A result as a line of the table."""
    start = f"{result['name']:28} {result['peer'] or 'no peer':11} {result['ours_ms']:10.4f} "
    middle = f"{'':33}"
    if result["peer"] is not None:
        lower, upper = result["spread"]
        spread = f"{lower:.3f}-{upper:.3f}"
        middle = f"{result['peer_ms']:10.4f} {result['ratio']:7.3f}  {spread:13}"
    met = ", ".join(f"{text} {'met' if reached else 'NOT met'}" for text, reached in goals(result))
    return f"{start}{middle} {result['share_of_limit']:8.0%}  {met}".rstrip()


def goals(result: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """What the result is to reach, in words, and whether it does."""
    found = []
    if result["ratio_goal"] is not None:
        goal = result["ratio_goal"]
        found.append((f"ratio at most {goal:g}", result["ratio"] <= goal))
    if result["share_goal"] is not None:
        goal = result["share_goal"]
        found.append((f"at least {goal:.0%} of the limit", result["share_of_limit"] >= goal))
    return found


def limits_line(gpu: driver.GPU, limit: Limits) -> str:
    """The card and what it can do."""
    product = "no cuBLAS to measure" if limit.gflops is None else f"{limit.gflops:.0f} GFLOP/s"
    return f"{gpu.name}: a copy moves {limit.gbs:.0f} GB/s, a product of matrices: {product}"


def run(
    gpu: driver.GPU, chosen: list[Row], quick: bool, send: Send, timer: Timer = events
) -> tuple[dict[str, Any], bool]:
    """Print the table; give the report, and whether every peer did the same work."""
    missing = [name for name in ("torch", "cupy") if not usable(name)]
    if missing:
        print(f"not installed for this GPU, so not measured: {', '.join(missing)}")
    limit = measure_limits(send, timer)
    print(limits_line(gpu, limit), HEAD, sep="\n", flush=True)
    results: list[dict[str, Any]] = []
    same = True
    for row in chosen:
        try:
            found = measure(row, limit, QUICK if quick else Plan(), send, timer)
        except ValueError as error:
            same = False
            print(error, file=sys.stderr, flush=True)
        else:
            results += found
            print(*map(line, found), sep="\n", flush=True)
    reached = [met for result in results for _, met in goals(result)]
    print(f"{sum(reached)} of {len(reached)} goals met")
    machine = report.machine([limit._asdict()], quick) | {"gpu": gpu._asdict()}
    return {"machine": machine, "versions": report.versions(PACKAGES), "gpu_rows": results}, same


def main(only: list[str] | None, quick: bool, file: Path | None) -> int:
    """Measure the rows with one of these in their names, and keep the report; an exit code."""
    obstacle = driver.why_not()
    gpu = driver.gpu()
    if obstacle or gpu is None:
        print(f"there is no GPU to measure: {obstacle}", file=sys.stderr)
        return 1
    everything = rows()
    chosen = [row for row in everything if any(part in row.name for part in only or [""])]
    if not chosen:
        names = ", ".join(row.name for row in everything)
        print(f"no row is named like {', '.join(only or [])}; there are {names}", file=sys.stderr)
        return 2
    found, same = run(gpu, chosen, quick, sender())
    if file is not None:
        file.write_text(json.dumps(found, indent=1) + "\n")
    return 0 if same else 1
