"""The table of contents of a bundle: which files and locks it carries, and which rows of the locks need each.

It is the first member of the bundle, `manifest.toml`. The locks follow as
`lock/<path>`, then the files as `sha256/ab/cdef…`, each in the order listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from builder.errors import FetchError
from builder.model import Sha256, StructureError, structure, toml, unstructure

__all__ = ["FORMAT", "Bundle", "BundledFile", "BundledFileKind", "BundledLock", "dump_bundle", "parse_bundle"]

FORMAT = 1
"""The version of the bundle's format that this code reads and writes."""


class BundledFileKind(StrEnum):
    """What a file of a bundle is."""

    WHEEL = "wheel"
    ARCHIVE = "archive"
    OS_PACKAGE = "os-package"
    SOURCE = "source"
    """The canonical tar of a git source."""
    BASE = "base"
    """The canonical tar of an assembled base."""
    IMAGE = "image"
    """A manifest, configuration or layer of a published image."""
    PACKAGE_LIST = "package-list"
    """A signed InRelease, or a package index that one lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledLock:
    """A lock: its path below the lock folder, the digest and size in bytes of the file."""

    path: str
    sha256: Sha256
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledFile:
    """A file of the store: digest, size in bytes, what people call it, and who needs it."""

    sha256: Sha256
    size: int
    kind: BundledFileKind
    name: str
    rows: tuple[str, ...]
    """Rows of locks, each `<lock> <table> <row>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a bundle carries; locks are sorted by path, files by digest."""

    format: Literal[1]
    apt: bool = False
    """Whether it also has what a mirror for apt needs: package lists, and the packages of assembled bases."""
    locks: tuple[BundledLock, ...]
    files: tuple[BundledFile, ...]

    @property
    def size(self) -> int:
        """The bytes of all locks and files."""
        return sum(row.size for row in self.locks) + sum(row.size for row in self.files)


def dump_bundle(bundle: Bundle) -> bytes:
    """Return the canonical bytes of a table of contents."""
    return toml.dumps(unstructure(bundle)).encode()


def parse_bundle(data: bytes, *, place: str) -> Bundle:
    """Read a table of contents; FetchError at `place` unless it is canonical and of a known format."""
    table = toml.loads(data, place=place, error=FetchError)
    found = table.get("format")
    if isinstance(found, int) and found > FORMAT:
        cause = f"format {found} is newer than this program knows ({FORMAT})"
        raise FetchError(cause, place=place, hint="update lockwright on this side")
    try:
        bundle = structure(table, Bundle)
    except StructureError as error:
        raise FetchError(str(error), place=place, hint=error.hint) from None
    if dump_bundle(bundle) != data or bundle != _in_order(bundle):
        raise FetchError("is not in canonical form", place=place, hint="make the bundle again")
    if not bundle.locks:
        raise FetchError("holds no lock", place=place, hint="make the bundle again")
    if min((0, *(row.size for row in bundle.locks), *(row.size for row in bundle.files))) < 0:
        raise FetchError("states a negative size", place=place)
    return bundle


def _in_order(bundle: Bundle) -> Bundle:
    """Return the bundle with each lock and file once, in order."""
    locks = {row.path: row for row in bundle.locks}
    files = {row.sha256: row for row in bundle.files}
    return Bundle(
        format=bundle.format,
        apt=bundle.apt,
        locks=tuple(locks[path] for path in sorted(locks)),
        files=tuple(files[digest] for digest in sorted(files)),
    )
