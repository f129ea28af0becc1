"""The files of an image as they end up after all its layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["ElfObject", "FileFact", "ImageFiles", "LockedMembers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFact:
    """One path of an image: what it is, its digests where it is a file, and the layer that put it there."""

    path: str
    """Without a leading slash."""
    kind: str
    """`file`, `symlink`, `directory`, or another word."""
    mode: int
    size: int
    layer: int
    """Counted from 0."""
    sha256: str = ""
    md5: str = ""
    """Only where a package manager's own list has nothing better to compare."""
    target: str = ""
    """Of a link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfObject:
    """What the dynamic section of a program or shared object says."""

    machine: int
    """`e_machine` of its header."""
    needed: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    """Of RUNPATH, else of RPATH, with `$ORIGIN` as it stands."""
    interpreter: str = ""
    """The dynamic linker that a program names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFiles:
    """All paths of an image, the contents of those that explain others, and what each layer holds."""

    files: Mapping[str, FileFact]
    contents: Mapping[str, bytes]
    layers: tuple[tuple[str, ...], ...]
    """All paths that each layer holds, but folders, also those that later layers replace or remove."""
    config: Mapping[str, object] = field(default_factory=dict)
    """The image's own settings: Env, Cmd, Entrypoint, Labels."""
    objects: Mapping[str, ElfObject] = field(default_factory=dict)
    """Programs and shared objects by path."""
    strange: tuple[str, ...] = ()
    """What a layer holds that no layer may: paths that leave the image, names that hide."""

    def text(self, path: str) -> str:
        """Return the content of a path that was kept, as text; empty if it is missing."""
        return self.contents.get(path, b"").decode("utf-8", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedMembers:
    """What the locked file of a row, read from the store, holds: each member's path and SHA-256."""

    members: Mapping[str, str]
    """Paths as the file has them; a link is written `-> target`."""
    modes: Mapping[str, int]
    texts: Mapping[str, bytes]
    """Contents of the members that explain others, such as entry_points.txt."""
