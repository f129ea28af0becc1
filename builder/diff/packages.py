"""Packages: Python distributions, OS packages with their signed repositories, and archives."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial

from builder.diff.accelerator import accelerator_family, accelerators_of_name
from builder.diff.change import (
    ChangedField,
    RowChange,
    RowKind,
    added,
    came,
    changed,
    differing,
    pair,
    removed,
    went,
)
from builder.diff.order import calendar, order_of, pep440, upstream
from builder.diff.risk import Risk, enters, evidence, replaced, voucher
from builder.lockfile import Archive, Lock, OsPackage, PythonPackage, Repository

__all__ = ["archives", "os_packages", "python", "repositories"]


def python(before: Lock, after: Lock) -> Iterator[RowChange]:
    """Yield the changes of Python distributions."""
    found = pair(
        before.python,
        after.python,
        [
            lambda row: (row.name, row.version, row.for_),
            lambda row: (row.name, row.version),
            lambda row: (row.name, row.for_),
            lambda row: row.name,
            lambda row: accelerator_family(row.name),
        ],
    )
    known = _file_origins(before)
    families = {accelerator_family(row.name) for row in before.python}
    for row in found.added:
        # One more member of a family beside those that stay is another accelerator too.
        another = accelerators_of_name(row.name) and accelerator_family(row.name) in families
        yield _added_row(RowKind.PYTHON, row, known, Risk.ACCELERATOR if another else Risk.NEW)
    yield from (_removed_row(RowKind.PYTHON, row) for row in found.removed)
    for old, new in found.changed:
        fields = differing(old, new, partial(_python_field_risk, old=old, new=new))
        yield changed(RowKind.PYTHON, new.name, fields, before=old.version, after=new.version, uses=new.for_)


def os_packages(before: Lock, after: Lock) -> Iterator[RowChange]:
    """Yield the changes of OS packages."""
    found = pair(
        before.os_packages,
        after.os_packages,
        [
            lambda row: (row.name, row.arch, row.version, row.for_),
            lambda row: (row.name, row.arch, row.version),
            lambda row: (row.name, row.arch),
            lambda row: row.name,
        ],
    )
    known = {row.origin for row in before.repositories}
    yield from (_added_row(RowKind.OS, row, known) for row in found.added)
    yield from (_removed_row(RowKind.OS, row) for row in found.removed)
    family = after.environment.family
    for old, new in found.changed:
        fields = differing(old, new, partial(_os_field_risk, old=old, new=new, family=family))
        yield changed(RowKind.OS, new.name, fields, before=old.version, after=new.version, uses=new.for_)


def archives(before: Lock, after: Lock) -> Iterator[RowChange]:
    """Yield the changes of downloaded files that builds read."""
    found = pair(
        before.archives,
        after.archives,
        [
            lambda row: (row.component, row.file),
            lambda row: (row.component, row.file.replace(row.version, "")),
            lambda row: row.component,
        ],
    )
    known = _file_origins(before)
    for row in found.added:
        yield added(RowKind.ARCHIVE, row.component, _added_fields(row, known), after=row.version)
    for row in found.removed:
        yield removed(
            RowKind.ARCHIVE, row.component, went(row, "version", without=_NAMES), before=row.version
        )
    for old, new in found.changed:
        fields = differing(old, new, partial(_archive_field_risk, old=old, new=new))
        yield changed(RowKind.ARCHIVE, new.component, fields, before=old.version, after=new.version)


_NAMES = ("name", "component")


def _file_origins(lock: Lock) -> set[str]:
    return {row.origin for row in lock.python if row.origin} | {row.origin for row in lock.archives}


def _added_fields(
    row: PythonPackage | OsPackage | Archive, known: Collection[str], risk: Risk = Risk.NEW
) -> tuple[ChangedField, ...]:
    risks = {"version": risk}
    if row.origin and row.origin not in known:
        risks["origin"] = Risk.ORIGIN
    return came(row, risks, without=_NAMES)


def _added_row(
    kind: RowKind, row: PythonPackage | OsPackage, known: Collection[str], risk: Risk = Risk.NEW
) -> RowChange:
    fields = _added_fields(row, known, risk)
    return added(kind, row.name, fields, after=row.version, uses=row.for_, through=row.via)


def _removed_row(kind: RowKind, row: PythonPackage | OsPackage) -> RowChange:
    return removed(kind, row.name, went(row, "version", without=_NAMES), before=row.version, uses=row.for_)


def _python_field_risk(name: str, old: PythonPackage, new: PythonPackage) -> Risk:  # noqa: PLR0911 - one return a kind
    match name:
        case "name":
            return Risk.ACCELERATOR
        case "version":
            return pep440(old.version, new.version)
        case "file" | "sha256" | "size":
            return _bytes_field_risk(name, old, new, made=bool(new.build))
        case "evidence":
            return Risk.CONSEQUENCE if new.build else evidence(old.evidence, new.evidence)
        case "origin" | "build":
            return Risk.ORIGIN
        case "by":
            return voucher(old, new)
        case "license":
            return replaced(old.license, Risk.LICENCE)
        case "for_":
            return Risk.NEW if enters(old.for_, new.for_) else Risk.CONSEQUENCE
        case "path" | "via" | "extras":
            return Risk.CONSEQUENCE
    return Risk.SETTINGS


def _os_field_risk(name: str, old: OsPackage, new: OsPackage, family: str) -> Risk:
    match name:
        case "version":
            return order_of(family)(old.version, new.version)
        case "sha256" | "size":
            return _bytes_field_risk(name, old, new, made=False)
        case "origin":
            return Risk.ORIGIN
        case "for_":
            return Risk.NEW if enters(old.for_, new.for_) else Risk.CONSEQUENCE
        case "arch" | "file" | "via":
            return Risk.CONSEQUENCE
    return Risk.SETTINGS


def _archive_field_risk(name: str, old: Archive, new: Archive) -> Risk:  # noqa: PLR0911 - one return a kind of field
    match name:
        case "version":
            return upstream(old.version, new.version)
        case "file" | "sha256" | "size":
            return _bytes_field_risk(name, old, new, made=False)
        case "evidence":
            return evidence(old.evidence, new.evidence)
        case "origin":
            return Risk.ORIGIN
        case "by":
            return voucher(old, new)
        case "path":
            return Risk.CONSEQUENCE
    return Risk.SETTINGS


def _bytes_field_risk(
    name: str,
    old: PythonPackage | OsPackage | Archive,
    new: PythonPackage | OsPackage | Archive,
    *,
    made: bool,
) -> Risk:
    """Judge what identifies a file. No digest where there was one is the weakest evidence of all."""
    if not new.sha256 and not made:
        return Risk.EVIDENCE
    stated = getattr(old, name) and getattr(new, name)
    same = old.version == new.version and getattr(old, "name", "") == getattr(new, "name", "")
    return Risk.BYTES if stated and same else Risk.CONSEQUENCE


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
