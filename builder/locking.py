"""Locks made or compared: each selected target resolved as its recipe says, and written if it may be.

What `lock` and `upgrade` share; they differ in what they tell people.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from pathlib import Path

from packaging.utils import canonicalize_name

from builder import fetch, index, resolve
from builder.console import Steps
from builder.errors import BuilderError, LockError, NoSolutionError, UsageError
from builder.io import locked, read_bytes, write_atomic
from builder.lockfile import Finding, Lock, check_lock, dump_lock
from builder.locks import lock_path
from builder.model import Target, nearest_names
from builder.project import Project
from builder.recipe import (
    Library,
    check_architecture_skew,
    check_refused,
    effective_recipe,
    lock_agreement,
    recipe_faults,
)

__all__ = ["EVERYTHING", "TO_RESOLVE", "LockRequest", "LockedTarget", "Mode", "difference_text", "make_locks"]

EVERYTHING = "*"
"""The value of `upgrade` that lets everything move."""
TO_RESOLVE = frozenset({"stale", "differs"})
"""States of a lock that is made again; a check that finds one exits 1."""
_WORKERS = max(2, min(8, (os.cpu_count() or 2) * 2))


class Mode(Enum):
    """What happens with the result."""

    WRITE = auto()
    CHECK = auto()
    """Nothing is resolved and nothing written: locks that are not what their recipes make are named."""
    DRY_RUN = auto()
    """Everything is resolved, nothing is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRequest:
    """How locks are made."""

    mode: Mode
    upgrade: tuple[str, ...] = ()
    """Distributions whose locked versions are dropped, or EVERYTHING."""
    offline: bool = False
    index_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedTarget:
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
    before: Lock | None = None
    """The lock that was there, where another one was made."""
    error: BuilderError | None = field(default=None, compare=False)


def make_locks(
    project: Project, library: Library, targets: Sequence[Target], options: LockRequest
) -> list[LockedTarget]:
    """Make or compare the locks of `targets`; what became of each, in their order.

    What fails for one is in its row, and the others go on. UsageError for an upgrade of what no lock has.
    """
    found = [_compare_with_recipe(project, library, target, options) for target in targets]
    _check_upgrades(found, options.upgrade)
    if options.mode is Mode.CHECK:
        return found
    waiting = [outcome for outcome in found if outcome.state in TO_RESOLVE]
    kept = {outcome.target: outcome.lock for outcome in found if outcome.state == "unchanged"}
    done = _resolve_all(project, library, waiting, options, kept) if waiting else []
    by_target = {outcome.target: outcome for outcome in (*found, *done)}
    return [by_target[target] for target in targets]


def _check_upgrades(found: Sequence[LockedTarget], names: Sequence[str]) -> None:
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


def _compare_with_recipe(
    project: Project, library: Library, target: Target, options: LockRequest
) -> LockedTarget:
    """Compare one lock with its recipe; needs neither network nor store."""
    path = lock_path(project, target)
    data = read_bytes(path) if path.is_file() else None
    try:
        if data is None:
            check_refused(library, target)
        found = lock_agreement(effective_recipe(library, target), data, place=f"lock/{target.path}")
    except BuilderError as error:
        return LockedTarget(target=target, state="failed", reason=str(error), error=error)
    if found.reason:
        return LockedTarget(
            target=target,
            state="differs" if found.differences else "stale",
            reason=found.reason,
            keys=found.keys,
            differences=found.differences,
            lock=found.lock,
        )
    if options.upgrade:
        return LockedTarget(target=target, state="stale", reason="upgrade", lock=found.lock)
    return LockedTarget(target=target, state="unchanged", lock=found.lock)


def _resolve_all(
    project: Project,
    library: Library,
    waiting: list[LockedTarget],
    options: LockRequest,
    kept: Mapping[Target, Lock | None],
) -> list[LockedTarget]:
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

        def resolve_counted(outcome: LockedTarget) -> LockedTarget:
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
    outcome: LockedTarget,
    *,
    library: Library,
    session: fetch.Session,
    services: index.IndexServices,
    options: LockRequest,
    steps: Steps,
) -> LockedTarget:
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
        return LockedTarget(target=target, state="failed", reason=str(error), error=error)
    steps.done(f"{target}: {len(lock.python)} Python, {len(lock.os_packages)} OS packages")
    return replace(outcome, state="resolved", lock=lock, before=outcome.lock)


def _check_made(lock: Lock, library: Library) -> None:
    """Refuse to write what `verify`, `lock --check` or `render` would report (LockError)."""
    place = f"lock/{lock.target.path}"
    check_lock(lock, place=place, every_rule=True)
    for finding in recipe_faults(effective_recipe(library, lock.target), lock):
        raise LockError(difference_text(finding), place=place)


def _check_skew(outcomes: list[LockedTarget], kept: Mapping[Target, Lock | None]) -> list[LockedTarget]:
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
            checked.append(LockedTarget(target=target, state="failed", reason=str(error), error=error))
    return checked


def _write_lock(project: Project, outcome: LockedTarget, options: LockRequest) -> LockedTarget:
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


def difference_text(finding: Finding) -> str:
    """Return where a lock differs from its recipe, in one line."""
    return f"{finding.row}: {finding.text}" if finding.row else finding.text
