r"""
Who computes what, and when
===========================

A graphics processor starts one small program many times. Each *thread* finds its piece of the work
from its number in its *block* and the number of the block, and nobody promises an order. This is a
simulation, :func:`~ketkar.kernels.simulation.simulate`: one thread runs at a time, in an order that
can be chosen, and so the order can be drawn. On a real one many threads run at once.

The chapter's page: :doc:`/05_convolutional/cuda`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar.drawing import COLOURS
from ketkar.kernels.cuda.kernel import kernel
from ketkar.kernels.cuda.provider import cuda
from ketkar.kernels.simulation import ORDERS, simulate

# %%
# Blocks over an output
# ---------------------
# Max pooling with windows of 2 by 2 makes an output of 5 by 7. Blocks of 3 by 4 threads are laid
# over it; those that stand over the edge have threads without work. Each thread also writes down
# when it came, which works here because there is one at a time.


@kernel("T2 T2 T2 T1", threads=(4, 3))
def pool(T):
    """Two by two; x and y of a thread are its column and its row in the block."""

    def body(x, y, when, clock):
        i = cuda.blockIdx.y * 3 + cuda.threadIdx.y
        j = cuda.blockIdx.x * 4 + cuda.threadIdx.x
        if i < y.shape[0] and j < y.shape[1]:
            top = max(x[2 * i, 2 * j], x[2 * i, 2 * j + 1])
            y[i, j] = max(top, x[2 * i + 1, 2 * j], x[2 * i + 1, 2 * j + 1])
            clock[0] += T(1)
            when[i, j] = clock[0]

    return body


x = np.random.default_rng(0).random((10, 14))
expected = x.reshape(5, 2, 7, 2).max(axis=(1, 3))
shades = [COLOURS[name] for name in ("sky", "yellow", "green", "orange")]
fig, panels = plt.subplots(1, 3, figsize=(8.4, 2.9))
for ax, order in zip(panels, ORDERS, strict=True):
    y, when = np.zeros((5, 7)), np.zeros((5, 7))
    with simulate(order, seed=4):
        pool((2, 2), x, y, when, np.zeros(1))
    assert np.array_equal(y, expected)  # in every order
    for (i, j), turn in np.ndenumerate(when):
        colour = shades[2 * (i // 3) + j // 4]
        ax.add_patch(plt.Rectangle((j, i), 1, 1, fc=colour, ec="white", alpha=0.55))
        ax.text(j + 0.5, i + 0.5, f"{turn:.0f}", ha="center", va="center", fontsize=10)
    for i, j in np.ndindex(2, 2):
        ax.add_patch(plt.Rectangle((4 * j, 3 * i), 4, 3, fill=False, ec=COLOURS["grey"], lw=1.4))
    ax.set(xlim=(-0.15, 8.15), ylim=(6.15, -0.15), aspect="equal", title=order)
    ax.axis("off")
# Alt text: Three times an output of 5 by 7 cells under four blocks of 3 by 4 that hang over at the
# right and below. Each cell has the number of its turn. Forward, 1 to 12 fill the first block row
# by row, and the others follow. In reverse, 1 is the last cell of the last block. At random, blocks
# come in another order and the turns within a block are mixed, but no two blocks mix.
plt.show()

# %%
# A barrier
# ---------
# Six threads copy six numbers into memory that they share, and then each adds up three of them.
# Between the two stands a barrier: nobody adds before all have copied. Again a clock is written
# down, once for the copy and once for the sum.


@kernel("T1 T1 I1 I1", threads=6)
def sums_of_three(T):
    """Of a ring of six numbers."""

    def body(x, y, turns, clock):
        near = cuda.shared.array(6, T)
        t = cuda.threadIdx.x
        near[t] = x[t]
        turns[t] = clock[0]
        clock[0] += 1
        cuda.syncthreads()
        y[t] = near[t - 1 if t > 0 else 5] + near[t] + near[t + 1 if t < 5 else 0]
        turns[t + 6] = clock[0]
        clock[0] += 1

    return body


x = np.arange(6.0)
fig, panels = plt.subplots(1, 3, figsize=(8.4, 2.7), sharey=True)
for ax, order in zip(panels, ORDERS, strict=True):
    y, turns = np.zeros(6), np.zeros(12, np.int32)
    with simulate(order, seed=4):
        sums_of_three(1, x, y, turns, np.zeros(1, np.int32))
    assert np.array_equal(y, np.roll(x, 1) + x + np.roll(x, -1))
    ax.scatter(turns[:6], range(6), marker="s", s=60, color=COLOURS["blue"], label="copies")
    ax.scatter(turns[6:], range(6), marker="o", s=60, color=COLOURS["vermillion"], label="adds")
    ax.axvline(5.5, color=COLOURS["black"], lw=2)
    ax.set(title=order, xlabel="turn", xticks=range(0, 12, 2), yticks=range(6))
panels[0].set_ylabel("thread")
fig.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", fontsize=9)
# Alt text: Three charts of six threads over twelve turns. An upright line in the middle is the
# barrier. To its left are six squares, where threads copy, to its right six dots, where they add.
# Forward both rise from thread 0 to 5, in reverse both fall, and at random both are mixed, in
# different orders before the barrier and after it.
plt.show()
