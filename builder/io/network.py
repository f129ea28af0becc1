"""How the network is used: authorities, proxy, credentials, and the limits of every exchange.

The limits are those of both HTTP libraries: attempts, pauses, timeouts, redirects, sizes.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from builder.io.credentials import Credentials
from builder.redact import conceal

__all__ = [
    "ATTEMPTS",
    "CONNECTIONS",
    "CONNECT_TIMEOUT",
    "LARGEST_DOCUMENT",
    "LARGEST_FILE",
    "LONGEST_BODY_IGNORED",
    "LOWEST_SPEED",
    "NETWORK_HINT",
    "REDIRECTS",
    "STALL_TIMEOUT",
    "UPLOAD_TIMEOUT",
    "Network",
    "is_loopback",
    "pause_before_retry",
]

ATTEMPTS = 5
"""Tries of one request at one place."""

REDIRECTS = 8
"""Redirects of one request that are followed."""

CONNECTIONS = 8
"""Connections to one host at once, unless the origins file says otherwise."""

CONNECT_TIMEOUT = 10.0
"""Seconds until a connection must be there."""

STALL_TIMEOUT = 60.0
"""Seconds after which a connection that is silent, or slower than `LOWEST_SPEED`, is given up."""

LOWEST_SPEED = 1000
"""Bytes a second; a slower connection is given up like one that stalls."""

UPLOAD_TIMEOUT = 300.0
"""Seconds in which a registry must answer an upload: it hashes what it was sent before it says anything."""

LARGEST_DOCUMENT = 256 * 2**20
"""Bytes of an index page or an answer in JSON; the largest package index known is a third of it."""

LARGEST_FILE = 64 * 2**30
"""Bytes of a file whose size nobody has promised."""

LONGEST_BODY_IGNORED = 2**16
"""Bytes of a page that comes with an error or a redirect; beyond it the connection is closed."""

NETWORK_HINT = "check the network and the proxy, or name a mirror"

_FIRST_PAUSE = 0.5  # seconds, doubled after each attempt
_LONGEST_PAUSE = 60.0  # seconds; a server that asks for more is asked again after this


def pause_before_retry(attempt: int, asked: float | None) -> float:
    """Return the seconds to wait after failed attempt `attempt` (from 1).

    That is what the server `asked` for, within bounds; else exponential backoff.
    """
    return min(_FIRST_PAUSE * 2 ** (attempt - 1) if asked is None else asked, _LONGEST_PAUSE)


# curl's convention: programs differ in whether they read the upper-case or the lower-case names.
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Settings that every request honours; what is left out comes from the environment."""

    ca_file: str = ""
    """A bundle of certificate authorities; else `REQUESTS_CA_BUNDLE`, `SSL_CERT_FILE` or certifi's."""
    proxy: str = ""
    """The proxy for every host; else `http_proxy`, `https_proxy`, `no_proxy` and their kin."""
    connections: int = CONNECTIONS
    """Connections to one host at once."""
    host_connections: Mapping[str, int] = field(default_factory=dict)
    """The same for single hosts."""
    credentials: Credentials = field(default_factory=Credentials)
    plain_hosts: tuple[str, ...] = ()
    """Hosts to which a redirect may lead without TLS."""
    connect_timeout: float = CONNECT_TIMEOUT
    """Seconds until a connection must be there."""
    stall_timeout: float = STALL_TIMEOUT
    """Seconds after which a connection that gives no byte is given up."""
    _proxies: dict[str, str] = field(default_factory=dict)

    def authorities(self) -> str:
        """Return the path of the bundle of certificate authorities."""
        named = self.ca_file or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
        if named:
            return named
        import requests  # noqa: PLC0415 - settings are read by every verb, the network is used by few

        return requests.utils.DEFAULT_CA_BUNDLE_PATH

    def proxy_for(self, url: str) -> str:
        """Return the proxy to use for `url`, or nothing."""
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"
        if place not in self._proxies:
            self._proxies[place] = proxy = self._find_proxy(place)
            password = proxy.rpartition("@")[0].rpartition("//")[2].partition(":")[2]
            conceal(password, unquote(password))
        return self._proxies[place]

    def _find_proxy(self, place: str) -> str:
        import requests  # noqa: PLC0415 - see above

        if self.proxy:
            return "" if requests.utils.should_bypass_proxies(place, None) else self.proxy
        found = requests.utils.get_environ_proxies(place)
        return requests.utils.select_proxy(place, found) or ""

    def environment(self) -> dict[str, str]:
        """Return the variables that tell a program such as uv the proxy and the authorities.

        They are added to those of `clean_environment`, which passes on what the
        environment itself says, `no_proxy` among it.
        """
        found = dict.fromkeys(_PROXY_VARIABLES, self.proxy) if self.proxy else {}
        return found | ({"SSL_CERT_FILE": self.ca_file} if self.ca_file else {})

    def limit(self, host: str) -> int:
        """Return how many connections to `host` (name, or name and port) may be open at once."""
        bare = urlsplit(f"//{host}").hostname or ""
        return self.host_connections.get(host, self.host_connections.get(bare, self.connections))


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
