"""The programs of scripts/: each starts, says how it is used, stands in the list, and is linted and typed."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = sorted(
    path for path in (ROOT / "scripts").rglob("*") if path.is_file() and os.access(path, os.X_OK)
)
IN_PYTHON = [path for path in PROGRAMS if "python" in path.read_text("utf-8").partition("\n")[0]]


def name_of(path: Path) -> str:
    """Return a program's path as one types it in the repository's root."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("program", IN_PYTHON, ids=name_of)
def test_a_program_in_python_starts_and_says_how_it_is_used(program: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, program, "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(("usage: ", "Usage: "))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("program", PROGRAMS, ids=name_of)
def test_the_head_of_a_program_says_how_it_is_called(program: Path) -> None:
    assert (
        f"\n    {name_of(program)}" in (text := program.read_text("utf-8"))
        or f"\n#   {name_of(program)}" in text
    )


def test_the_environment_says_how_it_is_used_before_it_makes_anything(tmp_path: Path) -> None:
    script = tmp_path / "scripts/environment"
    script.parent.mkdir()
    script.write_bytes((ROOT / "scripts/environment").read_bytes())
    done = subprocess.run(["sh", script, "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Makes .venv ")
    assert [path.name for path in tmp_path.iterdir()] == ["scripts"]


def test_every_program_stands_in_the_list_of_programs() -> None:
    page = (ROOT / "scripts/README.md").read_text("utf-8")
    assert [name for path in PROGRAMS if f"`{(name := name_of(path))}" not in page] == []


def test_every_program_in_python_is_linted_and_typed() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    for patterns in (tool["ruff"]["extend-include"], tool["mypy"]["files"]):
        matched = {path for pattern in patterns for path in ROOT.glob(pattern)}
        assert [name_of(path) for path in IN_PYTHON if path not in matched] == []
