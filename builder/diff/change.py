"""What a comparison finds: changes of rows, each with its fields and their risk."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from builder.diff.risk import Risk

__all__ = ["Action", "Commit", "Field", "History", "RowChange", "RowKind", "added", "changed", "removed"]


class RowKind(StrEnum):
    """What kind of row changed; the order is that of the lists for people."""

    LOCK = "lock"
    HEADER = "header"
    PLATFORM = "platform"
    IMAGE = "image"
    INVENTORY = "inventory"
    REPOSITORY = "repository"
    GIT = "git"
    ARCHIVE = "archive"
    PYTHON = "python"
    OS = "os"
    BUILD = "build"
    STEP = "step"
    VARIABLE = "variable"
    CHECK = "check"
    RUNTIME = "runtime"
    RECIPE = "recipe"


class Action(StrEnum):
    """What happened to a row."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value of a row before and after, as one line of text; empty where there is none."""

    key: str
    before: str
    after: str
    risk: Risk


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit between two locked ones."""

    oid: str
    author: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The way from one locked commit to another, read from a repository at hand."""

    added: int
    """Commits that the new one has and the old one has not."""
    dropped: int
    """Commits that the old one has and the new one has not; 0 where the way only goes forward."""
    authors: tuple[tuple[str, int], ...]
    """Who wrote the added commits, and how many, most first."""
    newest: tuple[Commit, ...]
    """The newest of the added commits; not all of them where there are many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """One row that differs. `fields` are ordered from the highest risk down, and never empty."""

    kind: RowKind
    name: str
    action: Action
    fields: tuple[Field, ...]
    before: str = ""
    """The version before, where the row has versions."""
    after: str = ""
    uses: tuple[str, ...] = ()
    """The environments that have it now, or had it."""
    through: tuple[str, ...] = ()
    """For an added row: who asks for it."""
    history: History | None = None

    @property
    def risk(self) -> Risk:
        """Return the highest risk of its fields."""
        return self.fields[0].risk

    @property
    def loud(self) -> tuple[Field, ...]:
        """Return the fields that make it what it is; all of them where each is a mere consequence."""
        return tuple(item for item in self.fields if item.risk is not Risk.CONSEQUENCE) or self.fields


def added(kind: RowKind, name: str, fields: tuple[Field, ...], **more: Any) -> RowChange:
    """Return the change of a row that came."""
    return RowChange(kind=kind, name=name, action=Action.ADDED, fields=fields, **more)


def removed(kind: RowKind, name: str, fields: tuple[Field, ...], **more: Any) -> RowChange:
    """Return the change of a row that went."""
    return RowChange(kind=kind, name=name, action=Action.REMOVED, fields=fields, **more)


def changed(kind: RowKind, name: str, fields: tuple[Field, ...], **more: Any) -> RowChange:
    """Return the change of a row that stayed."""
    return RowChange(kind=kind, name=name, action=Action.CHANGED, fields=fields, **more)
