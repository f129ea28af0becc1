"""Packages laid over one another in one tree with merged /usr, as dpkg would allow it, or not at all.

The result does not depend on the order of the packages: where two hold one
path, only a Replaces field decides, and without one it is an error.
"""

from __future__ import annotations

__all__ = ["MergedEntry", "MergedTree", "merge"]

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from builder.errors import FetchError
from builder.rootfs.deb import Deb, DebMember

_ALIASES = (b"bin", b"lib", b"sbin")
_ALIASES_OF = {"amd64": (b"lib64",)}
_FOLDER, _LINK = 0o755, 0o777


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedEntry:
    """What the tree has at one path: a member of a package (the first of its hard links), or our own."""

    path: bytes
    kind: Literal["file", "link", "directory"]
    member: DebMember
    package: str
    """Empty for a link or folder of merged /usr that no package holds."""

    @property
    def inode(self) -> tuple[str, bytes]:
        """What hard links to one file have in common."""
        return self.package, self.member.path


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedTree:
    """A whole tree by path, and what each package lost to one that replaces it, under its own names."""

    entries: Mapping[bytes, MergedEntry]
    replaced: Mapping[str, frozenset[bytes]]


def merge(debs: Sequence[Deb], *, arch: str) -> MergedTree:
    """Lay out `debs` for the architecture `arch` (Debian's word).

    FetchError, naming both packages and the path, where they exclude each
    other, and for a path below a link or below a directory that no package has.
    """
    aliases = (*_ALIASES, *_ALIASES_OF.get(arch, ()))
    packages = {deb.name: deb for deb in debs}
    if len(packages) != len(debs):
        raise FetchError("a package is listed twice", place="assembled base")
    entries = {entry.path: entry for entry in _alias_entries(aliases, debs)}
    replaced: dict[str, set[bytes]] = {}
    for deb in sorted(debs, key=lambda deb: deb.name):
        for name, entry in _package_entries(deb, aliases):
            there = entries.get(entry.path)
            kept = entry if there is None else _settled_entry(there, entry, packages)
            entries[entry.path] = kept
            if kept.kind != "directory" and kept.package != deb.name:
                replaced.setdefault(deb.name, set()).add(name)
            elif there is not None and kept is entry and kept.kind != "directory":
                replaced.setdefault(there.package, set()).update(_aliased_names(entry.path, aliases))
    _check_parents(entries)
    return MergedTree(entries=entries, replaced={name: frozenset(paths) for name, paths in replaced.items()})


def _alias_entries(aliases: Sequence[bytes], debs: Sequence[Deb]) -> Iterator[MergedEntry]:
    """Yield the links of merged /usr and their folders, at the newest time that any package knows."""
    newest = max((member.mtime for deb in debs for member in deb.members), default=0)
    for path in (b"usr", *(b"usr/" + alias for alias in aliases)):
        member = DebMember(path=path, kind="directory", mode=_FOLDER, uid=0, gid=0, mtime=newest)
        yield MergedEntry(path=path, kind="directory", member=member, package="")
    for path in aliases:
        target = b"usr/" + path
        member = DebMember(path=path, kind="link", mode=_LINK, uid=0, gid=0, mtime=newest, target=target)
        yield MergedEntry(path=path, kind="link", member=member, package="")


def _package_entries(deb: Deb, aliases: Sequence[bytes]) -> Iterator[tuple[bytes, MergedEntry]]:
    """Yield what one package brings: its own name for each, and the entry."""
    files: dict[bytes, DebMember] = {}
    seen: set[bytes] = set()
    for member in deb.members:
        if not member.path:
            continue
        path = _merged_path(member, aliases)
        if path in seen and member.kind != "directory":  # /lib and /usr/lib are both of one package at times
            raise FetchError("occurs twice", place=_path_place(deb.name, path))
        seen.add(path)
        if member.kind == "hardlink":
            source = files.get(member.target)
            if source is None:
                raise FetchError(
                    f"is a hard link to {member.target.decode()!r}, no earlier file of its package",
                    place=_path_place(deb.name, path),
                )
            if _member_rights(source) != _member_rights(member):
                raise FetchError(
                    f"is {_shown_member(member)}, "
                    f"and the file that it is a hard link to is {_shown_member(source)}",
                    place=_path_place(deb.name, path),
                )
            files[member.path] = source
            yield member.path, MergedEntry(path=path, kind="file", member=source, package=deb.name)
            continue
        if member.kind == "file":
            files[member.path] = member
        yield member.path, MergedEntry(path=path, kind=member.kind, member=member, package=deb.name)


def _merged_path(member: DebMember, aliases: Sequence[bytes]) -> bytes:
    """Return where a member is once /bin and its like are links to /usr/bin and its like."""
    first, slash, _ = member.path.partition(b"/")
    if first not in aliases or (not slash and member.kind == "link"):
        return member.path
    return b"usr/" + member.path


def _aliased_names(path: bytes, aliases: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the names that packages may have for a path of the tree."""
    yield path
    below = path.removeprefix(b"usr/")
    if below != path and below.partition(b"/")[0] in aliases:
        yield below


def _settled_entry(there: MergedEntry, entry: MergedEntry, packages: Mapping[str, Deb]) -> MergedEntry:
    """Return which of two entries with one path stays."""
    old, new = there.member, entry.member
    if there.kind == entry.kind == "directory":
        if _member_rights(old) == _member_rights(new) or not there.package:
            return max(there, entry, key=lambda one: (bool(one.package), one.member.mtime))
        raise _clash_error(there, entry, f"with modes {_shown_member(old)} and {_shown_member(new)}")
    if not there.package and old.target == new.target and entry.kind == "link":
        return entry
    if there.package and "directory" not in (there.kind, entry.kind):
        here, other = packages[entry.package], packages[there.package]
        over, under = _may_replace(here, other), _may_replace(other, here)
        if over != under:
            return entry if over else there
        raise _clash_error(
            there, entry, "and each replaces the other" if over else "and neither replaces the other"
        )
    raise _clash_error(there, entry, f"as {_kind_with_article(there)} and as {_kind_with_article(entry)}")


def _clash_error(there: MergedEntry, entry: MergedEntry, how: str) -> FetchError:
    first = f"the package {there.package}" if there.package else "merged /usr"
    return FetchError(
        f"is in {first} and in the package {entry.package}, {how}",
        place=f"assembled base: /{entry.path.decode()}",
        hint="these packages cannot be in one base",
    )


def _may_replace(deb: Deb, other: Deb) -> bool:
    from debian.debian_support import NativeVersion  # noqa: PLC0415 - with the rest of python-debian

    theirs = NativeVersion(other.version)
    for entry in deb.replaces:
        if entry.name != other.name:
            continue
        ours = NativeVersion(entry.version) if entry.relation else theirs
        holds = {
            "": True,
            "<<": theirs < ours,
            "<=": theirs <= ours,
            "=": theirs == ours,
            ">=": theirs >= ours,
            ">>": theirs > ours,
        }
        if holds.get(entry.relation, False):
            return True
    return False


def _check_parents(entries: Mapping[bytes, MergedEntry]) -> None:
    for path, entry in sorted(entries.items()):
        above = path.rpartition(b"/")[0]
        if not above:
            continue
        parent = entries.get(above)
        if parent is None:
            raise FetchError(
                "no package holds the directory above it", place=_path_place(entry.package, path)
            )
        if parent.kind != "directory":
            raise FetchError(
                f"is below {_kind_with_article(parent)} of the package {parent.package or 'merged /usr'}",
                place=_path_place(entry.package, path),
            )


def _kind_with_article(entry: MergedEntry) -> str:
    return {"file": "a file", "link": "a link", "directory": "a directory"}[entry.kind]


def _member_rights(member: DebMember) -> tuple[int, int, int]:
    return member.mode, member.uid, member.gid


def _shown_member(member: DebMember) -> str:
    return f"{member.mode:04o} {member.uid}:{member.gid}"


def _path_place(package: str, path: bytes) -> str:
    return f"{package}: /{path.decode()}"
