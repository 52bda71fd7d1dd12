"""LeNet-5 as it was published in 1998: subsampling that learns, a table of maps, codes of digits.

The image is 32 x 32 pixels, so that a stroke's end at its edge still lies in the middle of some
window of the last convolution. The maps of C3 read chosen maps of S2, which saves weights and
makes maps differ. The 84 units of F6 are asked to draw the digit, as a picture of 7 x 12 pixels,
and the answer is the digit whose picture is nearest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ketkar import checks
from ketkar.network import (
    Chain,
    Conv2d,
    Dense,
    Flatten,
    RadialBasis,
    ScaledTanh,
    Subsampling,
    TableConv2d,
    chain,
)
from ketkar.systems.lenet import falling_rates
from ketkar.training import Fit, fit

__all__ = ["C3_TABLE", "digit_codes", "frame_digits", "lenet5_1998", "train_lenet5_1998"]

C3_TABLE: tuple[tuple[int, ...], ...] = (
    *(tuple((first + i) % 6 for i in range(3)) for first in range(6)),  # three neighbours
    *(tuple((first + i) % 6 for i in range(4)) for first in range(6)),  # four neighbours
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),  # two pairs
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip
"""Which maps of S2 each of the 16 maps of C3 reads: 60 pairs of the 96 there are."""

GREY_FROM, GREY_TO = -0.1, 1.175
ROWS, COLUMNS = 12, 7

# Ten digits, drawn for this package; one row of pixels a line, one digit a column.
_DRAWN = """
..###.. ...#... .#####. .#####. ....##. ####### ..####. ####### .#####. .#####.
.##.##. ..##... ##...## ##...## ...###. ##..... .##.... .....## ##...## ##...##
##...## .###... .....## .....## ..####. ##..... ##..... .....## ##...## ##...##
##...## ...#... .....## .....## .##.##. ##..... ##..... ....##. ##...## ##...##
##...## ...#... ....##. .....## .#..##. #####.. ##.###. ....##. .##.##. ##...##
##...## ...#... ...##.. ..####. ##..##. ....##. ###..## ...##.. ..###.. .######
##...## ...#... ..##... .....## ##..##. .....## ##...## ...##.. .##.##. ..##.##
##...## ...#... .##.... .....## ####### .....## ##...## ..##... ##...## .....##
##...## ...#... ##..... .....## ....##. .....## ##...## ..##... ##...## .....##
##...## ...#... ##..... .....## ....##. ##...## ##...## .##.... ##...## ....##.
.##.##. ...#... ##..... ##...## ....##. .##.##. .##.##. .##.... ##...## ...##..
..###.. .#####. ####### .#####. ....##. ..###.. ..###.. .##.... .#####. .###...
"""


def digit_codes() -> NDArray[np.float64]:
    """The ten digits as pictures of 12 x 7 pixels, 1 for ink and -1 for paper, (10, 84).

    Examples
    --------
    >>> one = digit_codes()[1].reshape(12, 7)
    >>> one[:3].astype(int)
    array([[-1, -1, -1,  1, -1, -1, -1],
           [-1, -1,  1,  1, -1, -1, -1],
           [-1,  1,  1,  1, -1, -1, -1]])
    """
    rows = [line.split() for line in _DRAWN.split("\n") if line]
    pictures = ["".join(row[digit] for row in rows) for digit in range(10)]
    return np.array([[1.0 if p == "#" else -1.0 for p in picture] for picture in pictures])


def frame_digits(x: ArrayLike) -> NDArray[Any]:
    """Images of 28 x 28 in a frame of two pixels; paper becomes -0.1 and ink 1.175.

    Over a set such as MNIST the mean pixel is then about 0 and the variance about 1, which speeds
    learning up.

    Parameters
    ----------
    x : array_like
        Grey values in [0, 1], (N, 1, 28, 28).

    Returns
    -------
    ndarray
        (N, 1, 32, 32).

    Raises
    ------
    ValueError
        If `x` is not (N, 1, 28, 28).

    Examples
    --------
    >>> frame_digits(np.ones((1, 1, 28, 28)))[0, 0, 15, :4]
    array([-0.1  , -0.1  ,  1.175,  1.175])
    """
    array = checks.float_array(x, "x")
    checks.axes(array, "x", ("batch", "channel", "row", "column"), "frame_digits")
    if array.shape[1:] != (1, 28, 28):
        raise ValueError(f"x has shape {array.shape}; frame_digits expects (N, 1, 28, 28)")
    framed = np.pad(array, ((0, 0), (0, 0), (2, 2), (2, 2)))
    return framed * array.dtype.type(GREY_TO - GREY_FROM) + array.dtype.type(GREY_FROM)


def lenet5_1998() -> Chain:
    """1 x 32 x 32 pixels to the scores of 10 digits: C1, S2, C3, S4, C5, F6 and the codes.

    Returns
    -------
    Chain
        The network; it takes images (N, 1, 32, 32) as :func:`frame_digits` makes them. Its output
        is minus the squared distance of F6 from each digit's code.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, *Gradient-based learning applied to document
    recognition*, Proceedings of the IEEE 86, 1998, section II.B.

    Examples
    --------
    >>> from ketkar.network import count_parameters
    >>> net = lenet5_1998()
    >>> net.output_shape((1, 32, 32))
    (10,)
    >>> count_parameters(net.init(rng=0))
    60000
    """
    return chain(
        Conv2d(1, 6, 5), ScaledTanh(),  # C1: 156
        Subsampling(6), ScaledTanh(),  # S2: 12
        TableConv2d(C3_TABLE, 6, 5), ScaledTanh(),  # C3: 1,516
        Subsampling(16), ScaledTanh(),  # S4: 32
        Conv2d(16, 120, 5), ScaledTanh(),  # C5: 48,120
        Flatten(),
        Dense(120, 84), ScaledTanh(),  # F6: 10,164
        RadialBasis(digit_codes()),
    )  # fmt: skip


def train_lenet5_1998(
    network: Chain,
    x: ArrayLike,
    y: ArrayLike,
    rng: np.random.Generator | int,
    *,
    epochs: int = 10,
    **settings: Any,
) -> Fit:
    """Train the network of 1998 on its second loss: near the right code, far from the others.

    The cross entropy of the scores is the paper's loss without its constant for "no digit". The
    steps are not the paper's, which takes one image at a time and estimates curvatures: they are
    mini-batch descent with momentum.

    Parameters
    ----------
    network : Chain
        The network, as :func:`lenet5_1998` makes it.
    x : array_like
        Images, (N, 1, 32, 32), as :func:`frame_digits` makes them.
    y : array_like
        The digits, (N,).
    rng : numpy.random.Generator or int
        Draws the initial weights and the order of the examples.
    epochs : int
        How often to go through the data.
    **settings
        Anything else that :func:`ketkar.training.fit` takes; it goes before the settings here.

    Returns
    -------
    Fit
        The trained parameters and the history.

    Examples
    --------
    >>> from ketkar.datasets import digits
    >>> from ketkar.systems import enlarge_digits
    >>> train, _ = digits(rng=0)
    >>> x = frame_digits(enlarge_digits(train.x[:64]))
    >>> run = train_lenet5_1998(lenet5_1998(), x, train.y[:64], rng=0, epochs=2)
    >>> bool(run.history.loss[1] < run.history.loss[0])
    True
    """
    rng = checks.generator(rng)
    own: dict[str, Any] = {
        "loss": "cross_entropy", "lr": falling_rates(epochs, 0.001), "momentum": 0.9,
        "batch_size": 32,
    }  # fmt: skip
    params = network.init(rng, np.float32)
    return fit(network, params, x, y, epochs=epochs, rng=rng, **(own | settings))
