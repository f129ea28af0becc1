"""The command line itself: help, version, streams, exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from builder import __version__
from builder.cli import VERBS, main

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_an_example_for_each_verb(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert f"python -m builder {verb}" in text.partition("examples:")[2]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"lockwright {__version__}\n"


@pytest.mark.parametrize("words", [[], ["lock", "--framwork", "x"], ["matrix", "--table", "sumary"]])
def test_usage_errors_end_in_two(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert capsys.readouterr().out == ""


def test_a_folder_that_is_no_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lock", "--project", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path}/recipes: no recipes here\nhint: go to a project, or name it: --project DIR\n"
    )


def test_the_reader_of_our_output_may_go_away() -> None:
    command = f"{sys.executable} -m builder lock --check --format json --quiet | head -c 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
