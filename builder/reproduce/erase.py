"""Contents without what is known to vary: two that become equal differ in nothing else."""

from __future__ import annotations

__all__ = ["Eraser", "dropped", "erasers"]

import json
import re
import struct
from collections.abc import Callable
from fnmatch import fnmatchcase

from builder.reproduce.causes import BuildConditions

Eraser = Callable[[bytes, BuildConditions], bytes]
"""From a content of either build and the conditions of both: what is equal stays equal."""

_DROPPED = (
    ("bytecode", ("*.pyc", "*.pyo")),
    ("log", ("var/log/*", "*.log")),
    (
        "cache",
        (
            "var/cache/*",
            "var/lib/apt/lists/*",
            "var/lib/dpkg/*-old",
            "*/uv_cache.json",
            "*/.cache/*",
            "*/icon-theme.cache",
            "*/__pycache__/*",
        ),
    ),
    (
        "identity",
        (
            "etc/machine-id",
            "var/lib/dbus/machine-id",
            "etc/ssh/ssh_host_*",
            "var/lib/systemd/random-seed",
            "etc/ssl/private/*",
        ),
    ),
)

_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_TIMES = re.compile(
    rb"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? )"
    rb"|" + _MONTH + rb" {1,2}[0-3]?\d(?:,? 20\d\d)?"
    rb"|[0-3]?\d[ -]" + _MONTH + rb"[ -]20\d\d"
    rb"|20\d\d[-/]?[01]\d[-/]?[0-3]\d(?:[T _-]?[0-2]\d:?[0-5]\d(?::?[0-5]\d)?)?"
    rb"|[0-2]?\d:[0-5]\d(?::[0-6]\d)?(?:[.,]\d{1,9})?"
    rb"|(?<![0-9A-Fa-f])(?:1[5-9]|2[0-3])\d{8}(?:[.,]?(?:\d{9}|\d{7}|\d{6}|\d{3}))?(?![0-9A-Fa-f])"
)
_TEMPORARY = re.compile(
    rb"/tmp/[A-Za-z0-9._-]*[A-Za-z0-9_]{6,}|\bcc[A-Za-z0-9]{6}\.(?:o|s|ltrans\d*)|\btmp[a-z0-9_]{8}\b"
)
_JOBS = rb"(?i)(\A(?=[0-9]+\s*\Z)|(?:-j|jobs|nproc|cpus?|cores|processors|threads|parallel)[^\n0-9]{0,12})"
_PASSWORD_DATE = re.compile(rb"(?m)^([^:\n]*:[^:\n]*:)\d+:")


def dropped(path: str) -> str:
    """Return the cause for which a file should not be there at all, or nothing."""
    for cause, patterns in _DROPPED:
        if any(fnmatchcase(path, pattern) for pattern in patterns):
            return cause
    return ""


def _password_date(data: bytes, _conditions: BuildConditions) -> bytes:
    return _PASSWORD_DATE.sub(rb"\1:", data)


def _build_time(data: bytes, _conditions: BuildConditions) -> bytes:
    return _TIMES.sub(b"TIME", data)


def _without_hostname(data: bytes, conditions: BuildConditions) -> bytes:
    for name in sorted(conditions.hostnames, key=len, reverse=True):
        data = data.replace(name.encode(), b"HOST") if name else data
    return data


def _temporary_name(data: bytes, _conditions: BuildConditions) -> bytes:
    return _TEMPORARY.sub(b"TEMPORARY", data)


def _without_processors(data: bytes, conditions: BuildConditions) -> bytes:
    counts = {b"%d" % count for count in conditions.processors if count is not None}
    if len(counts) != 2 or b"\0" in data[:4096]:
        return data
    number = b"(?:" + b"|".join(sorted(counts)) + rb")(?![0-9.])"
    return re.sub(_JOBS + number, rb"\1PROCESSORS", data)


def _build_id(data: bytes, _conditions: BuildConditions) -> bytes:
    """Blank the description of each build-id note of an ELF file."""
    if not data.startswith(b"\x7fELF"):
        return data
    big = data[5:6] == b"\2"
    order = ">" if big else "<"
    blank = bytearray(data)
    kind = struct.pack(f"{order}I", 3) + b"GNU\0"
    at = data.find(kind)
    while at >= 8:
        name, size = struct.unpack(f"{order}II", data[at - 8 : at])
        if name == 4 and 8 <= size <= 64:
            blank[at + len(kind) : at + len(kind) + size] = bytes(size)
        at = data.find(kind, at + 1)
    return bytes(blank)


def _key_order(data: bytes, _conditions: BuildConditions) -> bytes:
    if data.lstrip()[:1] not in (b"{", b"["):
        return data
    try:
        return json.dumps(_with_sorted_lists(json.loads(data)), sort_keys=True).encode()
    except (ValueError, RecursionError):
        return data


def _with_sorted_lists(value: object) -> object:
    """Sort lists of plain values too: they are often sets."""
    if isinstance(value, dict):
        return {key: _with_sorted_lists(inner) for key, inner in value.items()}
    if isinstance(value, list):
        inner = [_with_sorted_lists(item) for item in value]
        return sorted(inner, key=lambda item: json.dumps(item, sort_keys=True))
    return value


def _line_order(data: bytes, _conditions: BuildConditions) -> bytes:
    return data if b"\0" in data[:4096] else b"\n".join(sorted(data.splitlines()))


_ERASERS: tuple[tuple[str, Eraser], ...] = (
    ("hostname", _without_hostname),
    ("temporary-name", _temporary_name),
    ("build-time", _build_time),
    ("build-id", _build_id),
    ("processors", _without_processors),
    ("key-order", _key_order),
    ("line-order", _line_order),
)


def erasers(path: str) -> tuple[tuple[str, Eraser], ...]:
    """Return what may be erased from the file `path`, by the name of its cause, in the order of trying."""
    if path in ("etc/shadow", "etc/shadow-"):
        return (("password-date", _password_date),)
    return _ERASERS
