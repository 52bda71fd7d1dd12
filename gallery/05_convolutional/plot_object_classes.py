r"""
Kinds of things
===============

The ImageNet challenge asks for the kind of thing on a photograph, one of a thousand
:cite:p:`russakovsky2015`. What makes it hard is what the kind does not depend on: place, size,
direction, colour and light. No photographs are shown here; drawn shapes stand in for them.

The chapter's page: :doc:`/05_convolutional/summary`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing

# %%
# One kind, many pictures
# -----------------------
# Each row shows six pictures of one kind. A shape is the set of points where a function of the
# turned and scaled coordinates is negative.

KINDS = {
    "disc": lambda u, v: np.hypot(u, v) - 1,
    "square": lambda u, v: np.maximum(abs(u), abs(v)) - 0.9,
    "triangle": lambda u, v: np.maximum(-v - 0.6, 0.9 * v + 1.6 * abs(u) - 0.9),
    "ring": lambda u, v: abs(np.hypot(u, v) - 0.8) - 0.25,
}


def picture(inside, rng, side=48):
    """A shape at a random place on a random ground, in a random light, (side, side, 3)."""
    rows, columns = np.indices((side, side)) / (side - 1)
    size, turn = rng.uniform(0.14, 0.34), rng.uniform(0, 2 * np.pi)
    down, right = rng.uniform(size, 1 - size, 2)
    y, x = (rows - down) / size, (columns - right) / size
    u, v = np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y
    ground, thing = rng.uniform(0, 1, (2, 3))
    if abs(ground - thing).max() < 0.4:  # hard to see
        thing = 1 - ground.round()
    image = np.where((inside(u, v) < 0)[..., None], thing, ground)
    light = 1 - rng.uniform(0, 0.5) * (rows if rng.random() < 0.5 else columns)
    return np.clip(image * light[..., None] + rng.normal(0, 0.05, image.shape), 0, 1)


rng = np.random.default_rng(4)
fig, axes = plt.subplots(len(KINDS), 6, figsize=(6.4, 4.5))
for row, (name, inside) in zip(axes, KINDS.items(), strict=True):
    for ax in row:
        ax.imshow(picture(inside, rng))
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color=drawing.COLOURS["grey"])
    row[0].set_ylabel(name)
# Alt text: Four rows of six small coloured pictures: discs, squares, triangles and rings, each at
# another place, of another size and colour, turned, on grounds of different colours.
plt.show()

# %%
# What can be reached by guessing?
# --------------------------------
# The challenge counts an answer as right if the true kind is among five guesses.

for kinds in (len(KINDS), 10, 1000):
    print(f"{kinds:5d} kinds: one guess {1 / kinds:6.1%}, five guesses {min(5 / kinds, 1):6.1%}")
