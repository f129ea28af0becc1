"""One binary package of Debian: what its control archive says, and what its data archive holds.

The contents of files go to a spool, so that a whole system can be put in order
without holding it in memory. Nothing of a package is executed.
"""

from __future__ import annotations

__all__ = ["ControlFile", "Deb", "DebMember", "LockedDeb", "Replacement", "read_control", "read_deb"]

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from builder.errors import DigestMismatchError, FetchError
from builder.io import open_regular
from builder.tars import (
    ArMember,
    MemberContent,
    TarBounds,
    TarMember,
    UnreadableError,
    check_path,
    open_section,
    open_unpacked,
    packing_of,
    read_ar,
    read_tar,
)

_KINDS: dict[str, Literal["file", "link", "directory", "hardlink"]] = {
    "file": "file",
    "symlink": "link",
    "directory": "directory",
    "hardlink": "hardlink",
}
_EXTENSIONS = {"none": b"", "gzip": b".gz", "xz": b".xz", "zstd": b".zst", "bzip2": b".bz2"}
_PART = re.compile(rb"(control|data)\.tar(\.gz|\.xz|\.zst|\.bz2)?")
_LARGEST_CONTROL_FILE = 2**24  # bytes; the largest of Debian's is about 2**19
_CONTROL_BOUNDS = TarBounds(members=1000, unpacked=2**28)
_DATA_BOUNDS = TarBounds(members=500_000, unpacked=2**35)
_STATIC_IDS = (range(100), range(60000, 65000), range(65534, 65535))  # Debian Policy, 9.2.2


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedDeb:
    """A package as a lock names it, and the file to compare with it."""

    name: str
    version: str
    arch: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlFile:
    """A member of the control archive, such as `postinst`."""

    name: str
    mode: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DebMember:
    """A member of the data archive, under the package's own name for it, without a leading `./`.

    Owners are numbers; `mtime` is in seconds since 1970; `offset` is where the
    spool holds a file's `size` bytes; `target` is that of a link, and for a
    hard link the path of the member it repeats. The root itself has the path b"".
    """

    path: bytes
    kind: Literal["file", "link", "directory", "hardlink"]
    mode: int
    uid: int
    gid: int
    mtime: int
    size: int = 0
    offset: int = 0
    target: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """One entry of a Replaces field; `relation` is empty where any version is meant."""

    name: str
    relation: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deb:
    """A package that was read; `members` and `control` are in the order of the archives."""

    name: str
    version: str
    arch: str
    multi_arch: str
    replaces: tuple[Replacement, ...]
    stanza: bytes
    """The control file itself, without empty lines around it."""
    control: tuple[ControlFile, ...]
    """The rest of the control archive."""
    members: tuple[DebMember, ...]

    def control_file(self, name: str) -> bytes:
        """Return the content of a control file; empty when the package has none."""
        return next((file.data for file in self.control if file.name == name), b"")


def read_deb(locked: LockedDeb, spool: BinaryIO) -> Deb:
    """Read a package, and append the contents of its files to `spool`.

    FetchError for a file that is not a package, or holds what no base may: an
    unsafe path, a device, an owner without a fixed number.
    DigestMismatchError when it is another package than it should be. A part
    packed with zstd needs the program `unzstd`.
    """
    place = f"{locked.name} {locked.version}"
    with _opened_package(locked, place) as (file, parts):
        with _open_part(file, parts, "control") as part:
            control = tuple(_control_files(part, place))
        with _open_part(file, parts, "data") as part:
            members = tuple(_deb_members(part, spool, place))
    stanza = next((file.data for file in control if file.name == "control"), b"").strip(b"\n")
    return _parsed_deb(locked, stanza, tuple(f for f in control if f.name != "control"), members)


def read_control(locked: LockedDeb) -> bytes:
    """Return the control file of a package, without reading what it installs.

    FetchError for a file that is not a package; DigestMismatchError when it is
    another package than it should be.
    """
    place = f"{locked.name} {locked.version}"
    with _opened_package(locked, place) as (file, parts), _open_part(file, parts, "control") as part:
        control = tuple(_control_files(part, place))
    paragraph = next((file.data for file in control if file.name == "control"), b"").strip(b"\n")
    return _parsed_deb(locked, paragraph, (), ()).stanza


@contextmanager
def _opened_package(locked: LockedDeb, place: str) -> Iterator[tuple[BinaryIO, dict[str, ArMember]]]:
    """Give the file, and its parts `control` and `data` (FetchError for anything but a package)."""
    try:
        with open_regular(locked.path) as file:
            yield file, _package_parts(file)
    except (UnreadableError, OSError) as cause:
        raise FetchError(f"cannot be read as a Debian package: {cause}", place=place) from cause


def _package_parts(file: BinaryIO) -> dict[str, ArMember]:
    """Find the parts of a package of format 2 (deb(5))."""
    parts: dict[str, ArMember] = {}
    for number, member in enumerate(read_ar(file)):
        name = member.name.rstrip(b"/")
        if number == 0:
            file.seek(member.offset)
            if name != b"debian-binary" or not file.read(min(member.size, 4)).startswith(b"2."):
                raise UnreadableError("does not begin with debian-binary of format 2")
        elif match := _PART.fullmatch(name):
            part = match[1].decode("ascii")
            if part in parts:
                raise UnreadableError(f"has two members {part}.tar")
            parts[part] = member
    for part in ("control", "data"):
        if part not in parts:
            raise UnreadableError(f"has no member {part}.tar")
    return parts


@contextmanager
def _open_part(
    file: BinaryIO, parts: Mapping[str, ArMember], part: Literal["control", "data"]
) -> Iterator[Iterator[tuple[TarMember, MemberContent]]]:
    bounds = _CONTROL_BOUNDS if part == "control" else _DATA_BOUNDS
    member = parts[part]
    with open_section(file, member.offset, member.size) as packed:
        packing = packing_of(packed.peek(8))
        if member.name.rstrip(b"/").rpartition(b".tar")[2] != _EXTENSIONS.get(packing):
            raise UnreadableError(f"its {member.name.decode('ascii')} is packed as {packing}")
        with open_unpacked(packed) as stream:
            yield read_tar(stream, bounds)


def _parsed_deb(
    locked: LockedDeb, stanza: bytes, control: tuple[ControlFile, ...], members: tuple[DebMember, ...]
) -> Deb:
    from debian.deb822 import Deb822  # noqa: PLC0415 - costs 60 ms, and few commands need it

    try:
        fields = Deb822(stanza.decode("utf-8"))
    except ValueError as cause:
        raise FetchError(
            f"its control file cannot be read: {cause}", place=f"{locked.name} {locked.version}"
        ) from cause
    expected = (locked.name, locked.version, locked.arch)
    actual = tuple(fields.get(key, "") for key in ("Package", "Version", "Architecture"))
    if actual != expected or b"\n\n" in stanza:
        raise DigestMismatchError(
            f"its file is the package {' '.join(actual)}", place=" ".join(expected), hint="fetch it again"
        )
    return Deb(
        name=locked.name,
        version=locked.version,
        arch=locked.arch,
        multi_arch=fields.get("Multi-Arch", "no"),
        replaces=tuple(_replacements_in(fields.get("Replaces", ""))),
        stanza=stanza,
        control=control,
        members=members,
    )


def _replacements_in(field: str) -> Iterator[Replacement]:
    from debian.deb822 import PkgRelation  # noqa: PLC0415 - as above

    for alternatives in PkgRelation.parse_relations(field) if field.strip() else ():
        for entry in alternatives:
            relation, version = entry["version"] or ("", "")
            yield Replacement(name=entry["name"], relation=relation, version=version)


def _control_files(members: Iterable[tuple[TarMember, MemberContent]], place: str) -> Iterator[ControlFile]:
    for info, content in members:
        name = info.name.removeprefix("./")
        if info.kind == "directory" and name in ("", "."):
            continue
        if info.kind != "file" or "/" in name or not name.isascii() or info.size > _LARGEST_CONTROL_FILE:
            raise FetchError(
                f"its control archive holds {name[:80]!r}, which is not a plain file", place=place
            )
        yield ControlFile(name=name, mode=info.mode & 0o7777, data=content.read())


def _deb_members(
    archive: Iterable[tuple[TarMember, MemberContent]], spool: BinaryIO, place: str
) -> Iterator[DebMember]:
    for info, content in archive:
        path = _member_path(info.path, place)
        where = f"{place}: {path.decode()}"
        kind = _KINDS.get(info.kind)
        if kind is None:
            raise FetchError("is a device or another entry that a base may not hold", place=where)
        for number in (info.uid, info.gid):
            if not any(number in fixed for fixed in _STATIC_IDS):
                raise FetchError(f"belongs to {number}, which is not a fixed user or group", place=where)
        target = b""
        if kind == "hardlink":
            target = _member_path(info.target, where)
        elif kind == "link":
            target = info.target
            if not target or b"\n" in target:
                raise FetchError("is a link to an impossible path", place=where)
        offset = spool.tell()
        if kind == "file":
            shutil.copyfileobj(content, spool)
        yield DebMember(
            path=path,
            kind=kind,
            mode=info.mode & 0o7777,
            uid=info.uid,
            gid=info.gid,
            mtime=int(info.mtime),
            size=spool.tell() - offset,
            offset=offset,
            target=target,
        )


def _member_path(path: bytes, place: str) -> bytes:
    """Return a member's path without `./` before it; FetchError unless it stays inside."""
    if path in (b".", b"./"):
        return b""
    path = path.removeprefix(b"./").removesuffix(b"/")
    check_path(path, place)
    if any(part.startswith(b".wh.") for part in path.split(b"/")):
        raise FetchError(f"{path.decode()!r} would be taken for a deletion by image layers", place=place)
    return path
