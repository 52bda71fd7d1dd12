"""Numbers for names: a compiled kernel takes an int where a chapter function takes a name."""

from __future__ import annotations

from typing import Final

IDENTITY: Final = 0
SIGMOID: Final = 1
TANH: Final = 2
RELU: Final = 3
ACTIVATIONS: Final = {"identity": IDENTITY, "sigmoid": SIGMOID, "tanh": TANH, "relu": RELU}

SQUARED_ERROR: Final = 0
BINARY_CROSS_ENTROPY: Final = 1
CROSS_ENTROPY: Final = 2
CROSS_ENTROPY_DENSE: Final = 3
LOSSES: Final = {
    "squared_error": SQUARED_ERROR,
    "binary_cross_entropy": BINARY_CROSS_ENTROPY,
    "cross_entropy": CROSS_ENTROPY,
    "cross_entropy_dense": CROSS_ENTROPY_DENSE,
}

LABEL_OUT_OF_RANGE: Final = -1.0
"""What a training step returns instead of a loss when a label names no output; nothing was changed.

No loss is negative, so the code cannot be mistaken for one, and NaN keeps its own meaning.
"""
