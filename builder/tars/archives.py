"""What is in an archive, entry by entry, for comparing two of them: tar in any packing, zip and wheel."""

from __future__ import annotations

__all__ = ["ArchiveEntry", "Contents", "UnreadableError", "read_contents"]

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builder.tars.packing import UnreadableError, open_unpacked, packing_of
from builder.tars.reader import ByteReader, TarBounds, content_sha256, read_tar
from builder.tars.zips import open_zip

_CHUNK = 2**20  # bytes
_LARGEST = 64 * 2**30  # bytes, unpacked: the larger of two archives is untrusted
_MOST = 2_000_000  # entries
_KINDS = {"file": "file", "directory": "directory", "symlink": "link", "hardlink": "link"}


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
            packing = packing_of(file.read(8))
            if packing == "zip":
                return Contents(packing="zip", entries=tuple(_zip_entries(path)))
            file.seek(0)
            with open_unpacked(file) as stream:
                hashed = _HashedStream(stream)
                entries = tuple(_tar_entries(hashed))
                while hashed.read(_CHUNK):
                    pass  # what follows the end mark belongs to the tar, too
        return Contents(packing=packing, entries=entries, unpacked=hashed.digest.hexdigest())
    except OSError as cause:
        raise UnreadableError(cause.strerror or str(cause)) from cause


class _HashedStream:
    """A stream that hashes what is read from it."""

    def __init__(self, stream: ByteReader) -> None:
        self._stream = stream
        self._size = 0
        self.digest = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        """Read, and hash."""
        data = self._stream.read(size)
        self._size += len(data)
        if self._size > _LARGEST:
            raise UnreadableError(f"unpacks to more than {_LARGEST} bytes")
        self.digest.update(data)
        return data


def _tar_entries(stream: ByteReader) -> Iterator[ArchiveEntry]:
    for member, content in read_tar(stream, TarBounds(members=_MOST, unpacked=_LARGEST)):
        is_file = member.kind == "file"
        yield ArchiveEntry(
            name=member.name,
            kind=_KINDS.get(member.kind, "special"),
            content=content_sha256(content) if is_file else member.link_name,
            time=str(member.mtime),
            owner=f"{member.uid}:{member.gid} {member.user}:{member.group}",
            mode=f"{member.mode:o}",
        )


def _zip_entries(path: Path) -> Iterator[ArchiveEntry]:
    with open_zip(path, TarBounds(members=_MOST, unpacked=_LARGEST)) as archive:
        for member in archive.members:
            folder = member.is_dir()
            with archive.open(member) as stream:
                content = "" if folder else content_sha256(stream)
            yield ArchiveEntry(
                name=member.filename.rstrip("/"),
                kind="directory" if folder else "file",
                content=content,
                time=str(member.date_time),
                owner=str(member.create_system),
                mode=f"{member.external_attr >> 16:o}",
            )
