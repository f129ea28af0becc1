"""`init`: a recipe that is valid at once, or none."""

from __future__ import annotations

import io
import os
import pty
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from builder.cli import main
from builder.project import recipe_files
from builder.recipe.reading import read_library
from builder.recipe.targets import lockable_targets
from builder.selection import Selection
from tests.pin.conftest import forge

__all__ = ["forge"]

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests/faults/project"
ABOUT = ("--summary", 'A "thing", 100 % new', "--license", "MIT")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(SMALL / "recipes", folder / "recipes")
    return folder


def state(project: Path) -> dict[str, bytes]:
    return recipe_files(project / "recipes")


def init(project: Path, *words: str) -> int:
    return main(["init", *words, "--project", str(project), "--store", str(project / "store")])


def test_a_framework_with_its_targets(project: Path) -> None:
    words = ("--root", "idna[all]", "--component", "zlib", "--release", "1.0", "--platform", "plain")
    assert (
        init(project, "framework", "fresh", *ABOUT, *words, "--pin", "idna==3.10", "--arch", "aarch64") == 0
    )
    library = read_library(state(project))
    framework = library.frameworks["fresh"]
    assert (framework.summary, framework.roots) == ('A "thing", 100 % new', ("idna[all]",))
    targets = lockable_targets(library, Selection(frameworks=("fresh",)))
    assert [str(target) for target in targets] == ["1.0/plain/fresh-aarch64"]
    assert dict(library.releases["1.0"].python["fresh"]) == {"idna": "3.10"}


def test_what_was_in_the_release_stays_as_it_was(project: Path) -> None:
    file = project / "recipes/releases/1.0.toml"
    before = file.read_text("utf-8")
    init(project, "framework", "fresh", *ABOUT, "--root", "idna", "--release", "1.0", "--platform", "plain")
    added = '[[targets]]\nframework = "fresh"\nplatforms = ["plain"]\narches = ["x86_64", "aarch64"]\n\n'
    assert file.read_text("utf-8").replace(added, "", 1) == before


def test_a_component_from_a_tag(project: Path, forge: Any) -> None:
    url = forge.make("thing")
    head = forge.commit("thing", {"configure.ac": "AC_INIT\n"}, tag="v1.2")
    words = ("--system", "autotools", "--homepage", "https://example.invalid", "--git", url, "--tag", "v1.2")
    assert init(project, "component", "thing", *ABOUT, *words, "--need", "zlib", "--flag=--with-x") == 0
    component = read_library(state(project)).components["thing"]
    git = component.versions["1.2"].git
    assert git is not None
    assert (git.commit, git.tag, git.evidence.value) == (head, "v1.2", "observed")
    assert git.sha256 is not None
    assert (component.needs, component.flags, component.prefix) == (("zlib",), ("--with-x",), "/opt/thing")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("framework", "tiny", *ABOUT, "--root", "a"), 2, "recipes/frameworks/tiny.toml: this recipe exists"),
        (("framework", "Fresh", *ABOUT, "--root", "a"), 2, "is not a recipe's name"),
        (("framework", "../x", *ABOUT, "--root", "a"), 2, "is not a recipe's name"),
        (("framework", "x", *ABOUT), 2, "a framework needs --root"),
        (("framework", "x", *ABOUT, "--root", "a", "--git", "b"), 2, "--git belongs to a component"),
        (("framework", "x", *ABOUT, "--root", "a==1"), 3, "says more than a name and extras"),
        (("framework", "x", *ABOUT, "--root", "a", "--component", "zlb"), 3, "did you mean `zlib`?"),
        (("framework", "x", *ABOUT, "--root", "a", "--platform", "plain"), 2, "name the release"),
        (("framework", "x", *ABOUT, "--root", "a", "--release", "1.0"), 2, "need a platform"),
        (
            ("framework", "x", *ABOUT, "--root", "a", "--release", "1.1", "--platform", "plain"),
            2,
            "did you mean `1.0`",
        ),
        (("framework", "x", *ABOUT, "--root", "a", "--release", "1.0", "--platform", "plan"), 2, "`plain`"),
        (
            (
                "framework",
                "x",
                *ABOUT,
                "--root",
                "a",
                "--release",
                "1.0",
                "--platform",
                "plain",
                "--pin",
                "a>1",
            ),
            2,
            "write NAME==VERSION",
        ),
        (("framework", "x", "--license", "MIT", "--summary", "two\nlines", "--root", "a"), 3, "summary"),
        (("component", "x", *ABOUT, "--system", "scons"), 2, "a component needs --homepage"),
    ],
)
def test_what_does_not_fit_is_written_nowhere(
    project: Path, words: tuple[str, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state(project)
    assert init(project, *words) == code
    assert said in capsys.readouterr().err
    assert state(project) == before


@pytest.mark.parametrize(
    ("tag", "system", "code", "said"),
    [
        ("main", "make", 3, "is a branch of"),
        ("v9", "make", 6, "has no tag 'v9'"),
        ("v1.2", "scons", 2, "unknown build system 'scons'"),
    ],
)
def test_a_component_that_cannot_be_pinned(
    project: Path, forge: Any, tag: str, system: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = forge.make("thing")
    forge.commit("thing", {"a": "b\n"}, tag="v1.2")
    before = state(project)
    words = ("--system", system, "--homepage", "https://example.invalid", "--git", url, "--tag", tag)
    assert init(project, "component", "thing", *ABOUT, *words) == code
    assert said in capsys.readouterr().err
    assert state(project) == before


def test_on_a_terminal_what_is_missing_is_asked(project: Path) -> None:
    command = (sys.executable, "-m", "builder", "init", "framework", "fresh", "--project", str(project))
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs) as running:
        os.close(theirs)
        os.write(ours, b"idna certifi\nA thing\nMIT\n")
        said = io.BytesIO()
        try:
            while chunk := os.read(ours, 4096):
                said.write(chunk)
        except OSError:  # how a terminal ends
            pass
        assert running.wait(30) == 0
    os.close(ours)
    assert b"License, as an SPDX expression" in said.getvalue()
    written = tomllib.loads((project / "recipes/frameworks/fresh.toml").read_text("utf-8"))
    assert written == {"name": "fresh", "summary": "A thing", "license": "MIT", "roots": ["idna", "certifi"]}
