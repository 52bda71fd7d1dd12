r"""
Variants of one sum
===================

Padding, stride, dilation, transposition and the tying of weights change which inputs an output
sees, or which weights are the same. Drawn as graphs they look like different layers; as matrices
they differ in little. Both are read off the layers themselves.

The chapter's page: :doc:`/05_convolutional/variants`.
"""

# sphinx_gallery_thumbnail_number = 2
import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing

# %%
# From a layer to its picture
# ---------------------------
# A signal is an image of one row. A layer's answers to the unit vectors are the columns of its
# matrix, and the weights are numbers 1, 2, 3, ..., so an entry says which weight it is.

K = np.arange(1.0, 4.0).reshape(1, 1, 1, 3)
NAMES = dict(enumerate("abcdefghkmnopqr", start=1))


def matrix_of(layer, n):
    """The matrix of a linear layer that reads a signal of n steps."""
    return layer(np.eye(n)[:, None, None, :])[:, 0, 0].T


def show(rows):
    """One row a layer: the graph, with the places of the circles, and the matrix."""
    shape = {"figsize": (6.8, 2.05 * len(rows)), "width_ratios": [4.3, 2.5]}
    _, panels = plt.subplots(len(rows), 2, **shape)
    for (left, right), (title, (matrix, settings)) in zip(panels, rows.items(), strict=True):
        m, n = matrix.shape
        edges = [(i, j, int(matrix[j, i])) for j, i in np.argwhere(matrix)]
        settings = {"inputs": n, "outputs": m, "window": 1, **settings}
        drawing.connection_graph(
            edges=edges, names=NAMES, title=title, size=(4.3, 2.0), ax=left, **settings
        )
        drawing.connection_matrix(n, m, edges, names=NAMES, size=10, ax=right)
        print(f"{title:24s} {len(edges):2d} connections, {len({k for *_, k in edges}):2d} weights")


# %%
# Padding
# -------
# Zeros around the signal, dashed, make room for more windows: none, enough for an output as long
# as the signal, equation :eq:`same-padding`, or as many as meet the signal at all.

rows = {}
for name, pad in (("valid", 0), ("same", 1), ("full", 2)):
    padded = matrix_of(lambda x: cnn.conv2d(x, K), 5 + 2 * pad)
    caption = ["0"] * pad + [f"$x_{{{i}}}$" for i in range(1, 6)] + ["0"] * pad
    zeros = {i for i, text in enumerate(caption) if text == "0"}
    rows[f"padding: {name}"] = (padded, {"inputs": caption, "zeros": zeros})
    inner = padded[:, pad : pad + 5]
    assert np.array_equal(inner, cnn.convolution_matrix([1, 2, 3], 5, mode=name))
show(rows)
# Alt text: Three graphs and matrices of a kernel a, b, c. Without padding five
# inputs have three outputs; with one dashed zero on each side they have five
# outputs, with two zeros on each side seven. In every matrix each row holds a,
# b, c one place further right than the row above.
plt.show()

# %%
# Stride, dilation, transposition
# -------------------------------
# A stride leaves out rows of the matrix; dilation pulls the kernel apart,
# equation :eq:`strided-convolution`. The transposed convolution, equation
# :eq:`transposed-convolution`, has the transposed matrix of the strided one: it leads from
# few values to many.

strided = matrix_of(lambda x: cnn.conv2d(x, K, stride=(1, 2)), 7)
dilated = matrix_of(lambda x: cnn.conv2d(x, K, dilation=(1, 2)), 7)
transposed = matrix_of(lambda x: cnn.conv2d_transpose(x, K, stride=(1, 2)), 3)
print("transposed:", np.array_equal(transposed, strided.T))
show(
    {
        "stride 2": (strided, {"input_at": range(7), "output_at": [1, 3, 5]}),
        "dilation 2": (dilated, {"input_at": range(7), "output_at": [2, 3, 4]}),
        "transposed, stride 2": (
            transposed,
            {"input_at": [1, 3, 5], "output_at": range(7), "window": 2},
        ),
    }
)
# Alt text: Three graphs and matrices. With stride 2 three outputs stand above
# every second of seven inputs, and the rows of the matrix move two places. With
# dilation 2 each output sees every second input of a window of five. Transposed,
# three inputs feed seven outputs, and the matrix is that of stride 2 on its side.
plt.show()

# %%
# Whose weights are the same
# --------------------------
# The same connections with one kernel for all places, with two kernels in turn, equation
# :eq:`tiled-convolution`, and with one for each place, equation :eq:`local-connection`.

turns = np.zeros((2, 2, 1, 1, 1, 3))
turns[0, :, 0, 0, 0] = np.arange(1, 7).reshape(2, 3)
places = np.arange(1.0, 16.0).reshape(1, 5, 1, 1, 1, 3)
show(
    {
        "one kernel": (matrix_of(lambda x: cnn.conv2d(x, K), 7), {}),
        "tiled, two kernels": (matrix_of(lambda x: cnn.tiled_conv2d(x, turns), 7), {}),
        "locally connected": (matrix_of(lambda x: cnn.locally_connected2d(x, places), 7), {}),
    }
)
# Alt text: Three graphs and matrices with the same 15 connections of seven
# inputs and five outputs. With one kernel all rows of the matrix hold a, b, c.
# Tiled, rows with a, b, c and with d, e, f alternate. Locally connected, all 15
# weights have different letters.
plt.show()
