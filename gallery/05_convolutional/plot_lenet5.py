r"""
LeNet-5, counted
================

The network that read handwritten digits in 1998 :cite:p:`lecun1998`, layer by layer. Its sizes
follow from equation :eq:`output-size`, and the parameters of its kernels from equation
:eq:`convolution-parameters`. The first layers have most of the connections, the last ones most of
the parameters.

The chapter's page: :doc:`/05_convolutional/lenet`.
"""

# sphinx_gallery_thumbnail_number = 2
import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing

# %%
# Which maps read which
# ---------------------
# The second convolution does not join all maps: 6 of its 16 maps read three neighbours among the
# six maps below, 9 read four, and only the last reads all. So no two see the same, and kernels are
# saved.

table = np.zeros((6, 16), dtype=bool)
for m in range(6):
    table[np.arange(m, m + 3) % 6, m] = True
    table[np.arange(m, m + 4) % 6, m + 6] = True
for m, pairs in enumerate(([0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5])):
    table[pairs, m + 12] = True
table[:, 15] = True

blocks = [(0, 0, 6, 6), (0, 6, 6, 6), (0, 12, 6, 3), (0, 15, 6, 1)]
ax = drawing.window_grid(np.where(table, "x", "·"), blocks)
ax.set_xticks(range(16), range(1, 17))
ax.set_yticks(range(6), range(1, 7))
ax.set(xlabel="map of the second convolution", ylabel="map it reads")
ax.tick_params(length=0)
# Alt text: A grid of 6 rows and 16 columns, in four frames. In the first six columns three
# neighbouring rows are crossed, in the next six four neighbouring rows, going round at the end, in
# three columns two pairs of rows, and in the last column all six.
plt.show()

# %%
# Layer by layer
# --------------
# A subsampling layer multiplies the sum of four values by one weight for each map, and adds a bias.
# The output compares 84 values with ten fixed pictures, so that nothing is learned there. Every
# value of a map uses the layer's parameters once.

kernels = int(table.sum())
side = 32
rows = {}
for name, kernel, stride, maps, parameters, used in (
    ("C1", 5, 1, 6, cnn.conv2d_num_params(5, 1, 6), None),
    ("S2", 2, 2, 6, 2 * 6, 5 * 6),
    ("C3", 5, 1, 16, 25 * kernels + 16, None),
    ("S4", 2, 2, 16, 2 * 16, 5 * 16),
    ("C5", 5, 1, 120, cnn.conv2d_num_params(5, 16, 120), None),
):
    side = cnn.conv_output_size(side, kernel, stride)
    rows[name] = (f"{maps} x {side} x {side}", parameters, (used or parameters) * side * side)
rows["F6"] = ("84", 120 * 84 + 84, 120 * 84 + 84)
rows["output"] = ("10", 0, 840)

print("layer   output        parameters  connections")
for name, (shape, parameters, connections) in rows.items():
    print(f"{name:7s} {shape:12s} {parameters:11,d} {connections:12,d}")
totals = np.array([row[1:] for row in rows.values()]).sum(axis=0)
print(f"in all               {totals[0]:11,d} {totals[1]:12,d}")

fig, panels = plt.subplots(1, 2, figsize=(6.4, 3.4), sharey=True)
for k, (ax, name, hatch) in enumerate(
    zip(panels, ("parameters", "connections"), ("", "//"), strict=True), start=1
):
    counts = [row[k] for row in rows.values()]
    look = {"color": drawing.COLOURS["sky"], "edgecolor": "black", "hatch": hatch}
    drawn = ax.barh(list(rows), counts, **look)
    ax.bar_label(drawn, [f"{count:,d}" for count in counts], padding=3)
    ax.set(title=name, xticks=[], xlim=(0, 1.35 * max(counts)))
    ax.spines["bottom"].set_visible(False)
panels[0].invert_yaxis()
# Alt text: Two columns of bars for the seven layers. Parameters: C1 156, S2 12, C3 1,516, S4 32,
# C5 48,120, F6 10,164, output none. Connections: C1 122,304, S2 5,880, C3 151,600, S4 2,000,
# C5 48,120, F6 10,164, output 840.
plt.show()
