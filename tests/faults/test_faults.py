"""Broken recipes and locks, each a folder named after its fault, with the exact message and exit code.

`project/` is a small sound project; a fault's files are laid over it. Its
`expect.txt` is what the program says on standard error.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from builder.cli import main

HERE = Path(__file__).parent
KINDS = {
    "recipes": (3, ["lock", "--check"]),
    "locks": (4, ["render", "--inputs", "store", "--arch", "x86_64"]),
}


def cases() -> list[tuple[str, Path]]:
    return [(kind, path) for kind in KINDS for path in sorted((HERE / kind).iterdir()) if path.is_dir()]


def run(project: Path, command: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main([*command, "--quiet", "--project", str(project), "--store", str(project / "store")])
    return code, capsys.readouterr().err.replace(str(project), "PROJECT")


@pytest.mark.parametrize(
    ("kind", "fault"), cases(), ids=lambda value: value if isinstance(value, str) else value.name
)
def test_a_fault_is_named_and_ends_in_its_exit_code(
    kind: str,
    fault: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    update_golden: bool,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    project = tmp_path / "project"
    shutil.copytree(HERE / "project", project)
    overlay = project / "recipes" if kind == "recipes" else project
    shutil.copytree(fault, overlay, dirs_exist_ok=True, ignore=shutil.ignore_patterns("expect.txt"))
    expected_code, command = KINDS[kind]
    code, said = run(project, command, capsys)
    if update_golden:
        (fault / "expect.txt").write_text(said)
    assert code == expected_code, said
    assert said == (fault / "expect.txt").read_text()
    assert not (project / "rendered").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_the_project_itself_is_sound(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = tmp_path / "project"
    shutil.copytree(HERE / "project", project)
    code, said = run(project, KINDS[kind][1], capsys)
    assert (code, said) == (0, "")


def test_there_are_at_least_forty() -> None:
    assert len(cases()) >= 40
