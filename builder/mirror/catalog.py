"""What a mirror of some locks offers: which path means which file of the store. Nothing else is reachable."""

from __future__ import annotations

__all__ = ["AptSource", "Catalogue", "MirroredFile", "MirroredImage", "catalogue"]

from collections.abc import Iterable
from dataclasses import dataclass, field

from builder.errors import FetchError
from builder.fetch import index_paths
from builder.lockfile import Lock, PythonPackage, Repository, row_label
from builder.model import ImageDigest, Sha256
from builder.oci import parse_image_manifest
from builder.store import Store

_PREFIX = "sha256:"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class MirroredFile:
    """A file of a project on the index: name, version, digest, size in bytes, path on the server."""

    file: str
    version: str
    sha256: Sha256
    size: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class AptSource:
    """A suite that apt can use: the path of its archive below the server's root, suite and components."""

    path: str
    suite: str
    components: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredImage:
    """A published image: the digest and media type of its manifest, and all blobs that it is made of."""

    name: str
    """With its registry, such as `docker.io/library/debian`."""
    tag: str
    manifest: ImageDigest
    media_type: str
    blobs: frozenset[ImageDigest]


@dataclass(slots=True)
class Catalogue:
    """Paths below the server's root with their SHA-256, and what stands behind index and registry."""

    paths: dict[str, str] = field(default_factory=dict)
    projects: dict[str, dict[str, MirroredFile]] = field(default_factory=dict)
    """Files by name, by normalised project name."""
    apt: set[AptSource] = field(default_factory=set)
    images: list[MirroredImage] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    """The layout of each origin's folder `/origin/<name>/`."""
    absent: dict[str, str] = field(default_factory=dict)
    """What locks name and the store lacks: its label, by SHA-256."""

    def image(self, name: str, host: str, reference: str) -> MirroredImage | None:
        """Return the image that a client of the registry means; `host` is empty where it does not say."""
        for image in self.images:
            registry, _, rest = image.name.partition("/")
            named = name == image.name or (name == rest and host in {"", registry})
            if named and reference in {image.manifest, image.tag}:
                return image
        return None

    def blob(self, name: str, host: str, digest: str) -> bool:
        """Say whether an image of that name has this blob."""
        return any(
            digest in image.blobs and self.image(name, host, image.manifest) is not None
            for image in self.images
        )


def catalogue(locks: Iterable[Lock], store: Store) -> Catalogue:
    """Return what `store` can offer of `locks`.

    FetchError where two locks mean different files by one path, or for a
    damaged manifest or package list.
    """
    made = Catalogue()
    for lock in locks:
        _add_python(made, lock, store)
        _add_archives(made, lock, store)
        _add_os_packages(made, lock, store)
        _add_images(made, lock, store)
    return made


def _offer_file(made: Catalogue, path: str, sha256: str, label: str, store: Store) -> bool:
    """Offer a file under a path, if the store has it; return whether it has."""
    if not store.has(sha256):
        made.absent[sha256] = label
        return False
    if made.paths.setdefault(path, sha256) != sha256:
        cause = f"two locks name different files: sha256 {made.paths[path]} and {sha256}"
        raise FetchError(cause, place=path, hint="serve these locks one by one: --platform, --framework")
    return True


def _add_python(made: Catalogue, lock: Lock, store: Store) -> None:
    for row in lock.python:
        if row.sha256 is not None:
            made.origins[row.origin] = "flat"
            path = _path_below(row.origin, row.path, row.file)
            if _offer_file(made, path, row.sha256, row.file, store):
                _list_on_index(made.projects.setdefault(row.name, {}), row, row.sha256, path, store)


def _list_on_index(
    files: dict[str, MirroredFile], row: PythonPackage, sha256: Sha256, path: str, store: Store
) -> None:
    listed = MirroredFile(
        file=row.file,
        version=row.version,
        sha256=sha256,
        size=store.path(sha256).stat().st_size,
        path=path,
    )
    if files.setdefault(row.file, listed).sha256 != sha256:
        cause = f"two locks name different files: sha256 {files[row.file].sha256} and {sha256}"
        raise FetchError(cause, place=row.file, hint="serve these locks one by one: --platform, --framework")


def _add_archives(made: Catalogue, lock: Lock, store: Store) -> None:
    for row in lock.archives:
        made.origins[row.origin] = "flat"
        _offer_file(made, _path_below(row.origin, row.path, row.file), row.sha256, row.file, store)


def _add_os_packages(made: Catalogue, lock: Lock, store: Store) -> None:
    """Offer packages as a pool, and below each time stamp at which the lock looked at their archive."""
    stamps: dict[str, set[str]] = {}
    for repository in lock.repositories:
        made.origins[repository.origin] = "pool"
        stamps.setdefault(repository.origin, set()).add(repository.snapshot)
        _add_lists(made, repository, store)
    for row in lock.os_packages:
        folders = ("", *sorted(stamps.get(row.origin, ())))
        for folder in folders:
            _offer_file(made, _path_below(row.origin, folder, row.file), row.sha256, row.basename, store)


def _add_lists(made: Catalogue, repository: Repository, store: Store) -> None:
    """Offer the signed package lists of a suite; apt can use it when all of them are there."""
    if repository.inrelease is None:
        return  # an RPM repository: its packages are offered, its metadata is not
    archive = _path_below(repository.origin, repository.snapshot)
    label = f"package lists of {repository.suite}"
    signed = f"{archive}/dists/{repository.suite}/InRelease"
    if not _offer_file(made, signed, repository.inrelease, label, store):
        return
    paths = index_paths(repository, store.read(repository.inrelease))
    held = [_offer_file(made, f"{archive}/{path}", sha256, label, store) for path, sha256 in paths.items()]
    if all(held):
        made.apt.add(AptSource(path=archive, suite=repository.suite, components=repository.components))


def _add_images(made: Catalogue, lock: Lock, store: Store) -> None:
    for image in lock.images:
        if image.digest is None:
            continue
        manifest = image.digest.removeprefix(_PREFIX)
        if not store.has(manifest):
            made.absent[manifest] = row_label(image)
            continue
        parsed = parse_image_manifest(store.read(manifest), place=f"{image.name}@{image.digest}")
        blobs = {blob.digest for blob in parsed.blobs}
        held = frozenset(blob for blob in blobs if store.has(blob.removeprefix(_PREFIX)))
        for blob in blobs - held:
            made.absent[blob.removeprefix(_PREFIX)] = row_label(image)
        made.images.append(
            MirroredImage(
                name=image.name,
                tag=image.tag,
                manifest=image.digest,
                media_type=parsed.media_type,
                blobs=held,
            )
        )


def _path_below(origin: str, *parts: str) -> str:
    return "/".join(part for part in ("origin", origin, *parts) if part)
