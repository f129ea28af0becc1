"""HTTP: bounded, retried, and never led to a weaker place by a redirect.

Only FetchError (with NotFoundError and NoRangesError) and DigestMismatchError
escape from a `Client`; their place is the URL without credentials.
"""

from __future__ import annotations

__all__ = ["Answer", "Client", "Head", "NoRangesError", "NotFoundError"]

import threading
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, BinaryIO, Self, TypeVar

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from builder import __version__
from builder.errors import DigestMismatchError, FetchError
from builder.io.exchange import NoRangesError, NotFoundError, open_response
from builder.io.network import ATTEMPTS, Network
from builder.io.redact import redacted
from builder.io.transfer import Transfer, TransientError, read_chunks

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from builder.io.credentials import Credentials

_T = TypeVar("_T")

_CONNECTIONS = 16
_FIRST_PAUSE = 0.5  # seconds, doubled after each attempt
_LONGEST_PAUSE = 60.0  # seconds; a server that asks for more is asked again after this
_DOCUMENT_LIMIT = 256 * 2**20  # bytes; the largest package index known is a third of it
_FILE_LIMIT = 64 * 2**30  # bytes
_NETWORK_HINT = "Check the network and the proxy, or name a mirror"
# A file is wanted as it is stored: a digest speaks of those bytes.
_IDENTITY = {"Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole document: the URL after redirects, its media type (lower case, no parameters), its bytes."""

    url: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a server says of a file: the URL after redirects, its size in bytes, whether it serves ranges."""

    url: str
    size: int | None
    ranges: bool


class Client:
    """HTTP requests over one connection pool, usable from several threads; a context manager.

    Proxy, credentials and certificate authorities are those of `network`,
    which knows the environment's; no other configuration counts. `attempts`
    counts tries of one request, `timeout` is (connect, read) in seconds;
    `sleep` replaces the pause between attempts.
    One that is `offline` refuses every request before it is made.
    """

    def __init__(
        self,
        *,
        attempts: int = ATTEMPTS,
        timeout: tuple[float, float] | None = None,
        sleep: Callable[[float], object] | None = None,
        offline: bool = False,
        network: Network,
    ) -> None:
        self._network = network
        self._attempts = attempts
        self._offline = offline
        self._timeout = timeout or (self._network.connect_timeout, self._network.stall_timeout)
        self._aborted = threading.Event()
        self._sleep = self._aborted.wait if sleep is None else sleep
        self._session = requests.Session()
        adapter = HTTPAdapter(pool_connections=_CONNECTIONS, pool_maxsize=_CONNECTIONS, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._session.headers["User-Agent"] = f"lockwright/{__version__}"
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.verify = self._network.authorities()
        self._session.auth = _HostAuth(self._network.credentials)
        self._session.trust_env = False  # what of the environment counts is in `network`

    @property
    def network(self) -> Network:
        """The settings that every request honours."""
        return self._network

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def abort(self) -> None:
        """End pauses and start no further attempt, in every thread and for good: for an interrupt."""
        self._aborted.set()

    def get(self, url: str, *, accept: str | None = None, limit: int = _DOCUMENT_LIMIT) -> Answer:
        """Return the document at `url`, of at most `limit` bytes.

        With `accept` (media types) it may travel compressed and is unpacked;
        without, the bytes are those stored on the server.
        """
        headers = _IDENTITY if accept is None else {"Accept": accept, "Accept-Encoding": "gzip"}

        def once() -> Answer:
            with self._open("GET", url, headers) as response:
                body = _body(response, limit, unpack=accept is not None)
                kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                return Answer(url=response.url, content_type=kind, body=body)

        return self._retried(url, once)

    def post(self, url: str, *, limit: int = _DOCUMENT_LIMIT) -> Answer:
        """Return the answer to an empty POST, of at most `limit` bytes; it may be sent more than once."""

        def once() -> Answer:
            with self._open("POST", url, {"Accept": "application/json", **_IDENTITY}) as response:
                kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                return Answer(url=response.url, content_type=kind, body=_body(response, limit, unpack=False))

        return self._retried(url, once)

    def get_bytes(self, url: str, *, accept: str | None = None, limit: int = _DOCUMENT_LIMIT) -> bytes:
        """Return the bytes of `get`."""
        return self.get(url, accept=accept, limit=limit).body

    def post_json(self, url: str, document: bytes, *, limit: int = _DOCUMENT_LIMIT) -> bytes:
        """Return the answer, of at most `limit` bytes, to a JSON document that may safely be sent twice."""
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Content-Type": "application/json",
        }

        def once() -> bytes:
            with self._open("POST", url, headers, document) as response:
                return _body(response, limit, unpack=True)

        return self._retried(url, once)

    def get_range(self, url: str, start: int, end: int) -> bytes:
        """Return bytes `start` up to, not including, `end`; NoRangesError when they are not served."""
        headers = {**_IDENTITY, "Range": f"bytes={start}-{end - 1}"}

        def once() -> bytes:
            with self._open("GET", url, headers) as response:
                if response.status_code != requests.codes.partial_content:
                    raise NoRangesError("the server does not serve ranges", place=redacted(url))
                stated = response.headers.get("Content-Range", "")
                if not stated.startswith(f"bytes {start}-{end - 1}/"):
                    raise FetchError(
                        f"asked for bytes {start}-{end - 1}, got {redacted(stated)!r}", place=redacted(url)
                    )
                return _body(response, end - start, unpack=False)

        return self._retried(url, once)

    def head(self, url: str) -> Head:
        """Return what the server says of the file at `url`."""

        def once() -> Head:
            with self._open("HEAD", url, _IDENTITY) as response:
                length = response.headers.get("Content-Length", "")
                return Head(
                    url=response.url,
                    size=int(length) if length.isdecimal() else None,
                    ranges=response.headers.get("Accept-Ranges", "").lower() == "bytes",
                )

        return self._retried(url, once)

    def download(
        self,
        url: str,
        sink: BinaryIO,
        *,
        sha256: str | None = None,
        size: int | None = None,
        limit: int = _FILE_LIMIT,
        progress: Callable[[int], None] | None = None,
    ) -> str:
        """Write the file at `url` to the empty, seekable `sink` and return its SHA-256.

        DigestMismatchError when it is not `sha256`, or not of `size` bytes; what
        `sink` holds is worthless then. A broken transfer is resumed where the
        server or the digest proves that the file is the same. `progress` gets the number of
        bytes written so far; what it raises ends the transfer.
        """
        transfer = Transfer(
            sink, place=redacted(url), size=size, limit=limit, sha256=sha256, progress=progress
        )

        def once() -> None:
            try:
                with self._open("GET", url, {**_IDENTITY, **transfer.resume_headers()}) as response:
                    transfer.begin(response.status_code, response.headers)
                    for chunk in read_chunks(response, unpack=False):
                        transfer.take(chunk)
            except NoRangesError as cause:
                transfer.restart()
                raise TransientError(cause.cause) from cause

        self._retried(url, once)
        try:
            return transfer.finish()
        except DigestMismatchError:
            if not transfer.resumed:
                raise
            transfer.restart()  # two answers, put together, were no file: ask for the whole
            self._retried(url, once)
            return transfer.finish()

    def _open(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None = None
    ) -> AbstractContextManager[requests.Response]:
        return open_response(
            self._session, method, url, headers, timeout=self._timeout, network=self._network, body=body
        )

    def _retried(self, url: str, once: Callable[[], _T]) -> _T:
        """Call `once` until it succeeds, fails for good, or the attempts are used up."""
        if self._offline:
            raise FetchError(
                "it is in no cache, and the run is offline", place=redacted(url), hint="run without --offline"
            )
        for attempt in range(1, self._attempts + 1):
            try:
                return once()
            except TransientError as cause:
                if attempt == self._attempts or self._aborted.is_set():
                    raise FetchError(
                        f"{cause} ({attempt} attempts)" if attempt > 1 else str(cause),
                        place=redacted(url),
                        hint=_NETWORK_HINT,
                    ) from cause
                pause = _FIRST_PAUSE * 2 ** (attempt - 1) if cause.pause is None else cause.pause
                self._sleep(min(pause, _LONGEST_PAUSE))
        raise AssertionError(url)  # the loop returns or raises


def _body(response: requests.Response, limit: int, *, unpack: bool) -> bytes:
    """Read a whole body of at most `limit` bytes."""
    body = bytearray()
    for chunk in read_chunks(response, unpack=unpack):
        body += chunk
        if len(body) > limit:
            raise FetchError(
                f"is larger than the {limit} bytes expected at most", place=redacted(response.url)
            )
    return bytes(body)


class _HostAuth(AuthBase):
    """Credentials for requests."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header of the request's host, unless it has one."""
        header = self._credentials.header(str(request.url))
        if header is not None and "Authorization" not in request.headers:
            request.headers["Authorization"] = header
        return request
