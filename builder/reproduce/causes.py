"""Why two builds differ: the causes that are known, and contents without what they vary.

Two contents that become equal when a cause is erased differ in nothing else.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from builder.json_text import parse_json

__all__ = ["CAUSES", "BuildConditions", "Cause", "Eraser", "dropped", "erasers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One kind of difference."""

    name: str
    meaning: str
    remedy: str
    harmless: bool = True
    """Whether contents that differ in nothing else count as identical after normalisation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildConditions:
    """What is known of the two builds: first and second."""

    hostnames: tuple[str, str] = ("", "")
    processors: tuple[int | None, int | None] = (None, None)


_ROWS = (
    Cause(
        name="archive-order",
        meaning="an archive holds the same members in another order",
        remedy="sort what goes in: `tar --sort=name`, `ar` with sorted arguments, `zip -X` of a sorted list",
    ),
    Cause(
        name="archive-metadata",
        meaning="members of an archive have other times, owners or modes",
        remedy="`ar rcD`, `tar --mtime=@$SOURCE_DATE_EPOCH --owner=0 --group=0 --numeric-owner`, `gzip -n`",
    ),
    Cause(
        name="build-id",
        meaning="the build id of a binary differs and nothing else does",
        remedy="link with -Wl,--build-id=none (nvcc names a symbol after its process id, and strip removes "
        "only the symbol); map the build folder's path with -ffile-prefix-map",
    ),
    Cause(
        name="build-time",
        meaning="the time of the build is in the file",
        remedy="let the tool use SOURCE_DATE_EPOCH; with gcc, -Wdate-time finds __DATE__ and __TIME__",
    ),
    Cause(
        name="bytecode",
        meaning="compiled Python, which holds the time of its source",
        remedy="PYTHONDONTWRITEBYTECODE=1, pip --no-compile; remove __pycache__ in the step that makes it",
    ),
    Cause(
        name="cache",
        meaning="a cache that a package manager or a tool left behind",
        remedy="remove it in the step that makes it: nothing in the image reads it",
    ),
    Cause(
        name="compression",
        meaning="the layer's tar is the same, but it was compressed differently",
        remedy="build with the engine version that the digest was recorded with",
    ),
    Cause(
        name="hostname",
        meaning="the name of the machine is in the file",
        remedy="keep it out of the step: set the tool's own switch, or HOSTNAME for tools that read it",
    ),
    Cause(
        name="identity",
        meaning="a key or an identifier that is drawn at random for each machine",
        remedy="remove it in the step that makes it; make it when the container starts",
        harmless=False,
    ),
    Cause(
        name="key-order",
        meaning="a JSON document has the same content in another order",
        remedy="let the writer sort the keys, or set PYTHONHASHSEED=0 in the step",
    ),
    Cause(
        name="layer-order",
        meaning="the layer holds the same members in another order",
        remedy="build with the engine version that the digest was recorded with",
    ),
    Cause(
        name="line-order",
        meaning="the same lines in another order, left by parallel or unsorted work",
        remedy="sort the output, or do this step with one job",
    ),
    Cause(
        name="locale-order",
        meaning="the same lines are sorted by the rules of another locale",
        remedy="LC_ALL=C in the step that sorts",
    ),
    Cause(
        name="lock",
        meaning="the images were built from different locks, so they need not be the same",
        remedy="`python -m builder diff` shows what was changed in the locks",
        harmless=False,
    ),
    Cause(
        name="log",
        meaning="a log, which holds times",
        remedy="remove it in the step that writes it",
    ),
    Cause(
        name="mtime",
        meaning="the file's time differs",
        remedy="export with rewrite-timestamp=true, and set times that lie before SOURCE_DATE_EPOCH by hand",
    ),
    Cause(
        name="owner",
        meaning="the file belongs to another user or group",
        remedy="install with fixed numbers: `install -o 0 -g 0`, `tar --no-same-owner`",
        harmless=False,
    ),
    Cause(
        name="password-date",
        meaning="the day on which an account was made is in the password file",
        remedy="SOURCE_DATE_EPOCH in the step that makes the account, or `chage -d 0`",
    ),
    Cause(
        name="processors",
        meaning="the number of processors, or of jobs, is in the file",
        remedy="do not record `make -j`, `nproc` and the like; give the step a fixed number if it matters",
    ),
    Cause(
        name="temporary-name",
        meaning="the random name of a temporary file is in the file",
        remedy="-ffile-prefix-map, -frandom-seed, or a fixed folder instead of mktemp",
    ),
    Cause(
        name="umask",
        meaning="the file's mode shows another umask",
        remedy="set modes explicitly: `install -m`, `chmod`, `umask 022` at the head of the step",
        harmless=False,
    ),
    Cause(
        name="unknown",
        meaning="no known cause",
        remedy="compare the two files; `diffoscope` shows what is in them",
        harmless=False,
    ),
)

CAUSES = {row.name: row for row in _ROWS}
"""All causes by name."""


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
        return json.dumps(_with_sorted_lists(parse_json(data)), sort_keys=True).encode()
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
