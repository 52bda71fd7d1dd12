"""Files as the world leaves them: flipped bytes, foreign archives, lying headers, two writers."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from ketkar import network
from ketkar.network import Dense, chain
from ketkar.network.storage import HEADER
from ketkar.trees import leaves

NET = chain(Dense(2, 3, "tanh"), Dense(3, 1))
DENSE = {"kind": "dense", "n_in": 2, "n_out": 1, "activation": "identity",
         "init_weights": "zeros"}  # fmt: skip


def arrays(params):
    return dict(leaves(params))


@pytest.mark.parametrize("seed", range(150))
def test_a_flipped_byte_is_noticed_or_harmless(tmp_path, seed, sentence):
    params = NET.init(0)
    file = network.save(tmp_path / "net.npz", NET, params)
    content = bytearray(file.read_bytes())
    rng = np.random.default_rng(seed)
    content[int(rng.integers(len(content)))] ^= int(rng.integers(1, 256))
    file.write_bytes(content)
    try:
        saved = network.load(file)
    except ValueError as error:
        sentence(error, "net.npz")
        return
    assert saved.network == NET
    for name, array in leaves(saved.params):
        assert np.array_equal(array, arrays(params)[name])


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_cut_off_file(tmp_path, share, refuses):
    file = network.save(tmp_path / "net.npz", NET, NET.init(0))
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with refuses(ValueError, "net.npz", "damaged"):
        network.load(file)


def test_files_of_another_kind(tmp_path, refuses):
    single = tmp_path / "single.npy"
    np.save(single, np.ones(3))
    text = tmp_path / "notes.npz"
    text.write_text("not a network", encoding="utf-8")
    archive = tmp_path / "archive.npz"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("readme.txt", "hello")
    for path in (single, text, archive, tmp_path):
        with refuses(ValueError, path.name, "not a network saved by ketkar"):
            network.load(path)
    foreign = tmp_path / "foreign.npz"
    np.savez(foreign, W=np.ones(3))
    with refuses(ValueError, "foreign.npz", "has no such header"):
        network.load(foreign)
    with refuses(FileNotFoundError, "there is no file", "missing.npz"):
        network.load(tmp_path / "missing.npz")


def write(path, header, **content):
    np.savez(path, **{HEADER: np.array(json.dumps(header))}, **content)
    return path


HEAD = {"format": "ketkar-network", "format_version": 1, "layer": DENSE}
nested = {"kind": "dense"}
for _ in range(400):
    nested = {"kind": "chain", "layers": [nested]}
HEADERS = [
    (None, "no such header"),
    ([], "no such header"),
    ("text", "no such header"),
    ({}, "no such header"),
    ({**HEAD, "format_version": 0}, "no such header"),
    ({**HEAD, "format_version": -1}, "no such header"),
    ({**HEAD, "format_version": None}, "no such header"),
    ({**HEAD, "format_version": float("inf")}, "no such header"),
    ({**HEAD, "format_version": "new"}, "no such header"),
    ({**HEAD, "format_version": 2}, "a newer ketkar is needed"),
    ({**HEAD, "layer": None}, "cannot be built"),
    ({**HEAD, "layer": {}}, "cannot be built"),
    ({**HEAD, "layer": {"kind": "conv9d"}}, "names the layer 'conv9d'"),
    ({**HEAD, "layer": {"kind": ["dense"]}}, "cannot be built"),
    ({**HEAD, "layer": {**DENSE, "n_in": "2"}}, "cannot be built: n_in must be a whole number"),
    ({**HEAD, "layer": {**DENSE, "n_in": 2.0}}, "cannot be built: n_in must be a whole number"),
    ({**HEAD, "layer": {**DENSE, "activation": "__import__"}}, "cannot be built: activation"),
    ({**HEAD, "layer": {**DENSE, "secret": 1}}, "cannot be built"),
    ({**HEAD, "layer": {"kind": "chain", "layers": []}}, "a chain needs at least one layer"),
    ({**HEAD, "layer": {"kind": "chain", "layers": 3}}, "cannot be built"),
    ({**HEAD, "layer": {"kind": "chain", "layers": [DENSE, DENSE]}}, "does not fit into the chain"),
    ({**HEAD, "layer": nested}, "cannot be built"),
    ({**HEAD, "layer": {**DENSE, "n_in": 3}}, "W"),
]


@pytest.mark.parametrize(("header", "words"), HEADERS)
def test_headers_that_do_not_hold(tmp_path, header, words, refuses):
    file = write(tmp_path / "net.npz", header, W=np.ones((2, 1)), b=np.zeros(1))
    with refuses(ValueError, words):
        network.load(file)


def test_the_plain_header_is_good(tmp_path):
    saved = network.load(write(tmp_path / "net.npz", HEAD, W=np.ones((2, 1)), b=np.zeros(1)))
    assert saved.network == Dense(2, 1, init_weights="zeros")
    assert saved.params.W.tolist() == [[1.0], [1.0]]


@pytest.mark.parametrize(
    "content",
    [
        {"W": np.ones((2, 1))},
        {"W": np.ones((2, 1)), "b": np.zeros(1), "c": np.zeros(1)},
        {"W": np.ones((1, 2)), "b": np.zeros(1)},
        {"W": np.ones((2, 1)), "b": np.zeros(2)},
        {"W": np.ones((2, 1), int), "b": np.zeros(1)},
        {"W": np.ones((2, 1), complex), "b": np.zeros(1)},
        {"W": np.array([["a"], ["b"]]), "b": np.zeros(1)},
    ],
)
def test_arrays_that_do_not_fit(tmp_path, content, refuses):
    with refuses(ValueError):
        network.load(write(tmp_path / "net.npz", HEAD, **content))


WRITER = """
import sys
from ketkar import network
from ketkar.network import Dense, chain
net = chain(Dense(2, 3, "tanh"), Dense(3, 1))
for _ in range(30):
    network.save(sys.argv[1], net, net.init(int(sys.argv[2])))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a file that is being read")
def test_two_processes_may_save_to_the_same_place(tmp_path):
    path = tmp_path / "net.npz"
    network.save(path, NET, NET.init(0))
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(seed)]) for seed in (1, 2)
    ]
    possible = [network.flatten(NET.init(seed)) for seed in (0, 1, 2)]
    while any(writer.poll() is None for writer in writers):
        theta = network.flatten(network.load(path).params)
        assert any(np.array_equal(theta, one) for one in possible)
    assert [writer.returncode for writer in writers] == [0, 0]
    theta = network.flatten(network.load(path).params)
    assert any(np.array_equal(theta, one) for one in possible[1:])
    assert [p.name for p in tmp_path.iterdir()] == ["net.npz"]
