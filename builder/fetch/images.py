"""Published images in the store: manifest, configuration and layers, as blobs."""

from __future__ import annotations

__all__ = ["store_image"]

from builder.errors import BuilderError
from builder.fetch.contents import image_parts
from builder.fetch.registry import Registry
from builder.fetch.store import Store
from builder.model.digest import ImageDigest

_PREFIX = "sha256:"


def store_image(registry: Registry, digest: ImageDigest, store: Store) -> None:
    """Bring an image of one architecture into the store, as far as it is not there.

    FetchError for what cannot be had, DigestMismatchError for other bytes
    than those of their digest: these do not enter the store.
    """
    place = f"{registry.name}@{digest}"
    manifest = digest.removeprefix(_PREFIX)
    if not store.has(manifest):
        store.ingest((registry.manifest_bytes(digest),), manifest)
    for part in image_parts(store.read(manifest), place=place):
        sha256 = part.removeprefix(_PREFIX)
        if store.has(sha256):
            continue
        try:
            with store.incoming() as arriving:
                registry.fetch_blob(part, arriving.file)
                arriving.keep(sha256)
        except BuilderError as error:
            raise error.within(place) from None
