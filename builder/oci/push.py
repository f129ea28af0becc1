"""Writing to a registry: blobs that it has not, streamed from the store, and a manifest over them."""

from __future__ import annotations

__all__ = ["Push"]

from collections.abc import Callable
from typing import BinaryIO, Self
from urllib.parse import quote, urljoin, urlsplit

from builder.errors import FetchError
from builder.io import Uploader, redacted
from builder.model import ImageDigest
from builder.oci.registry import Registry

_OCTETS = "application/octet-stream"
_ATTEMPTS = 3


class Push:
    """One image name in its registry, to be written to; a context manager.

    FetchError for what the registry refuses.
    """

    def __init__(self, registry: Registry) -> None:
        self._base = registry.base
        self._uploader = Uploader(registry.auth, registry.network)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._uploader.close()

    def blob(self, digest: ImageDigest, opened: Callable[[], BinaryIO]) -> bool:
        """Upload a blob unless the registry has it; return whether it was sent.

        `opened` opens it again for each attempt. The registry verifies the digest.
        """
        if self._uploader.send("HEAD", f"{self._base}blobs/{digest}", accept=(200, 404)).status == 200:
            return False
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._upload_blob(digest, opened)
            except FetchError:
                if attempt == _ATTEMPTS:
                    raise
            else:
                break
        return True

    def manifest(self, reference: str, body: bytes, media_type: str) -> None:
        """Put a manifest under a tag or digest."""
        url = f"{self._base}manifests/{reference}"
        self._uploader.send("PUT", url, body=body, media_type=media_type, accept=(201,))

    def _upload_blob(self, digest: ImageDigest, opened: Callable[[], BinaryIO]) -> None:
        start = f"{self._base}blobs/uploads/"
        answer = self._uploader.send("POST", start, accept=(202,))
        place = urlsplit(urljoin(start, answer.headers.get("location", "")))
        if place.scheme != "https" and place.scheme != urlsplit(start).scheme:
            raise FetchError(
                f"wants the bytes at {redacted(place.geturl())}, which is not https", place=start
            )
        query = "&".join(filter(None, (place.query, f"digest={quote(digest)}")))
        with opened() as file:
            url = place._replace(query=query).geturl()
            self._uploader.send("PUT", url, body=file, media_type=_OCTETS, accept=(201,))
