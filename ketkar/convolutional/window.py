"""Where the window stands: stride, padding and dilation as a user writes them, as a `Geometry`.

Everything that moves a window over an image comes here: the convolution layers, the pooling layers
and the arithmetic of sizes. A size or a step may be one whole number for both directions or a pair
(rows, columns); padding may also be two pairs, ``((top, bottom), (left, right))``, or the name of a
rule, "same" or "valid".
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ketkar import checks
from ketkar.kernels.geometry import Geometry

LIMIT: Final = 2**31
"""Numbers stay below it, and so does the padded image: a kernel's whole numbers have 64 bits."""

RULES: Final = ("same", "valid")
PAIR: Final = "a pair (rows, columns)"
PAIRS: Final = f"{PAIR} or two pairs ((top, bottom), (left, right))"


def place(
    size: tuple[int, ...],
    window: tuple[int, ...],
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Geometry:
    """The geometry of a window of R rows and S columns on an image of H and W.

    Parameters
    ----------
    size, window : (int, int)
        Rows and columns of the image, (H, W), and of the window, (R, S).
    stride, dilation : int or (int, int)
        Steps of the window and of its taps: one number, or (rows, columns).
    padding : int, (int, int), ((int, int), (int, int)), "same" or "valid"
        Zeros around the image: one number; (rows, columns); ((top, bottom), (left, right));
        "same" for an output of ceil(size / stride), the odd one at the bottom or right; "valid"
        for none.
    groups : int
        Passed on as it is.

    Raises
    ------
    TypeError
        If one of them is not of this form.
    ValueError
        If one is out of range, or the window does not fit into the padded image.

    Examples
    --------
    >>> place((5, 5), (3, 3), stride=2, padding="same")[:6]
    (2, 2, 1, 1, 1, 1)
    >>> place((5, 5), (3, 7), padding=(0, 1)).output_size((5, 5), (3, 7))
    (3, 1)
    """
    stride_rows, stride_columns = pair(stride, "stride")
    dilation_rows, dilation_columns = pair(dilation, "dilation")
    (H, W), (R, S) = size, window
    reach_rows, reach_columns = dilation_rows * (R - 1) + 1, dilation_columns * (S - 1) + 1
    if isinstance(padding, str):
        checks.one_of(padding, "padding", RULES)
        top, bottom = _by_rule(padding, H, reach_rows, stride_rows)
        left, right = _by_rule(padding, W, reach_columns, stride_columns)
    else:
        (top, bottom), (left, right) = pads(padding)
    rows = _fits("row", H, top, bottom, R, reach_rows)
    columns = _fits("column", W, left, right, S, reach_columns)
    small_enough(rows, columns)
    return Geometry(
        stride_rows, stride_columns, top, bottom, left, right,
        dilation_rows, dilation_columns, groups,
    )  # fmt: skip


def place1d(
    length: int,
    window: int,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Geometry:
    """The geometry of a window of k steps on a signal: that of an image of one row.

    Parameters
    ----------
    length, window : int
        Steps of the signal and of the window.
    stride, dilation : int
        Steps of the window and of its taps.
    padding : int, (int, int), "same" or "valid"
        Zeros at the ends: one number for both; (before, after); or a rule, as in :func:`place`.
    groups : int
        Passed on as it is.

    Raises
    ------
    TypeError, ValueError
        As in :func:`place`.

    Examples
    --------
    >>> place1d(5, 3, padding="same").output_size((1, 5), (1, 3))
    (1, 5)
    """
    stride, dilation = number(stride, "stride"), number(dilation, "dilation")
    reach = dilation * (window - 1) + 1
    if isinstance(padding, str):
        checks.one_of(padding, "padding", RULES)
        before, after = _by_rule(padding, length, reach, stride)
    else:
        before, after = pair(padding, "padding", least=0, form="a pair (before, after)")
    _fits("step", length, before, after, window, reach)
    return Geometry(1, stride, 0, 0, before, after, 1, dilation, groups)


def pair(value: Any, name: str, *, least: int = 1, form: str = PAIR) -> tuple[int, int]:
    """`value` as two whole numbers: one number stands for both.

    Raises
    ------
    TypeError
        If it is neither a whole number nor a pair of them.
    ValueError
        If it has not two numbers, or one is below `least` or not below `LIMIT`.

    Examples
    --------
    >>> pair(2, "stride"), pair((2, 1), "stride")
    ((2, 2), (2, 1))
    >>> pair((1, 2, 3), "stride")
    Traceback (most recent call last):
    ValueError: stride must be a whole number or a pair (rows, columns), got (1, 2, 3)
    """
    if type(value) is int and least <= value < LIMIT:  # the usual case first
        return value, value
    if isinstance(value, tuple | list):
        if len(value) != 2:
            raise ValueError(f"{name} must be a whole number or {form}, got {checks.shown(value)}")
        first, second = value
        return number(first, f"{name}[0]", least=least), number(second, f"{name}[1]", least=least)
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number or {form}, got {checks.shown(value)}")
    both = number(value, name, least=least)
    return both, both


def pads(padding: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """`padding` in numbers as ((top, bottom), (left, right)).

    Raises
    ------
    TypeError, ValueError
        If it is not a number of at least 0, a pair of them or two pairs of them.

    Examples
    --------
    >>> pads(1), pads((1, 2)), pads(((0, 1), 2))
    (((1, 1), (1, 1)), ((1, 1), (2, 2)), ((0, 1), (2, 2)))
    """
    if isinstance(padding, tuple | list) and any(isinstance(p, tuple | list) for p in padding):
        if len(padding) != 2:
            raise ValueError(
                f"padding must be a whole number, {PAIRS}, got {checks.shown(padding)}"
            )
        rows, columns = padding
        return (
            pair(rows, "padding[0]", least=0, form="a pair (top, bottom)"),
            pair(columns, "padding[1]", least=0, form="a pair (left, right)"),
        )
    both = pair(padding, "padding", least=0, form=PAIRS)
    return (both[0], both[0]), (both[1], both[1])


def number(value: Any, name: str, *, least: int = 1) -> int:
    """`value` as a whole number of at least `least` and below `LIMIT`.

    Raises
    ------
    TypeError, ValueError
        If it is none.
    """
    found = checks.count(value, name, least=least)
    if found >= LIMIT:
        raise ValueError(f"{name} must be below {LIMIT}, got {checks.shown(found)}")
    return found


def small_enough(rows: int, columns: int) -> None:
    """Refuse a padded image of `LIMIT` numbers or more.

    Raises
    ------
    ValueError
        If it has.
    """
    if rows * columns >= LIMIT:
        raise ValueError(
            f"the image with its padding would have {rows} rows and {columns} columns: too many"
        )


def _by_rule(rule: str, size: int, reach: int, stride: int) -> tuple[int, int]:
    """The padding before and after by the rule "same" or "valid"."""
    if rule == "valid":
        return 0, 0
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2  # (5.26)


def _fits(what: str, size: int, before: int, after: int, window: int, reach: int) -> int:
    """The padded size, refused where the window is larger."""
    padded = before + size + after
    if reach > padded:
        spans = f"{reach} {what}s" + (" with its dilation" if reach > window else "")
        has = f"{padded} {what}s" + (f" with its padding ({before} + {size} + {after})"
                                     if padded > size else "")  # fmt: skip
        raise ValueError(f"the window spans {spans} but the input has {has}")
    return padded
