"""The course's named systems, each a network and how it was trained.

A system is a page to read from top to bottom: what goes in, what comes out, how the targets are
written, and the settings with which it learns.

==========  ==================================================================================
Module      System
==========  ==================================================================================
inference   the 3-3-2 network that is worked by hand
digits      handwritten digits from 64 pixels, 64-32-10
faces       where a person looks, 960-3-4 (Mitchell, *Machine Learning*, section 4.7)
alvinn      how far to steer, 960-4-30 (Pomerleau's ALVINN)
lenet       LeNet-5 for digits of 28 x 28 pixels, as it is built today
lenet_1998  LeNet-5 as it was published
sequences   small recurrent networks on tasks that take memory
==========  ==================================================================================
"""

from ketkar.systems.alvinn import (
    alvinn_network,
    centred,
    steering_direction,
    steering_targets,
    train_alvinn,
)
from ketkar.systems.digits import digit_network, train_digits
from ketkar.systems.faces import block_mean, encode_targets, face_network, train_faces
from ketkar.systems.inference import inference_network, inference_params
from ketkar.systems.lenet import enlarge_digits, falling_rates, lenet5, train_lenet5
from ketkar.systems.lenet_1998 import (
    C3_TABLE,
    digit_codes,
    frame_digits,
    lenet5_1998,
    train_lenet5_1998,
)
from ketkar.systems.sequences import (
    adding_answers,
    sequence_accuracy,
    sequence_outputs,
    sequence_value_and_grad,
    train_adding,
    train_parity,
    train_recall,
    train_sequences,
)

__all__ = [
    "C3_TABLE",
    "adding_answers",
    "alvinn_network",
    "block_mean",
    "centred",
    "digit_codes",
    "digit_network",
    "encode_targets",
    "enlarge_digits",
    "face_network",
    "falling_rates",
    "frame_digits",
    "inference_network",
    "inference_params",
    "lenet5",
    "lenet5_1998",
    "sequence_accuracy",
    "sequence_outputs",
    "sequence_value_and_grad",
    "steering_direction",
    "steering_targets",
    "train_adding",
    "train_alvinn",
    "train_digits",
    "train_faces",
    "train_lenet5",
    "train_lenet5_1998",
    "train_parity",
    "train_recall",
    "train_sequences",
]
