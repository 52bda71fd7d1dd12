r"""
A chain of Jacobians
====================

How the loss of a late step depends on an early one is a product of Jacobians, one for each step in
between, equation :eq:`bptt`. All of them hold the same W, equation :eq:`hidden-jacobian`, and a
product of many alike factors shrinks or grows fast, equation :eq:`jacobian-bound`.

The chapter's page: :doc:`/06_recurrent/vanishing`.
"""

# Textbook figure 6-10: Vanishing and exploding gradients
# sphinx_gallery_thumbnail_number = 2
import itertools

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import recurrent as rnn

# %%
# Five steps back
# ---------------
# Three hidden units, W an orthogonal matrix times 0.9, inputs that are noise. Under each arrow
# back stand its Jacobian and the spectral norm of this; under each state stands the norm of the
# product from the last state back to it.


def states(W, steps, noise):
    """The hidden states of a network that reads noise."""
    x = np.random.default_rng(1).normal(0, noise, (steps, 1, len(W)))
    params = rnn.RNNParams(np.eye(len(W)), W, np.zeros(len(W)), None, None)
    return rnn.rnn_forward(params, x)[1].h[:, 0]


W = rnn.orthogonal(3, rng=0, radius=0.9)
h = states(W, 6, noise=0.5)[1:]
norms = np.linalg.norm(rnn.hidden_jacobian(h, W), 2, axis=(1, 2))
products = rnn.gradient_norm_profile(W, 5, h)[::-1]

sheet = drawing.canvas(6.8, 2.2)
places = 1.15 + 1.05 * np.arange(6)
circles = [
    drawing.node(sheet, (at, 1.65), f"$h^{{({t})}}$", size=12) for t, at in enumerate(places, 1)
]
for t, (left, right) in enumerate(itertools.pairwise(circles), 1):
    drawing.arrow(sheet, left, right, color="#D55E00", linestyle=(0, (4, 1.5)))
    drawing.arrow(sheet, right, left, bend=-0.75)
    middle = places[t - 1] + 0.525
    drawing.label(sheet, (middle, 1.8), "$W$")
    jacobian = rf"$\frac{{\partial h^{{({t + 1})}}}}{{\partial h^{{({t})}}}}$"
    drawing.label(sheet, (middle, 0.95), jacobian, size=15)
    drawing.label(sheet, (middle, 0.58), f"{norms[t]:.2f}")
for at, size in zip(places, products, strict=True):
    drawing.label(sheet, (at, 0.15), f"{size:.2f}", fontweight="bold")
for height, name in ((0.95, "Jacobian"), (0.58, "its norm"), (0.15, "product")):
    drawing.label(sheet, (0.05, height), name, ha="left", color=drawing.COLOURS["grey"])
# Alt text: A chain of six hidden states joined by dashed arrows W. Under each of them an arrow
# leads back, marked with the Jacobian of the two states and its norm, between 0.88 and 0.90.
# The last row holds the norm of the product from the last state back to each: 0.51 at the
# first, 1 at the last.
plt.show()

# %%
# Fifty steps back
# ----------------
# W is an orthogonal matrix times its spectral radius :math:`\rho`. In a linear network the
# product over k steps has the norm :math:`\rho^k` exactly. The slope of tanh is below 1 where a
# state is not zero, so it makes the products smaller, most of all where they would grow.

LAGS = np.arange(51)
fig, panels = plt.subplots(1, 2, figsize=(6.8, 4.2), sharey=True)
for rho, mark, shift in zip((1.5, 1.1, 1.0, 0.9, 0.5), "^vosD", (0, 4, -2, -5, 0), strict=True):
    W = rnn.orthogonal(30, rng=0, radius=rho)
    seen = states(W, 100, noise=0.1)[1:]
    linear, tanh = rnn.gradient_norm_profile(W, 50), rnn.gradient_norm_profile(W, 50, seen)
    for ax, profile in zip(panels, (linear, tanh), strict=True):
        (line,) = ax.semilogy(LAGS, profile, marker=mark, markevery=10, linestyle="-")
        ax.semilogy(LAGS, rho**LAGS, color=drawing.COLOURS["black"], linestyle=":", linewidth=1.3)
        place = {"xytext": (6, shift), "textcoords": "offset points", "va": "center"}
        name = rf"$\rho$ = {rho}"
        ax.annotate(name, (50, profile[-1]), **place, color=line.get_color(), fontsize=10.5)
    print(f"radius {rho}: linear {linear[-1]:.2g}, power {rho**50:.2g}, tanh {tanh[-1]:.2g}")
for ax, title in zip(panels, ("linear", "tanh"), strict=True):
    ax.set(title=title, xlabel="steps back, $t - k$", xlim=(0, 50))
panels[0].set_ylabel("norm of the product")
# Alt text: Norms of products of Jacobians over 0 to 50 steps back, on a logarithmic axis, for
# the spectral radii 0.5, 0.9, 1, 1.1 and 1.5, with dotted lines for the powers of the radius.
# Left, in a linear network, all are straight and lie on the dotted lines, from 1e-15 to 1e9.
# Right, with tanh, all lie below their dotted line; radius 1 falls too, and radius 1.5 grows
# far less.
plt.show()
