"""What an image has installed: OS packages of a dpkg or an RPM database, and Python distributions."""

from __future__ import annotations

import re
import sqlite3
import struct
import tempfile
from collections.abc import Iterator, Mapping
from email.parser import BytesHeaderParser
from pathlib import Path

from packaging.utils import canonicalize_name

from builder.errors import FetchError
from builder.model import Arch
from builder.resolve.debian import parse_status

__all__ = ["DATABASE_FOLDERS", "dpkg_packages", "is_package_file", "python_distributions", "rpm_packages"]

_DPKG = "var/lib/dpkg"
_STATUS = f"{_DPKG}/status"
_PARTS = f"{_DPKG}/status.d/"
DATABASE_FOLDERS = frozenset({"var", "var/lib", _DPKG, f"{_DPKG}/status.d"})
"""Folders above the databases; a link in place of one would hide a database from who reads by path."""

# Fedora moved the database from the first to the second, and left a link.
_RPM_FOLDERS = ("var/lib/rpm", "usr/lib/sysimage/rpm")
_RPM_DATABASE = "rpmdb.sqlite"
_RPM_FILES = (_RPM_DATABASE, f"{_RPM_DATABASE}-wal")
_RPM_OLD_FILES = {"Packages": "Berkeley DB", "Packages.db": "ndb"}

# Tags and types of an RPM header: include/rpm/rpmtag.h.
_NAME, _VERSION, _RELEASE, _EPOCH, _ARCH = 1000, 1001, 1002, 1003, 1022
_INT32, _STRING = 4, 6
_KEY = "gpg-pubkey"  # rpm lists each imported key as a package of this name

_METADATA = re.compile(
    r"(?P<folder>.*/(?:site|dist)-packages)/"
    r"(?:[^/]+\.dist-info/METADATA|[^/]+\.egg-info/PKG-INFO|[^/]+\.egg-info)"
)


def is_package_file(path: str) -> bool:
    """Say whether a file of an image belongs to a package database or is a Python distribution's metadata."""
    folder, _, name = path.rpartition("/")
    if folder in _RPM_FOLDERS:
        return name in _RPM_FILES or name in _RPM_OLD_FILES
    dpkg = path == _STATUS or (path.startswith(_PARTS) and not path.endswith(".md5sums"))
    return dpkg or _METADATA.fullmatch(path) is not None


def dpkg_packages(files: Mapping[str, bytes], arch: Arch, *, place: str) -> tuple[str, ...]:
    """Return sorted `name=version` rows of `status`, and of files of `status.d` (as in distroless).

    FetchError without a database, or for a package of a foreign architecture.
    """
    rows = {}
    for path, data in sorted(files.items()):
        if not path.startswith(f"{_DPKG}/"):
            continue
        for stanza in parse_status(_with_status(data) if path != _STATUS else data, place=f"{place}: {path}"):
            if stanza.arch not in (arch.debian, "all"):
                raise FetchError(f"has {stanza.name} of architecture {stanza.arch}", place=place)
            rows[stanza.name] = stanza.version
    if not rows:
        raise FetchError("has no dpkg database in its layers", place=place)
    return tuple(f"{name}={version}" for name, version in sorted(rows.items()))


def _with_status(data: bytes) -> bytes:
    """Add the state that files in `status.d` leave out: they are there because they are installed."""
    text = data.rstrip(b"\n") + b"\n"
    return text if b"\nStatus:" in b"\n" + text else text + b"Status: install ok installed\n"


def rpm_packages(files: Mapping[str, bytes], arch: Arch, *, place: str) -> tuple[str, ...]:
    """Return sorted rows `name=[epoch:]version-release` of an RPM database in SQLite, keys left out.

    FetchError without a database, for one of another format, for a name with
    two versions, and for a package of a foreign architecture.
    """
    rows: dict[str, str] = {}
    for data in _rpm_headers(files, place):
        header = _header_values(data, place)
        name = str(header.get(_NAME, ""))
        if name == _KEY:
            continue
        if not name or not header.get(_VERSION) or not header.get(_RELEASE):
            raise FetchError(
                f"has an RPM header without name, version or release: {name or '?'}", place=place
            )
        if header.get(_ARCH) not in (arch.rpm, "noarch"):
            raise FetchError(f"has {name} of architecture {header.get(_ARCH)}", place=place)
        if name in rows:
            raise FetchError(f"has {name} in two versions, which are not told apart here", place=place)
        epoch = f"{header[_EPOCH]}:" if header.get(_EPOCH) else ""
        rows[name] = f"{epoch}{header[_VERSION]}-{header[_RELEASE]}"
    if not rows:
        raise FetchError("has no package in its RPM database", place=place)
    return tuple(f"{name}={version}" for name, version in sorted(rows.items()))


def _rpm_headers(files: Mapping[str, bytes], place: str) -> list[bytes]:
    found = [folder for folder in _RPM_FOLDERS if f"{folder}/{_RPM_DATABASE}" in files]
    if len(found) != 1:
        raise _no_database_error(files, len(found), place)
    with tempfile.TemporaryDirectory() as folder:
        # SQLite itself adds what the write-ahead log holds.
        for name in _RPM_FILES:
            if (data := files.get(f"{found[0]}/{name}")) is not None:
                (Path(folder) / name).write_bytes(data)
        try:
            database = sqlite3.connect(Path(folder) / _RPM_DATABASE)
            try:
                return [bytes(row[0]) for row in database.execute("SELECT blob FROM Packages")]
            finally:
                database.close()
        except (sqlite3.Error, TypeError) as cause:
            raise FetchError(f"has an RPM database that cannot be read: {cause}", place=place) from cause


def _no_database_error(files: Mapping[str, bytes], count: int, place: str) -> FetchError:
    for name, form in _RPM_OLD_FILES.items():
        if not count and any(f"{folder}/{name}" in files for folder in _RPM_FOLDERS):
            hint = "write what `rpm -qa` lists into `inventory`, and who did into `inventory-by`"
            return FetchError(f"has an RPM database of format {form}, not SQLite", place=place, hint=hint)
    return FetchError(f"has {count or 'no'} RPM database{'s' * (count > 1)} in its layers", place=place)


def _header_values(data: bytes, place: str) -> dict[int, str | int]:
    """Return the values of one header that are a text or a number.

    A header is a count of entries and a count of data bytes, then the entries
    (tag, type, offset, count; four bytes each, big-endian), then the data.
    """
    try:
        entries, size = struct.unpack_from(">II", data)
        values = memoryview(data)[8 + 16 * entries :]
        if len(values) != size:
            raise FetchError("has an RPM header of another length than it says", place=place)
        found: dict[int, str | int] = {}
        for index in range(entries):
            tag, kind, offset, _ = struct.unpack_from(">IIII", data, 8 + 16 * index)
            if tag not in (_NAME, _VERSION, _RELEASE, _EPOCH, _ARCH):
                continue
            if kind == _INT32:
                found[tag] = struct.unpack_from(">I", values, offset)[0]
            elif kind == _STRING:
                found[tag] = bytes(values[offset:]).partition(b"\0")[0].decode()
    except (struct.error, UnicodeDecodeError) as cause:
        raise FetchError(f"has an RPM header that cannot be read: {cause}", place=place) from cause
    return found


def python_distributions(
    files: Mapping[str, bytes], python: str, *, place: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return sorted `name==version` rows of Python `python` (such as 3.12), and folders that do not count.

    Those of the distribution's own interpreter count, on sys.path from first
    to last; other folders are virtual environments and other Pythons.
    FetchError without any.
    """
    folders = _system_folders(python)
    rows: dict[str, str] = {}
    others = set()
    for folder, name, version in sorted(
        _installed_distributions(files, place),
        key=lambda row: folders.index(row[0]) if row[0] in folders else -1,
    ):
        if folder in folders:
            rows.setdefault(name, version)
        else:
            others.add(folder)
    if not rows:
        raise FetchError(f"has no distributions of Python {python} in its layers", place=place)
    return tuple(f"{name}=={version}" for name, version in sorted(rows.items())), tuple(sorted(others))


def _system_folders(python: str) -> tuple[str, ...]:
    """Return the folders of sys.path in order; Debian's are dist-packages, all others' site-packages."""
    return (
        f"usr/local/lib/python{python}/dist-packages",
        f"usr/local/lib64/python{python}/site-packages",
        f"usr/local/lib/python{python}/site-packages",
        "usr/lib/python3/dist-packages",
        f"usr/lib64/python{python}/site-packages",
        f"usr/lib/python{python}/site-packages",
    )


def _installed_distributions(files: Mapping[str, bytes], place: str) -> Iterator[tuple[str, str, str]]:
    """Yield folder, normalised name and version of each distribution's metadata."""
    for path, data in files.items():
        match = _METADATA.fullmatch(path)
        if match is None:
            continue
        headers = BytesHeaderParser().parsebytes(data)
        name, version = str(headers["Name"] or "").strip(), str(headers["Version"] or "").strip()
        if not name or not version:
            raise FetchError(f"has {path} without a name or a version", place=place)
        yield match["folder"], canonicalize_name(name), version
