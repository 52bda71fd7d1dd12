r"""
Forward values, backward errors
===============================

Backpropagation runs through the network twice: forwards to compute the values of the units,
backwards to compute the error :math:`\delta` of each unit, equations :eq:`backprop-output` and
:eq:`backprop-hidden`. The gradient of a weight is the value at its one end times the error at
the other, equation :eq:`backprop-weights`.
"""

import matplotlib.pyplot as plt
import numpy as np

from ketkar import drawing
from ketkar import feedforward as ff
from ketkar.datasets import inference_example
from ketkar.gradcheck import numerical_gradient

# %%
# Forwards
# --------
# The network of the inference example should have answered (0, 1).

example = inference_example()
x, target = example.x, np.array([0.0, 1.0])
params = [(example.W_hidden, None), (example.W_output, None)]
trace = ff.mlp_trace(x, params, "sigmoid")
values = [x, *(layer.y for layer in trace)]
labels = ["inputs", "hidden units", "outputs"]

drawing.layered_network(
    [3, 3, 2],
    values,
    [W for W, _ in params],
    symbols=["x", "h", "y"],
    labels=labels,
    edge_labels=True,
)
# Alt text: The network with the values 0.5, 0.9 and -0.3 at the inputs, 0.1301, 0.9569 and 0.4013
# in the hidden units and 0.3458 and 0.8531 at the outputs. Arrows run from left to right and
# carry the weights.
plt.show()

# %%
# Backwards
# ---------
# The arrows turn round. The circles hold :math:`\delta`, the derivative of the loss with respect
# to the weighted sum of the unit; at the inputs they hold the derivative with respect to the
# input. The numbers on the lines are now the gradients of the weights.

dy = ff.squared_error_grad(values[-1], target, reduction="sum")
grads = ff.mlp_backward(dy, trace, params, "sigmoid")
errors = [grads[0].x, *(layer.delta for layer in grads)]

drawing.layered_network(
    [3, 3, 2],
    errors,
    [layer.W for layer in grads],
    symbols=["x", "h", "y"],
    labels=["gradient of inputs", r"$\delta$ of hidden units", r"$\delta$ of outputs"],
    edge_labels=True,
    backward=True,
)
# Alt text: The same network with arrows from right to left. The circles hold the errors of the
# units and the gradients of the inputs, the lines the gradients of the weights.
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
