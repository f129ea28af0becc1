"""What locks name, as files that the store should have, each once.

Besides rows these are the signed package lists of apt archives, and the
manifests, configurations and layers of published images.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from builder.errors import FetchError
from builder.lockfile import (
    BASE,
    DownloadedRow,
    GitSource,
    Lock,
    OsPackage,
    Repository,
    check_programs,
    downloaded_rows,
)
from builder.model import ImageDigest
from builder.oci import parse_image_manifest
from builder.origins import Origins
from builder.store import Request, Store

if TYPE_CHECKING:
    from builder.oci import Registry

__all__ = [
    "BaseNeed",
    "FileNeed",
    "Needs",
    "ProgramNeed",
    "absent_parts",
    "image_requests",
    "index_paths",
    "listed",
    "needs",
]


_ROW = re.compile(rb"(?m)^ ([0-9a-f]{64}) +[0-9]+ ([!-~]+)$")


def listed(inrelease: bytes) -> dict[str, str]:
    """Return the SHA-256 that an InRelease file, itself verified by digest, states for each path."""
    return {row[2].decode("ascii"): row[1].decode("ascii") for row in _ROW.finditer(inrelease)}


def index_paths(repository: Repository, inrelease: bytes) -> dict[str, str]:
    """Return the paths below the archive at which each index of `repository` is asked for, with its SHA-256.

    FetchError for an index that the InRelease file does not list.
    """
    wanted = set(repository.indexes)
    suite = f"dists/{repository.suite}"
    paths: dict[str, str] = {}
    for path, sha256 in listed(inrelease).items():
        if sha256 in wanted:
            folder, _, _ = path.rpartition("/")
            paths[f"{suite}/{path}"] = sha256
            paths[f"{suite}/{folder}/by-hash/SHA256/{sha256}"] = sha256
    missing = wanted - set(paths.values())
    if missing:
        cause = f"its InRelease lists no index with sha256 {min(missing)}"
        raise FetchError(cause, place=f"{repository.origin} {repository.suite}")
    return paths


_PREFIX = "sha256:"
_SHOWN = 12  # digits of a digest that tell layers apart


def image_requests(registry: Registry, digest: ImageDigest, store: Store) -> tuple[Request, ...]:
    """Return what an image of one architecture is made of; its manifest is brought into the store for that.

    FetchError for a manifest that cannot be had, DigestMismatchError for other
    bytes than those of its digest: these do not enter the store.
    """
    manifest = digest.removeprefix(_PREFIX)
    if not store.has(manifest):
        store.ingest((registry.manifest_bytes(digest),), manifest)
    image = parse_image_manifest(store.read(manifest), place=f"{registry.name}@{digest}")
    return tuple(
        Request(
            sha256=blob.sha256,
            size=blob.size,
            urls=registry.blob_urls(blob.digest),
            label=f"{registry.name} {blob.sha256[:_SHOWN]}",
            access=registry.auth,
        )
        for blob in {blob.digest: blob for blob in image.blobs}.values()
    )


def absent_parts(digest: ImageDigest, store: Store) -> dict[str, int] | None:
    """Return what the store lacks of an image, with sizes in bytes; None without even the manifest."""
    manifest = digest.removeprefix(_PREFIX)
    if not store.has(manifest):
        return None
    image = parse_image_manifest(store.read(manifest), place=digest)
    sizes = {str(blob.sha256): blob.size for blob in image.blobs}
    return {sha256: size for sha256, size in sizes.items() if not store.has(sha256, size)}


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
class ProgramNeed:
    """A program that a check runs: it lies beside the recipes, or a bundle has brought it."""

    sha256: str
    file: str
    """Its path below the recipe folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Everything that one build form of some locks takes from the store."""

    files: tuple[FileNeed, ...] = ()
    sources: tuple[GitSource, ...] = ()
    bases: tuple[BaseNeed, ...] = ()
    programs: tuple[ProgramNeed, ...] = ()

    def digests(self) -> tuple[str, ...]:
        """Return the SHA-256 of every file, sorted."""
        found = {row.sha256 for row in self.files}
        found |= {row.sha256 for row in self.sources} | {row.sha256 for row in self.programs}
        return tuple(sorted(found | {row.sha256 for row in self.bases}))


_Row = TypeVar("_Row", FileNeed, GitSource, BaseNeed, ProgramNeed)


def needs(locks: Iterable[Lock], origins: Origins, *, everything: bool) -> Needs:
    """Return what the store must have to build `locks`, each digest once, sorted by name.

    Without `everything` only what BuildKit cannot download by itself: tars of
    git sources and of assembled bases, and programs of checks.
    """
    listed = tuple(locks)
    bases = (base for lock in listed for base in _base_needs(lock, origins))
    files = [file for lock in listed for file in _file_needs(lock, origins)] if everything else []
    programs = [
        ProgramNeed(sha256=sha256, file=file)
        for lock in listed
        for file, sha256 in check_programs(lock).items()
    ]
    return Needs(
        files=_digests_once(files, lambda row: row.label),
        sources=_digests_once((row for lock in listed for row in lock.sources), lambda row: row.file),
        bases=_digests_once(bases, lambda row: row.label),
        programs=_digests_once(programs, lambda row: row.file),
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
