"""The exercises of chapter 3, from one unit to a step of descent with momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar import feedforward as ff
from ketkar.exercises.exercise import Exercise
from ketkar.training import momentum_step, sgd_step

__all__ = ["CHAPTER_3"]

Generator = np.random.Generator
Cases = list[tuple[Any, ...]]


def _numbers(rng: Generator) -> Cases:
    """Numbers, rows of numbers, and numbers so large that exp of them overflows."""
    return [(0.0,), (2.0,), (rng.normal(size=4),), (rng.normal(0, 3, (3, 2)),), (-1000.0,), (1e3,)]


def _units(rng: Generator) -> Cases:
    by_hand: Cases = [
        (np.array([0.5, 0.9, -0.3]), np.array([1.0, -2.0, 2.0]), 0.0),
        (np.array([1.0, 2.0]), np.array([3.0, -1.0]), 0.5),
    ]
    return by_hand + [(rng.normal(size=n), rng.normal(size=n), rng.normal()) for n in (1, 4, 9)]


def _layers(rng: Generator) -> Cases:
    shapes = ((2, 3, 4), (1, 2, 4), (5, 3, 3), (4, 1, 2))
    return [
        (rng.normal(size=(N, n)), rng.normal(size=(n, m)), rng.normal(size=m)) for N, n, m in shapes
    ]


def _backward_layers(rng: Generator) -> Cases:
    return [(rng.normal(size=(len(x), W.shape[1])), x, W) for x, W, _ in _layers(rng)]


def _dense_backward(dy: Any, x: Any, W: Any) -> tuple[Any, ...]:
    grads = ff.dense_backward(dy, x, W, np.zeros(W.shape[1]))
    return grads.x, grads.W, grads.b


def _logits(rng: Generator) -> Cases:
    by_hand: Cases = [(np.array([1.0, 2.0, 3.0]),), (np.zeros(4),)]
    large = [(np.array([1e4, 0.0, -1e4]),), (np.array([[-5e3, -5e3 + 1]]),)]
    return [*by_hand, (rng.normal(0, 2, (3, 4)),), (rng.normal(0, 2, (2, 2)),), *large]


def _logits_and_labels(rng: Generator) -> Cases:
    by_hand: Cases = [(np.array([0.0]), np.array([1.0])), (np.array([2.0, -1.0]), np.array([1, 0]))]
    drawn = [(rng.normal(0, 2, N), rng.integers(0, 2, N)) for N in (3, 6)]
    return by_hand + drawn + [(np.array([1000.0, -1000.0]), np.array([0, 0]))]


def _steps(rng: Generator) -> Cases:
    by_hand: Cases = [(np.array([3.0]), np.array([4.0]), 0.1)]
    drawn = [(rng.normal(size=n), rng.normal(size=n), float(rng.uniform(0.01, 1))) for n in (2, 5)]
    return by_hand + drawn


def _momentum_steps(rng: Generator) -> Cases:
    by_hand: Cases = [(np.array([3.0]), np.array([4.0]), np.array([-0.4]), 0.1, 0.5)]
    return by_hand + [
        (theta, grad, rng.normal(size=theta.shape), lr, float(rng.uniform(0.1, 0.9)))
        for theta, grad, lr in _steps(rng)
    ]


CHAPTER_3 = (
    Exercise(
        "step",
        "step(z)",
        "The activation of a threshold unit: 1 where z is above 0, else 0; "
        "z is a number or an array.",
        ff.step,
        lambda rng: [(-1.5,), (0.0,), (2.0,), (rng.normal(size=6),)],
        "step",
    ),
    Exercise(
        "unit",
        "unit(x, w, b)",
        "The output of a sigmoid unit for one input x (n,), with weights w (n,) and bias b.",
        ff.sigmoid_unit,
        _units,
        "sigmoid-unit",
    ),
    Exercise(
        "dense",
        "dense(x, W, b)",
        "The outputs (N, m) of a layer of m tanh units for a batch x (N, n), with weights "
        "W (n, m) and biases b (m,).",
        lambda x, W, b: ff.dense(x, W, b, "tanh"),
        _layers,
        "layer",
    ),
    Exercise(
        "sigmoid-derivative",
        "sigmoid_grad(z)",
        "The derivative of the sigmoid at z, a number or an array; without overflow at 1000.",
        ff.sigmoid_grad,
        _numbers,
        "sigmoid-derivative",
        pair=lambda f: (ff.sigmoid, lambda dy, z: dy * f(z)),
        pair_case=lambda rng: (rng.normal(size=5),),
    ),
    Exercise(
        "softmax",
        "softmax(z)",
        "The softmax over the last axis of z, (m,) or (N, m); without overflow at 10000.",
        ff.softmax,
        _logits,
        "softmax",
    ),
    Exercise(
        "binary-cross-entropy",
        "binary_cross_entropy(z, y)",
        "The mean binary cross entropy of logits z (N,) and labels y (N,); finite at z = 1000.",
        ff.binary_cross_entropy_with_logits,
        _logits_and_labels,
        "binary-cross-entropy-logits",
    ),
    Exercise(
        "dense-backward",
        "dense_backward(dy, x, W)",
        "The gradients of a linear layer x W + b, given the gradient dy (N, m) with respect to "
        "its output: for x (N, n), for W (n, m) and for b (m,).",
        _dense_backward,
        _backward_layers,
        "backprop-weights",
        results=("dx", "dW", "db"),
        pair=lambda f: (ff.dense, lambda dy, x, W, b: f(dy, x, W)),
        pair_case=lambda rng: _layers(rng)[0],
    ),
    Exercise(
        "sgd-step",
        "sgd_step(theta, gradient, lr)",
        "The parameters after one step of steepest descent; theta itself stays as it is.",
        sgd_step,
        _steps,
        "steepest-descent",
    ),
    Exercise(
        "momentum-step",
        "momentum_step(theta, gradient, velocity, lr, momentum)",
        "The parameters and the velocity after one step with momentum.",
        momentum_step,
        _momentum_steps,
        "momentum",
        results=("theta", "velocity"),
    ),
)
"""The exercises of chapter 3, in the order of the book."""
