"""SARIF and JUnit say what the JSON of `verify` says, and what it left unproven."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from builder.cli import main

ROOT = Path(__file__).resolve().parents[2]
LOCK = "lock/1.0/plain/tiny-x86_64.toml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The small project, one lock of which has a row of another origin, and markup in its words."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "tests/faults/project", folder)
    lock = folder / LOCK
    lock.write_text(lock.read_text().replace('origin = "pypi"', 'origin = "<b>\\u0001&"', 1))
    return folder


def judged(project: Path, form: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["verify", "--quiet", "--project", str(project), "--release", "all", "--format", form])
    return code, capsys.readouterr().out


def test_sarif_has_every_finding_and_every_open_claim(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = judged(project, "json", capsys)
    plain: dict[str, Any] = json.loads(text)
    assert plain["findings"]
    assert code == plain["exit-code"] != 0
    same, text = judged(project, "sarif", capsys)
    assert same == code
    (run,) = json.loads(text)["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [
        (one["ruleId"], one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for one in run["results"]
    ] == [(one["rule"], one["lock"]) for one in plain["findings"]]
    assert all(rules[one["ruleIndex"]] == one["ruleId"] for one in run["results"])
    assert len({one["partialFingerprints"]["finding/v1"] for one in run["results"]}) == len(run["results"])
    (invocation,) = run["invocations"]
    said = " ".join(one["message"]["text"] for one in invocation["toolExecutionNotifications"])
    assert all(one["claim"] in said for one in plain["not-proven"])


def test_junit_fails_for_what_fails_the_run_and_skips_what_was_not_proven(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = json.loads(judged(project, "json", capsys)[1])
    root = ET.fromstring(judged(project, "junit", capsys)[1])
    failed = {
        (case.get("classname"), case.get("name"))
        for case in root.iter("testcase")
        if case.find("failure") is not None
    }
    assert {name for _, name in failed} == {
        one["lock"] for one in plain["findings"] if one["level"] == "error"
    }
    assert root.get("failures") == str(len(failed))
    skipped = [case.get("name") for case in root.iter("testcase") if case.find("skipped") is not None]
    assert skipped == [one["claim"] for one in plain["not-proven"]]
    texts = " ".join(failure.text or "" for failure in root.iter("failure"))
    assert all(one["text"] in texts for one in plain["findings"] if one["level"] == "error")


def test_sound_locks_pass(capsys: pytest.CaptureFixture[str]) -> None:
    project = ROOT / "tests/faults/project"
    code, text = judged(project, "junit", capsys)
    root = ET.fromstring(text)
    assert code == 0
    assert root.get("failures") == "0"
    assert int(root.get("tests", "0")) > int(root.get("skipped", "0"))
    assert json.loads(judged(project, "sarif", capsys)[1])["runs"][0]["results"] == []
