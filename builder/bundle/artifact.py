"""A bundle as an OCI artifact: one layer each for its table of contents, its locks and its files.

Layers are the files themselves, so that two bundles in one registry share
what they have in common. The manifest depends on the bundle alone.
"""

from __future__ import annotations

__all__ = [
    "ARTIFACT_TYPE",
    "EMPTY",
    "MEDIA_TYPE",
    "Layer",
    "artifact_manifest",
    "layers_of",
    "parse_artifact",
]

import base64
import json
from dataclasses import dataclass

from builder.bundle.bundle import MANIFEST, lock_member
from builder.bundle.contents import Bundle, dump_bundle
from builder.errors import FetchError
from builder.model import ImageDigest, Sha256

ARTIFACT_TYPE = "application/vnd.lockwright.bundle.v1"
MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
EMPTY = b"{}"
"""The configuration of an artifact that has none."""

_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_CONTENTS_TYPE = "application/vnd.lockwright.bundle.contents.v1+toml"
_LOCK_TYPE = "application/vnd.lockwright.lock.v1+toml"
_FILE_TYPE = "application/octet-stream"
_TITLE = "org.opencontainers.image.title"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer: media type, digest, size in bytes, and its name in a bundle."""

    media_type: str
    sha256: Sha256
    size: int
    title: str

    @property
    def digest(self) -> ImageDigest:
        """The digest as registries write it."""
        return ImageDigest(f"sha256:{self.sha256}")


def layers_of(bundle: Bundle) -> tuple[Layer, ...]:
    """Return the layers of a bundle in order; the first is its table of contents."""
    text = dump_bundle(bundle)
    first = Layer(media_type=_CONTENTS_TYPE, sha256=Sha256.of(text), size=len(text), title=MANIFEST)
    locks = (
        Layer(media_type=_LOCK_TYPE, sha256=row.sha256, size=row.size, title=lock_member(row.path))
        for row in bundle.locks
    )
    files = (
        Layer(
            media_type=_FILE_TYPE,
            sha256=row.sha256,
            size=row.size,
            title=f"sha256/{row.sha256[:2]}/{row.sha256[2:]}",
        )
        for row in bundle.files
    )
    return (first, *locks, *files)


def artifact_manifest(bundle: Bundle) -> bytes:
    """Return the manifest of a bundle's artifact."""
    config = {
        "mediaType": _EMPTY_TYPE,
        "digest": f"sha256:{Sha256.of(EMPTY)}",
        "size": len(EMPTY),
        "data": base64.b64encode(EMPTY).decode("ascii"),
    }
    layers = [
        {
            "mediaType": layer.media_type,
            "digest": layer.digest,
            "size": layer.size,
            "annotations": {_TITLE: layer.title},
        }
        for layer in layers_of(bundle)
    ]
    table = {
        "schemaVersion": 2,
        "mediaType": MEDIA_TYPE,
        "artifactType": ARTIFACT_TYPE,
        "config": config,
        "layers": layers,
    }
    return json.dumps(table, separators=(",", ":")).encode()


def parse_artifact(body: bytes, *, place: str) -> Layer:
    """Return the first layer of an artifact: its table of contents (FetchError when it is no bundle)."""
    try:
        table = json.loads(body)
        kind, first = table.get("artifactType"), table["layers"][0]
        if kind != ARTIFACT_TYPE or first["mediaType"] != _CONTENTS_TYPE:
            raise FetchError(f"is not a bundle, but {str(kind)[:80]!r}", place=place)
        digest = ImageDigest(first["digest"])
        sha256 = Sha256(digest.removeprefix("sha256:"))
        return Layer(media_type=_CONTENTS_TYPE, sha256=sha256, size=int(first["size"]), title=MANIFEST)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as cause:
        raise FetchError("is not a manifest of an artifact", place=place) from cause
