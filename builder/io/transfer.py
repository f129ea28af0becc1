"""One file on its way into a sink: hashed, counted, and resumable."""

from __future__ import annotations

__all__ = ["Transfer", "TransientError", "read_chunks"]

import hashlib
from typing import TYPE_CHECKING, BinaryIO

import requests
import urllib3

from builder.errors import DigestMismatchError, FetchError
from builder.io.redact import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHUNK = 2**18  # bytes


class TransientError(Exception):
    """A failure that may pass; `pause` is how many seconds the server asks to wait."""

    def __init__(self, cause: str, pause: float | None = None) -> None:
        super().__init__(cause)
        self.pause = pause


class Transfer:
    """The state of one download over all its attempts."""

    def __init__(
        self,
        sink: BinaryIO,
        *,
        place: str,
        size: int | None,
        limit: int,
        progress: Callable[[int], None] | None,
    ) -> None:
        self._sink = sink
        self._place = place
        self._size = size
        self._limit = limit if size is None else size
        self._progress = progress
        self._etag = ""
        self._hash = hashlib.sha256()
        self._position = 0

    def resume_headers(self) -> dict[str, str]:
        """Return the headers that ask for the rest, or none when only the whole can be asked for."""
        if not self._position or not self._etag:
            return {}
        return {"Range": f"bytes={self._position}-", "If-Range": self._etag}

    def receive(self, response: requests.Response) -> None:
        """Append the body to the sink; TransientError when it breaks off."""
        if not self._continues(response):
            self.restart()
        etag = response.headers.get("ETag", "")
        self._etag = etag if etag.startswith('"') else ""  # a weak one does not promise equal bytes
        self._check_announced(response)
        for chunk in read_chunks(response, unpack=False):
            self._append(chunk)

    def restart(self) -> None:
        """Forget what was received."""
        self._position = 0
        self._hash = hashlib.sha256()
        self._etag = ""
        try:
            self._sink.seek(0)
            self._sink.truncate()
        except OSError as cause:
            raise self._unstorable(cause) from cause

    def finish(self, sha256: str | None) -> str:
        """Return the digest of what was received; DigestMismatchError when it is not what was promised."""
        if self._size is not None and self._position != self._size:
            raise self._wrong_size(self._position)
        observed = self._hash.hexdigest()
        if sha256 is not None and observed != sha256:
            raise DigestMismatchError(f"expected sha256 {sha256}, got {observed}", place=self._place)
        return observed

    def _continues(self, response: requests.Response) -> bool:
        if response.status_code != requests.codes.partial_content or not self._position:
            return False
        return response.headers.get("Content-Range", "").startswith(f"bytes {self._position}-")

    def _check_announced(self, response: requests.Response) -> None:
        """Refuse a wrong length before the first byte."""
        length = response.headers.get("Content-Length", "")
        if self._size is None or not length.isdecimal():
            return
        if self._position + int(length) != self._size:
            raise self._wrong_size(self._position + int(length))

    def _append(self, chunk: bytes) -> None:
        position = self._position + len(chunk)
        if position > self._limit:
            if self._size is None:
                raise FetchError(f"is larger than {self._limit} bytes", place=self._place)
            raise self._wrong_size(position, more=True)
        try:
            self._sink.write(chunk)
        except OSError as cause:
            raise self._unstorable(cause) from cause
        self._hash.update(chunk)
        self._position = position
        if self._progress is not None:
            self._progress(position)

    def _wrong_size(self, actual: int, *, more: bool = False) -> DigestMismatchError:
        least = "at least " if more else ""
        return DigestMismatchError(f"expected {self._size} bytes, got {least}{actual}", place=self._place)

    def _unstorable(self, cause: OSError) -> FetchError:
        return FetchError(f"cannot be stored: {cause.strerror or cause}", place=self._place)


def read_chunks(response: requests.Response, *, unpack: bool) -> Iterator[bytes]:
    """Yield the body, undoing its content encoding only with `unpack`; TransientError when it breaks off."""
    while True:
        try:
            chunk = response.raw.read(_CHUNK, decode_content=unpack)
        except urllib3.exceptions.DecodeError as cause:
            raise FetchError("the compressed answer is damaged", place=redacted(response.url)) from cause
        except (urllib3.exceptions.HTTPError, OSError) as cause:
            raise TransientError(f"the transfer broke off: {redacted(str(cause))}") from cause
        if not chunk:
            return
        yield chunk
