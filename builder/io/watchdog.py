"""A deadline for what a server drips: sockets time out only when they are silent."""

from __future__ import annotations

__all__ = ["Watchdog", "WatchedAdapter", "watched_session"]

import socket
import threading
import time
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from builder import __version__

if TYPE_CHECKING:
    from requests.auth import AuthBase
    from urllib3.response import HTTPResponse

    from builder.io.network import Network

_POOLED_CONNECTIONS = 16  # as many as threads ask at once while locks are made


class Watchdog:
    """Shuts a socket down when `seconds` have passed since it was made, or last fed; a context manager."""

    def __init__(self, watched: socket.socket | None, seconds: float | None) -> None:
        """Watch a socket; without one, or without seconds, nothing is done."""
        self._watched = watched
        self._seconds = seconds
        self._over = threading.Event()
        self._deadline = 0.0
        self.bit = False
        """Whether the time was over."""

    def __enter__(self) -> Self:
        if self._watched is not None and self._seconds is not None:
            self.feed()
            threading.Thread(target=self._shut_when_late, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def feed(self) -> None:
        """Start counting again."""
        self._deadline = time.monotonic() + (self._seconds or 0.0)

    def _shut_when_late(self) -> None:
        while (left := self._deadline - time.monotonic()) > 0:
            if self._over.wait(left):
                return
        if self._watched is not None and not self._over.is_set():
            self.bit = True
            with suppress(OSError):
                self._watched.shutdown(socket.SHUT_RDWR)


class _WatchedResponse:
    """What both kinds of connection do: the whole head must come within the time in which a byte must."""

    sock: socket.socket | None
    watched: socket.socket | None = None
    """The socket of the last answer, which its connection may forget before the body is read."""

    def getresponse(self) -> HTTPResponse:
        """Return the answer once its head is there."""
        self.watched = self.sock
        seconds = self.sock.gettimeout() if self.sock is not None else None
        with Watchdog(self.watched, seconds) as watchdog:
            answer: HTTPResponse = super().getresponse()  # type: ignore[misc]
        if watchdog.bit:  # a head that ends early counts as whole in http.client
            answer.close()
            raise TimeoutError("the head of the answer did not come in time")
        return answer


class _WatchedHTTPConnection(_WatchedResponse, HTTPConnection):  # type: ignore[misc]
    pass


class _WatchedHTTPSConnection(_WatchedResponse, HTTPSConnection):  # type: ignore[misc]
    pass


class _WatchedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTPConnection


class _WatchedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPSConnection


class WatchedAdapter(HTTPAdapter):
    """An adapter of `requests` whose connections have a deadline for the head of an answer."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools, of watched connections."""
        super().init_poolmanager(*arguments, **options)
        self._use_watched_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Return the pools behind a proxy, of watched connections."""
        manager = super().proxy_manager_for(proxy, **options)
        self._use_watched_pools(manager)
        return manager

    @staticmethod
    def _use_watched_pools(manager: Any) -> None:
        manager.pool_classes_by_scheme = {"http": _WatchedHTTPPool, "https": _WatchedHTTPSPool}


def watched_session(network: Network, auth: AuthBase) -> requests.Session:
    """Return a session with the project's network settings: no cookie is kept, nothing is sent twice."""
    session = requests.Session()
    adapter = WatchedAdapter(
        pool_connections=_POOLED_CONNECTIONS, pool_maxsize=_POOLED_CONNECTIONS, max_retries=0
    )
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = f"lockwright/{__version__}"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.verify = network.authorities()
    session.auth = auth
    session.trust_env = False  # what of the environment counts is in `network`
    return session
