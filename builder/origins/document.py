"""One origins file: the tables that may stand in it, and what their values must be."""

from __future__ import annotations

__all__ = ["HERITAGE", "NetworkTable", "OriginsFile", "read_origins_file"]

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from builder.errors import UsageError
from builder.io import NO_HOME, hidden, redacted
from builder.model import StructureError, structure, toml
from builder.origins.origins import Layout, checked_place

HERITAGE = "https://archive.softwareheritage.org/"
"""The archive that keeps public sources when their own place is gone."""

_MOST_CONNECTIONS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginTable:
    """`[origins.NAME]`."""

    url: str
    layout: Layout
    insecure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InsecureTable:
    """`[insecure]`."""

    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkTable:
    """`[network]`; None for a key that is not there."""

    ca_file: str | None = None
    proxy: str | None = None
    connections: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTable:
    """`[hosts."HOST"]`."""

    connections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsTable:
    """`[credentials]`."""

    keyring: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeritageTable:
    """`[software-heritage]`; an empty address switches the archive off, None says nothing."""

    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginsFile:
    """What one file says: hosts are in lower case, URLs of folders end in one slash."""

    origins: Mapping[str, OriginTable] = field(default_factory=dict)
    mirrors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    insecure: InsecureTable = field(default_factory=InsecureTable)
    network: NetworkTable = field(default_factory=NetworkTable)
    hosts: Mapping[str, HostTable] = field(default_factory=dict)
    credentials: CredentialsTable = field(default_factory=CredentialsTable)
    software_heritage: HeritageTable = field(default_factory=HeritageTable)


def read_origins_file(text: str, place: str) -> OriginsFile:
    """Return what the file `place` says; UsageError names the key of what is wrong.

    A relative path in it begins at its own folder, wherever the program runs.
    """
    table = toml.loads(text.encode(), place=place, error=UsageError)
    try:
        read = structure(table, OriginsFile)
    except StructureError as error:
        where = f"{place}: {redacted(error.path)}" if error.path else place
        # A value may be a URL with a password in it, and it may be cut before the `@` that would show this.
        cause = error.cause.partition(" (")[0] if "://" in error.cause else error.cause
        raise UsageError(cause, place=where, hint=redacted(error.hint)) from None
    url = read.software_heritage.url
    return replace(
        read,
        origins={
            name: replace(origin, url=checked_place(origin.url, f"{place}: origins.{name}.url"))
            for name, origin in read.origins.items()
        },
        mirrors=dict(_checked_mirror(prefix, places, place) for prefix, places in read.mirrors.items()),
        insecure=InsecureTable(hosts=_lower_case(read.insecure.hosts)),
        network=_checked_network(read.network, f"{place}: network", Path(place).parent),
        hosts={
            host.lower(): HostTable(
                connections=_checked_connections(told.connections, f'{place}: hosts."{host}"')
            )
            for host, told in read.hosts.items()
        },
        credentials=CredentialsTable(keyring=_lower_case(read.credentials.keyring)),
        software_heritage=HeritageTable(
            url=checked_place(url, f"{place}: software-heritage.url") if url else url
        ),
    )


def _lower_case(hosts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(host.lower() for host in hosts)


def _checked_mirror(prefix: str, places: tuple[str, ...], file: str) -> tuple[str, tuple[str, ...]]:
    where = f'{file}: mirrors."{hidden(prefix)}"'
    checked = (checked_place(place, f"{where}[{index}]") for index, place in enumerate(places))
    return checked_place(prefix, where), tuple(checked)


def _checked_network(told: NetworkTable, place: str, folder: Path) -> NetworkTable:
    ca_file = None
    if told.ca_file is not None:
        try:
            file = folder / Path(told.ca_file).expanduser()
        except RuntimeError:  # `~` of a user that does not exist
            raise UsageError(NO_HOME, place=f"{place}.ca-file", hint="name the whole path") from None
        if not file.exists():
            raise UsageError(f"there is no {file}", place=f"{place}.ca-file")
        ca_file = str(file)
    return NetworkTable(
        ca_file=ca_file,
        proxy=None if told.proxy is None else _checked_proxy(told.proxy, f"{place}.proxy"),
        connections=None if told.connections is None else _checked_connections(told.connections, place),
    )


def _checked_connections(connections: int, place: str) -> int:
    if not 1 <= connections <= _MOST_CONNECTIONS:
        raise UsageError(
            f"expected a number from 1 to {_MOST_CONNECTIONS}, got {connections}",
            place=f"{place}.connections",
        )
    return connections


def _checked_proxy(url: str, place: str) -> str:
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
