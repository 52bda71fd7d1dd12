"""Losses as training uses them: taken on the network's last weighted sums, each with its unit.

A network ends in a linear layer. The loss knows which output unit belongs to it: none for
regression, the sigmoid for two classes, the softmax for several. Together they are stable, and
the gradient is simply prediction minus target.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.arrays import contiguous
from ketkar.feedforward.activations import identity, sigmoid, softmax
from ketkar.feedforward.losses import (
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_grad,
    softmax_cross_entropy,
    softmax_cross_entropy_grad,
    squared_error,
    squared_error_grad,
)

__all__ = ["LOSSES", "Loss", "find_loss"]


class Loss(NamedTuple):
    """A loss on a network's output z: its value, its gradient, and the output unit it implies."""

    name: str
    value: Callable[..., Any]
    grad: Callable[..., NDArray[Any]]
    output_unit: Callable[[ArrayLike], NDArray[Any]]

    def targets(self, y: ArrayLike, examples: int, outputs: int, dtype: Any) -> NDArray[Any]:
        """Targets as the loss takes them: labels (N,) for classes, rows (N, m) otherwise.

        Raises
        ------
        TypeError
            If labels are not whole numbers.
        ValueError
            If the number of targets is not N, their shape does not match the network's m
            outputs, or a label or probability is out of range.
        """
        array = checks.array_of(y, "y")
        if self.name == "cross_entropy" and array.ndim == 1:
            array = checks.labels(array, "y", outputs)
        else:
            array = contiguous(checks.float_array(array, "y"), dtype)
            if array.ndim == 1 and outputs == 1:
                array = array[:, None]
            checks.axes(array, "y", ("batch", "output"), f"the loss {self.name}")
            if array.shape[1] != outputs:
                raise ValueError(
                    f"y has {array.shape[1]} columns {array.shape}; the network has {outputs} "
                    f"output{'' if outputs == 1 else 's'}"
                )
            if self.name != "squared_error":
                checks.probabilities(array, "y")
        if len(array) != examples:
            raise ValueError(f"x has {examples} examples but y has {len(array)}")
        return array


_TABLE = {
    row.name: row
    for row in (
        Loss("squared_error", squared_error, squared_error_grad, identity),
        Loss(
            "binary_cross_entropy",
            binary_cross_entropy_with_logits,
            binary_cross_entropy_with_logits_grad,
            sigmoid,
        ),
        Loss("cross_entropy", softmax_cross_entropy, softmax_cross_entropy_grad, softmax),
    )
}
LOSSES: tuple[str, ...] = tuple(_TABLE)
"""The names of the losses."""


def find_loss(name: str) -> Loss:
    """The loss of that name.

    Raises
    ------
    ValueError
        If there is none of that name.

    Examples
    --------
    >>> find_loss("cross_entropy").output_unit([[0.0, 0.0]])
    array([[0.5, 0.5]])
    """
    return _TABLE[checks.one_of(name, "loss", LOSSES)]
