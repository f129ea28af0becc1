"""`diff`: what changed between locks, the dangerous first."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from builder.console import Console
from builder.diff import OutsideFacts, Report, Risk, as_markdown, as_text, as_value, page, report, with_facts
from builder.errors import UsageError
from builder.locks import select_targets
from builder.options import (
    ResultFormat,
    add_format,
    add_index_url,
    add_places,
    add_selection,
    project_of,
    selection_of,
)
from builder.project import Project
from builder.revisions import Sides, compare_sides, histories, sides_of, targets_by_name, yanked
from builder.selection import Selection

__all__ = ["EXAMPLES", "Options", "add_options", "compare_locks", "run", "show"]

EXAMPLES = """\
  python -m builder diff                                   the last commit and the work tree
  python -m builder diff HEAD~1 --fail-on downgrade
  python -m builder diff main..branch --format markdown -- lock/1.4.2
  python -m builder diff lock/1.4.2 lock/1.6.0
  python -m builder diff lock/1.6.0/debian-13-cuda-13.0/vllm-x86_64.toml pylock.vllm-x86_64.toml
"""
_NO_LEVEL = "none"
"""The value of `--fail-on` for which differences are never a failure."""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `diff`."""
    verb.add_argument(
        "words",
        nargs="*",
        metavar="WHAT",
        help="two files or folders; or revisions as with git diff (A, A B, A..B, A...B), then paths",
    )
    add_selection(verb, otherwise="all")
    add_places(verb)
    add_format(verb, ResultFormat.MARKDOWN)
    levels = [*(risk.value for risk in Risk), _NO_LEVEL]
    verb.add_argument(
        "--fail-on",
        choices=levels,
        default=Risk.CONSEQUENCE.value,
        metavar="LEVEL",
        help=f"exit 1 at or above this class of risk: {', '.join(levels)} (default: any difference)",
    )
    verb.add_argument("--staged", action="store_true", help="compare with what is staged for a commit")
    verb.add_argument(
        "--clones",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="folder with clones of the sources: show the commits between; may be repeated",
    )
    verb.add_argument("--online", action="store_true", help="ask the Python index which releases are yanked")
    add_index_url(verb)


def run(options: argparse.Namespace, console: Console) -> int:
    """Compare and report; 1 where something at or above the level is there, else 0, or an error."""
    return compare_locks(
        project_of(options, console),
        Options(
            words=tuple(options.words),
            selection=selection_of(options),
            staged=options.staged,
            clones=tuple(options.clones),
            online=options.online,
            index_url=options.index_url,
            fail_on=None if options.fail_on == _NO_LEVEL else Risk(options.fail_on),
            form=ResultFormat(options.format),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    words: tuple[str, ...]
    """Two files or folders, or revisions and paths."""
    selection: Selection
    staged: bool = False
    """Whether the new side is what is staged, not the work tree."""
    clones: tuple[Path, ...] = ()
    """Folders with repositories of the sources."""
    online: bool = False
    """Whether the index is asked for withdrawn files."""
    index_url: str = ""
    fail_on: Risk | None
    """The lowest class of risk that makes the exit code 1; None for no class."""
    form: ResultFormat


def compare_locks(project: Project, options: Options) -> int:
    """Compare and report; 1 where something at or above the level is there, else 0, or an error."""
    sides = sides_of(project, options.words, staged=options.staged)
    reading = compare_sides(sides, _selected_names(project, sides, options.selection))
    changes = [change for item in reading.compared for change in item.changes]
    facts = OutsideFacts(
        histories=histories(project, changes, options.clones),
        yanked=yanked(project, changes, options.index_url) if options.online else {},
    )
    compared = tuple(replace(item, changes=with_facts(item.changes, facts)) for item in reading.compared)
    found = report(sides.before.label, sides.after.label, compared, reading.unsound)
    show(project, found, options.form)
    return int(options.fail_on is not None and found.reaches(options.fail_on))


def _selected_names(project: Project, sides: Sides, selection: Selection) -> frozenset[str]:
    """Return the names of the locks that are compared: all of them, or those of selected targets."""
    if selection.is_empty:
        return sides.names
    targets = targets_by_name(sides)
    known = {target for group in targets.values() for target in group}
    if not known:
        raise UsageError(
            "these files name no target",
            place=str(selection),
            hint="leave out --release, --platform, --framework and --arch",
        )
    chosen = set(select_targets(project, selection, known))
    return frozenset(name for name, group in targets.items() if group & chosen)


def show(project: Project, found: Report, form: ResultFormat) -> None:
    """Write a report to standard output."""
    match form:
        case ResultFormat.JSON:
            project.console.json(as_value(found))
        case ResultFormat.MARKDOWN:
            project.console.data(as_markdown(page(found)))
        case ResultFormat.TEXT:
            project.console.styled(as_text(page(found)))
