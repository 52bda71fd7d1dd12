"""Faces that look left, straight, right or up: generated ones, and the real ones if they are there.

Mitchell's task: tell from 30 x 32 pixels where a person looks. The photographs may be used for
teaching but are not part of this package, so faces are generated from a seed. A folder with the
photographs is read by :func:`cmu_faces`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketkar import checks

__all__ = ["POSES", "Faces", "cmu_faces", "synthetic_faces"]

HEIGHT, WIDTH = 30, 32
PERSONS, MISSING = 20, 16

POSES: tuple[str, ...] = ("left", "straight", "right", "up")
"""The four poses, in the order of their labels (that of Mitchell's network)."""


class Faces(NamedTuple):
    """Faces and what is known about them.

    Attributes
    ----------
    x : ndarray
        Grey values in [0, 1], one row of 30 x 32 pixels a face, (N, 960).
    pose : ndarray
        Where the person looks, an index into :data:`POSES`, (N,).
    person : ndarray
        Who it is, 0 .. persons - 1, (N,).
    sunglasses : ndarray
        Whether the eyes are hidden, (N,).
    """

    x: NDArray[np.float64]
    pose: NDArray[np.int64]
    person: NDArray[np.int64]
    sunglasses: NDArray[np.bool_]

    def subset(self, indices: Any) -> Faces:
        """The faces with these indices."""
        return Faces(*(array[indices] for array in self))


def synthetic_faces(rng: np.random.Generator | int, noise: float = 0.05) -> Faces:
    """624 drawn faces: 20 persons, four poses, four expressions, with and without sunglasses.

    Every combination would give 640; 16 of them are left out at random, as many as the real
    collection lacks. The persons differ in skin, hair, clothes, background and the shape of the
    head; from picture to picture the head stands somewhere else and turns more or less far.

    Parameters
    ----------
    rng : numpy.random.Generator or int
        The source of randomness, or a seed.
    noise : float
        Standard deviation of the noise on each pixel, at least 0.

    Returns
    -------
    Faces
        In the order of the persons.

    References
    ----------
    T. Mitchell, *Machine Learning*, section 4.7.

    Examples
    --------
    >>> faces = synthetic_faces(rng=0)
    >>> faces.x.shape, int(faces.person.max())
    ((624, 960), 19)
    """
    rng = checks.generator(rng)
    noise = checks.between(noise, "noise", 0, np.inf)
    everyone = np.indices((PERSONS, len(POSES), 4, 2)).reshape(4, -1)
    kept = np.sort(rng.permutation(everyone.shape[1])[MISSING:])
    person, pose, expression, glasses = everyone[:, kept]
    images = _draw(rng, person, pose, expression, glasses)
    images += rng.normal(0, noise, images.shape)
    return Faces(
        images.clip(0, 1).reshape(len(kept), -1),
        pose.astype(np.int64),
        person.astype(np.int64),
        glasses.astype(bool),
    )


def _draw(
    rng: np.random.Generator,
    person: NDArray[Any],
    pose: NDArray[Any],
    expression: NDArray[Any],
    glasses: NDArray[Any],
) -> NDArray[np.float64]:
    """The faces without noise, (N, 30, 32), painted from back to front."""

    def trait(low: float, high: float) -> NDArray[Any]:
        return rng.uniform(low, high, PERSONS)[person]

    def varied(spread: float) -> NDArray[Any]:
        return rng.uniform(-spread, spread, len(person))

    background, clothes = trait(0.0, 0.9), trait(0.0, 0.9)
    skin, hair = trait(0.55, 0.9), trait(0.02, 0.45)
    tall, wide, fringe = trait(9, 10.5), trait(6, 7.5), trait(2, 4)
    turn = np.choose(pose, [-1.0, 0.0, 1.0, 0.0]) * (1 + varied(0.25))
    lift = np.choose(pose, [0.0, 0.0, 0.0, 1.0]) * (1 + varied(0.25))
    cy, cx = 13 + varied(1.5), 15.5 + varied(1.5)
    look_y, look_x = cy + 1 - 3 * lift, cx + 3 * turn  # where the nose points

    images = np.empty((len(person), HEIGHT, WIDTH))
    images[:] = background[:, None, None]
    _paint(images, clothes, 31, cx, 8, 14)
    _paint(images, skin, cy + 10, cx, 6, 3)
    _paint(images, hair, cy, cx, tall + 0.5, wide + 1)
    _paint(images, skin, cy + fringe - 2.5 * lift, cx + 1.6 * turn, tall - 2, wide - 0.8)
    for side in (-1, 1):
        eye = look_x + side * 2.8
        dark = np.where(glasses, 0.02, 0.2)
        size = np.where(glasses, 2.0, 0.9)
        _paint(images, dark, look_y, eye, size * 0.9, size * 1.2)
    _paint(images, skin - 0.2, look_y + 2.5, look_x + 0.5 * turn, 1.4, 0.8)
    _paint(images, skin - 0.35, look_y + 5.5, look_x, 0.6 + 0.2 * expression, 1.5 + expression / 2)
    return images


def _paint(images: NDArray[Any], tone: Any, cy: Any, cx: Any, ry: Any, rx: Any) -> None:
    """Paint one ellipse with a soft edge into each image."""
    tone, cy, cx, ry, rx = (
        np.asarray(value, dtype=float).reshape(-1, 1, 1) for value in (tone, cy, cx, ry, rx)
    )
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    distance = np.hypot((rows - cy) / ry, (columns - cx) / rx)
    cover = ((1 - distance) * np.minimum(ry, rx) + 0.5).clip(0, 1)
    images += cover * (tone - images)


def cmu_faces(folder: str | os.PathLike[str] | None = None) -> Faces:
    """The real faces of Mitchell's chapter 4, read from a folder on this machine.

    Parameters
    ----------
    folder : path, optional
        Where the images are, in subfolders or not; by default ``cmu-faces`` in the folder that
        the environment variable ``KETKAR_DATA`` names. The files are those of 30 x 32 pixels,
        called ``<person>_<pose>_<expression>_<eyes>_4.pgm``.

    Returns
    -------
    Faces
        In the order of the file names; the persons are numbered by their names.

    Raises
    ------
    FileNotFoundError
        If there are no such files, with the address they can be fetched from.
    ValueError
        If a file is not what its name says.

    References
    ----------
    T. Mitchell, *CMU Face Images*, UCI KDD Archive, 1999. Free of charge for any educational
    purpose, with attribution.
    """
    if folder is None:
        held = os.environ.get("KETKAR_DATA")
        root = Path(held) / "cmu-faces" if held else None
    else:
        root = Path(folder)
    paths = sorted(root.rglob("*_4.pgm"), key=lambda path: path.name) if root else []
    if not paths:
        raise FileNotFoundError(
            f"no CMU face images {f'below {root}' if root else ': KETKAR_DATA is not set'}; "
            "fetch them from kdd.ics.uci.edu/databases/faces and name the folder"
        )
    described = [_description(path) for path in paths]
    persons = sorted({who for who, _, _ in described})
    return Faces(
        np.stack([_read_pgm(path) for path in paths]).reshape(len(paths), -1) / 255,
        np.array([POSES.index(pose) for _, pose, _ in described], dtype=np.int64),
        np.array([persons.index(who) for who, _, _ in described], dtype=np.int64),
        np.array([eyes == "sunglasses" for _, _, eyes in described]),
    )


def _description(path: Path) -> tuple[str, str, str]:
    """Person, pose and eyes, from the name of a file."""
    parts = path.stem.split("_")
    if len(parts) != 5 or parts[1] not in POSES or parts[3] not in ("open", "sunglasses"):
        raise ValueError(f"{path.name} is not named <person>_<pose>_<expression>_<eyes>_4.pgm")
    return parts[0], parts[1], parts[3]


def _read_pgm(path: Path) -> NDArray[np.uint8]:
    """The pixels of a binary grey image (P5) of 30 x 32 pixels."""
    content = path.read_bytes()
    header = re.match(rb"P5\s+32\s+30\s+\d{1,3}\s", content)
    if header is None or len(content) - header.end() != HEIGHT * WIDTH:
        raise ValueError(f"{path.name} is not a binary grey image (PGM, P5) of 32 x 30 pixels")
    return np.frombuffer(content, np.uint8, offset=header.end()).reshape(HEIGHT, WIDTH)
