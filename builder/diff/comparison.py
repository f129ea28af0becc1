"""From two locks to the changes between them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from builder.diff.change import ChangedField, RowChange, RowKind, added, changed, removed, show
from builder.diff.components import builds, git
from builder.diff.images import images
from builder.diff.packages import archives, os_packages, python, repositories
from builder.diff.risk import Risk
from builder.diff.settings import catalogue, header, platform, recipe, runtime
from builder.lockfile import Lock

__all__ = ["came_whole", "compare", "rewritten", "went_whole"]

_COMPARISONS = (
    *(header, platform, images, repositories, git, archives),
    *(python, os_packages, builds, runtime, recipe, catalogue),
)


def compare(before: Lock, after: Lock) -> tuple[RowChange, ...]:
    """Return every change between two locks; nothing only where they are equal."""
    if before == after:
        return ()
    found = [change for compared in _COMPARISONS for change in compared(before, after)]
    return (*found, *_reordered_sections(before, after))


def rewritten(before: bytes, after: bytes) -> tuple[RowChange, ...]:
    """Return the change of a file that says the same in another form, by its first line that differs."""
    lines = [data.decode("utf-8", "backslashreplace").split("\n") for data in (before, after)]
    for number, (old, new) in enumerate(zip_longest(*lines, fillvalue=""), start=1):
        if old != new:
            field = ChangedField(key=f"line {number}", before=old, after=new, risk=Risk.CONSEQUENCE)
            return (changed(RowKind.LOCK, "form", (field,)),)
    return ()


def came_whole(lock: Lock, against: str = "") -> RowChange:
    """Return the change of a lock that was not there; `against` is the lock it is compared with instead."""
    instead = ChangedField(key="compared with", before="", after=against or "nothing", risk=Risk.NEW)
    rows = ChangedField(key="rows", before="", after=_section_rows(lock), risk=Risk.CONSEQUENCE)
    return added(RowKind.LOCK, "the whole lock", (instead, rows))


def went_whole(lock: Lock) -> RowChange:
    """Return the change of a lock that is there no more."""
    return removed(
        RowKind.LOCK,
        "the whole lock",
        (ChangedField(key="rows", before=_section_rows(lock), after="", risk=Risk.REMOVED),),
    )


def _section_rows(lock: Lock) -> str:
    names = ("images", "repositories", "sources", "archives", "python", "os_packages", "builds")
    return ", ".join(f"{len(getattr(lock, name))} {name.replace('_', ' ')}" for name in names)


def _reordered_sections(before: Lock, after: Lock) -> Iterator[RowChange]:
    """Yield a change for each section whose common rows stand in another order: builds run in theirs."""
    for key, kind in (
        ("images", RowKind.IMAGE),
        ("repositories", RowKind.REPOSITORY),
        ("builds", RowKind.BUILD),
    ):
        olds, news = (tuple(map(_row_name, getattr(lock, key))) for lock in (before, after))
        left = tuple(name for name in olds if name in news)
        right = tuple(name for name in news if name in olds)
        if left != right:
            field = ChangedField(key="order", before=show(left), after=show(right), risk=Risk.SETTINGS)
            yield changed(kind, "order", (field,))


def _row_name(row: object) -> str:
    names = ("component", "name", "origin", "suite")
    return " ".join(filter(None, (getattr(row, name, "") for name in names)))
