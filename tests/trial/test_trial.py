"""The script of checks run by a real shell, and what is read from the files that it leaves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from builder.lockfile import Check
from builder.trial import RESULTS, TrialResult, read_outcomes, trial_record, trial_script, trial_text


def tried(tmp_path: Path, *checks: Check, left_out: tuple[Check, ...] = ()) -> TrialResult:
    """Run checks as a container would, and read their results."""
    results = tmp_path / RESULTS
    results.mkdir()
    script = tmp_path / "run.sh"
    script.write_text(trial_script(checks, str(tmp_path)))
    subprocess.run(["/bin/sh", script], check=True, timeout=60)
    return read_outcomes(checks, left_out, {path.name: path.read_bytes() for path in results.iterdir()})


def test_each_check_is_judged_by_its_code_its_output_and_its_bound(tmp_path: Path) -> None:
    result = tried(
        tmp_path,
        Check(run=("echo", "it's version 1.21"), expect="1.21"),
        Check(run=("echo", "version 1.20"), expect="1.21"),
        Check(run=("sh", "-c", "echo broken >&2; exit 3")),
        Check(run=("sleep", "30"), seconds=1),
        Check(run=("no-such-program",)),
        Check(run=("sh", "-c", "read line || echo nothing to read"), expect="nothing to read"),
    )
    assert [(str(one.verdict), one.why) for one in result.outcomes] == [
        ("passed", ""),
        ("failed", "not in its output: '1.21'"),
        ("failed", "exit code 3"),
        ("failed", "not done after 1 s"),
        ("failed", "exit code 127"),
        ("passed", ""),
    ]
    assert result.outcomes[2].lines == ("broken",)
    assert not result.passed


def test_a_check_that_needs_a_gpu_is_not_called_passed_without_one(tmp_path: Path) -> None:
    gpu = Check(run=("nvidia-smi",), needs="gpu")
    result = tried(tmp_path, Check(run=("true",)), left_out=(gpu,))
    assert result.passed
    assert trial_text(result).splitlines()[-1] == "1 passed, 1 not run"
    record = trial_record(result)
    assert [row["verdict"] for row in record["checks"]] == ["passed", "not run"]
    assert not read_outcomes((), (gpu,), {}).passed


def test_the_gpu_and_its_driver_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "nvidia-smi").write_text('#!/bin/sh\necho "NVIDIA X1, 580.1"\necho "NVIDIA X1, 580.1"\n')
    (folder / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{Path(shutil.which('sh') or '/bin/sh').parent}")
    result = tried(tmp_path, Check(run=("true",)))
    assert result.gpu == "NVIDIA X1, 580.1; NVIDIA X1, 580.1"
    assert trial_text(result).startswith("GPU: NVIDIA X1, 580.1;")


def test_a_container_that_ended_early_fails_the_checks_that_were_not_run() -> None:
    check = Check(run=("true",))
    result = read_outcomes((check, check), (), {"0.code": b"0\n", "0.output": b"", "0.seconds": b"2\n"})
    assert [str(one.verdict) for one in result.outcomes] == ["passed", "failed"]
    assert result.outcomes[1].why == "the container ended before it was run"
