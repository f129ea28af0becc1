"""What a wheel or a Debian package of the store holds, member by member, without installing it."""

from __future__ import annotations

__all__ = ["deb_contents", "wheel_contents"]

import hashlib
import tempfile
from pathlib import Path
from typing import BinaryIO

from builder.errors import FetchError
from builder.model import LockedMembers
from builder.rootfs.deb import DebMember, LockedDeb, read_deb
from builder.tars import TarBounds, UnreadableError, content_sha256, open_zip

_CHUNK = 2**20  # bytes
_LARGEST_TEXT = 2**24  # bytes
_LARGEST = 2**36  # bytes that one wheel may unpack to
_LINK = "-> "


def wheel_contents(path: Path) -> LockedMembers:
    """Return what a wheel holds (FetchError for a file that is none)."""
    members: dict[str, str] = {}
    modes: dict[str, int] = {}
    texts: dict[str, bytes] = {}
    try:
        with open_zip(path, TarBounds(unpacked=_LARGEST)) as archive:
            for info in archive.members:
                if info.is_dir():
                    continue
                with archive.open(info) as file:
                    members[info.filename] = content_sha256(file)
                modes[info.filename] = info.external_attr >> 16 & 0o7777
                kept = info.filename.endswith(".dist-info/entry_points.txt")
                if kept and info.file_size <= _LARGEST_TEXT:
                    texts[info.filename] = archive.read(info, _LARGEST_TEXT)
    except UnreadableError as cause:
        raise FetchError(f"cannot be read as a wheel: {cause}", place=path.name) from cause
    return LockedMembers(members=members, modes=modes, texts=texts)


def deb_contents(deb: LockedDeb) -> LockedMembers:
    """Return what a package holds; `texts` has the SHA-256 of each control file (FetchError)."""
    with tempfile.TemporaryFile() as spool:
        read = read_deb(deb, spool)
        files = {member.path: member for member in read.members if member.kind == "file"}
        members: dict[str, str] = {}
        for member in read.members:
            path = member.path.decode("utf-8", "surrogateescape")
            if member.kind == "link":
                members[path] = _LINK + member.target.decode("utf-8", "surrogateescape")
            elif member.kind != "directory":
                source = files.get(member.target, member) if member.kind == "hardlink" else member
                members[path] = _spooled_sha256(source, spool)
        modes = {m.path.decode("utf-8", "surrogateescape"): m.mode for m in read.members}
    control = {file.name: hashlib.sha256(file.data).hexdigest().encode() for file in read.control}
    return LockedMembers(members=members, modes=modes, texts=control)


def _spooled_sha256(member: DebMember, spool: BinaryIO) -> str:
    spool.seek(member.offset)
    digest, left = hashlib.sha256(), member.size
    while left and (chunk := spool.read(min(left, _CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest()
