r"""
Convex with the matched loss only
=================================

"A monotonic activation makes the error surface of a single layer convex": true of the sigmoid with
the binary cross entropy, equation :eq:`binary-cross-entropy-logits`, false with the squared error,
whose curve flattens where the unit is wrong and sure. Read :ref:`sec-activations`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import feedforward as ff

# %%
# One weight, four examples
# -------------------------
# A function of one number is convex where its second differences are not negative.

x = np.array([-2.0, -0.5, 1.0, 3.0])
y = np.array([0, 1, 0, 1])
w = np.linspace(-8, 8, 801)

entropy = np.array([ff.binary_cross_entropy_with_logits(wi * x, y) for wi in w])
squared = np.array([ff.squared_error(ff.sigmoid(wi * x), y) for wi in w])

fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.5))
losses = {"cross entropy": entropy, "squared error": squared}
for ax, (title, loss) in zip(axes, losses.items(), strict=True):
    bends_down = np.diff(loss, 2) < 0
    ax.plot(w, loss)
    dented = np.where(np.r_[False, bends_down, False], loss, np.nan)
    ax.plot(w, dented, linestyle="-", linewidth=7, alpha=0.45, label="not convex")
    ax.set(xlabel="weight", title=title, ylim=(0, None))
axes[0].set_ylabel("loss")
axes[1].legend(loc="lower right")
# Alt text: The loss of a sigmoid unit over its weight. With the cross entropy, left, the curve is a
# bowl. With the squared error, right, it levels off on both sides; thick bands mark the stretches
# where it bends downwards and is not convex.
plt.show()

# %%
# Numbers
# -------

for name, loss in losses.items():
    print(f"{name}: smallest second difference {np.diff(loss, 2).min():+.1e}")
