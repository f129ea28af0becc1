"""`diff`: what changed between locks, the dangerous first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from builder.commands.diff_facts import histories, yanked
from builder.commands.diff_pairs import compare_sides
from builder.commands.diff_words import sides_of
from builder.diff import Facts, Report, Risk, as_markdown, as_text, as_value, page, report, with_facts
from builder.project import Project
from builder.selection import Selection

__all__ = ["Form", "Options", "level", "run", "show"]


class Form(StrEnum):
    """The form of the result."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


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
    fail_on: Risk | None = Risk.CONSEQUENCE
    """The lowest class of risk that makes the exit code 1; None for no class."""
    form: Form = Form.TEXT


def level(word: str) -> Risk | None:
    """Return the class of risk that `word` names; None for `none`."""
    return None if word == "none" else Risk(word)


def run(project: Project, options: Options) -> int:
    """Compare and report; 1 where something at or above the level is there, else 0, or an error."""
    sides = sides_of(project, options.words, staged=options.staged)
    reading = compare_sides(sides, options.selection)
    changes = [change for item in reading.compared for change in item.changes]
    facts = Facts(
        histories=histories(project, changes, options.clones),
        yanked=yanked(project, changes, options.index_url) if options.online else {},
    )
    compared = tuple(replace(item, changes=with_facts(item.changes, facts)) for item in reading.compared)
    found = report(sides.before.label, sides.after.label, compared, reading.unsound)
    show(project, found, options.form)
    return int(options.fail_on is not None and found.reaches(options.fail_on))


def show(project: Project, found: Report, form: Form) -> None:
    """Write a report to standard output."""
    match form:
        case Form.JSON:
            project.console.json(as_value(found))
        case Form.MARKDOWN:
            project.console.data(as_markdown(page(found)))
        case Form.TEXT:
            project.console.styled(as_text(page(found)))
