"""Equations and functions are tied both ways, and a published number keeps its meaning."""

import pytest

import ketkar
from ketkar import feedforward as ff
from ketkar.equations import (
    cite,
    equation,
    equations,
    equations_of,
    functions_of,
    public_name,
)

# What has been published. Rows are added at the end of a chapter and never changed.
PUBLISHED = """
3.1 hundred-steps, 3.2 unit, 3.3 step, 3.4 network, 3.5 parameter-count, 3.6 layer-unit, 3.7 layer,
3.8 composition, 3.9 dataset, 3.10 loss, 3.11 gradient, 3.12 steepest-descent, 3.13 momentum,
3.14 minibatch, 3.15 backprop-output, 3.16 backprop-hidden, 3.17 backprop-weights,
3.18 finite-difference, 3.19 glorot, 3.20 he, 3.21 bernoulli-nll, 3.22 binary-cross-entropy,
3.23 binary-cross-entropy-logits, 3.24 categorical-nll, 3.25 cross-entropy,
3.26 cross-entropy-logits, 3.27 gaussian-nll, 3.28 squared-error, 3.29 linear-unit,
3.30 sigmoid-unit, 3.31 sigmoid, 3.32 sigmoid-derivative, 3.33 softmax, 3.34 softmax-jacobian,
3.35 relu-unit, 3.36 relu, 3.37 relu-derivative, 3.38 tanh-unit, 3.39 tanh, 3.40 tanh-derivative,
5.1 convolution, 5.2 convolution-commuted, 5.3 cross-correlation, 5.4 convolution-2d,
5.5 convolution-2d-commuted, 5.6 cross-correlation-2d, 5.7 normalised-correlation,
5.8 convolution-matrix, 5.9 connections, 5.10 max-pooling, 5.11 average-pooling, 5.12 l2-pooling,
5.13 max-pooling-backward, 5.14 average-pooling-backward, 5.15 l2-pooling-backward,
5.16 convolution-layer, 5.17 block, 5.18 convolution-backward-input,
5.19 convolution-backward-kernel, 5.20 convolution-backward-bias, 5.21 strided-convolution,
5.22 transposed-convolution, 5.23 tiled-convolution, 5.24 local-connection, 5.25 output-size,
5.26 same-padding, 5.27 convolution-parameters, 5.28 receptive-field, 5.29 subsampling,
5.30 scaled-tanh, 5.31 rbf-output,
6.1 rnn-hidden, 6.2 rnn-output, 6.3 output-recurrence-hidden, 6.4 output-recurrence-output,
6.5 single-output-hidden, 6.6 single-output, 6.7 initial-state, 6.8 sequence-loss, 6.9 unrolling,
6.10 teacher-forcing, 6.11 bidirectional-forward, 6.12 bidirectional-backward,
6.13 bidirectional-output, 6.14 bptt, 6.15 hidden-jacobian, 6.16 jacobian-bound, 6.17 bptt-error,
6.18 bptt-weights, 6.19 clip-norm, 6.20 clip-value, 6.21 lstm-block-input, 6.22 lstm-input-gate,
6.23 lstm-forget-gate, 6.24 lstm-cell, 6.25 lstm-output-gate, 6.26 lstm-output,
6.27 lstm-output-gate-error, 6.28 lstm-cell-error, 6.29 lstm-input-gate-error,
6.30 lstm-forget-gate-error, 6.31 lstm-block-input-error, 6.32 lstm-weights,
6.33 constant-error-carousel, 6.34 rnn-parameter-count, 6.35 lstm-parameter-count
"""


def test_a_published_number_keeps_its_meaning():
    published = [entry.split() for entry in PUBLISHED.replace("\n", " ").split(",")]
    assert [[row.number, row.key] for row in equations().values()] == published


@pytest.mark.parametrize("key", equations())
def test_every_equation_has_a_function_that_names_it(key):
    row = equations()[key]
    computing = functions_of(key)
    assert computing
    for function in computing:
        assert row in equations_of(function)
        assert f"({row.number})" in function.__doc__
        room = getattr(ketkar, public_name(function).split(".")[1])
        assert getattr(room, function.__name__) is function


def test_a_tag_returns_the_same_function_and_refuses_unknown_keys():
    def f():
        """Do nothing.

        More of it.
        """

    with pytest.raises(KeyError, match=r"there is no equation 'nothing' in equations.toml"):
        equation("nothing")
    with pytest.raises(KeyError, match="there is no equation"):
        functions_of("nothing")
    assert equations_of(f) == ()


def test_a_citation_names_function_equation_section_textbook_and_version():
    text = cite(ff.dense)
    for part in (
        "ketkar.feedforward.dense",
        f"ketkar {ketkar.__version__}",
        "(3.7)",
        '"Expressing the Neural Network in Vector Form"',
        "chapter 3",
        "Apress, 2017",
        "10.1007/978-1-4842-2766-4",
    ):
        assert part in text
    assert cite(ff.one_hot) == (
        f"The ketkar developers, ketkar.feedforward.one_hot, ketkar {ketkar.__version__}."
    )
    entry = cite(ff.dense, style="bibtex")
    assert entry.startswith("@software{ketkar,")
    assert "ketkar.feedforward.dense" in entry
    assert entry.count("{") == entry.count("}")


def test_only_functions_of_the_package_are_cited():
    with pytest.raises(ValueError, match="cite expects a function or class of ketkar"):
        cite(len)
    with pytest.raises(ValueError, match=r"cite expects a function or class of ketkar, got Dense"):
        cite(ketkar.network.Dense(3, 2))
    with pytest.raises(ValueError, match='style must be "text" or "bibtex"'):
        cite(ff.dense, style="apa")
