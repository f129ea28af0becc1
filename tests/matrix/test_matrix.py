"""The support matrix: no cell without a state and a reason, and every reason is one that `lock` gives."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.cli import main
from builder.commands.matrix import TABLES, add_options
from builder.console import Console
from builder.errors import LockError
from builder.locks import locked_targets, read_outcomes
from builder.matrix import open_targets, without_typed_refusals
from builder.matrix.cell import Cell, CellState, cells, command, suggestion, trap_of
from builder.matrix.tables import framework_summaries, summary_table, targets_table
from builder.model.target import Arch, Target
from builder.model.text import markdown_table
from builder.project import Project, open_project
from builder.recipe import ImageRecipe, missing_pins
from builder.recipe.effective import effective_recipe
from builder.recipe.library import Library
from builder.recipe.outcomes import LockOutcome, dump_outcomes, inputs_digest, load_outcomes
from builder.recipe.reading import read_library
from builder.recipe.release import TargetRefusal
from builder.resolve import Trial

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests/faults/project"
TINY = Target(release="1.0", platform="plain", framework="tiny", arch=Arch.X86_64)


@pytest.fixture(scope="module")
def project() -> Project:
    return open_project(project=str(ROOT), store="", origins=(), mirrors=(), console=Console())


@pytest.fixture(scope="module")
def matrix(project: Project) -> tuple[Cell, ...]:
    return cells(project.library(), locked_targets(project), read_outcomes(project).by_target())


@pytest.fixture(scope="module")
def small() -> Library:
    folder = SMALL / "recipes"
    return read_library(
        {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
    )


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "builder", "matrix", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_there_is_a_cell_for_everything_and_none_is_empty(project: Project, matrix: tuple[Cell, ...]) -> None:
    library = project.library()
    wanted = len(library.releases) * len(library.frameworks) * len(library.platforms) * len(Arch)
    assert len({cell.target for cell in matrix}) == len(matrix) == wanted
    for cell in matrix:
        assert (cell.state is CellState.LOCKED) == (not cell.reason), cell.target
        assert (cell.state is CellState.LOCKABLE) == bool(command([cell])), cell.target
        assert (cell.state is CellState.UNTRIED) == bool(suggestion([cell])), cell.target
        assert (cell.state is CellState.REFUSED) == bool(cell.by), cell.target


def test_every_lock_is_a_locked_cell_and_nothing_else_is(project: Project, matrix: tuple[Cell, ...]) -> None:
    locked = {cell.target for cell in matrix if cell.state is CellState.LOCKED}
    assert locked == {
        target for target in locked_targets(project) if target in {cell.target for cell in matrix}
    }


def one(library: Library, outcomes: dict[Target, LockOutcome], *locked: Target) -> Cell:
    return next(cell for cell in cells(library, locked, outcomes) if cell.target == TINY)


def tried(library: Library, **changes: Any) -> dict[Target, LockOutcome]:
    outcome = LockOutcome(
        release="1.0",
        platform="plain",
        framework="tiny",
        arch=Arch.X86_64,
        inputs=inputs_digest(effective_recipe(library, TINY)),
        exit=5,
        said="tiny 1 has no wheel for this target",
    )
    return {TINY: replace(outcome, **changes)}


def test_a_lock_counts_more_than_anything_that_was_said(small: Library) -> None:
    assert one(small, tried(small), TINY).state is CellState.LOCKED


def test_what_lock_said_is_the_reason_with_its_trap(small: Library) -> None:
    cell = one(small, tried(small))
    assert (cell.state, cell.trap, cell.by) == (CellState.REFUSED, "T4", "lock")
    assert cell.reason == "tiny 1 has no wheel for this target"


def test_what_was_said_of_other_recipes_does_not_count(small: Library) -> None:
    cell = one(small, tried(small, inputs="0" * 16))
    assert (cell.state, cell.reason) == (CellState.UNTRIED, "not tried: no trial with these recipes")


def test_what_resolves_is_lockable_by_a_command_that_names_it(small: Library) -> None:
    cell = one(small, tried(small, exit=0, said=""))
    assert cell.state is CellState.LOCKABLE
    assert command([cell]) == (
        "python -m builder lock --release 1.0 --platform plain --framework tiny --arch x86_64"
    )


def test_an_index_without_an_answer_leaves_a_target_untried(small: Library) -> None:
    said = "the index own could not be reached: https://own.example/"
    cell = one(small, tried(small, exit=6, said=said))
    assert (cell.state, cell.reason) == (CellState.UNTRIED, f"not tried to its end: {said}")
    assert not command([cell])
    assert suggestion([cell]).startswith("python -m builder lock --release 1.0 ")


@pytest.mark.parametrize("missing", [False, True])
def test_what_a_release_could_not_reach_is_untried_until_a_whole_trial_ends_well(
    small: Library, missing: bool
) -> None:
    library = refusing(without_inventory(small) if missing else small, unreached=True)
    assert one(library, {}).reason.startswith("not tried: never")
    assert one(library, tried(library, exit=6, said="x")).state is CellState.UNTRIED
    wanted = CellState.UNTRIED if missing else CellState.LOCKABLE
    assert one(library, tried(library, exit=0, said="")).state is wanted


def test_a_row_that_waits_for_a_place_does_not_hide_what_the_recipes_say(small: Library) -> None:
    library = refusing(small, unreached=True)
    cell = one(replace(library, releases={"1.0": replace(library.releases["1.0"], python={})}), {})
    assert (cell.state, cell.by) == (CellState.REFUSED, "recipes")
    assert "has no version" in cell.reason


def refusing(library: Library, trap: str = "", *, unreached: bool = False) -> Library:
    row = TargetRefusal(
        framework="tiny",
        platforms=("plain",),
        arches=(Arch.X86_64,),
        reason="never",
        trap=trap,
        unreached=unreached,
    )
    return replace(library, releases={"1.0": replace(library.releases["1.0"], targets=(), refused=(row,))})


def test_a_release_that_refuses_gives_its_reason(small: Library) -> None:
    cell = one(refusing(small, trap="T4"), {})
    assert (cell.word, cell.reason, cell.by) == ("refused (T4)", "never", "release")


def without_base(library: Library) -> Library:
    bare = {name: replace(platform, images={}, assembled={}) for name, platform in library.platforms.items()}
    return replace(library, platforms=bare)


def without_inventory(library: Library) -> Library:
    """Return the library with an image of which a command can find out more."""
    image = ImageRecipe(name="r.example/base", tag="1")
    bare = {
        name: replace(platform, images={Arch.X86_64: (image,)}, assembled={})
        for name, platform in library.platforms.items()
    }
    return replace(library, platforms=bare)


@pytest.mark.parametrize("python_side", [False, True])
def test_what_no_command_can_fill_in_is_not_lockable(small: Library, python_side: bool) -> None:
    library = without_base(small)
    cell = one(library, tried(library, exit=0, said="") if python_side else {})
    assert (cell.state, cell.word) == (CellState.NOT_LOCKABLE, "not lockable")
    assert cell.reason == (
        "base for x86_64, a published image or an assembled one is missing: "
        "no command fills in what a recipe does not name"
    )
    assert not command([cell])
    assert not suggestion([cell])


def test_a_command_that_ran_on_a_stand_in_is_said_so_and_one_that_failed_says_what_is_missing(
    small: Library,
) -> None:
    library = without_inventory(small)

    def on_stand_in(outcomes: dict[Target, LockOutcome]) -> Cell:
        return next(cell for cell in cells(library, [], {}, stand_in=outcomes) if cell.target == TINY)

    ran = on_stand_in(tried(library, exit=0, said=""))
    assert ran.word == "command tried on a stand-in"
    assert suggestion([ran]).startswith("python -m builder pin image plain && python -m builder lock ")
    failed = on_stand_in(tried(library, exit=6, said="a list of packages is missing"))
    assert (failed.word, failed.reason) == ("not lockable", "a list of packages is missing")
    assert not suggestion([failed])
    cell = on_stand_in(tried(library, exit=0, said="", inputs="0" * 16))
    assert cell.state is CellState.UNTRIED, "the recipes were others then"


@pytest.mark.parametrize("python_side", [False, True])
def test_a_target_whose_pins_are_missing_is_untried_whatever_its_python_side_does(
    small: Library, python_side: bool
) -> None:
    library = without_inventory(small)
    cell = one(library, tried(library, exit=0, said="") if python_side else {})
    assert (cell.state, cell.word) == (CellState.UNTRIED, "untried")
    assert cell.reason.startswith("not tried: pins are missing: platform plain: digest of the image")
    assert not command([cell])
    assert suggestion([cell]).startswith("python -m builder pin image plain && python -m builder lock ")
    assert not command([cell, replace(cell, state=CellState.LOCKABLE)])


def test_an_image_that_is_named_without_a_digest_is_filled_by_a_command(small: Library) -> None:
    cell = one(without_inventory(small), {})
    missing = "platform plain: digest of the image r.example/base:1 for x86_64"
    assert cell.reason.startswith(f"not tried: pins are missing: {missing}")
    assert "no command" not in cell.reason
    assert suggestion([cell]).startswith("python -m builder pin image plain && python -m builder lock ")


def test_only_a_command_that_was_run_is_the_one_that_locks(small: Library) -> None:
    lock = "python -m builder lock --release 1.0 --platform plain --framework tiny --arch x86_64"
    (row,) = targets_table([one(small, tried(small, exit=0, said=""))]).rows
    assert row[4:] == (
        "lockable",
        f"`lock` ran to its end, and no lock is committed; lock it with: {lock}",
    )
    (row,) = targets_table([one(small, {})]).rows
    assert row[4:] == ("untried", f"not tried: no trial with these recipes; to try it: {lock}")


def test_untried_cells_are_counted_apart(small: Library) -> None:
    (row,) = framework_summaries([one(small, {})])
    assert row.counts == {state: int(state is CellState.UNTRIED) for state in CellState}
    assert summary_table([row]).rows == (("1.0", "tiny", "nowhere", "1 untried"),)


def test_committed_pages_call_a_cell_lockable_only_by_a_whole_trial(
    project: Project, matrix: tuple[Cell, ...]
) -> None:
    library, outcomes = project.library(), read_outcomes(project).by_target()
    for cell in (cell for cell in matrix if cell.state is CellState.LOCKABLE):
        recipe = effective_recipe(library, cell.target)
        assert not missing_pins(recipe), cell.target
        assert (outcomes[cell.target].exit, outcomes[cell.target].inputs) == (0, inputs_digest(recipe))
    if not any(cell.state is CellState.LOCKABLE for cell in matrix):
        text = (ROOT / "docs/support-matrix.md").read_text("utf-8")
        tables = [line for line in text.splitlines() if line.startswith("|")]
        assert not [line for line in tables if re.search(r"(?<!not )lockable|lock it with", line)]


def test_a_refusal_counts_more_than_missing_pins(small: Library) -> None:
    assert one(refusing(without_base(small), trap="T3"), {}).state is CellState.REFUSED
    assert one(refusing(without_base(small)), {}).state is CellState.REFUSED


def test_an_experimental_platform_is_named_so(small: Library) -> None:
    platforms = {name: replace(item, status="experimental") for name, item in small.platforms.items()}
    library = replace(small, platforms=platforms)
    assert one(library, {}, TINY).word == "experimental"
    assert one(library, {}).word == "untried, experimental"


def test_a_framework_without_versions_is_refused_with_what_is_missing(small: Library) -> None:
    library = replace(small, releases={"1.0": replace(small.releases["1.0"], python={})})
    cell = one(library, {})
    assert (cell.state, cell.by) == (CellState.REFUSED, "recipes")
    assert "has no version" in cell.reason


def test_tables_lose_no_cell(matrix: tuple[Cell, ...]) -> None:
    rows = targets_table(matrix).rows
    assert sum(len(row[2].split(", ")) * len(row[3].split(", ")) for row in rows) == len(matrix)
    frameworks = {(cell.target.release, cell.target.framework) for cell in matrix}
    assert len(summary_table(framework_summaries(matrix)).rows) == len(frameworks)


def test_records_of_trials_are_read_as_they_are_written(small: Library) -> None:
    rows = tuple(tried(small).values())
    assert load_outcomes(dump_outcomes(rows), place="x").tried == rows
    with pytest.raises(LockError, match=r"x: tried\[0\]\.exit: expected a whole number"):
        load_outcomes(dump_outcomes(rows).replace(b"exit = 5", b'exit = "5"'), place="x")


@pytest.mark.parametrize(
    "folder",
    sorted(
        path for form in ("T[1-5]-*", "T15-*") for path in (ROOT / "tests/traps").glob(form) if path.is_dir()
    ),
    ids=lambda path: path.name,
)
def test_the_message_of_a_trap_is_known_as_its_trap(folder: Path) -> None:
    text = (folder / "expect.txt").read_text()
    if (folder / "exit-code").read_text().strip() == "5":
        assert trap_of(text) == folder.name.partition("-")[0]


def test_a_cell_of_markdown_cannot_end_its_row() -> None:
    text = markdown_table(("a",), [["x | <b>y</b>\n| `z` \x1b[31m \u202e"]])
    assert len(text.splitlines()) == 3
    assert text.splitlines()[2] == r"| x \| \<b\>y\</b\> \| \`z\` \[31m |"


def test_json_has_every_table_and_every_cell(matrix: tuple[Cell, ...]) -> None:
    done = run("--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == {"format", "command", *TABLES} - {"overview"}
    assert len(found["targets"]) == len(matrix)
    torch = [row for row in found["wheels"] if (row["release"], row["name"]) == ("0.8.0", "torch")]
    assert {(row["glibc"], row["cuda"]) for row in torch} == {("2.28", "12.8")}
    versions = {(row["release"], row["name"]): row for row in found["versions"]}
    assert versions["1.4.2", "vllm"]["versions"] == ["0.26.0"]
    assert versions["1.4.2", "vllm"]["locked"]


def offered_forms() -> list[str]:
    """Return the values of `--format` that the verb takes."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    return next(list(action.choices or ()) for action in parser._actions if action.dest == "format")


@pytest.mark.parametrize("form", offered_forms())
@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_its_rows_in_every_form(
    table: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One release and framework that have a row in every table."""
    chosen = ["--release", "1.4.2", "--framework", "dynamo", "--platform", "debian-13-cuda-13.0"]
    if table == "refusals":  # nobody refuses what is locked
        chosen = ["--release", "0.6.1", "--framework", "kvbm"]
    assert main(["matrix", "--project", str(ROOT), "--table", table, "--format", form, *chosen]) == 0
    said = capsys.readouterr().out
    if form == "json":
        found = json.loads(said)
        assert list(found) == ["format", "command", table]
        assert found[table]
        assert all(isinstance(row, dict) and row for row in found[table])
    else:
        assert len([line for line in said.splitlines() if "|" in line or "\t" in line]) > 1


def test_a_selection_narrows_and_an_unknown_name_is_an_error() -> None:
    done = run("--table", "targets", "--release", "1.4.2", "--framework", "vllm", "--format", "json")
    rows = json.loads(done.stdout)["targets"]
    assert {(row["release"], row["framework"]) for row in rows} == {("1.4.2", "vllm")}
    wrong = run("--release", "1.4.3")
    assert wrong.returncode == 2
    assert "there is no release '1.4.3'" in wrong.stderr


def test_what_a_release_refuses_lock_refuses_in_the_same_words(matrix: tuple[Cell, ...]) -> None:
    own = [cell for cell in matrix if cell.by == "release" and cell.trap != "T3"]
    for cell in own[:: max(1, len(own) // 3)]:
        target = cell.target
        words = ["--release", target.release, "--platform", target.platform, "--framework", target.framework]
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "builder",
                "lock",
                *words,
                "--arch",
                target.arch,
                "--offline",
                "--dry-run",
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 6:  # pins are missing: that is said first
            assert done.returncode == 5, done.stderr
            assert cell.reason in " ".join(done.stderr.split())


@pytest.mark.network
def test_the_wheels_themselves_refuse_what_the_releases_refuse_by_t3(
    project: Project, matrix: tuple[Cell, ...]
) -> None:
    with Trial(project, project.library()) as trial:
        for cell in (cell for cell in matrix if cell.trap == "T3" and cell.by == "release"):
            outcome = trial.outcome(cell.target)
            assert outcome.exit == 5, cell.target
            assert trap_of(outcome.said) == "T3", outcome


@pytest.mark.network
def test_what_is_recorded_is_what_lock_says(project: Project) -> None:
    library, recorded = project.library(), read_outcomes(project).by_target()
    targets = [target for target in open_targets(library, locked_targets(project)) if target in recorded]
    with Trial(project, without_typed_refusals(library)) as trial:
        for target in targets[:: max(1, len(targets) // 8)]:
            assert trial.outcome(target) == recorded[target]
    assert targets, "nothing is recorded: run scripts/maintenance/try-targets"


def test_the_page_is_its_output() -> None:
    page = (ROOT / "docs/support-matrix.md").read_text("utf-8")
    summary = page.partition("## Summary\n\n")[2].partition("\n\n## ")[0]
    assert summary == run("--table", "summary", "--format", "markdown").stdout.rstrip("\n")
    assert page.partition("## Targets")[1]
