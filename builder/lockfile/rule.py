"""What a rule of locks is, and a fault that one finds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from builder.lockfile.lock import Lock

__all__ = ["Fault", "LockRule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One place where a lock breaks a rule."""

    row: str
    """The label of the row, or the key of a table such as `environment`; empty for the lock's head."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRule:
    """One thing that holds for every lock, judged from the lock alone."""

    id: str
    """Stable: reports give it as `lock-rule`."""
    says: str
    """What must hold, one sentence."""
    stops: bool
    """Whether no command reads a lock that breaks it. `lock` never writes one either way."""
    why: str
    """Why it stops, or why a report is enough."""
    finds: Callable[[Lock], Iterable[Fault]]
    """Yields the faults of a lock, in the order of its rows."""
    kind: str = "integrity"
    """The rule of `verify` under which its faults are reported."""
    after: tuple[str, ...] = ()
    """Rules that find the cause: where one of them has a fault in a row, this one adds nothing about it."""
