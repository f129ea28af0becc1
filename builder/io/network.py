"""How the network is used: authorities, proxy, credentials, limits."""

from __future__ import annotations

__all__ = ["Network", "is_loopback"]

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from builder.io.credentials import Credentials
from builder.io.limits import CONNECT_TIMEOUT, CONNECTIONS, STALL_TIMEOUT
from builder.io.redact import conceal

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
