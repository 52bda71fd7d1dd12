"""The training loop: step after step, epoch after epoch, until it is time to stop."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from ketkar import checks
from ketkar.kernels.backend import ready
from ketkar.network.chain import Chain
from ketkar.network.layer import Layer
from ketkar.network.parameters import check_parameters, flatten, unflatten
from ketkar.training.descent import iterate_minibatches
from ketkar.training.evaluate import loss_value
from ketkar.training.history import History
from ketkar.training.losses import find_loss
from ketkar.training.step import training_step
from ketkar.trees import leaves

__all__ = ["Fit", "TrainingDivergedError", "fit"]

Array = NDArray[Any]


class Fit(NamedTuple):
    """What a training run ended with.

    Attributes
    ----------
    params : NamedTuple
        The parameters: the last ones, or the best ones where early stopping was asked for.
    history : History
        The losses.
    stopped : str
        Why training ended before its last epoch, as a sentence; empty where it did not.
    """

    params: Any
    history: History
    stopped: str


class TrainingDivergedError(ArithmeticError):
    """The loss became NaN or infinite.

    Attributes
    ----------
    params : NamedTuple
        The parameters after the last whole epoch, still finite.
    history : History
        The losses up to there.
    """

    def __init__(self, message: str, params: Any, history: History) -> None:
        super().__init__(message)
        self.params = params
        self.history = history


def fit(
    network: Layer,
    params: Any,
    x: ArrayLike,
    y: ArrayLike,
    *,
    loss: str,
    lr: float | Sequence[float] | Callable[[int], float],
    epochs: int,
    momentum: float = 0.0,
    batch_size: int | None = None,
    rng: np.random.Generator | int | None = None,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    patience: int | None = None,
    callback: Callable[[int, Any], None] | None = None,
    backend: str = "auto",
    progress: bool | None = None,
) -> Fit:
    """Train a network by steepest descent.

    An interrupt from the keyboard ends training in good order: what comes back are the
    parameters after the last whole epoch.

    Parameters
    ----------
    network : Layer
        A network that ends in a linear layer.
    params : NamedTuple
        Initial parameters, as ``network.init(rng)`` draws them; they are not changed.
    x : array_like
        N inputs, (N, n), or images, (N, C, H, W).
    y : array_like
        N targets: (N, m), or (N,) for one output or for class labels.
    loss : {"squared_error", "binary_cross_entropy", "cross_entropy"}
        The loss; the last two take the network's output as logits.
    lr : float, sequence of float, or callable
        The learning rate, above zero: one number; one for each epoch; or a function of the number
        of the epoch, from 1.
    epochs : int
        How often to go through the data.
    momentum : float
        Which part of the last step is kept, at least 0 and below 1.
    batch_size : int or None
        Examples a step: None is the full batch, 1 is one example, between is a mini-batch.
    rng : numpy.random.Generator or int
        Draws the order of the examples; needed unless the batch is full.
    validation : (x, y), optional
        Data on which the loss is taken after each epoch, not trained on.
    patience : int, optional
        Stop early when the validation loss has not fallen for so many epochs, and return the
        parameters with the lowest.
    callback : callable, optional
        Called after each epoch with its number, from 1, and the parameters at that time.
    backend : {"auto", "numpy", "cpu", "cuda"}
        What computes.
    progress : bool, optional
        Show a progress bar; by default only where standard error is a terminal.

    Returns
    -------
    Fit
        Parameters, history, and why it stopped early if it did.

    Raises
    ------
    ValueError
        If shapes, labels, numbers or names do not fit.
    TrainingDivergedError
        If the loss becomes NaN or infinite; says where, and keeps the last good parameters.

    References
    ----------
    Textbook chapter 3, *Training the Neural Network*.

    Examples
    --------
    >>> from ketkar.network import Dense
    >>> layer = Dense(1, 1)
    >>> x = np.linspace(-1, 1, 20)[:, None]
    >>> run = fit(layer, layer.init(0), x, 2 * x + 1, loss="squared_error", lr=0.1, epochs=200)
    >>> run.params.W.round(4), run.params.b.round(4)
    (array([[2.]]), array([1.]))
    """
    epochs = checks.count(epochs, "epochs")
    if patience is not None:
        checks.count(patience, "patience")
        if validation is None:
            raise ValueError("patience needs validation=(x, y), the data that says when to stop")
    rates = _rates(lr, epochs)
    rate = rates[0]
    step = training_step(network, loss=loss, lr=rate, momentum=momentum, backend=backend)
    check_parameters(network, params)
    theta = flatten(params)  # a copy: the caller's parameters stay as they are
    X, Y = _prepared(network, x, y, loss, theta.dtype)
    if validation is not None:
        validation = _held_out(network, params, validation, loss, theta.dtype)
    if batch_size is not None:
        rng = checks.generator(rng)
    run = _Run(network, params, theta, loss, validation, patience, backend)
    velocity = np.zeros_like(theta) if momentum else np.empty(0, theta.dtype)
    bar = tqdm(
        range(1, epochs + 1), disable=None if progress is None else not progress, unit="epoch"
    )
    try:
        for epoch in bar:
            if rates[epoch - 1] != rate:
                rate = rates[epoch - 1]
                step = training_step(
                    network, loss=loss, lr=rate, momentum=momentum, backend=backend
                )
            for xb, yb in iterate_minibatches(X, Y, batch_size, rng):
                # what overflows is looked at here, so NumPy need not warn of it
                with np.errstate(over="ignore", invalid="ignore"):
                    value = step(run.theta, velocity, xb, yb)
                run.step_losses.append(value)
                run.seen.append(len(xb))
                if not math.isfinite(value):
                    # the first step of an epoch starts from what was good after the last one
                    theta = run.good if len(run.seen) == 1 else run.theta
                    raise run.diverged(f"the loss became {value}", epoch, theta, xb, rate)
            if not np.isfinite(run.theta).all():
                raise run.diverged("the step led beyond all numbers", epoch, run.theta, xb, rate)
            run.end_epoch()
            bar.set_postfix(loss=f"{run.loss[-1]:.4g}", refresh=False)
            if callback is not None:
                callback(epoch, run.params(run.good))
            if run.stopped:
                break
    except KeyboardInterrupt:
        kept = len(run.loss)
        if patience and run.validation_loss:
            kept = run.history().best_epoch
        run.stopped = f"interrupted in epoch {epoch}; the parameters are those after epoch {kept}"
        print(f"fit: {run.stopped}", file=sys.stderr)
    finally:
        bar.close()
    return Fit(run.params(run.best if patience else run.good), run.history(), run.stopped)


def _rates(lr: Any, epochs: int) -> list[float]:
    """The learning rate of each epoch."""
    if callable(lr):
        return [checks.positive(lr(epoch), f"lr({epoch})") for epoch in range(1, epochs + 1)]
    if not isinstance(lr, list | tuple) and not (isinstance(lr, np.ndarray) and lr.ndim == 1):
        return [checks.positive(lr, "lr")] * epochs
    if len(lr) != epochs:
        raise ValueError(f"lr holds {len(lr)} learning rates for {epochs} epochs")
    return [checks.positive(rate, f"lr[{i}]") for i, rate in enumerate(lr)]


def _prepared(
    network: Layer, x: ArrayLike, y: ArrayLike, loss: str, dtype: Any
) -> tuple[Array, Array]:
    """The data as the steps take it, checked once."""
    with np.errstate(over="ignore"):  # what is too large for float32 is named below
        X = ready(checks.float_array(x, "x"), dtype)
    checks.not_empty(X, "x")
    if X.ndim < 2:
        raise ValueError(
            f"x has {X.ndim} {'axis' if X.ndim == 1 else 'axes'} {X.shape}; fit expects a batch: "
            "the examples along the first axis"
        )
    if not np.isfinite(X).all():
        where = [int(i) for i in np.argwhere(~np.isfinite(X))[0]]
        raise ValueError(f"x must be finite; x{where} is {X[tuple(where)]}")
    outputs = network.output_shape(X.shape[1:] if X.ndim > 2 else None)[-1]
    Y = find_loss(loss).targets(y, len(X), outputs, dtype)
    if not np.isfinite(Y).all():
        raise ValueError("y must be finite; it holds NaN or infinity")
    return X, ready(Y)


def _held_out(
    network: Layer, params: Any, validation: Any, loss: str, dtype: Any
) -> tuple[Array, Array]:
    """The validation data, checked before training starts."""
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise TypeError(f"validation must be a pair (x, y), got {checks.shown(validation)}")
    try:
        x, y = validation
        x, y = _prepared(network, x, y, loss, dtype)
        loss_value(network, params, x[:1], y[:1], loss, backend="numpy")
    except (ValueError, TypeError) as error:
        raise type(error)(f"validation: {error}") from None
    return x, y


class _Run:
    """The state of one call of :func:`fit`: theta, what was good, and the losses so far."""

    def __init__(
        self, network: Layer, like: Any, theta: Array, loss: str,
        validation: tuple[ArrayLike, ArrayLike] | None, patience: int | None, backend: str,
    ) -> None:  # fmt: skip
        self.network, self.like, self.theta = network, like, theta
        self.loss_name, self.validation, self.backend = loss, validation, backend
        self.patience = patience
        self.good = theta.copy()
        self.best = self.good
        self.step_losses: list[float] = []
        self.seen: list[int] = []
        self.loss: list[float] = []
        self.validation_loss: list[float] = []
        self.stopped = ""

    def params(self, theta: Array) -> Any:
        """The parameters in a vector, as the caller's type, in arrays of their own."""
        return unflatten(theta.copy(), self.like)

    def history(self) -> History:
        """The losses so far."""
        return History(
            np.array(self.step_losses), np.array(self.loss), np.array(self.validation_loss)
        )

    def end_epoch(self) -> None:
        """Keep the parameters, note the losses, decide whether to stop."""
        last = self.step_losses[-len(self.seen) :]
        self.loss.append(float(np.average(last, weights=self.seen)))
        self.seen.clear()
        self.good = self.theta.copy()
        if self.validation is None:
            return
        params = unflatten(self.good, self.like)
        xv, yv = self.validation
        self.validation_loss.append(
            loss_value(self.network, params, xv, yv, self.loss_name, backend=self.backend)
        )
        best = int(np.argmin(self.validation_loss))
        if best == len(self.validation_loss) - 1:
            self.best = self.good
        if self.patience and len(self.validation_loss) - 1 - best >= self.patience:
            self.stopped = (
                f"the validation loss has not fallen for {self.patience} epochs; "
                f"the parameters are those after epoch {best + 1}"
            )

    def diverged(
        self, what: str, epoch: int, theta: Array, x: Array, lr: float
    ) -> TrainingDivergedError:
        """The error that says where the numbers stopped being numbers."""
        return TrainingDivergedError(
            f"{what} in epoch {epoch}, step {len(self.seen)}: {self._where(theta, x)}; "
            f"a learning rate below {lr:g} may help",
            self.params(self.good),
            self.history(),
        )

    def _where(self, theta: Array, x: Array) -> str:
        """The first place on the way forward that is not finite."""
        params = unflatten(theta, self.like)
        for name, array in leaves(params):
            if not np.isfinite(array).all():
                return f"{name or 'theta'} holds values that are not finite"
        with np.errstate(all="ignore"):
            y: Any = x
            layers = self.network.layers if isinstance(self.network, Chain) else (self.network,)
            owns = params if isinstance(self.network, Chain) else (params,)
            for i, (layer, own) in enumerate(zip(layers, owns, strict=True), 1):
                y, _ = layer.forward(own, y, backend="numpy")
                if not np.isfinite(y).all():
                    return f"the output of {layer.kind}{i} is not finite"
        return "the loss itself is too large to represent"
