"""The recurrent kernels in NumPy, written as the equations read: a part of `reference`.

Time comes first: x (T, N, n) holds T steps of N sequences. States have one entry more, h
(T + 1, N, h), whose first is the initial state, so that h[t] is the state after t steps. A mask
(T, N) of booleans says which steps are there; a step that is not leaves the state as it was. A mask
without rows, (0, N), stands for one that is true everywhere. Whoever calls has put zeros where x is
masked.

`stop` cuts the way back: where it is above 0, no gradient passes from step t to step t - 1 if t is
a multiple of it, counted from 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def rnn_forward(x: Array, U: Array, W: Array, b: Array, mask: Array, h: Array) -> None:
    """Fill h[1:] from h[0], of x (T, N, n), U (h, n), W (h, h) and b (h,)."""
    for t in range(len(x)):
        h[t + 1] = np.tanh(x[t] @ U.T + h[t] @ W.T + b)  # (6.1)
        if len(mask):
            h[t + 1] = np.where(mask[t, :, None], h[t + 1], h[t])


def rnn_backward(
    x: Array, U: Array, W: Array, mask: Array, h: Array, dh: Array, stop: int,
    dx: Array, dU: Array, dW: Array, db: Array, dh0: Array,
) -> None:  # fmt: skip
    """Fill dx, dU, dW, db and dh0 from dh (T, N, h), what the outputs say about h[1:].

    On return dh holds the errors of the weighted sums. A dx without steps, (0, N, n), is left out.
    """
    carried = np.zeros_like(dh0)
    for t in reversed(range(len(x))):
        total = dh[t] + carried  # (6.17)
        there = mask[t, :, None] if len(mask) else True
        dh[t] = np.where(there, total * (1 - h[t + 1] ** 2), 0)  # (6.17)
        carried = np.where(there, dh[t] @ W, total)
        if stop and t % stop == 0 and t:
            carried[...] = 0
    dh0[...] = carried
    _products(x, h, dh, U, dx, dU, dW, db)


def _products(
    x: Array, states: Array, dz: Array, U: Array, dx: Array, dU: Array, dW: Array, db: Array
) -> None:
    """The gradients of inputs and weights from the errors dz (T, N, k) of all weighted sums."""
    if len(dx):
        dx[...] = dz @ U
    rows = dz.reshape(-1, dz.shape[2])
    dU[...] = rows.T @ x.reshape(-1, x.shape[2])  # (6.18)
    dW[...] = rows.T @ states[:-1].reshape(-1, states.shape[2])  # (6.18)
    db[...] = rows.sum(axis=0)  # (6.18)


def output_forward(h: Array, V: Array, c: Array, y: Array) -> None:
    """Fill y (R, m) with softmax(h V^T + c), of h (R, h), V (m, h) and c (m,)."""
    scores = h @ V.T + c
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=y)
    y /= y.sum(axis=1, keepdims=True)  # (6.2)


def output_backward(
    dy: Array, y: Array, h: Array, V: Array, dh: Array, dV: Array, dc: Array
) -> None:
    """Fill dh (R, h), dV (m, h) and dc (m,) from dy (R, m), through the softmax."""
    dz = y * (dy - (dy * y).sum(axis=1, keepdims=True))  # (3.34)
    dh[...] = dz @ V
    dV[...] = dz.T @ h
    dc[...] = dz.sum(axis=0)


def output_loss(
    h: Array, V: Array, c: Array, labels: Array, weights: Array, losses: Array,
    dh: Array, dV: Array, dc: Array,
) -> None:  # fmt: skip
    """The cross entropy of every row, times its weight, and its gradients, softmax included.

    Fill losses (R,), dh (R, h), dV (m, h) and dc (m,) from labels (R,) and weights (R,). A row of
    weight 0 counts as nothing, whatever stands in it.
    """
    scores = h @ V.T + c
    scores -= scores.max(axis=1, keepdims=True)
    powers = np.exp(scores)
    sums = powers.sum(axis=1)
    rows = np.arange(len(h))
    losses[...] = np.where(
        weights == 0, 0, weights * (np.log(sums) - scores[rows, labels])
    )  # (6.8)
    dz = powers / sums[:, None]
    dz[rows, labels] -= 1  # (3.15)
    dz = np.where(weights[:, None] == 0, 0, dz * weights[:, None])
    dh[...] = dz @ V
    dV[...] = dz.T @ h
    dc[...] = dz.sum(axis=0)


def lstm_forward(
    x: Array, W: Array, R: Array, p: Array, b: Array, mask: Array, y: Array, c: Array, gates: Array
) -> None:
    """Fill y[1:], c[1:] and gates (T, N, 4, h) from y[0] and c[0].

    W (4 h, n), R (4 h, h) and b (4 h,) hold the rows of z, i, f and o, one after the other, and so
    do the gates; p (3, h) those of i, f and o.
    """
    for t in range(len(x)):
        sums = (x[t] @ W.T + y[t] @ R.T + b).reshape(gates.shape[1:])
        z, i, f, o = (gates[t, :, k] for k in range(4))
        z[...] = np.tanh(sums[:, 0])  # (6.21)
        _sigmoid(sums[:, 1] + p[0] * c[t], i)  # (6.22)
        _sigmoid(sums[:, 2] + p[1] * c[t], f)  # (6.23)
        c[t + 1] = i * z + f * c[t]  # (6.24)
        _sigmoid(sums[:, 3] + p[2] * c[t + 1], o)  # (6.25)
        y[t + 1] = o * np.tanh(c[t + 1])  # (6.26)
        if len(mask):
            there = mask[t, :, None]
            c[t + 1] = np.where(there, c[t + 1], c[t])
            y[t + 1] = np.where(there, y[t + 1], y[t])


def _sigmoid(x: Array, y: Array) -> None:
    with np.errstate(under="ignore"):
        small = np.exp(-np.abs(x))
        y[...] = np.where(x >= 0, 1, small) / (1 + small)  # (3.31)


def lstm_backward(
    x: Array, W: Array, R: Array, p: Array, mask: Array, y: Array, c: Array, gates: Array,
    dy: Array, dc: Array, stop: int,
    errors: Array, dx: Array, dW: Array, dR: Array, dp: Array, db: Array, dy0: Array,
) -> None:  # fmt: skip
    """Fill dx, dW, dR, dp, db and dy0 from dy (T, N, h), what the outputs say about y[1:].

    dc (N, h) holds the gradient of the last cell state on entry, that of the first on return.
    `errors` (T, N, 4, h) is filled with the errors of the weighted sums and may be `gates` itself;
    dy is used up. A dx without steps is left out.
    """
    carried = np.zeros_like(dy0)
    dp[...] = 0
    for t in reversed(range(len(x))):
        there = mask[t, :, None] if len(mask) else np.True_
        z, i, f, o = (gates[t, :, k].copy() for k in range(4))
        total = dy[t] + carried
        squashed = np.tanh(c[t + 1])
        do = total * squashed * o * (1 - o)  # (6.27)
        dcell = dc + total * o * (1 - squashed**2) + do * p[2]  # (6.28)
        di = dcell * z * i * (1 - i)  # (6.29)
        df = dcell * c[t] * f * (1 - f)  # (6.30)
        dz = dcell * i * (1 - z**2)  # (6.31)
        dz, di, df, do = (np.where(there, error, 0) for error in (dz, di, df, do))
        errors[t] = np.stack([dz, di, df, do], axis=1)
        dp += np.stack([(di * c[t]).sum(0), (df * c[t]).sum(0), (do * c[t + 1]).sum(0)])
        dc[...] = np.where(there, dcell * f + di * p[0] + df * p[1], dc)  # (6.28)
        carried = np.where(there, errors[t].reshape(len(dc), len(R)) @ R, total)
        if stop and t % stop == 0 and t:
            carried[...] = 0
            dc[...] = 0
    dy0[...] = carried
    _products(x, y, errors.reshape(*x.shape[:2], len(W)), W, dx, dW, dR, db)
