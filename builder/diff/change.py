"""Changes between two locks: which row after is which row before, and what of it is another. Pure."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from builder.diff.risk import Risk
from builder.model import Table, key_name

__all__ = [
    "ChangedField",
    "Commit",
    "History",
    "Key",
    "Pairs",
    "RowAction",
    "RowChange",
    "RowKind",
    "added",
    "by_risk",
    "came",
    "changed",
    "differing",
    "pair",
    "removed",
    "reordered",
    "show",
    "went",
]


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
    PATCH = "patch"
    STEP = "step"
    VARIABLE = "variable"
    CHECK = "check"
    RUNTIME = "runtime"
    RECIPE = "recipe"


class RowAction(StrEnum):
    """What happened to a row."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedField:
    """One value of a row before and after, as one line of text; empty if it is missing."""

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
    """Commits that only the new one has."""
    dropped: int
    """Commits that only the old one has; 0 if the history only goes forward."""
    authors: tuple[tuple[str, int], ...]
    """Who wrote the added commits, and how many, most first."""
    newest: tuple[Commit, ...]
    """The newest of the added commits; not all of them where there are many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """One row that differs. `fields` are ordered from the highest risk down, and never empty."""

    kind: RowKind
    name: str
    action: RowAction
    fields: tuple[ChangedField, ...]
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
    def loud(self) -> tuple[ChangedField, ...]:
        """Return the fields that make it what it is; all of them where each is a mere consequence."""
        return tuple(item for item in self.fields if item.risk is not Risk.CONSEQUENCE) or self.fields


def added(kind: RowKind, name: str, fields: tuple[ChangedField, ...], **more: Any) -> RowChange:
    """Return the change of a row that came."""
    return RowChange(kind=kind, name=name, action=RowAction.ADDED, fields=fields, **more)


def removed(kind: RowKind, name: str, fields: tuple[ChangedField, ...], **more: Any) -> RowChange:
    """Return the change of a row that went."""
    return RowChange(kind=kind, name=name, action=RowAction.REMOVED, fields=fields, **more)


def changed(kind: RowKind, name: str, fields: tuple[ChangedField, ...], **more: Any) -> RowChange:
    """Return the change of a row that stayed."""
    return RowChange(kind=kind, name=name, action=RowAction.CHANGED, fields=fields, **more)


_PLAIN = re.compile(r"[^\s,\"'\\]+")


def show(value: Any) -> str:
    """Return a value as one line: nothing for an absent one, different texts for different values."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Table):
        return ", ".join(f"{_shown_word(key)}={_shown_word(item)}" for key, item in value)
    if isinstance(value, tuple):
        return ", ".join(map(_shown_element, value))
    return str(value)


def differing(
    before: Any, after: Any, judge: Callable[[str], Risk], *, without: Collection[str] = ()
) -> tuple[ChangedField, ...]:
    """Return the fields in which two rows of one type differ, the highest risk first.

    `judge` says the risk of a field from its name in the code; `without` are
    the names that are compared elsewhere.
    """
    found = []
    for item in dataclasses.fields(before):
        old, new = getattr(before, item.name), getattr(after, item.name)
        if old != new and item.name not in without:
            found.append(
                ChangedField(
                    key=key_name(item.name), before=show(old), after=show(new), risk=judge(item.name)
                )
            )
    return by_risk(found)


def came(row: Any, risks: Mapping[str, Risk], *, without: Collection[str] = ()) -> tuple[ChangedField, ...]:
    """Return what a new row states; what `risks` does not name is a mere consequence of its being there."""
    return by_risk(
        ChangedField(key=key, before="", after=text, risk=risks.get(name, Risk.CONSEQUENCE))
        for name, key, text in _stated_fields(row, without)
    )


def went(row: Any, identity: str, *, without: Collection[str] = ()) -> tuple[ChangedField, ...]:
    """Return what a removed row stated; the field `identity` carries the removal."""
    return by_risk(
        ChangedField(
            key=key, before=text, after="", risk=Risk.REMOVED if name == identity else Risk.CONSEQUENCE
        )
        for name, key, text in _stated_fields(row, without)
    )


def by_risk(fields: Iterable[ChangedField]) -> tuple[ChangedField, ...]:
    """Return fields ordered from the highest risk down, otherwise as they are."""
    return tuple(sorted(fields, key=lambda field: field.risk.rank))


def reordered(key: str, before: tuple[Any, ...], after: tuple[Any, ...]) -> tuple[ChangedField, ...]:
    """Return the one field of rows that are the same in another order."""
    return (ChangedField(key=f"{key}, order", before=show(before), after=show(after), risk=Risk.SETTINGS),)


def _stated_fields(row: Any, without: Collection[str]) -> Iterator[tuple[str, str, str]]:
    for item in dataclasses.fields(row):
        value = getattr(row, item.name)
        if item.name not in without and value not in ("", None, (), False):
            yield item.name, key_name(item.name), show(value)


def _shown_element(value: Any) -> str:
    if dataclasses.is_dataclass(value):
        return _shown_word(" ".join(show(getattr(value, item.name)) for item in dataclasses.fields(value)))
    return (
        json.dumps(show(value), ensure_ascii=False) if isinstance(value, tuple) else _shown_word(str(value))
    )


def _shown_word(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


T = TypeVar("T")
Key = Callable[[T], Hashable]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs(Generic[T]):
    """What became of the rows of one kind; equal rows are left out."""

    changed: tuple[tuple[T, T], ...]
    added: tuple[T, ...]
    removed: tuple[T, ...]


def pair(before: Iterable[T], after: Iterable[T], keys: Sequence[Key[T]]) -> Pairs[T]:
    """Find for each row after the row before that it was.

    Equal rows are partners first. What remains is joined by each of `keys` in
    turn, from the strictest to the loosest. The result is in the order of the rows.
    """
    olds, news = list(before), list(after)
    if olds == news:
        return Pairs(changed=(), added=(), removed=())
    partner: dict[int, int] = {}
    taken: set[int] = set()
    every: list[Key[T]] = [_unchanged_row, *keys]
    for key in every:
        waiting: dict[Hashable, deque[int]] = defaultdict(deque)
        for index, row in enumerate(olds):
            if index not in taken:
                waiting[key(row)].append(index)
        for index, row in enumerate(news):
            if index not in partner and (found := waiting.get(key(row))):
                partner[index] = found.popleft()
                taken.add(partner[index])
    joined = ((olds[partner[index]], row) for index, row in enumerate(news) if index in partner)
    return Pairs(
        changed=tuple((old, new) for old, new in joined if old != new),
        added=tuple(row for index, row in enumerate(news) if index not in partner),
        removed=tuple(row for index, row in enumerate(olds) if index not in taken),
    )


def _unchanged_row(row: T) -> T:
    return row
