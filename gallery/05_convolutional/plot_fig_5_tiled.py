r"""
Tiled convolution
=================

Between one kernel for all places and a kernel for each place stands a small set of kernels that
take turns, equation :eq:`tiled-convolution`. Neighbouring outputs may then look for different
things, and the number of weights does not grow with the image.

The chapter's page: :doc:`/05_convolutional/variants`.
"""

# Textbook figure 5-13: Tiled convolution (number inferred)
import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing

# %%
# Two kernels in turn
# -------------------
# An image of one row is a signal. The weights are numbered: the first kernel is (1, 2, 3), the
# second (4, 5, 6), and the answers to the unit vectors are the columns of the layer's matrix.

n, t = 7, 2
units = np.eye(n)[:, None, None, :]
K = np.zeros((t, t, 1, 1, 1, 3))
K[0, :, 0, 0, 0] = [[1, 2, 3], [4, 5, 6]]  # a signal has row 0 alone
layers = {
    "one kernel": cnn.conv2d(units, K[0, 0]),
    "two kernels in turn": cnn.tiled_conv2d(units, K),
}

names = dict(enumerate("abcdef", start=1))
fig, panels = plt.subplots(2, 2, figsize=(6.8, 4.2), width_ratios=[4.3, 2.5])
for (left, right), (title, y) in zip(panels, layers.items(), strict=True):
    matrix = y[:, 0, 0].T
    m = len(matrix)
    edges = [(i, j, int(matrix[j, i])) for j, i in np.argwhere(matrix)]
    drawing.connection_graph(n, m, edges, names=names, title=title, size=(4.3, 2.1), ax=left)
    drawing.connection_matrix(n, m, edges, names=names, ax=right)
    print(f"{title}: {len(edges)} connections, {len(np.unique(matrix[matrix != 0]))} weights")
# Alt text: Two graphs of seven inputs and five outputs, each output joined with
# three inputs, and their matrices. Above, all outputs use the weights a, b, c.
# Below, the first, third and fifth use a, b, c, and the second and fourth use
# d, e, f; the rows of the matrix alternate likewise.
plt.show()

# %%
# In two dimensions
# -----------------
# There the kernels tile the plane: with :math:`t = 2`, four of them. Each of these kernels is a
# single number, so that the output on an image of ones says which kernel made it.

four = np.arange(1.0, 5.0).reshape(2, 2, 1, 1, 1, 1)
print(cnn.tiled_conv2d(np.ones((1, 1, 4, 6)), four)[0, 0].astype(int))
