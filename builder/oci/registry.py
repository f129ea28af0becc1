"""Images in a registry: manifests by tag and digest, and blobs, over the distribution protocol."""

from __future__ import annotations

import re
import tempfile
from typing import BinaryIO, Self
from urllib.parse import urlsplit

from builder.errors import DigestMismatchError, RecipeError
from builder.io import download_file, first_answer
from builder.model import ImageDigest, Sha256
from builder.oci.access import AuthorisedClient, RegistryAuth
from builder.oci.manifests import (
    LARGEST_MANIFEST,
    MANIFEST_TYPES,
    Descriptor,
    ImageConfig,
    ImageIndex,
    ImageManifest,
    parse_config,
    parse_manifest,
)
from builder.origins import Origins

__all__ = ["Registry"]

_ACCEPT = ", ".join(MANIFEST_TYPES)
_LARGEST = 64 * 2**30  # bytes
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_API_HOSTS = {"docker.io": "registry-1.docker.io"}
_NAME = re.compile(r"(?P<host>[A-Za-z0-9.-]+(?::[0-9]+)?|\[[0-9a-f:]+\](?::[0-9]+)?)/(?P<path>[a-z0-9._/-]+)")


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

    def manifest(self, reference: str) -> tuple[ImageDigest, ImageManifest | ImageIndex]:
        """Return the manifest or index of a tag or digest with its digest; one by digest is verified."""
        body = self.manifest_bytes(reference)
        parsed = parse_manifest(body, place=f"{self.name} {reference}")
        return ImageDigest(f"sha256:{Sha256.of(body)}"), parsed

    def manifest_bytes(self, reference: str) -> bytes:
        """Return the bytes of the manifest or index of a tag or digest; those of a digest are verified."""

        def ask(base: str) -> bytes:
            url = f"{base}manifests/{reference}"
            body = self._client.get_bytes(url, accept=_ACCEPT, limit=LARGEST_MANIFEST)
            digest = f"sha256:{Sha256.of(body)}"
            if ":" in reference and digest != reference:
                raise DigestMismatchError(f"expected {reference}, got {digest}", place=url)
            return body

        return first_answer(self._bases, ask, place=f"{self.name} {reference}")

    def config(self, part: Descriptor) -> ImageConfig:
        """Return the configuration of an image, verified."""
        with tempfile.TemporaryFile() as file:
            self.blob(part, file, limit=LARGEST_MANIFEST)
            file.seek(0)
            return parse_config(file.read(), place=f"{self.name}@{part.digest}")

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
