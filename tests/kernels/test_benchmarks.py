"""The benchmarks measure what they say; how fast anything is, no test asks."""

import contextlib
import importlib
import json
import time
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("benchmarks", reason="the benchmarks come with a checkout")

from benchmarks import convolution, filters, first_calls, measure, pooling, report, rows, turns
from benchmarks.limits import Limits
from benchmarks.problems import Layer, Pooling, peer, usual_peers
from benchmarks.rows import assert_same_work

LIMITS = Limits(1, 100.0, 90.0, ((1000, 50.0), (1000000, 10.0)))

LAYERS = [
    Layer("square", (2, 3, 7, 6), (4, 3, 3, 3), padding=1),
    Layer("stride", (2, 3, 8, 7), (5, 3, 3, 3), stride=2, padding=1),
    Layer("point", (2, 3, 5, 4), (5, 3, 1, 1)),
    Layer("sequence", (2, 3, 20), (4, 3, 5), padding=2),
]
POOLINGS = [
    Pooling(kind, (2, 3, 7, 8), size, 2) for kind in ("max", "average", "l2") for size in (2, 3)
]


@pytest.fixture(scope="module", autouse=True)
def _imported_before():
    """Importing JAX draws from NumPy's global generator, which tests may not."""
    with contextlib.suppress(ImportError):
        importlib.import_module("jax")


def is_here(name):
    package = name.partition("-")[0]
    pytest.importorskip(package, reason=f"{name} is a peer of the benchmarks where it is installed")


def result(name, peer, ratio, threads=1, bar=None, layer=True):
    return {
        "name": name,
        "layer": layer,
        "threads": threads,
        "ours_ms": 1.0,
        "peer": peer,
        "peer_ms": 1 / ratio,
        "ratio": ratio,
        "spread": [0.9 * ratio, 1.1 * ratio],
        "turns": 41,
        "bar": bar,
        "share_of_limit": 0.5,
    }


RESULTS = [
    result("a", "torch", 0.25, bar=0.5),
    result("a", "jax", 2.0),
    result("b", "torch", 1.0, bar=0.9),
    result("c", "torch", 4.0, layer=False),
    result("a", "torch", 0.125, threads=2, bar=0.125),
]


class TestTurns:
    @pytest.fixture
    def wait(self, monkeypatch):
        """Lets time pass, by a clock that no other program on the machine disturbs."""
        clock = SimpleNamespace(now=0.0)

        def wait(seconds):
            clock.now += seconds

        known = SimpleNamespace(perf_counter=lambda: clock.now, sleep=wait)
        monkeypatch.setattr(measure, "time", known)
        return wait

    def test_the_seconds_of_a_call(self):
        calls = []
        assert measure.seconds(lambda: (time.sleep(0.002), calls.append(1)), 3) >= 0.002
        assert len(calls) == 3

    def test_the_ratio_of_two_calls(self, wait):
        plan = measure.Plan(rounds=5, slice_s=0.005, settle_s=0)
        ours_ms, timings = measure.by_turns(
            lambda: wait(0.001), {"peer": lambda: wait(0.004)}, plan
        )
        timing = timings["peer"]
        assert ours_ms == pytest.approx(1)
        assert timing.peer_ms == pytest.approx(4)
        assert timing.ratio == pytest.approx(0.25)
        assert timing.spread == pytest.approx((0.25, 0.25))
        assert timing.turns == 5

    def test_a_slow_peer_takes_part_in_some_rounds(self, wait):
        calls = {"slow": 0, "fast": 0}

        def call(name, seconds):
            calls[name] += 1
            wait(seconds)

        plan = measure.Plan(rounds=13, slice_s=0.0001, settle_s=0, budget_s=0.03, least=3)
        peers = {"slow": lambda: call("slow", 0.02), "fast": lambda: call("fast", 0.0001)}
        _, timings = measure.by_turns(lambda: wait(1e-6), peers, plan)
        assert timings["slow"].turns == 3
        assert timings["fast"].turns == 13
        assert calls["slow"] == 2 + 3  # one to warm up, one to be timed, and a call a turn

    def test_a_peer_for_comparison_takes_part_in_few_rounds(self, wait):
        plan = measure.Plan(rounds=13, slice_s=0.0001, settle_s=0, few=5)
        peers = {name: (lambda: wait(0.0001)) for name in ("main", "other")}
        _, timings = measure.by_turns(lambda: wait(1e-6), peers, plan, {"main"})
        assert timings["main"].turns == 13
        assert timings["other"].turns == 5

    def test_the_shortest_of_the_turns(self, wait):
        waits = iter([0.001, 0.001, *[0.001] * 3, 0.02, 0.02, 0.003, 0.02, 0.02])
        plan = measure.Plan(rounds=5, slice_s=1e-9, settle_s=0)
        found = measure.shortest({"a": lambda: wait(next(waits, 0.02))}, plan)
        assert set(found) == {"a"}
        assert 1 <= found["a"] < 20

    def test_every_call_is_at_every_place_of_the_order(self):
        order = []
        plan = measure.Plan(rounds=12, slice_s=1e-9, settle_s=0)
        calls = {name: (lambda name=name: order.append(name)) for name in ("ours", "a", "b")}
        measure.by_turns(calls.pop("ours"), calls, plan)
        rounds = [tuple(order[k : k + 3]) for k in range(len(order) - 36, len(order), 3)]
        assert all(sorted(turn) == ["a", "b", "ours"] for turn in rounds)
        for place in range(3):
            assert {turn[place] for turn in rounds} == {"a", "b", "ours"}


class TestSameWork:
    """Nothing is timed before every peer has computed what ours computes."""

    @pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
    @pytest.mark.parametrize("name", usual_peers("convolution", None))
    def test_of_convolution(self, name, layer):
        is_here(name)
        for maker, ours in (
            ("convolution", convolution.forward),
            ("convolution_backward", convolution.backward),
        ):
            call = usual_peers(maker, layer)[name]()
            assert_same_work(maker, ours(layer), {name: call})

    @pytest.mark.parametrize("pool", POOLINGS, ids=lambda pool: f"{pool.kind}{pool.size}")
    @pytest.mark.parametrize("name", usual_peers("pooling", None))
    def test_of_pooling(self, name, pool):
        is_here(name)
        for maker, ours in (
            ("pooling", pooling.forward),
            ("pooling_backward", pooling.backward),
        ):
            assert_same_work(maker, ours(pool), {name: usual_peers(maker, pool)[name]()})

    @pytest.mark.parametrize(
        "name", ["torch", "torch-fft", "scipy-fft", "jax", "scipy-ndimage", "numpy"]
    )
    def test_of_filters(self, name):
        is_here(name)
        layer = Layer("filter", (1, 1, 20, 23), (1, 1, 7, 7), padding=3, bias=False)
        row = filters.row(layer, {}, torch_fft=32)
        assert_same_work(row.name, row.ours(), {name: row.peers[name]()})

    @pytest.mark.parametrize("name", ["torch", "jax", "numpy"])
    def test_of_training_steps(self, name):
        is_here(name)
        row = next(row for row in rows.all_rows() if row.name == "mlp-batch64")
        assert_same_work(row.name, row.ours(), {name: row.peers[name]()})

    def test_other_numbers_are_refused(self):
        y = np.ones((2, 3), np.float32)
        other = y.copy()
        other[1, 2] += 1e-3
        assert_same_work("row", lambda: y, {"peer": lambda: y + 1e-5})
        for wrong in (other, np.full_like(y, np.nan)):
            with pytest.raises(ValueError, match="row: peer and ours differ by"):
                assert_same_work("row", lambda: y, {"peer": lambda wrong=wrong: wrong})

    def test_another_shape_or_type_is_refused(self):
        y = np.ones((2, 3), np.float32)
        for wrong in (y.T, y.astype(np.float64)):
            with pytest.raises(ValueError, match=r"ours has shape \(2, 3\) and type float32"):
                assert_same_work("row", lambda: y, {"peer": lambda wrong=wrong: wrong})

    @pytest.mark.parametrize(("long_s", "calls"), [(10.0, 2), (0.0, 1)])
    def test_a_slow_peer_is_called_once(self, monkeypatch, long_s, calls):
        monkeypatch.setattr(rows, "LONG_S", long_s)
        called = []

        def peer():
            called.append(1)
            return np.ones(3, np.float32)

        assert_same_work("row", lambda: np.ones(3, np.float32), {"peer": peer})
        assert len(called) == calls

    def test_a_missing_gradient_is_refused(self):
        y = np.ones(3, np.float32)
        with pytest.raises(ValueError, match="shorter"):
            assert_same_work("row", lambda: (y, y), {"peer": lambda: (y,)})

    def test_a_call_that_spoils_its_arguments_is_refused(self):
        x = np.ones(3, np.float32)

        def spoils():
            nonlocal x
            y, x = x, x + 1
            return y

        with pytest.raises(ValueError, match="differ"):
            assert_same_work("row", lambda: np.ones(3, np.float32), {"peer": spoils})


class TestRows:
    def test_they_are_those_that_were_asked_for(self):
        found = {row.name: row for row in rows.all_rows()}
        assert len(found) == len(rows.all_rows()) == 16 + 2 + 12 + 6 + 2
        assert sum(row.layer for row in found.values()) == 16
        for row in found.values():
            assert row.flops > 0
            assert row.bytes > 0
            assert next(iter(row.peers)) == "torch"
            assert "numpy" in row.peers
            assert set(row.bars) <= set(row.peers)
            assert "torch" in row.bars
            assert set(row.bars) <= row.often <= set(row.peers)
        assert "scipy-ndimage" in found["filter31"].often
        assert "jax" not in found["vgg56-forward"].often

    def test_what_they_compute_and_move(self):
        found = {row.name: row for row in rows.all_rows()}
        forward, backward = found["cifar-stride2-forward"], found["cifar-stride2-backward"]
        x, y, K = 32 * 16 * 32 * 32, 32 * 32 * 16 * 16, 32 * 16 * 3 * 3
        assert forward.flops == 2 * y * 16 * 9
        assert forward.bytes == 4 * (x + K + 32 + y)
        assert backward.flops == 2 * forward.flops
        assert backward.bytes == 4 * (y + x + K + x + K + 32)
        images, pooled = 64 * 32 * 28 * 28, 64 * 32 * 13 * 13
        assert found["max-3x3-forward"].bytes == 4 * (images + pooled)
        assert found["average-3x3-backward"].bytes == 4 * (images + pooled)
        assert found["l2-3x3-backward"].bytes == 4 * (2 * images + pooled)

    def test_the_share_of_the_limit(self):
        assert LIMITS.bandwidth(2000) == 50
        assert LIMITS.bandwidth(1e9) == 10
        assert turns.share_of_limit(1e8, 1000, LIMITS, 2.0) == pytest.approx(0.5)
        assert turns.share_of_limit(1, 1e7, LIMITS, 4.0) == pytest.approx(0.25)

    def test_the_better_of_two_limits(self):
        other = Limits(1, 90.0, 95.0, ((1000, 40.0), (1000000, 12.0)))
        best = Limits(1, 100.0, 95.0, ((1000, 50.0), (1000000, 12.0)))
        assert LIMITS.or_better(other) == other.or_better(LIMITS) == best

    def test_a_row_without_peers_has_no_ratio(self):
        row = rows.Row("alone", 1.0, 1.0, lambda: float, {"unheard-of": peer("none", "f")}, {})
        (found,) = turns.measure(row, LIMITS, measure.QUICK)
        assert found["ours_ms"] > 0
        assert found["share_of_limit"] > 0
        assert {found[key] for key in ("peer", "peer_ms", "ratio", "spread", "bar")} == {None}
        assert "no peer is installed" in report.line(found)

    def test_a_row_of_different_work_is_not_timed(self, monkeypatch, capsys):
        wrong = rows.Row("wrong", 1.0, 1.0, lambda: lambda: 1.0, {"numpy": lambda: lambda: 2.0}, {})
        monkeypatch.setattr(turns, "all_rows", lambda: [wrong])
        monkeypatch.setattr(turns.limits, "measure", lambda threads: LIMITS)
        turns.main(1, True, ["wrong"])
        _, line = map(json.loads, capsys.readouterr().out.splitlines())
        assert line == {
            "refused": "wrong: numpy and ours differ by 5.0e-01 of the largest number; "
            "at most 1e-04 is taken for the same work"
        }


class TestReport:
    def test_geometric_means(self):
        one, jax, two = report.means(RESULTS)
        assert (one.threads, one.peer, one.rows) == (1, "torch", 3)
        assert one.mean == pytest.approx(1.0)
        assert one.layers == pytest.approx(0.5)
        assert one.slower == ["c"]
        assert (jax.peer, jax.mean, jax.slower) == ("jax", pytest.approx(2.0), ["a"])
        assert (two.threads, two.mean, two.slower) == (2, pytest.approx(0.125), [])

    def test_bars(self):
        assert report.line(RESULTS[0]).endswith(" 50%  0.5 met")
        assert report.line(RESULTS[1]).endswith(" 50%")
        assert report.line(RESULTS[2]).endswith(" 50%  0.9 NOT met")
        *_, missed, total = report.closing_lines(RESULTS)
        assert missed == "NOT met: b on 1 thread(s), torch: 1.000, bar 0.9"
        assert total == "2 of 3 bars met"
        narrow = report.table(RESULTS)
        assert [len(line.split()) for line in narrow[2:]] == [7, 5]  # on two threads, on one
        assert [line.split()[0] for line in narrow if "*" in line] == ["b"]
        assert max(map(len, narrow)) <= 88

    def test_bars_of_the_means_where_all_rows_were_measured(self):
        one, jax, two = report.closing_lines(RESULTS, everything=3)[:3]
        assert "mean over 3 row(s) 1.000 (bar 0.30 NOT met), over the convolution layers" in one
        assert "layers 0.500 (bar 0.75 met); above 1: c" in one
        assert "(bar" not in jax
        assert "(bar" not in two
        assert not any("(bar" in line for line in report.closing_lines(RESULTS))

    def test_what_is_stored(self, monkeypatch, tmp_path):
        monkeypatch.setattr(report, "STORED", tmp_path)
        assert report.stored("rows") is None
        assert report.measured(None) == ["No results are stored in this copy of the repository."]
        found = {"machine": report.machine([LIMITS._asdict()]), "versions": {"python": "3"}}
        (tmp_path / "rows.json").write_text(json.dumps(found | {"rows": RESULTS}))
        again = report.stored("rows")
        assert report.names(again) == ["a", "b", "c"]
        where, versions, limits = report.measured(again)
        assert where.startswith(f"measured on {found['machine']['date']}: ")
        assert versions == "python 3"
        assert limits == report.limits_line(LIMITS._asdict())

    def test_first_calls_have_bars(self):
        assert first_calls.line({"name": "a", "cold_s": 7.5, "warm_s": 0.25}).endswith("  met")
        assert first_calls.line({"name": "a", "cold_s": 7.5, "warm_s": 0.5}).endswith("NOT met")
        assert first_calls.line({"name": "a", "cold_s": 9.0, "warm_s": 0.1}).endswith("NOT met")
        assert set(first_calls.OPERATIONS) <= {row.name for row in rows.all_rows()}


class TestPlots:
    @pytest.fixture
    def plots(self):
        pytest.importorskip("matplotlib", reason="the plots are drawn with matplotlib")
        from matplotlib import pyplot as plt

        from benchmarks import plots

        yield plots
        plt.close("all")

    def test_ratios_stand_where_they_were_measured(self, plots):
        ax = plots.ratios({"rows": RESULTS})
        points = {line.get_label(): line for line in ax.lines}
        assert [text.get_text() for text in ax.get_yticklabels()] == ["a", "b", "c"]
        assert points["torch"].get_xdata().tolist() == [0.25, 1.0, 4.0]
        assert list(points["torch"].get_ydata()) == [2, 1, 0]
        assert list(points["jax"].get_xdata()) == [2.0]
        assert list(points["bar for torch"].get_xdata()) == [0.5, 0.9]
        assert ax.get_xscale() == "log"
        assert points["torch"].get_marker() != points["jax"].get_marker()
        assert len({marker for marker, _ in plots.MARKERS.values()}) == len(plots.MARKERS)

    def test_chosen_peers_and_threads_alone(self, plots):
        ax = plots.ratios({"rows": RESULTS}, threads=2, peers=["torch"])
        assert {line.get_label() for line in ax.lines if line.get_label()[0] != "_"} == {
            "torch",
            "bar for torch",
        }
        assert "2 threads" in ax.get_xlabel()
        with pytest.raises(ValueError, match="no row of these peers on 3"):
            plots.ratios({"rows": RESULTS}, threads=3)

    def test_the_ladder(self, plots):
        rungs = [
            {"rung": rung, "ms": ms, "scaled": scaled, "size": "small", "threads": threads}
            | {"share_of_limit": 0.1 / ms}
            for rung, ms, scaled, threads in (
                ("slow", 2000.0, True, 1),
                ("fast", 0.5, False, 1),
                ("slow", 4000.0, True, 2),
                ("fast", 0.25, False, 2),
            )
        ]
        ax = plots.ladder({"ladder": rungs}, size="small")
        assert {line.get_label(): list(line.get_xdata()) for line in ax.lines} == {
            "1 thread": [2000.0, 0.5],
            "2 threads": [4000.0, 0.25],
        }
        words = [text.get_text() for text in ax.texts]
        assert words[1:] == ["about 2 s, 0.005 %", "0.25 ms, 40 %"]
        with pytest.raises(ValueError, match="no rungs of the size 'large'"):
            plots.ladder({"ladder": rungs})

    def test_both_are_saved(self, plots, tmp_path):
        plots.save({"rows": RESULTS}, tmp_path / "rows.svg")
        assert (tmp_path / "rows.svg").stat().st_size > 1000
        with pytest.raises(ValueError, match="first calls have no picture"):
            plots.save({"first_calls": []}, tmp_path / "none.svg")


class TestLadder:
    LAYER = Layer("tiny", (2, 3, 6, 7), (4, 3, 3, 3), padding=1, bias=False)

    @pytest.fixture
    def ladder(self):
        pytest.importorskip("numba", reason="three rungs of the ladder are compiled")
        from benchmarks import ladder

        return ladder

    def test_all_rungs_compute_the_same_sum(self, ladder):
        rungs = ladder.rungs(self.LAYER)
        plan = measure.Plan(rounds=3, slice_s=1e-4, settle_s=0, least=3)
        results = {found["rung"]: found for found in ladder.time_rungs(self.LAYER, rungs, plan)}
        assert list(results) == [rung.name for rung in rungs]
        assert {"Python, the sum", "Numba, reordered", "ketkar, direct"} <= set(results)
        assert [name for name, found in results.items() if found["scaled"]] == ["Python, the sum"]
        assert all(found["ms"] > 0 for found in results.values())

    def test_the_page_leaves_out_threads_and_torch(self, ladder):
        every, page = (
            {rung.name for rung in ladder.rungs(self.LAYER, all_rungs=whole)}
            for whole in (True, False)
        )
        assert every - page <= {"Numba, reordered, threads", "torch"}
        assert "Numba, reordered, threads" in every - page

    def test_the_sum_in_python(self, ladder):
        found = ladder.python_sum([[[[1, 2, 3], [4, 5, 6]]]], [[[[1, 0], [0, 10]]]])
        assert found == [[[[51, 62]]]]

    def test_a_part_is_scaled_to_the_whole(self, ladder):
        layer = self.LAYER._replace(padding=0)
        y = convolution.forward(layer)()
        rungs = [
            ladder.Rung("part", lambda: time.sleep(0.002) or y[:1, :2], (1, 2)),
            ladder.Rung("ketkar, direct", lambda: y),
        ]
        plan = measure.Plan(rounds=3, slice_s=1e-4, settle_s=0, least=3)
        part, whole = ladder.time_rungs(layer, rungs, plan)
        assert part["ms"] >= 4 * 2
        assert (part["scaled"], whole["scaled"]) == (True, False)

    def test_a_rung_of_another_sum_is_refused(self, ladder):
        y = np.ones((2, 4, 6, 7), np.float32)
        wrong = y.copy()
        wrong[1, 3, 5, 6] = 0
        rungs = [ladder.Rung("wrong", lambda: wrong), ladder.Rung("ketkar, direct", lambda: y)]
        with pytest.raises(ValueError, match="wrong and ketkar differ by"):
            ladder.time_rungs(self.LAYER, rungs, measure.QUICK)


class TestCommand:
    def test_an_unknown_row_is_refused(self, cpu, python):
        done = python("-m", "benchmarks", "--only", "unheard-of", check=False)
        assert done.returncode == 2
        assert "no row is named like unheard-of; there are lenet1-forward, " in done.stderr

    def test_a_quick_run_writes_and_draws_its_rows(self, cpu, python, tmp_path):
        file, picture = tmp_path / "rows.json", tmp_path / "rows.svg"
        chosen = ("--only", "mlp-batch1", "--only", "max-2x2-forward", "--threads", "1")
        done = python("-m", "benchmarks", "--quick", *chosen, "--json", file, "--plot", picture)
        found = json.loads(file.read_text())
        assert set(found) == {"machine", "versions", "rows"}
        assert {"processor", "processors", "system", "quick", "date", "limits"} == set(
            found["machine"]
        )
        assert {"python", "ketkar", "numpy"} <= set(found["versions"])
        assert [row["name"] for row in found["rows"]] == ["max-2x2-forward", "mlp-batch1"]
        for row in found["rows"]:
            assert set(row) == set(RESULTS[0])
            assert row["threads"] == 1
            assert 0 < row["ours_ms"] < 10000
            # near 1 at most, but a busy machine may have been slower when its limits were measured
            assert 0 < row["share_of_limit"] < 10
            assert row["peer_ms"] > 0
            assert row["ratio"] > 0
            assert row["name"] in done.stdout
        assert "geometric mean over 2 row(s)" in done.stdout
        assert picture.stat().st_size > 1000

    @pytest.mark.slow
    def test_first_calls(self, cpu, python, tmp_path):
        file = tmp_path / "calls.json"
        python(
            "-m", "benchmarks", "--first-calls", "--quick", "--only", "max-2x2-b", "--json", file
        )
        (found,) = json.loads(file.read_text())["first_calls"]
        assert found["name"] == "max-2x2-backward"
        assert found["cold_s"] > 0
        assert found["warm_s"] > 0
