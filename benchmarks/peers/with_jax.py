"""JAX, compiled by XLA for the CPU; the gradients are those of ``jax.vjp``, compiled alone.

XLA drops what a gradient does not need, so that a convolution's backward has no forward in it.
A call waits for its result: without, it would only be put into a queue.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.problems import Layer, Pooling, Sequences
from benchmarks.rows import Call

wait: Callable[[Any], Any] = jax.block_until_ready


def _ready(f: Callable[..., Any], *arrays: Any) -> Call:
    compiled = jax.jit(f)
    placed = [None if array is None else jnp.asarray(array) for array in arrays]
    return lambda: wait(compiled(*placed))


def _convolve(layer: Layer) -> Callable[..., Any]:
    axes = len(layer.x) - 2
    stride, padding = (layer.stride,) * axes, ((layer.padding,) * 2,) * axes

    def f(x: Any, K: Any, b: Any) -> Any:
        y = lax.conv_general_dilated(x, K, stride, padding)  # NCHW is its default
        return y if b is None else y + b.reshape(-1, *[1] * axes)

    return f


def convolution(layer: Layer) -> Call:
    _, x, K, b = layer.arrays()
    return _ready(_convolve(layer), x, K, b)


def convolution_backward(layer: Layer) -> Call:
    f = _convolve(layer)
    return _ready(lambda dy, x, K, b: jax.vjp(f, x, K, b)[1](dy), *layer.arrays())


def _pool(pool: Pooling) -> Callable[[Any], Any]:
    window, stride = (1, 1, pool.size, pool.size), (1, 1, pool.stride, pool.stride)

    def total(x: Any) -> Any:
        return lax.reduce_window(x, np.float32(0), lax.add, window, stride, "VALID")

    if pool.kind == "max":
        least = np.float32(-np.inf)
        return lambda x: lax.reduce_window(x, least, lax.max, window, stride, "VALID")
    if pool.kind == "average":
        return lambda x: total(x) / pool.size**2
    return lambda x: jnp.sqrt(total(x * x))


def pooling(pool: Pooling) -> Call:
    return _ready(_pool(pool), pool.arrays()[1])


def pooling_backward(pool: Pooling) -> Call:
    f = _pool(pool)
    return _ready(lambda dy, x: jax.vjp(f, x)[1](dy)[0], *pool.arrays())


def training_step(params: Sequence[Any], lr: float, x: Any, labels: Any) -> Call:
    """Steepest descent on two dense layers; the old parameters' memory may be used again."""

    def loss(params: Any, x: Any, labels: Any) -> Any:
        W1, b1, W2, b2 = params
        z = jax.nn.relu(x @ W1 + b1) @ W2 + b2
        return -jnp.mean(jax.nn.log_softmax(z)[jnp.arange(len(x)), labels])

    def descend(params: Any, x: Any, labels: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(params, x, labels)
        return value, [p - lr * g for p, g in zip(params, gradient, strict=True)]

    compiled = jax.jit(descend, donate_argnums=0)
    state = [jnp.array(p) for p in params]
    x, labels = jnp.asarray(x), jnp.asarray(labels.astype(np.int32))

    def step() -> Any:
        value, state[:] = compiled(state, x, labels)
        wait(state)
        return value

    return step


def rnn(problem: Sequences) -> Call:
    """The loop over time is a scan: compiled once, whatever the number of steps."""
    x, labels = problem.arrays()
    p = problem.rnn()

    def loss(params: Any, x: Any, labels: Any) -> Any:
        U, W, b, V, c = params

        def step(h: Any, z: Any) -> Any:
            h = jnp.tanh(z + h @ W.T)
            return h, h

        _, h = lax.scan(step, jnp.zeros((problem.N, problem.h), x.dtype), x @ U.T + b)
        scores = jax.nn.log_softmax(h @ V.T + c)
        return -jnp.mean(jnp.take_along_axis(scores, labels[..., None], 2))

    def both(x: Any, labels: Any, *params: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(params, x, labels)
        return value, *gradient

    return _ready(both, x, labels.astype(np.int32), *p)


def lstm(problem: Sequences) -> Call:
    """The four products of a step are one, as in the other peers."""
    p = problem.lstm()
    x, dy = problem.arrays()[0], problem.output_gradient()

    def forward(x: Any, *params: Any) -> Any:
        W, R, b = (jnp.concatenate(params[k : k + 4]) for k in (0, 4, 8))

        def step(state: Any, sums: Any) -> Any:
            y, c = state
            z, i, f, o = jnp.split(sums + y @ R.T, 4, axis=1)
            c = jax.nn.sigmoid(i) * jnp.tanh(z) + jax.nn.sigmoid(f) * c
            y = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (y, c), y

        zero = jnp.zeros((problem.N, problem.h), x.dtype)
        return lax.scan(step, (zero, zero), x @ W.T + b)[1]

    given = [x, *(a for a in p if a is not None)]
    return _ready(lambda dy, *arrays: jax.vjp(forward, *arrays)[1](dy), dy, *given)
