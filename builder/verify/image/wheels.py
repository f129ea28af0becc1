"""Python distributions of an image: found by their dist-info, explained by wheels. Pure."""

from __future__ import annotations

import base64
import binascii
import configparser
import csv
import hashlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from builder.model import ImageFiles, LockedMembers
from builder.verify.image.claim import FileClaim, Ground

__all__ = ["InstalledDistribution", "distributions", "from_record", "from_wheel"]

_INFO = re.compile(r"(.*/)?[^/]+\.dist-info/METADATA")
_BY_INSTALLER = ("INSTALLER", "RECORD", "REQUESTED")
_INSTALLER = hashlib.sha256(b"pip\n").hexdigest()
_LARGEST_FIELD = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledDistribution:
    """One installed distribution."""

    name: str
    version: str
    folder: str
    """Where its modules are, such as `opt/venv/lib/python3.13/site-packages`."""
    info: str
    """Its dist-info folder."""


def distributions(image: ImageFiles) -> Iterator[InstalledDistribution]:
    """Yield every distribution, wherever it is, sorted by place."""
    for path in sorted(image.contents):
        if _INFO.fullmatch(path):
            fields = _metadata_fields(image.text(path))
            info = path.rpartition("/")[0]
            yield InstalledDistribution(
                name=canonicalize_name(fields.get("name", "")) or info.rpartition("/")[2],
                version=fields.get("version", ""),
                folder=info.rpartition("/")[0],
                info=info,
            )


def _metadata_fields(text: str) -> dict[str, str]:
    """Return the single-line fields of a METADATA file's head."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip():
            break
        key, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            found.setdefault(key.strip().lower(), value.strip())
    return found


def from_record(one: InstalledDistribution, image: ImageFiles) -> Iterator[FileClaim]:
    """Yield what the RECORD in the image says; its own folder belongs to it in any case."""
    for name in _BY_INSTALLER:
        yield FileClaim(path=f"{one.info}/{name}", ground=Ground.LIST)
    csv.field_size_limit(_LARGEST_FIELD)
    try:
        rows = list(csv.reader(image.text(f"{one.info}/RECORD").splitlines()))
    except csv.Error:
        return
    for row in rows:
        path = posixpath.normpath(posixpath.join("/", one.folder, row[0]))[1:] if row and row[0] else ""
        if path and path != f"{one.info}/RECORD":
            yield FileClaim(
                path=path, ground=Ground.LIST, sha256=_record_digest(row[1] if len(row) > 1 else "")
            )


def _record_digest(text: str) -> str:
    name, _, value = text.partition("=")
    if name != "sha256":
        return ""
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    except (binascii.Error, ValueError):
        return "no digest"


def from_wheel(one: InstalledDistribution, wheel: LockedMembers, venv: str) -> Iterator[FileClaim]:
    """Yield what pip makes of a wheel whose bytes are the locked ones."""
    info = one.info.rpartition("/")[2]
    data = f"{info.removesuffix('.dist-info')}.data/"
    for member, sha256 in wheel.members.items():
        if member == f"{info}/RECORD":
            continue  # pip writes its own; those of distributions that it carries inside stay
        path, kept = _installed_path(member, data, one, venv)
        yield FileClaim(
            path=path, ground=Ground.BYTES if kept else Ground.LIST, sha256=sha256 if kept else ""
        )
    yield FileClaim(path=f"{one.info}/INSTALLER", ground=Ground.BYTES, sha256=_INSTALLER)
    yield FileClaim(path=f"{one.info}/RECORD", ground=Ground.LIST)
    for name, script in _wanted_scripts(wheel.texts.get(f"{info}/entry_points.txt", b"")).items():
        text = _SCRIPT.format(python=f"/{venv}/bin/python", leave="exit", **script).encode()
        sha256 = hashlib.sha256(text).hexdigest()
        yield FileClaim(path=f"{venv}/bin/{name}", ground=Ground.BYTES, sha256=sha256)


def optional(one: InstalledDistribution) -> str:
    """Return the path that pip writes for what was asked for by name; it is empty."""
    return f"{one.info}/REQUESTED"


_SCRIPT = """\
#!{python}
import sys
from {module} import {first}
if __name__ == '__main__':
    sys.argv[0] = sys.argv[0].removesuffix('.exe')
    sys.{leave}({function}())
"""


def _installed_path(member: str, data: str, one: InstalledDistribution, venv: str) -> tuple[str, bool]:
    """Return where pip puts a member, and whether its bytes stay as they are."""
    if not member.startswith(data):
        return f"{one.folder}/{member}", True
    kind, _, rest = member.removeprefix(data).partition("/")
    if kind in {"purelib", "platlib"}:
        return f"{one.folder}/{rest}", True
    if kind == "scripts":
        return f"{venv}/bin/{rest}", False  # the first line is made to name the interpreter
    if kind == "headers":
        python = one.folder.split("/")[-2]
        return f"{venv}/include/site/{python}/{one.name}/{rest}", True
    return f"{venv}/{rest}", True


def _wanted_scripts(entry_points: bytes) -> dict[str, dict[str, str]]:
    """Return the console and window scripts that a wheel asks for."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(entry_points.decode("utf-8", "replace"))
    except configparser.Error:
        return {}
    found = {}
    for section in ("console_scripts", "gui_scripts"):
        for name, value in parser.items(section) if parser.has_section(section) else ():
            module, _, function = value.partition("[")[0].strip().partition(":")
            first = function.strip().partition(".")[0]
            found[name] = {"module": module.strip(), "first": first, "function": function.strip()}
    return found
