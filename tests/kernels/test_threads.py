"""Threads: the same results on any number of them, from several callers, and after a fork."""

import multiprocessing
import threading

import numpy as np
import pytest

from ketkar.kernels import codes


@pytest.fixture(scope="module")
def stepped(cpu):
    """Steps a copy of a problem: the loss, theta and velocity."""

    def step(p):
        p = p.copy()
        return cpu.dense_train_step(*p), p.theta, p.velocity

    return step


@pytest.fixture(scope="module")
def large(problem):
    """Makes a problem just large enough to be split, with edges everywhere."""
    layers = [codes.TANH, codes.RELU, codes.IDENTITY]
    size = [301, 203, 97, 11], layers, codes.CROSS_ENTROPY, 211
    return lambda dtype=np.float64, seed=0: problem(*size, dtype, momentum=0.9, seed=seed)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_step_does_not_depend_on_the_number_of_threads(stepped, large, dtype, monkeypatch):
    results = []
    for number in ("1", "2", "3", "7"):
        monkeypatch.setenv("KETKAR_NUM_THREADS", number)
        results.append(stepped(large(dtype)))
    for value, theta, velocity in results[1:]:
        assert value == results[0][0]
        np.testing.assert_array_equal(theta, results[0][1])
        np.testing.assert_array_equal(velocity, results[0][2])


def test_large_work_is_split(cpu, large, monkeypatch):
    from ketkar.kernels.cpu import dense

    monkeypatch.setenv("KETKAR_NUM_THREADS", "3")
    p = large()
    assert dense.parts_of(len(p.x), p.theta.size) == 3
    assert dense.parts_of(1, p.theta.size) == 1
    assert dense.parts_of(10**9, 1) == 3
    assert dense.parts_of(20, 10**9) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_layer_does_not_depend_on_the_number_of_threads(cpu, dtype, monkeypatch):
    rng = np.random.default_rng(0)
    N, n, m = 217, 409, 203
    dz, x, W, b = (rng.standard_normal(s).astype(dtype) for s in ((N, m), (N, n), (n, m), m))
    results = []
    for number in ("1", "2", "5"):
        monkeypatch.setenv("KETKAR_NUM_THREADS", number)
        outputs = [np.full_like(array, np.nan) for array in (dz, x, W, b)]
        cpu.dense_forward(x, W, b, outputs[0])
        cpu.dense_backward(dz, x, W, *outputs[1:])
        results.append(outputs)
    for outputs in results[1:]:
        for got, expected in zip(outputs, results[0], strict=True):
            np.testing.assert_array_equal(got, expected)


def test_a_wrong_label_in_any_part_changes_nothing(stepped, large, monkeypatch):
    monkeypatch.setenv("KETKAR_NUM_THREADS", "3")
    for place in (0, 100, 210):
        p = large()
        p.labels[place] = 11
        value, theta, velocity = stepped(p)
        assert value == codes.LABEL_OUT_OF_RANGE
        np.testing.assert_array_equal(theta, p.theta)
        np.testing.assert_array_equal(velocity, p.velocity)


def test_eight_python_threads_at_once(stepped, large, monkeypatch):
    monkeypatch.setenv("KETKAR_NUM_THREADS", "2")
    problems = [large(seed=seed) for seed in range(8)]
    expected = [stepped(p) for p in problems]
    results = [[] for _ in problems]
    barrier = threading.Barrier(8)

    def run(i):
        barrier.wait()
        results[i] += [stepped(problems[i]) for _ in range(5)]

    workers = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for repeated, (value, theta, _) in zip(results, expected, strict=True):
        assert len(repeated) == 5
        for got_value, got_theta, _ in repeated:
            assert got_value == value
            np.testing.assert_array_equal(got_theta, theta)


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork"
)
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:os.fork.. was called:RuntimeWarning")  # by JAX, if imported
def test_a_forked_process_has_threads_of_its_own(stepped, large, monkeypatch):
    monkeypatch.setenv("KETKAR_NUM_THREADS", "2")
    expected = stepped(large())[0]  # now the threads of this process are started
    fork = multiprocessing.get_context("fork")
    answer = fork.SimpleQueue()
    child = fork.Process(target=lambda: answer.put(stepped(large())[0]))
    child.start()
    child.join(timeout=60)
    assert child.exitcode == 0
    assert answer.get() == expected


def test_an_error_in_a_part_is_raised_after_all_parts_ended(cpu):
    from ketkar.kernels.cpu.threads import split

    ended = []

    def work(part, parts):
        if part == 1:
            raise KeyError("part 1")
        ended.append(part)
        return part

    with pytest.raises(KeyError, match="part 1"):
        split(work, 4)
    assert sorted(ended) == [0, 2, 3]
    assert split(lambda part, parts: part * parts, 4) == [0, 4, 8, 12]


def test_work_inside_split_work_is_done_by_the_caller(cpu):
    from ketkar.kernels.cpu.threads import split

    def outer(part, parts):
        return split(lambda inner, _: (part, inner), 2)

    assert split(outer, 2) == [[(0, 0), (0, 1)], [(1, 0), (1, 1)]]


def test_chunks_are_done_once_each_and_most_by_whom_nothing_keeps(cpu):
    from ketkar.kernels.cpu import threads

    done, together = [[], []], threading.Barrier(2)
    others = threading.Event()

    def work(worker, chunk, chunks):
        assert chunks == 2 * threads.CHUNKS
        done[worker].append(chunk)
        if len(done[worker]) == 1:
            together.wait(60)  # until the other one has begun, too
            if worker == 1:
                assert others.wait(60)  # kept, until the other one has done all that is left
        if chunk == chunks - 1:
            others.set()
        return -chunk

    found = threads.share_out(work, 10**9, 1, 100, 2)
    assert len(done[1]) == 1
    assert sorted(done[0] + done[1]) == list(range(2 * threads.CHUNKS))
    assert sorted(found) == [-chunk for chunk in range(2 * threads.CHUNKS - 1, -1, -1)]


@pytest.mark.parametrize(
    ("total", "items", "workers", "chunks"),
    [(10**9, 100, 1, 1), (10**9, 3, 2, 3), (100, 100, 2, 2), (80 * 8, 100, 4, 8), (0, 0, 1, 1)],
)
def test_there_are_no_more_chunks_than_are_worth_it(cpu, total, items, workers, chunks):
    from ketkar.kernels.cpu import threads

    found = threads.share_out(lambda *given: given, total, 10, items, workers)
    assert sorted(chunk for _, chunk, _ in found) == list(range(chunks))
    assert {of for _, _, of in found} == {chunks}


def test_an_error_in_a_chunk_is_raised(cpu):
    from ketkar.kernels.cpu import threads

    def work(worker, chunk, chunks):
        if chunk == 3:
            raise ZeroDivisionError("in a chunk")

    with pytest.raises(ZeroDivisionError, match="in a chunk"):
        threads.share_out(work, 10**9, 1, 100, 2)
