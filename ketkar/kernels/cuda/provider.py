"""The one module that names the package of the GPU target.

It is numba-cuda, which takes the place of `numba.cuda`; without it the target inside Numba is
enough to define kernels and to simulate them. For its successor this is the file to change.
"""

from __future__ import annotations

from numba import cuda, types

__all__ = ["cuda", "types"]
