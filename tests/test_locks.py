"""The lock folder: no symbolic link gives a lock a second place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.cli import main

SMALL = Path(__file__).parent / "faults/project"
PLACE = "1.0/plain/tiny-x86_64.toml"

COMMANDS = (
    ["verify"],
    ["lock", "--check"],
    ["render", "--inputs", "store", "--arch", "x86_64"],
    ["export", "--arch", "x86_64", "--output", "out"],
    ["sbom", "--output", "out"],
    ["why", "idna"],
    ["matrix", "--table", "cuda"],
    ["fetch", "--dry-run"],
    ["bundle", "--output", "out.tar"],
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(SMALL, folder)
    monkeypatch.chdir(folder)
    return folder


def run(project: Path, *words: str) -> int:
    return main([*words, "--project", str(project), "--store", str(project / "store")])


def link_folder(project: Path) -> str:
    (project / "lock").rename(project / "elsewhere")
    (project / "lock").symlink_to("elsewhere")
    return "lock: is a symbolic link"


def link_platform(project: Path) -> str:
    """A lock of one platform passes for another's."""
    (project / "lock/1.0/plain").rename(project / "lock/1.0/other")
    (project / "lock/1.0/plain").symlink_to("other")
    return "lock/1.0/plain: is a symbolic link"


def link_release(project: Path) -> str:
    (project / "lock/1.0").rename(project / "elsewhere")
    (project / "lock/1.0").symlink_to("../elsewhere")
    return "lock/1.0: is a symbolic link"


def link_lock(project: Path) -> str:
    (project / "lock" / PLACE).rename(project / "lock.toml")
    (project / "lock" / PLACE).symlink_to("../../../lock.toml")
    return f"lock/{PLACE}: is a symbolic link"


@pytest.mark.parametrize("link", [link_folder, link_platform, link_release, link_lock])
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_no_command_follows_a_link(
    link: Callable[[Path], str], words: list[str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = link(project)
    assert run(project, *words) in {2, 4}
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("link", [link_platform, link_release, link_lock])
def test_a_lock_that_is_named_by_its_file_is_not_followed_either(
    link: Callable[[Path], str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = link(project)
    for name in (f"lock/{PLACE}", str(project / "lock" / PLACE), f"lock/../lock/{PLACE}"):
        assert run(project, "verify", name) == 4
        assert said in capsys.readouterr().err


def test_a_misplaced_lock_is_seen_from_outside_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A link that lies elsewhere leads to the lock's one place, and a project may be named by a link."""
    other = project / "lock/1.0/plain-cuda/tiny-x86_64.toml"
    other.parent.mkdir()
    shutil.copy(project / "lock" / PLACE, other)
    (project / "shortcut.toml").symlink_to(other)
    (project.parent / "named").symlink_to(project)
    named = project.parent / "named/lock/1.0/plain-cuda/tiny-x86_64.toml"
    for file in ("shortcut.toml", str(named), str(other)):
        assert run(project, "verify", file) == 4
        assert "misplaced" in capsys.readouterr().out
    run(project, "verify", f"{project.parent}/named/lock/{PLACE}")
    assert "misplaced" not in capsys.readouterr().out
