"""Networks as values: a layer has parameters elsewhere, and chaining layers gives a layer.

A layer is an immutable description with three functions: ``init`` draws parameters, ``forward``
returns the output and a trace, ``backward`` goes back over that trace. Parameters and their
gradients are NamedTuples of the same type.
"""

from ketkar.network.chain import Chain, chain
from ketkar.network.convolutional import Conv2d, ConvTrace
from ketkar.network.historic import (
    RadialBasis,
    ScaledTanh,
    Subsampling,
    SubsamplingParams,
    TableConv2d,
)
from ketkar.network.initial import (
    INITIALISERS,
    glorot_uniform,
    he_normal,
    initial,
    uniform,
    zeros,
)
from ketkar.network.layer import Dense, DenseTrace, Layer
from ketkar.network.parameters import check_layer, count_parameters, flatten, unflatten
from ketkar.network.pooling import (
    AvgPool2d,
    Flatten,
    FlattenTrace,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    L2Pool2d,
    MaxPool2d,
    NoParams,
    PoolTrace,
)
from ketkar.network.storage import Saved, load, save

__all__ = [
    "INITIALISERS",
    "AvgPool2d",
    "Chain",
    "Conv2d",
    "ConvTrace",
    "Dense",
    "DenseTrace",
    "Flatten",
    "FlattenTrace",
    "GlobalAvgPool2d",
    "GlobalMaxPool2d",
    "L2Pool2d",
    "Layer",
    "MaxPool2d",
    "NoParams",
    "PoolTrace",
    "RadialBasis",
    "Saved",
    "ScaledTanh",
    "Subsampling",
    "SubsamplingParams",
    "TableConv2d",
    "chain",
    "check_layer",
    "count_parameters",
    "flatten",
    "glorot_uniform",
    "he_normal",
    "initial",
    "load",
    "save",
    "unflatten",
    "uniform",
    "zeros",
]
