r"""
Forward values, backward errors
===============================

Backpropagation runs through the network twice: forwards to compute the values of the units,
backwards to compute the error :math:`\delta` of each unit, equations :eq:`backprop-output` and
:eq:`backprop-hidden`. The gradient of a weight is the value at its one end times the error at
the other, equation :eq:`backprop-weights`.

The chapter's page: :doc:`/03_feedforward/backpropagation`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff
from ketkar.datasets import inference_example
from ketkar.gradcheck import numerical_gradient

# %%
# There and back
# --------------
# The network is that of :ref:`the inference example
# <sphx_glr_auto_gallery_03_feedforward_plot_inference_example.py>`; it should have answered
# (0, 1). :func:`~ketkar.feedforward.mlp_trace` keeps the values of the way forwards,
# :func:`~ketkar.feedforward.mlp_backward` takes them back to front.

example = inference_example()
x, target = example.x, np.array([0.0, 1.0])
params = [(example.W_hidden, None), (example.W_output, None)]

trace = ff.mlp_trace(x, params, "sigmoid")
y = trace[-1].y
grads = ff.mlp_backward(ff.squared_error_grad(y, target, "sum"), trace, params, "sigmoid")

# %%
# Both in one picture
# -------------------
# In each circle stands the value of the unit, below it the unit's error: the derivative of the loss
# with respect to its weighted sum. The number on a line is the gradient of its weight; dashed
# lines have a negative gradient, so a step of descent makes their weights larger.

errors = [[f"$\\delta$ = {drawing.number(d)}" for d in layer.delta] for layer in grads]
drawing.layered_network(
    [3, 3, 2],
    values=[x, *(layer.y for layer in trace)],
    weights=[layer.W for layer in grads],
    notes=[None, *errors],
    labels=["inputs", "hidden units", "outputs"],
    symbols=["x", "h", "y"],
    edge_labels=True,
    backward=True,
)
# Alt text: The network with its values in the circles: inputs 0.5, 0.9 and
# -0.3, hidden units 0.1301, 0.9569 and 0.4013, outputs 0.3458 and 0.8531.
# Below each hidden unit and output stands its error. Arrows run from the
# outputs back to the inputs and carry the gradients of the weights, dashed
# where they are negative.
plt.show()

# %%
# Is it right?
# ------------
# Central differences, equation :eq:`finite-difference`, know nothing of backpropagation: they
# change one weight at a time and watch the loss.


def loss(W, V):
    """The squared error of the network with these two matrices."""
    return ff.squared_error(ff.mlp(x, [(W, None), (V, None)], "sigmoid"), target, reduction="sum")


matrices = [W for W, _ in params]
for k, name in enumerate(("hidden", "output")):

    def of_one(M, k=k):
        return loss(*(M if i == k else matrices[i] for i in range(2)))

    difference = np.abs(numerical_gradient(of_one, matrices[k]) - grads[k].W).max()
    print(f"{name} weights: largest difference {difference:.1e}")
