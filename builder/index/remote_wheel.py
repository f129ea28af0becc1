"""A wheel read through the network: the parts that are asked for, and no more."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING

from packaging.utils import canonicalize_name

from builder.errors import FetchError
from builder.io import redacted
from builder.tars import UnreadableError, open_zip

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

__all__ = ["RemoteFile", "read_metadata_member"]

_BLOCK = 64 * 2**10  # bytes; holds directory and METADATA of nearly every wheel
_MOST_FETCHED = 2**28  # bytes
_LIMIT = 16 * 2**20  # bytes of one METADATA file


class RemoteFile(io.RawIOBase):
    """A seekable file of `size` bytes whose blocks are fetched by `fetch(start, end)` when first read."""

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        super().__init__()
        self._size = size
        self._fetch = fetch
        self._position = 0
        self._fetched = 0
        self._blocks: dict[int, bytes] = {}

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, and return the new position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("position before the start of the file")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer` from the position, as far as the file goes."""
        view = memoryview(buffer).cast("B")
        end = min(self._position + len(view), self._size)
        data = self._byte_range(self._position, end) if end > self._position else b""
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _byte_range(self, start: int, end: int) -> bytes:
        # Blocks are counted from the end: the tail with the directory is one of them.
        first, last = (self._size - end) // _BLOCK, (self._size - start - 1) // _BLOCK
        self._load_blocks(first, last)
        joined = b"".join(self._blocks[number] for number in range(last, first - 1, -1))
        offset = start - max(0, self._size - (last + 1) * _BLOCK)
        return joined[offset : offset + end - start]

    def _load_blocks(self, first: int, last: int) -> None:
        missing = [number for number in range(first, last + 1) if number not in self._blocks]
        if not missing:
            return
        low = max(0, self._size - (missing[-1] + 1) * _BLOCK)
        high = self._size - missing[0] * _BLOCK
        self._fetched += high - low
        if self._fetched > _MOST_FETCHED:
            raise UnreadableError(f"needs more than {_MOST_FETCHED} bytes of ranges for its directory")
        data = self._fetch(low, high)
        for number in range(missing[0], missing[-1] + 1):
            start = max(0, self._size - (number + 1) * _BLOCK) - low
            self._blocks[number] = data[start : self._size - number * _BLOCK - low]


def read_metadata_member(file: IO[bytes] | io.RawIOBase, *, name: str, place: str) -> bytes:
    """Return the METADATA member of the wheel of distribution `name`; FetchError when it has none."""
    try:
        with open_zip(file) as archive:
            for entry in archive.members:
                folder, _, member = entry.filename.partition("/")
                project = folder.removesuffix(".dist-info").partition("-")[0]
                if member != "METADATA" or canonicalize_name(project) != name:
                    continue
                if folder.endswith(".dist-info") and entry.file_size <= _LIMIT:
                    return archive.read(entry, _LIMIT)
    except UnreadableError as error:
        raise FetchError(f"is not a readable wheel ({error})", place=redacted(place)) from error
    raise FetchError("has no METADATA file", place=redacted(place))
