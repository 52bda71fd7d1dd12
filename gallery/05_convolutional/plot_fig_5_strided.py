r"""
Strided convolution
===================

With a stride of two the window moves two places at a time. It makes half as many outputs, at half
the work, equation :eq:`strided-convolution`: the ones that a stride of one makes at every second
place.

The chapter's page: :doc:`/05_convolutional/variants`.
"""

# Textbook figure 5-12: Strided convolution (number inferred)
import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing

# %%
# Asking the layer for its connections
# ------------------------------------
# The answers of a layer to the unit vectors are the columns of its matrix. The kernel is (1, 2, 3),
# so an entry tells which weight stands there: 1 is a, 2 is b, 3 is c.

n, K = 7, np.array([[[1.0, 2.0, 3.0]]])
units = np.eye(n)[:, None, :]
names = {1: "a", 2: "b", 3: "c"}
matrices = {stride: cnn.conv1d(units, K, stride=stride)[:, 0].T for stride in (1, 2)}

# %%
# One and two
# -----------
# Each output stands above the middle of its window. The window of the second one is filled.

fig, panels = plt.subplots(2, 1, figsize=(6.4, 4.0))
for ax, (stride, matrix) in zip(panels, matrices.items(), strict=True):
    edges = [(i, j, int(matrix[j, i])) for j, i in np.argwhere(matrix)]
    drawing.connection_graph(
        n, len(matrix), edges, names=names, window=1, title=f"stride {stride}",
        input_at=range(n), output_at=[1 + stride * j for j in range(len(matrix))],
        size=(6.4, 2.0), ax=ax,
    )  # fmt: skip
# Alt text: Two graphs with seven inputs below. With stride 1 there are five
# outputs above, each joined by the lines a, b and c with three neighbouring
# inputs. With stride 2 there are three outputs, above every second input;
# their windows share one input with the next one.
plt.show()

# %%
# The same numbers, fewer of them
# -------------------------------

print("every second row of the one is the other:", np.array_equal(matrices[1][::2], matrices[2]))
for stride, matrix in matrices.items():
    expected = cnn.conv_output_size(n, 3, stride=stride)
    print(f"stride {stride}: {len(matrix)} outputs, {expected} by the formula")
