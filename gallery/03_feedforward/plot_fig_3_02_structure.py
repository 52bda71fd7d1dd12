r"""
Width and depth of a network
============================

Units stand in layers, and every unit of a layer feeds every unit of the next. The number of
units is the width of a layer, the number of layers after the input is the depth of the network.
The widths alone fix how many parameters there are: equation :eq:`parameter-count`, computed by
:func:`~ketkar.feedforward.count_parameters`.

The chapter's page: :doc:`/03_feedforward/structure`.
"""

# Textbook figure 3-2: The overall structure of a network
import itertools

import matplotlib.pyplot as plt

from ketkar import drawing
from ketkar import feedforward as ff

# %%
# Counting
# --------
# Between two layers stand as many weights as there are pairs of units, and each unit has a bias.

widths = [3, 4, 4, 2]
for n, m in itertools.pairwise(widths):
    print(f"{n} x {m} weights + {m} biases = {ff.count_parameters([n, m])}")
print(f"in all {ff.count_parameters(widths)} parameters")

# %%
# The picture
# -----------
# The input is drawn as a layer, but it computes nothing, so it has no parameters and does not
# count for the depth.

labels = [f"input\nwidth {widths[0]}"]
for n, m in itertools.pairwise(widths):
    name = "output" if len(labels) == len(widths) - 1 else f"hidden {len(labels)}"
    labels.append(f"{name}, width {m}\n{ff.count_parameters([n, m])} parameters")

ax = drawing.layered_network(widths, labels=labels, symbols=["x", "h", "h", "y"])
print(f"depth {len(widths) - 1}, drawn units {len(ax.texts) - len(labels)}")
# Alt text: A network in four columns. Three input circles are joined by
# arrows to four hidden units, these to four more hidden units, and these to
# two output units. Below the columns stand the widths 3, 4, 4 and 2 and the
# parameters of each layer: 16, 20 and 10.
plt.show()
