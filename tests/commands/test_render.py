"""`render` beside recipes: a lock that they do not make is refused, or its Dockerfile says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.cli import main

SMALL = Path(__file__).resolve().parents[1] / "faults/project"
LOCK = "lock/1.0/plain/tiny-x86_64.toml"
DIFFERS = "# Rendered with --stale: these locks differ from the recipes that were beside them."
NOT_COMPARED = "# No recipes were beside these locks, so they were compared with nothing."


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return shutil.copytree(SMALL, tmp_path / "project")


def render(project: Path, *words: str) -> int:
    places = ["--project", str(project), "--store", str(project / "store")]
    return main(["render", "--quiet", "--inputs", "store", *words, *places])


def header(project: Path) -> list[str]:
    text = (project / "rendered/1.0/plain/tiny/Dockerfile").read_text()
    return text.partition("\n\n")[0].splitlines()


def insert_step(project: Path) -> None:
    path = project / LOCK
    step = '  ["make", "-j{jobs}"],\n'
    text = path.read_text()
    assert step in text
    path.write_text(text.replace(step, f'  ["sh", "-c", "id > /evil"],\n{step}'))


def change_recipe(project: Path) -> None:
    path = project / "recipes/components/zlib.toml"
    path.write_text(path.read_text().replace("--static", "--shared"))


def test_a_lock_of_its_recipe_has_nothing_to_say(project: Path) -> None:
    assert render(project) == 0
    assert not {DIFFERS, NOT_COMPARED} & {*header(project)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (insert_step, "recipe-mismatch: builds zlib 1.3.1: steps differs from the recipe"),
        (change_recipe, "recipe-mismatch: the recipe changed: component.zlib.steps"),
    ],
)
def test_a_lock_that_differs_is_refused_or_says_so(
    change: Callable[[Path], None], said: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(project)
    assert render(project) == 4
    err = capsys.readouterr().err
    assert f"error: {LOCK}: {said}\n" in err or f"aarch64.toml: {said}\n" in err, err
    assert "--stale" in err
    assert not (project / "rendered").exists()
    assert render(project, "--stale") == 0
    assert said in capsys.readouterr().err
    assert DIFFERS in header(project)


def test_a_lock_that_no_recipe_makes_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "recipes/frameworks/tiny.toml").unlink()
    release = project / "recipes/releases/1.0.toml"
    release.write_text(release.read_text().partition("[[targets]]")[0])
    assert render(project) == 4
    assert (
        "recipe-mismatch: the recipes do not make it: there is no framework 'tiny'" in capsys.readouterr().err
    )


def test_without_recipes_it_says_that_nothing_was_compared(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(project / "recipes")
    insert_step(project)
    assert render(project) == 0
    assert NOT_COMPARED.removeprefix("# ") in capsys.readouterr().err
    assert NOT_COMPARED in header(project)


def test_why_reads_a_dockerfile_that_says_so(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    insert_step(project)
    assert render(project, "--stale") == 0
    path = project / "rendered/1.0/plain/tiny/Dockerfile"
    number = 1 + next(n for n, line in enumerate(path.read_text().splitlines()) if "id > /evil" in line)
    capsys.readouterr()
    words = ["why", "--line", str(number), "--dockerfile", str(path), "--format", "json"]
    assert main([*words, "--quiet", "--project", str(project)]) == 0
    assert "zlib" in json.dumps(json.loads(capsys.readouterr().out))
