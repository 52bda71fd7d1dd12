"""The kernels in Numba, for the processor: the same functions as `ketkar.kernels.reference`."""

from ketkar.kernels.cpu.algorithms import (
    ALGORITHMS,
    conv2d_bias_gradient,
    conv2d_forward,
    conv2d_input_gradient,
    conv2d_kernel_gradient,
)
from ketkar.kernels.cpu.dense import dense_backward, dense_forward
from ketkar.kernels.cpu.elementwise import exp, sigmoid, tanh
from ketkar.kernels.cpu.lstm import lstm_backward, lstm_forward
from ketkar.kernels.cpu.pooling import (
    avg_pool2d_backward,
    avg_pool2d_forward,
    l2_pool2d_backward,
    l2_pool2d_forward,
    max_pool2d_backward,
    max_pool2d_forward,
)
from ketkar.kernels.cpu.readout import output_backward, output_forward, output_loss
from ketkar.kernels.cpu.recurrence import rnn_backward, rnn_forward
from ketkar.kernels.cpu.stack import dense_stack_forward, dense_train_step

__all__ = [
    "ALGORITHMS",
    "avg_pool2d_backward",
    "avg_pool2d_forward",
    "conv2d_bias_gradient",
    "conv2d_forward",
    "conv2d_input_gradient",
    "conv2d_kernel_gradient",
    "dense_backward",
    "dense_forward",
    "dense_stack_forward",
    "dense_train_step",
    "exp",
    "l2_pool2d_backward",
    "l2_pool2d_forward",
    "lstm_backward",
    "lstm_forward",
    "max_pool2d_backward",
    "max_pool2d_forward",
    "output_backward",
    "output_forward",
    "output_loss",
    "rnn_backward",
    "rnn_forward",
    "sigmoid",
    "tanh",
]
