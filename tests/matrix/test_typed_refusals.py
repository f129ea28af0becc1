"""What the tool itself says of refusals that people typed into releases."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.cli import main
from builder.console import Console
from builder.locks import locked_targets, read_outcomes
from builder.matrix import RefusalStanding, judge_refusals, open_targets
from builder.matrix.typed_refusals import without_typed_refusals
from builder.model.target import Arch, Target
from builder.project import open_project
from builder.recipe import (
    Library,
    LockOutcome,
    TargetRefusal,
    dump_outcomes,
    effective_recipe,
    inputs_digest,
    read_library,
)

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests/faults/project/recipes"
TINY = Target(release="1.0", platform="plain", framework="tiny", arch=Arch.X86_64)


def library(*, missing: bool = False, bare: bool = False, **row: Any) -> Library:
    """The small project, whose release refuses TINY by hand; without the base or without any version."""
    files = {
        path.relative_to(SMALL).as_posix(): path.read_bytes() for path in SMALL.rglob("*") if path.is_file()
    }
    found = read_library(files)
    if missing:
        platforms = {name: replace(item, images={}, assembled={}) for name, item in found.platforms.items()}
        found = replace(found, platforms=platforms)
    refusal = TargetRefusal(
        framework="tiny", platforms=("plain",), arches=(Arch.X86_64,), reason="never", **row
    )
    release = replace(found.releases["1.0"], targets=(), refused=(refusal,))
    if bare:
        release = replace(release, python={})
    return replace(found, releases={"1.0": release})


def tried(small: Library, exit_code: int, said: str = "") -> dict[Target, LockOutcome]:
    recipe = effective_recipe(without_typed_refusals(small), TINY)
    outcome = LockOutcome(
        release="1.0",
        platform="plain",
        framework="tiny",
        arch=Arch.X86_64,
        inputs=inputs_digest(recipe),
        exit=exit_code,
        said=said,
    )
    return {TINY: outcome}


@pytest.mark.parametrize(
    ("missing", "exit_code", "said", "standing"),
    [
        (False, 0, "", RefusalStanding.WOULD_LOCK),
        (True, 0, "", RefusalStanding.NEEDED),
        (False, 5, "tiny 1 has no wheel for this target", RefusalStanding.SAID_BY_LOCK),
        (True, 5, "tiny 1 has no wheel for this target", RefusalStanding.SAID_BY_LOCK),
        (False, 6, "the index own could not be reached", RefusalStanding.NEEDED),
    ],
)
def test_a_recorded_trial_says_whether_a_refusal_is_needed(
    missing: bool, exit_code: int, said: str, standing: RefusalStanding
) -> None:
    small = library(missing=missing)
    (found,) = judge_refusals(small, (), tried(small, exit_code, said))
    assert (found.standing, found.targets, found.said) == (standing, (TINY,), said)


@pytest.fixture
def refused_project(tmp_path: Path) -> Path:
    """The small project, with a typed refusal of TINY."""
    shutil.copytree(SMALL.parent, tmp_path / "project")
    release = tmp_path / "project/recipes/releases/1.0.toml"
    row = '[[refused]]\nframework = "tiny"\nplatforms = ["plain"]\narches = ["x86_64"]\nreason = "never"\n'
    text = release.read_text().replace('arches = ["x86_64", "aarch64"]', 'arches = ["aarch64"]')
    shutil.rmtree(tmp_path / "project/lock")
    release.write_text(f"{text}\n{row}")
    return tmp_path / "project"


@pytest.mark.parametrize(("exit_code", "code"), [(0, 1), (5, 0)])
@pytest.mark.parametrize("form", ["text", "json", "markdown"])
@pytest.mark.parametrize("table", ["refusals", "targets", "summary"])
def test_matrix_finds_a_refusal_whose_target_would_lock(
    refused_project: Path,
    capsys: pytest.CaptureFixture[str],
    exit_code: int,
    code: int,
    form: str,
    table: str,
) -> None:
    recipes = open_project(
        project=str(refused_project), store="", origins=(), mirrors=(), console=Console()
    ).library()
    (refused_project / "lock").mkdir()
    (refused_project / "lock/outcomes.toml").write_bytes(
        dump_outcomes(tried(recipes, exit_code, "no" if exit_code else "").values())
    )
    words = ["matrix", "--project", str(refused_project), "--table", table, "--format", form]
    assert main(words) == code
    said = capsys.readouterr()
    finding = "recipes/releases/1.0.toml: refused: 'never' is typed, and without it `lock` ran to its end"
    assert (finding in " ".join(said.err.split())) is bool(code)
    if (table, form) == ("refusals", "json"):
        (row,) = json.loads(said.out)["refusals"]
        assert row["refused"] == [str(TINY)]
        assert bool(row["finding"]) is bool(code)


def test_a_trial_of_other_recipes_says_nothing() -> None:
    small = library()
    stale = {target: replace(row, inputs="0" * 16) for target, row in tried(small, 0).items()}
    for outcomes in ({}, stale):
        (found,) = judge_refusals(small, (), outcomes)
        assert found.standing is RefusalStanding.UNTRIED


def test_recipes_that_do_not_fit_say_it_without_a_trial() -> None:
    (found,) = judge_refusals(library(bare=True), (), {})
    assert found.standing is RefusalStanding.SAID_BY_RECIPES
    assert "has no version" in found.said


def test_a_refusal_that_waits_for_a_place_refuses_nothing() -> None:
    (found,) = judge_refusals(library(unreached=True), (), {})
    assert found.standing is RefusalStanding.UNREACHED


def test_one_target_that_would_lock_decides_for_the_row() -> None:
    small = library()
    release = small.releases["1.0"]
    (row,) = release.refused
    small = replace(small, releases={"1.0": replace(release, refused=(replace(row, arches=()),))})
    other = replace(TINY, arch=Arch.AARCH64)
    outcomes = tried(small, 5, "no")
    inputs = inputs_digest(effective_recipe(without_typed_refusals(small), other))
    outcomes[other] = replace(outcomes[TINY], arch=Arch.AARCH64, inputs=inputs, exit=0, said="")
    (found,) = judge_refusals(small, (), outcomes)
    if found.standing is RefusalStanding.WOULD_LOCK:
        assert found.targets == (other,)
    else:  # the small project has no base for aarch64
        assert (found.standing, found.targets) == (RefusalStanding.NEEDED, (other,))


def test_targets_of_typed_refusals_are_tried_too() -> None:
    assert TINY in open_targets(library(), ())


def test_no_committed_refusal_is_one_that_the_tool_says_by_itself_or_that_does_not_hold() -> None:
    project = open_project(project=str(ROOT), store="", origins=(), mirrors=(), console=Console())
    found = judge_refusals(project.library(), locked_targets(project), read_outcomes(project).by_target())
    needless = (RefusalStanding.WOULD_LOCK, RefusalStanding.SAID_BY_LOCK, RefusalStanding.UNTRIED)
    wrong = [
        f"{one.release} {one.row.framework}, {one.row.reason}: {one.standing}"
        for one in found
        if one.standing in needless
    ]
    assert not wrong, "see python -m builder matrix --table refusals"
