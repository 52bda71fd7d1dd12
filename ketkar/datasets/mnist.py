"""MNIST: 70,000 handwritten digits of 28 x 28 pixels, read from the files as they are published.

Four files in the format IDX: a number that names the type and the count of axes, the length of
each axis as four bytes, then the values. They are found in a folder, or fetched once and kept.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import warnings
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ketkar import checks
from ketkar.datasets import remote
from ketkar.datasets.dataset import Dataset, Split

__all__ = ["mnist"]

SIDE, CLASSES = 28, 10
PARTS = {"train": "train", "test": "t10k"}

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)

# SHA-256 of the four files, unpacked
SUMS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}

PACKED_LIMIT = 1 << 24  # the largest file has 9.9 million bytes,
LIMIT = 1 << 28  # and 47 million unpacked


def mnist(
    folder: str | os.PathLike[str] | None = None,
    *,
    flat: bool = False,
    fetch: bool = True,
    progress: bool | None = None,
) -> Split:
    """70,000 handwritten digits of 28 x 28 pixels: 60,000 to learn from and 10,000 to be tested on.

    The files are looked for in `folder`, or else in the folder that the environment variable
    ``KETKAR_MNIST`` names, or else in the user's cache. Where they are in none, they are fetched
    once from public mirrors (11.6 million bytes), tested by their checksums and kept in the cache.

    Parameters
    ----------
    folder : path, optional
        Where the four files are: ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` and
        the two that begin with ``t10k``, with or without ``.gz``. A folder that is named may hold
        any data set of this form, so no checksum is asked of it.
    flat : bool
        Whether an image is one row of 784 numbers instead of a channel of 28 rows.
    fetch : bool
        Whether the network may be asked.
    progress : bool, optional
        Show a progress bar; by default only where standard error is a terminal.

    Returns
    -------
    Split
        Two data sets: x (N, 1, 28, 28) grey values in [0, 1], float32, 1 is ink; y (N,) the
        digits, int64. With `flat`, x is (N, 784).

    Raises
    ------
    FileNotFoundError
        If the files are not there and cannot be fetched; says where they were looked for.
    ValueError
        If a file is cut off, damaged, or not what its name says.

    Warns
    -----
    UserWarning
        If the files were fetched but cannot be kept.

    References
    ----------
    Y. LeCun, C. Cortes and C. Burges, *The MNIST database of handwritten digits*, 1998.

    Examples
    --------
    >>> train, test = mnist()  # doctest: +SKIP
    >>> train.x.shape, test.x.shape  # doctest: +SKIP
    ((60000, 1, 28, 28), (10000, 1, 28, 28))
    >>> mnist("my-digits")
    Traceback (most recent call last):
    FileNotFoundError: folder names my-digits, which is not a folder
    """
    named = _named(folder)
    parts = []
    for prefix in PARTS.values():
        images, labels = (
            _array(_content(name, named, fetch, progress), name)
            for name in (f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte")
        )
        parts.append(_dataset(images, labels, prefix, flat))
    return Split(*parts)


def _named(folder: str | os.PathLike[str] | None) -> Path | None:
    """The folder that was named, by argument or environment, refused where it is none."""
    if folder is None:
        folder = os.environ.get("KETKAR_MNIST") or None
        source = "KETKAR_MNIST"
    else:
        source = "folder"
    if folder is None:
        return None
    try:
        path = Path(folder)
    except TypeError:
        raise TypeError(f"folder must be a path, got {checks.shown(folder)}") from None
    if not path.is_dir():
        raise FileNotFoundError(f"{source} names {path}, which is not a folder")
    return path


def _content(name: str, named: Path | None, may_fetch: bool, progress: bool | None) -> bytearray:
    """What the file of this name holds, unpacked."""
    if named is not None:
        for spelling in (name, f"{name}.gz", name.replace("-idx", ".idx")):
            if (path := named / spelling).is_file():
                return _unpacked(path, str(path))
        raise FileNotFoundError(f"there is no file {name}, with or without .gz, in {named}")
    cache = remote.cache_folder("mnist")
    kept = cache / f"{name}.gz" if cache else None
    if kept is not None and kept.is_file():
        try:
            return _tested(_unpacked(kept, str(kept)), name)
        except (ValueError, OSError):
            pass  # damaged in the cache: as good as not there
    if not may_fetch:
        raise FileNotFoundError(f"{name} is not in the cache ({cache}); {_ADVICE}")
    packed = _fetched(name, progress)
    if kept is None:
        warnings.warn("there is no home for a cache: MNIST is not kept", stacklevel=4)
    else:
        try:
            remote.store(kept, packed)
        except OSError as error:
            warnings.warn(f"MNIST cannot be kept in {cache}: {error.strerror}", stacklevel=4)
    return _unpacked(packed, name)


_ADVICE = (
    "fetch MNIST's four files elsewhere and name their folder, as an argument or in the "
    "environment variable KETKAR_MNIST"
)


def _fetched(name: str, progress: bool | None) -> bytes:
    """The packed file from the first mirror whose file passes the test."""
    try:
        return remote.fetch(
            [f"{mirror}{name}.gz" for mirror in MIRRORS],
            limit=PACKED_LIMIT,
            accept=lambda packed: _tested(_unpacked(packed, name), name),
            progress=progress,
        )
    except ConnectionError as error:
        raise FileNotFoundError(f"{name} cannot be fetched: {error}; {_ADVICE}") from None


def _tested(content: bytearray, name: str) -> bytearray:
    """The content of a file, refused unless its checksum is that of the published file."""
    if hashlib.sha256(content).hexdigest() != SUMS[name]:
        raise ValueError(f"{name} has another checksum than MNIST's")
    return content


def _opened(source: Path | bytes) -> IO[bytes]:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _unpacked(source: Path | bytes, name: str) -> bytearray:
    """The content of a file or of bytes, unpacked where it is packed, and never endless."""
    content = bytearray()
    try:
        with _opened(source) as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            with gzip.GzipFile(fileobj=raw) if packed else raw as file:
                while len(content) <= LIMIT and (chunk := file.read(1 << 20)):
                    content += chunk
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise ValueError(f"{name} is damaged or cut off: it cannot be unpacked") from None
    except OSError as error:
        raise OSError(f"{name} cannot be read: {error.strerror}") from None
    if len(content) > LIMIT:
        raise ValueError(f"{name} holds more than {LIMIT} bytes; MNIST's files are smaller")
    return content


def _array(content: bytearray, name: str) -> NDArray[np.uint8]:
    """The values of a file in the format IDX; its header is believed only if its length agrees."""
    axes = int(name[name.index("idx") + 3])
    start = 4 + 4 * axes
    if len(content) < start or content[:4] != bytes([0, 0, 8, axes]):
        raise ValueError(f"{name} is not a file of bytes in the format IDX with {axes} axes")
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    expected = 1
    for length in shape:
        expected *= length
    if len(content) - start != expected:
        raise ValueError(
            f"{name} promises {expected} values {shape} but {len(content) - start} follow: "
            "it is cut off or not what it says"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _dataset(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], prefix: str, flat: bool
) -> Dataset:
    """Images and labels as they are used, refused where they do not belong together."""
    if images.shape != (len(labels), SIDE, SIDE) or not len(labels):
        raise ValueError(
            f"the {prefix} images have shape {images.shape} and the labels {labels.shape}; "
            f"expected (N, {SIDE}, {SIDE}) and (N,) with N at least 1"
        )
    if labels.max() >= CLASSES:
        i = int(np.argmax(labels >= CLASSES))
        raise ValueError(
            f"the {prefix} labels must lie in 0 .. {CLASSES - 1}; label {i} is {labels[i]}"
        )
    x: NDArray[Any] = images.astype(np.float32)
    x /= 255  # in place: the training images are 188 MB
    shape = (-1, SIDE * SIDE) if flat else (-1, 1, SIDE, SIDE)
    return Dataset(x.reshape(shape), labels.astype(np.int64))
