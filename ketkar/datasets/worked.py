"""The small examples that are worked by hand, with the numbers they lead to."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketkar import checks
from ketkar.datasets.dataset import Dataset

__all__ = ["InferenceExample", "inference_example", "logic_gate", "xor"]


class InferenceExample(NamedTuple):
    """A network of sigmoid units, 3-3-2 and without biases, with the values at its units.

    The weights are (inputs, units): one column a unit, as in x W. `hidden` and `output` are the
    values computed by hand, to twelve digits; nothing in the package computes from them.
    """

    x: NDArray[Any]
    W_hidden: NDArray[Any]
    W_output: NDArray[Any]
    hidden: NDArray[Any]
    output: NDArray[Any]


def inference_example() -> InferenceExample:
    """The worked example of inference: three inputs, three hidden units, two outputs.

    Examples
    --------
    >>> example = inference_example()
    >>> example.x @ example.W_hidden
    array([-1.9,  3.1, -0.4])
    """
    return InferenceExample(
        x=np.array([0.5, 0.9, -0.3]),
        W_hidden=np.array([[1.0, 2.0, 1.0], [-2.0, 1.0, -1.0], [2.0, -4.0, 0.0]]),
        W_output=np.array([[-3.0, 0.0], [1.0, 1.0], [-3.0, 2.0]]),
        hidden=np.array([0.130108474363, 0.956892745059, 0.401312339888]),
        output=np.array([0.345841364604, 0.853149210766]),
    )


def logic_gate(name: str) -> Dataset:
    """A gate of two inputs as four examples.

    Parameters
    ----------
    name : {"and", "or", "xor"}
        Which gate.

    Returns
    -------
    Dataset
        x (4, 2) of zeros and ones, y (4,) labels.

    Examples
    --------
    >>> logic_gate("and").y
    array([0, 0, 0, 1])
    """
    outputs = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "xor": [0, 1, 1, 0]}
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return Dataset(x, np.array(outputs[checks.one_of(name, "name", tuple(outputs))]))


def xor() -> Dataset:
    """The gate that no single unit computes: one input or the other, not both.

    Examples
    --------
    >>> xor().y
    array([0, 1, 1, 0])
    """
    return logic_gate("xor")
