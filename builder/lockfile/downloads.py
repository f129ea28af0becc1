"""The rows of a lock whose files are downloaded as they are, from an origin."""

from __future__ import annotations

from collections.abc import Iterator

from builder.lockfile.lock import BASE, Archive, Lock, OsPackage, PythonPackage

__all__ = ["DownloadedRow", "downloaded_rows"]

DownloadedRow = PythonPackage | Archive | OsPackage
"""A row with a file, its SHA-256 and its origin."""


def downloaded_rows(lock: Lock) -> Iterator[DownloadedRow]:
    """Yield the rows whose files a build of `lock` downloads, in the order of the lock.

    Left out: distributions that a build makes, and OS packages that only an
    assembled base needs, because its tar contains them.
    """
    yield from (row for row in lock.python if row.sha256 is not None)
    yield from lock.archives
    yield from (row for row in lock.os_packages if set(row.for_) != {BASE})
