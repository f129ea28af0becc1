"""The table of contents of a bundle: which files and locks it carries, and which rows of the locks need each.

It is the first member of the bundle, `manifest.toml`. The locks follow as
`lock/<path>`, then the files as `sha256/ab/cdef…`, each in the order listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from builder.errors import FetchError
from builder.lockfile import BASE, Lock, check_programs, row_label
from builder.model import Sha256, StructureError, structure, toml, unstructure
from builder.oci import parse_image_manifest

__all__ = [
    "FORMAT",
    "Bundle",
    "BundledFile",
    "BundledFileKind",
    "BundledLock",
    "Content",
    "contents",
    "dump_bundle",
    "parse_bundle",
]


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
    PROGRAM = "program"
    """A program that a check runs."""
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


_PREFIX = "sha256:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One file: digest, what it is, what people call it, and the rows of locks that need it, sorted."""

    sha256: Sha256
    kind: BundledFileKind
    name: str
    rows: tuple[str, ...]


def contents(locks: Iterable[Lock], read: Callable[[str], bytes], *, apt: bool) -> tuple[Content, ...]:
    """Return each file once, sorted by digest.

    `read` returns the bytes of a manifest of a published image by its SHA-256:
    only it says of which files the image is made. With `apt` also the package
    lists, and the packages that are needed for a base only. FetchError for a
    damaged manifest.
    """
    found: dict[Sha256, Content] = {}
    for lock in locks:
        for content in (*_row_contents(lock, apt=apt), *_image_contents(lock, read)):
            known = found.get(content.sha256, content)
            rows = tuple(sorted({*known.rows, *content.rows}))
            found[content.sha256] = replace(known, name=min(known.name, content.name), rows=rows)
    return tuple(found[digest] for digest in sorted(found))


def _row_contents(lock: Lock, *, apt: bool) -> Iterator[Content]:
    for python in lock.python:
        if python.sha256 is not None:
            yield _content_of(lock, python.sha256, BundledFileKind.WHEEL, python.file, row_label(python))
    for archive in lock.archives:
        yield _content_of(lock, archive.sha256, BundledFileKind.ARCHIVE, archive.file, row_label(archive))
    for source in lock.sources:
        yield _content_of(lock, source.sha256, BundledFileKind.SOURCE, source.file, row_label(source))
    for file, sha256 in check_programs(lock).items():
        yield _content_of(lock, sha256, BundledFileKind.PROGRAM, file, "runtime")
    for image in lock.images:
        if image.tar is not None:
            name = f"{image.name}-{lock.arch}.tar"
            yield _content_of(lock, image.tar, BundledFileKind.BASE, name, row_label(image))
    yield from _os_packages(lock, apt=apt)
    if apt:
        yield from _package_lists(lock)


def _os_packages(lock: Lock, *, apt: bool) -> Iterator[Content]:
    for package in lock.os_packages:
        if apt or set(package.for_) != {BASE}:  # what only the base needs is in its tar
            yield _content_of(
                lock, package.sha256, BundledFileKind.OS_PACKAGE, package.basename, row_label(package)
            )


def _package_lists(lock: Lock) -> Iterator[Content]:
    for repository in lock.repositories:
        if repository.inrelease is None:
            continue  # an RPM repository: apt cannot use it
        row = row_label(repository)
        name = f"{repository.suite} InRelease"
        yield _content_of(lock, repository.inrelease, BundledFileKind.PACKAGE_LIST, name, row)
        for component, index in zip(repository.components, repository.indexes, strict=True):
            name = f"{repository.suite}/{component} Packages"
            yield _content_of(lock, index, BundledFileKind.PACKAGE_LIST, name, row)


def _content_of(lock: Lock, sha256: Sha256, kind: BundledFileKind, name: str, row: str) -> Content:
    return Content(sha256=sha256, kind=kind, name=name, rows=(f"{lock.target} {row}",))


def _image_contents(lock: Lock, read: Callable[[str], bytes]) -> Iterator[Content]:
    for image in lock.images:
        if image.digest is None:
            continue
        place = f"{image.name}@{image.digest}"
        manifest = image.digest.removeprefix(_PREFIX)
        blobs = parse_image_manifest(read(manifest), place=place).blobs
        for digest in dict.fromkeys((manifest, *(blob.sha256 for blob in blobs))):
            name = f"{image.name} {'manifest' if digest == manifest else 'blob'}"
            yield _content_of(lock, Sha256(digest), BundledFileKind.IMAGE, name, row_label(image))
