"""The two sides of a comparison: names and bytes of lock files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from builder.errors import LockError, UsageError
from builder.io import read_bytes
from builder.model import Arch

__all__ = ["Side", "Sides", "is_lock_name", "sides_of_files", "sides_of_folders", "sides_of_places"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a comparison."""

    label: str
    names: frozenset[str]
    """Every lock there is, by its path; `files` has those that can differ."""
    files: Mapping[str, bytes]
    places: Mapping[str, str]
    """What people call each file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Both sides; names are the same where the same lock is meant."""

    before: Side
    after: Side

    @property
    def names(self) -> frozenset[str]:
        """Every lock of either side."""
        return self.before.names | self.after.names


def sides_of_places(before: Path, after: Path) -> Sides:
    """Read two locks, or the locks of two folders (UsageError, LockError)."""
    if before.is_dir() != after.is_dir():
        raise UsageError("one is a folder, the other a file", place=f"{before} {after}")
    labels = (str(before), str(after))
    if before.is_dir():
        return sides_of_folders(before, after, labels=labels)
    left, right = (read_bytes(path, error=LockError) for path in (before, after))
    return sides_of_files((labels[0], left), (labels[1], right))


def sides_of_files(before: tuple[str, bytes | None], after: tuple[str, bytes | None]) -> Sides:
    """Return two sides of one file each, given as label and content; without content there is no file."""
    return Sides(before=_file_side(*before), after=_file_side(*after))


def _file_side(label: str, data: bytes | None) -> Side:
    files = {} if data is None else {"": data}
    return Side(label=label, names=frozenset(files), files=files, places=dict.fromkeys(files, label))


def sides_of_folders(before: Path, after: Path, *, labels: tuple[str, str]) -> Sides:
    """Read the locks below two folders; of a project's folder those in its lock folder (UsageError)."""
    return Sides(before=_folder_side(before, labels[0]), after=_folder_side(after, labels[1]))


def _folder_side(path: Path, label: str) -> Side:
    root, shown = (path / "lock", f"{label}/lock") if (path / "lock").is_dir() else (path, label)
    files = (item for item in sorted(root.rglob("*.toml")) if item.is_file() and is_lock_name(item.name))
    found = {item.relative_to(root).as_posix(): item for item in files}
    if not found:
        raise UsageError("this folder has no lock", place=label)
    return Side(
        label=label,
        names=frozenset(found),
        files={name: read_bytes(item, error=LockError) for name, item in found.items()},
        places={name: f"{shown.rstrip('/')}/{name}" for name in found},
    )


def is_lock_name(path: str) -> bool:
    """Say whether a file is named as locks are: other files live beside them."""
    return path.endswith(tuple(f"-{arch}.toml" for arch in Arch))
