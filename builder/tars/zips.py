"""The one reader of foreign zips and wheels, within bounds.

Python's `zipfile` reads them; whatever it raises over damaged bytes becomes UnreadableError here, and
what the directory says of sizes is not believed.
"""

from __future__ import annotations

__all__ = ["ZipReader", "open_zip"]

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Protocol, cast

from builder.tars.packing import UnreadableError
from builder.tars.reader import ByteReader, TarBounds

_LARGEST_DIRECTORY = 2**28  # bytes; that of a wheel with 100,000 files has ten million
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
_ENCRYPTED = 0x1
_BROKEN = (
    *(EOFError, OSError, ValueError, ArithmeticError, LookupError, RuntimeError, TypeError, AttributeError),
    *(struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)


class _SeekableFile(Protocol):
    def read(self, size: int = -1, /) -> bytes | None: ...

    def seek(self, offset: int, whence: int = 0, /) -> int: ...

    def tell(self) -> int: ...


@contextmanager
def open_zip(file: Path | _SeekableFile, bounds: TarBounds | None = None) -> Iterator[ZipReader]:
    """Give a reader of a zip; UnreadableError for a damaged one, or one beyond `bounds`."""
    if isinstance(file, Path):
        try:
            opened = file.open("rb")
        except OSError as cause:
            raise UnreadableError(cause.strerror or str(cause)) from cause
        with opened, open_zip(opened, bounds) as reader:
            yield reader
        return
    try:
        archive = zipfile.ZipFile(cast("IO[bytes]", _BoundedReads(file)))
    except _BROKEN as cause:
        raise UnreadableError(str(cause) or type(cause).__name__) from cause
    with archive:
        yield ZipReader(archive, bounds or TarBounds())


class ZipReader:
    """The members of a zip and their content; use `open_zip`."""

    def __init__(self, archive: zipfile.ZipFile, bounds: TarBounds) -> None:
        self._archive = archive
        self._left = bounds.unpacked
        self._limit = bounds.unpacked
        self.members = tuple(archive.infolist())
        if len(self.members) > bounds.members:
            raise UnreadableError(f"has more than {bounds.members} members")
        if not all(member.filename for member in self.members):
            raise UnreadableError("has a member without a name")

    @contextmanager
    def open(self, member: zipfile.ZipInfo) -> Iterator[ByteReader]:
        """Give the content of a member, piece by piece; its checksum is checked at the end."""
        if member.compress_type not in _METHODS or member.flag_bits & _ENCRYPTED:
            how = "encrypted" if member.flag_bits & _ENCRYPTED else f"packed by method {member.compress_type}"
            raise UnreadableError(f"{_shown_name(member)} is {how}, which is not read")
        try:
            content = self._archive.open(member)
        except _BROKEN as cause:
            raise UnreadableError(f"{_shown_name(member)}: {cause or type(cause).__name__}") from cause
        with content:
            yield _MemberReader(self, member, cast("BinaryIO", content))

    def read(self, member: zipfile.ZipInfo, limit: int) -> bytes:
        """Return the content of a member, of at most `limit` bytes (UnreadableError)."""
        with self.open(member) as content:
            pieces, left = [], limit + 1
            while left > 0 and (piece := content.read(left)):
                pieces.append(piece)
                left -= len(piece)
        if left <= 0:
            raise UnreadableError(f"{_shown_name(member)} is larger than {limit} bytes")
        return b"".join(pieces)

    def count(self, size: int) -> None:
        """Add `size` unpacked bytes to what was read of the archive (UnreadableError beyond the bound)."""
        self._left -= size
        if self._left < 0:
            raise UnreadableError(f"unpacks to more than {self._limit} bytes")


class _MemberReader:
    def __init__(self, reader: ZipReader, member: zipfile.ZipInfo, content: BinaryIO) -> None:
        self._reader = reader
        self._member = member
        self._content = content

    def read(self, size: int, /) -> bytes:
        try:
            data = self._content.read(size)
        except _BROKEN as cause:
            raise UnreadableError(f"{_shown_name(self._member)}: {cause or type(cause).__name__}") from cause
        self._reader.count(len(data))
        return data


class _BoundedReads:
    """A file of which no read is larger than the largest directory of a zip."""

    def __init__(self, file: _SeekableFile) -> None:
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        if size > _LARGEST_DIRECTORY:
            raise UnreadableError(f"has a directory of {size} bytes; at most {_LARGEST_DIRECTORY} are read")
        return self._file.read(_LARGEST_DIRECTORY if size < 0 else size) or b""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def _shown_name(member: zipfile.ZipInfo) -> str:
    return ascii(member.filename)[1:-1][:120]
