"""Published base images that locks name, in the store: an air gap has no registry."""

from __future__ import annotations

from collections.abc import Iterable

from builder.commands.project import Project
from builder.fetch.images import store_image
from builder.fetch.registry import Registry
from builder.model.lock import Lock

__all__ = ["fill_images"]


def fill_images(project: Project, locks: Iterable[Lock]) -> None:
    """Bring the manifest, configuration and layers of every published image into the store.

    What is there is not asked for again. FetchError, or DigestMismatchError for other bytes.
    """
    wanted = sorted({(image.name, image.digest) for lock in locks for image in lock.images if image.digest})
    for name, digest in wanted:
        project.console.status(f"image {name}@{digest}")
        with Registry(name, project.origins) as registry:
            store_image(registry, digest, project.store)
