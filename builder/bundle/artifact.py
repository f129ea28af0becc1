"""A bundle as an OCI artifact: one layer each for its table of contents, its locks and its files.

Layers are the files themselves, so that two bundles in one registry share
what they have in common. The manifest depends on the bundle alone.
"""

from __future__ import annotations

__all__ = ["artifact_manifest", "contents_layer", "layers_of"]

from builder.bundle.bundle import MANIFEST, lock_member
from builder.bundle.contents import Bundle, dump_bundle
from builder.errors import FetchError
from builder.model import Sha256
from builder.oci import Descriptor, ImageManifest, empty_config, parse_image_manifest

_ARTIFACT_TYPE = "application/vnd.lockwright.bundle.v1"
_CONTENTS_TYPE = "application/vnd.lockwright.bundle.contents.v1+toml"
_LOCK_TYPE = "application/vnd.lockwright.lock.v1+toml"
_FILE_TYPE = "application/octet-stream"


def layers_of(bundle: Bundle) -> tuple[Descriptor, ...]:
    """Return the layers of a bundle in order; the first is its table of contents."""
    text = dump_bundle(bundle)
    first = Descriptor.titled(_CONTENTS_TYPE, Sha256.of(text), len(text), MANIFEST)
    locks = (
        Descriptor.titled(_LOCK_TYPE, row.sha256, row.size, lock_member(row.path)) for row in bundle.locks
    )
    files = (
        Descriptor.titled(_FILE_TYPE, row.sha256, row.size, f"sha256/{row.sha256[:2]}/{row.sha256[2:]}")
        for row in bundle.files
    )
    return (first, *locks, *files)


def artifact_manifest(bundle: Bundle) -> ImageManifest:
    """Return the manifest of a bundle's artifact."""
    return ImageManifest(config=empty_config(), layers=layers_of(bundle), artifact_type=_ARTIFACT_TYPE)


def contents_layer(body: bytes, *, place: str) -> Descriptor:
    """Return the first layer of an artifact: its table of contents (FetchError when it is no bundle)."""
    manifest = parse_image_manifest(body, place=place)
    first = manifest.layers[0] if manifest.layers else None
    if manifest.artifact_type != _ARTIFACT_TYPE or first is None or first.media_type != _CONTENTS_TYPE:
        raise FetchError(f"is not a bundle, but {manifest.artifact_type[:80]!r}", place=place)
    return Descriptor.titled(_CONTENTS_TYPE, first.sha256, first.size, MANIFEST)
