r"""
LeNet-5 reads all of MNIST
==========================

LeNet-5 as it is built today, trained on 60,000 handwritten digits and tested on 10,000 others
:cite:p:`lecun1998`. The training takes more than a minute and the data is not part of this package,
so what is drawn here is a stored result, with its seed.

The chapter's page: :doc:`/05_convolutional/lenet`.
"""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing

# %%
# The stored result
# -----------------

NAME = "benchmarks/results/lenet5_mnist.json"
here = Path.cwd()
file = next(at / NAME for at in (here, *here.parents) if (at / NAME).exists())
result = json.loads(file.read_text(encoding="utf-8"))
run, confusions = result["runs"][0], np.array(result["confusion"])
accuracy, loss = np.array(run["ours"]["accuracy"]), run["ours"]["loss"]
epochs = np.arange(1, len(loss) + 1)
print(f"{result['setup']['parameters']:,d} parameters, seed {run['seed']}")
print(f"after {len(loss)} epochs {accuracy[-1]:.2%} right, {len(result['mistakes'])} mistakes")

# %%
# Learning, and what was learned
# ------------------------------
# Black is negative, white positive, in the six kernels of the first layer.

fig = plt.figure(figsize=(6.4, 5.0))
above, below = fig.subfigures(2, 1, height_ratios=[2, 1])
left, right = above.subplots(1, 2)
left.semilogy(epochs, loss, marker="o")
left.set(xlabel="epoch", ylabel="training loss")
right.plot(epochs, 100 * (1 - accuracy), marker="s")
right.set(xlabel="epoch", ylabel="test errors in %", ylim=(0, None))
below.suptitle("the six kernels of the first layer")
drawing.image_grid(np.array(result["filters"]), signed=True, figure=below)
# Alt text: Above left, the training loss over the epochs on a logarithmic axis; it falls
# throughout. Above right, the test errors; they fall from about 3 percent to below 1 percent and
# then hardly change. Below, six kernels of 5 by 5 weights, with light and dark parts.
plt.show()

# %%
# Mistakes
# --------
# How often a digit was taken for another; right answers are left out.

wrong = confusions - np.diag(np.diag(confusions))
names = [f"{digit}" for digit in range(10)]
fig, ax = plt.subplots(figsize=(4.8, 4.8))
drawing.number_grid(wrong, rows=names, columns=names, title="mistakes", ax=ax)
ax.set(xlabel="answer", ylabel="digit")
# Alt text: A table of digits by answers that holds the mistakes alone: most places are 0 or 1, and
# the larger numbers belong to pairs of digits that look alike.
plt.show()

print(f"taken for another most often, {wrong.max()} times each:")
for digit, answer in np.argwhere(wrong == wrong.max()):
    print(f"    a {digit} for a {answer}")
