"""What is known from outside the locks: commits between two of them, files that the index has withdrawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from builder.diff.change import ChangedField, History, RowAction, RowChange, RowKind, by_risk
from builder.diff.risk import Risk

__all__ = ["OutsideFacts", "commits_of", "releases_of", "with_facts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideFacts:
    """Facts by what they are about; what is not named is not known."""

    histories: Mapping[tuple[str, str], History] = field(default_factory=dict)
    """By commit before and commit after."""
    yanked: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """By normalised name and version of a Python distribution: the reason."""


def commits_of(changes: Iterable[RowChange]) -> Iterator[tuple[str, str]]:
    """Yield (commit before, commit after) of each git source that moved."""
    for change in changes:
        if change.kind is RowKind.GIT and change.action is RowAction.CHANGED:
            yield from ((item.before, item.after) for item in change.fields if item.key == "commit")


def releases_of(changes: Iterable[RowChange]) -> Iterator[tuple[str, str]]:
    """Yield (name, version) of each Python distribution whose row came or changed and has a file."""
    for change in changes:
        if change.kind is RowKind.PYTHON and change.action is not RowAction.REMOVED:
            yield change.name, change.after


def with_facts(changes: Iterable[RowChange], facts: OutsideFacts) -> tuple[RowChange, ...]:
    """Return the changes with what is known about them."""
    return tuple(_with_withdrawals(_with_history(change, facts), facts) for change in changes)


def _with_history(change: RowChange, facts: OutsideFacts) -> RowChange:
    known = [facts.histories[pair] for pair in commits_of([change]) if pair in facts.histories]
    return replace(change, history=known[0]) if known else change


def _with_withdrawals(change: RowChange, facts: OutsideFacts) -> RowChange:
    for release in releases_of([change]):
        if release in facts.yanked:
            found = ChangedField(key="yanked", before="", after=facts.yanked[release], risk=Risk.YANKED)
            return replace(change, fields=by_risk((*change.fields, found)))
    return change
