"""Saving and loading: what comes back, what is refused, and what survives an accident."""

import json
import pickle

import numpy as np
import pytest

from ketkar import network
from ketkar.network import Dense, chain
from ketkar.network.storage import HEADER
from ketkar.trees import leaves

NET = chain(Dense(3, 4, "tanh", "he_normal"), chain(Dense(4, 2, "relu"), Dense(2, 1)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_comes_back_is_what_went_in(tmp_path, dtype):
    params = NET.init(0, dtype)
    file = network.save(tmp_path / "net", NET, params)
    assert file.name == "net.npz"
    saved = network.load(file)
    assert saved.network == NET
    for (name, a), (other, b) in zip(leaves(params), leaves(saved.params), strict=True):
        assert name == other
        assert a.dtype == b.dtype == dtype
        np.testing.assert_array_equal(a, b)
    assert type(saved.params) is type(params)
    assert [p.name for p in tmp_path.iterdir()] == ["net.npz"]


def spoiled(tmp_path, header=None, **arrays):
    """A file as `save` writes it, with another header or other arrays."""
    file = network.save(tmp_path / "net", NET, NET.init(0))
    with np.load(file) as held:
        content = {name: held[name] for name in held.files}
    if header is not None:
        changed = {**json.loads(str(content[HEADER])), **header}
        content[HEADER] = np.array(json.dumps(changed))
    for name, array in arrays.items():
        key = name.replace("__", ".")
        content.pop(key, None)
        if array is not None:
            content[key] = array
    np.savez(file, **content)
    return file


BAD = [
    ({"header": {"format": "other"}}, "has no such header"),
    ({"header": {"format_version": 99}}, "a newer ketkar is needed"),
    ({"header": {"layer": {"kind": "quantum"}}}, "names the layer 'quantum'"),
    ({"header": {"layer": {"kind": "dense", "n_in": -1, "n_out": 2}}}, "cannot be built"),
    ({"header": {"layer": {"kind": "dense", "size": 3}}}, "cannot be built"),
    ({"header": {"layer": "dense"}}, "cannot be built"),
    ({"dense1__W": None}, "there are"),
    ({"extra": np.ones(3)}, "there are"),
    ({"dense1__W": np.ones((3, 5)), "dense1__b": np.zeros(4)}, "dense1.W"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_what_does_not_fit_is_refused(tmp_path, change, message):
    file = spoiled(tmp_path, **change)
    with pytest.raises(ValueError, match=message) as caught:
        network.load(file)
    assert "\n" not in str(caught.value)


def test_objects_are_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    trap = np.empty(1, object)
    trap[0] = Trap()
    file = network.save(tmp_path / "net", NET, NET.init(0))
    np.savez(file, **{HEADER: trap})
    with pytest.raises(ValueError, match="is not a network saved by ketkar"):
        network.load(file)
    file.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match="is not a network saved by ketkar"):
        network.load(file)
    assert not (tmp_path / "sprung").exists()


def test_damaged_and_missing_files_are_named(tmp_path):
    file = network.save(tmp_path / "net", NET, NET.init(0))
    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"hello", b"PK\x03\x04 and then nothing"):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=r"net\.npz"):
            network.load(file)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        network.load(tmp_path / "nowhere.npz")


def test_an_interrupted_save_leaves_the_old_file_whole(tmp_path, monkeypatch):
    old = NET.init(0)
    file = network.save(tmp_path / "net", NET, old)

    def interrupted(*arguments, **options):
        arguments[0].write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        network.save(file, NET, NET.init(1))
    np.testing.assert_array_equal(network.load(file).params.dense1.W, old.dense1.W)
    assert [p.name for p in tmp_path.iterdir()] == ["net.npz"]


def test_only_what_a_file_can_hold_is_saved(tmp_path):
    class Other(Dense):
        pass

    layer = Other(2, 1)
    with pytest.raises(TypeError, match="a file cannot hold"):
        network.save(tmp_path / "net", layer, layer.init(0))
    with pytest.raises(ValueError, match="the network has the parameters"):
        network.save(tmp_path / "net", NET, Dense(2, 1).init(0))
    with pytest.raises(ValueError, match="shape"):
        network.save(tmp_path / "net", Dense(2, 1), Dense(3, 1).init(0))
    assert list(tmp_path.iterdir()) == []
