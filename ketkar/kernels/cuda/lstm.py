"""The LSTM, forward and back through time; `recurrence` says how the steps are laid.

What is computed: (6.21)-(6.26), and on the way back (6.27)-(6.32).

Who does what: a thread has one unit of one sequence in one step, with all four of its gates, so
that whatever one gate needs of another is in its registers. The inputs' part of the gates' sums is
one product in advance, with the bias in it, and stands where the gates will be; the errors may take
their place. The matrix has the gates' rows one below the other, and in a walk a thread has four
columns: those of the four gates of one unit.

What peepholes get from all steps and sequences is summed afterwards, from the errors and the cell
states: over the steps by a thread for every unit of every sequence, then over the sequences.
"""

from __future__ import annotations

import math
from typing import Any

from ketkar.kernels.cuda.kernel import blocks_for, kernel
from ketkar.kernels.cuda.memory import on_device, scratch
from ketkar.kernels.cuda.products import column_sums, multiply
from ketkar.kernels.cuda.provider import cuda
from ketkar.kernels.cuda.recurrence import UNITS, weight_gradients
from ketkar.kernels.cuda.walk import PARTS, ROWS, THREADS, fits, panel, passed, room, times

__all__ = ["lstm_backward", "lstm_forward"]


def lstm_unit(T: Any) -> Any:
    """What a thread does with one unit of one sequence on the way forward."""
    one, zero = T(1), T(0)

    @cuda.jit(device=True)
    def unit(y, c, gates, p, row, j, N, H, dz, di, df, do, there):  # type: ignore[no-untyped-def]
        """The new output; `row` counts the rows of all steps, dz to do is what the state says."""
        here, gate = row * H + j, row * 4 * H + j
        cell, after = c[here], here + N * H
        z = math.tanh(gates[gate] + dz)  # (6.21)
        x = gates[gate + H] + di + p[j] * cell
        small = math.exp(-abs(x))
        i = (one if x >= zero else small) / (one + small)  # (6.22)
        x = gates[gate + 2 * H] + df + p[H + j] * cell
        small = math.exp(-abs(x))
        f = (one if x >= zero else small) / (one + small)  # (6.23)
        new = i * z + f * cell  # (6.24)
        x = gates[gate + 3 * H] + do + p[2 * H + j] * new
        small = math.exp(-abs(x))
        o = (one if x >= zero else small) / (one + small)  # (6.25)
        gates[gate] = z
        gates[gate + H] = i
        gates[gate + 2 * H] = f
        gates[gate + 3 * H] = o
        out = o * math.tanh(new) if there else y[here]  # (6.26)
        c[after] = new if there else cell
        y[after] = out
        return out

    return unit


@kernel("T1 B2 T1 T1 T1 T1 i i i i i i i", threads=THREADS)
def lstm_walk(T: Any) -> Any:
    """Take four sequences a block from the first step to the last."""
    size, unit = room(T), lstm_unit(T)

    def body(values, mask, y, c, gates, p, masked, steps, N, H, piece, groups, share):  # type: ignore[no-untyped-def]
        outputs = cuda.shared.array(size, T)
        parts = cuda.shared.array(PARTS, T)
        total = cuda.local.array(16, T)
        me, first = cuda.threadIdx.x, cuda.blockIdx.x * ROWS
        group, wide = me // piece, ROWS * piece
        for n in range(me, ROWS * groups * share, THREADS):
            j, r = n // ROWS, first + n % ROWS
            outputs[n] = y[r * H + j] if j < H and r < N else T(0)
        cuda.syncthreads()
        for t in range(steps):
            if group < groups:
                times(values, outputs, total, parts, group, me - group * piece, piece, share)
            cuda.syncthreads()
            for n in range(me, ROWS * H, THREADS):
                j, r = n // ROWS, first + n % ROWS
                if r < N:
                    z, i, f, o = T(0), T(0), T(0), T(0)
                    for g in range(groups):
                        place = n + 4 * g * wide
                        z += parts[place]
                        i += parts[place + wide]
                        f += parts[place + 2 * wide]
                        o += parts[place + 3 * wide]
                    there = masked == 0 or mask[t, r]
                    outputs[n] = unit(y, c, gates, p, t * N + r, j, N, H, z, i, f, o, there)
            cuda.syncthreads()

    return body


@kernel("B2 T1 T1 T1 T1 i i i i", threads=UNITS)
def lstm_step(T: Any) -> Any:
    """One step, where the whole sums stand in the place of the gates."""
    unit, zero = lstm_unit(T), T(0)

    def body(mask, y, c, gates, p, masked, t, N, H):  # type: ignore[no-untyped-def]
        r, j = cuda.blockIdx.x, cuda.blockIdx.y * UNITS + cuda.threadIdx.x
        if j < H:
            there = masked == 0 or mask[t, r]
            unit(y, c, gates, p, t * N + r, j, N, H, zero, zero, zero, zero, there)

    return body


def lstm_unit_back(T: Any) -> Any:
    """What a thread does with one unit of one sequence on the way back."""
    one, zero = T(1), T(0)

    @cuda.jit(device=True)
    def unit(p, c, gates, errors, dy, dc, dy0, t, r, j, N, H, received, there, whole):  # type: ignore[no-untyped-def]
        """The errors of the four sums; `received` is what the step after says about y.

        Where `whole`, the gradient goes on to the step before.
        """
        place, size = r * H + j, N * H
        here, gate = t * size + place, (t * N + r) * 4 * H + j
        total, cell = dy[here] + received, dc[place]
        dz, di, df, do = zero, zero, zero, zero
        if there:
            z, i = gates[gate], gates[gate + H]
            f, o = gates[gate + 2 * H], gates[gate + 3 * H]
            squashed = math.tanh(c[here + size])
            do = total * squashed * o * (one - o)  # (6.27)
            cell += total * o * (one - squashed * squashed) + do * p[2 * H + j]  # (6.28)
            di = cell * z * i * (one - i)  # (6.29)
            df = cell * c[here] * f * (one - f)  # (6.30)
            dz = cell * i * (one - z * z)  # (6.31)
            cell = cell * f + di * p[j] + df * p[H + j]  # (6.28)
        elif whole and t > 0:
            dy[here - size] += total
        elif whole:
            dy0[place] = total
        dc[place] = cell if whole else zero
        errors[gate] = dz
        errors[gate + H] = di
        errors[gate + 2 * H] = df
        errors[gate + 3 * H] = do
        return dz, di, df, do

    return unit


@kernel("T1 B2 T1 T1 T1 T1 T1 T1 T1 i i i i i i i i", threads=THREADS)
def lstm_walk_back(T: Any) -> Any:
    """Take four sequences a block from the last step to the first."""
    size, unit = room(T), lstm_unit_back(T)

    def body(  # type: ignore[no-untyped-def]
        values, mask, p, c, gates, errors, dy, dc, dy0, masked, stop, steps, N, H, piece, groups,
        share,
    ):  # fmt: skip
        rows = cuda.shared.array(size, T)  # the errors of the step under way
        parts = cuda.shared.array(PARTS, T)
        total = cuda.local.array(16, T)
        me, first = cuda.threadIdx.x, cuda.blockIdx.x * ROWS
        group, wide = me // piece, ROWS * H
        for n in range(me, ROWS * groups * share, THREADS):
            rows[n] = T(0)
        cuda.syncthreads()
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
                        rows[n], rows[n + wide], rows[n + 2 * wide], rows[n + 3 * wide] = unit(
                            p, c, gates, errors, dy, dc, dy0, t, r, j, N, H, received, there, whole
                        )  # fmt: skip
                    elif arrived:
                        dy0[r * H + j] = received
            cuda.syncthreads()
            if group < groups and t >= 0:
                times(values, rows, total, parts, group, me - group * piece, piece, share)
            cuda.syncthreads()

    return body


@kernel("B2 T1 T1 T1 T1 T1 T1 T1 T1 i i i i i i", threads=UNITS)
def lstm_step_back(T: Any) -> Any:
    """The errors of step t, and dy0 where t is -1, from the product of those of the step after."""
    unit = lstm_unit_back(T)

    def body(mask, p, c, gates, errors, dy, dc, dy0, product, masked, stop, steps, t, N, H):  # type: ignore[no-untyped-def]
        r, j = cuda.blockIdx.x, cuda.blockIdx.y * UNITS + cuda.threadIdx.x
        if j < H:
            arrived = passed(mask, masked, t + 1, r, steps, stop)
            received = product[r * H + j] if arrived else T(0)
            if t >= 0:
                there = masked == 0 or mask[t, r]
                whole = stop == 0 or t % stop != 0 or t == 0
                unit(
                    p, c, gates, errors, dy, dc, dy0, t, r, j, N, H, received, there, whole
                )  # fmt: skip
            elif arrived:
                dy0[r * H + j] = received

    return body


@kernel("T1 T1 T1 i i i", threads=UNITS)
def peepholes(T: Any) -> Any:
    """Sums (N, 3 h) of errors times cell states over all steps, for the peepholes of i, f and o."""

    def body(errors, c, sums, steps, N, H):  # type: ignore[no-untyped-def]
        r, j = cuda.blockIdx.x, cuda.blockIdx.y * UNITS + cuda.threadIdx.x
        if j < H:
            i, f, o = T(0), T(0), T(0)
            for t in range(steps):
                row = t * N + r
                error, cell = row * 4 * H + j, c[row * H + j]
                i += errors[error + H] * cell  # (6.32)
                f += errors[error + 2 * H] * cell
                o += errors[error + 3 * H] * c[(row + N) * H + j]
            sums[3 * r * H + j] = i
            sums[(3 * r + 1) * H + j] = f
            sums[(3 * r + 2) * H + j] = o

    return body


def lstm_forward(
    x: Any, W: Any, R: Any, p: Any, b: Any, mask: Any, y: Any, c: Any, gates: Any
) -> None:
    """Fill y[1:], c[1:] and gates from y[0] and c[0]; see `ketkar.kernels.recurrence`."""
    _lstm_forward(x, W, R, p, b, mask, y, c, gates, mask.shape[0] > 0)


@on_device(changes="y c", fills="gates")
def _lstm_forward(
    x: Any, W: Any, R: Any, p: Any, b: Any, mask: Any, y: Any, c: Any, gates: Any, masked: bool
) -> None:
    (T, N, n), H = x.shape, R.shape[1]
    flat, sums = y.reshape(-1), gates.reshape(-1)
    arrays = mask, flat, c.reshape(-1), sums, p.reshape(-1)
    multiply(x.reshape(-1), W.reshape(-1), sums, T * N, 4 * H, n, B_turned=True, bias=b)
    if fits(R):
        made = panel(R, turned=True)
        lstm_walk(blocks_for(N, ROWS), made.values, *arrays, masked, T, N, H, *made[1:])
        return
    matrix, blocks = R.reshape(-1), (N, blocks_for(H, UNITS))
    for t in range(T):
        multiply(
            flat, matrix, sums, N, 4 * H, H, A_at=t * N * H, C_at=4 * t * N * H, B_turned=True,
            add=True,
        )  # fmt: skip
        lstm_step(blocks, *arrays, masked, t, N, H)


def lstm_backward(
    x: Any, W: Any, R: Any, p: Any, mask: Any, y: Any, c: Any, gates: Any, dy: Any, dc: Any,
    stop: int, errors: Any, dx: Any, dW: Any, dR: Any, dp: Any, db: Any, dy0: Any,
) -> None:  # fmt: skip
    """Fill dx, dW, dR, dp, db and dy0 from dy; see `ketkar.kernels.recurrence`."""
    flags = mask.shape[0] > 0, dx.shape[0] > 0
    _lstm_backward(
        x, W, R, p, mask, y, c, gates, dy, dc, stop, errors, dx, dW, dR, dp, db, dy0, *flags
    )  # fmt: skip


@on_device(changes="dc", fills="errors dx dW dR dp db dy0")
def _lstm_backward(
    x: Any, W: Any, R: Any, p: Any, mask: Any, y: Any, c: Any, gates: Any, dy: Any, dc: Any,
    stop: int, errors: Any, dx: Any, dW: Any, dR: Any, dp: Any, db: Any, dy0: Any,
    masked: bool, wanted: bool,
) -> None:  # fmt: skip
    (T, N, _), H = x.shape, R.shape[1]
    cells, flat = c.reshape(-1), errors.reshape(-1)
    arrays = (
        p.reshape(-1), cells, gates.reshape(-1), flat, dy.reshape(-1), dc.reshape(-1),
        dy0.reshape(-1),
    )  # fmt: skip
    if fits(R):
        made = panel(R, turned=False)
        lstm_walk_back(
            blocks_for(N, ROWS), made.values, mask, *arrays, masked, stop, T, N, H, *made[1:]
        )  # fmt: skip
    else:
        product, blocks = scratch(c, N * H), (N, blocks_for(H, UNITS))
        for t in range(T - 1, -2, -1):
            lstm_step_back(blocks, mask, *arrays, product, masked, stop, T, t, N, H)
            if t >= 0 and not (stop > 0 and t > 0 and t % stop == 0):
                multiply(flat, R.reshape(-1), product, N, H, 4 * H, A_at=4 * t * N * H)
    sums = scratch(c, N * 3 * H)
    peepholes((N, blocks_for(H, UNITS)), flat, cells, sums, T, N, H)
    column_sums(sums, dp.reshape(-1), N, 3 * H)
    weight_gradients(x, y, flat, W, wanted, dx, dW, dR, db)
