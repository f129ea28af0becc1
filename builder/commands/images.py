"""Published base images that locks name, in the store: an air gap has no registry."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from builder.commands.project import Project
from builder.fetch.images import store_image
from builder.fetch.oci_layout import write_layout
from builder.fetch.registry import Registry
from builder.model.lock import Lock

__all__ = ["fill_images", "write_layouts"]


def fill_images(project: Project, locks: Iterable[Lock]) -> None:
    """Bring the manifest, configuration and layers of every published image into the store.

    What is there is not asked for again. FetchError, or DigestMismatchError for other bytes.
    """
    wanted = sorted({(image.name, image.digest) for lock in locks for image in lock.images if image.digest})
    for name, digest in wanted:
        project.console.status(f"image {name}@{digest}")
        with Registry(name, project.origins) as registry:
            store_image(registry, digest, project.store)


def write_layouts(project: Project, locks: Iterable[Lock]) -> dict[str, Path]:
    """Bring every published image into the store; return the OCI layout of each, by name, digest and arch."""
    listed = tuple(locks)
    fill_images(project, listed)
    rows = {(image.name, image.digest, lock.arch) for lock in listed for image in lock.images if image.digest}
    return {
        f"{name}@{digest} ({arch})": write_layout(project.store, digest.removeprefix("sha256:"), arch)
        for name, digest, arch in sorted(rows)
    }
