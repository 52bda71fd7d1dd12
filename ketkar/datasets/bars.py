"""Small pictures of bars and of single pixels, made to show what a convolutional network can do."""

from __future__ import annotations

from typing import Final

import numpy as np

from ketkar import checks
from ketkar.datasets.dataset import Dataset

__all__ = ["bars", "one_pixel", "two_bars"]

# a step up, right, down and left, as rows and columns
STEPS: Final = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]])
# the arms of an L, a T and a + before they are turned
ARMS: Final = ((0, 1), (0, 1, 2), (0, 1, 2, 3))


def bars(
    N: int,
    rng: np.random.Generator | int,
    *,
    size: int = 12,
    length: int = 4,
    noise: float = 0.1,
) -> Dataset:
    """Pictures of one bar, horizontal or vertical, that may lie anywhere.

    The bar is one pixel thick and bright, 1 on a ground of 0. Which way it runs is the class;
    where it lies says nothing about the class, so a pixel on its own says next to nothing.

    Parameters
    ----------
    N : int
        Number of pictures, half of each class (one more of the first if odd), in random order.
    rng : numpy.random.Generator or int
        The source of randomness, or a seed.
    size : int
        Rows and columns of a picture.
    length : int
        Length of the bar, from 2 to `size`.
    noise : float
        Standard deviation of the noise on each pixel, at least 0.

    Returns
    -------
    Dataset
        x (N, 1, size, size), y (N,) 0 for a horizontal bar and 1 for a vertical one.

    Examples
    --------
    >>> data = bars(2, rng=2, size=4, length=3, noise=0)
    >>> data.y
    array([0, 1])
    >>> data.x[1, 0].astype(int)
    array([[1, 0, 0, 0],
           [1, 0, 0, 0],
           [1, 0, 0, 0],
           [0, 0, 0, 0]])
    """
    rng = checks.generator(rng)
    N, size = checks.count(N, "N", least=2), checks.count(size, "size", least=2)
    length = checks.count(length, "length", least=2)
    if length > size:
        raise ValueError(f"a bar of length {length} does not fit into {size} x {size} pixels")
    noise = checks.between(noise, "noise", 0, np.inf)
    y = rng.permutation(np.arange(N) % 2)
    across, along = rng.integers(0, size, N), rng.integers(0, size - length + 1, N)
    images = rng.normal(0, noise, (N, size, size))
    for image, vertical, a, b in zip(images, y, across, along, strict=True):
        # the transposed view of a picture turns the horizontal bar into a vertical one
        (image.T if vertical else image)[a, b : b + length] += 1
    return Dataset(images[:, None], y)


def one_pixel(size: int = 8) -> Dataset:
    """All pictures with one bright pixel; the class is whether its column is even or odd.

    A question of *where* and not of *what*: a network that forgets places cannot answer it.

    Parameters
    ----------
    size : int
        Rows and columns of a picture, at least 2.

    Returns
    -------
    Dataset
        x (size * size, 1, size, size), one picture for each place, row by row; y (size * size,)
        the column of the bright pixel modulo 2, columns counted from 0.

    Examples
    --------
    >>> data = one_pixel(2)
    >>> data.x[1, 0].astype(int)
    array([[0, 1],
           [0, 0]])
    >>> data.y
    array([0, 1, 0, 1])
    """
    size = checks.count(size, "size", least=2)
    images = np.eye(size * size).reshape(-1, 1, size, size)
    return Dataset(images, np.tile(np.arange(size) % 2, size))


def two_bars(
    N: int,
    rng: np.random.Generator | int,
    *,
    size: int = 20,
    arm: int = 3,
    gap: int = 0,
    noise: float = 0.1,
) -> Dataset:
    """Pictures of shapes made of a horizontal and a vertical bar: L, T and plus sign.

    From a centre run two, three or four arms, turned by a random multiple of 90 degrees. Every
    shape has horizontal and vertical parts, so only their arrangement tells the classes apart.
    A `gap` around the centre takes the parts away from each other: with a gap of at least the side
    of a window, no window shows two arms at once.

    Parameters
    ----------
    N : int
        Number of pictures, a third of each class (as far as N divides), in random order.
    rng : numpy.random.Generator or int
        The source of randomness, or a seed.
    size : int
        Rows and columns of a picture. The centre may lie anywhere that leaves two dark pixels
        beyond the end of an arm on every side.
    arm : int
        Length of an arm in pixels.
    gap : int
        How far from the centre an arm begins; 0 means that the arms share the centre.
    noise : float
        Standard deviation of the noise on each pixel, at least 0.

    Returns
    -------
    Dataset
        x (N, 1, size, size), y (N,) 0 for an L (two arms at a right angle), 1 for a T (three),
        2 for a plus sign (four).

    Examples
    --------
    >>> data = two_bars(3, rng=2, size=9, noise=0)
    >>> data.y
    array([2, 0, 1])
    >>> data.x[2, 0, 2:7, 2:7].astype(int)
    array([[0, 0, 0, 0, 0],
           [0, 0, 0, 0, 0],
           [1, 1, 1, 1, 1],
           [0, 0, 1, 0, 0],
           [0, 0, 1, 0, 0]])
    """
    rng = checks.generator(rng)
    N, size = checks.count(N, "N", least=3), checks.count(size, "size")
    arm, gap = checks.count(arm, "arm", least=2), checks.count(gap, "gap", least=0)
    noise = checks.between(noise, "noise", 0, np.inf)
    reach = gap + arm - 1 + 2  # from the centre to the edge of the picture
    if 2 * reach + 1 > size:
        raise ValueError(
            f"arms of {arm} pixels with a gap of {gap} need a picture of at least "
            f"{2 * reach + 1} x {2 * reach + 1} pixels, got {size} x {size}"
        )
    y = rng.permutation(np.arange(N) % 3)
    centre, turn = rng.integers(reach, size - reach, (N, 2)), rng.integers(0, 4, N)
    images = rng.normal(0, noise, (N, size, size))
    distance = np.arange(gap, gap + arm)
    for image, label, at, quarter in zip(images, y, centre, turn, strict=True):
        steps = STEPS[(np.array(ARMS[label]) + quarter) % 4]
        rows, columns = (at + distance[:, None, None] * steps).reshape(-1, 2).T
        lit = np.zeros((size, size), bool)
        lit[rows, columns] = True
        image += lit
    return Dataset(images[:, None], y)
