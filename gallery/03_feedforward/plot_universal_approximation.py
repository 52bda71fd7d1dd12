r"""
A staircase of sigmoids
=======================

Why one hidden layer is enough: :math:`N-1` steep sigmoids add up to a staircase of :math:`N`
steps, and fine steps come close to any continuous function on an interval. The error is bounded,
and the bound can be checked. Read :ref:`sec-activations`; :cite:t:`cybenko1989` has the proof.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff

# %%
# A network that nobody trained
# -----------------------------
# Hidden unit :math:`k` switches on at :math:`k/N`; its output weight is the height of that step.
# Each step has the height of the function in its middle. The function here changes by at most
# :math:`2\pi` per unit of :math:`x`, so no error exceeds :math:`2\pi/(2N)=\pi/N`.


def f(x):
    """The function to be approximated."""
    return np.sin(2 * np.pi * x)


def staircase(x, N, steepness=1e5):
    """A network 1-(N-1)-1 whose sigmoids add up to a staircase."""
    heights = f((np.arange(N) + 0.5) / N)
    switch = np.arange(1, N) / N
    hidden = ff.DenseParams(np.full((1, N - 1), steepness), -steepness * switch)
    output = ff.DenseParams(np.diff(heights)[:, None], heights[:1])
    return ff.mlp(x[:, None], [hidden, output], ["sigmoid", "identity"])[:, 0]


def random_features(x, N, rng):
    """N random tanh units; only the output layer is fitted, by least squares."""
    hidden = ff.dense(x[:, None], rng.normal(0, 6, (1, N)), rng.uniform(-6, 6, N), "tanh")
    columns = np.column_stack([hidden, np.ones(len(x))])
    return columns @ np.linalg.lstsq(columns, f(x), rcond=None)[0]


x = np.linspace(0, 1, 1001)
widths = np.array([4, 8, 16, 32, 64, 128])
steps = np.array([np.abs(staircase(x, N) - f(x)).max() for N in widths])
rng = np.random.default_rng(0)
fitted = [
    np.median([np.abs(random_features(x, N, rng) - f(x)).max() for _ in range(9)])
    for N in widths[:4]
]

fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.6))
left.plot(x, f(x), label=r"$\sin 2\pi x$")
left.plot(x, staircase(x, 16), label="15 sigmoids", linestyle="-", linewidth=1.4)
left.set(xlabel="$x$", ylim=(-1.15, 1.15), title="$N = 16$ steps")
right.loglog(widths, np.pi / widths, ":", color=drawing.COLOURS["black"], label=r"$\pi/N$")
right.loglog(widths, steps, "o", label="staircase")
right.loglog(widths[:4], fitted, "s--", label="fitted tanh units")
right.set(xlabel="$N$", title="largest error")
right.set_xticks(widths, widths)
right.minorticks_off()
fig.legend(loc="outside lower center", ncols=3)
# Alt text: Left, one period of a sine and a staircase of sixteen steps that follows it. Right, the
# largest error against the number N of steps on logarithmic axes: the staircase falls just below
# the dotted bound pi over N; the fitted tanh units fall far faster.
plt.show()

# %%
# The staircase is an existence proof, not a recipe: units whose output weights are fitted need far
# fewer. "Any function" means a continuous one on a bounded interval, and
# :ref:`not every activation will do
# <sphx_glr_auto_gallery_03_feedforward_plot_polynomial_activation.py>`.

for N, error in zip(widths, steps, strict=True):
    print(f"N = {N:3d}: largest error {error:.4f}, bound {np.pi / N:.4f}")
print("below the bound everywhere:", bool((steps <= np.pi / widths).all()))
print("fitted tanh units, N = 4, 8, 16, 32:", " ".join(f"{e:.1e}" for e in fitted), "(seed 0)")
