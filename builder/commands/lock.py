"""`lock`: recipes to lock files."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from pathlib import Path

from packaging.utils import canonicalize_name

from builder import fetch, index, resolve
from builder.console import Console, Steps
from builder.errors import BuilderError, LockError, NoSolutionError, UsageError
from builder.io import locked, read_bytes, write_atomic
from builder.lockfile import Finding, Lock, check_lock, dump_lock
from builder.locks import lock_path, why_unlocked
from builder.model import Target, nearest_names
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
from builder.recipe import (
    Library,
    check_architecture_skew,
    check_refused,
    effective_recipe,
    lock_agreement,
    lockable_targets,
    recipe_faults,
)
from builder.selection import Selection

__all__ = ["EVERYTHING", "EXAMPLES", "Mode", "Options", "Outcome", "add_options", "lock_targets", "run"]

EXAMPLES = """\
  python -m builder lock                          every target of the default release
  python -m builder lock --framework vllm --arch aarch64
  python -m builder lock --release all --check    does every lock still fit its recipe?
  python -m builder lock --upgrade torch          let one distribution move
"""
EVERYTHING = "*"
"""The value of `upgrade` that lets everything move."""
_TO_RESOLVE = frozenset({"stale", "differs"})
"""States of a lock that is made again; a check that finds one exits 1."""
_MOST_SHOWN = 8
_WORKERS = max(2, min(8, (os.cpu_count() or 2) * 2))


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


class Mode(Enum):
    """What happens with the result."""

    WRITE = auto()
    CHECK = auto()
    """Nothing is resolved and nothing written: locks that are not what their recipes make are named."""
    DRY_RUN = auto()
    """Everything is resolved, nothing is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    selection: Selection
    mode: Mode
    upgrade: tuple[str, ...] = ()
    offline: bool = False
    index_url: str = ""
    json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one target."""

    target: Target
    state: str
    """unchanged, written, stale, differs, would change, or failed."""
    reason: str = ""
    keys: tuple[str, ...] = ()
    """Keys of the recipe that changed since the lock was made."""
    differences: tuple[Finding, ...] = ()
    """Where the lock is not what its recipe makes, or breaks a rule of locks."""
    lock: Lock | None = None
    error: BuilderError | None = field(default=None, compare=False)


def lock_targets(project: Project, options: Options) -> int:
    """Lock or check the selected targets; 0, or 1 if a check found one to lock again, or an error's code."""
    library = project.library()
    targets = _selected_targets(project, library, options.selection)
    found = [_compare_with_recipe(project, library, target, options) for target in targets]
    _check_upgrades(found, options.upgrade)
    if options.mode is Mode.CHECK:
        return _report_outcomes(project, found, options)
    waiting = [outcome for outcome in found if outcome.state in _TO_RESOLVE]
    kept = {outcome.target: outcome.lock for outcome in found if outcome.state == "unchanged"}
    done = _resolve_all(project, library, waiting, options, kept) if waiting else []
    by_target = {outcome.target: outcome for outcome in (*found, *done)}
    return _report_outcomes(project, [by_target[target] for target in targets], options)


def _selected_targets(project: Project, library: Library, selection: Selection) -> tuple[Target, ...]:
    """Return the selected targets; what no release lists or refuses has the reason that `matrix` knows."""
    try:
        return lockable_targets(library, selection)
    except NoSolutionError as error:
        known = why_unlocked(project, selection.or_release(library.default_release.version))
        cause = f"{error.cause}; {known}" if known else error.cause
        raise NoSolutionError(cause, place=error.place, hint=error.hint) from None


def _check_upgrades(found: Sequence[Outcome], names: Sequence[str]) -> None:
    """Refuse to upgrade a distribution that no selected lock has (UsageError): nothing would move."""
    if any(outcome.lock is None for outcome in found):
        return  # a target without a lock is resolved from nothing, whatever is named
    known = {row.name for outcome in found if outcome.lock for row in outcome.lock.python}
    for name in names:
        if name != EVERYTHING and canonicalize_name(name) not in known:
            raise UsageError(
                f"no selected lock has the Python distribution {name!r}",
                place="--upgrade",
                hint=nearest_names(name, known),
            )


def _compare_with_recipe(project: Project, library: Library, target: Target, options: Options) -> Outcome:
    """Compare one lock with its recipe; needs neither network nor store."""
    path = lock_path(project, target)
    data = read_bytes(path) if path.is_file() else None
    try:
        if data is None:
            check_refused(library, target)
        found = lock_agreement(effective_recipe(library, target), data, place=f"lock/{target.path}")
    except BuilderError as error:
        return Outcome(target=target, state="failed", reason=str(error), error=error)
    if found.reason:
        return Outcome(
            target=target,
            state="differs" if found.differences else "stale",
            reason=found.reason,
            keys=found.keys,
            differences=found.differences,
            lock=found.lock,
        )
    if options.upgrade:
        return Outcome(target=target, state="stale", reason="upgrade", lock=found.lock)
    return Outcome(target=target, state="unchanged", lock=found.lock)


def _resolve_all(
    project: Project,
    library: Library,
    waiting: list[Outcome],
    options: Options,
    kept: Mapping[Target, Lock | None],
) -> list[Outcome]:
    """Resolve all waiting targets in parallel over one view of each index, then write what came out.

    `kept` are the locks that stay; new ones are compared with them (trap T4).
    """
    with ExitStack() as stack:
        client = stack.enter_context(project.client(offline=options.offline))
        steps = stack.enter_context(project.console.steps("locking", len(waiting)))
        session = project.session(client)
        services = project.services(
            client, index_url=options.index_url, offline=options.offline, warn=project.console.warning
        )
        pool = stack.enter_context(ThreadPoolExecutor(_WORKERS))

        def resolve_counted(outcome: Outcome) -> Outcome:
            return _resolve_one(
                outcome,
                library=library,
                session=session,
                services=services,
                options=options,
                steps=steps,
            )

        resolved = list(pool.map(resolve_counted, waiting))
        checked = _check_skew(resolved, kept)
    return [_write_lock(project, outcome, options) for outcome in checked]


def _resolve_one(
    outcome: Outcome,
    *,
    library: Library,
    session: fetch.Session,
    services: index.IndexServices,
    options: Options,
    steps: Steps,
) -> Outcome:
    target = outcome.target
    try:
        lock = resolve.make_lock(
            target,
            library=library,
            session=session,
            services=services,
            before=outcome.lock,
            upgrade=(EVERYTHING,) if EVERYTHING in options.upgrade else options.upgrade,
        )
        _check_made(lock, library)
    except BuilderError as error:
        steps.done(f"{target}: failed")
        return Outcome(target=target, state="failed", reason=str(error), error=error)
    steps.done(f"{target}: {len(lock.python)} Python, {len(lock.os_packages)} OS packages")
    return replace(outcome, state="resolved", lock=lock)


def _check_made(lock: Lock, library: Library) -> None:
    """Refuse to write what `verify`, `lock --check` or `render` would report (LockError)."""
    place = f"lock/{lock.target.path}"
    check_lock(lock, place=place, every_rule=True)
    for finding in recipe_faults(effective_recipe(library, lock.target), lock):
        raise LockError(_difference_text(finding), place=place)


def _check_skew(outcomes: list[Outcome], kept: Mapping[Target, Lock | None]) -> list[Outcome]:
    """Refuse locks whose roots differ from those of the other architecture (trap T4)."""
    new = {o.target: o.lock for o in outcomes if o.state == "resolved"}
    known = {target: lock for target, lock in {**kept, **new}.items() if lock is not None}
    checked = []
    for outcome in outcomes:
        target = outcome.target
        images = {o.arch: lock.python for o, lock in known.items() if replace(o, arch=target.arch) == target}
        try:
            if outcome.state == "resolved":
                check_architecture_skew(
                    images, place=f"{target.release}/{target.platform}/{target.framework}"
                )
            checked.append(outcome)
        except NoSolutionError as error:
            checked.append(Outcome(target=target, state="failed", reason=str(error), error=error))
    return checked


def _write_lock(project: Project, outcome: Outcome, options: Options) -> Outcome:
    if outcome.lock is None or outcome.state != "resolved":
        return outcome
    path = lock_path(project, outcome.target)
    data = dump_lock(outcome.lock)
    same = path.is_file() and read_bytes(path) == data
    state = "unchanged" if same else "would change"
    if options.mode is Mode.WRITE and not same:
        with locked(_guard_file(project)):
            state = "written" if write_atomic(path, data) else "unchanged"
    return replace(outcome, state=state)


def _guard_file(project: Project) -> Path:
    return project.store.root.parent / "lock-files.guard"


def _report_outcomes(project: Project, outcomes: list[Outcome], options: Options) -> int:
    if options.json:
        project.console.json({"targets": [_outcome_as_json(outcome) for outcome in outcomes]})
    else:
        rows = [(str(o.target), o.state, _reason_text(o)) for o in outcomes]
        project.console.table(("target", "state", "why"), rows)
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    for error in _one_for_each_cause(errors):
        project.console.error(error)
    if errors:
        return errors[0].exit_code
    return 1 if options.mode is Mode.CHECK and any(o.state in _TO_RESOLVE for o in outcomes) else 0


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


def _reason_text(outcome: Outcome) -> str:
    if outcome.error is not None:
        return f"exit {outcome.error.exit_code}, see below"
    about = outcome.keys or tuple(map(_difference_text, outcome.differences))
    if not about:
        return outcome.reason
    more = f" and {len(about) - _MOST_SHOWN} more" if len(about) > _MOST_SHOWN else ""
    separator = ", " if outcome.keys else "; "
    return f"{outcome.reason}: {separator.join(about[:_MOST_SHOWN])}{more}"


def _difference_text(finding: Finding) -> str:
    return f"{finding.row}: {finding.text}" if finding.row else finding.text


def _outcome_as_json(outcome: Outcome) -> dict[str, object]:
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
