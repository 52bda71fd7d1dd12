r"""
Filters on a photograph
=======================

A few numbers decide whether a convolution softens a picture, sharpens it or finds its edges. These
kernels were designed by people, long before networks learned theirs. Each colour is filtered by
itself: the convolution has as many groups as the image has channels, equation
:eq:`convolution-layer`. Read :doc:`/05_convolutional/convolution`.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from ketkar import convolutional as cnn
from ketkar.systems import block_mean

# %%
# Four kernels
# ------------
# The weights of blur, sharpen and emboss sum to one, so an even area keeps its colour. Those of the
# edge filter sum to zero, so it makes an even area black; its size is shown, because an edge may go
# up or down. The photograph comes with scikit-learn; it is by danielbuechele, under the licence
# CC BY 2.0, here cropped and made smaller.

photograph = load_sample_image("china.jpg")[20:340, 80:500] / 255.0
image = block_mean(photograph.transpose(2, 0, 1), 2)[None]  # (1, 3, rows, columns)

blur = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256
kernels = {
    "blur": blur,
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "edges": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
    "emboss": np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]),
}


def filtered(images, kernel):
    """Each channel convolved with the kernel; the border pixels are repeated outwards."""
    around = len(kernel) // 2
    padded = np.pad(images, ((0, 0), (0, 0), (around, around), (around, around)), mode="edge")
    K = np.tile(kernel.astype(float), (3, 1, 1, 1))  # (3, 1, R, S): one channel for each kernel
    return cnn.conv2d(padded, K, groups=3)


pictures = {"photograph": image} | {name: filtered(image, K) for name, K in kernels.items()}
pictures["edges"] = np.abs(pictures["edges"])
pictures["blurred twice"] = filtered(filtered(image, blur), blur)

fig, axes = plt.subplots(3, 2, figsize=(6.4, 8.0), dpi=150)
for ax, (name, picture) in zip(axes.flat, pictures.items(), strict=True):
    ax.imshow(np.clip(picture[0].transpose(1, 2, 0), 0, 1))
    ax.set(title=name, xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
# Alt text: A colour photograph of a Chinese tower with three roofs beside a lake, and the same
# photograph filtered: softened, with crisper details, only its outlines in bright colours on black,
# like a relief lit from one corner, and softened twice. Except for the edges, the colours stay.
plt.show()

# %%
# Blurring twice
# --------------
# A convolution after a convolution is one convolution: its kernel is the first convolved with the
# second, here 9 by 9. Away from the border the results agree.

once = filtered(image, cnn.convolve2d(blur, blur))
inner = (..., slice(4, -4), slice(4, -4))
difference = np.abs(once - pictures["blurred twice"])[inner].max()
print(f"largest difference from one blur with a 9 by 9 kernel: {difference:.1e}\n")
for name, K in kernels.items():
    rows = " ".join("[" + " ".join(f"{w:2.0f}" for w in row) + "]" for row in K)
    print(f"{name:8s} sum {K.sum():.0f}   {rows if name != 'blur' else '5 by 5'}")
