"""Where the window stands: stride, padding and dilation as a user writes them, as a `Geometry`.

Everything that moves a window over an image comes here: the convolution layers, the pooling layers
and the arithmetic of sizes. A size or a step may be one whole number for both directions or a pair
(rows, columns); padding may also be two pairs, ``((top, bottom), (left, right))``, or the name of a
rule, "same" or "valid".
"""

from __future__ import annotations

from typing import Any, Final

from ketkar import checks
from ketkar.kernels.geometry import Geometry

LIMIT: Final = 2**31
"""No stride, padding or dilation reaches this: a kernel may multiply two of them in 64 bits."""

PADDINGS: Final = ("same", "valid")


def place(
    size: tuple[int, int],
    window: tuple[int, int],
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Geometry:
    """The checked geometry of a window (R, S) on an image (H, W).

    Parameters
    ----------
    size : (int, int)
        Rows and columns of the image, H and W.
    window : (int, int)
        Rows and columns of the window, R and S.
    stride, dilation : int or (int, int)
        Steps of the window and of its taps: one number, or (rows, columns).
    padding : int, (int, int), ((int, int), (int, int)), "same" or "valid"
        Zeros around the image: one number; (rows, columns); ((top, bottom), (left, right));
        "same" for an output of ceil(size / stride), the odd one at the bottom or right; "valid"
        for none.
    groups : int
        Is passed on, already checked.

    Raises
    ------
    TypeError, ValueError
        If one of them is not of this form or out of range, or the window does not fit into the
        padded image.

    Examples
    --------
    >>> place((5, 5), (3, 3), stride=2, padding="same")[:6]
    (2, 2, 1, 1, 1, 1)
    >>> place((5, 5), (3, 7), padding=(0, 1)).output_size((5, 5), (3, 7))
    (3, 1)
    """
    stride_rows, stride_columns = pair(stride, "stride")
    dilation_rows, dilation_columns = pair(dilation, "dilation")
    reach_rows = dilation_rows * (window[0] - 1) + 1
    reach_columns = dilation_columns * (window[1] - 1) + 1
    if isinstance(padding, str):
        rule = checks.one_of(padding, "padding", PADDINGS)
        top, bottom = _by_rule(rule, size[0], reach_rows, stride_rows)
        left, right = _by_rule(rule, size[1], reach_columns, stride_columns)
    else:
        (top, bottom), (left, right) = pads(padding)
    _fits(size[0], top, bottom, window[0], reach_rows, "row")
    _fits(size[1], left, right, window[1], reach_columns, "column")
    return Geometry(
        stride_rows, stride_columns, top, bottom, left, right,
        dilation_rows, dilation_columns, groups,
    )  # fmt: skip


def place1d(
    length: int,
    window: int,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Geometry:
    """The checked geometry of a window of k steps on a signal of `length` steps, as one row.

    Parameters
    ----------
    length, window : int
        Steps of the signal and of the window.
    stride, dilation : int
    padding : int, (int, int), "same" or "valid"
        Zeros at both ends: one number; (before, after); a rule as in :func:`place`.
    groups : int
        Is passed on, already checked.

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
        rule = checks.one_of(padding, "padding", PADDINGS)
        before, after = _by_rule(rule, length, reach, stride)
    else:
        before, after = pair(padding, "padding", least=0, what="(before, after)")
    _fits(length, before, after, window, reach, "step")
    return Geometry(1, stride, 0, 0, before, after, 1, dilation, groups)


def pair(
    value: Any, name: str, *, least: int = 1, what: str = "(rows, columns)"
) -> tuple[int, int]:
    """`value` as two whole numbers: one number stands for both.

    Raises
    ------
    TypeError, ValueError
        If it is neither a whole number nor two of them, or one is below `least`.

    Examples
    --------
    >>> pair(2, "stride"), pair((2, 1), "stride")
    ((2, 2), (2, 1))
    >>> pair((1, 2, 3), "stride")
    Traceback (most recent call last):
    ValueError: stride must be a whole number or a pair (rows, columns), got (1, 2, 3)
    """
    if type(value) is int and least <= value < LIMIT:  # the usual case, without delay
        return value, value
    if not isinstance(value, tuple | list):
        one = number(value, name, least=least, or_else=f" or a pair {what}")
        return one, one
    if len(value) != 2:
        raise ValueError(
            f"{name} must be a whole number or a pair {what}, got {checks.shown(value)}"
        )
    return (
        number(value[0], f"{name}[0]", least=least),
        number(value[1], f"{name}[1]", least=least),
    )


def pads(padding: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """`padding` in numbers as ((top, bottom), (left, right)).

    Raises
    ------
    TypeError, ValueError
        If it is not a number of at least 0, a pair of them or two pairs of them.

    Examples
    --------
    >>> pads(1), pads((1, 2))
    (((1, 1), (1, 1)), ((1, 1), (2, 2)))
    """
    if isinstance(padding, tuple | list) and any(isinstance(p, tuple | list) for p in padding):
        if len(padding) != 2:
            raise ValueError(
                "padding must be two pairs ((top, bottom), (left, right)), got "
                f"{checks.shown(padding)}"
            )
        return (
            pair(padding[0], "padding[0]", least=0, what="(top, bottom)"),
            pair(padding[1], "padding[1]", least=0, what="(left, right)"),
        )
    rows, columns = pair(padding, "padding", least=0)
    return (rows, rows), (columns, columns)


def number(value: Any, name: str, *, least: int = 1, or_else: str = "") -> int:
    """`value` as a whole number of at least `least` that a kernel can multiply safely."""
    if or_else and not isinstance(value, int):
        try:
            value = checks.count(value, name, least=least)
        except TypeError:
            raise TypeError(
                f"{name} must be a whole number{or_else}, got {checks.shown(value)}"
            ) from None
    found = checks.count(value, name, least=least)
    if found >= LIMIT:
        raise ValueError(f"{name} must be below {LIMIT}, got {checks.shown(found)}")
    return found


def _by_rule(rule: str, size: int, reach: int, stride: int) -> tuple[int, int]:
    """The padding before and after by the rule "same" or "valid"."""
    if rule == "valid":
        return 0, 0
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2  # (5.26)


def _fits(size: int, before: int, after: int, window: int, reach: int, what: str) -> None:
    """Refuse a window that is larger than the padded image."""
    if reach > size + before + after:
        spans = f"{window} {what}s" if reach == window else f"{reach} {what}s with its dilation"
        padded = f" with its padding ({before} + {size} + {after})" if before or after else ""
        raise ValueError(
            f"the window spans {spans} but the input has {size + before + after} {what}s{padded}"
        )
