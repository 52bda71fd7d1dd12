r"""
Back through a convolution
==========================

What does the error of one output tell the layer? To the input it hands the kernel, placed where the
window lay, equation :eq:`convolution-backward-input`. To the kernel it hands the window that it
saw, equation :eq:`convolution-backward-kernel`. Errors of several outputs add up.

The chapter's page: :doc:`/05_convolutional/gradients`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import convolutional as cnn
from ketkar import drawing
from ketkar.gradcheck import gradcheck

# %%
# One output, then two
# --------------------
# In the second row another output has an error too, twice as large, and its window overlaps the
# first.

rng = np.random.default_rng(0)
x = rng.integers(1, 10, (1, 1, 4, 4)).astype(float)
K = np.array([[[[1.0, 2], [3, 4]]]])
first, second = np.zeros((2, 1, 1, 3, 3))
first[0, 0, 0, 0] = second[0, 0, 0, 0] = 1
second[0, 0, 1, 1] = 2

fig, panels = plt.subplots(2, 4, figsize=(6.8, 4.2), width_ratios=[4, 3, 4, 2])
for row, dy, windows in (
    (panels[0], first, [(0, 0)]),
    (panels[1], second, [(0, 0), (1, 1)]),
):
    grads = cnn.conv2d_backward(dy, x, K)
    wide = [(*at, 2, 2) for at in windows]
    drawing.window_grid(x[0, 0], wide, ax=row[0])
    drawing.window_grid(dy[0, 0], [(*at, 1, 1) for at in windows], ax=row[1])
    drawing.window_grid(grads.x[0, 0], wide, ax=row[2])
    drawing.window_grid(grads.K[0, 0], ax=row[3])
titles = ("input $x$", "error $dy$", "to the input, $dx$", "to the kernel")
for ax, title in zip(panels[0], titles, strict=True):
    ax.set_title(title)
# Alt text: Two rows of four grids: input, error of the outputs, gradient of the input, gradient of
# the kernel. Above, one output has the error 1: the input's gradient is the kernel 1, 2, 3, 4 at
# its window and zero elsewhere, and the kernel's gradient is the input in that window. Below, a
# second output has the error 2, and twice its kernel and twice its window are added.
plt.show()

# %%
# Added up, and checked
# ---------------------

window, other = x[0, 0, :2, :2], x[0, 0, 1:3, 1:3]
grads = cnn.conv2d_backward(second, x, K)
print("the kernel's gradient is the sum:", np.array_equal(grads.K[0, 0], window + 2 * other))
print(gradcheck(cnn.conv2d, cnn.conv2d_backward, x, K, np.zeros(1)))
