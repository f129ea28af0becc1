"""Files without their packing: gzip, bzip2, xz and zstd, recognised by their first bytes.

Whatever the bytes are, a stream gives bytes or raises UnreadableError.
"""

from __future__ import annotations

__all__ = ["PackedStream", "UnreadableError", "open_unpacked", "packing_of"]

import bz2
import gzip
import lzma
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol, cast

_PACKINGS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}
_MAGIC = 6  # bytes: the longest of them
_CHUNK = 2**16  # bytes
_XZ_MEMORY = 2**28  # bytes; `xz -9` needs 65 MiB to unpack, and a header may ask for 4 GiB
_BROKEN = (EOFError, OSError, ValueError, lzma.LZMAError, zlib.error)


class UnreadableError(Exception):
    """A file that is not an archive, is damaged, or exceeds the bounds; the text says which."""


class _StreamUnpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def packing_of(head: bytes) -> str:
    """Return gzip, bzip2, xz, zstd or zip by the first bytes of a file; else none."""
    return next((name for magic, name in _PACKINGS.items() if head.startswith(magic)), "none")


@contextmanager
def open_unpacked(file: BinaryIO) -> Iterator[PackedStream]:
    """Give what is packed in `file` (from its position, seekable) as a stream; what is not, as it is.

    UnreadableError for a zip, and for zstd where the program `unzstd` is not installed.
    """
    start = file.tell()
    packing = packing_of(file.read(_MAGIC))
    file.seek(start)
    if packing == "zip":
        raise UnreadableError("is a zip, not a tar")
    if packing == "zstd":
        with _open_zstd(file) as stream:
            yield PackedStream(stream)
    elif packing == "gzip":
        with gzip.GzipFile(fileobj=file) as unpacked:
            yield PackedStream(cast("BinaryIO", unpacked))
    elif packing in ("bzip2", "xz"):
        yield PackedStream(_ManyStreams(file, packing))
    else:
        yield PackedStream(file, plain=True)


class _ReadableStream(Protocol):
    def read(self, size: int, /) -> bytes: ...


class PackedStream:
    """A stream whose only error is UnreadableError."""

    def __init__(self, stream: _ReadableStream, *, plain: bool = False) -> None:
        self._stream = stream
        self._is_plain = plain

    @property
    def plain(self) -> _ReadableStream | None:
        """The file itself, where it is not packed."""
        return self._stream if self._is_plain else None

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, and nothing only at the end."""
        try:
            return self._stream.read(size)
        except _BROKEN as cause:
            raise UnreadableError(str(cause) or type(cause).__name__) from cause


class _ManyStreams:
    """The streams of a bzip2 or xz file, one after the other, unpacked with bounded memory."""

    def __init__(self, file: BinaryIO, packing: str) -> None:
        self._file = file
        self._packing = packing
        self._unpacker = self._new_unpacker()
        self._waiting = b""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; nothing only at the end."""
        while True:
            if self._unpacker.eof:
                rest = self._unpacker.unused_data.lstrip(b"\0")
                while not rest and (piece := self._file.read(_CHUNK)):
                    rest = piece.lstrip(b"\0")
                if not rest:
                    return b""
                self._unpacker, self._waiting = self._new_unpacker(), rest
            if self._unpacker.needs_input and not self._waiting:
                self._waiting = self._file.read(_CHUNK)
                if not self._waiting:
                    raise EOFError(f"the {self._packing} file ends early")
            given, self._waiting = self._waiting, b""
            data = self._unpacker.decompress(given, size)
            if data:
                return data

    def _new_unpacker(self) -> _StreamUnpacker:
        if self._packing == "xz":
            return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        return bz2.BZ2Decompressor()


class _ProgramOutput:
    """What a program writes, which counts only when the program ends well."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._stream = cast("BinaryIO", process.stdout)

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; nothing only at the end."""
        data = self._stream.read(size)
        if not data and self._process.wait():
            raise EOFError("the zstd file is damaged, or ends early")
        return data


@contextmanager
def _open_zstd(file: BinaryIO) -> Iterator[_ProgramOutput]:
    program = shutil.which("unzstd")
    if program is None:
        raise UnreadableError("it is packed with zstd, and the program unzstd is not installed")
    with tempfile.TemporaryFile() as packed:
        shutil.copyfileobj(file, packed)
        packed.seek(0)
        process = subprocess.Popen(
            [program, "--stdout", "--quiet"],
            stdin=packed,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        with process:
            try:
                yield _ProgramOutput(process)
            finally:
                process.kill()
