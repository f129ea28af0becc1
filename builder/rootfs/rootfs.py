"""Packages to one canonical tar of an unpacked, unconfigured system, on any host.

The tar is a function of the packages alone: members sorted by path, numeric
owners, modes and times as the packages have them, merged /usr, hard links
named after the first of their paths. What dpkg would have written while
unpacking is there too (`dpkg_database`), at the newest time of the packages.
No maintainer script has run; that is the second stage, inside the image.
"""

from __future__ import annotations

__all__ = ["LockedDeb", "write_rootfs_tar"]

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from builder.errors import FetchError
from builder.rootfs.deb import Deb, DebMember, LockedDeb, read_deb
from builder.rootfs.dpkg_database import database
from builder.rootfs.merged_tree import MergedEntry, merge
from builder.tars import END, Member, entry_header, padding

_CHUNK = 2**20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _WrittenMember:
    """A file or folder of our own making."""

    mode: int
    data: bytes | None
    """None for a folder."""


def write_rootfs_tar(
    debs: Sequence[LockedDeb], sink: BinaryIO, *, arch: str, latest: int | None = None
) -> str:
    """Write the tar of a system made of `debs` to `sink` and return its SHA-256.

    `arch` is Debian's word; `latest` bounds every time, in seconds since 1970.
    The order of `debs` does not matter. FetchError for packages that cannot be
    in one system, or hold what no base may; DigestMismatchError for a file that
    is another package than it should be.
    """
    for deb in debs:
        if deb.arch not in (arch, "all"):
            raise FetchError(f"is for {deb.arch}, not for {arch}", place=f"{deb.name} {deb.version}")
    digest = hashlib.sha256()
    with tempfile.TemporaryFile() as spool:
        read = [read_deb(deb, spool) for deb in sorted(debs, key=lambda deb: deb.name)]
        for piece in _tar_pieces(read, spool, arch, latest):
            digest.update(piece)
            sink.write(piece)
    return digest.hexdigest()


def _tar_pieces(debs: Sequence[Deb], spool: BinaryIO, arch: str, latest: int | None) -> Iterator[bytes]:
    """Yield the tar file piece by piece."""
    tree = merge(debs, arch=arch)
    own = _with_folders(
        database(debs, tree.replaced, lambda member: _member_content(member, spool)), tree.entries
    )
    newest = max(entry.member.mtime for entry in tree.entries.values())
    bound = newest if latest is None else min(newest, latest)
    first: dict[tuple[str, bytes], bytes] = {}
    for path in sorted({*tree.entries, *own}):
        if path in own:
            yield from _own_pieces(path, own[path], bound)
            continue
        entry = tree.entries[path]
        earlier = first.setdefault(entry.inode, path)
        yield from _entry_pieces(entry, spool, bound, earlier)
    yield END


def _with_folders(
    files: Mapping[bytes, tuple[int, bytes]], entries: Mapping[bytes, MergedEntry]
) -> dict[bytes, _WrittenMember]:
    """Return the database's files, and the folders that no package brought for them."""
    own: dict[bytes, _WrittenMember] = {}
    for path, (mode, data) in files.items():
        if path in entries:
            raise FetchError("is a file of dpkg's own", place=f"{entries[path].package}: /{path.decode()}")
        own[path] = _WrittenMember(mode=mode, data=data)
        parts = path.split(b"/")
        for depth in range(1, len(parts)):
            above = b"/".join(parts[:depth])
            if above not in entries:
                own[above] = _WrittenMember(mode=0o755, data=None)
    return own


def _own_pieces(path: bytes, written: _WrittenMember, mtime: int) -> Iterator[bytes]:
    if written.data is None:
        yield entry_header(Member(path=path, kind="directory", mode=written.mode, mtime=mtime))
        return
    size = len(written.data)
    yield entry_header(Member(path=path, kind="file", mode=written.mode, mtime=mtime, size=size))
    yield written.data + padding(size)


def _entry_pieces(entry: MergedEntry, spool: BinaryIO, bound: int, earlier: bytes) -> Iterator[bytes]:
    member = entry.member
    hard = earlier != entry.path

    header = Member(
        path=entry.path,
        kind="link" if hard else entry.kind,
        mode=member.mode,
        mtime=min(member.mtime, bound),
        size=0 if hard or entry.kind != "file" else member.size,
        target=earlier if hard else member.target,
    )
    yield entry_header(header, uid=member.uid, gid=member.gid, hard=hard)
    if header.size:
        spool.seek(member.offset)
        left = member.size
        while left:
            piece = spool.read(min(left, _CHUNK))
            if not piece:
                raise FetchError("the spool ended early", place=entry.path.decode())
            left -= len(piece)
            yield piece
        yield padding(member.size)


def _member_content(member: DebMember, spool: BinaryIO) -> bytes:
    spool.seek(member.offset)
    return spool.read(member.size)
