"""A part of a seekable file, read as if it were a file of its own."""

from __future__ import annotations

__all__ = ["open_section"]

import io
from typing import BinaryIO


def open_section(file: BinaryIO, offset: int, size: int) -> io.BufferedReader:
    """Return bytes `offset` to `offset` + `size` of `file`; closing it leaves `file` open."""
    return io.BufferedReader(_FileSection(file, offset, size))


class _FileSection(io.RawIOBase):
    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        super().__init__()
        self._file = file
        self._offset = offset
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        self._file.seek(self._offset + self._position)
        data = self._file.read(max(0, min(len(buffer), self._size - self._position)))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
