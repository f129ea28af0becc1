"""Reading origins, mirrors and the network's settings: files, environment, command line, strictly."""

from __future__ import annotations

__all__ = ["load_origins", "parse_origins", "user_origins_file"]

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import cast

from builder.errors import UsageError
from builder.io import Credentials, Network, hidden, read_text, user_config_folder
from builder.origins.document import HERITAGE, NetworkTable, read_origins_file
from builder.origins.origins import LAYOUTS, Layout, Mirror, Origin, Origins, checked_place

_PROJECT_FILE = Path("recipes", "origins.toml")
_UNCOMMITTED_FILE = Path("origins.toml")
_IMPLIED_LAYOUTS: Mapping[str, Layout] = {"pypi": "warehouse"}
_ORIGIN_VARIABLE, _MIRROR_VARIABLE = "LOCKWRIGHT_ORIGIN", "LOCKWRIGHT_MIRROR"
_LAYOUT_PREFIX = re.compile(rf"(?P<layout>{'|'.join(LAYOUTS)})\+(?=[a-z]+:)")


@dataclass(slots=True)
class _OriginSources:
    """What the sources said so far; a later one replaces an earlier one's entry of the same name."""

    origins: dict[str, Origin] = field(default_factory=dict)
    mirrors: dict[str, Mirror] = field(default_factory=dict)
    insecure_hosts: set[str] = field(default_factory=set)
    network: NetworkTable = field(default_factory=NetworkTable)
    host_connections: dict[str, int] = field(default_factory=dict)
    keyring_hosts: set[str] = field(default_factory=set)
    heritage: str = HERITAGE

    def frozen(self) -> Origins:
        network = Network(
            **{name: value for name, value in asdict(self.network).items() if value is not None},
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


def user_origins_file() -> Path | None:
    """Return the user's own origins file, which need not exist; None where the user has no home folder."""
    folder = user_config_folder()
    return None if folder is None else folder / "origins.toml"


def load_origins(
    root: Path,
    *,
    user_file: Path | None = None,
    catalogue_file: Path | None = None,
    origin_options: Sequence[str] = (),
    mirror_options: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Origins:
    """Return the origins of the project at `root`, later sources replacing earlier ones by name.

    In order: `catalogue_file` of the package, `recipes/origins.toml`, the user's file (`user_file`, else the
    usual place), `origins.toml` at the root, the options `--origin
    NAME=[LAYOUT+]URL` and `--mirror FROM=TO`, and the same words in the
    variables LOCKWRIGHT_ORIGIN and LOCKWRIGHT_MIRROR in `environ` (this
    process's). UsageError naming file and key for anything unknown.
    """
    user = user_origins_file() if user_file is None else user_file
    sources = _OriginSources()
    for file in (catalogue_file, root / _PROJECT_FILE, user, root / _UNCOMMITTED_FILE):
        if file is not None and file.exists():
            _add_file(sources, read_text(file), str(file))
    _add_origins(sources, origin_options, "--origin")
    _add_mirrors(sources, mirror_options, "--mirror")
    variables = os.environ if environ is None else environ
    _add_origins(sources, variables.get(_ORIGIN_VARIABLE, "").split(), _ORIGIN_VARIABLE)
    _add_mirrors(sources, variables.get(_MIRROR_VARIABLE, "").split(), _MIRROR_VARIABLE)
    return sources.frozen()


def _add_origins(sources: _OriginSources, options: Sequence[str], source: str) -> None:
    for option in options:
        _add_origin_option(sources, option, source)


def _add_mirrors(sources: _OriginSources, options: Sequence[str], source: str) -> None:
    found: dict[str, tuple[str, ...]] = {}
    for option in options:
        prefix, place = _mirror_option(option, source)
        found[prefix] = (*found.get(prefix, ()), place)
    sources.mirrors |= {prefix: Mirror(prefix=prefix, places=places) for prefix, places in found.items()}


def parse_origins(text: str, place: str) -> Origins:
    """Return the origins that one file's `text` configures; `place` names it in errors."""
    sources = _OriginSources()
    _add_file(sources, text, place)
    return sources.frozen()


def _add_file(sources: _OriginSources, text: str, place: str) -> None:
    said = read_origins_file(text, place)
    for name, told in said.origins.items():
        sources.origins[name] = _named_origin(
            f"{place}: origins.{name}", name=name, url=told.url, layout=told.layout, insecure=told.insecure
        )
    sources.mirrors |= {prefix: Mirror(prefix=prefix, places=to) for prefix, to in said.mirrors.items()}
    sources.insecure_hosts.update(said.insecure.hosts)
    known = {name: value for name, value in asdict(said.network).items() if value is not None}
    sources.network = replace(sources.network, **known)
    sources.host_connections |= {host: told.connections for host, told in said.hosts.items()}
    sources.keyring_hosts.update(said.credentials.keyring)
    if said.software_heritage.url is not None:
        sources.heritage = said.software_heritage.url


def _add_origin_option(sources: _OriginSources, option: str, source: str) -> None:
    name, separator, url = option.partition("=")
    place = f"{source} {hidden(name)}={hidden(url)}" if separator else f"{source} {hidden(option)}"
    if not separator:
        raise UsageError("expected NAME=URL", place=place)
    match = _LAYOUT_PREFIX.match(url)
    known = sources.origins.get(name)
    layout = match["layout"] if match else known.layout if known else _IMPLIED_LAYOUTS.get(name)
    if layout is None:
        raise UsageError(
            f"the layout of {name!r} is not known",
            place=place,
            hint=f"write {hidden(name)}=LAYOUT+URL, where LAYOUT is one of {', '.join(LAYOUTS)}",
        )
    checked = checked_place(url[match.end() :] if match else url, place)
    sources.origins[name] = _named_origin(place, name=name, url=checked, layout=cast("Layout", layout))


def _mirror_option(option: str, source: str) -> tuple[str, str]:
    halves = re.split(r"=(?=[a-z]+://)", option)
    place = f"{source} {'='.join(map(hidden, halves))}"
    if len(halves) != 2:
        raise UsageError("expected FROM=TO, two URLs", place=place)
    return checked_place(halves[0], place), checked_place(halves[1], place)


def _named_origin(place: str, *, name: str, url: str, layout: Layout, insecure: bool = False) -> Origin:
    """Return an origin; an error about its name is at `place`."""
    try:
        return Origin(name=name, url=url, layout=layout, insecure=insecure)
    except UsageError as error:
        raise error.within(place) from error
