"""Labels of rows: what reports and errors call a row of a lock, such as `python torch 2.11.0`. Pure.

A label is the section of the lock, then what identifies the row in it. Programs
read labels in JSON reports, so they are made here only.
"""

from __future__ import annotations

from enum import StrEnum

from builder.lockfile.lock import (
    Archive,
    Build,
    GitSource,
    Image,
    Lock,
    OsPackage,
    PythonPackage,
    Repository,
    Submodule,
)

__all__ = [
    "LockRow",
    "LockSection",
    "named_label",
    "part_label",
    "row_label",
    "section_rows",
    "submodule_label",
]

LockRow = Image | Repository | GitSource | Archive | PythonPackage | OsPackage | Build
"""A row of any section."""


class LockSection(StrEnum):
    """A list of rows in a lock, by its key."""

    IMAGES = "images"
    REPOSITORIES = "repositories"
    SOURCES = "sources"
    ARCHIVES = "archives"
    PYTHON = "python"
    OS_PACKAGES = "os-packages"
    BUILDS = "builds"


_IDENTITY: dict[type[LockRow], tuple[LockSection, tuple[str, ...]]] = {
    Image: (LockSection.IMAGES, ("name",)),
    Repository: (LockSection.REPOSITORIES, ("origin", "suite")),
    GitSource: (LockSection.SOURCES, ("component", "version")),
    Archive: (LockSection.ARCHIVES, ("file",)),
    PythonPackage: (LockSection.PYTHON, ("name", "version")),
    OsPackage: (LockSection.OS_PACKAGES, ("name", "version")),
    Build: (LockSection.BUILDS, ("component", "version")),
}
"""The fields that a label shows; the rest of a row is what it says."""


def row_label(row: LockRow) -> str:
    """Return the label of `row`; rows that differ only in their file or environment share one."""
    section, fields = _IDENTITY[type(row)]
    return named_label(section, *(getattr(row, field) for field in fields))


def section_rows(lock: Lock, section: LockSection) -> tuple[LockRow, ...]:
    """Return the rows of one section of `lock`."""
    rows: tuple[LockRow, ...] = getattr(lock, section.value.replace("-", "_"))
    return rows


def named_label(section: LockSection, *names: str) -> str:
    """Return the label that a row of `section` would have, for what has no row: `python torch`."""
    return " ".join((section.value, *names))


def part_label(row: LockRow, *names: str) -> str:
    """Return the label of something inside `row`: `images docker.io/library/debian: libc6 2.36-9`."""
    return f"{row_label(row)}: {' '.join(names)}"


def submodule_label(source: GitSource, submodule: Submodule) -> str:
    """Return the label of a submodule: `sources ucx 1.21.0: external/gpunetio`."""
    return part_label(source, submodule.path)
