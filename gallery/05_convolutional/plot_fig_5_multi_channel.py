r"""
One kernel over three channels
==============================

A colour image has three channels, and a kernel over it has three slices. Each slice slides over
its own channel, and the three responses are added: the inner sum of equation
:eq:`convolution-layer`. One kernel makes one map, however many channels it reads.

The chapter's page: :doc:`/05_convolutional/tensors`.
"""

# Textbook figure 5-10: Convolution with multiple channels (number inferred)
import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing

# %%
# A kernel that likes red, and only red
# -------------------------------------
# White light holds red, green and blue alike. The kernel adds the red of its window and takes half
# of the green and half of the blue away, so it answers to red and not to white.

image = np.zeros((3, 14, 14))
squares = {"R": (0, 0, [0]), "G": (0, 8, [1]), "B": (8, 0, [2]), "W": (8, 8, [0, 1, 2])}
for row, column, channels in squares.values():
    image[channels, row + 1 : row + 5, column + 1 : column + 5] = 1

K = np.array([1.0, -0.5, -0.5])[:, None, None] * np.ones((3, 3, 3))
total = cnn.conv2d(image[None], K[None])[0, 0]
parts = [cnn.conv2d(image[None, [c]], K[None, [c]])[0, 0] for c in range(3)]
print("the responses add up to the map:", np.allclose(sum(parts), total))

# %%
# Channel by channel
# ------------------
# Channels are black where the light is off and white where it is on. In the responses grey is zero,
# white positive and black negative, on one scale.

fig = plt.figure(figsize=(6.8, 4.2))
grid = fig.add_gridspec(3, 5, width_ratios=[1.1, 1, 1, 1, 1.1])
colours = fig.add_subplot(grid[:, 0])
colours.imshow(image.transpose(1, 2, 0))
colours.set(xticks=[], yticks=[], title="image")
for name, (row, column, _) in squares.items():
    ink = "black" if name in "GW" else "white"
    drawing.label(colours, (column + 2.5, row + 2.5), name, color=ink, weight="bold")
for c, name in enumerate(["red", "green", "blue"]):
    panels = [fig.add_subplot(grid[c, k]) for k in (1, 2, 3)]
    drawing.picture(1 - image[c], ax=panels[0], title="channel" if c == 0 else "")
    drawing.window_grid(K[c], ax=panels[1], title="kernel" if c == 0 else "", size=10)
    drawing.picture(parts[c], signed=True, largest=9, ax=panels[2])
    panels[2].set_title("response" if c == 0 else "")
    panels[0].set_ylabel(name)
drawing.picture(total, signed=True, largest=9, ax=fig.add_subplot(grid[:, 4]), title="sum")
# Alt text: Left, an image of four squares on black: red R, green G, blue B and
# white W. Three rows show the red, green and blue channel, the kernel's slice
# for it, of ones, of minus one half and of minus one half, and its response.
# Right, their sum: white at the red square, dark at the green and the blue one,
# and grey, zero, at the white one.
plt.show()

# %%
# The map in the middle of each square:

for name, (row, column, _) in squares.items():
    print(f"{name}: {total[row + 1, column + 1]:+.1f}")
