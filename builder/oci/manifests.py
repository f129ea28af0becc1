"""The documents of OCI images (manifest, index, configuration) as frozen values: parsed, bounded, written.

The rules are those of the OCI image specification 1.1. Docker's forms (schema 2
and its manifest list) have the same keys under other media types. Whoever reads
or writes such a document does it here; nothing in it is trusted: a digest is
`sha256:` and 64 digits, a size is a whole number that is not negative, a
document that is larger than its bound is refused.
"""

from __future__ import annotations

__all__ = [
    "EMPTY_CONFIG",
    "LARGEST_MANIFEST",
    "MANIFEST_TYPES",
    "OCI_LAYOUT",
    "OCI_MANIFEST",
    "Descriptor",
    "ImageConfig",
    "ImageIndex",
    "ImageManifest",
    "SavedImage",
    "dump_index",
    "dump_manifest",
    "empty_config",
    "parse_config",
    "parse_image_manifest",
    "parse_index",
    "parse_manifest",
    "parse_saved_images",
]

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from builder.errors import BuilderError, FetchError
from builder.json_text import parse_json
from builder.model import ImageDigest, Sha256

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"

MANIFEST_TYPES = (
    OCI_INDEX,
    "application/vnd.docker.distribution.manifest.list.v2+json",
    OCI_MANIFEST,
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""The media types of manifests and indexes that are understood, as a registry is asked for them."""

LARGEST_MANIFEST = 4 * 2**20
"""Bytes of a manifest or an index: the distribution protocol's own bound."""

LARGEST_CONFIG = 64 * 2**20
"""Bytes of a configuration, which has a line for each step of a build."""

OCI_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}\n'
"""The file `oci-layout` of an image layout."""

EMPTY_CONFIG = b"{}"
"""The configuration of an artifact that has none."""

_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_TITLE = "org.opencontainers.image.title"
_REFERENCE_TYPE, _ATTESTATION = "vnd.docker.reference.type", "attestation-manifest"
_SCHEMA = 2
_PREFIX = "sha256:"
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A part of an index or a manifest: what it is, the digest of its bytes, and its size in bytes."""

    media_type: str
    digest: ImageDigest
    size: int
    os: str = ""
    """Of an image in an index, as are the next two."""
    architecture: str = ""
    variant: str = ""
    annotations: tuple[tuple[str, str], ...] = ()
    data: bytes = b""
    """The bytes themselves, where the descriptor carries them."""

    @property
    def sha256(self) -> Sha256:
        """The digest without its algorithm."""
        return Sha256(self.digest.removeprefix(_PREFIX))

    @property
    def title(self) -> str:
        """The file name that an artifact gives to its layer."""
        return dict(self.annotations).get(_TITLE, "")

    @property
    def is_attestation(self) -> bool:
        """Whether it is what BuildKit states about an image, and no image itself."""
        return dict(self.annotations).get(_REFERENCE_TYPE) == _ATTESTATION

    @classmethod
    def titled(cls, media_type: str, sha256: Sha256, size: int, title: str) -> Descriptor:
        """Return the descriptor of a file in an artifact."""
        return cls(
            media_type=media_type,
            digest=ImageDigest(f"{_PREFIX}{sha256}"),
            size=size,
            annotations=((_TITLE, title),),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageManifest:
    """One image of one architecture, or one artifact: a configuration, and layers from the bottom up."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    media_type: str = OCI_MANIFEST
    artifact_type: str = ""

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The configuration and the layers."""
        return (self.config, *self.layers)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageIndex:
    """Several manifests or indexes, mostly one for each platform."""

    manifests: tuple[Descriptor, ...]
    media_type: str = OCI_INDEX


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """How an image was made, and how it is run."""

    os: str
    architecture: str
    variant: str
    diff_ids: tuple[str, ...]
    """The digest of each layer's tar, from the bottom up."""
    steps: tuple[str, ...]
    """The instruction that made each layer, as far as the history tells."""
    table: Mapping[str, Any] = field(hash=False)
    """The whole document."""

    @property
    def platform(self) -> str:
        """The platform as docker writes it: `linux/arm64/v8`."""
        return "/".join(word for word in (self.os, self.architecture, self.variant) if word)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a container of the image starts with: environment, command, user, labels."""
        found = self.table.get("config")
        return found if isinstance(found, dict) else {}

    @property
    def labels(self) -> Mapping[str, Any]:
        """The labels among the settings."""
        found = self.settings.get("Labels")
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedImage:
    """A row of `manifest.json`, which `docker save` wrote before OCI layouts: paths in the archive."""

    config: str
    layers: tuple[str, ...]


def parse_manifest(
    data: bytes, *, place: str, error: type[BuilderError] = FetchError
) -> ImageManifest | ImageIndex:
    """Return a manifest or an index; `error` at `place` for anything else."""
    table = _parse_table(data, LARGEST_MANIFEST, place, error)
    return _index_of(table, place, error) if "manifests" in table else _manifest_of(table, place, error)


def parse_image_manifest(data: bytes, *, place: str, error: type[BuilderError] = FetchError) -> ImageManifest:
    """Return the manifest of one image; `error` at `place` for anything else, an index included."""
    return _manifest_of(_parse_table(data, LARGEST_MANIFEST, place, error), place, error)


def parse_index(data: bytes, *, place: str, error: type[BuilderError] = FetchError) -> ImageIndex:
    """Return an index; `error` at `place` for anything else."""
    return _index_of(_parse_table(data, LARGEST_MANIFEST, place, error), place, error)


def parse_config(data: bytes, *, place: str, error: type[BuilderError] = FetchError) -> ImageConfig:
    """Return the configuration of an image; `error` at `place` for anything else."""
    table = _parse_table(data, LARGEST_CONFIG, place, error)
    try:
        history = table.get("history") or []
        return ImageConfig(
            os=_text_at(table, "os"),
            architecture=_text_at(table, "architecture"),
            variant=_text_at(table, "variant"),
            diff_ids=tuple(str(digest) for digest in (table.get("rootfs") or {}).get("diff_ids") or ()),
            # A step that changed no file has a row in the history and no layer.
            steps=tuple(_text_at(row, "created_by") for row in history if not row.get("empty_layer")),
            table=table,
        )
    except _MALFORMED as cause:
        raise error(f"is a malformed image configuration: {cause!r:.200}", place=place) from cause


def parse_saved_images(
    data: bytes, *, place: str, error: type[BuilderError] = FetchError
) -> tuple[SavedImage, ...]:
    """Return the rows of a saved `manifest.json`; `error` at `place` for anything else."""
    try:
        return tuple(
            SavedImage(config=str(row["Config"]), layers=tuple(str(name) for name in row["Layers"]))
            for row in _parse_json(data, LARGEST_MANIFEST, place, error)
        )
    except _MALFORMED as cause:
        raise error(f"is a malformed list of saved images: {cause!r:.200}", place=place) from cause


def empty_config() -> Descriptor:
    """Return the configuration of an artifact: the empty descriptor of the image specification."""
    return Descriptor(
        media_type=_EMPTY_TYPE,
        digest=ImageDigest(f"{_PREFIX}{Sha256.of(EMPTY_CONFIG)}"),
        size=len(EMPTY_CONFIG),
        data=EMPTY_CONFIG,
    )


def dump_manifest(manifest: ImageManifest) -> bytes:
    """Return the bytes of a manifest: the same for equal values, since its digest names it."""
    table: dict[str, Any] = {"schemaVersion": _SCHEMA, "mediaType": manifest.media_type}
    if manifest.artifact_type:
        table["artifactType"] = manifest.artifact_type
    table["config"] = _descriptor_table(manifest.config)
    table["layers"] = [_descriptor_table(layer) for layer in manifest.layers]
    return _dump_table(table)


def dump_index(index: ImageIndex) -> bytes:
    """Return the bytes of an index: the same for equal values."""
    rows = [_descriptor_table(part) for part in index.manifests]
    return _dump_table({"schemaVersion": _SCHEMA, "mediaType": index.media_type, "manifests": rows})


def _manifest_of(table: Mapping[str, Any], place: str, error: type[BuilderError]) -> ImageManifest:
    try:
        return ImageManifest(
            config=_descriptor_of(table["config"]),
            layers=tuple(map(_descriptor_of, table["layers"])),
            media_type=_text_at(table, "mediaType") or OCI_MANIFEST,
            artifact_type=_text_at(table, "artifactType"),
        )
    except _MALFORMED as cause:
        shown = str(cause) if isinstance(cause, ValueError) else repr(cause)
        raise error(f"is not the manifest of one image: {shown:.200}", place=place) from cause


def _index_of(table: Mapping[str, Any], place: str, error: type[BuilderError]) -> ImageIndex:
    try:
        return ImageIndex(
            manifests=tuple(map(_descriptor_of, table["manifests"])),
            media_type=_text_at(table, "mediaType") or OCI_INDEX,
        )
    except _MALFORMED as cause:
        raise error(f"is not an index of images: {cause!r:.200}", place=place) from cause


def _descriptor_of(row: Mapping[str, Any]) -> Descriptor:
    platform = row.get("platform") or {}
    size = row["size"]
    if type(size) is not int or size < 0:
        raise ValueError(f"{size!r:.40} is not a size")
    return Descriptor(
        media_type=_text_at(row, "mediaType"),
        digest=ImageDigest(row["digest"]),
        size=size,
        os=_text_at(platform, "os"),
        architecture=_text_at(platform, "architecture"),
        variant=_text_at(platform, "variant"),
        annotations=tuple((str(key), str(value)) for key, value in (row.get("annotations") or {}).items()),
    )


def _descriptor_table(part: Descriptor) -> dict[str, Any]:
    table: dict[str, Any] = {"mediaType": part.media_type, "digest": part.digest, "size": part.size}
    if part.data:
        table["data"] = base64.b64encode(part.data).decode("ascii")
    if part.annotations:
        table["annotations"] = dict(part.annotations)
    platform = {"os": part.os, "architecture": part.architecture, "variant": part.variant}
    if part.os or part.architecture:
        table["platform"] = {key: value for key, value in platform.items() if value}
    return table


def _text_at(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise TypeError(f"{key} is not text")
    return value


def _parse_table(data: bytes, limit: int, place: str, error: type[BuilderError]) -> dict[str, Any]:
    table = _parse_json(data, limit, place, error)
    if not isinstance(table, dict):
        raise error("is not an image manifest or configuration, but other JSON", place=place)
    if table.get("schemaVersion", _SCHEMA) != _SCHEMA:
        raise error("is not an image manifest of schema 2", place=place)
    return table


def _parse_json(data: bytes, limit: int, place: str, error: type[BuilderError]) -> Any:
    if len(data) > limit:
        raise error(f"is larger than the {limit} bytes that an image manifest may have", place=place)
    try:
        return parse_json(data)
    except (ValueError, RecursionError) as cause:
        raise error("is not an image manifest or configuration, and not JSON", place=place) from cause


def _dump_table(table: Mapping[str, Any]) -> bytes:
    return json.dumps(table, separators=(",", ":")).encode()
