"""What happened during training, step by step and epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["History"]


class History(NamedTuple):
    """The losses of a training run.

    Attributes
    ----------
    step_losses : ndarray
        The loss of each update's batch before the update, (updates,).
    loss : ndarray
        The mean of these over each epoch, (epochs,).
    validation_loss : ndarray
        The loss on the validation set after each epoch, (epochs,); empty where there is none.
    """

    step_losses: NDArray[np.float64]
    loss: NDArray[np.float64]
    validation_loss: NDArray[np.float64]

    @property
    def epochs(self) -> int:
        """The number of epochs that were completed."""
        return len(self.loss)

    @property
    def best_epoch(self) -> int:
        """The epoch, counted from 1, after which the validation loss was lowest.

        Raises
        ------
        ValueError
            If there was no validation set.
        """
        if not len(self.validation_loss):
            raise ValueError("there was no validation set, so no epoch is known to be the best")
        return int(np.argmin(self.validation_loss)) + 1

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the losses against the epochs.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if left out.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.
        """
        from ketkar.drawing import curves

        series: dict[str, Any] = {"training": self.loss}
        if len(self.validation_loss):
            series["validation"] = self.validation_loss
        return curves(series, xlabel="epoch", ylabel="loss", ax=ax)
