"""Chapter 3, Feed Forward Neural Networks: units, layers, losses and backpropagation.

The modules follow the textbook's sections; every name here is importable from
``ketkar.feedforward``.

=================  ====================================================================
Module             Textbook section
=================  ====================================================================
connectionist      the motivation (Mitchell, *Machine Learning*, chapter 4)
activations        Types of Units/Activation Functions/Layers
unit               Unit
layer              Expressing the Neural Network in Vector Form
losses             Evaluating the Output of the Neural Network; Summary of Loss Functions
likelihood         Deriving Cost Functions Using Maximum Likelihood
backpropagation    Training the Neural Network
=================  ====================================================================
"""

from ketkar.feedforward.activations import (
    ACTIVATIONS,
    Activation,
    activation,
    identity,
    identity_grad,
    relu,
    relu_grad,
    sigmoid,
    sigmoid_grad,
    softmax,
    softmax_backward,
    softmax_jacobian,
    step,
    step_grad,
    tanh,
    tanh_grad,
)
from ketkar.feedforward.backpropagation import LayerGrads, LayerTrace, mlp_backward, mlp_trace
from ketkar.feedforward.connectionist import serial_steps
from ketkar.feedforward.layer import (
    DenseGrads,
    DenseParams,
    count_parameters,
    dense,
    dense_backward,
    mlp,
)
from ketkar.feedforward.likelihood import bernoulli_nll, categorical_nll, gaussian_nll
from ketkar.feedforward.losses import (
    binary_cross_entropy,
    binary_cross_entropy_grad,
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_grad,
    cross_entropy,
    cross_entropy_grad,
    one_hot,
    softmax_cross_entropy,
    softmax_cross_entropy_grad,
    squared_error,
    squared_error_grad,
)
from ketkar.feedforward.unit import (
    linear_unit,
    relu_unit,
    sigmoid_unit,
    tanh_unit,
    threshold_unit,
    unit,
)

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "DenseGrads",
    "DenseParams",
    "LayerGrads",
    "LayerTrace",
    "activation",
    "bernoulli_nll",
    "binary_cross_entropy",
    "binary_cross_entropy_grad",
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits_grad",
    "categorical_nll",
    "count_parameters",
    "cross_entropy",
    "cross_entropy_grad",
    "dense",
    "dense_backward",
    "gaussian_nll",
    "identity",
    "identity_grad",
    "linear_unit",
    "mlp",
    "mlp_backward",
    "mlp_trace",
    "one_hot",
    "relu",
    "relu_grad",
    "relu_unit",
    "serial_steps",
    "sigmoid",
    "sigmoid_grad",
    "sigmoid_unit",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy",
    "softmax_cross_entropy_grad",
    "softmax_jacobian",
    "squared_error",
    "squared_error_grad",
    "step",
    "step_grad",
    "tanh",
    "tanh_grad",
    "tanh_unit",
    "threshold_unit",
    "unit",
]
