"""What is in an archive, entry by entry, for comparing two of them: tar in any packing, zip and wheel."""

from __future__ import annotations

__all__ = ["ArchiveEntry", "Contents", "UnreadableError", "read_contents"]

import bz2
import gzip
import hashlib
import lzma
import shutil
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

_CHUNK = 2**20  # bytes
_LARGEST = 64 * 2**30  # bytes, unpacked: the larger of two archives is untrusted
_MOST = 2_000_000  # entries
_PACKINGS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}
_BROKEN = (
    *(EOFError, OSError, ValueError, NotImplementedError, RuntimeError),
    *(lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, zlib.error),
)


class UnreadableError(Exception):
    """A file that is no archive, or a damaged one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveEntry:
    """One entry: what it is by itself, and what is only said about it."""

    name: str
    kind: str
    """`file`, `directory`, `link` or another word of its archive's."""
    content: str
    """The SHA-256 of a file's bytes, or where a link leads to."""
    time: str
    owner: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """An archive: how it is packed, its entries in order, and the SHA-256 of a tar without its packing."""

    packing: str
    entries: tuple[ArchiveEntry, ...]
    unpacked: str = ""


def read_contents(path: Path) -> Contents:
    """Read an archive; nothing is written. UnreadableError when it is none, or a damaged one."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
        packing = next((name for magic, name in _PACKINGS.items() if head.startswith(magic)), "none")
        if packing == "zip":
            return Contents(packing="zip", entries=tuple(_zip_entries(path)))
        with _open_unpacked(path, packing) as stream:
            hashed = _HashedStream(stream)
            with tarfile.open(fileobj=cast("IO[bytes]", hashed), mode="r|") as archive:
                entries = tuple(_tar_entries(archive))
            while hashed.read(_CHUNK):
                pass  # what follows the end mark belongs to the tar, too
        return Contents(packing=packing, entries=entries, unpacked=hashed.digest.hexdigest())
    except _BROKEN as cause:
        raise UnreadableError(str(cause) or type(cause).__name__) from cause


class _HashedStream:
    """A stream that hashes what is read from it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._size = 0
        self.digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Read, and hash."""
        data = self._stream.read(size)
        self._size += len(data)
        if self._size > _LARGEST:
            raise ValueError(f"unpacks to more than {_LARGEST} bytes")
        self.digest.update(data)
        return data


@contextmanager
def _open_unpacked(path: Path, packing: str) -> Iterator[IO[bytes]]:
    if packing == "zstd":
        with _open_zstd(path) as stream:
            yield stream
        return
    opened: dict[str, Callable[[BinaryIO], IO[bytes]]] = {
        "gzip": lambda file: cast("IO[bytes]", gzip.GzipFile(fileobj=file)),
        "bzip2": bz2.BZ2File,
        "xz": lzma.LZMAFile,
    }
    with path.open("rb") as file:
        yield opened[packing](file) if packing in opened else file


@contextmanager
def _open_zstd(path: Path) -> Iterator[IO[bytes]]:
    program = shutil.which("unzstd")
    if program is None:
        raise ValueError("it is packed with zstd, and the program unzstd is not installed")
    process = subprocess.Popen(
        [program, "--stdout", "--quiet", str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with process, cast("IO[bytes]", process.stdout) as stream:
        try:
            yield stream
        finally:
            process.kill()


def _tar_entries(archive: tarfile.TarFile) -> Iterator[ArchiveEntry]:
    for number, member in enumerate(archive):
        if number >= _MOST:
            raise ValueError(f"has more than {_MOST} entries")
        kind = "file" if member.isreg() else "directory" if member.isdir() else "link"
        kind = kind if kind != "link" or member.issym() or member.islnk() else "special"
        yield ArchiveEntry(
            name=member.name,
            kind=kind,
            content=_stream_sha256(archive.extractfile(member)) if member.isreg() else member.linkname,
            time=str(member.mtime),
            owner=f"{member.uid}:{member.gid} {member.uname}:{member.gname}",
            mode=f"{member.mode:o}",
        )


def _zip_entries(path: Path) -> Iterator[ArchiveEntry]:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > _MOST or sum(member.file_size for member in members) > _LARGEST:
            raise ValueError("is too large to compare")
        for member in members:
            folder = member.is_dir()
            yield ArchiveEntry(
                name=member.filename.rstrip("/"),
                kind="directory" if folder else "file",
                content="" if folder else _stream_sha256(archive.open(member)),
                time=str(member.date_time),
                owner=str(member.create_system),
                mode=f"{member.external_attr >> 16:o}",
            )


def _stream_sha256(stream: IO[bytes] | None) -> str:
    digest = hashlib.sha256()
    if stream is not None:
        with stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()
