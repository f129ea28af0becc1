"""Signed archives of OS packages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from builder.diff.change import RowChange, RowKind, added, came, changed, differing, removed, went
from builder.diff.order import calendar
from builder.diff.pairs import pair
from builder.diff.risk import Risk
from builder.lockfile import Lock, Repository

__all__ = ["repositories"]


def repositories(before: Lock, after: Lock) -> Iterator[RowChange]:
    """Yield the changes of signed archives of OS packages."""
    found = pair(
        before.repositories, after.repositories, [lambda row: (row.origin, row.suite), lambda row: row.origin]
    )
    for row in found.added:
        yield added(
            RowKind.REPOSITORY, _repository_name(row), came(row, {"suite": Risk.ORIGIN}, without=("origin",))
        )
    for row in found.removed:
        yield removed(RowKind.REPOSITORY, _repository_name(row), went(row, "suite", without=("origin",)))
    for old, new in found.changed:
        fields = differing(old, new, partial(_repository_field_risk, old=old, new=new))
        yield changed(RowKind.REPOSITORY, _repository_name(new), fields, before=old.date, after=new.date)


def _repository_name(row: Repository) -> str:
    return f"{row.origin} {row.suite}"


def _repository_field_risk(name: str, old: Repository, new: Repository) -> Risk:  # noqa: PLR0911 - one return a kind of field
    match name:
        case "date":
            return calendar(old.date, new.date)
        case "snapshot":
            earlier = calendar(old.snapshot, new.snapshot) is Risk.DOWNGRADE
            return Risk.DOWNGRADE if earlier else Risk.CONSEQUENCE
        case "inrelease":
            return Risk.BYTES if (old.suite, old.date) == (new.suite, new.date) else Risk.CONSEQUENCE
        case "indexes":
            return Risk.BYTES if old.inrelease == new.inrelease else Risk.CONSEQUENCE
        case "components":
            return Risk.ORIGIN if set(new.components) - set(old.components) else Risk.SETTINGS
        case "signed_by":
            return Risk.SIGNATURE if old.signed_by else Risk.CONSEQUENCE
    return Risk.SETTINGS
