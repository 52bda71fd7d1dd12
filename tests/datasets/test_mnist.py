"""MNIST: read from a folder or the cache, fetched once, refused where it is not what it says.

The network is a server of this process on 127.0.0.1, and its files are small ones made here.
"""

import gzip
import hashlib
import http.server
import importlib
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketkar.datasets import mnist, remote

module = importlib.import_module("ketkar.datasets.mnist")
CACHE_FOLDER = remote.cache_folder
NAMES = list(module.SUMS)
RNG = np.random.default_rng(0)
IMAGES = {part: RNG.integers(0, 256, (n, 28, 28)).astype(np.uint8)
          for part, n in (("train", 6), ("t10k", 3))}  # fmt: skip
LABELS = {"train": np.array([5, 0, 4, 1, 9, 2]), "t10k": np.array([7, 2, 1])}


def idx(array):
    """The bytes of a file, written from the description of the format."""
    header = bytes([0, 0, 8, array.ndim])
    return header + b"".join(n.to_bytes(4, "big") for n in array.shape) + bytes(array.tobytes())


FILES = {
    **{f"{part}-images-idx3-ubyte": idx(images) for part, images in IMAGES.items()},
    **{f"{part}-labels-idx1-ubyte": idx(y.astype(np.uint8)) for part, y in LABELS.items()},
}


@pytest.fixture
def folder(tmp_path):
    """The four files in a folder."""
    place = tmp_path / "files"
    place.mkdir()
    for name, content in FILES.items():
        (place / name).write_bytes(content)
    return place


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, no folder in the environment, and mirrors that are not there."""
    monkeypatch.delenv("KETKAR_MNIST", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(module, "MIRRORS", ("http://127.0.0.1:9/",))
    monkeypatch.setattr(
        module, "SUMS", {name: hashlib.sha256(FILES[name]).hexdigest() for name in NAMES}
    )
    place = tmp_path / "cache"
    monkeypatch.setattr(remote, "cache_folder", lambda name: place / name)
    return place / "mnist"


class Server:
    """Mirrors on this machine: a path /kind/file answers as well or as badly as its kind says."""

    def __init__(self):
        outer = self
        self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                kind, name = self.path.strip("/").split("/")
                outer.asked.append((kind, name))
                content = gzip.compress(FILES[name.removesuffix(".gz")])
                if kind == "missing":
                    self.send_error(404)
                    return
                if kind == "forged":
                    content = gzip.compress(FILES[name.removesuffix(".gz")][:-1] + b"\x07")
                if kind == "page":
                    content = b"<html>moved</html>"
                if kind == "endless":
                    content = bytes(1 << 17)
                self.send_response(200)
                if kind != "endless":
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if kind == "cut" else content)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def url(self, kind):
        return f"http://127.0.0.1:{self.server.server_port}/{kind}/"


@pytest.fixture
def mirrors(monkeypatch):
    """``mirrors("cut", "good")``: these answer, in this order; comes back with what was asked."""
    server = Server()

    def ask(*kinds):
        monkeypatch.setattr(module, "MIRRORS", tuple(server.url(kind) for kind in kinds))
        return server.asked

    yield ask
    server.server.shutdown()
    server.server.server_close()


def check(parts):
    for part, data in zip(("train", "t10k"), parts, strict=True):
        N = len(LABELS[part])
        assert data.x.shape == (N, 1, 28, 28)
        assert data.x.dtype == np.float32
        assert data.x.flags.carray
        np.testing.assert_array_equal(data.x[:, 0], IMAGES[part].astype(np.float32) / 255)
        assert data.y.dtype == np.int64
        assert data.y.tolist() == LABELS[part].tolist()


def test_a_folder_plain_packed_or_spelt_with_a_dot(folder, monkeypatch):
    check(mnist(folder))
    check(mnist(str(folder)))
    for name in NAMES[:2]:
        (folder / name).unlink()
        (folder / f"{name}.gz").write_bytes(gzip.compress(FILES[name]))
    (folder / NAMES[2]).rename(folder / NAMES[2].replace("-idx", ".idx"))
    monkeypatch.setenv("KETKAR_MNIST", str(folder))
    check(mnist())
    flat = mnist(flat=True)
    assert flat.test.x.shape == (3, 784)
    np.testing.assert_array_equal(flat.test.x, mnist().test.x.reshape(3, -1))


def test_the_argument_goes_before_the_environment(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("KETKAR_MNIST", str(tmp_path / "nowhere"))
    check(mnist(folder))


def test_a_named_folder_that_does_not_hold_the_files(folder, tmp_path, monkeypatch, refuses):
    with refuses(FileNotFoundError, "folder names", "nowhere", "not a folder"):
        mnist(tmp_path / "nowhere")
    (folder / NAMES[3]).unlink()
    with refuses(FileNotFoundError, "there is no file t10k-labels-idx1-ubyte", str(folder)):
        mnist(folder)
    monkeypatch.setenv("KETKAR_MNIST", str(tmp_path / "nowhere"))
    with refuses(FileNotFoundError, "KETKAR_MNIST names"):
        mnist()
    with refuses(TypeError, "folder must be a path", "3"):
        mnist(3)


def test_fetched_once_and_kept(mirrors, cache, capsys):
    asked = mirrors("good")
    check(mnist())
    assert asked == [("good", f"{name}.gz") for name in (NAMES[0], NAMES[1], NAMES[2], NAMES[3])]
    assert sorted(path.name for path in cache.iterdir()) == sorted(f"{name}.gz" for name in NAMES)
    mirrors("missing")
    check(mnist())
    check(mnist(fetch=False))
    assert len(asked) == 4
    assert capsys.readouterr().err == ""  # no terminal, no bar
    (cache / f"{NAMES[0]}.gz").unlink()
    mirrors("good")
    check(mnist(progress=True))
    assert NAMES[0] in capsys.readouterr().err


@pytest.mark.parametrize("bad", ["missing", "forged", "page", "cut", "endless"])
def test_the_next_mirror_is_asked(bad, mirrors):
    asked = mirrors(bad, "good")
    check(mnist())
    assert [kind for kind, _ in asked] == [bad, "good"] * 4


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("missing", ["Not Found"]),
        ("forged", ["another checksum"]),
        ("page", ["another checksum"]),
        ("cut", ["cut off after"]),
        ("endless", ["more than 65536 bytes"]),
    ],
)
def test_without_a_good_mirror(bad, words, mirrors, cache, monkeypatch, refuses):
    monkeypatch.setattr(module, "PACKED_LIMIT", 1 << 16)
    mirrors(bad)
    with refuses(FileNotFoundError, "cannot be fetched", *words, "KETKAR_MNIST"):
        mnist()
    assert not cache.exists()


def test_without_a_network(cache, refuses):
    with refuses(FileNotFoundError, NAMES[0], "cannot be fetched", "refused", "KETKAR_MNIST"):
        mnist()
    with refuses(FileNotFoundError, NAMES[0], "is not in the cache", str(cache)):
        mnist(fetch=False)


def test_a_file_damaged_in_the_cache_is_fetched_again(mirrors, cache):
    mirrors("good")
    mnist()
    whole = (cache / f"{NAMES[0]}.gz").read_bytes()
    for damaged in (whole[:40], b"", b"hello", gzip.compress(FILES[NAMES[2]])):
        (cache / f"{NAMES[0]}.gz").write_bytes(damaged)
        check(mnist())
        assert gzip.decompress((cache / f"{NAMES[0]}.gz").read_bytes()) == FILES[NAMES[0]]


def test_an_interrupt_leaves_nothing_half(mirrors, cache, monkeypatch):
    mirrors("good")
    real = os.replace

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mnist()
    assert list(cache.iterdir()) == []
    monkeypatch.setattr(os, "replace", real)
    check(mnist())


def test_a_cache_that_cannot_be_written_is_no_obstacle(mirrors, tmp_path, monkeypatch):
    asked = mirrors("good")
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="MNIST cannot be kept in"):
        check(mnist())
    monkeypatch.setattr(remote, "cache_folder", lambda name: None)
    with pytest.warns(UserWarning, match="no home for a cache") as caught:
        check(mnist())
    assert caught[0].filename == __file__
    assert len(asked) == 8


WRITER = """
import sys
from pathlib import Path
from ketkar.datasets.remote import store
for _ in range(200):
    store(Path(sys.argv[1]), sys.argv[2].encode() * 100_000)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a file that is being read")
def test_two_processes_may_store_the_same_file(tmp_path):
    path = tmp_path / "deep" / "file"
    remote.store(path, b"0" * 100_000)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), c]) for c in "12"]
    while any(writer.poll() is None for writer in writers):
        content = path.read_bytes()
        assert content in (b"0" * 100_000, b"1" * 100_000, b"2" * 100_000)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_the_cache_is_where_programs_keep_theirs(monkeypatch, tmp_path):
    here = CACHE_FOLDER
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    monkeypatch.setenv(variable, str(tmp_path))
    assert here("mnist") == tmp_path / "ketkar" / "mnist"
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    expected = "Library/Caches" if sys.platform == "darwin" else ".cache"
    for unusable in ("", "relative/path"):
        monkeypatch.setenv(variable, unusable)
        assert here("mnist") == tmp_path / expected / "ketkar" / "mnist"

    def homeless():
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    assert here("mnist") is None


IMAGE, LABEL = NAMES[0], NAMES[1]
HEADER = FILES[IMAGE][:16]
HUGE = bytes([0, 0, 8, 3]) + b"\xff" * 12
DAMAGE = [
    (IMAGE, b"", ["not a file of bytes in the format IDX with 3 axes"]),
    (IMAGE, HEADER[:11], ["not a file of bytes in the format IDX"]),
    (IMAGE, FILES[LABEL], ["not a file of bytes in the format IDX with 3 axes"]),
    (LABEL, FILES[IMAGE], ["not a file of bytes in the format IDX with 1 axes"]),
    (IMAGE, bytes([0, 0, 0x0D, 3]) + FILES[IMAGE][4:], ["not a file of bytes"]),
    (IMAGE, FILES[IMAGE][:-1], ["promises 4704 values (6, 28, 28) but 4703 follow"]),
    (IMAGE, FILES[IMAGE] + b"\0", ["promises 4704 values", "4705 follow"]),
    (IMAGE, HUGE + bytes(100), ["4294967295", "but 100 follow"]),
    (IMAGE, gzip.compress(HUGE, mtime=0), ["but 0 follow"]),
    (IMAGE, idx(np.zeros((6, 28, 27), np.uint8)), ["(6, 28, 27)", "expected (N, 28, 28)"]),
    (IMAGE, idx(np.zeros((5, 28, 28), np.uint8)), ["(5, 28, 28)", "labels (6,)"]),
    (LABEL, idx(np.array([0, 1, 10, 3, 4, 5], np.uint8)), ["0 .. 9", "label 2 is 10"]),
    (IMAGE, gzip.compress(FILES[IMAGE], mtime=0)[:-9], ["damaged or cut off"]),
    (IMAGE, gzip.compress(FILES[IMAGE], mtime=0)[:6], ["damaged or cut off"]),
    (IMAGE, gzip.compress(FILES[IMAGE], mtime=0)[:-4] + b"1234", ["damaged or cut off"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "words"), DAMAGE)
def test_files_that_are_not_what_they_say(name, content, words, folder, refuses):
    (folder / name).write_bytes(content)
    with refuses(ValueError, "train", *words):
        mnist(folder)


def test_an_empty_set(folder, refuses):
    (folder / IMAGE).write_bytes(idx(np.zeros((0, 28, 28), np.uint8)))
    (folder / LABEL).write_bytes(idx(np.zeros(0, np.uint8)))
    with refuses(ValueError, "(0, 28, 28)", "N at least 1"):
        mnist(folder)


def test_a_bomb_is_not_unpacked_to_its_end(folder, monkeypatch, refuses):
    monkeypatch.setattr(module, "LIMIT", 1 << 20)
    (folder / IMAGE).write_bytes(gzip.compress(HEADER + bytes(1 << 24)))
    with refuses(ValueError, IMAGE, "more than 1048576 bytes"):
        mnist(folder)


def test_nothing_is_ever_unpickled(folder, tmp_path, refuses):
    import pickle

    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    for content in (pickle.dumps(Trap()), gzip.compress(pickle.dumps(Trap()))):
        (folder / IMAGE).write_bytes(content)
        with refuses(ValueError, "format IDX"):
            mnist(folder)
    assert not (tmp_path / "sprung").exists()


def test_whatever_a_file_holds(folder, answers_or_refuses):
    @given(st.sampled_from([IMAGE, LABEL]), st.integers(0, 60), st.integers(0, 255), st.booleans())
    def check_one(name, place, value, packed):
        content = bytearray(gzip.compress(FILES[name]) if packed else FILES[name])
        content[place % len(content)] = value
        (folder / name).write_bytes(content)
        with answers_or_refuses():
            mnist(folder)
        (folder / name).write_bytes(FILES[name])

    check_one()


def test_the_real_collection(monkeypatch):
    """All of MNIST, where it is on this machine."""
    monkeypatch.undo()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            train, test = mnist(fetch=False)
        except FileNotFoundError as reason:
            pytest.skip(f"MNIST is not on this machine: {reason}")
    assert train.x.shape == (60000, 1, 28, 28)
    assert test.x.shape == (10000, 1, 28, 28)
    assert np.bincount(train.y).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949
    ]  # fmt: skip
    assert np.bincount(test.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    # the mean and deviation that the whole world subtracts and divides by
    assert float(train.x.mean(dtype=np.float64)) == pytest.approx(0.1307, abs=5e-5)
    assert float(train.x.std(dtype=np.float64)) == pytest.approx(0.3081, abs=5e-5)
    assert train.x.min() == 0
    assert train.x.max() == 1
