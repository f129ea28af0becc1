"""Requests to a package index: each page and file is asked of its mirrors first, then of the index."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from builder.errors import DigestMismatchError
from builder.io import LARGEST_DOCUMENT, LARGEST_FILE, first_answer, redacted

if TYPE_CHECKING:
    from builder.io import Answer, Client, Head, Network

__all__ = ["IndexClient", "PlacesOf", "only_itself"]

Given = TypeVar("Given")

PlacesOf = Callable[[str], tuple[str, ...]]
"""Returns every address at which to try a URL of an index, in order."""


def only_itself(url: str) -> tuple[str, ...]:
    """Return the one address of a URL that has no mirror."""
    return (url,)


class IndexClient:
    """A `Client` that knows the mirrors of what it is asked for; usable from several threads at once.

    Errors are those of the client. If several places were asked, one error says what each of them answered.
    """

    def __init__(self, client: Client, places_of: PlacesOf = only_itself) -> None:
        self._client = client
        self._places_of = places_of

    @property
    def network(self) -> Network:
        """The settings that every request honours."""
        return self._client.network

    def places_of(self, url: str) -> tuple[str, ...]:
        """Return every address at which `url` is tried, in order."""
        return self._places_of(url)

    def is_plain(self, url: str) -> bool:
        """Say whether `url` has one address alone, which is asked without credentials."""
        return self.places_of(url) == (url,) and self.network.credentials.header(url) is None

    def first_of(self, url: str, ask: Callable[[str], Given]) -> Given:
        """Return what the first address of `url` gives for which `ask` raises no error."""
        places = self.places_of(url)
        if len(places) == 1:
            return ask(places[0])
        return first_answer(places, ask, place=redacted(url))

    def read_page(self, url: str, accept: str, read: Callable[[Answer], Given]) -> Given:
        """Return what `read` makes of the document at `url`, of the first place whose answer it takes."""
        return self.first_of(url, lambda place: read(self._client.get(place, accept=accept)))

    def get_bytes(self, url: str, *, sha256: str = "", limit: int = LARGEST_DOCUMENT) -> bytes:
        """Return the bytes of a document, of at most `limit` bytes and, if that is given, with this SHA-256.

        NotFoundError if no place has it, DigestMismatchError if one has other bytes and none has these.
        """

        def ask(place: str) -> bytes:
            data = self._client.get_bytes(place, limit=limit)
            observed = hashlib.sha256(data).hexdigest()
            if sha256 not in ("", observed):
                raise DigestMismatchError(
                    f"its sha256 is {observed}, and the index's page states {sha256}",
                    place=redacted(place),
                    hint="ask again; if it stays so, the index or what stands before it is not to be trusted",
                )
            return data

        return self.first_of(url, ask)

    def get_range(self, url: str, start: int, end: int) -> bytes:
        """Return bytes `start` up to, not including, `end`."""
        return self.first_of(url, lambda place: self._client.get_range(place, start, end))

    def head(self, url: str) -> Head:
        """Return what the first place that has the file says of it."""
        return self.first_of(url, self._client.head)

    def download(
        self, url: str, sink: BinaryIO, *, sha256: str | None = None, limit: int = LARGEST_FILE
    ) -> str:
        """Write the file at `url` to the empty, seekable `sink` and return its SHA-256.

        With `sha256`, a place that has other bytes is passed over.
        """

        def from_place(place: str) -> str:
            sink.seek(0)
            sink.truncate()
            return self._client.download(place, sink, sha256=sha256, limit=limit)

        return self.first_of(url, from_place)
