"""The workloads as shapes, their arrays, and how to ask a peer for its call."""

import importlib
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Call
from ketkar import recurrent

Array = NDArray[np.float32]


class Layer(NamedTuple):
    """A convolution: x (N, C, H, W) and K (M, C, R, S), or one axis less for a sequence."""

    name: str
    x: tuple[int, ...]
    K: tuple[int, ...]
    stride: int = 1
    padding: int = 0
    bias: bool = True

    @property
    def y(self) -> tuple[int, ...]:
        """The shape of the output."""
        sizes = (
            (n + 2 * self.padding - k) // self.stride + 1
            for n, k in zip(self.x[2:], self.K[2:], strict=True)
        )
        return self.x[0], self.K[0], *sizes

    @property
    def flops(self) -> int:
        """Of the sum as the chapter writes it, for one of y, dx and dK."""
        return 2 * math.prod(self.y) * math.prod(self.K[1:])

    def arrays(self) -> tuple[Array, Array, Array, Array | None]:
        """The arrays dy, x, K and b."""
        rng = np.random.default_rng(0)
        dy, x, K = (rng.standard_normal(shape, np.float32) for shape in (self.y, self.x, self.K))
        b = rng.standard_normal(self.K[0], np.float32) if self.bias else None
        return dy, x, K / np.float32(math.sqrt(math.prod(self.K[1:]))), b


class Pooling(NamedTuple):
    """Pooling of x (N, C, H, W) in a square window."""

    kind: str
    """Max, average or l2."""
    x: tuple[int, int, int, int]
    size: int
    stride: int

    @property
    def y(self) -> tuple[int, ...]:
        """The shape of the output."""
        return *self.x[:2], *((n - self.size) // self.stride + 1 for n in self.x[2:])

    def arrays(self) -> tuple[Array, Array]:
        """The arrays dy and x; no two numbers of x are equal, so that there is one maximum."""
        rng = np.random.default_rng(0)
        size = math.prod(self.x)
        x = (rng.permutation(size).astype(np.float32) - size / 2) / np.float32(size / 4)
        return rng.standard_normal(self.y, np.float32), x.reshape(self.x)


class Sequences(NamedTuple):
    """N sequences of T steps with n inputs, for h hidden units."""

    N: int
    T: int
    n: int
    h: int
    outputs: int

    def arrays(self) -> tuple[Array, Any]:
        """Inputs x (T, N, n), and a label for each step (T, N)."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.T, self.N, self.n), np.float32)
        return x, rng.integers(0, self.outputs, (self.T, self.N))

    def output_gradient(self) -> Array:
        """What a loss could say about the outputs (T, N, h)."""
        return np.random.default_rng(1).standard_normal((self.T, self.N, self.h), np.float32)

    def rnn(self) -> Any:
        """The parameters of a recurrent network with an output layer."""
        return recurrent.rnn_params(self.n, self.h, self.outputs, rng=0, dtype=np.float32)

    def lstm(self) -> Any:
        """The parameters of an LSTM without peepholes."""
        return recurrent.lstm_params(self.n, self.h, rng=0, peepholes=False, dtype=np.float32)


def peer(module: str, maker: str, *arguments: Any, **settings: Any) -> Callable[[], Call]:
    """A peer's call, made when asked for: its package may be missing, and is slow to import."""

    def make() -> Call:
        home = importlib.import_module(f"benchmarks.peers.{module}")
        call: Call = getattr(home, maker)(*arguments, **settings)
        return call

    return make


def usual_peers(maker: str, problem: Any) -> dict[str, Callable[[], Call]]:
    """The peers that have layers, and NumPy: each module has a `maker` of its own."""
    return {
        "torch": peer("with_torch", maker, problem),
        "torch-channels-last": peer("with_torch", maker, problem, channels_last=True),
        "jax": peer("with_jax", maker, problem),
        "numpy": peer("with_numpy", maker, problem),
    }
