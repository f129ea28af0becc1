"""Two contents of one file: which causes explain every difference between them.

Archives are taken apart: what they hold, in their order, without what follows from it.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections import Counter
from dataclasses import dataclass

from builder.reproduce.causes import CAUSES, BuildConditions, dropped, erasers
from builder.tars import TarBounds, UnreadableError, open_zip, read_ar, read_tar

__all__ = ["ArchiveMember", "Explained", "explain", "members"]


_LARGEST = 2**28  # bytes that one archive may unpack to
_AR = b"!<arch>\n"
_DERIVED = ("/", "//", "/SYM64/", "__.SYMDEF")
_BROKEN = (UnreadableError, EOFError, OSError, ValueError, zlib.error, lzma.LZMAError,
           RuntimeError, NotImplementedError)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveMember:
    """One member: its name, made unique by a number where it is there twice, its metadata, its content."""

    name: str
    metadata: tuple[object, ...]
    data: bytes


def members(data: bytes) -> tuple[ArchiveMember, ...] | None:
    """Return what an ar, tar, zip, or compressed file holds; None for anything else, or a damaged one."""
    try:
        found = _members_of_any(data)
    except _BROKEN:
        return None
    return None if found is None else _uniquely_named(found)


def _members_of_any(data: bytes) -> list[ArchiveMember] | None:
    if data.startswith(_AR):
        return _ar_members(data)
    if data.startswith(b"PK\x03\x04"):
        return _zip_members(data)
    if data[257:262] == b"ustar":
        return _tar_members(data)
    return _compressed_member(data)


def _compressed_member(data: bytes) -> list[ArchiveMember] | None:
    metadata: tuple[object, ...] = ()
    if data.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            inner = file.read(_LARGEST)
        metadata = (data[3:10],)  # flags, time, level and system
    elif data.startswith(b"BZh"):
        inner = bz2.BZ2Decompressor().decompress(data, _LARGEST)
    elif data.startswith(b"\xfd7zXZ"):
        inner = lzma.LZMADecompressor().decompress(data, _LARGEST)
    else:
        return None
    if inner[257:262] == b"ustar":
        header = ArchiveMember(name="(compression)", metadata=metadata, data=b"")
        return [header, *_tar_members(inner)]
    return [ArchiveMember(name="(content)", metadata=metadata, data=inner)]


def _tar_members(data: bytes) -> list[ArchiveMember]:
    found = []
    for member, content in read_tar(io.BytesIO(data)):
        metadata = (member.mtime, member.uid, member.gid, member.user, member.group, member.mode)
        inner = content.read() if member.kind == "file" else f"{member.kind} {member.link_name}".encode()
        found.append(ArchiveMember(name=member.name, metadata=metadata, data=inner))
    return found


def _zip_members(data: bytes) -> list[ArchiveMember]:
    found = []
    with open_zip(io.BytesIO(data), TarBounds(unpacked=_LARGEST)) as archive:
        for info in archive.members:
            metadata = (
                info.date_time,
                info.external_attr,
                info.extra,
                info.create_system,
                info.compress_type,
            )
            found.append(
                ArchiveMember(name=info.filename, metadata=metadata, data=archive.read(info, _LARGEST))
            )
    return found


def _ar_members(data: bytes) -> list[ArchiveMember]:
    """Read the Unix archive format, GNU and BSD names; its tables follow from the members."""
    found: list[ArchiveMember] = []
    names = b""
    for member in read_ar(io.BytesIO(data)):
        content = data[member.offset : member.offset + member.size]
        name = member.name
        if name == b"//":
            names = content
        elif name.startswith(b"/") and name[1:].isdigit():
            start = int(name[1:])
            name = names[start : names.index(b"\n", start)].rstrip(b"/")
        elif name.startswith(b"#1/"):
            length = int(name[3:])
            name, content = content[:length].rstrip(b"\0"), content[length:]
        text = name.decode("utf-8", "replace")
        if text not in _DERIVED:
            found.append(ArchiveMember(name=text.rstrip("/"), metadata=(member.stated,), data=content))
    return found


def _uniquely_named(found: list[ArchiveMember]) -> tuple[ArchiveMember, ...]:
    seen: Counter[str] = Counter()
    unique = []
    for member in found:
        seen[member.name] += 1
        count = seen[member.name]
        name = member.name if count == 1 else f"{member.name}#{count}"
        unique.append(ArchiveMember(name=name, metadata=member.metadata, data=member.data))
    return tuple(unique)


_DEPTH = 4  # archives in archives
_SHOWN = 24  # bytes
_STRIDE = 2**16  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Causes that together explain a difference, and where it is."""

    causes: tuple[str, ...]
    detail: str = ""

    @property
    def harmless(self) -> bool:
        """Whether the contents are the same once these causes are taken away."""
        return all(CAUSES[name].harmless for name in self.causes)


def explain(path: str, first: bytes, second: bytes, conditions: BuildConditions) -> Explained:
    """Return why two contents of `path`, which differ, may do so."""
    return _explain_contents(path, first, second, conditions, 0)


def _explain_contents(
    path: str, first: bytes, second: bytes, conditions: BuildConditions, depth: int
) -> Explained:
    cause = dropped(path)
    if cause:
        return Explained(causes=(cause,))
    if depth < _DEPTH:
        left, right = members(first), members(second)
        if left is not None and right is not None:
            return _explain_archives(left, right, conditions, depth)
    causes = _causes_that_erase(path, first, second, conditions)
    return Explained(causes=causes or ("unknown",), detail=_first_difference_shown(first, second))


def _explain_archives(
    left: tuple[ArchiveMember, ...], right: tuple[ArchiveMember, ...], conditions: BuildConditions, depth: int
) -> Explained:
    names, others = [member.name for member in left], [member.name for member in right]
    if sorted(names) != sorted(others):
        only = sorted(set(names) ^ set(others))
        return Explained(causes=("unknown",), detail=f"only in one of the archives: {', '.join(only[:3])}")
    causes = {"archive-order"} if names != others else set()
    by_name = {member.name: member for member in right}
    details = []
    for member in left:
        other = by_name[member.name]
        if member.metadata != other.metadata:
            causes.add("archive-metadata")
        if member.data != other.data:
            inner = _explain_contents(member.name, member.data, other.data, conditions, depth + 1)
            causes.update(inner.causes)
            details.append(f"in {member.name}: {inner.detail}" if inner.detail else f"in {member.name}")
    # Everything in them is the same: what is left is how it was packed.
    return Explained(causes=tuple(sorted(causes or {"archive-metadata"})), detail="; ".join(details[:3]))


def _causes_that_erase(
    path: str, first: bytes, second: bytes, conditions: BuildConditions
) -> tuple[str, ...]:
    """Return the fewest causes whose traces, erased on both sides, leave the same; none when all do not."""
    needed = [name for name, _ in erasers(path)]
    if not _same_without(path, first, second, conditions, needed):
        return ()
    for name, _ in reversed(erasers(path)):
        fewer = [one for one in needed if one != name]
        if fewer and _same_without(path, first, second, conditions, fewer):
            needed = fewer
    if needed == ["line-order"] and _by_locale(first.splitlines(), second.splitlines()):
        return ("locale-order",)
    return tuple(sorted(needed))


def _same_without(
    path: str, first: bytes, second: bytes, conditions: BuildConditions, names: list[str]
) -> bool:
    return _without_causes(path, first, conditions, names) == _without_causes(path, second, conditions, names)


def _without_causes(path: str, data: bytes, conditions: BuildConditions, names: list[str]) -> bytes:
    for name, erase in erasers(path):
        if name in names:
            data = erase(data, conditions)
    return data


def _by_locale(first: list[bytes], second: list[bytes]) -> bool:
    """Whether one is sorted by bytes and the other as languages do: letters first, case and signs later."""
    for plain, other in ((first, second), (second, first)):
        if plain == sorted(plain):
            keys = [_collation_key(line) for line in other]
            return keys == sorted(keys)
    return False


def _collation_key(line: bytes) -> str:
    text = line.decode("utf-8", "replace").casefold()
    return "".join(character for character in text if character.isalnum())


def _first_difference_shown(first: bytes, second: bytes) -> str:
    """Show the first difference."""
    at = 0
    while first[at : at + _STRIDE] == second[at : at + _STRIDE]:
        at += _STRIDE
    pairs = zip(first[at : at + _STRIDE], second[at : at + _STRIDE], strict=False)
    shorter = min(len(first), len(second)) - at
    at += next((index for index, (left, right) in enumerate(pairs) if left != right), shorter)
    start = max(0, at - 8)
    return f"at byte {at}: {first[start : at + _SHOWN]!r} and {second[start : at + _SHOWN]!r}"
