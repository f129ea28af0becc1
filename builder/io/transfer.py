"""One file on its way into a sink: hashed, counted, and resumable."""

from __future__ import annotations

__all__ = ["Transfer", "TransientError", "stated_length"]

import hashlib
import re
from typing import TYPE_CHECKING, Protocol

from builder.errors import DigestMismatchError, FetchError
from builder.redact import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PARTIAL = 206
_LENGTH = re.compile(r"[0-9]{1,40}")  # Python refuses to read a number of 4,301 digits
_RANGE = re.compile(r"bytes (?P<first>[0-9]{1,40})-[0-9]{1,40}/(?P<total>[0-9]{1,40}|\*)")


def stated_length(header: str) -> int | None:
    """Return the bytes that a Content-Length header announces; None if it is not a number that can be."""
    return int(header) if _LENGTH.fullmatch(header) else None


class Sink(Protocol):
    """An open file."""

    def write(self, data: bytes, /) -> object:
        """Append."""

    def seek(self, offset: int, /) -> object:
        """Move."""

    def truncate(self) -> object:
        """Cut off here."""


class TransientError(Exception):
    """A failure that may pass; `pause` is how many seconds the server asks to wait."""

    def __init__(self, cause: str, pause: float | None = None) -> None:
        super().__init__(cause)
        self.pause = pause


class Transfer:
    """The state of one download over all its attempts.

    `size` and `sha256` are what was promised, None where nothing was; `limit`
    bounds a file of unknown size, in bytes. The sink is empty, or has
    `position` bytes whose hash is `received`.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        place: str,
        size: int | None,
        limit: int,
        sha256: str | None = None,
        position: int = 0,
        received: hashlib._Hash | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self._sink = sink
        self.place = place
        self._size = size
        self._sha256 = sha256
        self._limit = limit if size is None else size
        self._progress = progress
        self._etag = ""
        self._hash = received or hashlib.sha256()
        self._packed = ""
        self._page = False
        self._announced = False
        self.position = position
        self.resumed = position > 0
        """Whether bytes of more than one answer were put together."""

    def resume_headers(self) -> dict[str, str]:
        """Return the headers that ask for the rest, or none when only the whole can be asked for.

        Without a validator of the server the rest is asked for only where
        the digest will tell whether it was the rest of the same file.
        """
        if not self.position or not (self._etag or self._sha256):
            return {}
        condition = {"If-Range": self._etag} if self._etag else {}
        return {"Range": f"bytes={self.position}-", **condition}

    def move(self, place: str) -> None:
        """Go on at another place, which knows nothing of the first one's validator."""
        self.place = place
        self._etag = ""

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the head of an answer with status 200 or 206; DigestMismatchError for a wrong length.

        An answer that is not the rest starts the file again; TransientError
        for a part that was not asked for.
        """
        part = None
        if status == _PARTIAL:
            stated = headers.get("content-range", "")
            part = _RANGE.fullmatch(stated)
            if not self.position or part is None or int(part["first"]) != self.position:
                self.restart()
                raise TransientError(f"the server sent another part than asked for: {redacted(stated)!r}", 0)
            self.resumed = True
        else:
            self.restart()
        etag = headers.get("etag", "")
        self._etag = etag if etag.startswith('"') else ""  # a weak one does not promise equal bytes
        self._packed = headers.get("content-encoding", "").lower().replace("identity", "")
        self._page = headers.get("content-type", "").lower().startswith("text/html")
        length = headers.get("content-length", "")
        announced = stated_length(length)
        self._announced = announced is not None
        if self._size is None or announced is None:
            return
        end = self.position + announced
        if part and end < self._size and part["total"] in ("*", str(self._size)):
            self._announced = False  # one slice of the rest: the next is asked for
        elif end != self._size:
            raise self._wrong_size(end)

    def take(self, chunk: bytes) -> None:
        """Append a piece of the body; FetchError or DigestMismatchError when it is too large."""
        position = self.position + len(chunk)
        if position > self._limit:
            if self._size is None:
                raise FetchError(f"is larger than {self._limit} bytes", place=self.place)
            raise self._wrong_size(position, more=True)
        try:
            self._sink.write(chunk)
        except OSError as cause:
            raise self._storage_error(cause) from cause
        self._hash.update(chunk)
        self.position = position
        if self._progress is not None:
            self._progress(position)

    def restart(self) -> None:
        """Forget what was received."""
        self._hash = hashlib.sha256()
        self._etag = ""
        if self.position:
            self.position = 0
            try:
                self._sink.seek(0)
                self._sink.truncate()
            except OSError as cause:
                raise self._storage_error(cause) from cause
        self.resumed = False

    def check_whole(self) -> None:
        """TransientError when the answer ended early and, without a length, could not tell."""
        if self._size is not None and self.position < self._size and not self._announced:
            raise TransientError(
                f"the transfer broke off after {self.position} bytes", 0 if self.resumed else None
            )

    def is_right(self) -> bool:
        """Whether what was received is the promised file, although its answer did not end well."""
        return self._sha256 is not None and self._hash.hexdigest() == self._sha256

    def finish(self) -> str:
        """Return the digest of what was received; DigestMismatchError when it is not what was promised."""
        if self._size is not None and self.position != self._size:
            raise self._wrong_size(self.position)
        observed = self._hash.hexdigest()
        if self._sha256 is not None and observed != self._sha256:
            raise DigestMismatchError(
                f"expected sha256 {self._sha256}, got {observed}{self._content_note()}", place=self.place
            )
        return observed

    def _wrong_size(self, actual: int, *, more: bool = False) -> DigestMismatchError:
        least = "at least " if more else ""
        return DigestMismatchError(
            f"expected {self._size} bytes, got {least}{actual}{self._content_note()}", place=self.place
        )

    def _content_note(self) -> str:
        if self._packed:
            return f" (packed by the server with {self._packed}, unasked)"
        return " (a page of HTML: a login, or an error?)" if self._page else ""

    def _storage_error(self, cause: OSError) -> FetchError:
        return FetchError(
            f"cannot be stored: {cause.strerror or cause}",
            place=self.place,
            hint="free some space, or name another store with --store",
        )
