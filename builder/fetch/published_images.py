"""Published images in the store: manifest, configuration and layers, as blobs."""

from __future__ import annotations

__all__ = ["absent_parts", "image_requests"]

from builder.bundle import image_parts
from builder.model import ImageDigest
from builder.oci import Registry
from builder.store import Request, Store

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
    parts = image_parts(store.read(manifest), place=f"{registry.name}@{digest}")
    return tuple(
        Request(
            sha256=part.removeprefix(_PREFIX),
            size=size,
            urls=registry.blob_urls(part),
            label=f"{registry.name} {part.removeprefix(_PREFIX)[:_SHOWN]}",
            access=registry.auth,
        )
        for part, size in parts.items()
    )


def absent_parts(digest: ImageDigest, store: Store) -> dict[str, int] | None:
    """Return what the store lacks of an image, with sizes in bytes; None without even the manifest."""
    manifest = digest.removeprefix(_PREFIX)
    if not store.has(manifest):
        return None
    parts = image_parts(store.read(manifest), place=digest)
    sizes = {part.removeprefix(_PREFIX): size for part, size in parts.items()}
    return {sha256: size for sha256, size in sizes.items() if not store.has(sha256, size)}
