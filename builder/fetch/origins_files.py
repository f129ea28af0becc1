"""Reading origins and mirrors from their files and the command line, strictly."""

from __future__ import annotations

__all__ = ["load_origins", "parse_origins", "user_origins_file"]

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from builder.errors import UsageError
from builder.fetch.origins import LAYOUTS, Layout, Mirror, Origin, Origins, checked_place
from builder.io.files import read_text

_PROJECT_FILE = Path("recipes", "origins.toml")
_UNCOMMITTED_FILE = Path("origins.toml")
_IMPLIED_LAYOUTS: Mapping[str, Layout] = {"pypi": "warehouse"}
_LAYOUT_PREFIX = re.compile(rf"(?P<layout>{'|'.join(LAYOUTS)})\+(?=[a-z]+:)")


@dataclass(slots=True)
class _Tables:
    """What the sources said so far; a later one replaces an earlier one's entry of the same name."""

    origins: dict[str, Origin] = field(default_factory=dict)
    mirrors: dict[str, Mirror] = field(default_factory=dict)
    insecure_hosts: set[str] = field(default_factory=set)

    def frozen(self) -> Origins:
        return Origins(
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
) -> Origins:
    """Return the origins of the project at `root`, later sources replacing earlier ones by name.

    In order: `recipes/origins.toml`, the user's file (`user_file`, else the
    usual place), `origins.toml` at the root, `--origin NAME=[LAYOUT+]URL`,
    `--mirror FROM=TO`. UsageError naming file and key for anything unknown.
    """
    user = user_origins_file() if user_file is None else user_file
    tables = _Tables()
    for file in (root / _PROJECT_FILE, user, root / _UNCOMMITTED_FILE):
        if file.exists():
            _add_file(tables, read_text(file), str(file))
    for option in origin_options:
        _add_origin_option(tables, option)
    mirrors: dict[str, tuple[str, ...]] = {}
    for option in mirror_options:
        prefix, place = _mirror_option(option)
        mirrors[prefix] = (*mirrors.get(prefix, ()), place)
    tables.mirrors |= {prefix: Mirror(prefix=prefix, places=places) for prefix, places in mirrors.items()}
    return tables.frozen()


def parse_origins(text: str, place: str) -> Origins:
    """Return the origins that one file's `text` configures; `place` names it in errors."""
    tables = _Tables()
    _add_file(tables, text, place)
    return tables.frozen()


def _add_file(tables: _Tables, text: str, place: str) -> None:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        raise UsageError(f"is not TOML: {cause}", place=place) from cause
    _check_keys(document, ("origins", "mirrors", "insecure"), place)
    for name, table in _table(document, "origins", place).items():
        tables.origins[name] = _origin(name, table, f"{place}: origins.{name}")
    for prefix, places in _table(document, "mirrors", place).items():
        mirror = _mirror(prefix, places, f'{place}: mirrors."{prefix}"')
        tables.mirrors[mirror.prefix] = mirror
    insecure = _table(document, "insecure", place)
    _check_keys(insecure, ("hosts",), f"{place}: insecure")
    hosts = _strings(insecure.get("hosts", []), f"{place}: insecure.hosts")
    tables.insecure_hosts.update(host.lower() for host in hosts)


def _origin(name: str, table: object, place: str) -> Origin:
    if not isinstance(table, dict):
        raise UsageError(f"expected a table, got {_kind(table)}", place=place)
    _check_keys(table, ("url", "layout", "insecure"), place)
    url = checked_place(_string(table, "url", place), f"{place}.url")
    layout = _string(table, "layout", place)
    if layout not in LAYOUTS:
        raise UsageError(
            f"unknown layout {layout!r}{_did_you_mean(layout, LAYOUTS)}",
            place=f"{place}.layout",
            hint=f"Use one of {', '.join(LAYOUTS)}",
        )
    insecure = _boolean(table, "insecure", place)
    return _at(place, lambda: Origin(name=name, url=url, layout=layout, insecure=insecure))


def _mirror(prefix: str, places: object, place: str) -> Mirror:
    texts = _strings(places, place)
    return Mirror(
        prefix=checked_place(prefix, place),
        places=tuple(checked_place(text, f"{place}[{index}]") for index, text in enumerate(texts)),
    )


def _add_origin_option(tables: _Tables, option: str) -> None:
    place = f"--origin {option}"
    name, separator, url = option.partition("=")
    if not separator:
        raise UsageError("expected NAME=URL", place=place)
    match = _LAYOUT_PREFIX.match(url)
    known = tables.origins.get(name)
    layout = match["layout"] if match else known.layout if known else _IMPLIED_LAYOUTS.get(name)
    if layout is None:
        raise UsageError(
            f"the layout of {name!r} is not known",
            place=place,
            hint=f"Write --origin {name}=LAYOUT+URL, where LAYOUT is one of {', '.join(LAYOUTS)}",
        )
    checked = checked_place(url[match.end() :] if match else url, place)
    tables.origins[name] = _at(
        place, lambda: Origin(name=name, url=checked, layout=cast("Layout", layout), insecure=False)
    )


def _mirror_option(option: str) -> tuple[str, str]:
    place = f"--mirror {option}"
    halves = re.split(r"=(?=[a-z]+://)", option)
    if len(halves) != 2:
        raise UsageError("expected FROM=TO, two URLs", place=place)
    return checked_place(halves[0], place), checked_place(halves[1], place)


def _at(place: str, make: Callable[[], Origin]) -> Origin:
    try:
        return make()
    except UsageError as error:
        raise error.within(place) from error


def _table(document: Mapping[str, object], key: str, place: str) -> Mapping[str, object]:
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise UsageError(f"expected a table, got {_kind(value)}", place=f"{place}: {key}")
    return value


def _string(table: Mapping[str, object], key: str, place: str) -> str:
    value = table.get(key)
    if not isinstance(value, str):
        raise UsageError(f"expected a string, got {_kind(value)}", place=f"{place}.{key}")
    return value


def _boolean(table: Mapping[str, object], key: str, place: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise UsageError(f"expected true or false, got {_kind(value)}", place=f"{place}.{key}")
    return value


def _strings(value: object, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"expected a list of strings, got {_kind(value)}", place=place)
    return tuple(value)


def _kind(value: object) -> str:
    names = {type(None): "nothing", bool: "a boolean", int: "an integer", str: "a string"}
    return {**names, dict: "a table", list: "a list of something else"}.get(type(value), type(value).__name__)


def _check_keys(table: Mapping[str, object], known: Sequence[str], place: str) -> None:
    for key in sorted(table):
        if key not in known:
            raise UsageError(f"unknown key {key!r}{_did_you_mean(key, known)}", place=place)


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f", did you mean {near[0]!r}?" if near else ""
