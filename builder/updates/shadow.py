"""A copy of a project's recipes and locks to try changes in, and the way back, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from builder.io import read_bytes, remove, write_atomic
from builder.project import Project

__all__ = ["shadow_of", "write_back"]

_FOLDERS = ("recipes", "lock")


@contextmanager
def shadow_of(project: Project) -> Iterator[Project]:
    """Yield a project with copies of the recipes and locks, and with the store and places of `project`."""
    with TemporaryDirectory(prefix="lockwright-") as folder:
        root = Path(folder)
        for name in _FOLDERS:
            if (project.root / name).is_dir():
                shutil.copytree(project.root / name, root / name)
        yield replace(project, root=root)


def write_back(shadow: Project, project: Project) -> tuple[str, ...]:
    """Bring what changed in the copy into the project: recipes, then locks; return the paths.

    If a file cannot be written, and if the run is interrupted, those that were written get their old bytes.
    """
    after, before = _files_of(shadow.root), _files_of(project.root)
    changed = [
        path for path in sorted({*after, *before}, key=_recipes_first) if after.get(path) != before.get(path)
    ]
    done: list[str] = []
    try:
        for path in changed:
            done.append(path)
            _put_file(project.root / path, after.get(path))
    except BaseException:
        for path in reversed(done):
            _put_file(project.root / path, before.get(path))
        raise
    return tuple(changed)


def _recipes_first(path: str) -> tuple[bool, str]:
    return not path.startswith(f"{_FOLDERS[0]}/"), path


def _files_of(root: Path) -> Mapping[str, bytes]:
    return {
        path.relative_to(root).as_posix(): read_bytes(path)
        for name in _FOLDERS
        for path in sorted((root / name).rglob("*"))
        if path.is_file()
    }


def _put_file(path: Path, data: bytes | None) -> None:
    if data is not None:
        write_atomic(path, data)
    elif path.exists():
        remove(path)
