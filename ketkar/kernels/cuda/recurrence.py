"""Recurrent networks, forward and back through time.

What is computed: the states h of (6.1), step after step, and on the way back the errors of all
weighted sums, (6.17); then, from these, the gradients. `lstm` does the same with (6.21)-(6.31).

What waits for what: no step can begin before the one before it has ended, but only the product with
the state has to wait. What the inputs contribute is one product in advance, of the rows of all
steps, with the bias in it; it is written to where the states will be. The gradients of inputs and
weights are one product each afterwards.

Who does what: in between, a small recurrent matrix lets a block take four sequences through all
steps, in one start (`walk`). With a large one every step is two starts: a product, and a kernel in
which a thread has one unit of one sequence. What a thread does with one unit is the same function
in both.

Why it is fast: starting a kernel is what small networks wait for, and they need three in all. For
large ones it is the products, which `products` cuts into tiles.

A step that is not there keeps the state. Its errors are zero, and what was said about its state is
said about the one before: it is added to there.
"""

from __future__ import annotations

import math
from typing import Any

from ketkar.kernels.cuda.kernel import blocks_for, kernel
from ketkar.kernels.cuda.memory import on_device, scratch
from ketkar.kernels.cuda.products import column_sums, multiply
from ketkar.kernels.cuda.provider import cuda
from ketkar.kernels.cuda.walk import PARTS, ROWS, THREADS, fits, panel, passed, room, times

__all__ = ["UNITS", "rnn_backward", "rnn_forward", "weight_gradients"]

UNITS = 128
"""Threads of a block of a kernel for one step, each with one unit of the block's one sequence."""


@cuda.jit(device=True)
def rnn_unit(h, before, after, received, there):  # type: ignore[no-untyped-def]
    """The next state of one unit, into the place `after`, where the inputs' part of its sum is."""
    state = math.tanh(h[after] + received) if there else h[before]  # (6.1)
    h[after] = state
    return state


@kernel("T1 B2 T1 i i i i i i i", threads=THREADS)
def rnn_walk(T: Any) -> Any:
    """Take four sequences a block from the first step to the last."""
    size = room(T)

    def body(values, mask, h, masked, steps, N, H, piece, groups, share):  # type: ignore[no-untyped-def]
        states = cuda.shared.array(size, T)
        parts = cuda.shared.array(PARTS, T)
        total = cuda.local.array(16, T)
        me, first = cuda.threadIdx.x, cuda.blockIdx.x * ROWS
        group = me // piece
        for n in range(me, ROWS * groups * share, THREADS):
            j, r = n // ROWS, first + n % ROWS
            states[n] = h[r * H + j] if j < H and r < N else T(0)
        cuda.syncthreads()
        for t in range(steps):
            if group < groups:
                times(values, states, total, parts, group, me - group * piece, piece, share)
            cuda.syncthreads()
            for n in range(me, ROWS * H, THREADS):
                j, r = n // ROWS, first + n % ROWS
                if r < N:
                    received = T(0)
                    for g in range(groups):
                        received += parts[n + g * 16 * piece]
                    here = (t * N + r) * H + j
                    there = masked == 0 or mask[t, r]
                    states[n] = rnn_unit(h, here, here + N * H, received, there)
            cuda.syncthreads()

    return body


@kernel("B2 T1 i i i i", threads=UNITS)
def rnn_step(T: Any) -> Any:
    """One step, where the whole sum stands in the place of the state."""

    def body(mask, h, masked, t, N, H):  # type: ignore[no-untyped-def]
        r, j = cuda.blockIdx.x, cuda.blockIdx.y * UNITS + cuda.threadIdx.x
        if j < H:
            here = (t * N + r) * H + j
            rnn_unit(h, here, here + N * H, T(0), masked == 0 or mask[t, r])

    return body


def rnn_unit_back(T: Any) -> Any:
    """What a thread does with one unit of one sequence on the way back."""

    @cuda.jit(device=True)
    def unit(h, dh, dh0, t, place, size, received, there, whole):  # type: ignore[no-untyped-def]
        """The error of a sum; `received` is what the step after says, `size` the numbers of a step.

        Where `whole`, the gradient goes on to the step before.
        """
        here = t * size + place
        total = dh[here] + received  # (6.17)
        error = T(0)
        if there:
            state = h[here + size]
            error = total * (T(1) - state * state)  # (6.17)
        elif whole and t > 0:
            dh[here - size] += total
        elif whole:
            dh0[place] = total
        dh[here] = error
        return error

    return unit


@kernel("T1 B2 T1 T1 T1 i i i i i i i i", threads=THREADS)
def rnn_walk_back(T: Any) -> Any:
    """Take four sequences a block from the last step to the first."""
    size, unit = room(T), rnn_unit_back(T)

    def body(values, mask, h, dh, dh0, masked, stop, steps, N, H, piece, groups, share):  # type: ignore[no-untyped-def]
        errors = cuda.shared.array(size, T)
        parts = cuda.shared.array(PARTS, T)
        total = cuda.local.array(16, T)
        me, first = cuda.threadIdx.x, cuda.blockIdx.x * ROWS
        group = me // piece
        for n in range(me, ROWS * groups * share, THREADS):
            errors[n] = T(0)
        for back in range(steps + 1):
            t = steps - 1 - back
            whole = stop == 0 or t % stop != 0 or t == 0
            for n in range(me, ROWS * H, THREADS):
                j, r = n // ROWS, first + n % ROWS
                if r < N:
                    received = T(0)
                    arrived = passed(mask, masked, t + 1, r, steps, stop)
                    if arrived:
                        for g in range(groups):
                            received += parts[n + g * 16 * piece]
                    if t >= 0:
                        there = masked == 0 or mask[t, r]
                        errors[n] = unit(
                            h, dh, dh0, t, r * H + j, N * H, received, there, whole
                        )  # fmt: skip
                    elif arrived:
                        dh0[r * H + j] = received
            cuda.syncthreads()
            if group < groups and t >= 0:
                times(values, errors, total, parts, group, me - group * piece, piece, share)
            cuda.syncthreads()

    return body


@kernel("B2 T1 T1 T1 T1 i i i i i i", threads=UNITS)
def rnn_step_back(T: Any) -> Any:
    """The errors of step t, and dh0 where t is -1, from the product of those of the step after."""
    unit = rnn_unit_back(T)

    def body(mask, h, dh, dh0, product, masked, stop, steps, t, N, H):  # type: ignore[no-untyped-def]
        r, j = cuda.blockIdx.x, cuda.blockIdx.y * UNITS + cuda.threadIdx.x
        if j < H:
            place = r * H + j
            arrived = passed(mask, masked, t + 1, r, steps, stop)
            received = product[place] if arrived else T(0)
            if t >= 0:
                there = masked == 0 or mask[t, r]
                whole = stop == 0 or t % stop != 0 or t == 0
                unit(h, dh, dh0, t, place, N * H, received, there, whole)
            elif arrived:
                dh0[place] = received

    return body


def weight_gradients(
    x: Any, states: Any, dz: Any, U: Any, wanted: bool, dx: Any, dU: Any, dW: Any, db: Any
) -> None:
    """Fill dx (if wanted), dU, dW and db from the flat errors dz of the sums of all steps."""
    (T, N, n), h, m = x.shape, states.shape[2], db.shape[0]
    if wanted:
        multiply(dz, U.reshape(-1), dx.reshape(-1), T * N, n, m)
    multiply(dz, x.reshape(-1), dU.reshape(-1), m, n, T * N, A_turned=True)  # (6.18)
    multiply(dz, states.reshape(-1), dW.reshape(-1), m, h, T * N, A_turned=True)  # (6.18)
    column_sums(dz, db, T * N, m)  # (6.18)


def rnn_forward(x: Any, U: Any, W: Any, b: Any, mask: Any, h: Any) -> None:
    """Fill h[1:] (T, N, h) from h[0]; see `ketkar.kernels.recurrence`."""
    _rnn_forward(x, U, W, b, mask, h, mask.shape[0] > 0)


@on_device(changes="h")
def _rnn_forward(x: Any, U: Any, W: Any, b: Any, mask: Any, h: Any, masked: bool) -> None:
    (T, N, n), H = x.shape, W.shape[0]
    flat, size = h.reshape(-1), N * H
    multiply(
        x.reshape(-1), U.reshape(-1), flat, T * N, H, n, C_at=size, B_turned=True, bias=b
    )  # fmt: skip
    if fits(W):
        made = panel(W, turned=True)
        rnn_walk(blocks_for(N, ROWS), made.values, mask, flat, masked, T, N, H, *made[1:])
        return
    matrix, blocks = W.reshape(-1), (N, blocks_for(H, UNITS))
    for t in range(T):
        multiply(
            flat, matrix, flat, N, H, H, A_at=t * size, C_at=(t + 1) * size, B_turned=True,
            add=True,
        )  # fmt: skip
        rnn_step(blocks, mask, flat, masked, t, N, H)


def rnn_backward(
    x: Any, U: Any, W: Any, mask: Any, h: Any, dh: Any, stop: int,
    dx: Any, dU: Any, dW: Any, db: Any, dh0: Any,
) -> None:  # fmt: skip
    """Fill dx, dU, dW, db and dh0 from dh; see `ketkar.kernels.recurrence`."""
    flags = mask.shape[0] > 0, dx.shape[0] > 0
    _rnn_backward(x, U, W, mask, h, dh, stop, dx, dU, dW, db, dh0, *flags)


@on_device(changes="dh", fills="dx dU dW db dh0")
def _rnn_backward(
    x: Any, U: Any, W: Any, mask: Any, h: Any, dh: Any, stop: int,
    dx: Any, dU: Any, dW: Any, db: Any, dh0: Any, masked: bool, wanted: bool,
) -> None:  # fmt: skip
    (T, N, _), H = x.shape, W.shape[0]
    states, errors, first = h.reshape(-1), dh.reshape(-1), dh0.reshape(-1)
    if fits(W):
        made = panel(W, turned=False)
        rnn_walk_back(
            blocks_for(N, ROWS), made.values, mask, states, errors, first, masked, stop, T, N, H,
            *made[1:],
        )  # fmt: skip
    else:
        product, blocks = scratch(h, N * H), (N, blocks_for(H, UNITS))
        for t in range(T - 1, -2, -1):
            rnn_step_back(
                blocks, mask, states, errors, first, product, masked, stop, T, t, N, H
            )  # fmt: skip
            if t >= 0 and not (stop > 0 and t > 0 and t % stop == 0):
                multiply(errors, W.reshape(-1), product, N, H, H, A_at=t * N * H)
    weight_gradients(x, h, errors, U, wanted, dx, dU, dW, db)
