"""Saving and loading a network: arrays in an npz file under a header in JSON, no pickle.

The header says what the layers are; the arrays stand under their paths, such as ``dense1.W``.
Loading builds the network anew from the header and takes only arrays that fit into it, so a file
can hold nothing that runs.
"""

from __future__ import annotations

import dataclasses
import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ketkar import __version__, checks
from ketkar.network.chain import Chain, chain
from ketkar.network.convolutional import Conv2d
from ketkar.network.historic import RadialBasis, ScaledTanh, Subsampling, TableConv2d
from ketkar.network.layer import Dense, Layer
from ketkar.network.pooling import (
    AvgPool2d,
    Flatten,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    L2Pool2d,
    MaxPool2d,
)
from ketkar.trees import leaves, rebuild

__all__ = ["Saved", "load", "save"]

FORMAT = "ketkar-network"
FORMAT_VERSION = 1
HEADER = "header.json"

# Which kinds of layer a file may name. A chapter that adds a kind adds its line.
KINDS: dict[str, type[Any]] = {
    "dense": Dense,
    "conv": Conv2d,
    "max_pool": MaxPool2d,
    "avg_pool": AvgPool2d,
    "l2_pool": L2Pool2d,
    "global_max_pool": GlobalMaxPool2d,
    "global_avg_pool": GlobalAvgPool2d,
    "flatten": Flatten,
    "subsampling": Subsampling,
    "scaled_tanh": ScaledTanh,
    "table_conv": TableConv2d,
    "radial_basis": RadialBasis,
}


class Saved(NamedTuple):
    """What a file held: the network and its parameters."""

    network: Layer
    params: Any


def save(path: str | os.PathLike[str], network: Layer, params: Any) -> Path:
    """Write a network and its parameters to a file.

    The file is written beside its place and then moved there, so that an interrupted run leaves
    the old file whole.

    Parameters
    ----------
    path : path-like
        Where to; ``.npz`` is added where the name has no suffix.
    network : Layer
        A layer or a chain.
    params : NamedTuple
        Its parameters.

    Returns
    -------
    pathlib.Path
        The file that was written.

    Raises
    ------
    TypeError
        If the network holds a layer that files do not know.
    ValueError
        If the parameters do not fit the network.

    Examples
    --------
    >>> import tempfile
    >>> from ketkar.network import Dense, chain
    >>> net = chain(Dense(2, 3, "tanh"), Dense(3, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = save(f"{folder}/xor", net, net.init(rng=0))
    ...     load(file).network == net
    True
    """
    target = Path(path)
    if not target.suffix:
        target = target.with_suffix(".npz")
    header = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "ketkar": __version__,
        "layer": _describe(network),
    }
    arrays = dict(leaves(params))
    _fit_to(network, arrays)
    # one name a process: two that save to the same place do not write into each other's file
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            everything: dict[str, Any] = {HEADER: np.array(json.dumps(header)), **arrays}
            np.savez(file, **everything)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def load(path: str | os.PathLike[str]) -> Saved:
    """Read a network and its parameters from a file that :func:`save` wrote.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    Saved
        The network and its parameters.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not one that :func:`save` wrote, comes from a newer version, names a kind
        of layer that is not known, or holds arrays that do not fit.
    """
    source = Path(path)
    try:
        held = _arrays(source)
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {source}") from None
    except _DAMAGE:
        raise ValueError(f"{source} is not a network saved by ketkar, or it is damaged") from None
    header = _header(source, held.pop(HEADER, None))
    network = _build(header["layer"], str(source))
    return Saved(network, _fit_to(network, held))


# What reading a damaged or foreign file may raise.
_DAMAGE = (
    ValueError, OSError, EOFError, KeyError, TypeError, MemoryError, RuntimeError,
    NotImplementedError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def _arrays(source: Path) -> dict[str, Any]:
    # opened here: NumPy does not close what turns out not to be a zip archive
    with source.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _header(source: Path, written: Any) -> dict[str, Any]:
    try:
        header = json.loads(str(written))
        known = header["format"] == FORMAT and "layer" in header
        version = int(header["format_version"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        known, version = False, 0
    if not known or version < 1:
        raise ValueError(f"{source} is not a network saved by ketkar: it has no such header")
    if version > FORMAT_VERSION:
        raise ValueError(
            f"{source} has format version {version}; ketkar {__version__} reads up to "
            f"{FORMAT_VERSION}: a newer ketkar is needed"
        )
    return dict(header)


def _describe(layer: Layer) -> dict[str, Any]:
    if isinstance(layer, Chain):
        return {"kind": "chain", "layers": [_describe(inner) for inner in layer.layers]}
    if KINDS.get(layer.kind) is not type(layer):
        raise TypeError(f"a file cannot hold a {type(layer).__name__}; it knows {_known()}")
    return {"kind": layer.kind, **dataclasses.asdict(layer)}  # type: ignore[call-overload]


def _build(described: Any, source: str) -> Layer:
    try:
        fields = dict(described)
        kind = fields.pop("kind")
        if kind == "chain":
            return chain(*(_build(inner, source) for inner in fields["layers"]))
        if kind in KINDS:
            layer: Layer = KINDS[kind](**fields)
            return layer
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        raise ValueError(f"{source} describes a layer that cannot be built: {error}") from None
    raise ValueError(
        f"{source} names the layer {checks.shown(kind)}; this version knows {_known()}"
    )


def _known() -> str:
    return ", ".join(("chain", *KINDS))


def _fit_to(network: Layer, arrays: dict[str, Any]) -> Any:
    """The arrays as the network's parameters, refused unless names, shapes and types fit."""
    like = network.init(0)
    expected = dict(leaves(like))
    if list(arrays) != list(expected):
        raise ValueError(
            f"the network has the parameters {', '.join(expected)}; "
            f"there are {', '.join(arrays) or 'none'}"
        )
    for name, array in arrays.items():
        if array.shape != expected[name].shape:
            raise ValueError(
                f"{name} has shape {array.shape}; the network needs {expected[name].shape}"
            )
        if array.dtype not in (np.float32, np.float64):
            raise ValueError(f"{name} holds {array.dtype} values; expected float32 or float64")
    return rebuild(like, iter(arrays.values()))
