"""What locks name, as files that the store should have, each once."""

from __future__ import annotations

__all__ = ["BaseNeed", "FileNeed", "Needs", "needs"]

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from builder.lockfile import BASE, DownloadedRow, GitSource, Lock, OsPackage, downloaded_rows
from builder.origins import Origins


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNeed:
    """A file that is downloaded as it is: a wheel, an OS package, an archive."""

    sha256: str
    size: int | None
    """Bytes, where the lock says it."""
    origin: str
    folders: tuple[str, ...]
    """Folders below the origin that have it, the likeliest first."""
    file: str

    @property
    def label(self) -> str:
        """What people call it."""
        return self.file.rpartition("/")[2]

    def urls(self, origins: Origins) -> tuple[str, ...]:
        """Return where to try, in order (UsageError for an origin without a place)."""
        return origins.urls(self.origin, self.folders, self.file)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseNeed:
    """The canonical tar of an assembled base, and the packages that it is made of."""

    sha256: str
    label: str
    packages: tuple[tuple[OsPackage, FileNeed], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Everything that one build form of some locks takes from the store."""

    files: tuple[FileNeed, ...] = ()
    sources: tuple[GitSource, ...] = ()
    bases: tuple[BaseNeed, ...] = ()

    def digests(self) -> tuple[str, ...]:
        """Return the SHA-256 of every file, sorted."""
        found = {row.sha256 for row in self.files}
        found |= {row.sha256 for row in self.sources}
        return tuple(sorted(found | {row.sha256 for row in self.bases}))


_Row = TypeVar("_Row", FileNeed, GitSource, BaseNeed)


def needs(locks: Iterable[Lock], origins: Origins, *, everything: bool) -> Needs:
    """Return what the store must have to build `locks`, each digest once, sorted by name.

    Without `everything` only what BuildKit cannot download by itself: tars of
    git sources and of assembled bases.
    """
    listed = tuple(locks)
    bases = (base for lock in listed for base in _base_needs(lock, origins))
    files = [file for lock in listed for file in _file_needs(lock, origins)] if everything else []
    return Needs(
        files=_digests_once(files, lambda row: row.label),
        sources=_digests_once((row for lock in listed for row in lock.sources), lambda row: row.file),
        bases=_digests_once(bases, lambda row: row.label),
    )


def _digests_once(rows: Iterable[_Row], name: Callable[[_Row], str]) -> tuple[_Row, ...]:
    by_digest: dict[str, _Row] = {}
    for row in rows:
        by_digest.setdefault(row.sha256, row)
    return tuple(sorted(by_digest.values(), key=name))


def _base_needs(lock: Lock, origins: Origins) -> Iterator[BaseNeed]:
    for image in lock.images:
        if image.tar is not None:
            rows = (row for row in lock.os_packages if BASE in row.for_)
            yield BaseNeed(
                sha256=image.tar,
                label=f"{image.name} for {lock.arch}",
                packages=tuple((row, _file_need(row, lock, origins)) for row in rows),
            )


def _file_needs(lock: Lock, origins: Origins) -> Iterator[FileNeed]:
    return (_file_need(row, lock, origins) for row in downloaded_rows(lock))


def _file_need(row: DownloadedRow, lock: Lock, origins: Origins) -> FileNeed:
    assert row.sha256 is not None  # noqa: S101 - `downloaded_rows` leaves the others out
    return FileNeed(
        sha256=row.sha256,
        size=row.size,
        origin=row.origin,
        folders=origins.folders(row, lock.repositories),
        file=row.file,
    )
