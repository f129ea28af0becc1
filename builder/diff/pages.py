"""A report as a page of lines, each change in words.

Text and markdown show the same page; only the marks differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from builder.diff.change import ChangedField, History, RowAction, RowChange, RowKind
from builder.diff.reports import Report, ReportEntry
from builder.diff.risk import UPGRADES, Risk
from builder.lockfile import RUNTIME
from builder.model import counted

__all__ = [
    "PageBlock",
    "PageSection",
    "ReportPage",
    "TextLine",
    "TextPart",
    "TextRole",
    "names_only",
    "page",
    "phrase",
]

_IN_FULL = 3
"""So many removals or consequences of one sort are shown with their values; of more, the names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageBlock:
    """Changes that are in the same locks; `where` is empty where that is all of them."""

    where: tuple[TextPart, ...]
    lines: tuple[TextLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSection:
    """Changes of one class of risk."""

    risk: Risk
    count: int
    blocks: tuple[PageBlock, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """The whole report: first unsound locks, then a summary, then the sections."""

    unsound: tuple[TextLine, ...]
    summary: tuple[TextLine, ...]
    sections: tuple[PageSection, ...]


def page(report: Report) -> ReportPage:
    """Put a report into words."""
    sections = []
    for risk, found in groupby(report.entries, key=lambda entry: entry.change.risk):
        entries = list(found)
        blocks = tuple(_entry_blocks(entries, len(report.compared)))
        sections.append(PageSection(risk=risk, count=len(entries), blocks=blocks))
    return ReportPage(
        unsound=tuple(_unsound_lines(report)), summary=tuple(_summary_lines(report)), sections=tuple(sections)
    )


def _unsound_lines(report: Report) -> Iterator[TextLine]:
    """Yield what is wrong with locks; a fault that many locks share stands once."""
    alike: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for item in report.unsound:
        alike.setdefault((item.findings, item.after), []).append(item.place)
    for (findings, after), places in alike.items():
        side = "new" if after else "old"
        words = f" (the {side} lock) fails its own integrity check:"
        if len(places) > 1:
            words = f" ({counted(len(places), f'{side} lock')}) fail their own integrity check:"
        names = [part for place in places for part in (TextPart(", "), TextPart(place, TextRole.DATA))][1:]
        yield TextLine(0, (*names, TextPart(words)))
        yield from (TextLine(1, (TextPart(finding, TextRole.DATA),)) for finding in findings)


def _summary_lines(report: Report) -> Iterator[TextLine]:
    yield TextLine(
        0, (TextPart(report.before, TextRole.DATA), TextPart(" -> "), TextPart(report.after, TextRole.DATA))
    )
    total, differ = len(report.compared), sum(bool(item.changes) for item in report.compared)
    if not report.entries:
        yield TextLine(0, (TextPart(f"{counted(total, 'lock')} compared, no difference"),))
        return
    yield TextLine(
        0, (TextPart(f"{counted(total, 'lock')} compared, {differ} changed: {_risk_counts(report)}"),)
    )


def _risk_counts(report: Report) -> str:
    risks = [entry.change.risk for entry in report.entries]
    words = [f"{risks.count(risk)} {risk}" for risk in Risk if risk in risks and risk not in UPGRADES]
    upgrades = [f"{risks.count(risk)} {risk}" for risk in UPGRADES if risk in risks]
    if upgrades:
        place = len(words) - (Risk.CONSEQUENCE in risks)
        total = sum(risk in UPGRADES for risk in risks)
        words.insert(place, f"{counted(total, 'upgrade')} ({', '.join(upgrades)})")
    return ", ".join(words)


def _entry_blocks(entries: Sequence[ReportEntry], total: int) -> Iterator[PageBlock]:
    for targets, found in groupby(entries, key=lambda entry: entry.targets):
        where = () if len(targets) == total else _lock_names(targets)
        yield PageBlock(where=where, lines=tuple(_block_lines(list(found))))


def _block_lines(entries: Sequence[ReportEntry]) -> Iterator[TextLine]:
    """Yield the lines of one block; long lists of what is of least interest are names only."""
    for _, found in groupby(entries, key=_list_key):
        same = list(found)
        if same[0].change.risk in {Risk.REMOVED, Risk.CONSEQUENCE} and len(same) > _IN_FULL:
            yield names_only(same)
        else:
            for entry in same:
                yield from phrase(entry)


def _list_key(entry: ReportEntry) -> tuple[RowKind, str, tuple[str, ...]]:
    """Return what entries share that can stand in one list."""
    keys = () if entry.change.risk is Risk.REMOVED else tuple(item.key for item in entry.change.fields)
    return entry.change.kind, entry.change.action, keys


def _lock_names(targets: Sequence[str]) -> tuple[TextPart, ...]:
    """Name locks; those of one folder are named together."""
    folders: dict[str, list[str]] = {}
    for target in targets:
        folder, _, name = target.rpartition("/")
        folders.setdefault(folder, []).append(name)
    words = [
        f"{folder}/{{{', '.join(names)}}}"
        if folder and len(names) > 1
        else ", ".join(_names_below(folder, names))
        for folder, names in folders.items()
    ]
    return tuple(TextPart(word, TextRole.DATA) for word in words)


def _names_below(folder: str, names: Sequence[str]) -> Iterator[str]:
    yield from (f"{folder}/{name}" if folder else name for name in names)


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


class TextRole(StrEnum):
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
class TextPart:
    """Some words of a line."""

    text: str
    role: TextRole = TextRole.OURS


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line, and how far it is indented: 0 for a change, 1 for what belongs to it."""

    depth: int
    parts: tuple[TextPart, ...]


def phrase(entry: ReportEntry) -> Iterator[TextLine]:
    """Yield the lines that show one change."""
    change = entry.change
    fields = [item for item in change.loud if item.key != "version" or change.action is RowAction.CHANGED]
    version = [item for item in fields if item.key == "version"]
    rest = [item for item in fields if item.key != "version"]
    start = _change_headline(change, version)
    if change.action is not RowAction.CHANGED:
        yield from _whole_row_lines(start, rest)
        return
    if len(rest) == 1 and not version and _fits_one_line(rest[0]):
        yield TextLine(0, (*start, TextPart(" "), *_value_parts(rest[0], named=rest[0].key == change.name)))
        rest = []
    else:
        yield TextLine(0, start)
    for item in rest:
        yield from _field_lines(item)
    if change.history:
        yield from _history_lines(change.history)


def _whole_row_lines(start: tuple[TextPart, ...], fields: Sequence[ChangedField]) -> Iterator[TextLine]:
    """Yield the lines of a row that came or went: there is one side only."""
    values = [_one_side(item) for item in fields]
    if len(values) == 1 and _fits_one_line(fields[0]):
        yield TextLine(0, (*start, TextPart(", "), *values[0]))
        return
    yield TextLine(0, start)
    yield from (TextLine(1, value) for value in values)


def _one_side(field: ChangedField) -> tuple[TextPart, ...]:
    value = TextPart(field.after, TextRole.NEW) if field.after else TextPart(field.before, TextRole.OLD)
    return (TextPart(field.key, TextRole.DATA), TextPart(" "), value)


def names_only(entries: Sequence[ReportEntry]) -> TextLine:
    """Return one line that names rows of one sort, and what of them changed."""
    first = entries[0].change
    parts = [TextPart(f"{first.kind}  ")]
    removed = first.action is RowAction.REMOVED
    if removed:
        parts.append(TextPart("removed: "))
    elif first.kind is not RowKind.RECIPE:
        keys = ", ".join(dict.fromkeys(item.key for item in first.loud))
        parts += [TextPart(keys, TextRole.DATA), TextPart(f" of {len(entries)} rows: ")]
    for index, entry in enumerate(entries):
        parts += [TextPart(", ")] if index else []
        parts.append(TextPart(entry.change.name, TextRole.NAME))
        if removed and entry.change.before:
            parts += [TextPart(" "), TextPart(entry.change.before, TextRole.DATA)]
    return TextLine(0, tuple(parts))


def _change_headline(change: RowChange, version: Sequence[ChangedField]) -> tuple[TextPart, ...]:
    parts = [TextPart(f"{change.kind}  "), TextPart(change.name, TextRole.NAME)]
    if version:
        parts += [TextPart(" "), *_before_and_after(version[0].before, version[0].after)]
    elif change.after or change.before:
        parts += [TextPart(" "), TextPart(change.after or change.before, TextRole.DATA)]
    if change.action is RowAction.REMOVED:
        parts.append(TextPart(" removed"))
    elif change.action is RowAction.ADDED:
        parts.append(TextPart(" added"))
        if change.uses and change.uses != (RUNTIME,):
            parts += [TextPart(" for "), TextPart(", ".join(change.uses), TextRole.DATA)]
        if change.through:
            parts += [TextPart(", through "), TextPart(", ".join(change.through), TextRole.DATA)]
    return tuple(parts)


def _fits_one_line(field: ChangedField) -> bool:
    return len(field.before) + len(field.after) <= _WIDE


def _field_lines(field: ChangedField) -> Iterator[TextLine]:
    if _fits_one_line(field) or field.key in _LISTS or not (field.before and field.after):
        yield TextLine(1, _value_parts(field))
        return
    before, after = _around_the_difference(field.before, field.after)
    yield TextLine(1, (TextPart(field.key, TextRole.DATA),))
    yield TextLine(2, (TextPart("before "), TextPart(before, TextRole.OLD)))
    yield TextLine(2, (TextPart("after "), TextPart(after, TextRole.NEW)))


def _value_parts(field: ChangedField, *, named: bool = False) -> tuple[TextPart, ...]:
    """Show a field's key, unless it is `named` already, and its values."""
    key = () if named else (TextPart(field.key, TextRole.DATA), TextPart(" "))
    if field.key in _LISTS and field.before and field.after:
        olds, news = field.before.split(", "), field.after.split(", ")
        gone = [TextPart(f"- {word}", TextRole.OLD) for word in olds if word not in news]
        come = [TextPart(f"+ {word}", TextRole.NEW) for word in news if word not in olds]
        if gone or come:
            return (*key, *_spaced_parts([*gone, *come]))
    if not field.before and not field.after:
        return (*key, TextPart("different in each of these locks"))
    if field.key in _PARTS and not field.before:
        return (*key, TextPart("+ "), TextPart(field.after, TextRole.NEW))
    if field.key in _PARTS and not field.after:
        return (*key, TextPart("- "), TextPart(field.before, TextRole.OLD))
    return (*key, *_before_and_after(field.before, field.after))


def _before_and_after(before: str, after: str) -> tuple[TextPart, ...]:
    return (_stated_part(before, TextRole.OLD), TextPart(" -> "), _stated_part(after, TextRole.NEW))


def _stated_part(text: str, role: TextRole) -> TextPart:
    return TextPart(text, role) if text else TextPart("nothing")


def _spaced_parts(parts: Sequence[TextPart]) -> Iterator[TextPart]:
    for index, part in enumerate(parts):
        if index:
            yield TextPart("  ")
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


def _history_lines(history: History) -> Iterator[TextLine]:
    words = f"{counted(history.added, 'commit')} by {counted(len(history.authors), 'author')}"
    if history.dropped:
        words += f", and {counted(history.dropped, 'commit')} dropped"
    names = [TextPart(f"{name} ({count})", TextRole.PROSE) for name, count in history.authors[:_AUTHORS]]
    left = len(history.authors) - len(names)
    more = (TextPart(f"  and {counted(left, 'other')}"),) if left else ()
    yield TextLine(1, (TextPart(f"{words}: " if names else words), *_spaced_parts(names), *more))
    for commit in history.newest:
        yield TextLine(
            1,
            (
                TextPart(commit.oid[:12], TextRole.DATA),
                TextPart(" "),
                TextPart(commit.subject, TextRole.PROSE),
                TextPart(", "),
                TextPart(commit.author, TextRole.PROSE),
            ),
        )
    if history.added > len(history.newest):
        yield TextLine(1, (TextPart(f"and {counted(history.added - len(history.newest), 'older commit')}"),))
