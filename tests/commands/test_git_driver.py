"""Locks shown by git itself: the configuration of this repository, in a clone with real commits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests/faults/project/lock/1.0/plain"
LOCK = "lock/1.0/plain/tiny-x86_64.toml"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with this one's attributes and git configuration, included by the documented line."""
    folder = tmp_path / "repository"
    (folder / LOCK).parent.mkdir(parents=True)
    (folder / LOCK).write_bytes((TINY / "tiny-x86_64.toml").read_bytes())
    (folder / "scripts").mkdir()
    (folder / "scripts/gitconfig").write_text((ROOT / "scripts/gitconfig").read_text())
    (folder / "scripts/git-lock").write_text(
        f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m builder git-driver "$@"\n'
    )
    (folder / "scripts/git-lock").chmod(0o755)
    (folder / ".gitattributes").write_text((ROOT / ".gitattributes").read_text())
    git(folder, "init", "-q", "-b", "main")
    line = next(line for line in (ROOT / "scripts/gitconfig").read_text().split("\n") if "git config" in line)
    git(folder, *line.strip("# ").split()[1:])
    commit(folder)
    return folder


def git(folder: Path, *words: str) -> str:
    who = {f"GIT_{role}_{key}": "a@invalid" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    env = {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *words], cwd=folder, env=env | who, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "change")


def edit(folder: Path, old: str, new: str) -> None:
    text = (folder / LOCK).read_text()
    assert old in text
    (folder / LOCK).write_text(text.replace(old, new))


def test_git_diff_shows_the_report(repository: Path) -> None:
    edit(repository, 'version = "3.10"', 'version = "3.9"')
    said = git(repository, "diff")
    assert said.startswith(f"NOT SOUND  b/{LOCK} (the new lock) fails its own integrity check:")
    assert "Downgrade (1)\n  python  idna 3.10 -> 3.9\n" in said


def test_git_log_compares_lines_that_name_their_rows(repository: Path) -> None:
    edit(repository, 'glibc = "2.41"', 'glibc = "2.42"')
    commit(repository)
    for words in (["log", "-p", "-1"], ["show"], ["log", "-p", "-1", "--stat"]):
        said = git(repository, *words)
        assert "-environment glibc 2.41\n+environment glibc 2.42\n" in said, words
    assert "platform  glibc 2.41 -> 2.42" in git(repository, "log", "-p", "-1", "--ext-diff")


def test_locks_that_came_went_or_moved(repository: Path) -> None:
    path = repository / LOCK
    other = path.with_name("other-x86_64.toml")
    path.rename(other)
    git(repository, "add", "-A")
    said = git(repository, "diff", "--cached", "-M")
    assert said.endswith("1 lock compared, no difference\n\n")
    other.write_text(other.read_text().replace('"2.41"', '"2.42"'))
    git(repository, "add", "-A")
    assert "platform  glibc 2.41 -> 2.42" in git(repository, "diff", "--cached", "-M")
    said = git(repository, "diff", "--cached", "--no-renames")
    assert "the whole lock removed" in said
    assert "the whole lock added" in said


@pytest.mark.parametrize("text", ["", "no lock\n", "x = '\x1b[31m'\n", "\x1b]0;title\x07"])
def test_what_is_no_lock_is_shown_and_git_goes_on(repository: Path, text: str) -> None:
    (repository / LOCK).write_text(text)
    said = git(repository, "diff")
    assert "\x1b" not in said
    assert "\n-format = 1\n" in said
    commit(repository)
    said = git(repository, "log", "-p", "-2")
    assert "\x1b" not in said
    assert "+not a lock: " in said


def test_a_patch_for_others_stays_a_patch(repository: Path) -> None:
    edit(repository, 'glibc = "2.41"', 'glibc = "2.42"')
    commit(repository)
    assert '-glibc = "2.41"\n+glibc = "2.42"\n' in git(repository, "format-patch", "-1", "--stdout")


def test_without_the_configuration_git_compares_as_ever(repository: Path) -> None:
    git(repository, "config", "--unset", "include.path")
    edit(repository, 'glibc = "2.41"', 'glibc = "2.42"')
    assert '-glibc = "2.41"\n+glibc = "2.42"\n' in git(repository, "diff")
