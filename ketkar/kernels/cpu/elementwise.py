"""Functions of one number."""

from __future__ import annotations

from typing import Any

import numpy as np

from ketkar.kernels.cpu.compiling import FINGERPRINT, helper, kernel


@helper
def sigmoid_of(x: Any) -> Any:
    """1 / (1 + e^-x), from e^-|x|, which cannot overflow."""
    small = np.exp(-abs(x))
    one = type(x)(1)
    return (one if x >= 0 else small) / (one + small)
