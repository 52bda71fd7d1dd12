"""One dense layer, forward and backward: three products of matrices and a sum over rows.

All the work is in `products`: forward the bias is added by the thread that has the sum in its
register; backward the turned matrices are read as they are stored, and the sums over a large batch
are split over many blocks, so that a small W does not leave most of the GPU idle.
"""

from __future__ import annotations

from typing import Any

from ketkar.kernels.cuda.memory import on_device
from ketkar.kernels.cuda.products import column_sums, multiply

__all__ = ["dense_backward", "dense_forward"]


@on_device(fills="z")
def dense_forward(x: Any, W: Any, b: Any, z: Any) -> None:
    """Fill z (N, m) with x W + b; see `ketkar.kernels.reference`."""
    (N, n), m = x.shape, W.shape[1]
    multiply(x.reshape(-1), W.reshape(-1), z.reshape(-1), N, m, n, bias=b)  # (3.7)


@on_device(fills="dx dW db")
def dense_backward(dz: Any, x: Any, W: Any, dx: Any, dW: Any, db: Any) -> None:
    """Fill dx, dW and db with the gradients of a layer; see `ketkar.kernels.reference`."""
    (N, n), m = x.shape, W.shape[1]
    delta = dz.reshape(-1)
    multiply(delta, W.reshape(-1), dx.reshape(-1), N, n, m, B_turned=True)  # (3.16)
    multiply(x.reshape(-1), delta, dW.reshape(-1), n, m, N, A_turned=True)  # (3.17)
    column_sums(delta, db, N, m)  # (3.17)
