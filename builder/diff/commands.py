"""What is executed, and what it is done to: build steps with their arguments, patches, and checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TypeVar

from builder.diff.change import (
    ChangedField,
    RowChange,
    RowKind,
    added,
    by_risk,
    changed,
    differing,
    pair,
    removed,
    reordered,
    show,
)
from builder.diff.risk import Risk
from builder.lockfile import Check, Patch

__all__ = ["checks", "follows", "patches", "steps"]

T = TypeVar("T")
Command = tuple[str, ...]
Block = tuple[range, range]

_MOST = 1_000_000
"""Largest product of two lengths that is aligned: the time of the alignment grows with it."""


def follows(before: str | None, after: str | None, versions: tuple[str, str]) -> bool:
    """Say whether a text changed by nothing but the version that stands in it."""
    old, new = versions
    return bool(old and old != new and before and after) and str(before).replace(old, new) == after


def steps(
    component: str, before: Sequence[Command], after: Sequence[Command], versions: tuple[str, str]
) -> Iterator[RowChange]:
    """Yield the changes of a component's build steps, a change a step, counted from 1 as they are now."""
    for lefts, rights in _differing_blocks(before, after):
        found = pair(
            [(index, before[index]) for index in lefts],
            [(index, after[index]) for index in rights],
            [lambda step: step[1], lambda step: step[1][:1]],
        )
        for index, command in found.removed:
            field = ChangedField(key="command", before=show(command), after="", risk=Risk.SETTINGS)
            yield removed(RowKind.STEP, _step_label(component, index, command), (field,))
        for index, command in found.added:
            field = ChangedField(key="command", before="", after=show(command), risk=Risk.SETTINGS)
            yield added(RowKind.STEP, _step_label(component, index, command), (field,))
        for (place, old), (index, new) in found.changed:
            moved = ChangedField(key="place", before=str(place + 1), after=str(index + 1), risk=Risk.SETTINGS)
            fields = by_risk(_argument_fields(old, new, versions)) or (moved,)
            yield changed(RowKind.STEP, _step_label(component, index, new), fields)


def patches(component: str, before: Sequence[Patch], after: Sequence[Patch]) -> Iterator[RowChange]:
    """Yield the changes of a component's patches, a change a patch, each with the lines that differ."""
    found = pair(before, after, [lambda row: row.file])
    for row in found.removed:
        yield removed(RowKind.PATCH, f"{component}: {row.file}", tuple(_line_fields(row.lines, ())))
    for row in found.added:
        yield added(RowKind.PATCH, f"{component}: {row.file}", tuple(_line_fields((), row.lines)))
    for old, new in found.changed:
        yield changed(RowKind.PATCH, f"{component}: {new.file}", tuple(_line_fields(old.lines, new.lines)))
    if before != after and not (found.removed or found.added or found.changed):
        names = tuple(row.file for row in before), tuple(row.file for row in after)
        yield changed(RowKind.PATCH, f"{component}: patches", reordered("patches", *names))


def _line_fields(before: Sequence[str], after: Sequence[str]) -> Iterator[ChangedField]:
    """Yield the lines in which two texts differ; a tab is shown as spaces."""
    for lefts, rights in _differing_blocks(before, after):
        olds, news = [before[index] for index in lefts], [after[index] for index in rights]
        for old, new in zip_longest(olds, news, fillvalue=""):
            yield ChangedField(
                key="line", before=old.expandtabs(4), after=new.expandtabs(4), risk=Risk.SETTINGS
            )


def checks(
    owner: str, before: Sequence[Check], after: Sequence[Check], versions: tuple[str, str] = ("", "")
) -> Iterator[RowChange]:
    """Yield the changes of checks, a change a check; `owner` is put before their commands."""
    found = pair(before, after, [lambda row: row.run, lambda row: row.run[:1]])
    for row in found.removed:
        field = ChangedField(key="expects", before=_expected_outcome(row), after="", risk=Risk.SETTINGS)
        yield removed(RowKind.CHECK, f"{owner}{show(row.run)}", (field,))
    for row in found.added:
        field = ChangedField(key="expects", before="", after=_expected_outcome(row), risk=Risk.SETTINGS)
        yield added(RowKind.CHECK, f"{owner}{show(row.run)}", (field,))
    for old, new in found.changed:
        fields = [
            _judged_field(item.key, item.before, item.after, versions)
            for item in differing(old, new, lambda _: Risk.SETTINGS)
        ]
        yield changed(RowKind.CHECK, f"{owner}{show(new.run)}", by_risk(fields))
    if before != after and not (found.removed or found.added or found.changed):
        yield changed(RowKind.CHECK, f"{owner}checks", reordered("checks", tuple(before), tuple(after)))


def _step_label(component: str, index: int, command: Command) -> str:
    return f"{component}: step {index + 1}, {command[0] if command else 'nothing'}"


def _expected_outcome(row: Check) -> str:
    return row.expect or "any output"


def _argument_fields(old: Command, new: Command, versions: tuple[str, str]) -> Iterator[ChangedField]:
    """Yield what differs between two commands, argument by argument where their numbers allow."""
    for lefts, rights in _differing_blocks(old, new):
        if len(lefts) == len(rights):
            for left, right in zip(lefts, rights, strict=True):
                yield _judged_field("argument", show((old[left],)), show((new[right],)), versions)
        else:
            before = show(tuple(old[index] for index in lefts))
            yield _judged_field("arguments", before, show(tuple(new[index] for index in rights)), versions)


def _judged_field(key: str, before: str, after: str, versions: tuple[str, str]) -> ChangedField:
    risk = Risk.CONSEQUENCE if follows(before, after, versions) else Risk.SETTINGS
    return ChangedField(key=key, before=before, after=after, risk=risk)


def _differing_blocks(before: Sequence[T], after: Sequence[T]) -> Iterator[Block]:
    """Yield the places where two sequences differ, as indexes of both."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    left, right = len(before), len(after)
    while left > start and right > start and before[left - 1] == after[right - 1]:
        left, right = left - 1, right - 1
    if (left - start) * (right - start) > _MOST:
        yield range(start, left), range(start, right)
        return
    matcher = SequenceMatcher(None, before[start:left], after[start:right], autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag != "equal":
            yield range(start + i, start + j), range(start + k, start + m)
