"""The numbers of the chapter, worked by hand: each stands here as digits, not as a formula."""

import numpy as np
import pytest

from ketkar import convolutional as conv

SIGNS = [
    [1, -1, 1, -1, 1], [-1, 1, -1, 1, -1], [1, 1, -1, -1, 1], [-1, -1, 1, 1, -1], [1, -1, -1, 1, 1]
]  # fmt: skip
EDGE = [[1, 0, -1]] * 3


@pytest.mark.parametrize(
    ("kernel", "C", "M", "count"),
    [
        (5, 1, 6, 156),
        (3, 1, 32, 320),
        (3, 3, 64, 1792),
        (5, 3, 32, 2432),
        (11, 3, 96, 34944),
        (1, 256, 64, 16448),
        ((1, 3), 2, 5, 35),
    ],
)
def test_parameters(kernel, C, M, count):
    assert conv.conv2d_num_params(kernel, C, M) == count
    assert conv.conv2d_num_params(kernel, C, M, bias=False) == count - M


def test_parameters_of_named_networks():
    # AlexNet, its second, fourth and fifth layers cut into two groups
    layers = [(11, 3, 96, 1), (5, 96, 256, 2), (3, 256, 384, 1), (3, 384, 384, 2), (3, 384, 256, 2)]
    counts = [conv.conv2d_num_params(k, C, M, groups=g) for k, C, M, g in layers]
    assert counts == [34944, 307456, 885120, 663936, 442624]
    # LeNet-5, dense variant of its third layer
    assert conv.conv2d_num_params(5, 6, 16) == 2416
    assert conv.conv2d_num_params(5, 16, 120) == 48120
    # small kernels, stacked, have fewer weights than one large
    assert 2 * conv.conv2d_num_params(3, 64, 64, bias=False) == 73728
    assert conv.conv2d_num_params(5, 64, 64, bias=False) == 102400
    assert 3 * conv.conv2d_num_params(3, 64, 64, bias=False) == 110592
    assert conv.conv2d_num_params(7, 64, 64, bias=False) == 200704


def test_few_weights_against_a_dense_layer():
    dense = (32 * 32 * 3 + 1) * 32 * 32 * 32
    assert dense == 100_696_064
    assert round(dense / conv.conv2d_num_params(5, 3, 32)) == 41405
    lenet = (32 * 32 + 1) * 28 * 28 * 6
    assert lenet == 4_821_600
    assert round(lenet / conv.conv2d_num_params(5, 1, 6)) == 30908


def test_connections():
    assert conv.count_connections(5, 3, stride=1, padding=1) == 13
    assert conv.count_connections(5, 3, padding="same") == 13
    assert conv.count_connections(5, 3) == 9
    assert conv.count_connections(5, 1) == 5
    assert conv.count_connections(5, 3, stride=2, padding=1) == 2 + 3 + 2
    assert conv.count_connections(5, 5, padding=4) == 25
    assert conv.count_connections(4, 2, padding=(0, 3)) == 2 * 3 + 1
    assert conv.count_connections(3, 2, padding=(5, 0)) == 5
    assert conv.count_unique_weights(3) == 3
    assert conv.count_unique_weights(5, 1, 6) == 30
    assert conv.count_unique_weights((5, 5), 6, 16) == 2400


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "output"),
    [
        (7, 3, 1, 0, 5),
        (7, 3, 2, 0, 3),
        (7, 3, 1, 1, 7),
        (32, 5, 1, 0, 28),
        (28, 2, 2, 0, 14),
        (227, 11, 4, 0, 55),
        (224, 7, 2, 3, 112),
        (8, 3, 2, 1, 4),
        (8, 4, 1, "same", 8),
        (8, 4, 3, "same", 3),
        (8, 4, 3, "valid", 2),
        (6, 2, 1, (0, 1), 6),
    ],
)
def test_output_sizes(size, kernel, stride, padding, output, backend):
    assert conv.conv_output_size(size, kernel, stride, padding) == output
    x, K = np.ones((1, 1, size)), np.ones((1, 1, kernel))
    y = conv.conv1d(x, K, stride=stride, padding=padding, backend=backend)
    assert y.shape == (1, 1, output)


def test_output_sizes_of_images():
    assert conv.conv_output_size((32, 28), (5, 3), (1, 2), (0, 1)) == (28, 14)
    assert conv.conv_output_size([7, 9], 3, dilation=(2, 3)) == (3, 3)
    assert conv.conv_output_size((7, 9), 3, padding=((0, 1), (2, 0))) == (6, 9)
    assert conv.conv_output_size((7, 9), (2, 4), 2, "same") == (4, 5)
    assert conv.conv_output_size(7, 3, dilation=2) == 3


def test_padding_that_keeps_the_size():
    assert conv.same_padding(1) == (0, 0)
    assert conv.same_padding(2) == (0, 1)
    assert conv.same_padding(3) == (1, 1)
    assert conv.same_padding(4) == (1, 2)
    assert conv.same_padding(5, 2) == (4, 4)
    assert conv.same_padding((3, 4), (1, 2)) == ((1, 1), (3, 3))
    assert conv.same_padding((4, 1)) == ((1, 2), (0, 0))
    for kernel in (1, 3, 5, 7):
        assert conv.same_padding(kernel) == ((kernel - 1) // 2,) * 2


def test_receptive_fields():
    assert [conv.receptive_field([(3, 1)] * n) for n in range(8)] == [1, 3, 5, 7, 9, 11, 13, 15]
    assert [conv.receptive_field([(5, 1)] * n) for n in range(1, 5)] == [5, 9, 13, 17]
    assert conv.receptive_field([(5, 1), (2, 2), (5, 1), (2, 2)]) == 16
    assert conv.receptive_field([(3, 2), (3, 2), (3, 2)]) == 15
    assert conv.receptive_field([(3, 1, 1), (3, 1, 2), (3, 1, 4)]) == 15
    assert conv.receptive_field([(2, 2, 3), (3, 1)]) == 8


def test_the_exercise_with_signs(backend):
    # crossed with the kernel as it is; convolved, the sign turns because the kernel is odd
    answer = [[2, 2, -2], [0, 0, 0], [2, -2, -2]]
    assert conv.cross_correlate2d(SIGNS, EDGE).tolist() == answer
    assert (-conv.convolve2d(SIGNS, EDGE, "valid")).tolist() == answer
    assert conv.conv2d([[SIGNS]], [[EDGE]], backend=backend)[0, 0].tolist() == answer


IMAGE = [[[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]]]
KERNEL = [[[[1, 10], [100, 1000]]]]

PLAIN = [6521, 7632, 8743], [10965, 12076, 13187]
BELOW = [109, 120, 131]
HAND = {
    "plain": ({}, [*PLAIN]),
    "stride": ({"stride": 2}, [[6521, 8743]]),
    "stride of columns": ({"stride": (1, 2)}, [[6521, 8743], [10965, 13187]]),
    "stride of rows": ({"stride": (2, 1)}, [[6521, 7632, 8743]]),
    "top": ({"padding": ((1, 0), (0, 0))}, [[2100, 3200, 4300], *PLAIN]),
    "bottom": ({"padding": ((0, 1), (0, 0))}, [*PLAIN, BELOW]),
    "left": ({"padding": ((0, 0), (1, 0))}, [[5010, *PLAIN[0]], [9050, *PLAIN[1]]]),
    "right": ({"padding": ((0, 0), (0, 1))}, [[*PLAIN[0], 804], [*PLAIN[1], 1208]]),
    "columns": ({"padding": (0, 1), "stride": (2, 4)}, [[5010, 804]]),
    "dilation": ({"dilation": 2}, [[11931, 13042]]),
    "dilation of columns": ({"dilation": (1, 3)}, [[8541], [12985]]),
    "dilation of rows": ({"dilation": (2, 1)}, [[10921, 12032, 13143]]),
    "same": ({"padding": "same"}, [[*PLAIN[0], 804], [*PLAIN[1], 1208], [*BELOW, 12]]),
    "same, stride 2": ({"padding": "same", "stride": 2}, [[6521, 8743], [109, 131]]),
}


@pytest.mark.parametrize("name", HAND)
def test_layers_by_hand(name, backend):
    options, answer = HAND[name]
    y = conv.conv2d(IMAGE, KERNEL, [0.5], **options, backend=backend)
    assert (y - 0.5).tolist() == [[answer]]


def test_channels_kernels_and_groups_by_hand(backend):
    # two examples of four channels of one pixel; kernels of one tap
    x = np.array([[1, 2, 3, 4], [10, 20, 30, 40]], float)[:, :, None, None]
    K = np.array([[1, 10, 100, 1000], [1, 0, 0, -1]], float)[:, :, None, None]
    y = conv.conv2d(x, K, [1, 2], backend=backend)[:, :, 0, 0]
    assert y.tolist() == [[4322, -1], [43211, -28]]
    # two groups: the first two kernels see the first two channels
    K = np.array([[1, 10], [10, 1], [1, 100], [100, 1]], float)[:, :, None, None]
    y = conv.conv2d(x, K, groups=2, backend=backend)[:, :, 0, 0]
    assert y.tolist() == [[21, 12, 403, 304], [210, 120, 4030, 3040]]
    # depthwise: each channel has two kernels of its own
    K = np.array([1, 2, 3, 4, 5, 6, 7, 8], float)[:, None, None, None]
    y = conv.conv2d(x, K, groups=4, backend=backend)[:, :, 0, 0]
    assert y.tolist() == [[1, 2, 6, 8, 15, 18, 28, 32], [10, 20, 60, 80, 150, 180, 280, 320]]


def test_gradients_by_hand(backend):
    dy = [[[[1, 2, 0], [0, 0, 3]]]]
    grads = conv.conv2d_backward(dy, IMAGE, KERNEL, [0], backend=backend)
    assert grads.x.tolist() == [
        [[[1, 12, 20, 0], [100, 1200, 2003, 30], [0, 0, 300, 3000]]]
    ]  # fmt: skip
    # tap (r, s) meets 1 + 2 * 2 + 3 * 7, moved by r rows and s columns
    assert grads.K.tolist() == [[[[26, 32], [50, 56]]]]
    assert grads.b.tolist() == [6]
    strided = conv.conv2d_backward(
        [[[[1, 2]]]], IMAGE, KERNEL, padding=((1, 0), (1, 0)), stride=(4, 2), backend=backend
    )
    assert strided.x.tolist() == [[[[1000, 200, 2000, 0], [0] * 4, [0] * 4]]]
    assert strided.K.tolist() == [[[[0, 0], [4, 7]]]]
    assert strided.b is None


def test_signals_by_hand(backend):
    x = [[[1, 2, 3, 4], [0, 1, 0, 1]]]
    K = [[[1, 10], [100, 1000]]]
    assert conv.conv1d(x, K, backend=backend).tolist() == [[[1021, 132, 1043]]]
    assert conv.conv1d(x, K, [1], padding=(1, 0), stride=2, backend=backend).tolist() == [
        [[11, 133]]]  # fmt: skip
    assert conv.conv1d(x, K, dilation=2, padding="same", backend=backend).tolist() == [
        [[1020, 31, 1142, 3]]]  # fmt: skip
    grads = conv.conv1d_backward([[[1, 0, 2]]], x, K, [0], backend=backend)
    assert grads.x.tolist() == [[[1, 10, 2, 20], [100, 1000, 200, 2000]]]
    assert grads.K.tolist() == [[[7, 10], [0, 3]]]
    assert grads.b.tolist() == [3]


def test_transposed_by_hand(backend):
    x = [[[[1, 2], [3, 4]]]]

    def transposed(**options):
        return conv.conv2d_transpose(x, KERNEL, [0.5], **options, backend=backend) - 0.5

    assert transposed().tolist() == [[[[1, 12, 20], [103, 1234, 2040], [300, 3400, 4000]]]]
    assert transposed(padding=1).tolist() == [[[[1234]]]]
    assert transposed(padding=((1, 0), (0, 1))).tolist() == [[[[103, 1234], [300, 3400]]]]
    assert transposed(stride=2).tolist() == [
        [[[1, 10, 2, 20], [100, 1000, 200, 2000], [3, 30, 4, 40], [300, 3000, 400, 4000]]]
    ]
    assert transposed(stride=(1, 2), output_padding=(0, 1)).tolist() == [
        [[[1, 10, 2, 20, 0], [103, 1030, 204, 2040, 0], [300, 3000, 400, 4000, 0]]]
    ]
    assert transposed(dilation=(1, 2)).tolist() == [
        [[[1, 2, 10, 20], [103, 204, 1030, 2040], [300, 400, 3000, 4000]]]
    ]
    # an output padding that is only below the dilation
    assert transposed(dilation=(3, 1), output_padding=(2, 0)).tolist() == [
        [
            [
                [1, 12, 20],
                [3, 34, 40],
                [0] * 3,
                [100, 1200, 2000],
                [300, 3400, 4000],
                [0] * 3,
                [0] * 3,
            ]
        ]
    ]


def test_tiled_by_hand(backend):
    x = np.arange(1.0, 13).reshape(1, 1, 3, 4)
    K = np.array([[1, 10], [100, 1000]], float).reshape(2, 2, 1, 1, 1, 1)
    assert conv.tiled_conv2d(x, K, [0.5], backend=backend).tolist() == [
        [[[1.5, 20.5, 3.5, 40.5], [500.5, 6000.5, 700.5, 8000.5], [9.5, 100.5, 11.5, 120.5]]]
    ]


def test_locally_connected_by_hand():
    x = np.arange(1.0, 7).reshape(1, 1, 2, 3)
    K = np.array([[1, 10], [100, 1000]], float).reshape(1, 2, 1, 1, 2, 1) * [[1.0, 1.0]]
    # both places: the row above is 1 + 2 or 2 + 3, the one below 4 + 5 or 5 + 6
    assert conv.locally_connected2d(x, K).tolist() == [[[[3 + 90, 500 + 11000]]]]
    assert conv.locally_connected2d(x, K, [[[1.0, 2.0]]]).tolist() == [[[[94, 11502]]]]
