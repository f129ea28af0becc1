"""The rows of several environments, put together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from builder.errors import NoSolutionError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from builder.lockfile import PythonPackage

__all__ = ["merge_rows"]


def merge_rows(rows: Iterable[PythonPackage]) -> tuple[PythonPackage, ...]:
    """Put the rows of several environments together: equal bytes become one row.

    NoSolutionError for one file name with two digests (trap T10).
    """
    merged: dict[tuple[str, ...], PythonPackage] = {}
    for row in rows:
        key = (row.name, row.version, row.file, row.sha256 or "", row.origin, row.path, row.build)
        known = merged.get(key)
        merged[key] = _joined(known, row) if known else row
    ordered = tuple(merged[key] for key in sorted(merged))
    _check_files(ordered)
    return ordered


def _joined(one: PythonPackage, other: PythonPackage) -> PythonPackage:
    return replace(
        one,
        for_=tuple(sorted({*one.for_, *other.for_})),
        extras=tuple(sorted({*one.extras, *other.extras})),
        via=tuple(sorted({*one.via, *other.via})),
    )


def _check_files(rows: tuple[PythonPackage, ...]) -> None:
    seen: dict[str, PythonPackage] = {}
    for row in rows:
        other = seen.setdefault(row.file, row) if row.file else row
        if other.sha256 != row.sha256:
            raise NoSolutionError(
                f"{row.file} is two different files:\n  {_said(other)}\n  {_said(row)}",
                hint="let every environment take it from the same index",
            )


def _said(row: PythonPackage) -> str:
    return f"sha256 {row.sha256} on {row.origin}, for {', '.join(row.for_)}"
