"""Comparisons of many locks as one report: the same change is there once, with the locks that have it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from builder.diff.change import ChangedField, RowChange, RowKind, by_risk
from builder.diff.comparison import came_whole, compare
from builder.diff.risk import Risk
from builder.lockfile import Lock

__all__ = ["ChangeVariant", "Compared", "Report", "ReportEntry", "Unsound", "compared_in_place", "report"]

_KINDS = {kind: index for index, kind in enumerate(RowKind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two locks, or a lock and nothing, and the changes between them."""

    target: str
    """What people call the pair: the target, or a file's name."""
    before: str
    """The place of the lock before; empty where there was none."""
    after: str
    changes: tuple[RowChange, ...]


def compared_in_place(before: Lock | None, after: Lock, *, place: str) -> Compared:
    """Return what making a lock again changed; `place` is what people call the lock and where it lies."""
    return Compared(
        target=str(after.target),
        before=place if before else "",
        after=place,
        changes=compare(before, after) if before else (came_whole(after),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsound:
    """What is wrong with one lock by its own integrity check."""

    place: str
    findings: tuple[str, ...]
    after: bool
    """Whether it is on the side that is new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeVariant:
    """The fields of one change in some of the locks that have it."""

    targets: tuple[str, ...]
    fields: tuple[ChangedField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEntry:
    """One change, the locks that have it, and where their fields differ each form of it."""

    change: RowChange
    """Its fields are those that all variants have in common, and never empty."""
    targets: tuple[str, ...]
    variants: tuple[ChangeVariant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What changed, the highest risk first."""

    before: str
    after: str
    compared: tuple[Compared, ...]
    unsound: tuple[Unsound, ...]
    entries: tuple[ReportEntry, ...]

    def reaches(self, level: Risk) -> bool:
        """Say whether something at or above `level` is there; an unsound new lock is above every level."""
        worst = min((entry.change.risk.rank for entry in self.entries), default=len(Risk))
        return worst <= level.rank or any(item.after for item in self.unsound)


def report(before: str, after: str, compared: Sequence[Compared], unsound: Sequence[Unsound] = ()) -> Report:
    """Join comparisons; `before` and `after` say what was compared."""
    return Report(
        before=before,
        after=after,
        compared=tuple(compared),
        unsound=tuple(unsound),
        entries=tuple(sorted(_report_entries(compared), key=_entry_order)),
    )


def _entry_order(entry: ReportEntry) -> tuple[object, ...]:
    """Return what entries are ordered by; consequences of one sort stand together."""
    change = entry.change
    sort = (change.action, *(item.key for item in change.loud)) if change.risk is Risk.CONSEQUENCE else ()
    kind = _KINDS[change.kind]
    return (change.risk.rank, -len(entry.targets), entry.targets, kind, sort, change.name, change.after)


def _report_entries(compared: Iterable[Compared]) -> Iterable[ReportEntry]:
    groups: dict[object, list[tuple[str, RowChange]]] = {}
    for item in compared:
        for change in item.changes:
            groups.setdefault(_change_likeness(change), []).append((item.target, change))
    for found in groups.values():
        yield _merged_entry(found)


def _change_likeness(change: RowChange) -> object:
    """Return what two changes share that are the same for people: digests follow from versions."""
    loud = change.loud
    same = tuple(item.key for item in loud) if change.risk is Risk.CONSEQUENCE else loud
    return (change.kind, change.name, change.action, change.before, change.after, same)


def _merged_entry(found: list[tuple[str, RowChange]]) -> ReportEntry:
    forms: dict[tuple[ChangedField, ...], list[str]] = {}
    for target, change in found:
        forms.setdefault(change.fields, []).append(target)
    variants = tuple(
        ChangeVariant(targets=tuple(targets), fields=fields) for fields, targets in forms.items()
    )
    first = found[0][1]
    common = by_risk(item for item in first.fields if all(item in variant.fields for variant in variants))
    return ReportEntry(
        change=replace(
            first,
            fields=common or tuple(_field_of_several(item) for item in first.loud),
            uses=_sorted_union(change.uses for _, change in found),
            through=_sorted_union(change.through for _, change in found),
        ),
        targets=tuple(sorted({target for target, _ in found})),
        variants=variants,
    )


def _field_of_several(field: ChangedField) -> ChangedField:
    """Return a field whose values are not the same in all locks."""
    return replace(field, before="", after="")


def _sorted_union(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({item for part in parts for item in part}))
