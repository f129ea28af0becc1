"""What the store form of some locks takes from the store, file by file, with the rows that need it."""

from __future__ import annotations

__all__ = ["Content", "contents"]

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from builder.bundle.contents import BundledFileKind
from builder.lockfile import BASE, Lock, row_label
from builder.model import Sha256
from builder.oci import parse_image_manifest

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
