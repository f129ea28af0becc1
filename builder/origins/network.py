"""The part of an origins file that says how the network is used."""

from __future__ import annotations

__all__ = ["HERITAGE", "SECTIONS", "NetworkSection", "NetworkSettings", "read_network"]

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit

from builder.errors import UsageError
from builder.io import hidden
from builder.origins.origins import checked_place
from builder.origins.values import check_keys, kind, string, strings, table

HERITAGE = "https://archive.softwareheritage.org/"
"""The archive that keeps public sources when their own place is gone."""

SECTIONS = ("network", "hosts", "credentials", "software-heritage")
"""The tables that are read here."""


class NetworkSettings(TypedDict, total=False):
    """What `[network]` says; a key that it leaves out has its default."""

    ca_file: str
    proxy: str
    connections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSection:
    """What one file says of the network."""

    network: NetworkSettings = field(default_factory=NetworkSettings)
    host_connections: Mapping[str, int] = field(default_factory=dict)
    keyring_hosts: tuple[str, ...] = ()
    heritage: str | None = None
    """The archive's address; empty where it is switched off, None where nothing is said."""


def read_network(document: Mapping[str, object], place: str) -> NetworkSection:
    """Return what the file `place` says, parsed; UsageError naming the key for what is wrong.

    A relative path in it begins at its own folder, wherever the program runs.
    """
    hosts = {}
    for host, settings in table(document, "hosts", place).items():
        where = f'{place}: hosts."{host}"'
        if not isinstance(settings, dict):
            raise UsageError(f"expected a table, got {kind(settings)}", place=where)
        check_keys(settings, ("connections",), where)
        hosts[host.lower()] = _count(settings, where)
    credentials = table(document, "credentials", place)
    check_keys(credentials, ("keyring",), f"{place}: credentials")
    keyring = strings(credentials.get("keyring", []), f"{place}: credentials.keyring")
    return NetworkSection(
        network=_settings(table(document, "network", place), f"{place}: network", Path(place).parent),
        host_connections=hosts,
        keyring_hosts=tuple(host.lower() for host in keyring),
        heritage=_heritage(table(document, "software-heritage", place), f"{place}: software-heritage"),
    )


def _settings(settings: Mapping[str, object], place: str, folder: Path) -> NetworkSettings:
    check_keys(settings, ("ca-file", "proxy", "connections"), place)
    found = NetworkSettings()
    if "ca-file" in settings:
        file = folder / Path(string(settings, "ca-file", place)).expanduser()
        if not file.exists():
            raise UsageError(f"there is no {file}", place=f"{place}.ca-file")
        found["ca_file"] = str(file)
    if "proxy" in settings:
        found["proxy"] = _proxy(string(settings, "proxy", place), f"{place}.proxy")
    if "connections" in settings:
        found["connections"] = _count(settings, place)
    return found


def _heritage(settings: Mapping[str, object], place: str) -> str | None:
    check_keys(settings, ("url",), place)
    if "url" not in settings:
        return None
    url = string(settings, "url", place)
    return checked_place(url, f"{place}.url") if url else ""


def _count(settings: Mapping[str, object], place: str) -> int:
    value = settings.get("connections")
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 256:
        raise UsageError("expected a number from 1 to 256", place=f"{place}.connections")
    return value


def _proxy(url: str, place: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"{hidden(url)!r} is not a URL", place=place) from None
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError("expected an http(s) URL", place=place)
    if "@" in parts.netloc:
        hint = "put them into https_proxy in the environment"
        raise UsageError("a URL here must not contain credentials", place=place, hint=hint)
    return url
