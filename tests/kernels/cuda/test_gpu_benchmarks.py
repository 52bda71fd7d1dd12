"""The benchmarks of the GPU compare the same work; here on a pretended one, in small sizes."""

import json

import numpy as np
import pytest

pytest.importorskip("benchmarks", reason="the benchmarks come with a checkout")
pytest.importorskip("numba", reason="Numba is not installed")

from benchmarks import gpu, measure
from benchmarks.problems import Layer, Pooling, Sequences
from ketkar.kernels import driver
from ketkar.kernels.simulation import simulate

pytestmark = pytest.mark.cuda

SMALL = [
    *gpu.products(5, 7, 3),
    *gpu.convolutions(Layer("layer", (2, 3, 7, 6), (4, 3, 3, 3), padding=1)),
    *(
        row
        for kind in ("max", "average", "l2")
        for row in gpu.poolings(Pooling(kind, (2, 2, 6, 7), 3, 2))
    ),
    gpu.activation("sigmoid", 9),
    gpu.activation("tanh", 9),
    gpu.lstm(Sequences(3, 2, 4, 5, outputs=2)),
    gpu.dense_steps(6, (5, 4, 3)),
]
CARD = driver.GPU("Pretended 1", (8, 9), 2**30, (12, 4))
ROW = gpu.Row("row", 4e9, 1e9, lambda send: lambda: send([1.0]), {}, ratio=1.5, share=0.8)


def result(**changed):
    made = {
        "name": "row",
        "ours_ms": 1.5,
        "peer": "torch",
        "peer_ms": 1.0,
        "ratio": 1.5,
        "spread": (1.4, 1.6),
        "turns": 5,
        "share_of_limit": 0.79,
        "ratio_goal": 1.5,
        "share_goal": 0.8,
    }
    return made | changed


@pytest.mark.parametrize("row", SMALL, ids=lambda row: row.name)
def test_peers_and_ours_do_the_same(row, monkeypatch):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    monkeypatch.setattr(gpu, "DEVICE", "cpu")
    with simulate("random"):
        peers = {name: make() for name, make in row.peers.items() if name != "cupy"}
        assert next(iter(peers)) == "torch"
        gpu.assert_same_work(row.name, row.ours(np.asarray), peers)


def test_other_numbers_are_refused():
    def ours():
        return np.ones(3, np.float32)

    gpu.assert_same_work("row", ours, {"torch-tf32": lambda: ours() + np.float32(1e-3)})
    with pytest.raises(ValueError, match=r"row: torch and ours differ by 1\.0e-03 of the largest"):
        gpu.assert_same_work("row", ours, {"torch": lambda: ours() + np.float32(1e-3)})
    numbers = iter([1.0, np.nan])
    with pytest.raises(ValueError, match="differ by nan"):
        gpu.assert_same_work("row", ours, {"torch": lambda: ours() * np.float32(next(numbers))})


def test_the_rows_that_were_asked_for():
    rows = {row.name: row for row in gpu.rows()}
    assert len(rows) == len(gpu.rows())
    assert rows["max-2x2-forward"].share == rows["sigmoid"].share == 0.8
    assert rows["dense-4096x4096x4096-forward"].ratio == 1.5
    assert "cupy" in rows["dense-4096x4096x4096-forward"].peers
    assert rows["vgg56-forward"].ratio == rows["vgg56-backward"].ratio == 2.0
    assert rows["lstm-batch64"].ratio == 1.0
    assert all(next(iter(row.peers)) == "torch" for row in rows.values())
    images, pooled = 32 * 64 * 112 * 112, 32 * 64 * 56 * 56
    assert rows["max-2x2-forward"].bytes == 4 * (images + pooled)
    assert rows["average-2x2-backward"].bytes == 4 * (images + pooled)
    assert rows["l2-2x2-backward"].bytes == 4 * (2 * images + 2 * pooled)
    assert rows["dense-4096x4096x4096-forward"].flops == 2 * 4096**3
    assert rows["lstm-batch64"].flops == 2 * 64 * 50 * 3 * 2048 * 768


def test_the_share_of_the_limit():
    assert gpu.Limits(1000.0, 2000.0).share(ROW, 4.0) == pytest.approx(0.5)
    assert gpu.Limits(100.0, 2000.0).share(ROW, 20.0) == pytest.approx(0.5)
    assert gpu.Limits(1000.0, None).share(ROW, 2.0) == pytest.approx(0.5)


def test_lines_and_goals():
    assert gpu.line(result()).endswith(
        " 1.500  1.400-1.600        79%  ratio at most 1.5 met, at least 80% of the limit NOT met"
    )
    alone = result(peer=None, ratio_goal=None, share_of_limit=0.8)
    assert "no peer" in gpu.line(alone)
    assert gpu.line(alone).endswith("  80%  at least 80% of the limit met")
    assert gpu.line(result(ratio_goal=None, share_goal=None)).endswith("79%")
    assert gpu.HEAD.index("of limit") + len("of limit") == gpu.line(result()).index("79%") + 3
    assert "no cuBLAS" in gpu.limits_line(CARD, gpu.Limits(900.0, None))
    assert gpu.limits_line(CARD, gpu.Limits(900.0, 50000.0)) == (
        "Pretended 1: a copy moves 900 GB/s, a product of matrices: 50000 GFLOP/s"
    )


def test_a_run_from_limits_to_report(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "measure_limits", lambda send, timer: gpu.Limits(10.0, None))
    monkeypatch.setattr(gpu, "usable", lambda name: name == "torch")
    peers = {"torch": lambda: lambda: np.ones(1), "cupy": lambda: pytest.fail("not usable")}
    wrong = {"torch": lambda: lambda: np.zeros(1)}
    rows = [ROW._replace(peers=peers), ROW._replace(name="wrong", peers=wrong)]
    found, same = gpu.run(CARD, rows, True, np.asarray, measure.seconds)
    printed = capsys.readouterr()
    assert not same
    assert "wrong: torch and ours differ by" in printed.err
    assert "not installed for this GPU, so not measured: cupy" in printed.out
    assert printed.out.endswith("goals met\n")
    assert [row["peer"] for row in found["gpu_rows"]] == ["torch"]
    assert found["machine"]["gpu"]["name"] == "Pretended 1"
    assert found["gpu_rows"][0]["ratio"] > 0
    assert json.dumps(found)


def test_limits_are_those_of_a_copy(monkeypatch):
    monkeypatch.setattr(gpu, "usable", lambda name: False)
    limits = gpu.measure_limits(lambda array: np.zeros(8), lambda call, repeat: call() or 1e-3)
    assert limits.gbs == pytest.approx(2 * 4 * 2**26 / 1e-3 / 1e9)
    assert limits.gflops is None


class TestCommand:
    def test_without_a_gpu_it_says_why(self, monkeypatch, capsys):
        monkeypatch.setattr(driver, "why_not", lambda: "no NVIDIA driver is installed")
        assert gpu.main(None, True, None) == 1
        assert capsys.readouterr().err == (
            "there is no GPU to measure: no NVIDIA driver is installed\n"
        )

    def test_an_unknown_row_is_refused(self, monkeypatch, capsys):
        monkeypatch.setattr(driver, "why_not", str)
        monkeypatch.setattr(driver, "gpu", lambda: CARD)
        assert gpu.main(["unheard-of"], True, None) == 2
        assert "no row is named like unheard-of; there are dense-4096" in capsys.readouterr().err

    def test_results_are_kept(self, monkeypatch, tmp_path):
        monkeypatch.setattr(driver, "why_not", str)
        monkeypatch.setattr(driver, "gpu", lambda: CARD)
        monkeypatch.setattr(gpu, "sender", lambda: np.asarray)
        chosen = []

        def run(card, rows, quick, send):
            chosen.extend(row.name for row in rows)
            return {"gpu_rows": []}, True

        monkeypatch.setattr(gpu, "run", run)
        assert gpu.main(["max-2x2"], True, tmp_path / "gpu.json") == 0
        assert chosen == ["max-2x2-forward", "max-2x2-backward"]
        assert json.loads((tmp_path / "gpu.json").read_text()) == {"gpu_rows": []}

    def test_the_command_itself(self, python):
        done = python("-m", "benchmarks", "--gpu", "--only", "unheard-of", check=False)
        if driver.why_not():
            assert done.returncode == 1
            assert done.stderr.strip() == f"there is no GPU to measure: {driver.why_not()}"
        else:
            assert done.returncode == 2
        done = python("-m", "benchmarks", "--gpu", "--threads", "1", check=False)
        assert done.returncode == 2
        assert "--gpu goes with --only, --quick and --json alone" in done.stderr
