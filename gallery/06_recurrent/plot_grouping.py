r"""
Sequences in groups
===================

A batch is an array, and all its sequences have the same number of steps. If they are not equally
long, the short ones are filled up with steps that mean nothing, or only sequences of one length are
put together. How many steps are computed for nothing?

The chapter's page: :doc:`/06_recurrent/unrolling`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import recurrent as rnn

# %%
# A thousand sequences
# --------------------
# Their lengths lie anywhere between 3 and 30. The longest decides how wide a batch is.

rng = np.random.default_rng(0)
lengths = rng.integers(3, 31, 1000)
sequences = [rng.normal(size=(length, 4)) for length in lengths]

groups = rnn.group_by_length(sequences)
whole = rnn.pad(sequences)
order = rng.permutation(1000)
drawn = [lengths[order[k : k + 32]] for k in range(0, 1000, 32)]
sorted_lengths = np.sort(lengths)
neighbours = [sorted_lengths[k : k + 32] for k in range(0, 1000, 32)]

steps = {
    "grouped by length": sum(group.x.shape[0] * group.x.shape[1] for group in groups),
    "sorted, batches of 32, padded": sum(batch.max() * len(batch) for batch in neighbours),
    "random batches of 32, padded": sum(batch.max() * len(batch) for batch in drawn),
    "all in one batch, padded": whole.mask.size,
}
for name, number in steps.items():
    print(f"{name:30s} {number:6d} steps, {1 - lengths.sum() / number:4.0%} of them for nothing")

# %%
# What they look like
# -------------------
# A row is a sequence, dark where there is a step, light where there is only padding: one of the
# random batches, and a group.

group = groups[12]
pictures = {
    f"a random batch: {len(drawn[0])} sequences": np.arange(30) < drawn[0][:, None],
    f"a group: {group.x.shape[1]} sequences": np.ones((group.x.shape[1], len(group.x)), bool),
}
fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.6))
for ax, (name, there) in zip(axes, pictures.items(), strict=True):
    ax.imshow(there, cmap="Blues", vmin=-0.25, vmax=1.3, aspect="auto", interpolation="nearest")
    ax.set(title=name, xlabel="step $t$", xlim=(-0.5, 29.5), yticks=[])
    ax.set_xticks([0, 9, 19, 29], [1, 10, 20, 30])
    ax.spines[:].set_visible(False)
axes[0].set_ylabel("sequence")
# Alt text: Two blocks of rows. On the left, a random batch of 32: its rows end anywhere between
# step 3 and step 30 and are filled up with light padding. On the right, a group: all rows end at
# the same step, and there is no padding.
plt.show()

# %%
# Is it the same?
# ---------------
# The loss of all sequences and its gradient is a sum, and it does not matter how it is taken apart.

params = rnn.rnn_params(4, 8, 2, rng=0)
labels = rng.integers(0, 2, 1000)
padded = rnn.rnn_value_and_grad(params, whole.x, labels, mask=whole.mask, reduction="sum")
parts = [rnn.rnn_value_and_grad(params, group.x, labels[group.places], reduction="sum")
         for group in groups]  # fmt: skip
print(f"loss:  padded {padded.loss:.10f}, grouped {sum(part.loss for part in parts):.10f}")
difference = padded.params.W - sum(part.params.W for part in parts)
print(f"largest difference of the gradients of W: {abs(difference).max():.1e}")

# %%
# Groups are unequal in size: with few sequences, or with many lengths, some hold only one or two.
# Sorting by length and padding within a batch is the compromise that is often used. Either way a
# batch is no longer a random sample of all sequences.
