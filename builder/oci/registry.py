"""Images in a registry: manifests by tag and digest, and blobs, over the distribution protocol."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Self
from urllib.parse import urlsplit

from builder.errors import DigestMismatchError, FetchError, RecipeError
from builder.io import download_file, first_answer
from builder.model import ImageDigest, Sha256
from builder.oci.access import AuthorisedClient, RegistryAuth
from builder.origins import Origins

__all__ = ["Descriptor", "Manifest", "Registry"]

_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ACCEPT = ", ".join((*_INDEXES, *_MANIFESTS))
_LARGEST = 64 * 2**30  # bytes
_LIMIT = 4 * 2**20  # bytes; the protocol's own bound for manifests
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_API_HOSTS = {"docker.io": "registry-1.docker.io"}
_NAME = re.compile(r"(?P<host>[A-Za-z0-9.-]+(?::[0-9]+)?|\[[0-9a-f:]+\](?::[0-9]+)?)/(?P<path>[a-z0-9._/-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A part of an index or manifest: media type, digest, size in bytes, and its platform where stated."""

    media_type: str
    digest: ImageDigest
    size: int
    os: str = ""
    architecture: str = ""
    variant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest or an index, by the digest of its bytes; the parts of an index are manifests."""

    digest: ImageDigest
    is_index: bool
    parts: tuple[Descriptor, ...]
    """Layers from the bottom up, or the manifests of an index."""
    config: Descriptor | None = None


class Registry:
    """One image name (`docker.io/library/debian`) in its registry or a mirror of it; a context manager.

    `base` is the URL of the name in the registry itself, `auth` the answer to
    its refusals, `network` how to get there.
    RecipeError for a name without a registry, FetchError for what cannot be
    had, DigestMismatchError for bytes that are not those of their digest.
    """

    def __init__(self, name: str, origins: Origins) -> None:
        match = _NAME.fullmatch(name)
        if match is None or not re.search(r"[.:]|^localhost$", match["host"]):
            raise RecipeError(
                f"{name!r} is not an image name with its registry", hint="write docker.io/library/debian"
            )
        host = _API_HOSTS.get(match["host"], match["host"])
        plain = frozenset({*_LOOPBACK, *origins.insecure_hosts})
        scheme = "http" if urlsplit(f"//{host}").hostname in plain else "https"
        base = f"{scheme}://{host}/v2/{match['path']}/"
        self.name = name
        self.base = base
        self._bases = origins.candidates(base)
        self.network = origins.network
        hosts = frozenset(urlsplit(b).netloc for b in self._bases)
        self.auth = RegistryAuth(hosts, plain, self.network)
        self._client = AuthorisedClient(self.auth, self.network, access=self.auth)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def manifest(self, reference: str) -> Manifest:
        """Return the manifest or index of a tag or digest; one by digest is verified."""
        body = self.manifest_bytes(reference)
        digest = ImageDigest(f"sha256:{Sha256.of(body)}")
        return _parse(body, digest, place=f"{self.name} {reference}")

    def manifest_bytes(self, reference: str) -> bytes:
        """Return the bytes of the manifest or index of a tag or digest; those of a digest are verified."""

        def ask(base: str) -> bytes:
            url = f"{base}manifests/{reference}"
            body = self._client.get_bytes(url, accept=_ACCEPT, limit=_LIMIT)
            digest = f"sha256:{Sha256.of(body)}"
            if ":" in reference and digest != reference:
                raise DigestMismatchError(f"expected {reference}, got {digest}", place=url)
            return body

        return first_answer(self._bases, ask, place=f"{self.name} {reference}")

    def document(self, part: Descriptor) -> Any:
        """Return a small JSON blob, such as a manifest's configuration, verified."""
        with tempfile.TemporaryFile() as file:
            self.blob(part, file, limit=_LIMIT)
            file.seek(0)
            return _json(file.read(), f"{self.name}@{part.digest}")

    def blob(self, part: Descriptor, sink: BinaryIO, *, limit: int = _LARGEST) -> None:
        """Write a blob of at most `limit` bytes to a seekable sink, verified by digest and size."""
        self.fetch_blob(part.digest, sink, size=part.size, limit=limit)

    def fetch_blob(
        self, digest: ImageDigest, sink: BinaryIO, *, size: int | None = None, limit: int = _LARGEST
    ) -> None:
        """Write the blob with this digest to a seekable sink, verified, and by its size where given."""
        download_file(
            self.blob_urls(digest),
            sink,
            network=self.network,
            sha256=digest.removeprefix("sha256:"),
            size=size,
            limit=limit,
            label=f"{self.name} {digest}",
            access=self.auth,
        )

    def blob_urls(self, digest: ImageDigest) -> tuple[str, ...]:
        """Return where a blob may be had, in order; `auth` says how to ask."""
        return tuple(f"{base}blobs/{digest}" for base in self._bases)


def _parse(body: bytes, digest: ImageDigest, *, place: str) -> Manifest:
    table = _json(body, place)
    if not isinstance(table, dict) or table.get("schemaVersion") != 2:
        raise FetchError("is not an image manifest of schema 2", place=place)
    try:
        if "manifests" in table:
            return Manifest(digest=digest, is_index=True, parts=tuple(map(_descriptor, table["manifests"])))
        parts = tuple(map(_descriptor, table["layers"]))
        return Manifest(digest=digest, is_index=False, parts=parts, config=_descriptor(table["config"]))
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        raise FetchError(f"is a malformed image manifest: {cause!r}", place=place) from cause


def _descriptor(row: Mapping[str, Any]) -> Descriptor:
    platform = row.get("platform", {})
    return Descriptor(
        media_type=str(row["mediaType"]),
        digest=ImageDigest(row["digest"]),
        size=int(row["size"]),
        os=str(platform.get("os", "")),
        architecture=str(platform.get("architecture", "")),
        variant=str(platform.get("variant", "")),
    )


def _json(data: bytes, place: str) -> Any:
    try:
        return json.loads(data)
    except ValueError as cause:
        raise FetchError("is not JSON", place=place) from cause
