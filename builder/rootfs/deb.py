"""One binary package of Debian: what its control archive says, and what its data archive holds.

The contents of files go to a spool, so that a whole system can be put in order
without holding it in memory. Nothing of a package is executed.
"""

from __future__ import annotations

__all__ = ["ControlFile", "Deb", "DebMember", "LockedDeb", "Replacement", "read_control", "read_deb"]

import shutil
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from typing import BinaryIO, Literal

from builder.errors import DigestMismatchError, FetchError
from builder.tars import check_path

_UNREADABLE = (EOFError, LZMAError, OSError, UnicodeError, tarfile.TarError, zlib.error)
_KINDS: dict[bytes, Literal["file", "link", "directory", "hardlink"]] = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.SYMTYPE: "link",
    tarfile.DIRTYPE: "directory",
    tarfile.LNKTYPE: "hardlink",
}
_LARGEST_CONTROL_FILE = 2**24  # bytes; the largest of Debian's is about 2**19
_STATIC_IDS = (range(100), range(60000, 65000), range(65534, 65535))  # Debian Policy, 9.2.2


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedDeb:
    """A package as a lock names it, and the file that is said to be it."""

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

    FetchError for a file that is no package, or holds what no base may: an
    unsafe path, a device, an owner without a fixed number.
    DigestMismatchError when it is another package than it should be. A part
    packed with zstd needs the program `unzstd`.
    """
    from debian.arfile import ArError  # noqa: PLC0415 - costs 60 ms, and few commands need it
    from debian.debfile import DebFile  # noqa: PLC0415 - as above

    place = f"{locked.name} {locked.version}"
    try:
        with locked.path.open("rb") as file, DebFile(fileobj=file) as package:
            control = tuple(_control_files(package.control.tgz(), place))
            members = tuple(_deb_members(package.data.tgz(), spool, place))
    except (ArError, *_UNREADABLE) as cause:
        raise FetchError(f"cannot be read as a Debian package: {cause}", place=place) from cause
    stanza = next((file.data for file in control if file.name == "control"), b"").strip(b"\n")
    return _parsed_deb(locked, stanza, tuple(f for f in control if f.name != "control"), members)


def read_control(locked: LockedDeb) -> bytes:
    """Return the control file of a package, without reading what it installs.

    FetchError for a file that is no package; DigestMismatchError when it is
    another package than it should be.
    """
    from debian.arfile import ArError  # noqa: PLC0415 - as above
    from debian.debfile import DebFile  # noqa: PLC0415 - as above

    place = f"{locked.name} {locked.version}"
    try:
        with locked.path.open("rb") as file, DebFile(fileobj=file) as package:
            control = tuple(_control_files(package.control.tgz(), place))
    except (ArError, *_UNREADABLE) as cause:
        raise FetchError(f"cannot be read as a Debian package: {cause}", place=place) from cause
    paragraph = next((file.data for file in control if file.name == "control"), b"").strip(b"\n")
    return _parsed_deb(locked, paragraph, (), ()).stanza


def _parsed_deb(
    locked: LockedDeb, stanza: bytes, control: tuple[ControlFile, ...], members: tuple[DebMember, ...]
) -> Deb:
    from debian.deb822 import Deb822  # noqa: PLC0415 - as above

    fields = Deb822(stanza)
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


def _control_files(archive: tarfile.TarFile, place: str) -> Iterator[ControlFile]:
    for info in archive:
        name = str(info.name).removeprefix("./")
        if info.isdir() and name in ("", "."):
            continue
        content = archive.extractfile(info) if info.isreg() else None
        if content is None or "/" in name or not name.isascii() or info.size > _LARGEST_CONTROL_FILE:
            raise FetchError(
                f"its control archive holds {name[:80]!r}, which is not a plain file", place=place
            )
        yield ControlFile(name=name, mode=info.mode & 0o7777, data=content.read())


def _deb_members(archive: tarfile.TarFile, spool: BinaryIO, place: str) -> Iterator[DebMember]:
    for info in archive:
        path = _member_path(info.name, archive, place)
        where = f"{place}: {path.decode()}"
        kind = _KINDS.get(info.type)
        if kind is None:
            raise FetchError("is a device or another entry that a base may not hold", place=where)
        for number in (info.uid, info.gid):
            if not any(number in fixed for fixed in _STATIC_IDS):
                raise FetchError(f"belongs to {number}, which is not a fixed user or group", place=where)
        target = b""
        if kind == "hardlink":
            target = _member_path(info.linkname, archive, where)
        elif kind == "link":
            target = _raw_name(info.linkname, archive)
            if not target or b"\0" in target or b"\n" in target:
                raise FetchError("is a link to an impossible path", place=where)
        offset = spool.tell()
        if kind == "file" and (content := archive.extractfile(info)) is not None:
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


def _member_path(name: str, archive: tarfile.TarFile, place: str) -> bytes:
    """Return a member's path without `./` before it; FetchError unless it stays inside."""
    path = _raw_name(name, archive)
    if path in (b".", b"./"):
        return b""
    path = path.removeprefix(b"./").removesuffix(b"/")
    check_path(path, place)
    if any(part.startswith(b".wh.") for part in path.split(b"/")):
        raise FetchError(f"{path.decode()!r} would be taken for a deletion by image layers", place=place)
    return path


def _raw_name(name: str, archive: tarfile.TarFile) -> bytes:
    """Return the bytes of a name, whatever the locale made of them."""
    return str(name).encode(archive.encoding or "utf-8", "surrogateescape")
