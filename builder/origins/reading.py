"""Reading origins, mirrors and the network's settings: files, environment, command line, strictly."""

from __future__ import annotations

__all__ = ["load_origins", "parse_origins", "user_origins_file"]

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from builder.errors import UsageError
from builder.io import Credentials, Network, hidden, read_text
from builder.model import toml
from builder.origins.network import HERITAGE, SECTIONS, NetworkSettings, read_network
from builder.origins.origins import LAYOUTS, Layout, Mirror, Origin, Origins, checked_place
from builder.origins.values import boolean, check_keys, did_you_mean, kind, string, strings, table

_PROJECT_FILE = Path("recipes", "origins.toml")
_UNCOMMITTED_FILE = Path("origins.toml")
_IMPLIED_LAYOUTS: Mapping[str, Layout] = {"pypi": "warehouse"}
_ORIGIN_VARIABLE, _MIRROR_VARIABLE = "LOCKWRIGHT_ORIGIN", "LOCKWRIGHT_MIRROR"
_LAYOUT_PREFIX = re.compile(rf"(?P<layout>{'|'.join(LAYOUTS)})\+(?=[a-z]+:)")


@dataclass(slots=True)
class _Tables:
    """What the sources said so far; a later one replaces an earlier one's entry of the same name."""

    origins: dict[str, Origin] = field(default_factory=dict)
    mirrors: dict[str, Mirror] = field(default_factory=dict)
    insecure_hosts: set[str] = field(default_factory=set)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    host_connections: dict[str, int] = field(default_factory=dict)
    keyring_hosts: set[str] = field(default_factory=set)
    heritage: str = HERITAGE

    def frozen(self) -> Origins:
        network = Network(
            **self.network,
            host_connections=dict(self.host_connections),
            plain_hosts=tuple(sorted(self.insecure_hosts)),
            credentials=Credentials(keyring_hosts=tuple(sorted(self.keyring_hosts))),
        )
        return Origins(
            network=network,
            heritage=self.heritage,
            origins=tuple(self.origins[name] for name in sorted(self.origins)),
            mirrors=tuple(self.mirrors[prefix] for prefix in sorted(self.mirrors)),
            insecure_hosts=tuple(sorted(self.insecure_hosts)),
        )


def user_origins_file() -> Path:
    """Return the user's own origins file, which need not exist."""
    from platformdirs import user_config_dir  # noqa: PLC0415 - 25 ms that rendering from the store need not pay

    return Path(user_config_dir("lockwright")) / "origins.toml"


def load_origins(
    root: Path,
    *,
    user_file: Path | None = None,
    origin_options: Sequence[str] = (),
    mirror_options: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Origins:
    """Return the origins of the project at `root`, later sources replacing earlier ones by name.

    In order: `recipes/origins.toml`, the user's file (`user_file`, else the
    usual place), `origins.toml` at the root, the options `--origin
    NAME=[LAYOUT+]URL` and `--mirror FROM=TO`, and the same words in the
    variables LOCKWRIGHT_ORIGIN and LOCKWRIGHT_MIRROR in `environ` (this
    process's). UsageError naming file and key for anything unknown.
    """
    user = user_origins_file() if user_file is None else user_file
    tables = _Tables()
    for file in (root / _PROJECT_FILE, user, root / _UNCOMMITTED_FILE):
        if file.exists():
            _add_file(tables, read_text(file), str(file))
    _add_origins(tables, origin_options, "--origin")
    _add_mirrors(tables, mirror_options, "--mirror")
    variables = os.environ if environ is None else environ
    _add_origins(tables, variables.get(_ORIGIN_VARIABLE, "").split(), _ORIGIN_VARIABLE)
    _add_mirrors(tables, variables.get(_MIRROR_VARIABLE, "").split(), _MIRROR_VARIABLE)
    return tables.frozen()


def _add_origins(tables: _Tables, options: Sequence[str], source: str) -> None:
    for option in options:
        _add_origin_option(tables, option, source)


def _add_mirrors(tables: _Tables, options: Sequence[str], source: str) -> None:
    found: dict[str, tuple[str, ...]] = {}
    for option in options:
        prefix, place = _mirror_option(option, source)
        found[prefix] = (*found.get(prefix, ()), place)
    tables.mirrors |= {prefix: Mirror(prefix=prefix, places=places) for prefix, places in found.items()}


def parse_origins(text: str, place: str) -> Origins:
    """Return the origins that one file's `text` configures; `place` names it in errors."""
    tables = _Tables()
    _add_file(tables, text, place)
    return tables.frozen()


def _add_file(tables: _Tables, text: str, place: str) -> None:
    document = toml.loads(text.encode(), place=place, error=UsageError)
    check_keys(document, ("origins", "mirrors", "insecure", *SECTIONS), place)
    for name, described in table(document, "origins", place).items():
        tables.origins[name] = _origin(name, described, f"{place}: origins.{name}")
    for prefix, places in table(document, "mirrors", place).items():
        mirror = _mirror(prefix, places, f'{place}: mirrors."{hidden(prefix)}"')
        tables.mirrors[mirror.prefix] = mirror
    insecure = table(document, "insecure", place)
    check_keys(insecure, ("hosts",), f"{place}: insecure")
    hosts = strings(insecure.get("hosts", []), f"{place}: insecure.hosts")
    tables.insecure_hosts.update(host.lower() for host in hosts)
    found = read_network(document, place)
    tables.network |= found.network
    tables.host_connections |= found.host_connections
    tables.keyring_hosts |= set(found.keyring_hosts)
    tables.heritage = tables.heritage if found.heritage is None else found.heritage


def _origin(name: str, described: object, place: str) -> Origin:
    if not isinstance(described, dict):
        raise UsageError(f"expected a table, got {kind(described)}", place=place)
    check_keys(described, ("url", "layout", "insecure"), place)
    url = checked_place(string(described, "url", place), f"{place}.url")
    layout = string(described, "layout", place)
    if layout not in LAYOUTS:
        raise UsageError(
            f"unknown layout {layout!r}{did_you_mean(layout, LAYOUTS)}",
            place=f"{place}.layout",
            hint=f"use one of {', '.join(LAYOUTS)}",
        )
    insecure = boolean(described, "insecure", place)
    return _at(place, lambda: Origin(name=name, url=url, layout=layout, insecure=insecure))


def _mirror(prefix: str, places: object, place: str) -> Mirror:
    texts = strings(places, place)
    return Mirror(
        prefix=checked_place(prefix, place),
        places=tuple(checked_place(text, f"{place}[{index}]") for index, text in enumerate(texts)),
    )


def _add_origin_option(tables: _Tables, option: str, source: str) -> None:
    name, separator, url = option.partition("=")
    place = f"{source} {hidden(name)}={hidden(url)}" if separator else f"{source} {hidden(option)}"
    if not separator:
        raise UsageError("expected NAME=URL", place=place)
    match = _LAYOUT_PREFIX.match(url)
    known = tables.origins.get(name)
    layout = match["layout"] if match else known.layout if known else _IMPLIED_LAYOUTS.get(name)
    if layout is None:
        raise UsageError(
            f"the layout of {name!r} is not known",
            place=place,
            hint=f"write {hidden(name)}=LAYOUT+URL, where LAYOUT is one of {', '.join(LAYOUTS)}",
        )
    checked = checked_place(url[match.end() :] if match else url, place)
    tables.origins[name] = _at(
        place, lambda: Origin(name=name, url=checked, layout=cast("Layout", layout), insecure=False)
    )


def _mirror_option(option: str, source: str) -> tuple[str, str]:
    halves = re.split(r"=(?=[a-z]+://)", option)
    place = f"{source} {'='.join(map(hidden, halves))}"
    if len(halves) != 2:
        raise UsageError("expected FROM=TO, two URLs", place=place)
    return checked_place(halves[0], place), checked_place(halves[1], place)


def _at(place: str, make: Callable[[], Origin]) -> Origin:
    try:
        return make()
    except UsageError as error:
        raise error.within(place) from error
