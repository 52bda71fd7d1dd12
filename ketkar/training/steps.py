"""Adam, and a plain loop of steps for whatever has a loss and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketkar import checks
from ketkar.recurrent.clipping import clip_grad_norm, global_norm
from ketkar.training.descent import sgd_step
from ketkar.training.fit import TrainingDivergedError
from ketkar.training.history import History
from ketkar.trees import tree_map

__all__ = ["AdamState", "Descent", "adam_step", "descend"]

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class AdamState(NamedTuple):
    """What Adam remembers: how many steps, and running means of gradients and of their squares."""

    steps: int
    mean: Any
    square: Any


def adam_step(params: Any, grads: Any, state: AdamState | None, lr: float) -> tuple[Any, AdamState]:
    """One step of Adam: a running mean of the gradients, in units of their running size.

    Parameters
    ----------
    params, grads : array or nest of arrays
        Parameters and gradients of the same shapes; they are not changed.
    state : AdamState or None
        What the step before returned; None for the first.
    lr : float
        The learning rate: about how far an entry moves.

    Returns
    -------
    params : array or nest of arrays
        The parameters after the step.
    state : AdamState

    Raises
    ------
    ValueError
        If the shapes differ or `lr` is not above zero.

    Notes
    -----
    The decays are 0.9 and 0.999 and epsilon is 1e-8, as in the paper.

    References
    ----------
    D. Kingma and J. Ba, *Adam: a method for stochastic optimization*, ICLR 2015.

    Examples
    --------
    >>> params, state = adam_step(np.array([3.0]), np.array([4.0]), None, lr=0.1)
    >>> params.round(6)
    array([2.9])
    """
    lr = checks.positive(lr, "lr")
    params, grads = (
        tree_map(lambda a, name=name: checks.float_array(a, name), nest)
        for nest, name in ((params, "params"), (grads, "grads"))
    )
    if state is None:
        zeros = tree_map(np.zeros_like, params)
        state = AdamState(0, zeros, zeros)
    t = state.steps + 1
    mean = tree_map(
        lambda m, g: m + m.dtype.type(1 - BETA_1) * (g - m), state.mean, grads,
        names=("params", "grads"),
    )  # fmt: skip
    square = tree_map(lambda s, g: s + s.dtype.type(1 - BETA_2) * (g * g - s), state.square, grads)
    rate, scale = lr / (1 - BETA_1**t), 1 - BETA_2**t

    def step(theta: NDArray[Any], m: NDArray[Any], s: NDArray[Any]) -> NDArray[Any]:
        real = theta.dtype.type
        return theta - real(rate) * m / (np.sqrt(s / real(scale)) + real(EPSILON))

    return tree_map(step, params, mean, square), AdamState(t, mean, square)


class Descent(NamedTuple):
    """What a run of steps leaves: the parameters, and of each step the loss and the norm.

    The norm is that of all gradients as one vector, before clipping.
    """

    params: Any
    losses: NDArray[np.float64]
    norms: NDArray[np.float64]


def descend(
    params: Any,
    value_and_grad: Callable[[Any], tuple[float, Any]],
    steps: int,
    *,
    lr: float,
    method: str = "adam",
    max_norm: float | None = None,
    callback: Callable[[int, Any], Any] | None = None,
) -> Descent:
    """Walk downhill: for training whose batches are drawn, not cut from a set.

    Parameters
    ----------
    params : array or nest of arrays
        Where to start; they are not changed.
    value_and_grad : callable
        ``value_and_grad(params)`` returns the loss of a batch and its gradients, in a nest of the
        shape of `params`. It is called once a step and may draw its batch.
    steps : int
        How many.
    lr : float
        The learning rate.
    method : {"adam", "sgd"}
        :func:`adam_step` or :func:`sgd_step`.
    max_norm : float, optional
        Clip the gradients by their norm (6.19).
    callback : callable, optional
        ``callback(step, params)`` after each step, counted from 1; it ends the walk by returning
        True.

    Returns
    -------
    Descent

    Raises
    ------
    ValueError
        If an argument is out of range.
    TrainingDivergedError
        If the loss or the gradients stop being finite: it says at which step.

    Examples
    --------
    >>> run = descend(np.array([3.0]), lambda w: (w[0] ** 2, 2 * w), 200, lr=0.1)
    >>> bool(abs(run.params[0]) < 0.01), run.losses[0]
    (True, np.float64(9.0))
    """
    steps = checks.count(steps, "steps", least=0)
    lr = checks.positive(lr, "lr")
    checks.one_of(method, "method", ("adam", "sgd"))
    losses: list[float] = []
    norms: list[float] = []
    state = None
    for step in range(1, steps + 1):
        loss, grads = value_and_grad(params)
        norm = global_norm(grads)
        if not (np.isfinite(loss) and np.isfinite(norm)):
            raise TrainingDivergedError(
                f"step {step}: the loss is {loss} and the norm of the gradients {norm}",
                params, History(np.array(losses), np.zeros(0), np.zeros(0)),
            )  # fmt: skip
        losses.append(float(loss))
        norms.append(norm)
        if max_norm is not None:
            grads = clip_grad_norm(grads, max_norm).grads  # (6.19)
        if method == "adam":
            params, state = adam_step(params, grads, state, lr)
        else:
            params = sgd_step(params, grads, lr)
        if callback is not None:
            end = callback(step, params)
            if isinstance(end, bool | np.bool_) and end:  # NumPy has a True of its own
                break
    return Descent(params, np.array(losses), np.array(norms))
