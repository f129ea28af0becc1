"""Published base images that locks name, in the store: an air gap has no registry."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from builder.fetch import JOBS, absent_parts, fetch_all, image_requests
from builder.lockfile import Lock
from builder.model import ImageDigest
from builder.oci import Registry, write_layout
from builder.project import Project
from builder.provision.stock import FetchProgress
from builder.store import Request, Store

__all__ = ["AbsentImages", "absent_images", "fill_images", "write_layouts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentImages:
    """How many images locks name, and what the store lacks of them."""

    wanted: int
    incomplete: int
    parts: dict[str, int]
    """Absent blobs with their sizes in bytes, of images whose manifest is here."""
    unsized: int
    """Images of unknown size: only their manifest states it."""


def absent_images(locks: Iterable[Lock], store: Store) -> AbsentImages:
    """Count the images of `locks`; nothing is asked for."""
    wanted = _named_images(locks)
    found = [absent_parts(digest, store) for _, digest in wanted]
    parts = {sha256: size for lacking in found if lacking for sha256, size in lacking.items()}
    return AbsentImages(
        wanted=len(wanted),
        incomplete=sum(lacking is None or bool(lacking) for lacking in found),
        parts=parts,
        unsized=sum(lacking is None for lacking in found),
    )


def fill_images(project: Project, locks: Iterable[Lock], *, jobs: int = JOBS) -> None:
    """Bring the manifest, configuration and layers of every published image into the store.

    What is there is not asked for again; layers are gone on with where an
    earlier fetch was interrupted. FetchError, or DigestMismatchError for other bytes.
    """
    with ExitStack() as opened:
        requests: list[Request] = []
        for name, digest in _named_images(locks):
            project.console.status(f"image {name}@{digest}")
            registry = opened.enter_context(Registry(name, project.origins))
            requests += image_requests(registry, digest, project.store)
        if not requests:
            return
        with project.console.transfers("fetching images") as shown:
            progress = FetchProgress(project, shown)
            fetch_all(project.store, requests, network=project.origins.network, jobs=jobs, progress=progress)


def write_layouts(project: Project, locks: Iterable[Lock], *, jobs: int = JOBS) -> dict[str, Path]:
    """Bring every published image into the store; return the OCI layout of each, by name, digest and arch."""
    listed = tuple(locks)
    fill_images(project, listed, jobs=jobs)
    rows = {(image.name, image.digest, lock.arch) for lock in listed for image in lock.images if image.digest}
    return {
        f"{name}@{digest} ({arch})": write_layout(project.store, digest.removeprefix("sha256:"), arch)
        for name, digest, arch in sorted(rows)
    }


def _named_images(locks: Iterable[Lock]) -> list[tuple[str, ImageDigest]]:
    return sorted({(image.name, image.digest) for lock in locks for image in lock.images if image.digest})
