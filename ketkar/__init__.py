"""A literate companion to Nikhil Ketkar's *Deep Learning with Python* (Apress, 2017).

The rooms follow the textbook's chapters: :mod:`ketkar.feedforward` is chapter 3,
:mod:`ketkar.convolutional` chapter 5, :mod:`ketkar.recurrent` chapter 6. Around them stand
:mod:`ketkar.network` (layers as values), :mod:`ketkar.training` (descent and ``fit``),
:mod:`ketkar.gradcheck`, :mod:`ketkar.datasets`, :mod:`ketkar.drawing` and :mod:`ketkar.systems`.

This page only points: a room is imported when it is first named, so that ``import ketkar``
compiles nothing and needs neither Numba nor Matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ketkar import (
        convolutional,
        datasets,
        drawing,
        exercises,
        feedforward,
        gradcheck,
        network,
        recurrent,
        systems,
        training,
    )
    from ketkar.equations import cite

__version__ = "0.1.0"
__all__ = [
    "cite",
    "convolutional",
    "datasets",
    "drawing",
    "exercises",
    "feedforward",
    "gradcheck",
    "network",
    "recurrent",
    "systems",
    "training",
]


def __getattr__(name: str) -> Any:
    if name == "cite":
        return importlib.import_module("ketkar.equations").cite
    if name in __all__:
        return importlib.import_module(f"ketkar.{name}")
    raise AttributeError(f"module 'ketkar' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
