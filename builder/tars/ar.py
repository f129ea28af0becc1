"""Members of the Unix archive format `ar`, in which Debian packages and static libraries come."""

from __future__ import annotations

__all__ = ["ArMember", "read_ar"]

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from builder.tars.packing import UnreadableError

_MAGIC = b"!<arch>\n"
_HEADER = 60  # bytes
_SIZE = re.compile(rb"[0-9]{1,10} *")
_MOST_MEMBERS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ArMember:
    """One member: its sixteen bytes of name as they are, and where its content is in the file."""

    name: bytes
    stated: bytes
    """Time, owner, group and mode, as the header has them."""
    offset: int
    size: int


def read_ar(file: BinaryIO) -> Iterator[ArMember]:
    """Yield the members of a seekable file, which may be read from in between (UnreadableError)."""
    end = file.seek(0, 2)
    file.seek(0)
    if file.read(len(_MAGIC)) != _MAGIC:
        raise UnreadableError("is not an ar archive")
    at = len(_MAGIC)
    for _ in range(_MOST_MEMBERS):
        file.seek(at)
        header = file.read(_HEADER)
        if not header or header == b"\n":
            return
        stated_size = _SIZE.fullmatch(header[48:58])
        if len(header) != _HEADER or header[58:] != b"`\n" or stated_size is None:
            raise UnreadableError("has a damaged ar header")
        size = int(header[48:58])
        at += _HEADER
        if at + size > end:
            raise UnreadableError("ends within a member")
        yield ArMember(name=header[:16].rstrip(b" "), stated=header[16:48], offset=at, size=size)
        at += size + size % 2
    raise UnreadableError(f"has more than {_MOST_MEMBERS} members")
