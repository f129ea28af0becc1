"""`lock`: recipes to lock files."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from builder import diff
from builder.console import Console
from builder.errors import BuilderError, NoSolutionError, UsageError
from builder.locking import (
    EVERYTHING,
    TO_RESOLVE,
    LockedTarget,
    LockRequest,
    Mode,
    difference_text,
    make_locks,
)
from builder.locks import why_unlocked
from builder.model import Target
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
from builder.recipe import Library, lockable_targets
from builder.selection import Selection

__all__ = ["EXAMPLES", "Options", "add_options", "lock_targets", "run"]

EXAMPLES = """\
  python -m builder lock                          every target of the default release
  python -m builder lock --framework vllm --arch aarch64
  python -m builder lock --release all --check    does every lock still fit its recipe?
  python -m builder lock --upgrade torch          let one distribution move
"""
_MOST_SHOWN = 8
_MADE = frozenset({"written", "would change"})


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `lock`."""
    add_selection(verb)
    add_places(verb)
    add_format(verb)
    verb.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if a lock is not its recipe's"
    )
    verb.add_argument("--dry-run", action="store_true", help="resolve and show, write nothing")
    verb.add_argument(
        "--upgrade",
        nargs="?",
        action="append",
        const=EVERYTHING,
        default=[],
        metavar="NAME",
        help="resolve again without existing pins; with NAME, upgrade only that distribution",
    )
    verb.add_argument("--offline", action="store_true", help="use the store and the caches only")
    add_index_url(verb)


def run(options: argparse.Namespace, console: Console) -> int:
    """Lock or check the selected targets; 0, or 1 if a check found one to lock again, or an error's code."""
    if options.check and (options.dry_run or options.upgrade):
        raise UsageError("--check goes with neither --dry-run nor --upgrade", hint="use one of them")
    return lock_targets(
        project_of(options, console),
        Options(
            selection=selection_of(options),
            mode=Mode.CHECK if options.check else Mode.DRY_RUN if options.dry_run else Mode.WRITE,
            upgrade=tuple(options.upgrade),
            offline=options.offline,
            index_url=options.index_url,
            json=options.format == ResultFormat.JSON,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    selection: Selection
    mode: Mode
    upgrade: tuple[str, ...] = ()
    offline: bool = False
    index_url: str = ""
    json: bool = False


def lock_targets(project: Project, options: Options) -> int:
    """Lock or check the selected targets; 0, or 1 if a check found one to lock again, or an error's code."""
    library = project.library()
    request = LockRequest(
        mode=options.mode, upgrade=options.upgrade, offline=options.offline, index_url=options.index_url
    )
    targets = _selected_targets(project, library, options.selection)
    found = make_locks(project, library, targets, request)
    return _report_outcomes(project, found, options)


def _selected_targets(project: Project, library: Library, selection: Selection) -> tuple[Target, ...]:
    """Return the selected targets; what no release lists or refuses has the reason that `matrix` knows."""
    try:
        return lockable_targets(library, selection)
    except NoSolutionError as error:
        known = why_unlocked(project, selection.or_release(library.default_release.version))
        cause = f"{error.cause}; {known}" if known else error.cause
        raise NoSolutionError(cause, place=error.place, hint=error.hint) from None


def _report_outcomes(project: Project, outcomes: list[LockedTarget], options: Options) -> int:
    changed = _lock_changes(outcomes)
    if options.json:
        counts = diff.as_value(changed)["counts"] if changed else {}
        rows_of_json = [_outcome_as_json(outcome) for outcome in outcomes]
        project.console.json({"targets": rows_of_json, "changes": counts})
    else:
        rows = [(str(o.target), o.state, _reason_text(o)) for o in outcomes]
        project.console.table(("target", "state", "why"), rows)
    if changed:
        said = "".join(text for text, _ in diff.as_text(diff.page(changed))[1])
        project.console.status(said)
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    for error in _one_for_each_cause(errors):
        project.console.error(error)
    if errors:
        return errors[0].exit_code
    return 1 if options.mode is Mode.CHECK and any(o.state in TO_RESOLVE for o in outcomes) else 0


def _lock_changes(outcomes: list[LockedTarget]) -> diff.Report | None:
    """Return what is new in the locks that were made; None if none was, or none differs."""
    compared = [
        diff.compared_in_place(made.before, made.lock, place=str(made.target))
        for made in outcomes
        if made.lock is not None and made.state in _MADE
    ]
    return diff.report("the locks before", "now", compared) if compared else None


def _one_for_each_cause(errors: list[BuilderError]) -> list[BuilderError]:
    """Return one error for all that say the same of several places, the first of which it names."""
    places: dict[tuple[type[BuilderError], str, str], list[str]] = {}
    for error in errors:
        known = places.setdefault((type(error), error.cause, error.hint), [])
        if error.place not in known:
            known.append(error.place)
    return [
        kind(cause, place=f"{first} and {len(more)} more" if more else first, hint=hint)
        for (kind, cause, hint), (first, *more) in places.items()
    ]


def _reason_text(outcome: LockedTarget) -> str:
    if outcome.error is not None:
        return f"exit {outcome.error.exit_code}, see below"
    about = outcome.keys or tuple(map(difference_text, outcome.differences))
    if not about:
        return outcome.reason
    more = f" and {len(about) - _MOST_SHOWN} more" if len(about) > _MOST_SHOWN else ""
    separator = ", " if outcome.keys else "; "
    return f"{outcome.reason}: {separator.join(about[:_MOST_SHOWN])}{more}"


def _outcome_as_json(outcome: LockedTarget) -> dict[str, object]:
    error = outcome.error
    return {
        "target": str(outcome.target),
        "state": outcome.state,
        "reason": outcome.reason,
        "changed-keys": list(outcome.keys),
        "differences": [{"row": one.row, "text": one.text} for one in outcome.differences],
        "exit-code": error.exit_code if error else 0,
        "hint": error.hint if error else "",
    }
