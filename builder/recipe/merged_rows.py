"""Resolved rows of several environments put together, and compared between architectures. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from packaging.version import Version

from builder.errors import NoSolutionError
from builder.lockfile import RECIPE, RUNTIME, OsPackage, PythonPackage, row_key
from builder.model import Arch

__all__ = ["check_architecture_skew", "merge_os", "merge_rows"]


def merge_rows(rows: Iterable[PythonPackage]) -> tuple[PythonPackage, ...]:
    """Put the rows of several environments together: equal bytes become one row.

    Rows are the same where name, version, file, digest, place and build agree; their environments, extras and
    askers are united. NoSolutionError for one file name with two digests (trap T10).
    """
    merged: dict[tuple[str, ...], PythonPackage] = {}
    for row in rows:
        key = (row.name, row.version, row.file, row.sha256 or "", row.origin, row.path, row.build)
        known = merged.get(key)
        merged[key] = _joined_rows(known, row) if known else row
    ordered = tuple(merged[key] for key in sorted(merged))
    _check_files(ordered)
    return ordered


def _joined_rows(one: PythonPackage, other: PythonPackage) -> PythonPackage:
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
                f"{row.file} is two different files:\n  {_described_file(other)}\n  {_described_file(row)}",
                hint="let every environment take it from the same index",
            )


def _described_file(row: PythonPackage) -> str:
    return f"sha256 {row.sha256} on {row.origin}, for {', '.join(row.for_)}"


def merge_os(rows: Iterable[OsPackage]) -> tuple[OsPackage, ...]:
    """Join rows of several environments: equal packages become one row with all its uses and askers."""
    same: dict[OsPackage, list[OsPackage]] = {}
    for row in rows:
        same.setdefault(replace(row, for_=(), via=()), []).append(row)
    merged = (
        replace(
            package,
            for_=tuple(sorted({name for row in group for name in row.for_})),
            via=tuple(sorted({name for row in group for name in row.via})),
        )
        for package, group in same.items()
    )
    return tuple(sorted(merged, key=row_key))


def check_architecture_skew(rows: Mapping[Arch, Iterable[PythonPackage]], *, place: str = "") -> None:
    """Raise NoSolutionError where a root of the runtime depends on the architecture, naming each version.

    A local part (`2.8.0+cu129`) names a build of a version, which may exist for one architecture only.
    """
    found: dict[str, dict[Arch, str]] = {}
    for arch in sorted(rows):
        for row in rows[arch]:
            if RUNTIME in row.for_ and RECIPE in row.via:
                found.setdefault(row.name, {})[arch] = row.version
    for name, versions in sorted(found.items()):
        if len({Version(version).public for version in versions.values()}) > 1:
            shown = ", ".join(f"{version} on {arch}" for arch, version in versions.items())
            raise NoSolutionError(
                f"{name} would not be the same on every architecture: {shown}",
                place=place,
                hint=f"bind {name} to one version that has wheels for all of them, "
                "or raise the glibc floor of the platform",
            )
