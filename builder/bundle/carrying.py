"""A bundle of a project's locks: made of its store, and received into another project's store and locks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from builder.bundle.bundle import make_bundle
from builder.bundle.contents import Bundle, contents
from builder.errors import FetchError, LockError
from builder.io import read_bytes, write_atomic
from builder.lockfile import Lock, load_lock
from builder.locks import lock_path, read_locks, select_locks
from builder.project import Project
from builder.provision import fill_images, fill_package_lists, fill_store
from builder.render import Inputs
from builder.selection import Selection
from builder.store import Staging

__all__ = ["collect_bundle", "receive_bundle"]


def collect_bundle(project: Project, selection: Selection, *, apt: bool) -> tuple[Bundle, dict[str, bytes]]:
    """Bring into the store what the selected locks need, and return its table of contents and the locks."""
    read = read_locks(project, select_locks(project, selection))
    locks = [lock for lock, _ in read]
    fill_store(project, locks, Inputs.STORE)
    fill_images(project, locks)
    if apt:
        fill_package_lists(project, locks)
    files = contents(locks, project.store.read, apt=apt)
    texts = {lock.target.path: data for lock, data in read}
    return make_bundle(texts, files, project.store, apt=apt), texts


def receive_bundle(
    project: Project, bundle: Bundle, locks: Mapping[str, bytes], staged: Staging, *, place: str
) -> None:
    """Publish a bundle whose bytes are verified, unless it holds more or less than its locks need.

    LockError for a bad lock, or for one that would replace another; FetchError for the rest.
    """
    parsed = [_parsed_lock(path, data, place) for path, data in locks.items()]
    needed = {content.sha256: content for content in contents(parsed, staged.read, apt=bundle.apt)}
    listed = {file.sha256: file for file in bundle.files}
    for sha256 in sorted(needed.keys() - listed.keys()):
        cause = f"lacks {needed[sha256].name}, which {needed[sha256].rows[0]} needs"
        raise FetchError(cause, place=place, hint="make the bundle again")
    for sha256 in sorted(listed.keys() - needed.keys()):
        raise FetchError(f"holds {listed[sha256].name}, which none of its locks needs", place=place)
    files = {lock_path(project, lock.target): locks[lock.target.path] for lock in parsed}
    for path, data in files.items():
        _check_unchanged(path, data)
    staged.publish()
    for path, data in files.items():
        write_atomic(path, data)


def _parsed_lock(path: str, data: bytes, place: str) -> Lock:
    lock = load_lock(data, place=f"{place}: {path}")
    if lock.target.path != path or any(part in {"", ".", ".."} for part in path.split("/")):
        raise LockError(f"it is the lock of {lock.target}", place=f"{place}: {path}")
    if path.count("/") != 2:
        raise LockError("its target is not release/platform/framework", place=f"{place}: {path}")
    return lock


def _check_unchanged(path: Path, data: bytes) -> None:
    if path.exists() and read_bytes(path, error=LockError) != data:
        hint = "import into another folder: --project DIR; or delete this lock first"
        raise LockError("differs from the lock in the bundle", place=str(path), hint=hint)
