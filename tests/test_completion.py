"""Completion as shells ask for it: argcomplete's protocol, and bash itself with the code that the program writes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from builder.cli import VERBS, main
from tests.recipe.samples import ROOT, SMALL


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program as it is installed, and the small project beside it."""
    folder = tmp_path_factory.mktemp("completion")
    shutil.copytree(SMALL, folder / "project")
    program = folder / "lockwright"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -c "from builder.cli import main; main()" "$@"\n'
    )
    program.chmod(0o755)
    return program


def completed(program: Path, line: str, cwd: Path | None = None) -> list[str]:
    """Return what is offered after a line, by the protocol of argcomplete."""
    answer = program.parent / "answer"
    answer.write_text("")
    subprocess.run(
        [str(program)], cwd=cwd or program.parent / "project", check=False, capture_output=True,
        env={**os.environ, "_ARGCOMPLETE": "1", "_ARGCOMPLETE_STDOUT_FILENAME": str(answer), "_ARGCOMPLETE_IFS": "\n",
             "COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9"},
    )  # fmt: skip
    return [word.strip() for word in answer.read_text().split("\n") if word.strip()]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("lockwright ver", ["verify"]),
        ("lockwright lock --plat", ["--platform"]),
        ("lockwright lock --platform ", ["plain", "plain-cuda"]),
        ("lockwright lock --framework t", ["tiny"]),
        ("lockwright verify --release ", ["1.0", "all"]),
        ("lockwright render --arch a", ["aarch64"]),
        ("lockwright explain to", ["tool"]),
        ("lockwright pin git ", ["tool", "zlib"]),
        ("lockwright pin image plain-", ["plain-cuda"]),
        ("lockwright completion z", ["zsh"]),
        ("lockwright why ", []),
    ],
)
def test_what_is_offered(program: Path, line: str, offered: list[str]) -> None:
    found = [word for word in completed(program, line) if not word.startswith("-") or line.endswith("plat")]
    assert found == offered


def test_a_line_without_a_verb_offers_all(program: Path) -> None:
    assert set(completed(program, "lockwright ")) >= set(VERBS)


def test_another_project_and_the_catalogue_behind_it(program: Path, tmp_path: Path) -> None:
    (tmp_path / "lockwright.toml").write_text("catalogue = true\n")
    line = f"lockwright lock --project {tmp_path} --framework vll"
    assert completed(program, line) == ["vllm", "vllm-precompiled"]


def test_an_unreadable_project_offers_no_name_and_no_message(program: Path, tmp_path: Path) -> None:
    (tmp_path / "lockwright.toml").write_text("catalogue = \n")
    assert completed(program, "lockwright lock --framework ti", cwd=tmp_path) == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_with_the_code_that_is_written(program: Path) -> None:
    script = (
        'eval "$(lockwright completion bash)"\n'
        "COMP_LINE='lockwright lock --framework ti'; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9\n"
        "COMP_WORDS=(lockwright lock --framework ti); COMP_CWORD=3\n"
        "_python_argcomplete lockwright ti --framework\n"
        "printf '%s\\n' \"${COMPREPLY[@]}\"\n"
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script], cwd=program.parent / "project", capture_output=True, text=True, check=True,
        env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.stdout.split() == ["tiny"], done


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_code_names_the_program(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "lockwright" in capsys.readouterr().out
