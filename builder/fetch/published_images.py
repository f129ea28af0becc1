"""Published images in the store: manifest, configuration and layers, as blobs."""

from __future__ import annotations

__all__ = ["absent_parts", "image_requests"]

from typing import TYPE_CHECKING

from builder.model import ImageDigest
from builder.oci import parse_image_manifest
from builder.store import Request, Store

if TYPE_CHECKING:
    from builder.oci import Registry

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
