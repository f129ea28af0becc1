"""Folders that a program writes whole: replaced in one step, and never one that others wrote in."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from builder.errors import UsageError
from builder.json_text import parse_json

__all__ = ["replace_folder"]

_FOLDER_MODE = 0o755
_FILE_MODE = 0o644


def replace_folder(folder: Path, files: Mapping[str, bytes], *, record: str) -> None:
    """Make `files`, by their paths, the whole content of `folder`: all of them, or the old ones stay.

    `record` is the name of one more file, which lists the SHA-256 of the others. A folder with
    content is replaced only if it has this record and nothing but the unchanged files that it
    lists: UsageError otherwise, and where the file system refuses. The new folder is made beside
    the old one and renamed, so nobody sees half of it.
    """
    for name in files:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise UsageError(f"{name!r} does not lie below the folder", place=str(folder))
    try:
        _check_own(folder, record)
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".tmp"))
        try:
            _write_files(made, files, record)
            _exchange_folders(made, folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as cause:
        raise UsageError(
            f"cannot be written: {cause.strerror or cause}",
            place=str(folder),
            hint="name another folder with --output",
        ) from cause


def _write_files(folder: Path, files: Mapping[str, bytes], record: str) -> None:
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    listed = json.dumps({"sha256": digests}, indent=1, ensure_ascii=False) + "\n"
    for name, data in {**files, record: listed.encode()}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(_FILE_MODE)
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(_FOLDER_MODE)


def _exchange_folders(made: Path, folder: Path) -> None:
    """Put `made` in the place of `folder`; the old folder ends inside `made`'s old name and is deleted."""
    if not folder.exists():
        made.rename(folder)
        return
    old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".old"))
    try:
        folder.rename(old / "old")
        try:
            made.rename(folder)
        except BaseException:
            (old / "old").rename(folder)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _check_own(folder: Path, record: str) -> None:
    """Refuse a folder that holds anything but what this function wrote there (UsageError)."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError("is not a folder", place=str(folder), hint="name another one with --output")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    listed = _recorded_digests(folder / record)
    found = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or not path.is_dir()
    }
    for name, path in found.items():
        if name == record:
            continue
        if path.is_symlink() or listed.get(name) != hashlib.sha256(path.read_bytes()).hexdigest():
            raise UsageError(
                f"has {name!r}, which no earlier run wrote there, or which was changed since",
                place=str(folder),
                hint="name another folder with --output, or remove this one yourself",
            )


def _recorded_digests(path: Path) -> dict[str, str]:
    """Return what an earlier run recorded; nothing if there is no readable record."""
    try:
        digests = parse_json(path.read_bytes())["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {str(name): str(digest) for name, digest in digests.items()} if isinstance(digests, dict) else {}
