"""Documents over HTTP, by `requests`: bounded, retried, and never led to a weaker place by a redirect.

Only FetchError (with NotFoundError and NoRangesError) escapes from a `Client`,
and DigestMismatchError from its `download`; their place is the URL without
credentials. Files are downloaded by `builder.io.download`.
"""

from __future__ import annotations

__all__ = ["Answer", "Client", "Head", "NoRangesError", "NotFoundError"]

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, Self, TypeVar

import requests
import urllib3
from requests.auth import AuthBase

from builder.errors import FetchError
from builder.io.download import Access, download_file
from builder.io.exchange import (
    IDENTITY,
    REDIRECT_STATUS,
    NoRangesError,
    NotFoundError,
    check_status,
    redirect_target,
    tls_hint,
)
from builder.io.network import (
    ATTEMPTS,
    LARGEST_DOCUMENT,
    LARGEST_FILE,
    LOWEST_SPEED,
    NETWORK_HINT,
    REDIRECTS,
    Network,
    pause_before_retry,
)
from builder.io.transfer import TransientError, stated_length
from builder.io.watchdog import Watchdog, watched_session
from builder.redact import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from builder.io.credentials import Credentials

_T = TypeVar("_T")

_CHUNK = 2**18  # bytes


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
    counts tries of one request; `sleep` replaces the pause between attempts.
    One that is `offline` refuses every request before it is made. `access`
    answers the refusals of places that files are downloaded from.
    """

    def __init__(
        self,
        *,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], object] | None = None,
        offline: bool = False,
        network: Network,
        access: Access | None = None,
    ) -> None:
        self._network = network
        self._access = access
        self._attempts = attempts
        self._offline = offline
        self._aborted = threading.Event()
        self._sleep = self._aborted.wait if sleep is None else sleep
        self._session = watched_session(network, _HostAuth(network.credentials))

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

    def get(self, url: str, *, accept: str | None = None, limit: int = LARGEST_DOCUMENT) -> Answer:
        """Return the document at `url`, of at most `limit` bytes.

        With `accept` (media types) it may travel compressed and is unpacked;
        without, the bytes are those stored on the server.
        """
        headers = IDENTITY if accept is None else {"Accept": accept, "Accept-Encoding": "gzip"}

        def once() -> Answer:
            with self._open_response("GET", url, headers) as response:
                body = self._bounded_body(response, limit, unpack=accept is not None)
                kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                return Answer(url=response.url, content_type=kind, body=body)

        return self._with_retries(url, once)

    def post(self, url: str, *, limit: int = LARGEST_DOCUMENT) -> Answer:
        """Return the answer to an empty POST, of at most `limit` bytes; it may be sent more than once."""

        def once() -> Answer:
            with self._open_response("POST", url, {"Accept": "application/json", **IDENTITY}) as response:
                kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                return Answer(
                    url=response.url,
                    content_type=kind,
                    body=self._bounded_body(response, limit, unpack=False),
                )

        return self._with_retries(url, once)

    def get_bytes(self, url: str, *, accept: str | None = None, limit: int = LARGEST_DOCUMENT) -> bytes:
        """Return the bytes of `get`."""
        return self.get(url, accept=accept, limit=limit).body

    def post_json(self, url: str, document: bytes, *, limit: int = LARGEST_DOCUMENT) -> bytes:
        """Return the answer, of at most `limit` bytes, to a JSON document that may safely be sent twice."""
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Content-Type": "application/json",
        }

        def once() -> bytes:
            with self._open_response("POST", url, headers, document) as response:
                return self._bounded_body(response, limit, unpack=True)

        return self._with_retries(url, once)

    def get_range(self, url: str, start: int, end: int) -> bytes:
        """Return bytes `start` up to, not including, `end`; NoRangesError when they are not served."""
        headers = {**IDENTITY, "Range": f"bytes={start}-{end - 1}"}

        def once() -> bytes:
            with self._open_response("GET", url, headers) as response:
                if response.status_code != requests.codes.partial_content:
                    raise NoRangesError("the server does not serve ranges", place=redacted(url))
                stated = response.headers.get("Content-Range", "")
                if not stated.startswith(f"bytes {start}-{end - 1}/"):
                    raise FetchError(
                        f"asked for bytes {start}-{end - 1}, got {redacted(stated)!r}", place=redacted(url)
                    )
                return self._bounded_body(response, end - start, unpack=False)

        return self._with_retries(url, once)

    def head(self, url: str) -> Head:
        """Return what the server says of the file at `url`."""

        def once() -> Head:
            with self._open_response("HEAD", url, IDENTITY) as response:
                length = response.headers.get("Content-Length", "")
                return Head(
                    url=response.url,
                    size=stated_length(length),
                    ranges=response.headers.get("Accept-Ranges", "").lower() == "bytes",
                )

        return self._with_retries(url, once)

    def download(
        self,
        url: str,
        sink: BinaryIO,
        *,
        sha256: str | None = None,
        size: int | None = None,
        limit: int = LARGEST_FILE,
        progress: Callable[[int], None] | None = None,
    ) -> str:
        """Write the file at `url` to the empty, seekable `sink` and return its SHA-256; see `download_file`.

        `progress` gets the number of bytes written so far; what it raises ends the transfer.
        """
        self._refuse_offline(url)
        return download_file(
            (url,),
            sink,
            network=self._network,
            sha256=sha256,
            size=size,
            limit=limit,
            access=self._access,
            attempts=self._attempts,
            sleep=self._sleep,
            is_aborted=self._aborted.is_set,
            progress=progress,
        )

    def download_bytes(self, url: str, sha256: str, *, limit: int = LARGEST_DOCUMENT) -> bytes:
        """Return the bytes of `url` that have this SHA-256, of at most `limit` bytes.

        They come as files do: a broken transfer is resumed. DigestMismatchError for others.
        """
        sink = BytesIO()
        self.download(url, sink, sha256=sha256, limit=limit)
        return sink.getvalue()

    def _open_response(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None = None
    ) -> AbstractContextManager[requests.Response]:
        return _checked_response(self._session, method, url, headers, network=self._network, body=body)

    def _with_retries(self, url: str, once: Callable[[], _T]) -> _T:
        """Call `once` until it succeeds, fails for good, or the attempts are used up."""
        self._refuse_offline(url)
        for attempt in range(1, self._attempts + 1):
            try:
                return once()
            except TransientError as cause:
                if attempt == self._attempts or self._aborted.is_set():
                    raise FetchError(
                        f"{cause} ({attempt} attempts)" if attempt > 1 else str(cause),
                        place=redacted(url),
                        hint=NETWORK_HINT,
                    ) from cause
                self._sleep(pause_before_retry(attempt, cause.pause))
        raise AssertionError(url)  # the loop returns or raises

    def _bounded_body(self, response: requests.Response, limit: int, *, unpack: bool) -> bytes:
        return _read_body(response, limit, unpack=unpack, patience=self._network.stall_timeout)

    def _refuse_offline(self, url: str) -> None:
        if self._offline:
            raise FetchError(
                "no cache has it, and the run is offline", place=redacted(url), hint="run without --offline"
            )


def _read_body(response: requests.Response, limit: int, *, unpack: bool, patience: float) -> bytes:
    """Return a whole body of at most `limit` bytes, with its content encoding undone only where `unpack`.

    TransientError when it breaks off, or is slower than `LOWEST_SPEED` for `patience` seconds.
    """
    body = bytearray()
    counted, since = 0, time.monotonic()
    watched = getattr(response.raw.connection, "watched", None)
    with Watchdog(watched, patience) as watchdog:  # what frames the chunks of a body may drip, too
        while chunk := _read_chunk(response, unpack=unpack):
            watchdog.feed()
            body += chunk
            if len(body) > limit:
                raise FetchError(
                    f"is larger than the {limit} bytes expected at most", place=redacted(response.url)
                )
            elapsed = time.monotonic() - since
            if elapsed >= patience:
                if len(body) - counted < LOWEST_SPEED * elapsed:
                    raise TransientError(f"the server gave less than {LOWEST_SPEED} bytes a second")
                counted, since = len(body), since + elapsed
    if watchdog.bit:
        raise TransientError(f"the server gave nothing of the document for {patience:g} seconds")
    return bytes(body)


def _read_chunk(response: requests.Response, *, unpack: bool) -> bytes:
    try:
        # read1 returns what one read of the socket gives: read would wait for a full chunk, however slow.
        chunk: bytes = response.raw.read1(_CHUNK, decode_content=unpack)
    except urllib3.exceptions.DecodeError as cause:
        raise FetchError("the compressed answer is damaged", place=redacted(response.url)) from cause
    except (urllib3.exceptions.HTTPError, OSError) as cause:
        raise TransientError(f"the transfer broke off: {redacted(str(cause))}") from cause
    return chunk


@contextmanager
def _checked_response(
    session: requests.Session,
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    network: Network,
    body: bytes | None = None,
) -> Iterator[requests.Response]:
    """Follow redirects to a response with a body worth reading, and close it afterwards.

    TransientError when another attempt may succeed, FetchError otherwise.
    """
    here = url
    for _ in range(REDIRECTS + 1):
        response = _send_request(session, method, here, headers, network=network, body=body)
        try:
            if response.status_code not in REDIRECT_STATUS:
                check_status(response.status_code, response.headers.get("Retry-After"), redacted(url))
                yield response
                return
            here = redirect_target(
                here, response.headers.get("Location", ""), redacted(url), network.plain_hosts
            )
        finally:
            response.close()
    raise FetchError(f"more than {REDIRECTS} redirects", place=redacted(url))


def _send_request(
    session: requests.Session,
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    network: Network,
    body: bytes | None,
) -> requests.Response:
    place = redacted(url)
    try:
        proxy = network.proxy_for(url)
        return session.request(
            method,
            url,
            headers=dict(headers),
            data=body,
            stream=True,
            allow_redirects=False,
            timeout=(network.connect_timeout, network.stall_timeout),
            proxies={"http": proxy, "https": proxy} if proxy else {},
        )
    except requests.exceptions.SSLError as cause:
        reason = _innermost_reason(cause)
        raise FetchError(f"TLS failed: {reason}", place=place, hint=tls_hint(reason)) from cause
    except requests.exceptions.Timeout as cause:
        raise TransientError("the server did not answer in time") from cause
    except requests.exceptions.ConnectionError as cause:
        raise TransientError(f"no connection: {_innermost_reason(cause)}") from cause
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as cause:
        # No http(s) URL, an impossible host name, a missing file of authorities.
        raise FetchError(f"cannot be requested: {redacted(str(cause))}", place=place) from cause


def _innermost_reason(cause: BaseException) -> str:
    """Return the innermost reason of a failed connection: the outer ones repeat URLs and object addresses."""
    proxy = "the proxy refused: " if isinstance(cause, requests.exceptions.ProxyError) else ""
    for _ in range(10):
        parts = (getattr(cause, "reason", None), *cause.args, cause.__cause__)
        inner = next((part for part in parts if isinstance(part, BaseException)), None)
        if inner is None:
            break
        cause = inner
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return proxy + redacted(text)


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
