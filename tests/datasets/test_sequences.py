"""Sequences: what is asked of them has an answer, and no more than that."""

import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketkar.datasets import (
    POLARITY_WORDS,
    adding_problem,
    next_bit,
    polarity_sentences,
    recall_task,
    running_parity,
    text,
)

TASKS = {
    "recall_task": lambda N, rng, **more: recall_task(N, 9, rng, 0.1, **more),
    "running_parity": lambda N, rng, **more: running_parity(N, 9, rng, **more),
    "next_bit": lambda N, rng, **more: next_bit(N, 9, rng, **more),
    "adding_problem": lambda N, rng, **more: adding_problem(N, 9, rng, **more),
    "polarity_sentences": polarity_sentences,
}
seeds = st.integers(0, 10**6)


@pytest.mark.parametrize("make", TASKS.values(), ids=TASKS)
def test_the_seed_decides(make):
    a, b, c = make(20, 3), make(20, np.random.default_rng(3)), make(20, 4)
    assert np.array_equal(a.x, b.x)
    assert np.array_equal(a.y, b.y)
    assert not np.array_equal(a.x, c.x)


@pytest.mark.parametrize("make", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_type_is_that_which_was_asked_for(make, kind):
    x, y = make(5, 0, dtype=kind)
    assert x.dtype == kind
    assert y.dtype in (kind, np.int64)
    with pytest.raises(TypeError, match="dtype must be float32 or float64"):
        make(5, 0, dtype=int)


@pytest.mark.parametrize("make", TASKS.values(), ids=TASKS)
def test_there_is_no_global_randomness(make):
    with pytest.raises(TypeError, match="rng"):
        make(10, None)
    with pytest.raises(ValueError, match="N must be at least 1"):
        make(0, 0)


@given(st.integers(1, 9), st.integers(1, 9), seeds)
def test_only_the_first_symbol_is_there_to_be_recalled(N, tau, seed):
    x, y = recall_task(N, tau, seed)
    assert x.shape == (tau, N, 2)
    assert np.bincount(y, minlength=2).tolist() == [N - N // 2, N // 2]
    assert np.array_equal(x[0], np.eye(2)[y])
    assert not x[1:].any()


def test_noise_spares_the_first_symbol():
    x, y = recall_task(50, 40, 0, noise=0.3)
    assert np.array_equal(x[0], np.eye(2)[y])
    assert x[1:].std() == pytest.approx(0.3, abs=0.01)
    assert abs(x[1:].mean()) < 0.02


@given(st.integers(1, 5), st.integers(1, 12), seeds)
def test_parity_is_that_of_all_bits_so_far(N, tau, seed):
    x, y = running_parity(N, tau, seed)
    assert x.shape == (tau, N, 1)
    for n in range(N):
        ones = 0
        for t in range(tau):
            assert x[t, n, 0] in (0, 1)
            ones += x[t, n, 0]
            assert y[t, n] == ones % 2


@given(st.integers(1, 5), st.integers(1, 12), seeds)
def test_the_next_bit_is_the_next_bit(N, tau, seed):
    x, y = next_bit(N, tau, seed)
    assert x.shape == (tau, N, 1)
    assert set(np.unique(x)) <= {0, 1}
    assert np.array_equal(y[:-1], x[1:, :, 0])


def test_no_bit_tells_of_another():
    x, y = next_bit(20_000, 4, 0)
    bits = np.vstack([x[:, :, 0], y[-1:]])
    assert np.abs(np.corrcoef(bits) - np.eye(5)).max() < 0.03
    assert bits.mean(axis=1) == pytest.approx(np.full(5, 0.5), abs=0.02)


@given(st.integers(4, 60), seeds)
def test_the_sum_is_that_of_the_two_marked_numbers(tau, seed):
    x, y = adding_problem(30, tau, seed)
    assert x.shape == (tau, 30, 2)
    assert abs(x[:, :, 0]).max() <= 1
    for n in range(30):
        values, marks = x[:, n].T
        assert marks[0] == marks[-1] == -1
        inner = np.flatnonzero(marks[1:-1]) + 1
        assert (marks[inner] == 1).all()
        # a mark that fell on the first step hides under its -1, and the number there is 0
        assert len(inner) == 2 or (len(inner) == 1 and values[0] == 0)
        assert y[n] == pytest.approx(0.5 + values[inner].sum() / 4)
        assert inner[0] < min(10, tau // 2) or values[0] == 0
        assert inner[-1] < max(tau // 2, 2)


def test_marks_stand_everywhere_they_may():
    x, _ = adding_problem(20_000, 30, 0)
    often = (x[:, :, 1] == 1).mean(axis=1)
    assert often[10:15] == pytest.approx(np.full(5, 1 / 14), abs=0.01)
    assert often[1:10] == pytest.approx(np.full(9, 0.1 + 0.9 / 14), abs=0.02)
    assert often[15:].max() == 0
    assert (x[0, :, 0] == 0).mean() == pytest.approx(0.1 + 0.9 / 14, abs=0.01)


def words_of(sentence):
    return [POLARITY_WORDS[k] for k in sentence.argmax(axis=1)]


def test_a_sentence_praises_when_the_bad_word_is_negated():
    x, y = polarity_sentences(500, 0)
    assert x.shape == (6, 500, len(POLARITY_WORDS))
    assert np.array_equal(x.sum(axis=2), np.ones((6, 500)))
    good, bad = POLARITY_WORDS[4:7], POLARITY_WORDS[7:10]
    for n in range(500):
        words = words_of(x[:, n])
        after = words[words.index("not") + 1]
        assert (after in bad) == y[n]
        assert [word in good + bad for word in words].count(True) == 2
        praise = next(word for word in words if word in good)
        assert bad[good.index(praise)] in words  # the two are opposites


def test_a_bag_of_words_says_nothing():
    x, y = polarity_sentences(20_000, 0)
    bags = x.sum(axis=0) > 0
    shares = {}
    for bag, label in zip(map(tuple, bags), y, strict=True):
        shares.setdefault(bag, []).append(label)
    assert len(shares) == 3 * 6  # pairs of opposites, pairs of nouns
    assert all(abs(np.mean(labels) - 0.5) < 0.06 for labels in shares.values())
    # nor does a single word in its place: each stands there as often in praise as in blame
    for t in range(6):
        praise, blame = x[t, y == 1].mean(axis=0), x[t, y == 0].mean(axis=0)
        assert abs(praise - blame).max() < 0.03


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: recall_task(4, 0, 0), "tau must be at least 1"),
        (lambda: recall_task(4, 3, 0, noise=-0.1), "noise must be at least 0"),
        (lambda: running_parity(4, 0, 0), "tau must be at least 1"),
        (lambda: next_bit(4, 0, 0), "tau must be at least 1"),
        (lambda: adding_problem(4, 3, 0), "tau must be at least 4"),
    ],
)
def test_what_is_out_of_range_is_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_the_text_is_short_and_plain():
    poems = text()
    assert 5_000 < len(poems) < 15_000
    assert set(poems) <= set(string.ascii_letters + " \n!\"',-.:;?")
    assert poems.startswith("Jabberwocky\n")
    assert poems.endswith("With gently smiling jaws!\n")
    lines = poems.splitlines()
    assert all(line == line.strip() for line in lines)
    assert max(map(len, lines)) < 60
    assert "\n\n\n" not in poems
