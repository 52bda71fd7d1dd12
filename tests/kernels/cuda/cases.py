"""One table of calls, for all functions of the kernels: for a pretended GPU and for a real one.

Run as a script, it makes the small calls on the GPU, so that a checker can watch the kernels alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ketkar.kernels import codes, reference
from ketkar.kernels.geometry import Geometry

STAY = ("widths", "activations")
"""Arguments that a function reads on the processor."""


class Case(NamedTuple):
    """A call of a kernel function.

    Attributes
    ----------
    function : str
        Its name.
    title : str
        What is special about the shapes.
    make : callable
        Takes a generator and a type of numbers, and gives the arguments by name.
    writes : str
        The arguments that are written to and compared, with spaces between them.
    small : bool
        Whether a pretended GPU takes it in a moment.
    """

    function: str
    title: str
    make: Callable[[Any, Any], dict[str, Any]]
    writes: str
    small: bool = False

    def __str__(self) -> str:
        return f"{self.function}-{self.title}"

    def arguments(self, dtype: Any) -> dict[str, Any]:
        """The arguments, drawn anew and always the same."""
        return self.make(np.random.default_rng(5), np.dtype(dtype).type)

    def run(
        self,
        kernels: Any,
        dtype: Any,
        send: Callable[[Any], Any] = np.asarray,
        fetch: Callable[[Any], Any] = np.asarray,
    ) -> dict[str, Any]:
        """What was written, and "returned" if something was.

        `send` brings an array to a device, `fetch` a copy of it back. Empty arrays, which stand for
        what is not there, stay.
        """
        given = self.arguments(dtype)
        sent = {
            name: send(value)
            for name, value in given.items()
            if isinstance(value, np.ndarray) and value.size and name not in STAY
        }
        returned = getattr(kernels, self.function)(*(given | sent).values())
        found = {
            name: fetch(sent[name]) if name in sent else given[name] for name in self.writes.split()
        }
        return found if returned is None else found | {"returned": float(returned)}

    def expected(self, dtype: Any) -> dict[str, Any]:
        """What the reference makes of it."""
        return self.run(reference, dtype)


def normal(rng: Any, T: Any, *shape: int) -> Any:
    return rng.standard_normal(shape).astype(T)


def blank(T: Any, *shape: int) -> Any:
    """An output: what is not written shows."""
    return np.full(shape, np.nan, T)


def elementwise(size: int, rng: Any, T: Any) -> dict[str, Any]:
    x = 4 * normal(rng, T, size)
    x[: min(size, 3)] = (np.nan, -np.inf, 0)[:size]
    return {"x": x, "y": blank(T, size)}


def dense(N: int, n: int, m: int, rng: Any, T: Any) -> dict[str, Any]:
    x, W, b = normal(rng, T, N, n), normal(rng, T, n, m), normal(rng, T, m)
    return {"x": x, "W": W, "b": b, "z": blank(T, N, m)}


def dense_backward(N: int, n: int, m: int, rng: Any, T: Any) -> dict[str, Any]:
    dz, x, W = normal(rng, T, N, m), normal(rng, T, N, n), normal(rng, T, n, m)
    return {
        "dz": dz, "x": x, "W": W, "dx": blank(T, N, n), "dW": blank(T, n, m), "db": blank(T, m),
    }  # fmt: skip


def stack(N: int, widths: tuple[int, ...], rng: Any, T: Any) -> dict[str, Any]:
    size = sum((n + 1) * m for n, m in itertools.pairwise(widths))
    theta = (rng.standard_normal(size) / np.sqrt(max(widths))).astype(T)
    layers = len(widths) - 1
    activations = [*(codes.RELU, codes.TANH, codes.SIGMOID)[: layers - 1], codes.IDENTITY]
    return {
        "theta": theta,
        "x": normal(rng, T, N, widths[0]),
        "widths": np.array(widths),
        "activations": np.array(activations),
        "y": blank(T, N, widths[-1]),
    }


def train_step(
    N: int, widths: tuple[int, ...], loss: int, momentum: float, wrong: bool, rng: Any, T: Any
) -> dict[str, Any]:
    given = stack(N, widths, rng, T)
    theta, size, m = given["theta"], given["theta"].size, widths[-1]
    targets = rng.random((0 if loss == codes.CROSS_ENTROPY else N, m)).astype(T)
    labels = rng.integers(0, m, N if loss == codes.CROSS_ENTROPY else 0)
    if wrong:
        labels[-1] = m
    return {
        "theta": theta,
        "velocity": T(0.1) * normal(rng, T, size if momentum else 0),
        "x": given["x"],
        "targets": targets,
        "labels": labels,
        "widths": given["widths"],
        "activations": given["activations"],
        "loss": loss,
        "lr": 0.1,
        "momentum": momentum,
    }


class Windows(NamedTuple):
    """Images x (N, C, H, W), M kernels or a window of the size, and how it moves."""

    x: tuple[int, int, int, int]
    M: int
    size: tuple[int, int]
    geometry: Geometry = Geometry()
    algorithm: str = "auto"

    def y(self, channels: int) -> tuple[int, ...]:
        rows, columns = self.x[2:]
        return self.x[0], channels, *self.geometry.output_size((rows, columns), self.size)

    @property
    def K(self) -> tuple[int, ...]:  # noqa: N802
        return self.M, self.x[1] // self.geometry.groups, *self.size


def conv(w: Windows, rng: Any, T: Any) -> dict[str, Any]:
    return {
        "x": normal(rng, T, *w.x),
        "K": normal(rng, T, *w.K),
        "b": normal(rng, T, w.M),
        "geometry": w.geometry,
        "algorithm": w.algorithm,
        "y": blank(T, *w.y(w.M)),
    }


def conv_input(w: Windows, rng: Any, T: Any) -> dict[str, Any]:
    dy, K = normal(rng, T, *w.y(w.M)), normal(rng, T, *w.K)
    how = {"geometry": w.geometry, "algorithm": w.algorithm}
    return {"dy": dy, "K": K, **how, "dx": blank(T, *w.x)}


def conv_kernel(w: Windows, rng: Any, T: Any) -> dict[str, Any]:
    dy, x = normal(rng, T, *w.y(w.M)), normal(rng, T, *w.x)
    how = {"geometry": w.geometry, "algorithm": w.algorithm}
    return {"dy": dy, "x": x, **how, "dK": blank(T, *w.K)}


def conv_bias(w: Windows, rng: Any, T: Any) -> dict[str, Any]:
    return {"dy": normal(rng, T, *w.y(w.M)), "db": blank(T, w.M)}


def pool(w: Windows, include: bool | None, rng: Any, T: Any) -> dict[str, Any]:
    count = {} if include is None else {"count_include_pad": include}
    x, y = normal(rng, T, *w.x), blank(T, *w.y(w.x[1]))
    return {"x": x, "size": w.size, "geometry": w.geometry, **count, "y": y}


def max_back(w: Windows, rng: Any, T: Any) -> dict[str, Any]:
    """Few different numbers, so that some windows have two maxima."""
    dy, x = normal(rng, T, *w.y(w.x[1])), np.round(2 * normal(rng, T, *w.x))
    return {"dy": dy, "x": x, "size": w.size, "geometry": w.geometry, "dx": blank(T, *w.x)}


def avg_back(w: Windows, include: bool, rng: Any, T: Any) -> dict[str, Any]:
    dy, size = normal(rng, T, *w.y(w.x[1])), w.size
    how = {"geometry": w.geometry, "count_include_pad": include}
    return {"dy": dy, "size": size, **how, "dx": blank(T, *w.x)}


def l2_back(w: Windows, rng: Any, T: Any) -> dict[str, Any]:
    """One window sees zeros alone."""
    x, y = normal(rng, T, *w.x), blank(T, *w.y(w.x[1]))
    x[0, 0] = 0
    reference.l2_pool2d_forward(x, w.size, w.geometry, y)
    dy, how = normal(rng, T, *y.shape), {"size": w.size, "geometry": w.geometry}
    return {"dy": dy, "x": x, "y": y, **how, "dx": blank(T, *w.x)}


class Steps(NamedTuple):
    """T steps of N sequences with n inputs and h units; whether some steps are not there."""

    T: int
    N: int
    n: int
    h: int
    masked: bool = False
    stop: int = 0
    wants_dx: bool = True

    def mask(self, rng: Any) -> Any:
        if not self.masked:
            return np.zeros((0, self.N), np.bool_)
        return rng.random((self.T, self.N)) < 0.7

    def x(self, rng: Any, T: Any, mask: Any) -> Any:
        x = normal(rng, T, self.T, self.N, self.n)
        return np.where(mask[:, :, None], x, T(0)) if self.masked else x

    def dx(self, T: Any) -> Any:
        return blank(T, self.T if self.wants_dx else 0, self.N, self.n)

    def weights(self, rng: Any, T: Any, gates: int) -> tuple[Any, Any, Any]:
        h, scale = gates * self.h, T(1 / np.sqrt(self.n + self.h))
        inputs, states = normal(rng, T, h, self.n) * scale, normal(rng, T, h, self.h) * scale
        return inputs, states, normal(rng, T, h)

    def states(self, rng: Any, T: Any) -> Any:
        states = blank(T, self.T + 1, self.N, self.h)
        states[0] = normal(rng, T, self.N, self.h)
        return states


def rnn(s: Steps, rng: Any, T: Any) -> dict[str, Any]:
    mask = s.mask(rng)
    U, W, b = s.weights(rng, T, 1)
    x, h = s.x(rng, T, mask), s.states(rng, T)
    return {"x": x, "U": U, "W": W, "b": b, "mask": mask, "h": h}


def rnn_back(s: Steps, rng: Any, T: Any) -> dict[str, Any]:
    given = rnn(s, rng, T)
    reference.rnn_forward(*given.values())
    x, U, W, _, mask, h = given.values()
    return {
        "x": x, "U": U, "W": W, "mask": mask, "h": h, "dh": normal(rng, T, s.T, s.N, s.h),
        "stop": s.stop, "dx": s.dx(T), "dU": blank(T, *U.shape), "dW": blank(T, *W.shape),
        "db": blank(T, s.h), "dh0": blank(T, s.N, s.h),
    }  # fmt: skip


def lstm(s: Steps, peepholes: bool, rng: Any, T: Any) -> dict[str, Any]:
    mask = s.mask(rng)
    W, R, b = s.weights(rng, T, 4)
    p = normal(rng, T, 3, s.h) if peepholes else np.zeros((3, s.h), T)
    return {
        "x": s.x(rng, T, mask), "W": W, "R": R, "p": p, "b": b, "mask": mask,
        "y": s.states(rng, T), "c": s.states(rng, T), "gates": blank(T, s.T, s.N, 4, s.h),
    }  # fmt: skip


def lstm_back(s: Steps, peepholes: bool, rng: Any, T: Any) -> dict[str, Any]:
    given = lstm(s, peepholes, rng, T)
    reference.lstm_forward(*given.values())
    x, W, R, p, _, mask, y, c, gates = given.values()
    return {
        "x": x, "W": W, "R": R, "p": p, "mask": mask, "y": y, "c": c, "gates": gates,
        "dy": normal(rng, T, s.T, s.N, s.h), "dc": normal(rng, T, s.N, s.h), "stop": s.stop,
        "errors": blank(T, *gates.shape), "dx": s.dx(T), "dW": blank(T, *W.shape),
        "dR": blank(T, *R.shape), "dp": blank(T, *p.shape), "db": blank(T, 4 * s.h),
        "dy0": blank(T, s.N, s.h),
    }  # fmt: skip


def output(R: int, h: int, m: int, rng: Any, T: Any) -> dict[str, Any]:
    states, V, c = normal(rng, T, R, h), normal(rng, T, m, h), normal(rng, T, m)
    return {"h": states, "V": V, "c": c, "y": blank(T, R, m)}


def output_back(R: int, h: int, m: int, rng: Any, T: Any) -> dict[str, Any]:
    given = output(R, h, m, rng, T)
    reference.output_forward(*given.values())
    states, V, _, y = given.values()
    return {
        "dy": normal(rng, T, R, m), "y": y, "h": states, "V": V,
        "dh": blank(T, R, h), "dV": blank(T, m, h), "dc": blank(T, m),
    }  # fmt: skip


def output_loss(R: int, h: int, m: int, rng: Any, T: Any) -> dict[str, Any]:
    states, V, c, _ = output(R, h, m, rng, T).values()
    weights = (rng.random(R) * (rng.random(R) < 0.8)).astype(T)  # some rows count as nothing
    return {
        "h": states, "V": V, "c": c, "labels": rng.integers(0, m, R), "weights": weights,
        "losses": blank(T, R), "dh": blank(T, R, h), "dV": blank(T, m, h), "dc": blank(T, m),
    }  # fmt: skip


ALL_ROUND = Geometry(top=1, bottom=1, left=1, right=1)
RAGGED = Geometry(2, 3, 1, 0, 2, 1, 2, 1, 1)
GROUPED = Geometry(1, 2, 2, 1, 0, 1, 1, 2, groups=3)

# Of each: by what title, and what. The first of them is small.
SIZES = {"small": 5, "a-part-of-a-block": 1000, "large": 300_001}
PRODUCTS = {"small": (3, 2, 5), "ragged": (67, 129, 31), "large": (512, 784, 257), "one": (1, 1, 1)}
STACKS = {
    "small": (2, (3, 4, 2)),
    "ragged": (67, (129, 65, 33, 10)),
    "large": (256, (784, 512, 10)),
}
CONVOLUTIONS = {
    "small": Windows((2, 2, 4, 5), 3, (3, 3), ALL_ROUND),
    "ragged": Windows((3, 5, 23, 37), 7, (3, 2), RAGGED),
    "grouped": Windows((2, 6, 19, 21), 9, (2, 3), GROUPED),
    "large": Windows((4, 64, 56, 56), 64, (3, 3), ALL_ROUND),
    "pointwise": Windows((2, 33, 17, 19), 65, (1, 1)),
    "one-channel": Windows((3, 1, 61, 67), 1, (9, 11)),
}
CONVOLUTIONS |= {
    algorithm: Windows((2, 5, 21, 18), 7, (3, 3), ALL_ROUND, algorithm)
    for algorithm in ("direct", "winograd", "fft")
}
POOLINGS = {
    "small": Windows((1, 2, 5, 5), 0, (2, 2), Geometry(2, 2, 1, 0, 0, 1)),
    "ragged": Windows((3, 5, 23, 37), 0, (3, 2), RAGGED._replace(left=1)),
    "overlapping": Windows((2, 3, 33, 65), 0, (3, 3), Geometry(1, 2)),
    "large": Windows((16, 32, 56, 56), 0, (2, 2), Geometry(2, 2)),
    "whole": Windows((5, 7, 13, 11), 0, (13, 11)),
}
SEQUENCES = {
    "small": Steps(2, 2, 3, 2),
    "masked": Steps(7, 5, 3, 33, masked=True),
    "cut": Steps(9, 3, 5, 17, stop=4, wants_dx=False),
    "large": Steps(20, 64, 100, 257, masked=True, stop=6),
    "one": Steps(1, 1, 1, 1),
}
LOSSES = {
    "small": (codes.CROSS_ENTROPY, 0.0),
    "squared": (codes.SQUARED_ERROR, 0.9),
    "binary": (codes.BINARY_CROSS_ENTROPY, 0.0),
    "dense-targets": (codes.CROSS_ENTROPY_DENSE, 0.5),
}


def _each(
    function: str,
    maker: Callable[..., dict[str, Any]],
    table: dict[str, Any],
    writes: str,
    *more: Any,
) -> list[Case]:
    """One case for each entry of a table of shapes."""
    return [
        Case(
            function,
            title,
            partial(maker, *(shape if type(shape) is tuple else (shape,)), *more),
            writes,
            title == "small",
        )
        for title, shape in table.items()
    ]


STEPS = {
    title: (2, (3, 4, 3), *loss, False) if title == "small" else (67, (31, 65, 10), *loss, False)
    for title, loss in LOSSES.items()
} | {
    "large": (256, (784, 512, 10), *LOSSES["small"], False),
    "wrong-label": (5, (3, 4, 2), *LOSSES["small"], True),
}  # fmt: skip

CASES = [
    *(case for name in ("exp", "sigmoid", "tanh") for case in _each(name, elementwise, SIZES, "y")),
    *_each("dense_forward", dense, PRODUCTS, "z"),
    *_each("dense_backward", dense_backward, PRODUCTS, "dx dW db"),
    *_each("dense_stack_forward", stack, STACKS, "y"),
    *_each("dense_train_step", train_step, STEPS, "theta velocity"),
    *_each("conv2d_forward", conv, CONVOLUTIONS, "y"),
    *_each("conv2d_input_gradient", conv_input, CONVOLUTIONS, "dx"),
    *_each("conv2d_kernel_gradient", conv_kernel, CONVOLUTIONS, "dK"),
    *_each("conv2d_bias_gradient", conv_bias, CONVOLUTIONS, "db"),
    *_each("max_pool2d_forward", pool, POOLINGS, "y", None),
    *_each("max_pool2d_backward", max_back, POOLINGS, "dx"),
    *_each("avg_pool2d_forward", pool, POOLINGS, "y", True),
    *_each("avg_pool2d_backward", avg_back, POOLINGS, "dx", False),
    *_each("l2_pool2d_forward", pool, POOLINGS, "y", None),
    *_each("l2_pool2d_backward", l2_back, POOLINGS, "dx"),
    *_each("rnn_forward", rnn, SEQUENCES, "h"),
    *_each("rnn_backward", rnn_back, SEQUENCES, "dh dx dU dW db dh0"),
    *_each("lstm_forward", lstm, SEQUENCES, "y c gates", True),
    *_each("lstm_backward", lstm_back, SEQUENCES, "dc errors dx dW dR dp db dy0", True),
    *_each("output_forward", output, PRODUCTS, "y"),
    *_each("output_backward", output_back, PRODUCTS, "dh dV dc"),
    *_each("output_loss", output_loss, PRODUCTS, "losses dh dV dc"),
]


if __name__ == "__main__":
    from ketkar.kernels import cuda

    for case in CASES:
        if case.small:
            for dtype in (np.float32, np.float64):
                case.run(cuda, dtype)
    print("all small calls were made")
