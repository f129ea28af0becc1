"""Archives taken apart: what they hold, in their order, without what follows from it."""

from __future__ import annotations

__all__ = ["ArchiveMember", "members"]

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass

_LARGEST = 2**28  # bytes that one archive may unpack to
_AR, _THIN = b"!<arch>\n", 60
_DERIVED = ("/", "//", "/SYM64/", "__.SYMDEF")
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError, zlib.error, lzma.LZMAError,
           RuntimeError, NotImplementedError)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveMember:
    """One member: its name, made unique by a number where it is there twice, its metadata, its content."""

    name: str
    metadata: tuple[object, ...]
    data: bytes


def members(data: bytes) -> tuple[ArchiveMember, ...] | None:
    """Return what an ar, tar, zip, or compressed file holds; None for anything else, or a damaged one."""
    try:
        found = _members_of_any(data)
    except _BROKEN:
        return None
    return None if found is None else _uniquely_named(found)


def _members_of_any(data: bytes) -> list[ArchiveMember] | None:
    if data.startswith(_AR):
        return _ar_members(data)
    if data.startswith(b"PK\x03\x04"):
        return _zip_members(data)
    if data[257:262] == b"ustar":
        return _tar_members(data)
    return _compressed_member(data)


def _compressed_member(data: bytes) -> list[ArchiveMember] | None:
    metadata: tuple[object, ...] = ()
    if data.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            inner = file.read(_LARGEST)
        metadata = (data[3:10],)  # flags, time, level and system
    elif data.startswith(b"BZh"):
        inner = bz2.BZ2Decompressor().decompress(data, _LARGEST)
    elif data.startswith(b"\xfd7zXZ"):
        inner = lzma.LZMADecompressor().decompress(data, _LARGEST)
    else:
        return None
    if inner[257:262] == b"ustar":
        header = ArchiveMember(name="(compression)", metadata=metadata, data=b"")
        return [header, *_tar_members(inner)]
    return [ArchiveMember(name="(content)", metadata=metadata, data=inner)]


def _tar_members(data: bytes) -> list[ArchiveMember]:
    found = []
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for member in archive:
            metadata = (member.mtime, member.uid, member.gid, member.uname, member.gname, member.mode)
            content = archive.extractfile(member) if member.isreg() else None
            inner = content.read() if content is not None else f"{member.type!r} {member.linkname}".encode()
            found.append(ArchiveMember(name=member.name, metadata=metadata, data=inner))
    return found


def _zip_members(data: bytes) -> list[ArchiveMember]:
    found = []
    left = _LARGEST
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            left -= info.file_size
            if left < 0:
                raise ValueError(info.filename)
            metadata = (
                info.date_time,
                info.external_attr,
                info.extra,
                info.create_system,
                info.compress_type,
            )
            found.append(ArchiveMember(name=info.filename, metadata=metadata, data=archive.read(info)))
    return found


def _ar_members(data: bytes) -> list[ArchiveMember]:
    """Read the Unix archive format, GNU and BSD names; its tables follow from the members."""
    found: list[ArchiveMember] = []
    names = b""
    at = len(_AR)
    while at + _THIN <= len(data):
        header = data[at : at + _THIN]
        size = int(header[48:58])
        content = data[at + _THIN : at + _THIN + size]
        at += _THIN + size + size % 2
        name = header[:16].rstrip(b" ")
        if name == b"//":
            names = content
        elif name.startswith(b"/") and name[1:].isdigit():
            start = int(name[1:])
            name = names[start : names.index(b"\n", start)].rstrip(b"/")
        elif name.startswith(b"#1/"):
            length = int(name[3:])
            name, content = content[:length].rstrip(b"\0"), content[length:]
        text = name.decode("utf-8", "replace")
        if text not in _DERIVED:
            found.append(ArchiveMember(name=text.rstrip("/"), metadata=(header[16:48],), data=content))
    return found


def _uniquely_named(found: list[ArchiveMember]) -> tuple[ArchiveMember, ...]:
    seen: Counter[str] = Counter()
    unique = []
    for member in found:
        seen[member.name] += 1
        count = seen[member.name]
        name = member.name if count == 1 else f"{member.name}#{count}"
        unique.append(ArchiveMember(name=name, metadata=member.metadata, data=member.data))
    return tuple(unique)
