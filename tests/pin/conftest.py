"""Real git repositories behind a public address, and a project to pin."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from builder.console import Console
from builder.origins.origins import Origins
from builder.pin.context import Context
from builder.project import Project
from builder.store.store import Store

PUBLIC = "https://git.example.invalid"


@dataclass(slots=True)
class Forge:
    """A folder of repositories that git reaches as `https://git.example.invalid/NAME.git`."""

    root: Path
    clock: int = 1_700_000_000

    def git(self, name: str, *words: str) -> str:
        self.clock += 60
        when = f"{self.clock} +0000"
        env = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@example.invalid",
            "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@example.invalid",
            "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_DATE": when,
        }
        done = subprocess.run(
            ["git", "-C", str(self.root / f"{name}.git"), *words], env=env, check=True, capture_output=True
        )
        return done.stdout.decode().strip()

    def make(self, name: str) -> str:
        (self.root / f"{name}.git").mkdir(parents=True)
        self.git(name, "init", "--quiet", "--initial-branch=main")
        return f"{PUBLIC}/{name}.git"

    def commit(self, name: str, files: dict[str, str | bytes], *, tag: str = "") -> str:
        """Write files (`@x` executable, `->x` a link to x) and commit; an annotated tag names it."""
        folder = self.root / f"{name}.git"
        for path, content in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str) and content.startswith("->"):
                file.symlink_to(content[2:])
            elif isinstance(content, str) and content.startswith("@"):
                file.write_text(content[1:])
                file.chmod(0o755)
            else:
                file.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git(name, "add", "--all")
        return self.seal(name, tag)

    def seal(self, name: str, tag: str = "") -> str:
        self.git(name, "commit", "--quiet", "--allow-empty", "--message=x")
        if tag:
            self.git(name, "tag", "--annotate", "--force", "--message=x", tag)
        return self.git(name, "rev-parse", "HEAD")

    def submodule(self, name: str, path: str, commit: str, url: str) -> None:
        """Stage a gitlink and its entry in .gitmodules."""
        listing = self.root / f"{name}.git" / ".gitmodules"
        with listing.open("a") as file:
            file.write(f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n')
        self.git(name, "add", ".gitmodules")
        self.git(name, "update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Forge:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{tmp_path}/forge/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"{PUBLIC}/")
    return Forge(root=tmp_path / "forge")


@dataclass(slots=True)
class Bench:
    """A project folder, and what pinning it said."""

    root: Path
    origins: Origins = field(default_factory=Origins)
    out: io.StringIO = field(default_factory=io.StringIO)
    err: io.StringIO = field(default_factory=io.StringIO)

    @property
    def store(self) -> Store:
        return Store(self.root / "store")

    def context(self, *, dry_run: bool = False) -> Context:
        project = Project(
            root=self.root,
            store=self.store,
            origins=self.origins,
            console=Console(out=self.out, err=self.err),
        )
        return Context(project=project, dry_run=dry_run)

    def write(self, path: str, text: str) -> Path:
        file = self.root / "recipes" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def read(self, path: str) -> str:
        return (self.root / "recipes" / path).read_text()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(root=tmp_path / "project")


HEADER = """\
name = "{name}"
summary = "A thing"
homepage = "https://example.invalid"
license = "MIT"
system = "make"
"""


@pytest.fixture
def component(bench: Bench) -> Callable[[str, str], Path]:
    """Write a component recipe: its name, and what follows the header."""

    def write(name: str, rest: str) -> Path:
        return bench.write(f"components/{name}.toml", HEADER.format(name=name) + rest)

    return write
