"""One change in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from builder.diff.change import Action, Change, Field, History, Kind
from builder.diff.reports import Entry
from builder.lockfile import RUNTIME
from builder.model import counted

__all__ = ["Line", "Part", "Role", "names_only", "phrase"]

_WIDE = 96
"""Characters of a value before and after that still stand in one line."""
_CONTEXT = 40
"""Characters that are shown around the difference of two long texts."""
_AUTHORS = 8
"""So many authors are named; there are projects with hundreds."""
_LISTS = {"via", "for", "extras", "components", "signed-by", "wheels", "needs", "omitted", "gpu-archs"}
"""Fields that are lists of plain words: what came and what went says more than both lists."""


_PARTS = {"argument", "arguments"}
"""Fields that are a part of a list of which the rest stayed."""


class Role(StrEnum):
    """Who says the words of a part, and about what."""

    OURS = "ours"
    NAME = "name"
    """The name of a row. This and all below is taken from elsewhere, and never trusted."""
    DATA = "data"
    """A value of a lock, a file name, a word of the index."""
    PROSE = "prose"
    """A text of a commit, in any script."""
    OLD = "old"
    """Data that was there before."""
    NEW = "new"
    """Data that is there now."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some words of a line."""

    text: str
    role: Role = Role.OURS


@dataclass(frozen=True, slots=True)
class Line:
    """A line, and how far it is indented: 0 for a change, 1 for what belongs to it."""

    depth: int
    parts: tuple[Part, ...]


def phrase(entry: Entry) -> Iterator[Line]:
    """Yield the lines that show one change."""
    change = entry.change
    fields = [item for item in change.loud if item.key != "version" or change.action is Action.CHANGED]
    version = [item for item in fields if item.key == "version"]
    rest = [item for item in fields if item.key != "version"]
    start = _headline(change, version)
    if change.action is not Action.CHANGED:
        yield from _whole_row_lines(start, rest)
        return
    if len(rest) == 1 and not version and _fits_one_line(rest[0]):
        yield Line(0, (*start, Part(" "), *_value_parts(rest[0], named=rest[0].key == change.name)))
        rest = []
    else:
        yield Line(0, start)
    for item in rest:
        yield from _field_lines(item)
    if change.history:
        yield from _history_lines(change.history)


def _whole_row_lines(start: tuple[Part, ...], fields: Sequence[Field]) -> Iterator[Line]:
    """Yield the lines of a row that came or went: there is one side only."""
    values = [_one_side(item) for item in fields]
    if len(values) == 1 and _fits_one_line(fields[0]):
        yield Line(0, (*start, Part(", "), *values[0]))
        return
    yield Line(0, start)
    yield from (Line(1, value) for value in values)


def _one_side(field: Field) -> tuple[Part, ...]:
    value = Part(field.after, Role.NEW) if field.after else Part(field.before, Role.OLD)
    return (Part(field.key, Role.DATA), Part(" "), value)


def names_only(entries: Sequence[Entry]) -> Line:
    """Return one line that names rows of one sort, and what of them changed."""
    first = entries[0].change
    parts = [Part(f"{first.kind}  ")]
    removed = first.action is Action.REMOVED
    if removed:
        parts.append(Part("removed: "))
    elif first.kind is not Kind.RECIPE:
        keys = ", ".join(dict.fromkeys(item.key for item in first.loud))
        parts += [Part(keys, Role.DATA), Part(f" of {len(entries)} rows: ")]
    for index, entry in enumerate(entries):
        parts += [Part(", ")] if index else []
        parts.append(Part(entry.change.name, Role.NAME))
        if removed and entry.change.before:
            parts += [Part(" "), Part(entry.change.before, Role.DATA)]
    return Line(0, tuple(parts))


def _headline(change: Change, version: Sequence[Field]) -> tuple[Part, ...]:
    parts = [Part(f"{change.kind}  "), Part(change.name, Role.NAME)]
    if version:
        parts += [Part(" "), *_before_and_after(version[0].before, version[0].after)]
    elif change.after or change.before:
        parts += [Part(" "), Part(change.after or change.before, Role.DATA)]
    if change.action is Action.REMOVED:
        parts.append(Part(" removed"))
    elif change.action is Action.ADDED:
        parts.append(Part(" added"))
        if change.uses and change.uses != (RUNTIME,):
            parts += [Part(" for "), Part(", ".join(change.uses), Role.DATA)]
        if change.through:
            parts += [Part(", through "), Part(", ".join(change.through), Role.DATA)]
    return tuple(parts)


def _fits_one_line(field: Field) -> bool:
    return len(field.before) + len(field.after) <= _WIDE


def _field_lines(field: Field) -> Iterator[Line]:
    if _fits_one_line(field) or field.key in _LISTS or not (field.before and field.after):
        yield Line(1, _value_parts(field))
        return
    before, after = _around_the_difference(field.before, field.after)
    yield Line(1, (Part(field.key, Role.DATA),))
    yield Line(2, (Part("before "), Part(before, Role.OLD)))
    yield Line(2, (Part("after "), Part(after, Role.NEW)))


def _value_parts(field: Field, *, named: bool = False) -> tuple[Part, ...]:
    """Show a field's key, unless it is `named` already, and its values."""
    key = () if named else (Part(field.key, Role.DATA), Part(" "))
    if field.key in _LISTS and field.before and field.after:
        olds, news = field.before.split(", "), field.after.split(", ")
        gone = [Part(f"- {word}", Role.OLD) for word in olds if word not in news]
        come = [Part(f"+ {word}", Role.NEW) for word in news if word not in olds]
        if gone or come:
            return (*key, *_spaced_parts([*gone, *come]))
    if not field.before and not field.after:
        return (*key, Part("different in each of these locks"))
    if field.key in _PARTS and not field.before:
        return (*key, Part("+ "), Part(field.after, Role.NEW))
    if field.key in _PARTS and not field.after:
        return (*key, Part("- "), Part(field.before, Role.OLD))
    return (*key, *_before_and_after(field.before, field.after))


def _before_and_after(before: str, after: str) -> tuple[Part, ...]:
    return (_stated_part(before, Role.OLD), Part(" -> "), _stated_part(after, Role.NEW))


def _stated_part(text: str, role: Role) -> Part:
    return Part(text, role) if text else Part("nothing")


def _spaced_parts(parts: Sequence[Part]) -> Iterator[Part]:
    for index, part in enumerate(parts):
        if index:
            yield Part("  ")
        yield part


def _around_the_difference(before: str, after: str) -> tuple[str, str]:
    """Return two texts, where they are long only what surrounds the difference."""
    if max(len(before), len(after)) <= 2 * _WIDE or not before or not after:
        return before, after
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return _cut_text(before, start, end), _cut_text(after, start, end)


def _cut_text(text: str, start: int, end: int) -> str:
    left, right = max(start - _CONTEXT, 0), min(len(text) - end + _CONTEXT, len(text))
    return f"{'...' if left else ''}{text[left:right]}{'...' if right < len(text) else ''}"


def _history_lines(history: History) -> Iterator[Line]:
    words = f"{counted(history.added, 'commit')} by {counted(len(history.authors), 'author')}"
    if history.dropped:
        words += f", and {counted(history.dropped, 'commit')} dropped"
    names = [Part(f"{name} ({count})", Role.PROSE) for name, count in history.authors[:_AUTHORS]]
    left = len(history.authors) - len(names)
    more = (Part(f"  and {counted(left, 'other')}"),) if left else ()
    yield Line(1, (Part(f"{words}: " if names else words), *_spaced_parts(names), *more))
    for commit in history.newest:
        yield Line(
            1,
            (
                Part(commit.oid[:12], Role.DATA),
                Part(" "),
                Part(commit.subject, Role.PROSE),
                Part(", "),
                Part(commit.author, Role.PROSE),
            ),
        )
    if history.added > len(history.newest):
        yield Line(1, (Part(f"and {counted(history.added - len(history.newest), 'older commit')}"),))
