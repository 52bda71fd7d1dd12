"""The kernels in Numba, for the processor: the same functions as `ketkar.kernels.reference`."""

from ketkar.kernels.cpu.dense import (
    dense_backward,
    dense_forward,
    dense_stack_forward,
    dense_train_step,
)

__all__ = ["dense_backward", "dense_forward", "dense_stack_forward", "dense_train_step"]
