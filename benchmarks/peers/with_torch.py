"""PyTorch. No tensor asks for a gradient, so that no graph is recorded.

Gradients come from the operations behind ``backward()``, called directly: measured side by side,
that is as fast as ``torch.autograd.grad`` on a kept graph or faster. `device` is "cpu" or "cuda".
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from benchmarks.problems import Layer, Pooling, Sequences
from benchmarks.rows import Call
from ketkar.kernels.backend import threads

aten = torch.ops.aten


def _tensors(*arrays: Any, channels_last: bool = False, device: str = "cpu") -> list[Any]:
    torch.set_num_threads(threads())
    torch.set_grad_enabled(False)
    found = [None if array is None else torch.from_numpy(array).to(device) for array in arrays]
    if channels_last:
        found = [_channels_last(t) if t is not None and t.ndim == 4 else t for t in found]
    return found


def _channels_last(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous(memory_format=torch.channels_last)


def convolution(layer: Layer, channels_last: bool = False, device: str = "cpu") -> Call:
    """Sequences have no channels-last form in torch, so there they are images of one row."""
    given: list[Any] = list(layer.arrays()[1:])
    if len(layer.x) == 3 and channels_last:
        given[:2] = [array[:, :, None] for array in given[:2]]
        x, K, b = _tensors(*given, channels_last=True, device=device)
        stride, padding = (1, layer.stride), (0, layer.padding)
        return lambda: functional.conv2d(x, K, b, stride, padding).squeeze(2)
    f = functional.conv1d if len(layer.x) == 3 else functional.conv2d
    x, K, b = _tensors(*given, channels_last=channels_last, device=device)
    return lambda: f(x, K, b, layer.stride, layer.padding)


def convolution_backward(layer: Layer, channels_last: bool = False, device: str = "cpu") -> Call:
    dy, x, K, _ = layer.arrays()
    stride, padding = [layer.stride] * (x.ndim - 2), [layer.padding] * (x.ndim - 2)
    row = x.ndim == 3 and channels_last
    if row:
        dy, x, K = dy[:, :, None], x[:, :, None], K[:, :, None]
        stride, padding = [1, *stride], [0, *padding]
    dy, x, K = _tensors(dy, x, K, channels_last=channels_last, device=device)
    one, none = [1] * len(stride), [0] * len(stride)
    sizes, wanted = [layer.K[0]], [True, True, layer.bias]

    def backward() -> Any:
        return aten.convolution_backward(
            dy, x, K, sizes, stride, padding, one, False, none, 1, wanted
        )

    def backward_of_a_row() -> Any:
        dx, dK, db = backward()
        return dx.squeeze(2), dK.squeeze(2), db

    return backward_of_a_row if row else backward


def fft_filter(layer: Layer, size: int) -> Call:
    """The filter as a product of transforms; both, and the way back, belong to the call."""
    _, x, K, _ = layer.arrays()
    x, K = _tensors(x[0, 0], K[0, 0])
    H, W = x.shape
    R, S = K.shape
    shape = (size, size)
    top, left = R - 1 - layer.padding, S - 1 - layer.padding

    def run() -> Any:
        spectrum = torch.fft.rfft2(x, shape)
        spectrum.mul_(torch.fft.rfft2(K.flip(0, 1), shape))
        y = torch.fft.irfft2(spectrum, shape)
        return y[None, None, top : top + H, left : left + W]

    return run


def pooling(pool: Pooling, channels_last: bool = False, device: str = "cpu") -> Call:
    """L2 as the root of the sum of squares: faster than ``lp_pool2d``."""
    (x,) = _tensors(pool.arrays()[1], channels_last=channels_last, device=device)
    size, stride = pool.size, pool.stride
    if pool.kind == "max":
        return lambda: functional.max_pool2d(x, size, stride)
    if pool.kind == "average":
        return lambda: functional.avg_pool2d(x, size, stride)
    return lambda: functional.avg_pool2d(x * x, size, stride, divisor_override=1).sqrt()


def pooling_backward(pool: Pooling, channels_last: bool = False, device: str = "cpu") -> Call:
    """The forward's places of the maxima, and its norms, are known before the call begins."""
    dy, x = _tensors(*pool.arrays(), channels_last=channels_last, device=device)
    size, stride, none, one = [pool.size] * 2, [pool.stride] * 2, [0, 0], [1, 1]
    if pool.kind == "max":
        places = aten.max_pool2d_with_indices(x, size, stride)[1]
        backward = aten.max_pool2d_with_indices_backward
        return lambda: backward(dy, x, size, stride, none, one, False, places)
    spread = aten.avg_pool2d_backward
    if pool.kind == "average":
        return lambda: spread(dy, x, size, stride, none, False, True, None)
    y = functional.avg_pool2d(x * x, size, stride, divisor_override=1).sqrt()
    return lambda: spread(dy / y, x, size, stride, none, False, True, 1).mul_(x)


def product(x: Any, W: Any, b: Any, device: str = "cpu") -> Call:
    """A dense layer x W + b."""
    x, W, b = _tensors(x, W, b, device=device)
    return lambda: torch.addmm(b, x, W)


def product_backward(dz: Any, x: Any, W: Any, device: str = "cpu") -> Call:
    """Its gradients dx, dW and db."""
    dz, x, W = _tensors(dz, x, W, device=device)
    return lambda: (dz @ W.T, x.T @ dz, dz.sum(0))


def activation(name: str, x: Any, device: str = "cpu") -> Call:
    """One of torch's functions, such as sigmoid."""
    (x,) = _tensors(x, device=device)
    f = getattr(torch, name)
    return lambda: f(x)


def training_step(
    params: Sequence[Any], lr: float, x: Any, labels: Any, device: str = "cpu"
) -> Call:
    """Steepest descent on two dense layers from our parameters W, b, W, b."""
    x, labels = _tensors(x, labels, device=device)
    torch.set_grad_enabled(True)
    (n, m), k = params[0].shape, params[2].shape[1]
    network = torch.nn.Sequential(torch.nn.Linear(n, m), torch.nn.ReLU(), torch.nn.Linear(m, k))
    network.to(device)
    with torch.no_grad():
        for parameter, value in zip(network.parameters(), params, strict=True):
            parameter.copy_(torch.from_numpy(value.T))
    loss, optimiser = torch.nn.CrossEntropyLoss(), torch.optim.SGD(network.parameters(), lr=lr)

    def step() -> Any:
        optimiser.zero_grad()
        value = loss(network(x), labels)
        value.backward()
        optimiser.step()
        return value.detach()

    return step


def rnn(problem: Sequences, device: str = "cpu") -> Call:
    """Loss and gradients by autograd, as PyTorch is used."""
    p = problem.rnn()
    x, labels, *given = _tensors(*problem.arrays(), *p, device=device)
    torch.set_grad_enabled(True)
    network = torch.nn.RNN(problem.n, problem.h, device=device)
    output = torch.nn.Linear(problem.h, problem.outputs, device=device)
    wanted = [
        network.weight_ih_l0, network.weight_hh_l0, network.bias_ih_l0, output.weight, output.bias
    ]  # fmt: skip
    _fill([*wanted, network.bias_hh_l0], [*given, torch.zeros(problem.h)])
    loss = torch.nn.CrossEntropyLoss()

    def run() -> Any:
        states, _ = network(x)
        value = loss(output(states).flatten(0, 1), labels.flatten())
        return value.detach(), *torch.autograd.grad(value, wanted)

    return run


def _fill(parameters: Sequence[Any], values: Sequence[Any]) -> None:
    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=True):
            parameter.copy_(value)


def lstm(problem: Sequences, device: str = "cpu") -> Call:
    """Its gates stand in the order i, f, z, o; there are two biases, of which one is zero."""
    p = problem.lstm()
    order = [1, 2, 0, 3]
    W, R, b = ([group[k] for k in order] for group in (p[:4], p[4:8], p[11:]))
    arrays = problem.arrays()[0], problem.output_gradient(), *W, *R, *b
    x, dy, *given = _tensors(*arrays, device=device)
    torch.set_grad_enabled(True)
    network = torch.nn.LSTM(problem.n, problem.h, device=device)
    wanted = [network.weight_ih_l0, network.weight_hh_l0, network.bias_ih_l0]
    stacked = [torch.cat(given[k : k + 4]) for k in (0, 4, 8)]
    _fill([*wanted, network.bias_hh_l0], [*stacked, torch.zeros(4 * problem.h)])
    x.requires_grad_()

    def run() -> Any:
        y, _ = network(x)
        dx, *grads = torch.autograd.grad(y, [x, *wanted], dy)
        apart = [g.chunk(4) for g in grads]
        return dx, *(group[order.index(k)] for group in apart for k in range(4))

    return run
