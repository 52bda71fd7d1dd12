"""The door to the kernels: what is there, what is not, and what is said about it."""

import re
import textwrap

import numpy as np
import pytest

from ketkar import arrays
from ketkar.kernels import backend, driver
from ketkar.kernels.simulation import simulate

FUNCTIONS = {
    "exp", "sigmoid", "tanh",
    "dense_forward", "dense_backward", "dense_stack_forward", "dense_train_step",
    "conv2d_forward", "conv2d_input_gradient", "conv2d_kernel_gradient", "conv2d_bias_gradient",
    "max_pool2d_forward", "max_pool2d_backward", "avg_pool2d_forward", "avg_pool2d_backward",
    "l2_pool2d_forward", "l2_pool2d_backward", "rnn_forward", "rnn_backward", "lstm_forward",
    "lstm_backward", "output_forward", "output_backward", "output_loss",
}  # fmt: skip


def test_every_backend_is_named_and_explained():
    reasons = backend.available()
    assert tuple(reasons) == backend.BACKENDS
    assert reasons["numpy"] == ""
    assert all(isinstance(reason, str) for reason in reasons.values())


def test_backends_have_the_same_functions(cpu):
    with simulate():
        cuda = backend.kernels("cuda")
    for module in (backend.kernels("numpy"), cpu, cuda):
        assert all(callable(getattr(module, function)) for function in FUNCTIONS)
    assert set(cpu.__all__) == set(cuda.__all__) == FUNCTIONS | {"ALGORITHMS"}


def test_auto_follows_numpy_arrays_to_the_compiled_kernels(cpu):
    assert backend.kernels("auto", np.ones(3)) is cpu
    assert backend.kernels("auto") is cpu


def test_auto_does_not_take_a_device_array_for_a_numpy_array(monkeypatch):
    class OnDevice:
        __cuda_array_interface__ = None

    with pytest.raises(
        TypeError, match=r"do not work on OnDevice, an array of a device; cupy\.asarray"
    ):
        arrays.as_array(OnDevice())

    class Known(OnDevice):
        def __array_function__(self):
            raise NotImplementedError

    monkeypatch.setattr(driver, "why_not", lambda: "it is unplugged")
    with pytest.raises(RuntimeError, match=r'"cuda" is not there: it is unplugged; there is "n'):
        backend.kernels("auto", Known())


@pytest.mark.parametrize("name", ["gpu", "", "NumPy", None, ["cpu"]])
def test_unknown_backends_are_refused(name):
    with pytest.raises(ValueError, match='expected "auto", "numpy", "cpu" or "cuda"'):
        backend.kernels(name)


def test_ready_copies_only_what_a_kernel_could_not_take():
    x = np.arange(6.0).reshape(2, 3)
    assert backend.ready(x) is x
    frozen = x.copy()
    frozen.flags.writeable = False
    shifted = np.zeros(49, np.uint8)[1:].view(np.float64).reshape(2, 3)
    for array in (x.T, x[:, ::2], x[::-1], frozen, shifted, np.broadcast_to(1.0, (2, 2))):
        prepared = backend.ready(array)
        assert prepared is not array
        assert prepared.flags.carray
        np.testing.assert_array_equal(prepared, array)
    assert backend.ready(x, np.float32).dtype == np.float32


def test_threads_are_counted_or_asked_for(monkeypatch):
    monkeypatch.delenv("KETKAR_NUM_THREADS", raising=False)
    assert backend.threads() >= 1
    monkeypatch.setenv("KETKAR_NUM_THREADS", "3")
    assert backend.threads() == 3
    for wrong in ("0", "-1", "two", "1.5"):
        monkeypatch.setenv("KETKAR_NUM_THREADS", wrong)
        with pytest.raises(ValueError, match=re.escape(f"KETKAR_NUM_THREADS is {wrong!r}")):
            backend.threads()


def test_looking_for_backends_imports_no_numba(python):
    script = "import sys; from ketkar.kernels import backend; backend.available(); "
    script += "backend.kernels('numpy'); print('numba' in sys.modules, 'llvmlite' in sys.modules)"
    assert python("-c", script).stdout.split() == ["False", "False"]


def test_without_numba_numpy_does_everything(python):
    script = textwrap.dedent("""
        import sys
        sys.modules["numba"] = None  # the import system's way to say: not there
        from ketkar.kernels import backend
        assert backend.available()["cpu"].startswith("numba is not installed")
        assert backend.kernels("auto").__name__ == "ketkar.kernels.reference"
        try:
            backend.kernels("cpu")
        except RuntimeError as error:
            print(error)
    """)
    assert python("-c", script).stdout.strip() == (
        'backend "cpu" is not there: numba is not installed (python -m pip install numba); '
        'there is "numpy"'
    )


def test_a_broken_numba_is_an_error_and_no_silent_fall_back(tmp_path, python):
    (tmp_path / "numba.py").write_text("raise ImportError('numba needs an older NumPy')")
    script = textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        from ketkar.kernels import backend
        try:
            backend.kernels("auto")
        except RuntimeError as error:
            print(error)
    """)
    assert "numba needs an older NumPy" in python("-c", script).stdout
