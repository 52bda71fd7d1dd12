"""Every pair of a layer and its backward function against finite differences, random shapes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ketkar import convolutional as conv
from ketkar.gradcheck import gradcheck

SMALL, ZEROS = st.integers(1, 2), st.integers(0, 2)
PAIR, PADS = st.tuples(SMALL, SMALL), st.tuples(*[st.tuples(ZEROS, ZEROS)] * 2)
WINDOW = st.tuples(st.integers(1, 3), st.integers(1, 3))


def check(name, shapes, options):
    """Draw x, K and b of these shapes and check the gradients of all three, and of x and K."""
    forward, backward = getattr(conv, name), getattr(conv, f"{name}_backward")
    rng = np.random.default_rng(sum(map(sum, shapes)))
    arrays = [rng.normal(size=shape) for shape in shapes]
    for given_ in (arrays, arrays[:2]):
        report = gradcheck(
            lambda *a: forward(*a, **options),
            lambda dy, *a: tuple(g for g in backward(dy, *a, **options) if g is not None),
            *given_,
        )
        assert len(report.rows) == len(given_)
        assert report, f"{name} {shapes} {options}\n{report}"


def room(draw, window, dilation=(1, 1), pads=((0, 0), (0, 0))):
    """The size of an image into which the dilated window fits."""
    return [
        max(1, d * (k - 1) + 1 - sum(p)) + draw(st.integers(0, 2))
        for k, d, p in zip(window, dilation, pads, strict=True)
    ]


@settings(max_examples=25)
@given(data=st.data(), window=WINDOW, stride=PAIR, dilation=PAIR, pads=PADS, groups=SMALL)
def test_conv2d(backend, data, window, stride, dilation, pads, groups):
    N, C, M = data.draw(SMALL), data.draw(SMALL), groups * data.draw(SMALL)
    shapes = (N, groups * C, *room(data.draw, window, dilation, pads)), (M, C, *window), (M,)
    check("conv2d", shapes, {"stride": stride, "dilation": dilation, "padding": pads,
                             "groups": groups, "backend": backend})  # fmt: skip


@settings(max_examples=25)
@given(data=st.data(), k=st.integers(1, 4), stride=SMALL, dilation=SMALL, groups=SMALL,
       padding=st.tuples(ZEROS, ZEROS) | st.sampled_from(["same", "valid"]))  # fmt: skip
def test_conv1d(backend, data, k, stride, dilation, groups, padding):
    T = dilation * (k - 1) + data.draw(st.integers(1, 4))
    C, M = data.draw(SMALL), groups * data.draw(SMALL)
    shapes = (data.draw(SMALL), groups * C, T), (M, C, k), (M,)
    check("conv1d", shapes, {"stride": stride, "dilation": dilation, "padding": padding,
                             "groups": groups, "backend": backend})  # fmt: skip


@settings(max_examples=25)
@given(data=st.data(), window=WINDOW, stride=PAIR, dilation=PAIR, groups=SMALL)
def test_conv2d_transpose(backend, data, window, stride, dilation, groups):
    N, C, M = data.draw(SMALL), groups * data.draw(SMALL), data.draw(SMALL)
    # at least as many rows and columns as the padding may take away
    size = [data.draw(st.integers(2, 3)) for _ in range(2)]
    pads = [data.draw(st.tuples(st.integers(0, 1), st.just(0))) for _ in range(2)]
    extra = tuple(data.draw(st.integers(0, max(s, d) - 1))
                  for s, d in zip(stride, dilation, strict=True))  # fmt: skip
    shapes = (N, C, *size), (C, M, *window), (groups * M,)
    check("conv2d_transpose", shapes, {"stride": stride, "dilation": dilation, "padding": pads,
          "output_padding": extra, "groups": groups, "backend": backend})  # fmt: skip


@settings(max_examples=20)
@given(data=st.data(), window=WINDOW, stride=PAIR, pads=PADS, t=st.integers(1, 3))
def test_tiled_conv2d(backend, data, window, stride, pads, t):
    N, C, M = data.draw(SMALL), data.draw(SMALL), data.draw(SMALL)
    shapes = (N, C, *room(data.draw, window, pads=pads)), (t, t, M, C, *window), (M,)
    check("tiled_conv2d", shapes, {"stride": stride, "padding": pads, "backend": backend})


@settings(max_examples=20)
@given(data=st.data(), window=WINDOW, stride=PAIR, pads=PADS, everywhere=st.booleans())
def test_locally_connected2d(data, window, stride, pads, everywhere):
    N, C, M = data.draw(SMALL), data.draw(SMALL), data.draw(SMALL)
    size = room(data.draw, window, pads=pads)
    places = conv.conv_output_size(tuple(size), window, stride, pads)
    bias = (M,) if everywhere else (M, *places)
    shapes = (N, C, *size), (*places, M, C, *window), bias
    check("locally_connected2d", shapes, {"stride": stride, "padding": pads})


@settings(max_examples=25)
@given(
    data=st.data(), window=WINDOW, stride=PAIR, size=PAIR, pool_stride=PAIR | st.none(),
    pool=st.sampled_from(["max", "avg", "l2"]),
    activation=st.sampled_from(["tanh", "sigmoid", "identity"]),
)  # fmt: skip
def test_a_block(backend, data, window, stride, size, pool_stride, pool, activation):
    N, C, M = data.draw(SMALL), data.draw(SMALL), data.draw(SMALL)
    # 2 places at least, so that the pooling finds its window
    image = [n + s for n, s in zip(room(data.draw, window), stride, strict=True)]
    options = {"activation": activation, "pool": pool, "size": size, "stride": stride,
               "pool_stride": pool_stride, "backend": backend}  # fmt: skip
    check("conv_detector_pool", ((N, C, *image), (M, C, *window), (M,)), options)


def test_blocks_in_parallel(backend, draw):
    x, K1, b1, K2 = draw((2, 2, 6, 6), (2, 2, 3, 3), 2, (1, 2, 1, 1))

    def blocks(K1, b1, K2):
        return [conv.Block(K1, b1, "tanh", padding=1), {"K": K2, "pool": "avg"}]

    def backward(dy, x, *parameters):
        found = conv.parallel_blocks_backward(dy, x, blocks(*parameters), backend=backend)
        first, second = found.blocks
        assert second.b is None
        return found.x, first.K, first.b, second.K

    report = gradcheck(
        lambda x, *parameters: conv.parallel_blocks(x, blocks(*parameters), backend=backend),
        backward, x, K1, b1, K2,
    )  # fmt: skip
    assert report, report
