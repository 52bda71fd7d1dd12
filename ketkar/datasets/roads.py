"""Roads as ALVINN saw them: 30 x 32 pixels, and how far to steer."""

from __future__ import annotations

import numpy as np

from ketkar import checks
from ketkar.datasets.dataset import Dataset

__all__ = ["roads"]

HEIGHT, WIDTH, DIRECTIONS = 30, 32, 30
HORIZON = 6


def roads(N: int, rng: np.random.Generator | int, noise: float = 0.1) -> Dataset:
    """Generated pictures of a road between two lines, bending to the left or to the right.

    The road starts below the middle of the picture, narrows towards the horizon and bends as far
    as the direction says: 0 is as far left as the wheel turns, 29 as far right. From picture to
    picture the car stands elsewhere in its lane, and the light changes.

    Parameters
    ----------
    N : int
        Number of pictures.
    rng : numpy.random.Generator or int
        The source of randomness, or a seed.
    noise : float
        Standard deviation of the noise on each pixel, at least 0.

    Returns
    -------
    Dataset
        x (N, 960) grey values in [0, 1], rows of 30 x 32 pixels; y (N,) directions 0 .. 29.

    References
    ----------
    D. Pomerleau, *ALVINN: an autonomous land vehicle in a neural network*, NIPS 1989.

    Examples
    --------
    >>> data = roads(5, rng=0)
    >>> data.x.shape, data.y.shape
    ((5, 960), (5,))
    """
    rng = checks.generator(rng)
    N = checks.count(N, "N")
    noise = checks.between(noise, "noise", 0, np.inf)
    direction = rng.integers(0, DIRECTIONS, N)
    bend = (direction - (DIRECTIONS - 1) / 2) / DIRECTIONS

    def varied(low: float, high: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return rng.uniform(low, high, N)[:, None, None]

    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    # 1 at the lower edge of the picture, 0 at the horizon
    near = (rows - HORIZON) / (HEIGHT - 1 - HORIZON)
    middle = (WIDTH - 1) / 2 + varied(-1.5, 1.5) * near
    middle = middle + bend[:, None, None] * 20 * (1 - near).clip(0, 1) ** 1.5
    half = 1.5 + 9.5 * near.clip(0, 1)
    offset = np.abs(columns - middle)

    meadow, asphalt, paint = varied(0.3, 0.6), varied(0.15, 0.35), varied(0.8, 1.0)
    sky = varied(0.55, 0.9)
    images = np.where(offset < half, asphalt, meadow)
    line = (1.2 - np.abs(offset - half) / (0.4 + 0.6 * near.clip(0, 1))).clip(0, 1)
    images = images + line * (paint - images)
    images = np.where(rows < HORIZON, sky, images) + rng.normal(0, noise, images.shape)
    return Dataset(images.clip(0, 1).reshape(N, -1), direction.astype(np.int64))
