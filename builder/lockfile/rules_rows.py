"""Rules of rows of every section: order, lists, evidence, sizes, places, bytes, environments. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from builder.lockfile.canonical import row_key
from builder.lockfile.labels import LockRow, LockSection, row_label, section_rows
from builder.lockfile.lock import BASE, INSTALLER, RUNTIME, Archive, Image, Lock, OsPackage, PythonPackage
from builder.lockfile.rule import Fault, LockRule
from builder.lockfile.shapes import NAME, clean_path
from builder.model import Evidence, key_name

__all__ = ["ROW_RULES"]

_ORDERED = (LockSection.SOURCES, LockSection.ARCHIVES, LockSection.PYTHON, LockSection.OS_PACKAGES)
"""Builds stand in the order in which they run; images and repositories in the recipe's."""

_SORTED_LISTS = {
    LockSection.IMAGES: ("roles", "inventory", "python"),
    LockSection.REPOSITORIES: ("signed_by",),
    LockSection.SOURCES: ("omitted",),
    LockSection.PYTHON: ("for_", "extras", "via"),
    LockSection.OS_PACKAGES: ("for_", "via"),
    LockSection.BUILDS: ("needs", "archives", "wheels"),
}


def _row_order_faults(lock: Lock) -> Iterator[Fault]:
    for section in _ORDERED:
        keyed = ((row_key(row), row) for row in section_rows(lock, section))
        for (left, _), (right, row) in pairwise(keyed):
            if left == right:
                yield Fault(row=row_label(row), text="it appears twice")
            elif left > right:
                yield Fault(row=row_label(row), text="it is out of order")


def _sorted_list_faults(lock: Lock) -> Iterator[Fault]:
    for section, fields in _SORTED_LISTS.items():
        for row in section_rows(lock, section):
            for field in fields:
                items = getattr(row, field)
                if len(items) > 1 and list(items) != sorted(set(items)):
                    yield Fault(row=row_label(row), text=f"{key_name(field)} is not sorted and unique")


def _publisher_faults(lock: Lock) -> Iterator[Fault]:
    rows: tuple[Image | Archive | PythonPackage, ...] = (*lock.images, *lock.archives, *lock.python)
    for row in rows:
        if row.evidence is Evidence.DECLARED and not row.by:
            yield Fault(row=row_label(row), text="evidence `declared` requires `by`")
        if row.by and row.evidence is not Evidence.DECLARED:
            yield Fault(
                row=row_label(row), text="it names who declared it, but its evidence is not `declared`"
            )


def _size_faults(lock: Lock) -> Iterator[Fault]:
    rows: tuple[Archive | PythonPackage | OsPackage, ...] = (*lock.archives, *lock.python, *lock.os_packages)
    for row in rows:
        if row.size is not None and row.size <= 0:
            yield Fault(row=row_label(row), text=f"its size is {row.size}")


def _path_faults(lock: Lock) -> Iterator[Fault]:
    rows: tuple[Archive | PythonPackage, ...] = (*lock.archives, *lock.python)
    for row in rows:
        if row.path and not clean_path(row.path):
            yield Fault(row=row_label(row), text=f"its path {row.path!r} is not a folder below an origin")
    for package in lock.os_packages:
        if not clean_path(package.file):
            yield Fault(row=row_label(package), text=f"{package.file!r} is not a file below an archive")


def _origin_name_faults(lock: Lock) -> Iterator[Fault]:
    rows: tuple[LockRow, ...] = (*lock.repositories, *lock.archives, *lock.python)
    for row in rows:
        origin = getattr(row, "origin", "")
        if not NAME.fullmatch(origin) and (origin or not isinstance(row, PythonPackage)):
            yield Fault(row=row_label(row), text=f"{origin!r} is not an origin's name")


def _environment_faults(lock: Lock) -> Iterator[Fault]:
    rows: tuple[PythonPackage | OsPackage, ...] = (*lock.python, *lock.os_packages)
    known = lock.environments
    for row in rows:
        allowed = known - {BASE if isinstance(row, PythonPackage) else INSTALLER}
        if not row.for_:
            yield Fault(row=row_label(row), text="nothing uses it")
        for name in row.for_:
            if name not in allowed:
                text = f"it is for {name}, which is neither a build nor {RUNTIME}"
                yield Fault(row=row_label(row), text=text)


def _one_version_faults(lock: Lock) -> Iterator[Fault]:
    """Yield rows of which one environment has two; every OS package stands on those of the base."""
    for rows in (lock.python, lock.os_packages):
        there: dict[tuple[str, str], PythonPackage | OsPackage] = {}
        for row in rows:
            for use in row.for_:
                other = there.setdefault((use, row.name), row)
                if other is not row and row_key(other) != row_key(row):
                    yield Fault(row=row_label(row), text=f"{use} has {other.version} of it too")
        for (use, name), row in there.items():
            other = there.get((BASE, name), row)
            if other is not row and row_key(other) != row_key(row):
                yield Fault(row=row_label(row), text=f"{use} has another version of it than {BASE}")


def _same_name_faults(lock: Lock) -> Iterator[Fault]:
    files: dict[str, str] = {}
    for wheel in lock.python:
        if wheel.sha256 and files.setdefault(wheel.file, wheel.sha256) != wheel.sha256:
            yield Fault(row=row_label(wheel), text=f"another row has other bytes under the name {wheel.file}")


def _same_byte_faults(lock: Lock) -> Iterator[Fault]:
    """Yield rows of two files that share a digest: one of them was probably altered."""
    named: dict[str, tuple[LockSection, str, str]] = {}
    for section in _ORDERED:
        for row in section_rows(lock, section):
            sha256, file = str(getattr(row, "sha256", "") or ""), str(getattr(row, "file", ""))
            if sha256:
                this = (section, file, row_label(row))
                other = named.setdefault(sha256, this)
                if other[:2] != this[:2]:
                    yield Fault(row=row_label(row), text=f"it has the bytes of {other[2]}")


ROW_RULES = (
    LockRule(
        id="row-order",
        says="Rows are sorted by identity, and none appears twice.",
        stops=True,
        why="two files of one content would differ",
        finds=_row_order_faults,
    ),
    LockRule(
        id="sorted-lists",
        says="Lists without an order of their own are sorted and hold nothing twice.",
        stops=True,
        why="two files of one content would differ",
        finds=_sorted_list_faults,
    ),
    LockRule(
        id="publishers",
        says="A declared digest says who published it, and no other does.",
        stops=True,
        why="evidence without a publisher is none",
        finds=_publisher_faults,
    ),
    LockRule(
        id="sizes",
        says="Sizes are above zero.",
        stops=True,
        why="no file of such a size can be fetched",
        finds=_size_faults,
    ),
    LockRule(
        id="paths",
        says="Paths stay below their origin.",
        stops=True,
        why="a `..` would be asked of the server, or leave a folder",
        finds=_path_faults,
    ),
    LockRule(
        id="origin-names",
        says="An origin is a name, never a place.",
        stops=True,
        why="origins files bind names only",
        finds=_origin_name_faults,
    ),
    LockRule(
        id="environments",
        says="Every row is for an environment of the lock: the image, a build, the base, the installer.",
        stops=True,
        why="nothing would install the row",
        finds=_environment_faults,
    ),
    LockRule(
        id="one-version",
        says="An environment has one version of a distribution or package, the base's where it has it.",
        stops=True,
        why="which one is installed is not determined",
        finds=_one_version_faults,
        after=("row-order",),
    ),
    LockRule(
        id="same-name",
        says="Wheels of one file name have the same bytes.",
        stops=True,
        why="in one folder the second replaces the first",
        finds=_same_name_faults,
    ),
    LockRule(
        id="same-bytes",
        says="Files of different names have different bytes.",
        stops=False,
        why="suspicious, but both files are the bytes that the lock names",
        finds=_same_byte_faults,
    ),
)
"""The rules of rows of every section, causes before consequences."""
