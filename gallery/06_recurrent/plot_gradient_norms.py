r"""
How far back a gradient reaches
===============================

What a loss at the end of a sequence says about an earlier state has gone through one Jacobian a
step, equation :eq:`hidden-jacobian`. In a plain recurrent network their product vanishes or
explodes with the radius of W. In an LSTM there is a direct way along the cell state, through the
forget gates alone, equation :eq:`constant-error-carousel`, and there are detours through gates and
outputs.

The chapter's page: :doc:`/06_recurrent/vanishing`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import recurrent as rnn
from ketkar.datasets import recall_task

# %%
# Measuring it
# ------------
# A step back in time is the initial state of what comes after it. So the sequence is cut at each
# step, and the gradient with respect to the initial state of the rest is what we look for. The
# networks have 24 units and are not trained; the norm is a geometric mean over 16 sequences.

TAU = 100
x, labels = recall_task(16, TAU, rng=0, noise=0.2)


def mean_norm(gradients):
    """The geometric mean of the lengths of the rows."""
    return np.exp(np.log(np.linalg.norm(gradients, axis=1)).mean())


def plain(radius):
    """Norms over lags 1, 2, ... of a recurrent network whose W is orthogonal times `radius`."""
    params = rnn.rnn_params(2, 24, 2, rng=0, radius=radius)
    h = rnn.rnn_forward(params, x)[1].h
    rests = [rnn.rnn_value_and_grad(params, x[t:], labels, h[t]) for t in range(TAU)]
    return [mean_norm(rest.h0) for rest in reversed(rests)]


def lstm(forget_bias):
    """Norms of an LSTM, with respect to the cell state; and of the direct way alone."""
    params = rnn.lstm_params(2, 24, rng=0, forget_bias=forget_bias)
    output = rnn.output_params(24, 2, rng=0)
    _, trace = rnn.lstm_forward(params, x)
    rests = [
        rnn.lstm_value_and_grad(params, output, x[t:], labels, (trace.y[t], trace.c[t]))
        for t in range(TAU)
    ]
    last = rests[-1].state.c
    direct = [mean_norm(last * rnn.lstm_cell_jacobian(trace, t, TAU - 1)) for t in range(TAU)]
    return [mean_norm(rest.state.c) for rest in reversed(rests)], direct[::-1]


# %%
# Norms against lag
# -----------------
# Each curve is divided by its value at lag 1.

curves = [{f"radius {radius}": plain(radius) for radius in (0.8, 1.0, 1.5)}, {}]
for bias in (1, 5):
    ways = lstm(float(bias))
    curves[1] |= {f"bias {bias}": ways[0], f"bias {bias}, direct": ways[1]}
fig, panels = plt.subplots(1, 2, figsize=(6.4, 4), sharey=True)
for ax, title, of in zip(panels, ("RNN", "LSTM, by forget bias"), curves, strict=True):
    for name, norms in of.items():
        ax.semilogy(range(1, TAU + 1), np.array(norms) / norms[0], label=name)
        print(f"{title[:4]} {name:15s} over 50 steps {norms[50] / norms[0]:8.2g}")
    ax.set(xlabel="lag (steps before the end)", title=title)
    ax.legend(loc="lower left")
panels[0].set_ylabel("norm of the gradient / at lag 1")
# Alt text: Two panels, the norm of the gradient over lags 1 to 100 on a logarithmic axis. On the
# left, recurrent networks: with radius 0.8 a straight line down to below 1e-10, with radius 1 a
# slow fall to about 1e-2, with radius 1.5 a rise to above 100. On the right, LSTMs: with bias 5 the
# gradient stays near 1 and rises at the largest lags, and its direct part falls to one half; with
# bias 1 the direct part falls to below 1e-13, but the whole only to about 1e-2.
plt.show()

# %%
# With a forget bias of 5 the direct way carries the gradient over all the hundred steps. With a
# bias of 1 it is lost there, and what arrives comes by detours, through recurrent weights that are
# orthogonal here and will not stay so in training. At the largest lags, where the states are still
# small, the detours make the gradient grow: even an LSTM may need clipping.
