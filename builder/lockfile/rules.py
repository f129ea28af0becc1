"""The table of all rules of locks: `lock`, `render`, `verify`, `diff` and every reader of locks use it. Pure.

A lock is judged from itself alone. Each rule is a function from a lock to
faults. A fault is reported once: a rule that only repeats the consequence of
another's fault in the same row names that rule in `after`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from builder.lockfile.lock import DownloadedRow, Lock
from builder.lockfile.rule import Fault, LockRule
from builder.lockfile.rules_builds import BUILD_RULES, IMAGE_RULES, SOURCE_RULES
from builder.lockfile.rules_checks import CHECK_RULES
from builder.lockfile.rules_cuda import CUDA_RULES
from builder.lockfile.rules_lock import ROW_RULES, TARGET_RULES
from builder.lockfile.rules_packages import OS_RULES, PYTHON_RULES, REPOSITORY_RULES

__all__ = ["LOCK_RULES", "lock_faults"]

LOCK_RULES = (
    *TARGET_RULES,
    *ROW_RULES,
    *IMAGE_RULES,
    *REPOSITORY_RULES,
    *PYTHON_RULES,
    *OS_RULES,
    *BUILD_RULES,
    *SOURCE_RULES,
    *CUDA_RULES,
    *CHECK_RULES,
)
"""Every rule, causes before consequences."""


def lock_faults(lock: Lock, *, stopping: bool | None = None) -> Iterator[tuple[LockRule, Fault]]:
    """Yield every fault of `lock` with the rule that it breaks.

    With `stopping` only the rules that stop readers are asked, or where it is false only the others,
    which is all that is left to ask of a lock that breaks none of the first.
    """
    faulty_rows: dict[str, set[str]] = {}
    known = _SOUND_ROWS.setdefault((stopping, *_target_facts(lock)), {})
    unjudged = _without_rows(lock, known) if known else lock
    sound = True
    for rule in LOCK_RULES:
        if stopping not in {None, rule.stops}:
            continue
        explained = {row for cause in rule.after for row in faulty_rows.get(cause, ())}
        for fault in rule.finds(unjudged if rule.by_row else lock):
            sound = sound and not rule.by_row
            if fault.row not in explained:
                faulty_rows.setdefault(rule.id, set()).add(fault.row)
                yield rule, fault
    if sound:
        _remember_rows(unjudged, known)


_SOUND_ROWS: dict[tuple[object, ...], dict[int, DownloadedRow]] = {}
"""Rows that break no rule that judges rows one by one, by rules and target, each under its `id`.

The locks of a release share most rows, and `blocks` reads equal ones as one object. The row is kept beside
its `id`, so that no other object can get the same one.
"""
_MOST_SOUND_ROWS = 65_536  # of one target; a project has some thousands


def _target_facts(lock: Lock) -> tuple[object, ...]:
    """Return all but the row that a rule with `by_row` may look at."""
    environment = lock.environment
    return lock.arch, environment.family, environment.os, environment.glibc, environment.python


def _without_rows(lock: Lock, known: dict[int, DownloadedRow]) -> Lock:
    return replace(
        lock,
        archives=tuple(row for row in lock.archives if id(row) not in known),
        python=tuple(row for row in lock.python if id(row) not in known),
        os_packages=tuple(row for row in lock.os_packages if id(row) not in known),
    )


def _remember_rows(lock: Lock, known: dict[int, DownloadedRow]) -> None:
    if len(known) > _MOST_SOUND_ROWS:
        known.clear()
    rows: tuple[DownloadedRow, ...] = (*lock.archives, *lock.python, *lock.os_packages)
    known.update((id(row), row) for row in rows)
