"""The worked example of inference as a network: 3 inputs, 3 hidden units, 2 outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar.datasets import inference_example
from ketkar.feedforward import DenseParams
from ketkar.network import Chain, Dense, chain

__all__ = ["inference_network", "inference_params"]


def inference_network() -> Chain:
    """Two layers of sigmoid units, 3-3-2.

    Examples
    --------
    >>> from ketkar.datasets import inference_example
    >>> net, x = inference_network(), inference_example().x
    >>> net(inference_params(), x[None]).round(8)
    array([[0.34584136, 0.85314921]])
    """
    return chain(Dense(3, 3, "sigmoid"), Dense(3, 2, "sigmoid"))


def inference_params() -> Any:
    """The weights of the worked example, with biases of zero, as the network takes them.

    Returns
    -------
    NamedTuple
        Parameters of :func:`inference_network`.

    Examples
    --------
    >>> inference_params().dense2.W
    array([[-3.,  0.],
           [ 1.,  1.],
           [-3.,  2.]])
    """
    example = inference_example()
    empty = inference_network().init(rng=0)
    return type(empty)(
        DenseParams(example.W_hidden, np.zeros(3)), DenseParams(example.W_output, np.zeros(2))
    )
