"""Training a network: the loss over data, its gradient, steepest descent, and ``fit``.

Chapter 3, *Training the Neural Network*: predict, compare, take the gradient, step, repeat.
"""

from ketkar.training.descent import iterate_minibatches, momentum_step, sgd_step
from ketkar.training.evaluate import (
    accuracy,
    confusion_matrix,
    loss_value,
    predict,
    predict_class,
    value_and_grad,
)
from ketkar.training.fit import Fit, TrainingDivergedError, fit
from ketkar.training.history import History
from ketkar.training.losses import LOSSES, Loss, find_loss
from ketkar.training.step import training_step
from ketkar.training.steps import AdamState, Descent, adam_step, descend

__all__ = [
    "LOSSES",
    "AdamState",
    "Descent",
    "Fit",
    "History",
    "Loss",
    "TrainingDivergedError",
    "accuracy",
    "adam_step",
    "confusion_matrix",
    "descend",
    "find_loss",
    "fit",
    "iterate_minibatches",
    "loss_value",
    "momentum_step",
    "predict",
    "predict_class",
    "sgd_step",
    "training_step",
    "value_and_grad",
]
