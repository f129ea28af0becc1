"""The rows of several environments and architectures, put together and compared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from builder.errors import NoSolutionError
from builder.resolve.python.names import name_of, recipe_requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from builder.model.lock import PythonPackage
    from builder.model.target import Arch

__all__ = ["check_skew", "merge_rows"]


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
                hint="Let every environment take it from the same index",
            )


def _said(row: PythonPackage) -> str:
    return f"sha256 {row.sha256} on {row.origin}, for {', '.join(row.for_)}"


def check_skew(results: Mapping[Arch, tuple[PythonPackage, ...]], roots: Iterable[str]) -> None:
    """Refuse roots whose version depends on the architecture (trap T4), naming each version."""
    for name in sorted({name_of(recipe_requirement(root)) for root in roots}):
        versions = {
            arch: row.version for arch, rows in sorted(results.items()) for row in rows if row.name == name
        }
        if len(set(versions.values())) > 1:
            shown = ", ".join(f"{version} on {arch}" for arch, version in versions.items())
            raise NoSolutionError(
                f"{name} would not be the same on every architecture: {shown}",
                hint=f"Bind {name} to one version that has wheels for all of them",
            )
