"""Reports of the small project, made once."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from builder.cli import main

ROOT = Path(__file__).resolve().parents[2]
REAL = ("--release", "1.4.2", "--platform", "debian-13", "--framework", "dynamo")
SMALL = ROOT / "tests/faults/project"
LOCK = "lock/1.0/plain/tiny-x86_64.toml"


def run(project: Path, *words: str) -> int:
    """Run one command on a project."""
    verb, *rest = words
    return main([verb, "--quiet", "--project", str(project), *rest])


def pages_of(folder: Path) -> dict[str, bytes]:
    """Return the pages of a written report, by their paths."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.html"))}


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project as a git repository, whose work tree has another version in one lock, and a report."""
    project = tmp_path_factory.mktemp("report") / "project"
    shutil.copytree(SMALL, project)
    git = ("git", "-c", "user.name=A", "-c", "user.email=a@invalid")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "x")):
        subprocess.run([*git, *words], cwd=project, check=True)
    lock = project / LOCK
    lock.write_text(lock.read_text().replace("3.10", "3.11"))
    assert run(project, "report", "--against", "HEAD", "--output", str(project / "site")) == 0
    return project


@pytest.fixture(scope="session")
def pages(small: Path) -> dict[str, bytes]:
    """The pages of that report."""
    return pages_of(small / "site")


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two real locks, and of what their platform refuses."""
    site = tmp_path_factory.mktemp("real") / "site"
    assert run(ROOT, "report", *REAL, "--output", str(site)) == 0
    return site
