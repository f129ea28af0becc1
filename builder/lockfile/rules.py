"""The table of all rules of locks: `lock`, `render`, `verify`, `diff` and every reader of locks use it. Pure.

A lock is judged from itself alone. Each rule is a function from a lock to
faults. A fault is reported once: a rule that only repeats the consequence of
another's fault in the same row names that rule in `after`.
"""

from __future__ import annotations

from collections.abc import Iterator

from builder.lockfile.lock import Lock
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


def lock_faults(lock: Lock, *, only_stopping: bool = False) -> Iterator[tuple[LockRule, Fault]]:
    """Yield every fault of `lock` with the rule that it breaks; on demand only what stops readers."""
    faulty_rows: dict[str, set[str]] = {}
    for rule in LOCK_RULES:
        if only_stopping and not rule.stops:
            continue
        explained = {row for cause in rule.after for row in faulty_rows.get(cause, ())}
        for fault in rule.finds(lock):
            if fault.row not in explained:
                faulty_rows.setdefault(rule.id, set()).add(fault.row)
                yield rule, fault
