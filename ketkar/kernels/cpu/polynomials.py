"""Winograd's transforms, F(4 x 4, 3 x 3): polynomials by their values, on whole vectors.

Along one axis, four outputs are the middle of a product of two polynomials of degree 2 and 3, which
six values determine: at the POINTS and at infinity. `winograd` says what they are good for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numpy.typing import NDArray

from ketkar.kernels.cpu.span import constant, element, operation
from ketkar.kernels.cpu.vector import load_vector, multiply_add, splat, store_vector

TILE: Final = 4
"""Outputs of a tile along an axis."""
TAPS: Final = 3
FIELD: Final = TILE + TAPS - 1
"""Inputs of a tile along an axis, and values of its transform."""
PLACES: Final = FIELD * FIELD
POINTS: Final = (0.0, 1.0, -1.0, 0.5, -2.0)
"""Where polynomials are evaluated, besides infinity. The second must be 1: see `winograd`."""


def _matrices() -> tuple[NDArray[np.float64], ...]:
    """The transforms of an axis: G (6, 3) of the kernel, B' (6, 6) of the input, A' (4, 6) back.

    Row j of G evaluates the kernel's polynomial at point j, of A the outputs'; row j of B' holds
    the coefficients of the polynomial that is zero at all other points.
    """
    roots = np.polynomial.polynomial.polyfromroots
    G, B, A = (np.zeros((FIELD, n)) for n in (TAPS, FIELD, TILE))
    for j, a in enumerate(POINTS):
        others = [other for other in POINTS if other != a]
        B[j, : FIELD - 1] = roots(others)
        G[j] = a ** np.arange(TAPS) / np.prod([a - other for other in others])
        A[j] = a ** np.arange(TILE)
    B[-1] = roots(POINTS)
    G[-1, -1] = A[-1, -1] = 1.0  # at infinity the leading coefficient counts
    return G, B, A.T


def _transform(P: NDArray[np.float64]) -> Callable[..., None]:
    """An operation ``target[i, k] = sum over j and l of P[i, j] P[k, l] source[j, l]``.

    It works on whole vectors, one number of each for every lane; ``source[j, l]`` stands at
    ``j row + l column``, and so does the target. P is written into the code: zeros cost nothing.
    """

    def along(builder: Any, dtype: Any, vectors: list[Any]) -> list[Any]:
        sums: list[Any] = []
        for weights in P.tolist():
            total = None
            for weight, vector in zip(weights, vectors, strict=True):
                if weight == 0.0:
                    continue
                factor = splat(builder, dtype, ir.Constant(element(dtype), weight))
                if total is None:
                    total = vector if weight == 1.0 else builder.fmul(factor, vector)
                elif weight == 1.0:
                    total = builder.fadd(total, vector)
                else:
                    total = multiply_add(builder, dtype, factor, vector, total)
            sums.append(total)
        return sums

    @operation
    def apply(
        typing: Any, source: Any, row: Any, column: Any, target: Any, to_row: Any, to_column: Any
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            here, row, column, there, to_row, to_column = arguments
            dtype, (m, n) = source.dtype, P.shape
            half = []
            for k in range(n):
                across = builder.mul(column, constant(k))
                places = [builder.add(builder.mul(row, constant(j)), across) for j in range(n)]
                block = [load_vector(context, builder, dtype, here, place) for place in places]
                half.append(along(builder, dtype, block))
            for i in range(m):
                down = builder.mul(to_row, constant(i))
                for k, vector in enumerate(along(builder, dtype, [sums[i] for sums in half])):
                    place = builder.add(down, builder.mul(to_column, constant(k)))
                    store_vector(context, builder, dtype, vector, there, place)
            return context.get_dummy_value()

        step = types.int64
        return types.void(source, step, step, target, step, step), generate

    transform: Callable[..., None] = apply
    return transform


_G, _B, _A = _matrices()
of_kernel, of_input, to_output = _transform(_G), _transform(_B), _transform(_A)
of_error, to_kernel = _transform(_A.T), _transform(_G.T)
