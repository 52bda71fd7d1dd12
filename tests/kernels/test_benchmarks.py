"""The benchmarks measure what they say; how fast anything is, no test asks."""

import json
import time

import pytest

measure = pytest.importorskip("benchmarks.measure", reason="the benchmarks come with a checkout")


def test_turns_give_the_ratio_of_two_calls():
    timing = measure.by_turns(lambda: time.sleep(0.001), lambda: time.sleep(0.004), 5, 0.005)
    assert timing.ours_ms >= 1
    assert timing.peer_ms >= 4
    assert timing.ratio == pytest.approx(0.25, rel=0.5)
    assert timing.spread[0] <= timing.ratio <= timing.spread[1]


def test_a_row_without_a_peer_has_no_ratio():
    timing = measure.by_turns(lambda: None, None, 3, 0.001)
    assert timing.ours_ms > 0
    assert timing[1:] == (None, None, None)


def test_an_unknown_row_is_refused(cpu, python):
    done = python("-m", "benchmarks", "--only", "unheard-of", check=False)
    assert done.returncode == 2
    assert "no row is named like unheard-of; there are mlp-batch64, mlp-batch1" in done.stderr


@pytest.mark.slow
def test_a_quick_run_writes_its_rows(cpu, python, tmp_path):
    file = tmp_path / "rows.json"
    python("-m", "benchmarks", "--quick", "--only", "mlp-batch1", "--json", file)
    report = json.loads(file.read_text())
    assert set(report) == {"machine", "versions", "rows"}
    for row in report["rows"]:
        assert row["name"] == "mlp-batch1"
        assert 0 < row["ours_ms"] < 1000
        assert 0 < row["share_of_limit"] < 2
        assert (row["peer"] is None) == (row["ratio"] is None)
