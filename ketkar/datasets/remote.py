"""Files that are fetched once: where they are kept, how they are fetched, how they are written."""

from __future__ import annotations

import contextlib
import http.client
import os
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

TIMEOUT = 20.0
CHUNK = 1 << 16


def cache_folder(name: str) -> Path | None:
    """Where this user's programs keep what they can fetch again; None where there is no home.

    A folder ``ketkar/<name>`` in ``$XDG_CACHE_HOME`` or ``~/.cache``, on macOS in
    ``~/Library/Caches``, on Windows in ``%LOCALAPPDATA%``.
    """
    asked = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", "")
    root = Path(asked)
    if not root.is_absolute():  # not set, or not to be followed: the specification of XDG says so
        try:
            home = Path.home()
        except RuntimeError:
            return None
        root = home / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return root / "ketkar" / name


def fetch(
    urls: Sequence[str],
    *,
    limit: int,
    accept: Callable[[bytes], object],
    timeout: float | None = None,
    progress: bool | None = None,
) -> bytes:
    """The bytes behind the first address that answers with what it should.

    Parameters
    ----------
    urls : sequence of str
        Addresses of the same file, tried in turn.
    limit : int
        The largest number of bytes that is read.
    accept : callable
        Raises ValueError where the bytes are not those of the file.
    timeout : float, optional
        Seconds to wait for an answer; 20 if left out.
    progress : bool, optional
        Show a progress bar; by default only where standard error is a terminal.

    Raises
    ------
    ConnectionError
        If no address gives the file; says of each why.
    """
    reasons = []
    for url in urls:
        try:
            content = _read(url, limit, TIMEOUT if timeout is None else timeout, progress)
            accept(content)
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = " ".join(str(getattr(error, "reason", "") or error).split())
            reasons.append(f"{url} ({reason or type(error).__name__})")
        else:
            return content
    raise ConnectionError("; ".join(reasons))


def _read(url: str, limit: int, timeout: float, progress: bool | None) -> bytes:
    content = bytearray()
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        total = answer.headers.get("Content-Length", "")
        expected = int(total) if total.isdecimal() else None
        with tqdm(
            total=expected,
            desc=url.rpartition("/")[2],
            unit="B",
            unit_scale=True,
            disable=None if progress is None else not progress,
        ) as bar:
            while chunk := answer.read(CHUNK):
                content += chunk
                bar.update(len(chunk))
                if len(content) > limit:
                    raise ValueError(f"more than {limit} bytes")
    if expected is not None and len(content) != expected:
        raise ValueError(f"cut off after {len(content)} of {expected} bytes")
    return bytes(content)


def store(path: Path, content: bytes) -> None:
    """Write a file in one move: whoever looks finds no file, the old one, or the whole new one.

    Raises
    ------
    OSError
        If the folder cannot be made or written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # a name that no other process has: two that store the same file do not meet
    handle, partial = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".partial", dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(content)
        os.replace(partial, path)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(partial)
