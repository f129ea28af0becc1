"""`upgrade`: newer pins written into recipes, locks made again, and what changed; whole, or not at all."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from builder import diff, updates
from builder.console import Console
from builder.diff import Report
from builder.errors import NoSolutionError, UsageError
from builder.locking import EVERYTHING, LockedTarget, LockRequest, Mode, make_locks
from builder.locks import locked_targets, read_locks
from builder.model import Target, counted, markdown_table, nearest_names
from builder.options import (
    ResultFormat,
    add_cooldown,
    add_format,
    add_index_url,
    add_places,
    add_selection,
    project_of,
    selection_of,
)
from builder.project import Project
from builder.recipe import Library, lockable_targets
from builder.selection import Selection
from builder.updates import NewsRequest, NewsState, PinNews, ProjectPin, Upgrade, UpgradeChoice

__all__ = ["EXAMPLES", "Options", "add_options", "run", "upgrade_project"]

EXAMPLES = """\
  python -m builder upgrade --all                 everything that `outdated` calls newer
  python -m builder upgrade fastapi uvicorn
  python -m builder upgrade torch==2.11.1 --reason "2.11.0 leaks memory"
  python -m builder upgrade --all --dry-run --format markdown     the body of a pull request
"""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `upgrade`."""
    verb.add_argument("names", nargs="*", metavar="NAME", help="a pin, or NAME==VERSION; see `outdated`")
    verb.add_argument("--all", action="store_true", help="every pin that has a newer version")
    verb.add_argument("--dry-run", action="store_true", help="try everything, show it, write nothing")
    verb.add_argument("--reason", default="", metavar="TEXT", help="why; kept in the release's evidence")
    add_cooldown(verb)
    add_selection(verb)
    add_places(verb)
    add_format(verb, ResultFormat.MARKDOWN)
    add_index_url(verb)


def run(options: argparse.Namespace, console: Console) -> int:
    """Upgrade, lock and report; 0, or the code of the error that left everything as it was."""
    return upgrade_project(
        project_of(options, console),
        Options(
            names=tuple(options.names),
            all=options.all,
            dry_run=options.dry_run,
            reason=options.reason,
            cooldown=tuple(options.cooldown),
            selection=selection_of(options),
            index_url=options.index_url,
            now=datetime.now(UTC),
            form=ResultFormat(options.format),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    names: tuple[str, ...] = ()
    all: bool = False
    dry_run: bool = False
    reason: str = ""
    cooldown: tuple[str, ...] = ()
    selection: Selection
    index_url: str = ""
    now: datetime
    form: ResultFormat


def upgrade_project(project: Project, options: Options) -> int:
    """Upgrade, lock and report; 0, or the error of what cannot be locked, and then nothing was written."""
    if bool(options.names) == options.all:
        raise UsageError("say what is upgraded", place="upgrade", hint="give names of pins, or --all")
    library = project.library()
    pins = updates.pins_of_project(project, library, options.selection)
    wanted = _wanted_versions(project, options.names, pins)
    choice = UpgradeChoice(
        news=_chosen_news(project, library, pins, wanted, options),
        named=frozenset(wanted),
        cooldown=updates.project_cooldown(project, options.cooldown),
        now=options.now,
        reason=options.reason,
    )
    with updates.shadow_of(project) as shadow:
        done = updates.apply_upgrades(shadow, library, choice)
        _check_named(done, wanted)
        loose = tuple(name for name in wanted if name not in {pin.name for pin in pins})
        if not done.taken and not loose:
            _show_upgrade(project, options, done, None)
            return 0
        report = _locks_again(shadow, library, done, loose, options)
        written = () if options.dry_run else updates.write_back(shadow, project)
    _show_upgrade(project, options, done, report)
    project.console.status(
        "dry run: nothing was written" if options.dry_run else f"wrote {counted(len(written), 'file')}"
    )
    return 0


def _wanted_versions(project: Project, names: Sequence[str], pins: Iterable[ProjectPin]) -> dict[str, str]:
    """Return the names with their versions, empty for the newest (UsageError for one that nothing has)."""
    known = {pin.name for pin in pins}
    locked = {row.name for lock, _ in read_locks(project, locked_targets(project)) for row in lock.python}
    found = {}
    for text in names:
        name, _, version = text.partition("==")
        if name not in known and (version or name not in locked):
            what = "pin" if version else "pin and no locked distribution"
            raise UsageError(
                f"there is no {what} {name!r}", place="upgrade", hint=nearest_names(name, known | locked)
            )
        found[name] = version
    return found


def _chosen_news(
    project: Project,
    library: Library,
    pins: Sequence[ProjectPin],
    wanted: dict[str, str],
    options: Options,
) -> tuple[PinNews, ...]:
    """Return what is newer than each chosen pin; a version that was named is asked of nobody."""
    asked = tuple(pin for pin in pins if options.all or (pin.name in wanted and not wanted[pin.name]))
    request = NewsRequest(
        pins=asked,
        cooldown=updates.project_cooldown(project, options.cooldown),
        now=options.now,
        index_url=options.index_url,
    )
    stated = [
        PinNews(pin=pin, state=NewsState.NEWER, newest=wanted[pin.name], newest_on=options.now)
        for pin in pins
        if wanted.get(pin.name)
    ]
    return (*updates.ask_about_project(project, library, request), *stated)


def _check_named(done: Upgrade, wanted: dict[str, str]) -> None:
    """Refuse to leave what was named (NoSolutionError), unless nothing newer is there."""
    fine = {NewsState.NEWEST.value, NewsState.COOLING.value}
    for item, reason in done.left:
        if item.pin.name in wanted and reason not in fine:
            raise NoSolutionError(reason, place=f"upgrade {item.pin.name}", hint="nothing was written")


def _locks_again(
    shadow: Project, library: Library, done: Upgrade, loose: tuple[str, ...], options: Options
) -> Report:
    """Make the locks of the copy again; the first error stands for all, and nothing is written then."""
    if loose and not done.taken:
        releases = {target.release for target in lockable_targets(library, options.selection)}
    else:
        releases = {name for item in done.taken for name in item.pin.releases}
    edited = shadow.library()
    listed = lockable_targets(edited, Selection(releases=tuple(sorted(releases))))
    have = set(locked_targets(shadow))
    targets = [target for target in listed if target in have] or list(listed)
    rows = {row.name for lock, _ in read_locks(shadow, set(targets) & have) for row in lock.python}
    named = [*loose, *(item.pin.name for item in done.taken)]
    made = make_locks(
        shadow,
        edited,
        targets,
        LockRequest(
            mode=Mode.WRITE,
            upgrade=(EVERYTHING,) if options.all else tuple(name for name in named if name in rows),
            index_url=options.index_url,
        ),
    )
    failed = [one for one in made if one.error is not None]
    for one in failed[1:]:
        shadow.console.warning(f"{one.target}: {one.reason}")
    if failed and failed[0].error is not None:
        error = failed[0].error
        hint = f"{error.hint}; no recipe and no lock was changed".removeprefix("; ")
        raise type(error)(error.cause, place=error.place, hint=hint)
    return _report_of(made)


def _report_of(made: Sequence[LockedTarget]) -> Report:
    compared = [
        diff.compared_in_place(one.before, one.lock, place=_name_of(one.target))
        for one in made
        if one.lock is not None
    ]
    return diff.report("the locks before", "the locks after", compared)


def _name_of(target: Target) -> str:
    return f"lock/{target.path}"


def _show_upgrade(project: Project, options: Options, done: Upgrade, report: Report | None) -> None:
    """Write what was edited, what was left, and what changed in the locks."""
    console = project.console
    if options.form is ResultFormat.JSON:
        console.json(_as_value(options, done, report))
    elif options.form is ResultFormat.MARKDOWN:
        console.data(_as_markdown(options, done, report))
    else:
        rows = [(change.place, change.before, change.after) for change in done.changes]
        console.table(("recipe", "before", "now"), rows)
        for item, reason in done.left:
            console.status(f"left {item.pin.kind} {item.pin.name} {item.pin.version}: {reason}")
        if report is not None:
            console.styled(diff.as_text(diff.page(report)))


def _as_value(options: Options, done: Upgrade, report: Report | None) -> dict[str, Any]:
    return {
        "dry-run": options.dry_run,
        "edits": [
            {"place": change.place, "before": change.before or None, "after": change.after or None}
            for change in done.changes
        ],
        "left": [
            {
                "kind": item.pin.kind.value,
                "name": item.pin.name,
                "pinned": item.pin.version,
                "reason": reason,
            }
            for item, reason in done.left
        ],
        "diff": diff.as_value(report) if report is not None else None,
    }


def _as_markdown(options: Options, done: Upgrade, report: Report | None) -> str:
    """Return the body of a pull request: what was upgraded, what was left, and the diff of the locks."""
    if not done.taken and report is None:
        parts = ["Nothing is upgraded."]
    else:
        parts = [f"Upgrades {counted(len(done.taken), 'pin')}."]
    if options.reason:
        parts.append(f"Reason: {_code_text(options.reason)}")
    if done.taken:
        rows = [
            (item.pin.kind.value, item.pin.name, item.pin.version, item.newest, _license_words(item))
            for item in done.taken
        ]
        parts.append(markdown_table(("pin", "name", "before", "after", "license"), rows))
    bounds = sorted({change.after for change in done.changes if change.place.endswith(": exclude-newer")})
    parts += [f"No Python file after {_code_text(bound)} counts." for bound in bounds]
    if done.left:
        left = [(item.pin.kind.value, item.pin.name, item.pin.version, why) for item, why in done.left]
        table = markdown_table(("pin", "name", "version", "why"), left)
        summary = f"<summary>Left as they are ({len(left)})</summary>"
        parts.append(f"<details>{summary}\n\n{table}\n\n</details>")
    if report is not None:
        parts.append("## What changes in the locks")
        parts.append(diff.as_markdown(diff.page(report)))
    return "\n\n".join(parts)


def _license_words(item: PinNews) -> str:
    if item.license is None:
        return f"not looked up: {item.license_reason}" if item.license_reason else "not looked up"
    before, after = (text or "not clear" for text in (item.license.before, item.license.after))
    return f"stays {before}" if before == after else f"{before} -> {after}"


def _code_text(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`"
