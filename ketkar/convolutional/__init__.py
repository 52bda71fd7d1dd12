"""Chapter 5, Convolutional Neural Networks: convolution, pooling and the layers made of them.

The modules follow the textbook's sections; every name here is importable from
``ketkar.convolutional``.

=================  ====================================================================
Module             Textbook section
=================  ====================================================================
operation          Convolution Operation
pooling            Pooling Operation
layer              Convolution-Detector-Pooling Building Block
block              Convolution-Detector-Pooling Building Block
transpose          Convolution Variants
variants           Convolution Variants
arithmetic         the sizes and counts around them
=================  ====================================================================
"""

from ketkar.convolutional.arithmetic import (
    conv2d_num_params,
    conv_output_size,
    count_connections,
    count_unique_weights,
    receptive_field,
    same_padding,
)
from ketkar.convolutional.block import (
    POOLS,
    Block,
    ParallelGrads,
    conv_detector_pool,
    conv_detector_pool_backward,
    parallel_blocks,
    parallel_blocks_backward,
)
from ketkar.convolutional.global_pooling import (
    global_avg_pool2d,
    global_avg_pool2d_backward,
    global_l2_pool2d,
    global_l2_pool2d_backward,
    global_max_pool2d,
    global_max_pool2d_backward,
)
from ketkar.convolutional.layer import (
    ConvGrads,
    ConvParams,
    conv1d,
    conv1d_backward,
    conv2d,
    conv2d_backward,
)
from ketkar.convolutional.operation import (
    convolution_matrix,
    convolve1d,
    convolve2d,
    cross_correlate1d,
    cross_correlate2d,
    normalised_cross_correlate1d,
)
from ketkar.convolutional.pooling import (
    avg_pool2d,
    avg_pool2d_backward,
    l2_pool2d,
    l2_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
)
from ketkar.convolutional.pooling1d import (
    avg_pool1d,
    avg_pool1d_backward,
    l2_pool1d,
    l2_pool1d_backward,
    max_pool1d,
    max_pool1d_backward,
)
from ketkar.convolutional.transpose import conv2d_transpose, conv2d_transpose_backward
from ketkar.convolutional.variants import (
    locally_connected2d,
    locally_connected2d_backward,
    tiled_conv2d,
    tiled_conv2d_backward,
)

__all__ = [
    "POOLS",
    "Block",
    "ConvGrads",
    "ConvParams",
    "ParallelGrads",
    "avg_pool1d",
    "avg_pool1d_backward",
    "avg_pool2d",
    "avg_pool2d_backward",
    "conv1d",
    "conv1d_backward",
    "conv2d",
    "conv2d_backward",
    "conv2d_num_params",
    "conv2d_transpose",
    "conv2d_transpose_backward",
    "conv_detector_pool",
    "conv_detector_pool_backward",
    "conv_output_size",
    "convolution_matrix",
    "convolve1d",
    "convolve2d",
    "count_connections",
    "count_unique_weights",
    "cross_correlate1d",
    "cross_correlate2d",
    "global_avg_pool2d",
    "global_avg_pool2d_backward",
    "global_l2_pool2d",
    "global_l2_pool2d_backward",
    "global_max_pool2d",
    "global_max_pool2d_backward",
    "l2_pool1d",
    "l2_pool1d_backward",
    "l2_pool2d",
    "l2_pool2d_backward",
    "locally_connected2d",
    "locally_connected2d_backward",
    "max_pool1d",
    "max_pool1d_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "normalised_cross_correlate1d",
    "parallel_blocks",
    "parallel_blocks_backward",
    "receptive_field",
    "same_padding",
    "tiled_conv2d",
    "tiled_conv2d_backward",
]
