"""Many HTTP exchanges at once in one thread, by libcurl; redirects and repeats are the caller's."""

from __future__ import annotations

__all__ = ["Ended", "Exchanges", "Receiver"]

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import pycurl

from builder import __version__
from builder.errors import BuilderError, FetchError
from builder.io.exchange import tls_hint
from builder.io.network import LONGEST_BODY_IGNORED, LOWEST_SPEED, Network
from builder.io.transfer import TransientError
from builder.redact import redacted

_BUFFER = 2**19  # bytes
_BLIND = 0.05  # seconds
# CURLE_HTTP2_STREAM, CURLE_PROXY, CURLE_TOO_LARGE: pycurl names none of them
_HTTP2_STREAM, _PROXY_HANDSHAKE, _TOO_LARGE = 92, 97, 100
_TLS = frozenset(
    {
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_INVALIDCERTSTATUS,
    }
)
_TRANSIENT = {
    pycurl.E_COULDNT_RESOLVE_PROXY: "no connection: ",
    pycurl.E_COULDNT_RESOLVE_HOST: "no connection: ",
    pycurl.E_COULDNT_CONNECT: "no connection: ",
    pycurl.E_OPERATION_TIMEDOUT: "the server did not answer in time: ",
    pycurl.E_SSL_CONNECT_ERROR: "no connection: ",
    pycurl.E_PARTIAL_FILE: "the transfer broke off: ",
    pycurl.E_GOT_NOTHING: "the transfer broke off: ",
    pycurl.E_SEND_ERROR: "the transfer broke off: ",
    pycurl.E_RECV_ERROR: "the transfer broke off: ",
    pycurl.E_HTTP2: "the transfer broke off: ",
    _HTTP2_STREAM: "the transfer broke off: ",
    _PROXY_HANDSHAKE: "the proxy refused: ",
}
_UNREACHED = frozenset(
    {pycurl.E_COULDNT_RESOLVE_PROXY, pycurl.E_COULDNT_RESOLVE_HOST, pycurl.E_COULDNT_CONNECT}
)


class Receiver(Protocol):
    """Where the body of a good answer goes; what it raises ends the exchange."""

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Hear the status (200 or 206) and the headers (lower-case names) before the first byte."""

    def take(self, chunk: bytes) -> None:
        """Take the next bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an exchange ended: with an answer, or with the reason why there is none or only a part."""

    receiver: Receiver
    status: int
    headers: Mapping[str, str]
    error: TransientError | BuilderError | None = None
    unreached: bool = False
    """Whether no connection came about."""


class Exchanges:
    """Running exchanges over a pool of kept connections; a context manager for one thread."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._authorities = network.authorities()
        if not Path(self._authorities).exists():
            raise FetchError(
                "there are no certificate authorities here", place=self._authorities, hint=tls_hint("")
            )
        self._multi = pycurl.CurlMulti()
        self._idle: list[Any] = []
        self._running: dict[Any, _RunningExchange] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._running:
            self._multi.remove_handle(handle)
        for handle in (*self._running, *self._idle):
            handle.close()
        self._multi.close()

    def start(self, url: str, headers: Mapping[str, str], receiver: Receiver) -> None:
        """Ask for `url`; its end is among what `wait` returns."""
        handle = self._idle.pop() if self._idle else self._new_handle()
        exchange = _RunningExchange(receiver)
        lines = [f"{name}: {value}" for name, value in headers.items()]
        authorization = self._network.credentials.header(url)
        if authorization is not None and "Authorization" not in headers:
            lines.append(f"Authorization: {authorization}")
        handle.setopt(pycurl.URL, url.encode())
        handle.setopt(pycurl.HTTPHEADER, lines)
        handle.setopt(pycurl.PROXY, self._network.proxy_for(url))
        handle.setopt(pycurl.WRITEFUNCTION, exchange.body)
        handle.setopt(pycurl.HEADERFUNCTION, exchange.header)
        self._running[handle] = exchange
        self._multi.add_handle(handle)

    def wait(self, seconds: float) -> list[Ended]:
        """Let bytes flow for at most `seconds`, or until some exchange ends; return those that have ended."""
        ended = self._perform_transfers()
        if not ended and seconds > 0:
            timer = self._multi.timeout()  # milliseconds until libcurl has something to do itself; -1: never
            seconds = seconds if timer < 0 else min(seconds, timer / 1000)
            if self._multi.select(seconds) < 0:  # libcurl has nothing to wait for, or does not say what
                time.sleep(min(seconds, _BLIND))
            ended = self._perform_transfers()
        return ended

    def _perform_transfers(self) -> list[Ended]:
        self._multi.perform()
        for exchange in self._running.values():
            if exchange.raised is not None and not isinstance(exchange.raised, Exception):
                raise exchange.raised  # an interrupt: libcurl cannot carry it
        ended: list[Ended] = []
        while True:
            left, fine, failed = self._multi.info_read()
            ended += [self._end_exchange(handle, 0, "") for handle in fine]
            ended += [self._end_exchange(handle, code, text) for handle, code, text in failed]
            if not left:
                return ended

    def _end_exchange(self, handle: Any, code: int, text: str) -> Ended:
        exchange = self._running.pop(handle)
        self._multi.remove_handle(handle)
        self._idle.append(handle)
        return exchange.end(code, text, handle.getinfo(pycurl.EFFECTIVE_URL))

    def _new_handle(self) -> Any:
        handle = pycurl.Curl()
        for option, value in (
            (pycurl.NOSIGNAL, 1),
            (pycurl.FOLLOWLOCATION, 0),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.NETRC, pycurl.NETRC_IGNORED),
            (pycurl.NOPROXY, ""),
            (pycurl.CAPATH if Path(self._authorities).is_dir() else pycurl.CAINFO, self._authorities),
            (pycurl.BUFFERSIZE, _BUFFER),
            (pycurl.CONNECTTIMEOUT_MS, int(self._network.connect_timeout * 1000)),
            (pycurl.LOW_SPEED_LIMIT, LOWEST_SPEED),
            (pycurl.LOW_SPEED_TIME, max(1, round(self._network.stall_timeout))),
            (pycurl.USERAGENT, f"lockwright/{__version__}"),
        ):
            handle.setopt(option, value)
        return handle


class _RunningExchange:
    """One answer on its way to its receiver. libcurl prints what a callback raises, so nothing may escape."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.raised: BaseException | None = None
        self._status = 0
        self._headers: dict[str, str] = {}
        self._begun = False
        self._ignored = 0

    def header(self, line: bytes) -> None:
        """Take one line of the head."""
        text = line.decode("latin-1")
        if text.startswith("HTTP/"):
            status = text.split(" ")[1:2]
            self._headers.clear()
            self._status = int(status[0]) if status and status[0].strip().isdecimal() else 0
            return
        name, colon, value = text.partition(":")
        if colon:
            self._headers[name.strip().lower()] = value.strip()

    def body(self, chunk: bytes) -> int | None:
        """Hand on one piece; -1 ends the exchange."""
        try:
            if self._status not in (200, 206):
                self._ignored += len(chunk)
                return None if self._ignored <= LONGEST_BODY_IGNORED else -1
            self._begin_body()
            self.receiver.take(chunk)
        except BaseException as raised:  # noqa: BLE001 - see the class
            self.raised = raised
            return -1
        return None

    def end(self, code: int, text: str, url: str) -> Ended:
        """Return how it ended; raise an error of an unknown kind."""
        try:
            if not code and self._status in (200, 206):
                self._begin_body()  # an empty file has no piece
        except BuilderError as raised:
            self.raised = raised
        error: TransientError | BuilderError | None = None
        if self.raised is not None:
            if not isinstance(self.raised, (TransientError, BuilderError)):
                raise self.raised
            error = self.raised
        elif code and self._ignored <= LONGEST_BODY_IGNORED:
            error = _curl_failure(code, redacted(text), redacted(url))
        return Ended(
            receiver=self.receiver,
            status=self._status,
            headers=self._headers,
            error=error,
            unreached=code in _UNREACHED,
        )

    def _begin_body(self) -> None:
        if not self._begun:
            self._begun = True
            self.receiver.begin(self._status, self._headers)


def _curl_failure(code: int, text: str, place: str) -> TransientError | FetchError:
    """Return what libcurl's error means."""
    if code in _TLS or (code == pycurl.E_SSL_CONNECT_ERROR and "certificate" in text):
        return FetchError(f"TLS failed: {text}", place=place, hint=tls_hint(text))
    if code in _TRANSIENT:
        return TransientError(f"{_TRANSIENT[code]}{text}")
    if code == _TOO_LARGE:
        return FetchError("the server's headers are too large", place=place)
    return FetchError(f"cannot be requested: {text or f'error {code} of libcurl'}", place=place)
