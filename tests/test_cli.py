"""The command line: what it prints, and the code it ends with."""

import subprocess
import sys

import pytest

import ketkar
from ketkar import cli, doctor
from ketkar.equations import equations
from ketkar.kernels import backend, driver


def test_doctor_reports_every_backend_in_sentences(capsys):
    assert cli.main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert f"ketkar {ketkar.__version__} on Python" in printed
    for name in backend.BACKENDS:
        assert f'"{name}"' in printed
    assert 'no     The backend "cuda" cannot be used' in printed
    assert all(line.endswith(".") for line in printed.splitlines())


def test_doctor_tells_a_broken_backend_from_an_absent_one(monkeypatch, capsys):
    def broken(*arguments, **options):
        raise OSError("libsomething.so cannot be opened\nmore of this")

    monkeypatch.setattr(doctor, "training_step", broken)
    assert cli.main(["doctor"]) == 1
    assert "BROKEN" in (printed := capsys.readouterr().out)
    assert "libsomething.so cannot be opened more of this" in printed


def test_doctor_notices_wrong_results(monkeypatch):
    monkeypatch.setattr(doctor, "_try_out", lambda name: (0.1, 0.5))
    findings = [f for f in doctor.examine() if "computes wrongly" in f.sentence]
    assert findings
    assert all(f.state == "BROKEN" for f in findings)


def test_doctor_reports_a_missing_package_and_a_bad_setting(monkeypatch):
    monkeypatch.setattr(doctor, "COMPANIONS", {"numba": "x", "no-such-package": "nothing"})
    monkeypatch.setenv("KETKAR_NUM_THREADS", "none")
    sentences = {f.sentence: f.state for f in doctor.examine()}
    assert sentences["no-such-package is not installed; without it there is no nothing."] == "no"
    assert any("KETKAR_NUM_THREADS" in s and state == "BROKEN" for s, state in sentences.items())


def test_doctor_describes_the_gpu_or_says_why_there_is_none(monkeypatch):
    found = driver.GPU("NVIDIA Pretended 1", (8, 9), 24 * 2**30, (12, 4))
    monkeypatch.setattr(driver, "gpu", lambda: found)
    monkeypatch.setattr(driver, "toolkit", lambda: (12, 9))
    monkeypatch.setattr(driver, "why_not", lambda: "the GPU is on holiday")
    findings = doctor.examine()
    described = doctor.Finding(
        "There is a GPU: NVIDIA Pretended 1, compute capability 8.9, 24.0 GiB, with a driver of "
        "CUDA 12.4; the toolkit is of CUDA 12.9."
    )
    assert described in findings
    reason = doctor.Finding('The backend "cuda" cannot be used: the GPU is on holiday.', "no")
    assert reason in findings
    monkeypatch.setattr(driver, "gpu", lambda: None)
    assert not any("There is a GPU" in finding.sentence for finding in doctor.examine())
    monkeypatch.setattr(driver, "toolkit", lambda: None)
    assert doctor._gpu(found, None)[0].sentence.endswith("with a driver of CUDA 12.4.")


def test_equations_lists_the_index(capsys):
    assert cli.main(["equations"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(equations())
    assert lines[1] == "(3.2)    A unit: ketkar.feedforward.unit"
    assert cli.main(["equations", "--chapter", "3"]) == 0
    assert cli.main(["equations", "--chapter", "4"]) == 1
    assert "no equations of chapter 4; there are of 3" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["dense", "feedforward.dense", "ketkar.feedforward.dense"])
def test_cite_finds_a_function_by_any_of_its_names(name, capsys):
    assert cli.main(["cite", name]) == 0
    assert "(3.7)" in capsys.readouterr().out
    assert cli.main(["cite", name, "--bibtex"]) == 0
    assert capsys.readouterr().out.startswith("@software{")


def test_cite_helps_with_a_name_that_is_not_there(capsys):
    assert cli.main(["cite", "dens"]) == 1
    assert "did you mean feedforward.dense?" in capsys.readouterr().err
    assert cli.main(["cite", "count_parameters"]) == 1
    assert "is several things" in capsys.readouterr().err


def test_a_command_that_is_not_understood_ends_with_2():
    with pytest.raises(SystemExit) as end:
        cli.main([])
    assert end.value.code == 2


def test_the_module_runs_and_a_closed_pipe_is_no_error():
    run = f'"{sys.executable}" -m ketkar equations | head -n 1; exit ${{PIPESTATUS[0]}}'
    if sys.platform == "win32":
        pytest.skip("pipes of a shell are tried where there is a bash")
    done = subprocess.run(["bash", "-c", run], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith("(3.1)")
