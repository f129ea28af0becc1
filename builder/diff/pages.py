"""A report as a page of lines. Text and markdown show the same page; only the marks differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from builder.diff.change import RowKind
from builder.diff.reports import Report, ReportEntry
from builder.diff.risk import UPGRADES, Risk
from builder.diff.wording import Role, TextLine, TextPart, names_only, phrase
from builder.model import counted

__all__ = ["PageBlock", "PageSection", "ReportPage", "page"]

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
    """Everything that is said: first what is unsound, then a summary, then the sections."""

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
    """Yield what is wrong with locks; what is wrong with many alike is said once."""
    alike: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for item in report.unsound:
        alike.setdefault((item.findings, item.after), []).append(item.place)
    for (findings, after), places in alike.items():
        side = "new" if after else "old"
        words = f" (the {side} lock) fails its own integrity check:"
        if len(places) > 1:
            words = f" ({counted(len(places), f'{side} lock')}) fail their own integrity check:"
        names = [part for place in places for part in (TextPart(", "), TextPart(place, Role.DATA))][1:]
        yield TextLine(0, (*names, TextPart(words)))
        yield from (TextLine(1, (TextPart(finding, Role.DATA),)) for finding in findings)


def _summary_lines(report: Report) -> Iterator[TextLine]:
    yield TextLine(
        0, (TextPart(report.before, Role.DATA), TextPart(" -> "), TextPart(report.after, Role.DATA))
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
    return tuple(TextPart(word, Role.DATA) for word in words)


def _names_below(folder: str, names: Sequence[str]) -> Iterator[str]:
    yield from (f"{folder}/{name}" if folder else name for name in names)
