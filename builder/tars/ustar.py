"""Tar headers, written byte by byte: the same from every Python version and platform.

Those of a whole file system have owners and hard links besides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from builder.errors import FetchError

__all__ = ["BLOCK", "END", "Member", "entry_header", "header", "padding"]


BLOCK = 512  # bytes
END = bytes(2 * BLOCK)

_NAME, _PREFIX, _LINK = 100, 155, 100  # bytes that a ustar header has for each
_LARGEST = 8**11 - 1  # eleven octal digits
_TYPES = {"file": b"0", "link": b"2", "directory": b"5"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member; its path and link target are UTF-8, and a directory's path ends in no slash."""

    path: bytes
    kind: Literal["file", "link", "directory"]
    mode: int
    mtime: int
    size: int = 0
    target: bytes = b""


def header(member: Member) -> bytes:
    """Return the header blocks of `member`, owned by 0:0 without names.

    Plain ustar, with a pax header before it only where ustar cannot say it.
    FetchError when the time is out of range.
    """
    if not 0 <= member.mtime <= _LARGEST:
        raise FetchError(f"time {member.mtime} is outside of what a tar file can hold", place="canonical tar")
    path = member.path + b"/" if member.kind == "directory" else member.path
    records: dict[str, bytes] = {}
    split = _split_path(path)
    if split is None or not path.isascii():
        records["path"] = path
    if len(member.target) > _LINK or not member.target.isascii():
        records["linkpath"] = member.target
    if member.size > _LARGEST:
        records["size"] = str(member.size).encode("ascii")
    prefix, name = split or (b"", path[:_NAME])
    size = member.size if member.size <= _LARGEST else 0
    plain = replace(member, path=name, size=size, target=member.target[:_LINK])
    return _pax_header(records, member.mtime) + _header_block(plain, _TYPES[member.kind], prefix)


def padding(size: int) -> bytes:
    """Return the zeros that fill up the last block of `size` bytes of content."""
    return bytes(-size % BLOCK)


def _split_path(path: bytes) -> tuple[bytes, bytes] | None:
    """Return (prefix, name) that fit a ustar header, the prefix as short as possible; else None."""
    if len(path) <= _NAME:
        return b"", path
    cut = path.find(b"/", len(path) - _NAME - 1)
    if cut <= 0 or cut > _PREFIX or cut == len(path) - 1:
        return None
    return path[:cut], path[cut + 1 :]


def _pax_header(records: dict[str, bytes], mtime: int) -> bytes:
    """Return a pax extended header with `records`, sorted; nothing when there are none."""
    if not records:
        return b""
    body = b"".join(_pax_record(key.encode("ascii"), value) for key, value in sorted(records.items()))
    member = Member(path=b"././@PaxHeader", kind="file", mode=0o644, mtime=mtime, size=len(body))
    return _header_block(member, b"x", b"") + body + padding(len(body))


def _pax_record(key: bytes, value: bytes) -> bytes:
    """Return `LENGTH key=value`, where the length counts its own digits."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode("ascii") + rest


def _header_block(member: Member, kind: bytes, prefix: bytes) -> bytes:
    """Return one header block of type flag `kind`."""
    fields = (
        member.path.ljust(_NAME, b"\0"),
        b"%07o\0" % member.mode,
        b"%07o\0" % 0,  # user
        b"%07o\0" % 0,  # group
        b"%011o\0" % member.size,
        b"%011o\0" % member.mtime,
        b" " * 8,  # the checksum counts its own field as blanks
        kind,
        member.target.ljust(_LINK, b"\0"),
        b"ustar\x0000",
        bytes(32 + 32),  # user and group names
        b"%07o\0" % 0,  # device numbers
        b"%07o\0" % 0,
        prefix.ljust(_PREFIX, b"\0"),
        bytes(12),
    )
    block = b"".join(fields)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


_LINK_FLAG = b"1"
_UID, _GID, _SUM, _FLAG = slice(108, 116), slice(116, 124), slice(148, 156), slice(156, 157)


def entry_header(member: Member, *, uid: int = 0, gid: int = 0, hard: bool = False) -> bytes:
    """Return the header of `member` with its owner; `hard` turns a symbolic link into a hard one.

    The target of a hard link is the path of an earlier member, from the root.
    """
    data = header(member)
    if not (uid or gid or hard):
        return data
    block = bytearray(data[-BLOCK:])
    block[_UID] = b"%07o\0" % uid
    block[_GID] = b"%07o\0" % gid
    if hard:
        block[_FLAG] = _LINK_FLAG
    block[_SUM] = b" " * 8
    block[_SUM] = b"%06o\0 " % sum(block)
    return data[:-BLOCK] + bytes(block)
