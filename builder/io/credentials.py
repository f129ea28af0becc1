"""Credentials of hosts: from the environment, `~/.netrc` or the keyring, and from nowhere else."""

from __future__ import annotations

__all__ = ["VARIABLE", "Credentials"]

import base64
import importlib
import netrc
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import unquote, urlsplit

from builder.errors import UsageError
from builder.io.home import user_home
from builder.redact import conceal

VARIABLE = "LOCKWRIGHT_AUTH"
"""`HOST=USER:PASSWORD` or `HOST=TOKEN`, several separated by spaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The Authorization header of each host; a URL that has credentials itself says more than these.

    What is found is concealed: no message shows it afterwards, even where a server sends it back.

    `environ` is where `LOCKWRIGHT_AUTH` and `NETRC` are read, `keyring_hosts`
    are the hosts for which the keyring is asked; it may ask its user.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    keyring_hosts: tuple[str, ...] = ()
    _known: dict[str, str | None] = field(default_factory=dict)

    def header(self, url: str) -> str | None:
        """Return the Authorization header for the host of `url`; UsageError for a malformed source."""
        named, at, host = urlsplit(url).netloc.rpartition("@")
        host = host.lower()
        if at:
            user, _, password = named.partition(":")
            return _basic_header(unquote(user), unquote(password))
        if host not in self._known:
            self._known[host] = self._find_header(host)
        return self._known[host]

    def take_from(self, url: str) -> str:
        """Return `url` without its user and password, which are given to its host from now on.

        So no cache, no child process and no message has them. ValueError for what is not a URL.
        """
        parts = urlsplit(url)
        named, at, host = parts.netloc.rpartition("@")
        if not at:
            return url
        user, _, password = named.partition(":")
        self._known[host.lower()] = _basic_header(unquote(user), unquote(password))
        return parts._replace(netloc=host).geturl()

    def _find_header(self, host: str) -> str | None:
        bare = urlsplit(f"//{host}").hostname or ""
        named = _from_variable(self.environ.get(VARIABLE, ""))
        for key in (host, bare):
            if key in named:
                return named[key]
        found = self._from_netrc(bare)
        if found is None and (host in self.keyring_hosts or bare in self.keyring_hosts):
            found = _from_keyring(host)
        return found

    def _from_netrc(self, host: str) -> str | None:
        named = self.environ.get("NETRC", "")
        home = self.environ.get("HOME") or user_home()
        if not named and home is None:
            return None
        path = Path(named) if named else Path(home or "") / ".netrc"
        try:
            # Not `default`, which authenticators() would give: it would go to whoever is redirected to.
            entry = netrc.netrc(path).hosts.get(host)
        except FileNotFoundError:
            return None
        except (netrc.NetrcParseError, OSError, UnicodeDecodeError) as cause:
            # The parser's own text may quote a line, and with it a password.
            line = f", line {cause.lineno}" if isinstance(cause, netrc.NetrcParseError) else ""
            raise UsageError(f"cannot be read as netrc{line}", place=str(path)) from None
        return None if entry is None else _basic_header(entry[0] or entry[1] or "", entry[2] or "")


def _basic_header(user: str, password: str) -> str:
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    conceal(password, encoded)
    return f"Basic {encoded}"


def _bearer_header(token: str) -> str:
    conceal(token)
    return f"Bearer {token}"


def _from_variable(text: str) -> dict[str, str]:
    found = {}
    for number, word in enumerate(text.split(), 1):
        host, separator, secret = word.partition("=")
        if not separator or not host or not secret:
            raise UsageError(f"entry {number} is not HOST=USER:PASSWORD or HOST=TOKEN", place=VARIABLE)
        user, colon, password = secret.partition(":")
        found[host.lower()] = _basic_header(user, password) if colon else _bearer_header(secret)
    return found


def _from_keyring(host: str) -> str | None:
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        raise UsageError(
            f"the keyring is configured for {host}, but the package keyring is not installed",
            place="credentials.keyring",
            hint="pip install keyring",
        ) from None
    entry = keyring.get_credential(host, None)
    return None if entry is None else _basic_header(cast("str", entry.username), cast("str", entry.password))
