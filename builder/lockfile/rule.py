"""What a rule of locks is, a fault that one finds, and the shapes of values that rules test. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from builder.lockfile.lock import Lock

__all__ = [
    "COUNT",
    "DIGITS",
    "MOMENT",
    "NAME",
    "PLAIN_FOLDER",
    "SNAPSHOT",
    "Fault",
    "LockRule",
    "clean_folder",
    "clean_path",
    "unfilled",
]


NAME = re.compile(r"[a-z0-9][a-z0-9._+-]*")
MOMENT = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")
SNAPSHOT = re.compile(r"\d{8}T\d{6}Z")
DIGITS = re.compile(r"[0-9a-f]{16}")
PLAIN_FOLDER = re.compile(r"/[A-Za-z0-9._+/@-]+")
COUNT = re.compile(r"[1-9]\d{0,3}")

_PLACEHOLDER = re.compile(r"\{(?!jobs\})[a-z][a-z-]*(?::[^{}\s]*)?\}")


def clean_path(path: str) -> bool:
    """Whether `path` is relative and has no empty, `.` or `..` part."""
    return not any(part in {"", ".", ".."} for part in path.split("/"))


def clean_folder(path: str) -> bool:
    """Whether `path` is absolute, is not the root, and has no empty, `.` or `..` part."""
    return path.startswith("/") and clean_path(path[1:])


def unfilled(text: str) -> tuple[str, ...]:
    """Return the placeholders of recipes that are left in `text`; `{jobs}` is filled when a build runs."""
    return tuple(match[0] for match in _PLACEHOLDER.finditer(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One place where a lock breaks a rule."""

    row: str
    """The label of the row, or the key of a table such as `environment`; empty for the lock's head."""
    text: str
    hint: str = ""
    """What to do next, where the rows tell more than that the lock is to be made again."""


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
    unsolvable: bool = False
    """Whether `lock` refuses the target for it (exit 5): another run would resolve to the same rows."""
    by_row: bool = False
    """Whether it judges each Python row, archive and OS package by nothing but the row itself and what the
    lock says of its target: such rows are judged once, however many locks share them."""
    after: tuple[str, ...] = ()
    """Rules that find the cause: where one of them has a fault in a row, this one adds nothing about it."""
