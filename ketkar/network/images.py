"""What layers for images share: shapes of which not all is known, and fields in their one form."""

from __future__ import annotations

from typing import Any

from ketkar import checks
from ketkar.convolutional.window import RULES, pads
from ketkar.network.layer import Shape


def image(shape: Shape | None, channels: int | None = None) -> Shape:
    """The shape of one image, (C, H, W), refused where it is none or has other channels.

    Examples
    --------
    >>> image(None, 3)
    (3, None, None)
    >>> image((1, 28, 28), 3)
    Traceback (most recent call last):
    ValueError: it expects 3 channels but gets 1 (1, 28, 28)
    """
    if shape is None:
        return (channels, None, None)
    if len(shape) != 3:
        raise ValueError(f"it expects images (channel, row, column) but gets the shape {shape}")
    if None not in (shape[0], channels) and shape[0] != channels:
        raise ValueError(f"it expects {channels} channels but gets {shape[0]} {shape}")
    return (channels or shape[0], *shape[1:])


def settle(layer: Any, name: str, value: Any) -> None:
    """Write a field of a new layer in its one form, so that layers that do the same are equal."""
    object.__setattr__(layer, name, value)


def padding_of(padding: Any) -> Any:
    """`padding` in its one form: two pairs, or the name of a rule."""
    if isinstance(padding, str):
        return checks.one_of(padding, "padding", RULES)
    return pads(padding)
