r"""
A layer is a product of matrices
================================

The units of a layer share their input, so their weights stand side by side as the columns of one
matrix, and the whole layer is one product: equation :eq:`layer`. The shapes in the picture
are read from the arrays that :func:`~ketkar.feedforward.dense` takes and returns.

The chapter's page: :doc:`/03_feedforward/vector_form`.
"""

# Textbook figure 3-3: The network in vector form
import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff

# %%
# Two layers
# ----------
# The columns of one layer's matrix are as many as the rows of the next layer's: that is all
# that chaining layers asks for.

rng = np.random.default_rng(0)
n, p1, p2 = 5, 4, 2
x = rng.normal(size=n)
W1, b1 = rng.normal(size=(n, p1)), rng.normal(size=p1)
W2, b2 = rng.normal(size=(p1, p2)), rng.normal(size=p2)

o1 = ff.dense(x, W1, b1, "tanh")
o2 = ff.dense(o1, W2, b2, "tanh")
print("one composition of both layers:", ff.mlp(x, [(W1, b1), (W2, b2)], "tanh"))
print("one layer after the other:     ", o2)

# %%
# The shapes
# ----------
# Blue cells are positive, red ones negative; a deeper colour is a larger number. Under each
# matrix stands its shape. The activation :math:`f` acts on each cell and leaves the shape alone.

fig, (top, bottom) = plt.subplots(2, 1, figsize=(6.4, 4.4), height_ratios=[2.3, 2.0])
first = [
    "$f($",
    ("x", x),
    r"$\cdot$",
    ("w_1", W1),
    "+",
    ("b_1", b1),
    "$)$",
    "=",
    ("o_1", o1),
]
second = [
    "$f($",
    ("o_1", o1),
    r"$\cdot$",
    ("w_2", W2),
    "+",
    ("b_2", b2),
    "$)$",
    "=",
    ("o_2", o2),
]
drawing.matrix_blocks(first, cell=0.25, size=(6.4, 2.3), ax=top)
drawing.matrix_blocks(second, cell=0.25, size=(6.4, 2.0), ax=bottom)
# Alt text: Two rows of matrices. First row: a 1 by 5 row x times a 5 by 4
# matrix w1 plus a 1 by 4 row b1, inside the function f, gives a 1 by 4 row
# o1. Second row: this o1 times a 4 by 2 matrix w2 plus a 1 by 2 row b2,
# inside f, gives a 1 by 2 row o2.
plt.show()
