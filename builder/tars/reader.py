"""The one reader of foreign tars: ustar, pax and GNU long names, in one pass and within bounds.

Python's `tarfile` is not used: a member of negative size sends it backwards for ever (CVE-2025-8194),
it ends silently at a damaged header, and it raises whatever a number or a sparse map makes of it.
This reader goes forwards only, so that its time grows with the bytes read. Whatever the bytes are, it
yields members or raises UnreadableError.
"""

from __future__ import annotations

__all__ = [
    "ByteReader",
    "MemberContent",
    "TarBounds",
    "TarMember",
    "content_sha256",
    "header_size",
    "read_tar",
]

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import BinaryIO, Literal, Protocol, cast

from builder.tars.packing import PackedStream, UnreadableError
from builder.tars.ustar import BLOCK

MemberKind = Literal["file", "directory", "symlink", "hardlink", "character device", "block device", "fifo"]

_CHUNK = 2**20  # bytes
_LONGEST_PATH = 4096  # bytes; Linux's PATH_MAX
_DEEPEST_PATH = 512  # components
_LARGEST_EXTENSION = 2**20  # bytes of a pax header or a long name; Go's archive/tar has the same limit
_MOST_EXTENSIONS = 32  # headers that belong to one member
_LARGEST_ID = 2**32 - 1  # Linux's uid_t, gid_t and mode_t
_LARGEST_SIZE = 2**63 - 1  # bytes
_LATEST = 253402300799  # seconds since 1970: the end of the year 9999, Python's last
_LONGEST_NUMBER = 20  # digits of a pax number: 2**64 has twenty

_KINDS: Mapping[bytes, MemberKind] = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"1": "hardlink",
    b"2": "symlink",
    b"3": "character device",
    b"4": "block device",
    b"5": "directory",
    b"6": "fifo",
}
_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK = (b"x", b"X"), b"g", b"L", b"K"
_SPARSE_FLAG, _SPARSE_KEYS = b"S", "GNU.sparse."
_OCTAL = re.compile(rb"[\0 ]*([0-7]*)(?:\0.*| [\0 ]*)?", re.DOTALL)
_PAX_LENGTH = re.compile(rb"([1-9][0-9]{0,7}) ")
_PAX_TIME = re.compile(rf"-?[0-9]{{1,{_LONGEST_NUMBER}}}(\.[0-9]{{0,{_LONGEST_NUMBER}}})?", re.ASCII)
_PAX_NUMBER = re.compile(rf"[0-9]{{1,{_LONGEST_NUMBER}}}", re.ASCII)

_HASHED_CHUNK = 2**20  # bytes


class ByteReader(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, and nothing only at the end."""


def content_sha256(stream: ByteReader) -> str:
    """Return the SHA-256 of all that `stream` still gives."""
    digest = hashlib.sha256()
    while chunk := stream.read(_HASHED_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class TarBounds:
    """What an archive may have; beyond it, UnreadableError."""

    members: int = 2_000_000
    unpacked: int = 64 * 2**30
    """Bytes of the archive without its packing."""
    names: int = 2**29
    """Bytes of all paths, link targets and pax records together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TarMember:
    """One member as its headers describe it; nothing is changed but a slash at the end of a directory."""

    path: bytes
    kind: MemberKind
    mode: int
    uid: int
    gid: int
    mtime: Decimal
    """Seconds since 1970, with the fraction that a pax header may have."""
    size: int = 0
    """Bytes of content; 0 for all but files, whatever the header says."""
    offset: int = 0
    """Where the content begins in the unpacked archive."""
    target: bytes = b""
    """Of a link; that of a hard link is the path of another member."""
    user: str = ""
    group: str = ""
    device: tuple[int, int] = (0, 0)
    pax: Mapping[str, str] = field(default_factory=dict)
    """Records of pax headers, extended attributes among them."""

    @property
    def name(self) -> str:
        """The path as text; bytes that are not UTF-8 become lone surrogates."""
        return self.path.decode("utf-8", "surrogateescape")

    @property
    def link_name(self) -> str:
        """The target as text, like `name`."""
        return self.target.decode("utf-8", "surrogateescape")


class MemberContent:
    """The content of the current member; it is gone when the next one is asked for."""

    def __init__(self, source: _CountedSource, size: int) -> None:
        self._source = source
        self.left = size
        """Bytes that were not read yet."""

    def read(self, size: int = -1, /) -> bytes:
        """Return exactly `size` bytes, or all that are left (UnreadableError where the archive ends)."""
        wanted = self.left if size < 0 else min(size, self.left)
        self.left -= wanted
        return self._source.read_exactly(wanted)

    def skip(self) -> None:
        """Go to the end of the content."""
        self._source.skip(self.left)
        self.left = 0


def read_tar(file: ByteReader, bounds: TarBounds | None = None) -> Iterator[tuple[TarMember, MemberContent]]:
    """Yield each member of an unpacked tar with its content, which is to be read before the next one.

    UnreadableError for a damaged archive, a member of a kind that is not read (sparse ones among
    them), and what exceeds `bounds`. Reading stops at the first block of zeros, as in every program.
    """
    bounds = bounds or TarBounds()
    source = _CountedSource(file, bounds.unpacked)
    shared: dict[str, str] = {}
    count = names = 0
    while (member := _next_member(source, shared)) is not None:
        count += 1
        names += len(member.path) + len(member.target) + _record_bytes(member.pax)
        if count > bounds.members:
            raise UnreadableError(f"has more than {bounds.members} members")
        if names > bounds.names:
            raise UnreadableError(f"has more than {bounds.names} bytes of names")
        if source.position + member.size > bounds.unpacked:
            raise UnreadableError(f"unpacks to more than {bounds.unpacked} bytes")
        content = MemberContent(source, member.size)
        yield member, content
        content.skip()
        source.skip(-member.size % BLOCK)


def header_size(block: bytes) -> int:
    """Return the size that one plain header block states (UnreadableError)."""
    _check_sum(block)
    return _header_number(block[124:136], "size", _LARGEST_SIZE)


class _CountedSource:
    """Bytes read one after the other, and how many."""

    def __init__(self, file: ByteReader, limit: int) -> None:
        self._file = file
        self._limit = limit
        plain: object = file.plain if isinstance(file, PackedStream) else file
        is_file = isinstance(plain, (io.BufferedReader, io.BufferedRandom, io.BytesIO))
        self._plain = cast("BinaryIO", plain) if is_file and cast("BinaryIO", plain).seekable() else None
        self.position = 0

    def read_up_to(self, size: int) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        pieces = []
        while size and (piece := self._file.read(min(size, _CHUNK))):
            self.position += len(piece)
            size -= len(piece)
            pieces.append(piece)
            if self.position > self._limit:
                raise UnreadableError(f"unpacks to more than {self._limit} bytes")
        return b"".join(pieces)

    def read_exactly(self, size: int) -> bytes:
        """Return `size` bytes (UnreadableError where there are fewer)."""
        data = self.read_up_to(size)
        if len(data) != size:
            raise UnreadableError("ends within a member")
        return data

    def skip(self, size: int) -> None:
        """Go forward by `size` bytes: by seeking where the file is plain, but for the last byte."""
        if self._plain is not None and size > _CHUNK:
            self._plain.seek(size - 1, io.SEEK_CUR)
            self.position += size - 1
            size = 1
        while size:
            size -= len(self.read_exactly(min(size, _CHUNK)))


def _next_member(source: _CountedSource, shared: dict[str, str]) -> TarMember | None:
    """Read headers up to the next member; None at the end. `shared` collects global pax records."""
    own: dict[str, str] = {}
    long_path = long_target = b""
    for _ in range(_MOST_EXTENSIONS):
        block = _header_block(source)
        if block is None:
            if own or long_path or long_target:
                raise UnreadableError("ends after a header that belongs to a member")
            return None
        flag = block[156:157]
        if flag in _PAX:
            own |= _pax_records(_extension_content(source, block))
        elif flag == _PAX_GLOBAL:
            shared |= _pax_records(_extension_content(source, block))
            if _record_bytes(shared) > _LARGEST_EXTENSION:
                raise UnreadableError("has too many global records")
        elif flag == _LONG_NAME:
            long_path = _until_nul(_extension_content(source, block))
        elif flag == _LONG_LINK:
            long_target = _until_nul(_extension_content(source, block))
        else:
            return _described_member(block, shared | own, long_path, long_target, source.position)
    raise UnreadableError(f"has more than {_MOST_EXTENSIONS} headers for one member")


def _header_block(source: _CountedSource) -> bytes | None:
    """Return the next header block, whose checksum is right; None at the end."""
    block = source.read_up_to(BLOCK)
    if not block and source.position == 0:
        raise UnreadableError("is empty")
    if not block.strip(b"\0") and len(block) in (0, BLOCK):
        return None
    if len(block) != BLOCK:
        raise UnreadableError("ends within a header")
    _check_sum(block)
    return block


def _extension_content(source: _CountedSource, block: bytes) -> bytes:
    """Return the content of a pax header or long name."""
    size = _header_number(block[124:136], "size", _LARGEST_SIZE)
    if size > _LARGEST_EXTENSION:
        raise UnreadableError(f"has a header of {size} bytes; at most {_LARGEST_EXTENSION} are read")
    data = source.read_exactly(size)
    source.skip(-size % BLOCK)
    return data


def _described_member(
    block: bytes, pax: Mapping[str, str], long_path: bytes, long_target: bytes, offset: int
) -> TarMember:
    flag = block[156:157]
    if flag == _SPARSE_FLAG or any(key.startswith(_SPARSE_KEYS) for key in pax):
        raise UnreadableError("has a sparse member, which is not read")
    kind = _KINDS.get(flag)
    if kind is None:
        raise UnreadableError(f"has a member of type {flag!r}, which is not read")
    path = _pax_bytes(pax, "path") or long_path or _ustar_path(block)
    if kind == "file" and flag == b"\0" and path.endswith(b"/"):
        kind = "directory"  # as before POSIX
    if kind == "directory":
        path = path.rstrip(b"/") or path[:1]
    target = _pax_bytes(pax, "linkpath") or long_target or _until_nul(block[157:257])
    is_link = kind in ("symlink", "hardlink")
    for text in (path, target if is_link else b""):
        _check_name(text)
    size = _pax_number(pax, "size", _LARGEST_SIZE)
    if size is None:
        size = _header_number(block[124:136], "size", _LARGEST_SIZE)
    uid = _pax_number(pax, "uid", _LARGEST_ID)
    gid = _pax_number(pax, "gid", _LARGEST_ID)
    return TarMember(
        path=path,
        kind=kind,
        mode=_header_number(block[100:108], "mode", _LARGEST_ID),
        uid=_header_number(block[108:116], "uid", _LARGEST_ID) if uid is None else uid,
        gid=_header_number(block[116:124], "gid", _LARGEST_ID) if gid is None else gid,
        mtime=_member_time(block[136:148], pax),
        size=size if kind == "file" else 0,
        offset=offset,
        target=target if is_link else b"",
        user=pax.get("uname") or _until_nul(block[265:297]).decode("utf-8", "surrogateescape"),
        group=pax.get("gname") or _until_nul(block[297:329]).decode("utf-8", "surrogateescape"),
        device=_device_number(block) if kind in ("character device", "block device") else (0, 0),
        pax=pax,
    )


def _ustar_path(block: bytes) -> bytes:
    name, prefix = _until_nul(block[:100]), b""
    if block[257:263] == b"ustar\0":  # GNU's own format has "ustar " here, and times where the prefix is
        prefix = _until_nul(block[345:500])
    return prefix + b"/" + name if prefix else name


def _check_name(name: bytes) -> None:
    if b"\0" in name:
        raise UnreadableError("has a name with a zero byte in it")
    if len(name) > _LONGEST_PATH or name.count(b"/") >= _DEEPEST_PATH:
        raise UnreadableError(
            f"has a path of {len(name)} bytes and {name.count(b'/') + 1} components; "
            f"at most {_LONGEST_PATH} and {_DEEPEST_PATH} are read"
        )


def _check_sum(block: bytes) -> None:
    """Raise UnreadableError unless the checksum is right; old programs added signed bytes."""
    stated = _header_number(block[148:156], "checksum", _LARGEST_ID)
    rest = block[:148] + b" " * 8 + block[156:]
    unsigned = sum(rest)
    if stated not in (unsigned, unsigned - 256 * sum(byte > 127 for byte in rest)):
        raise UnreadableError("has a damaged header, or is not a tar")


def _device_number(block: bytes) -> tuple[int, int]:
    return _header_number(block[329:337], "device", _LARGEST_ID), _header_number(
        block[337:345], "device", _LARGEST_ID
    )


def _member_time(data: bytes, pax: Mapping[str, str]) -> Decimal:
    stated = pax.get("mtime", "")
    if stated:
        if not _PAX_TIME.fullmatch(stated):
            raise UnreadableError(f"has the time {stated[:40]!r}, which is not a number of seconds")
        return _bounded_time(Decimal(stated))
    if data[:1] in (b"\x80", b"\xff"):
        value = int.from_bytes(data[1:], "big")
        return _bounded_time(Decimal(value if data[0] == 0x80 else value - 256 ** (len(data) - 1)))
    return _bounded_time(Decimal(_header_number(data, "time", _LARGEST_SIZE)))


def _bounded_time(time: Decimal) -> Decimal:
    if abs(time) > _LATEST:
        raise UnreadableError(f"has the time {time}, which is not in the years that a calendar has")
    return time


def _header_number(data: bytes, what: str, largest: int) -> int:
    """Return a number of a header: octal digits, or GNU's base 256; never a negative one."""
    if data[:1] == b"\x80":
        value = int.from_bytes(data[1:], "big")
    else:
        match = _OCTAL.fullmatch(data)
        if match is None:
            raise UnreadableError(f"has a header whose {what} is not a number that is at least 0")
        value = int(match[1] or b"0", 8)
    if value > largest:
        raise UnreadableError(f"has a header whose {what} is {value}; at most {largest} is read")
    return value


def _pax_number(pax: Mapping[str, str], key: str, largest: int) -> int | None:
    stated = pax.get(key, "")
    if not stated:
        return None
    if not _PAX_NUMBER.fullmatch(stated) or int(stated) > largest:
        raise UnreadableError(f"has a pax header whose {key} is {stated[:40]!r}; at most {largest} is read")
    return int(stated)


def _pax_bytes(pax: Mapping[str, str], key: str) -> bytes:
    return pax.get(key, "").encode("utf-8", "surrogateescape")


def _pax_records(data: bytes) -> dict[str, str]:
    """Read records of the form `LENGTH KEY=VALUE` and a line end, where the length counts all of it."""
    records = {}
    at = 0
    while at < len(data):
        match = _PAX_LENGTH.match(data, at)
        end = at + int(match[1]) if match else 0
        key, equals, value = data[match.end() : end - 1].partition(b"=") if match else (b"", b"", b"")
        if not key or not equals or end > len(data) or data[end - 1 : end] != b"\n":
            raise UnreadableError("has a damaged pax header")
        records[key.decode("utf-8", "surrogateescape")] = value.decode("utf-8", "surrogateescape")
        at = end
    return records


def _record_bytes(records: Mapping[str, str]) -> int:
    return sum(len(key) + len(value) for key, value in records.items())


def _until_nul(data: bytes) -> bytes:
    return data.partition(b"\0")[0]
