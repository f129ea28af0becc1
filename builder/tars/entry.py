"""Tar headers of a whole file system: as those of `ustar`, with owners and hard links."""

from __future__ import annotations

__all__ = ["entry_header"]

from builder.tars.ustar import BLOCK, Member, header

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
