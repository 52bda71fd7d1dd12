"""What the machine can do, as the constants the kernels are compiled with.

Two environment variables, read once when the kernels are first used, are for tests:
``KETKAR_SIMD_BITS`` sets the width of a vector (128, 256 or 512), ``KETKAR_CHECKED=1`` has every
access to memory checked.
"""

from __future__ import annotations

import os
from typing import Final

import llvmlite.binding as llvm
from numba.core import config


def simd_bits() -> int:
    """The widest vector of the processor that Numba compiles for.

    Where neither AVX nor NEON is named, 128: LLVM splits what the processor does not have, which
    is slower and never wrong.
    """
    asked = os.environ.get("KETKAR_SIMD_BITS", "")
    if asked:
        if asked not in ("128", "256", "512"):
            raise ValueError(f"KETKAR_SIMD_BITS is {asked!r}; expected 128, 256 or 512")
        return int(asked)
    names = config.CPU_FEATURES
    if names is None:
        names = llvm.get_host_cpu_features().flatten() if config.CPU_NAME is None else ""
    features = names.split(",")
    if "+avx512f" in features:
        return 512
    return 256 if "+avx2" in features else 128


CHECKED: Final = os.environ.get("KETKAR_CHECKED", "") not in ("", "0")
SIMD_BITS: Final = simd_bits()

# A tile must leave registers for one row of b and one broadcast number: 32 registers hold 8 x 2
# vectors of sums; AVX2 has 16 and takes 6 x 2.
ROWS: Final = 6 if SIMD_BITS == 256 else 8
COLUMNS: Final = 2
