"""Bad input: a sentence that names the argument, what it is and what was expected."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ketkar import recurrent as rec
from ketkar.trees import leaves

T, N, n, h, m = 4, 2, 3, 5, 6
X, H0 = np.ones((T, N, n)), np.ones((N, h))
LABELS = np.zeros((T, N), int)
MASK = np.ones((T, N), bool)
RNN = rec.rnn_params(n, h, m, rng=0)
STATES = RNN._replace(V=None, c=None)
JORDAN = rec.rnn_params(n, h, m, rng=0, feedback="output")
TWO = rec.bidirectional_params(n, h, m, rng=0)
LSTM = rec.lstm_params(n, h, rng=0)
SOFTMAX = rec.output_params(h, m, rng=0)
DECODER = rec.rnn_params(2, h, m, rng=0)
GIVEN = np.ones((3, N, 2))
Y, TRACE = rec.rnn_forward(RNN, X, backend="numpy")
MASKED = rec.rnn_forward(RNN, X, mask=MASK, backend="numpy")[1]
LY, LTRACE = rec.lstm_forward(LSTM, X, backend="numpy")
JY, JTRACE = rec.output_rnn_forward(JORDAN, X)
TY, TTRACE = rec.bidirectional(TWO, X, backend="numpy")
OY, OTRACE = rec.many_to_one(RNN, X, backend="numpy")
EY, ETRACE = rec.encoder_decoder(RNN, DECODER, X, GIVEN, backend="numpy")
RAGGED = [[1.0, 2.0], [3.0]]
WIDE = rec.rnn_params(n + 1, h, m, rng=0)
TALL = rec.rnn_params(n, h + 1, m, rng=0)


def rnn(x=X, h0=None, *, params=RNN, **options):
    return lambda: rec.rnn_forward(params, x, h0, **options)


def lstm(x=X, state=None, *, params=LSTM, **options):
    return lambda: rec.lstm_forward(params, x, state, **options)


def rnn_loss(labels=LABELS, *, x=X, params=RNN, **options):
    return lambda: rec.rnn_value_and_grad(params, x, labels, **options)


def lstm_loss(labels=LABELS, *, x=X, params=LSTM, output=SOFTMAX, **options):
    return lambda: rec.lstm_value_and_grad(params, output, x, labels, **options)


def changed(params, **fields):
    return params._replace(**fields)


TABLE = [
    # sequences
    (rnn(X[0]), ValueError,
     ["x has 2 axes (2, 3)", "rnn_forward expects 3: (time, batch, input)"]),
    (rnn(X[:, :, :2]), ValueError, ["x has 2 inputs (axis 2 of (4, 2, 2))", "U has 3 columns"]),
    (rnn(X * 1j), TypeError, ["x holds complex128 values"]),
    (rnn(X.astype(str)), TypeError, ["x holds", "real numbers"]),
    (rnn(RAGGED), TypeError, ["x is ragged"]),
    (rnn(None), TypeError, ["x holds object values"]),
    (lstm(X[0]), ValueError, ["x has 2 axes", "lstm_forward expects 3"]),
    (lstm(X[:, :, :2]), ValueError, ["x has 2 inputs", "Wz has 3 columns"]),
    (lambda: rec.output_rnn_forward(JORDAN, X[0]), ValueError, ["output_rnn_forward expects 3"]),
    (lambda: rec.bidirectional(TWO, X[0]), ValueError, ["bidirectional expects 3"]),
    (lambda: rec.bidirectional(TWO, X[..., :1]), ValueError, ["x has 1 inputs", "Uf has 3"]),
    (lambda: rec.many_to_one(RNN, X[0]), ValueError, ["x has 2 axes"]),
    (lambda: rec.encoder_decoder(RNN, DECODER, X, X), ValueError, ["x has 3 inputs", "U has 2"]),
    (lambda: rec.encoder_decoder(RNN, DECODER, X, GIVEN[:, :1]), ValueError,
     ["h0 has shape (2, 5)", "(1, 5)"]),
    (lambda: rec.encoder_decoder(TALL, DECODER, X, GIVEN), ValueError, ["h0 has shape (2, 6)"]),
    # parameters
    (rnn(params=None), TypeError,
     ["params must be RNNParams, 5 arrays (U, W, b, V, c)", "None"]),
    (rnn(params=RNN[:4]), TypeError, ["params must be RNNParams", "got 4"]),
    (rnn(params="RNN"), TypeError, ["params must be RNNParams", "'RNN'"]),
    (rnn(params=LSTM), TypeError, ["params must be RNNParams", "got 15"]),
    (rnn(params=changed(RNN, U=None)), TypeError, ["U holds object values"]),
    (rnn(params=changed(RNN, U=RNN.U[0])), ValueError, ["U has 1 axis (3,)", "(hidden, input)"]),
    (rnn(params=changed(RNN, U=RNN.U[:0])), ValueError, ["U is empty", "(0, 3)"]),
    (rnn(params=changed(RNN, W=RNN.W[:4])), ValueError,
     ["W has shape (4, 5)", "expects (5, 5)", "(hidden, hidden)"]),
    (rnn(params=JORDAN), ValueError, ["W has shape (5, 6)", "rnn_forward expects (5, 5)"]),
    (rnn(params=changed(RNN, b=RNN.b[None])), ValueError, ["b has 2 axes (1, 5)", "(hidden,)"]),
    (rnn(params=changed(RNN, b=0.0)), ValueError, ["b has 0 axes"]),
    (rnn(params=changed(RNN, V=RNN.V.T)), ValueError,
     ["V has shape (5, 6)", "expects (5, 5)", "(output, hidden)"]),
    (rnn(params=changed(RNN, V=RNN.V[:0])), ValueError, ["V is empty"]),
    (rnn(params=changed(RNN, c=RNN.c[:2])), ValueError, ["c has shape (2,)", "expects (6,)"]),
    (rnn(params=changed(RNN, c=None)), ValueError, ["V and c make the output layer", "None"]),
    (rnn(params=changed(RNN, V=None)), ValueError, ["V and c make the output layer", "None"]),
    (rnn(params=changed(RNN, W="W")), TypeError, ["W holds", "real numbers"]),
    (rnn(params=changed(RNN, W=RAGGED)), TypeError, ["W is ragged"]),
    (lstm(params=RNN), TypeError, ["params must be LSTMParams, 15 arrays (Wz,", "got 5"]),
    (lstm(params=changed(LSTM, pi=None)), ValueError,
     ["pi None: give all three peepholes, or none of them"]),
    (lstm(params=changed(LSTM, pf=None, po=None)), ValueError, ["pf and po None"]),
    (lstm(params=changed(LSTM, bo=None)), TypeError, ["bo holds object values"]),
    (lstm(params=changed(LSTM, Wz=np.ones((h, 0)))), ValueError, ["Wz is empty"]),
    (lstm(params=changed(LSTM, Wf=LSTM.Wf.T)), ValueError,
     ["Wf has shape (3, 5)", "lstm_forward expects (5, 3)", "(hidden, input)"]),
    (lstm(params=changed(LSTM, Ri=LSTM.Ri[:2])), ValueError, ["Ri has shape (2, 5)", "(5, 5)"]),
    (lstm(params=changed(LSTM, po=np.ones((h, h)))), ValueError, ["po has 2 axes", "(hidden,)"]),
    (lstm(params=changed(LSTM, bz=np.ones(2))), ValueError, ["bz has shape (2,)", "(5,)"]),
    (lambda: rec.bidirectional(RNN, X), TypeError, ["params must be BidirectionalParams, 9"]),
    (lambda: rec.bidirectional(changed(TWO, Wb=TWO.Wb[:1]), X), ValueError,
     ["Wb has shape (1, 5)", "(5, 5)"]),
    (lambda: rec.bidirectional(changed(TWO, Ub=TWO.Ub[:, :1]), X), ValueError,
     ["Ub has shape (5, 1)", "(5, 3)"]),
    (lambda: rec.bidirectional(changed(TWO, Vb=TWO.Vb.T), X), ValueError, ["Vb", "(6, 5)"]),
    (lambda: rec.bidirectional(changed(TWO, c=np.ones(0)), X), ValueError, ["c is empty"]),
    (lambda: rec.output_rnn_forward(RNN, X), ValueError,
     ["W has shape (5, 5)", "output_rnn_forward expects (5, 6)", "(hidden, output)"]),
    (lambda: rec.output_rnn_forward(STATES, X), ValueError, ["V and c are None", "needs both"]),
    (lambda: rec.sample(STATES, X[0], 3, rng=0), ValueError, ["V and c are None", "sample"]),
    (lambda: rec.many_to_one(STATES, X), ValueError, ["V and c are None", "many_to_one needs"]),
    (lambda: rec.encoder_decoder(None, DECODER, X, GIVEN), TypeError, ["params", "RNNParams"]),
    (lambda: rec.encoder_decoder(RNN, "d", X, GIVEN), TypeError, ["params", "RNNParams", "'d'"]),
    # initial states
    (rnn(h0=H0[:1]), ValueError, ["h0 has shape (1, 5)", "(5,)", "(2, 5)"]),
    (rnn(h0=0.0), ValueError, ["h0 has shape ()"]),
    (rnn(h0="zero"), TypeError, ["h0 holds", "real numbers"]),
    (rnn(h0=RAGGED), TypeError, ["h0 is ragged"]),
    (lstm(state=H0), TypeError, ["state must be a pair (y, c)", "a ndarray"]),
    (lstm(state=(H0,)), TypeError, ["state must be a pair (y, c)"]),
    (lstm(state=(H0, H0[:1])), ValueError, ["state.c has shape (1, 5)", "(5,)", "(2, 5)"]),
    (lstm(state=("y", H0)), TypeError, ["state.y holds"]),
    (lambda: rec.bidirectional(TWO, X, H0), TypeError, ["h0 must be a pair", "a ndarray"]),
    (lambda: rec.bidirectional(TWO, X, (H0, H0[0, :2])), ValueError, ["h0 has shape (2,)"]),
    (lambda: rec.output_rnn_forward(JORDAN, X, y0=H0), ValueError, ["y0 has shape (2, 5)", "(6,)"]),
    # masks
    (rnn(mask=MASK.astype(int)), TypeError, ["mask holds int64 values", "booleans"]),
    (rnn(mask=MASK.T), ValueError, ["mask has shape (2, 4)", "(time, batch) = (4, 2)"]),
    (rnn(mask=MASK[:, 0]), ValueError, ["mask has shape (4,)"]),
    (rnn(mask=True), ValueError, ["mask has shape ()"]),
    (rnn(mask=[[True], [True, False]]), TypeError, ["mask is ragged"]),
    (lstm(mask=MASK.astype(float)), TypeError, ["mask holds float64 values", "booleans"]),
    (lstm(mask=MASK[:2]), ValueError, ["mask has shape (2, 2)", "(4, 2)"]),
    # dropout and backends
    (rnn(dropout=0.5), TypeError, ["rng must be a numpy.random.Generator", "None"]),
    (rnn(dropout=1.0, rng=0), ValueError, ["dropout must be at least 0 and below 1", "1.0"]),
    (rnn(dropout=-0.1, rng=0), ValueError, ["dropout must be at least 0", "-0.1"]),
    (rnn(dropout="half", rng=0), TypeError, ["dropout must be a number", "'half'"]),
    (lstm(dropout=0.5, rng=-1), ValueError, ["rng must be", "-1"]),
    (rnn(backend="gpu"), ValueError, ["backend", "'gpu'", '"numpy"']),
    (rnn(backend="cuda"), RuntimeError, ["cuda", '"numpy"']),
    (lstm(backend="gpu"), ValueError, ["backend", "'gpu'"]),
    (rnn_loss(backend="gpu"), ValueError, ["backend", "'gpu'"]),
    # gradients
    (lambda: rec.rnn_backward(RNN, Y[1:], TRACE), ValueError,
     ["dy has shape (3, 2, 6)", "that of the output, (4, 2, 6)"]),
    (lambda: rec.rnn_backward(RNN, 1.0, TRACE), ValueError, ["dy has shape ()"]),
    (lambda: rec.rnn_backward(RNN, Y * 1j, TRACE), TypeError, ["dy holds complex128 values"]),
    (lambda: rec.rnn_backward(RNN, Y, TRACE, dh=H0[0]), ValueError, ["dh has shape (5,)"]),
    (lambda: rec.rnn_backward(RNN, Y, Y), TypeError,
     ["trace must be what rnn_forward returned", "a ndarray"]),
    (lambda: rec.rnn_backward(RNN, Y, LTRACE), TypeError, ["rnn_forward", "a LSTMTrace"]),
    (lambda: rec.rnn_backward(WIDE, Y, TRACE), ValueError, ["params have other shapes", "trace"]),
    (lambda: rec.rnn_backward(TALL, Y, TRACE), ValueError, ["params have other shapes", "trace"]),
    (lambda: rec.rnn_backward(STATES, Y, TRACE), ValueError, ["params have other shapes"]),
    (lambda: rec.rnn_backward(RNN, Y, TRACE, truncate=0), ValueError,
     ["truncate must be at least 1", "0"]),
    (lambda: rec.rnn_backward(RNN, Y, TRACE, truncate=-3), ValueError, ["truncate", "-3"]),
    (lambda: rec.rnn_backward(RNN, Y, TRACE, truncate=2.0), TypeError,
     ["truncate must be a whole number", "2.0"]),
    (lambda: rec.rnn_backward(RNN, Y, TRACE, truncate=True), TypeError, ["truncate", "True"]),
    (lambda: rec.lstm_backward(LSTM, LY[1:], LTRACE), ValueError, ["dy has shape (3, 2, 5)"]),
    (lambda: rec.lstm_backward(LSTM, LY, TRACE), TypeError, ["lstm_forward", "a RNNTrace"]),
    (lambda: rec.lstm_backward(rec.lstm_params(n, 2, rng=0), LY, LTRACE), ValueError,
     ["Wz has shape (2, 3)", "the trace went through weights of shape (5, 3)"]),
    (lambda: rec.lstm_backward(LSTM, LY, LTRACE, dstate=H0), TypeError, ["a pair (y, c)"]),
    (lambda: rec.lstm_backward(LSTM, LY, LTRACE, dstate=(H0[:1], None)), ValueError,
     ["dstate.y has shape (1, 5)"]),
    (lambda: rec.lstm_backward(LSTM, LY, LTRACE, dstate=(None, H0[:1])), ValueError,
     ["dstate.c has shape (1, 5)"]),
    (lambda: rec.lstm_backward(LSTM, LY, LTRACE, truncate=0), ValueError, ["truncate must be"]),
    (lambda: rec.output_rnn_backward(JORDAN, JY[1:], JTRACE), ValueError, ["dy has shape"]),
    (lambda: rec.output_rnn_backward(JORDAN, JY, TRACE), TypeError, ["output_rnn_forward"]),
    (lambda: rec.output_rnn_backward(rec.rnn_params(n, 2, m, rng=0, feedback="output"), JY, JTRACE),
     ValueError, ["params have other shapes"]),
    (lambda: rec.bidirectional_backward(TWO, TY[1:], TTRACE), ValueError, ["dy has shape"]),
    (lambda: rec.bidirectional_backward(TWO, TY, TRACE), TypeError, ["bidirectional"]),
    (lambda: rec.bidirectional_backward(TWO, TY, TTRACE, truncate=0), ValueError, ["truncate"]),
    (lambda: rec.bidirectional_backward(rec.bidirectional_params(n, 2, m, rng=0), TY, TTRACE),
     ValueError, ["params have other shapes"]),
    (lambda: rec.bidirectional_backward(rec.bidirectional_params(2, h, m, rng=0), TY, TTRACE),
     ValueError, ["params have other shapes"]),
    (lambda: rec.many_to_one_backward(RNN, Y, OTRACE), ValueError, ["dy has shape (4, 2, 6)"]),
    (lambda: rec.many_to_one_backward(RNN, OY, TRACE), TypeError, ["many_to_one returned"]),
    (lambda: rec.many_to_one_backward(TALL, OY, OTRACE), ValueError, ["params have other shapes"]),
    (lambda: rec.many_to_one_backward(rec.rnn_params(n, h, 2, rng=0), OY, OTRACE), ValueError,
     ["params have other shapes"]),
    (lambda: rec.encoder_decoder_backward(RNN, DECODER, Y, ETRACE), ValueError, ["dy has shape"]),
    (lambda: rec.encoder_decoder_backward(RNN, DECODER, EY, TRACE), TypeError,
     ["encoder_decoder returned"]),
    (lambda: rec.encoder_decoder_backward(1, DECODER, EY, ETRACE), TypeError, ["RNNParams"]),
    (lambda: rec.encoder_decoder_backward(TALL, DECODER, EY, ETRACE), ValueError,
     ["params have other shapes"]),
    # teachers and samples
    (lambda: rec.output_rnn_forward(JORDAN, X, LABELS[1:]), ValueError,
     ["teacher has shape (3, 2)", "labels (4, 2) or rows (4, 2, 6)"]),
    (lambda: rec.output_rnn_forward(JORDAN, X, LABELS + 6), ValueError,
     ["teacher must lie in 0 .. 5", "6"]),
    (lambda: rec.output_rnn_forward(JORDAN, X, LABELS - 1), ValueError, ["teacher", "-1"]),
    (lambda: rec.output_rnn_forward(JORDAN, X, LABELS + 0.5), ValueError, ["teacher has shape"]),
    (lambda: rec.output_rnn_forward(JORDAN, X, "yes"), TypeError, ["teacher holds"]),
    (lambda: rec.output_rnn_forward(JORDAN, X, RAGGED), TypeError, ["teacher is ragged"]),
    (lambda: rec.sample(JORDAN, X, 3, rng=0), ValueError, ["x has shape (4, 2, 3)", "(3,)"]),
    (lambda: rec.sample(JORDAN, [1.0], 3, rng=0), ValueError, ["x has shape (1,)", "(3,)"]),
    (lambda: rec.sample(JORDAN, X[0], -1, rng=0), ValueError, ["steps must be at least 0", "-1"]),
    (lambda: rec.sample(JORDAN, X[0], 3, rng=None), TypeError, ["rng must be", "None"]),
    (lambda: rec.sample(JORDAN, X[0], 3, rng=0, temperature=0), ValueError,
     ["temperature must be above 0", "0"]),
    (lambda: rec.sample(JORDAN, X[0], 3, rng=0, temperature=(1, np.eye(2))), TypeError,
     ["temperature must be a number", "a tuple"]),
    # losses
    (rnn_loss(LABELS[1:]), ValueError,
     ["labels have shape (3, 2)", "(time, batch) = (4, 2)", "(batch,) = (2,)"]),
    (rnn_loss(LABELS + m), ValueError, ["labels must lie in 0 .. 5 for 6 classes", "6"]),
    (rnn_loss(LABELS - 1), ValueError, ["labels must lie in 0 .. 5", "-1"]),
    (rnn_loss(LABELS[0] + 10**9), ValueError, ["labels must lie in 0 .. 5", "1000000000"]),
    (rnn_loss(LABELS * 1.0), TypeError, ["labels holds float64 values", "whole numbers"]),
    (rnn_loss(LABELS.astype(str)), TypeError, ["labels holds", "whole numbers"]),
    (rnn_loss([[0], [0, 1]]), TypeError, ["labels is ragged"]),
    (rnn_loss(LABELS[:0], x=X[:0]), ValueError, ["x has no steps"]),
    (rnn_loss(LABELS[0], x=X[:0]), ValueError, ["x has no steps"]),
    (rnn_loss(LABELS[:, :0], x=X[:, :0]), ValueError, ["labels is empty"]),
    (rnn_loss(mask=~MASK), ValueError, ["no step counts", "mask is False everywhere"]),
    (rnn_loss(mask=LABELS), TypeError, ["mask holds int64 values"]),
    (rnn_loss(reduction="max"), ValueError, ["reduction", '"sum", "mean"', "'max'"]),
    (rnn_loss(truncate=0), ValueError, ["truncate must be at least 1", "0"]),
    (rnn_loss(truncate=-1), ValueError, ["truncate must be at least 1", "-1"]),
    (rnn_loss(params=STATES), ValueError, ["V and c are None", "rnn_value_and_grad needs"]),
    (rnn_loss(h0=H0[:1]), ValueError, ["h0 has shape (1, 5)"]),
    (lstm_loss(LABELS[1:]), ValueError, ["labels have shape (3, 2)"]),
    (lstm_loss(LABELS + m), ValueError, ["labels must lie in 0 .. 5 for 6 classes"]),
    (lstm_loss(LABELS[0], x=X[:0]), ValueError, ["x has no steps"]),
    (lstm_loss(truncate=0), ValueError, ["truncate must be at least 1", "0"]),
    (lstm_loss(output=None), TypeError, ["params must be OutputParams, 2 arrays (V, c)", "None"]),
    (lstm_loss(output=changed(SOFTMAX, V=SOFTMAX.V[:, :2])), ValueError,
     ["V has shape (6, 2)", "expects (6, 5)"]),
    (lstm_loss(output=changed(SOFTMAX, c=None)), TypeError, ["c holds object values"]),
    (lstm_loss(state=H0), TypeError, ["state must be a pair (y, c)"]),
    (lstm_loss(state=5), TypeError, ["state must be a pair (y, c)", "5"]),
    (lstm_loss(state=(H0, H0, H0)), TypeError, ["state must be a pair (y, c)"]),
    (lstm_loss(state=(H0, RAGGED)), TypeError, ["state.c is ragged"]),
    (lambda: rec.output_value_and_grad(SOFTMAX, X, LABELS), ValueError,
     ["V has shape (6, 5)", "expects (6, 3)"]),
    (lambda: rec.output_value_and_grad(SOFTMAX, H0[0], 0), ValueError,
     ["h has 1 axes (5,)", "(N, h) or (T, N, h)"]),
    (lambda: rec.output_value_and_grad(SOFTMAX, H0, LABELS), ValueError,
     ["labels have shape (4, 2)", "(2,)"]),
    (lambda: rec.output_value_and_grad(SOFTMAX, H0, RAGGED), TypeError, ["labels is ragged"]),
    (lambda: rec.output_value_and_grad(SOFTMAX, H0, [0, 6]), ValueError, ["labels must lie", "6"]),
    (lambda: rec.output_value_and_grad(SOFTMAX, H0, [0, 1], mask=[True]), ValueError,
     ["mask has shape (1,)", "(2,)"]),
    (lambda: rec.output_value_and_grad(SOFTMAX, H0, [0, 1], mask=[1, 1]), TypeError,
     ["mask holds int64 values"]),
    (lambda: rec.output_value_and_grad(SOFTMAX, H0, [0, 1], mask=[False] * 2), ValueError,
     ["no step counts"]),
    (lambda: rec.output_value_and_grad(SOFTMAX, H0[:0], np.zeros(0, int)), ValueError, ["empty"]),
    (lambda: rec.sequence_cross_entropy(Y[0], LABELS), ValueError, ["y_hat has 2 axes"]),
    (lambda: rec.sequence_cross_entropy(Y, LABELS[1:]), ValueError,
     ["y has shape (3, 2)", "labels (4, 2) or rows (4, 2, 6)"]),
    (lambda: rec.sequence_cross_entropy(Y, LABELS + m), ValueError, ["6 classes"]),
    (lambda: rec.sequence_cross_entropy(Y, LABELS * 1.0), TypeError, ["whole numbers"]),
    (lambda: rec.sequence_cross_entropy(Y, LABELS, ~MASK), ValueError, ["no step counts"]),
    (lambda: rec.sequence_cross_entropy(Y[:0], LABELS[:0]), ValueError, ["no step counts"]),
    (lambda: rec.sequence_cross_entropy(Y, LABELS, LABELS), TypeError, ["mask holds int64"]),
    (lambda: rec.sequence_cross_entropy(Y, LABELS, None, "none"), ValueError, ["reduction"]),
    (lambda: rec.sequence_cross_entropy_grad(Y, LABELS, None, "none"), ValueError, ["reduction"]),
    # cells
    (lambda: rec.elman_cell([1.0], H0, RNN.U, RNN.W, RNN.b), ValueError, ["x has 1 entries", "U"]),
    (lambda: rec.elman_cell(X[0], H0[0, :2], RNN.U, RNN.W, RNN.b), ValueError,
     ["h has 2 entries", "W has 5"]),
    (lambda: rec.elman_cell(1.0, H0, RNN.U, RNN.W, RNN.b), ValueError, ["x is a single number"]),
    (lambda: rec.elman_cell(X[0], H0, RNN.U[0], RNN.W, RNN.b), ValueError, ["U has 1 axis"]),
    (lambda: rec.elman_cell(X[0], H0, RNN.U, RNN.W[:2], RNN.b), ValueError,
     ["U has 5 units", "W has 2"]),
    (lambda: rec.elman_cell(X[0], H0, RNN.U, RNN.W, RNN.b[:2]), ValueError, ["b has 2 units"]),
    (lambda: rec.elman_cell(X[0], np.ones((3, h)), RNN.U, RNN.W, RNN.b), ValueError,
     ["x is a batch of (2,)", "h is one of (3,)"]),
    (lambda: rec.elman_cell("x", H0, RNN.U, RNN.W, RNN.b), TypeError, ["x holds"]),
    (lambda: rec.jordan_cell(X[0], H0, JORDAN.U, JORDAN.W, RNN.b), ValueError,
     ["y has 5 entries", "W has 6"]),
    (lambda: rec.rnn_output(H0[0, :2], RNN.V, RNN.c), ValueError, ["h has 2 entries", "V has 5"]),
    (lambda: rec.rnn_output(H0, RNN.V, RNN.c[:1]), ValueError, ["c has 1 units", "V has 6"]),
    (lambda: rec.rnn_output(H0, RNN.V[:0], RNN.c[:0]), ValueError, ["V is empty"]),
    (lambda: rec.lstm_cell(X[0], H0, H0, RNN), TypeError, ["params must be LSTMParams"]),
    (lambda: rec.lstm_cell(X[0, :, :1], H0, H0, LSTM), ValueError, ["x has 1 entries", "Wz has 3"]),
    (lambda: rec.lstm_cell(X[0], H0[:, :2], H0, LSTM), ValueError, ["y has 2 entries"]),
    (lambda: rec.lstm_cell(X[0], H0, H0[:, :2], LSTM), ValueError, ["c has shape (2, 2)"]),
    (lambda: rec.lstm_cell(X[0], H0, np.ones((3, h)), LSTM), ValueError,
     ["x is a batch of (2,)", "c is one of (3,)"]),
    (lambda: rec.lstm_cell(X[0], H0, H0, changed(LSTM, pi=None)), ValueError, ["all three"]),
    (lambda: rec.unroll(None, X, H0), TypeError, ["cell must be a function", "None"]),
    (lambda: rec.unroll(lambda x, h: h, 3, H0), TypeError, ["xs must be a sequence", "3"]),
    # gradients through time
    (lambda: rec.bptt(RNN, H0, TRACE), ValueError, ["dh has shape (2, 5)", "(4, 2, 5)"]),
    (lambda: rec.bptt(RNN, LY, MASKED), ValueError, ["the trace has a mask"]),
    (lambda: rec.bptt(RNN, LY, None), TypeError, ["trace must be what rnn_forward", "None"]),
    (lambda: rec.bptt(TALL, LY, TRACE), ValueError, ["params have other shapes"]),
    (lambda: rec.bptt_by_definition(TALL, LY, TRACE), ValueError, ["params have other shapes"]),
    (lambda: rec.bptt_by_definition(RNN, H0, TRACE), ValueError, ["dh has shape (2, 5)"]),
    (lambda: rec.hidden_jacobian(H0, X), ValueError, ["W has 3 axes"]),
    (lambda: rec.hidden_jacobian(H0, RNN.U), ValueError, ["W has shape (5, 3)", "as rows"]),
    (lambda: rec.hidden_jacobian(X, RNN.W), ValueError, ["h has shape (4, 2, 3)", "5 rows"]),
    (lambda: rec.spectral_radius(RNN.U), ValueError, ["W has shape (5, 3)"]),
    (lambda: rec.spectral_radius(np.ones((0, 0))), ValueError, ["W has shape (0, 0)"]),
    (lambda: rec.spectral_radius([[np.nan]]), ValueError, ["W holds NaN or infinity"]),
    (lambda: rec.gradient_norm_profile(RNN.W, -1), ValueError, ["lags must be at least 0", "-1"]),
    (lambda: rec.gradient_norm_profile(RNN.W, 9, H0), ValueError,
     ["h has shape (2, 5)", "at least 9 states of 5 units"]),
    (lambda: rec.gradient_norm_profile(RNN.W, 2, X), ValueError, ["h has 3 axes"]),
    (lambda: rec.gradient_norm_profile([[np.inf]], 2), ValueError, ["W holds NaN or infinity"]),
    (lambda: rec.gradient_norm_profile(RNN.W, 2, H0 * np.nan), ValueError, ["h holds NaN"]),
    (lambda: rec.lstm_cell_jacobian(TRACE), TypeError, ["lstm_forward returned"]),
    (lambda: rec.lstm_cell_jacobian(LTRACE, 3, 2), ValueError,
     ["first <= last <= 4", "first = 3 and last = 2"]),
    (lambda: rec.lstm_cell_jacobian(LTRACE, 0, 5), ValueError, ["last = 5"]),
    (lambda: rec.lstm_cell_jacobian(LTRACE, -1), ValueError, ["first must be at least 0", "-1"]),
    # clipping
    (lambda: rec.clip_grad_norm(H0, 0), ValueError, ["max_norm must be above 0", "0"]),
    (lambda: rec.clip_grad_norm(H0, None), TypeError, ["max_norm must be a number", "None"]),
    (lambda: rec.clip_grad_norm(("a",), 1.0), TypeError, ["[0] holds", "real numbers"]),
    (lambda: rec.clip_grad_value(H0, -1), ValueError, ["limit must be above 0", "-1"]),
    (lambda: rec.clip_grad_value("grads", 1.0), TypeError, ["grads holds"]),
    (lambda: rec.global_norm({"a": 1}), TypeError, ["grads holds object values"]),
    # lengths
    (lambda: rec.pad([]), ValueError, ["there is no sequence"]),
    (lambda: rec.pad(None), TypeError, ["sequences must be a sequence", "None"]),
    (lambda: rec.pad([[1.0]]), ValueError, ["sequences[0] has 1 axis", "(time, input)"]),
    (lambda: rec.pad([np.ones((2, 1)), np.ones((2, 2))]), ValueError,
     ["sequences[0] has 1 inputs", "sequences[1] has 2"]),
    (lambda: rec.pad([np.ones((2, 1)), "abc"]), TypeError, ["sequences[1] holds"]),
    (lambda: rec.group_by_length([]), ValueError, ["there is no sequence"]),
    (lambda: rec.group_by_length([RAGGED]), TypeError, ["sequences[0] is ragged"]),
    # where training starts
    (lambda: rec.rnn_params(0, 2, 3, rng=0), ValueError, ["n must be at least 1", "0"]),
    (lambda: rec.rnn_params(1, 2.0, 3, rng=0), TypeError, ["h must be a whole number", "2.0"]),
    (lambda: rec.rnn_params(1, 2, 3, rng=None), TypeError, ["rng must be", "None"]),
    (lambda: rec.rnn_params(1, 2, 3, rng=0, recurrent="zero"), ValueError,
     ["recurrent must be one of", '"orthogonal", "glorot"', "'zero'"]),
    (lambda: rec.rnn_params(1, 2, 3, rng=0, feedback="input"), ValueError, ["feedback must be"]),
    (lambda: rec.rnn_params(1, 2, None, rng=0, feedback="output"), ValueError, ["m is None"]),
    (lambda: rec.rnn_params(1, 2, 3, rng=0, radius=-1), ValueError, ["radius", "-1"]),
    (lambda: rec.rnn_params(1, 2, 3, rng=0, radius="a", recurrent="glorot"), TypeError,
     ["radius must be a number", "'a'"]),
    (lambda: rec.rnn_params(1, 2, 3, rng=0, radius=np.nan, feedback="output"), ValueError,
     ["radius must be finite", "nan"]),
    (lambda: rec.rnn_params(1, 2, 3, rng=0, dtype=int), TypeError, ["dtype must be float32"]),
    (lambda: rec.lstm_params(1, 0, rng=0), ValueError, ["h must be at least 1"]),
    (lambda: rec.lstm_params(1, 2, rng=0, forget_bias="open"), TypeError, ["forget_bias"]),
    (lambda: rec.bidirectional_params(1, 2, None, rng=0), TypeError, ["m must be a whole", "None"]),
    (lambda: rec.output_params(1, 0, rng=0), ValueError, ["m must be at least 1"]),
    (lambda: rec.orthogonal(2, rng=0, radius=np.inf), ValueError, ["radius must be finite"]),
    (lambda: rec.rnn_parameter_count(1, 2, 0), ValueError, ["m must be at least 1"]),
    (lambda: rec.rnn_parameter_count(1, 2, 3, feedback="output", bidirectional=True), ValueError,
     ["bidirectional", "not outputs"]),
    (lambda: rec.rnn_parameter_count(1, 2, 3, bidirectional=2), TypeError,
     ["bidirectional must be True or False", "2"]),
    (lambda: rec.lstm_params(1, 2, rng=0, peepholes=None), TypeError,
     ["peepholes must be True or False", "None"]),
    (lambda: rec.lstm_parameter_count(1, 2, peepholes="no"), TypeError, ["peepholes", "'no'"]),
    (lambda: rec.lstm_parameter_count("8", 16), TypeError, ["n must be a whole number", "'8'"]),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "words"), TABLE)
def test_a_sentence(call, error, words, refuses):
    with refuses(error, *words):
        call()


def test_a_loss_that_is_not_finite_is_named(backend, refuses):
    for value in (np.nan, np.inf, -np.inf):
        x = X.copy()
        x[2, 1, 0] = value
        words = [f"x[2, 1, 0], in step 2, is {value}"]
        infinite = changed(RNN, U=RNN.U * [[0.0], [1.0], [1.0], [1.0], [1.0]])  # 0 times infinity
        with refuses(FloatingPointError, "step 2 of sequence 1", *words), quiet():
            rnn_loss(x=x, params=infinite, backend=backend)()
        with refuses(FloatingPointError, "step 3 of sequence 1", *words), quiet():
            rnn_loss(LABELS[0], x=x, params=infinite, backend=backend)()
        with refuses(FloatingPointError, "step 2 of sequence 1", *words), quiet():
            rnn_loss(x=x, params=infinite, truncate=2, backend=backend)()
        gate = changed(LSTM, Wo=LSTM.Wo * [[0.0], [1.0], [1.0], [1.0], [1.0]])
        with refuses(FloatingPointError, "step 2 of sequence 1", *words), quiet():
            lstm_loss(x=x, params=gate, backend=backend)()


def quiet():
    return np.errstate(all="ignore")


def test_a_loss_that_is_not_finite_though_the_input_is(backend, refuses):
    broken = changed(RNN, c=np.full(m, np.nan))
    with refuses(FloatingPointError, "step 0 of sequence 0", "x is finite", "weights"), quiet():
        rnn_loss(params=broken, backend=backend)()
    # what stands in padding is not to blame
    x, mask = X.copy(), MASK.copy()
    mask[3, 1], x[3, 1] = False, np.nan
    with refuses(FloatingPointError, "x is finite", "weights"), quiet():
        rnn_loss(x=x, mask=mask, params=broken, backend=backend)()
    assert np.isfinite(rnn_loss(x=x, mask=mask, backend=backend)().loss)
    assert np.isfinite(lstm_loss(x=x, mask=mask, backend=backend)().loss)


CALLS = {
    "rnn_forward": (RNN, X, H0),
    "rnn_backward": (RNN, Y, TRACE),
    "lstm_forward": (LSTM, X, (H0, H0)),
    "lstm_backward": (LSTM, LY, LTRACE),
    "output_rnn_forward": (JORDAN, X, LABELS, RNN.c),
    "output_rnn_backward": (JORDAN, JY, JTRACE),
    "sample": (JORDAN, X[0], 3),
    "bidirectional": (TWO, X, (H0, H0)),
    "bidirectional_backward": (TWO, TY, TTRACE),
    "many_to_one": (RNN, X, H0),
    "many_to_one_backward": (RNN, OY, OTRACE),
    "encoder_decoder": (RNN, DECODER, X, GIVEN),
    "encoder_decoder_backward": (RNN, DECODER, EY, ETRACE),
    "rnn_value_and_grad": (RNN, X, LABELS, H0),
    "lstm_value_and_grad": (LSTM, SOFTMAX, X, LABELS, (H0, H0)),
    "output_value_and_grad": (SOFTMAX, H0, LABELS[0]),
    "sequence_cross_entropy": (Y, LABELS, MASK, "sum"),
    "sequence_cross_entropy_grad": (Y, LABELS, MASK, "mean"),
    "elman_cell": (X[0], H0, *RNN[:3]),
    "jordan_cell": (X[0], Y[0], *JORDAN[:3]),
    "lstm_cell": (X[0], H0, H0, LSTM),
    "rnn_output": (H0, RNN.V, RNN.c),
    "bptt": (RNN, LY, TRACE),
    "bptt_by_definition": (RNN, LY, TRACE),
    "hidden_jacobian": (H0, RNN.W),
    "spectral_radius": (RNN.W,),
    "gradient_norm_profile": (RNN.W, 2, LY[:, 0]),
    "lstm_cell_jacobian": (LTRACE, 1, 3),
    "clip_grad_norm": (H0, 1.0),
    "clip_grad_value": (H0, 0.5),
    "global_norm": (RNN,),
    "group_by_length": ([X[:, 0], X[:2, 0]],),
    "pad": ([X[:, 0], X[:2, 0]],),
    "unroll": (lambda x, h: h, X, H0),
    "rnn_params": (n, h, m),
    "lstm_params": (n, h),
    "bidirectional_params": (n, h, m),
    "output_params": (h, m),
    "orthogonal": (h,),
    "rnn_parameter_count": (n, h, m),
    "lstm_parameter_count": (n, h),
}
SPOTS = [(name, i) for name, arguments in CALLS.items() for i in range(len(arguments))]
NEEDED = {
    name: {"rng": 0} for name in CALLS if name.endswith("_params") or name in ("sample",
                                                                               "orthogonal")
}  # fmt: skip
OPTIONS = ("mask", "dropout", "rng", "dh", "dstate", "truncate", "backend", "reduction",
           "temperature", "recurrent", "radius", "feedback", "dtype", "forget_bias", "peepholes",
           "bidirectional")  # fmt: skip


def known(name):
    names = getattr(rec, name).__kwdefaults__ or {}
    return [option for option in OPTIONS if option in names]


def test_every_function_is_among_the_calls():
    functions = {name for name in rec.__all__ if not isinstance(getattr(rec, name), type)}
    assert functions == set(CALLS)
    for name, arguments in CALLS.items():
        getattr(rec, name)(*arguments, **NEEDED.get(name, {}), **inside(name))


def inside(name):
    """Options of a call that keep it from compiling anything, for speed."""
    return {"backend": "numpy"} if "backend" in known(name) else {}


def spoiled(data, value, junk):
    """Something else in the place of a value: anything, or a nest one leaf of which is anything."""
    if isinstance(value, tuple) and data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(value) - 1))
        if hasattr(value, "_fields") and "Trace" in type(value).__name__:
            return data.draw(junk)  # a trace is what a function returned, not what a user makes
        entries = [data.draw(junk) if i == place else v for i, v in enumerate(value)]
        return type(value)(*entries) if hasattr(value, "_fields") else tuple(entries)
    return data.draw(junk)


# a number of steps or units may be absurd, but what is asked for has to fit into the memory
HUGE = (10**30, 10**400)


def may_fill_the_memory(name, value):
    return isinstance(value, int) and value in HUGE and name != "lstm_cell_jacobian"


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), spot=st.sampled_from(SPOTS))
def test_whatever_stands_for_an_argument(data, spot, junk, answers_or_refuses):
    name, i = spot
    arguments = list(CALLS[name])
    arguments[i] = spoiled(data, arguments[i], junk)
    if may_fill_the_memory(name, arguments[i]):
        return
    with answers_or_refuses(), np.errstate(all="ignore"):
        getattr(rec, name)(*arguments, **NEEDED.get(name, {}), **inside(name))


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(sorted(name for name in CALLS if known(name))))
def test_whatever_stands_for_an_option(data, name, junk, answers_or_refuses):
    options = NEEDED.get(name, {}) | inside(name)
    options[data.draw(st.sampled_from(known(name)))] = data.draw(junk | st.tuples(junk, junk))
    with answers_or_refuses(), np.errstate(all="ignore"):
        getattr(rec, name)(*CALLS[name], **options)


def test_arguments_are_never_changed(backend):
    for name, arguments in CALLS.items():
        options = NEEDED.get(name, {}) | ({"backend": backend} if "backend" in known(name) else {})
        held = [(a, a.copy()) for _, a in leaves(arguments)]
        getattr(rec, name)(*arguments, **options)
        if "mask" in known(name) and name != "output_value_and_grad":
            mask = MASK.copy()
            mask[2:, 0] = False
            getattr(rec, name)(*arguments, mask=mask, **options)
        for a, before in held:
            np.testing.assert_array_equal(a, before, name)
