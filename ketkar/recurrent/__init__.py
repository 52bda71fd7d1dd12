"""Chapter 6, Recurrent Neural Networks: recurrences, backpropagation through time, LSTM.

Time comes first: x (T, N, n) holds T steps of N sequences, so that x[t] is what all of them read
at one time. The modules follow the textbook's sections; every name here is importable from
``ketkar.recurrent``.

=================  ====================================================================
Module             Textbook section
=================  ====================================================================
cells              RNN Basics; one step of each network
rnn                RNN Basics, Training RNNs: the hidden state is fed back
output_recurrence  RNN Basics, Training RNNs: the output is fed back; teacher forcing
shapes             RNN Basics: one or many in, one or many out
lengths            Training RNNs: sequences of unequal length
loss               Training RNNs: the loss of a sequence
value_and_grad     Training RNNs: a loss and all its gradients in one go
bidirectional      Bidirectional RNNs
gradients          Gradient Explosion and Vanishing
clipping           Gradient Clipping
lstm               Long Short Term Memory
parameters         the parameters of all, and where training starts
=================  ====================================================================
"""

from ketkar.recurrent.bidirectional import (
    BidirectionalGrads,
    BidirectionalTrace,
    bidirectional,
    bidirectional_backward,
)
from ketkar.recurrent.cells import (
    LSTMStep,
    elman_cell,
    jordan_cell,
    lstm_cell,
    rnn_output,
    unroll,
)
from ketkar.recurrent.clipping import Clipped, clip_grad_norm, clip_grad_value, global_norm
from ketkar.recurrent.gradients import (
    RecurrenceGrads,
    bptt,
    bptt_by_definition,
    gradient_norm_profile,
    hidden_jacobian,
    lstm_cell_jacobian,
    spectral_radius,
)
from ketkar.recurrent.lengths import Group, Padded, group_by_length, pad
from ketkar.recurrent.loss import sequence_cross_entropy, sequence_cross_entropy_grad
from ketkar.recurrent.lstm import (
    LSTMGrads,
    LSTMState,
    LSTMTrace,
    lstm_backward,
    lstm_forward,
)
from ketkar.recurrent.output_recurrence import (
    OutputRNNGrads,
    OutputRNNTrace,
    output_rnn_backward,
    output_rnn_forward,
    sample,
)
from ketkar.recurrent.parameters import (
    BidirectionalParams,
    LSTMParams,
    OutputParams,
    RNNParams,
    bidirectional_params,
    lstm_parameter_count,
    lstm_params,
    orthogonal,
    output_params,
    rnn_parameter_count,
    rnn_params,
)
from ketkar.recurrent.rnn import RNNGrads, RNNTrace, rnn_backward, rnn_forward
from ketkar.recurrent.shapes import (
    EncoderDecoderGrads,
    EncoderDecoderTrace,
    ManyToOneTrace,
    encoder_decoder,
    encoder_decoder_backward,
    many_to_one,
    many_to_one_backward,
)
from ketkar.recurrent.value_and_grad import (
    LSTMStepResult,
    OutputGrads,
    RNNStepResult,
    lstm_value_and_grad,
    output_value_and_grad,
    rnn_value_and_grad,
)

__all__ = [
    "BidirectionalGrads",
    "BidirectionalParams",
    "BidirectionalTrace",
    "Clipped",
    "EncoderDecoderGrads",
    "EncoderDecoderTrace",
    "Group",
    "LSTMGrads",
    "LSTMParams",
    "LSTMState",
    "LSTMStep",
    "LSTMStepResult",
    "LSTMTrace",
    "ManyToOneTrace",
    "OutputGrads",
    "OutputParams",
    "OutputRNNGrads",
    "OutputRNNTrace",
    "Padded",
    "RNNGrads",
    "RNNParams",
    "RNNStepResult",
    "RNNTrace",
    "RecurrenceGrads",
    "bidirectional",
    "bidirectional_backward",
    "bidirectional_params",
    "bptt",
    "bptt_by_definition",
    "clip_grad_norm",
    "clip_grad_value",
    "elman_cell",
    "encoder_decoder",
    "encoder_decoder_backward",
    "global_norm",
    "gradient_norm_profile",
    "group_by_length",
    "hidden_jacobian",
    "jordan_cell",
    "lstm_backward",
    "lstm_cell",
    "lstm_cell_jacobian",
    "lstm_forward",
    "lstm_parameter_count",
    "lstm_params",
    "lstm_value_and_grad",
    "many_to_one",
    "many_to_one_backward",
    "orthogonal",
    "output_params",
    "output_rnn_backward",
    "output_rnn_forward",
    "output_value_and_grad",
    "pad",
    "rnn_backward",
    "rnn_forward",
    "rnn_output",
    "rnn_parameter_count",
    "rnn_params",
    "rnn_value_and_grad",
    "sample",
    "sequence_cross_entropy",
    "sequence_cross_entropy_grad",
    "spectral_radius",
    "unroll",
]
