r"""
Dense, sparse, tied
===================

A dense layer joins every input with every output, each pair by a weight of its own. A convolution
layer takes two steps away from it: each output sees only a few neighbouring inputs, equation
:eq:`connections`, and all outputs use the same few weights, equation :eq:`convolution-matrix`.

The chapter's page: :doc:`/05_convolutional/sparse`.
"""

# Textbook figure 5-4: Dense interactions in fully connected layers (number inferred)
# sphinx_gallery_thumbnail_number = 3
import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing
from ketkar import feedforward as ff

# %%
# Dense
# -----
# Five inputs, five outputs. Every layer without bias and activation is a matrix, and the layer
# itself says which: its answers to the unit vectors are the columns. The weights are numbered from
# 1, so that an entry of the matrix is the number of the weight that stands there.

n = 5


def edges_of(matrix):
    """The triples (input, output, weight) of the entries that are not zero."""
    return [(i, j, int(matrix[j, i])) for j, i in np.argwhere(matrix)]


def show(matrix, names=None, **settings):
    """A layer as a graph and as a matrix."""
    _, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.3), width_ratios=[4.1, 2.3])
    edges = edges_of(matrix)
    drawing.connection_graph(
        n, n, edges, names=names, window=2, size=(4.1, 2.2), ax=left, **settings
    )
    drawing.connection_matrix(n, n, edges, names=names, ax=right)
    print(f"{len(edges)} connections, {len(np.unique(matrix[matrix != 0]))} weights")


W = np.arange(1, n * n + 1).reshape(n, n)
dense = ff.dense(np.eye(n), W, np.zeros(n)).T
show(dense, edge_labels=False)
# Alt text: Left, a graph of five inputs below and five outputs above with a
# line for each of the 25 pairs, all lines of different looks. The third output
# and all inputs are filled. Right, a 5 by 5 matrix with 25 different weights.
plt.show()

# %%
# Sparse
# ------
# With a kernel of three weights and zeros around the signal, an output sees the input at its
# place and the two beside it. Where the convolution's matrix is zero, nothing is joined.

# Textbook figure 5-5: Sparse interactions in a convolution layer (number inferred)
tied = cnn.convolution_matrix([1, 2, 3], n, mode="same")
untied = np.zeros_like(tied)
untied[tied != 0] = np.arange(1, np.count_nonzero(tied) + 1)
show(untied, names=dict(enumerate("abcdefghkmnop", start=1)))
print("connections, counted by the formula:", cnn.count_connections(n, 3, stride=1, padding=1))
# Alt text: The same circles, but each output is joined only with the input
# below it and its neighbours, by 13 lines with 13 different weights. The
# third output and three inputs are filled. The matrix has entries on the
# diagonal and beside it, and dots elsewhere.
plt.show()

# %%
# Tied
# ----
# The kernel has three weights, and they are the same at every place.

# Textbook figure 5-6: Parameter sharing, tied weights (number inferred)
show(tied, names={1: "a", 2: "b", 3: "c"})
print("weights, counted by the formula:", cnn.count_unique_weights(3))
# Alt text: The same 13 lines with only three looks, named a, b and c: a leads
# from the left neighbour, b straight up, c from the right neighbour. In the
# matrix each of the three diagonals holds one letter.
plt.show()
