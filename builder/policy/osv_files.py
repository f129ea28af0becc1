"""Advisories out of a folder, a zip or a JSON file: how databases in the OSV format are handed out."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from builder.errors import UsageError
from builder.io import read_bytes
from builder.policy.osv import Advisory, parse_advisory

__all__ = ["read_advisories"]

_RECORD_LIMIT = 64 * 2**20  # bytes of one file, unpacked


def read_advisories(path: Path) -> Iterator[Advisory]:
    """Yield every record below `path` that was not withdrawn (UsageError naming the file)."""
    for place, data in _record_files(path):
        for record in _file_records(data, place):
            advisory = parse_advisory(record, place=place)
            if advisory is not None:
                yield advisory


def _record_files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        found = sorted(path.rglob("*.json"))
        if not found:
            raise UsageError(
                "no JSON file in this folder", place=str(path), hint="name a folder of OSV records"
            )
        for file in found:
            yield str(file), _limited_record(read_bytes(file), str(file))
    elif zipfile.is_zipfile(path):
        yield from _zip_members(path)
    else:
        yield str(path), _limited_record(read_bytes(path), str(path))


def _zip_members(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".json"):
                    place = f"{path}: {name}"
                    with archive.open(name) as member:
                        yield place, _limited_record(member.read(_RECORD_LIMIT + 1), place)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise UsageError(f"cannot be read: {error}", place=str(path)) from error


def _limited_record(data: bytes, place: str) -> bytes:
    if len(data) > _RECORD_LIMIT:
        raise UsageError(f"it is larger than {_RECORD_LIMIT} bytes", place=place)
    return data


def _file_records(data: bytes, place: str) -> list[Any]:
    """Return the records of a file: one, a list, or what a service answers (`vulns`)."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}", place=place) from None
    if isinstance(value, dict) and isinstance(value.get("vulns"), list):
        return list(value["vulns"])
    return value if isinstance(value, list) else [value]
