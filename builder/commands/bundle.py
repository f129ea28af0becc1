"""`bundle`: locks, and all that building them needs, as one file; and the way back, into store and locks."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from builder.bundle import Bundle, contents, make_bundle, read_bundle, write_bundle
from builder.commands.fetch import fill_store, human
from builder.commands.images import fill_images
from builder.commands.locks import select_locks
from builder.commands.package_lists import fill_package_lists
from builder.errors import FetchError, LockError, UsageError
from builder.io import read_bytes, replacing, write_atomic
from builder.lockfile import Lock, load_lock
from builder.project import Project, read_lock
from builder.render import Inputs
from builder.selection import Selection
from builder.store import Staging, staging

__all__ = ["STANDARD_INPUT", "ImportOptions", "Options", "collect", "receive", "run", "run_import"]

STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    selection: Selection
    output: Path
    apt: bool = False
    json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What the command line asks for."""

    file: Path
    """The bundle, or `STANDARD_INPUT`."""
    sha256: str = ""
    """What the bundle must have; empty accepts any whole one."""
    json: bool = False


def run(project: Project, options: Options) -> int:
    """Fetch what is missing, write the bundle, and its digest beside it; 0, or an error."""
    bundle, locks = collect(project, options.selection, apt=options.apt)
    with (
        project.console.steps("writing", len(bundle.files)) as steps,
        replacing(options.output) as sink,
    ):
        digest = write_bundle(bundle, locks, project.store, sink, steps.done)
    beside = options.output.with_name(f"{options.output.name}.sha256")
    write_atomic(beside, f"{digest}  {options.output.name}\n".encode())
    _report(project, bundle, {"file": str(options.output), "sha256": digest}, json=options.json)
    return 0


def run_import(project: Project, options: ImportOptions) -> int:
    """Verify a whole bundle, then make its files part of the store and its locks part of the project."""
    place = "standard input" if options.file == STANDARD_INPUT else str(options.file)
    with (
        _opened(options.file) as source,
        staging(project.store) as staged,
        project.console.steps("reading", 0) as steps,
    ):
        bundle, locks = read_bundle(source, staged, steps.done, expected=options.sha256, place=place)
        receive(project, bundle, locks, staged, place=place)
    _report(project, bundle, {"store": str(project.store.root)}, json=options.json)
    return 0


def collect(project: Project, selection: Selection, *, apt: bool) -> tuple[Bundle, dict[str, bytes]]:
    """Bring into the store what the selected locks need, and return its table of contents and the locks."""
    read = [read_lock(project, project.locks / target.path) for target in select_locks(project, selection)]
    locks = [lock for lock, _ in read]
    fill_store(project, locks, Inputs.STORE)
    fill_images(project, locks)
    if apt:
        fill_package_lists(project, locks)
    files = contents(locks, project.store.read, apt=apt)
    texts = {lock.target.path: data for lock, data in read}
    return make_bundle(texts, files, project.store, apt=apt), texts


def receive(
    project: Project, bundle: Bundle, locks: Mapping[str, bytes], staged: Staging, *, place: str
) -> None:
    """Publish a bundle whose bytes are verified, unless it holds more or less than its locks need.

    LockError for a bad lock, or for one that would replace another; FetchError for the rest.
    """
    parsed = [_parsed(path, data, place) for path, data in locks.items()]
    needed = {content.sha256: content for content in contents(parsed, staged.read, apt=bundle.apt)}
    listed = {file.sha256: file for file in bundle.files}
    for sha256 in sorted(needed.keys() - listed.keys()):
        cause = f"lacks {needed[sha256].name}, which {needed[sha256].rows[0]} needs"
        raise FetchError(cause, place=place, hint="make the bundle again")
    for sha256 in sorted(listed.keys() - needed.keys()):
        raise FetchError(f"holds {listed[sha256].name}, which none of its locks needs", place=place)
    for path, data in locks.items():
        _check_same(project.locks / path, data)
    staged.publish()
    for path, data in locks.items():
        write_atomic(project.locks / path, data)


def _parsed(path: str, data: bytes, place: str) -> Lock:
    lock = load_lock(data, place=f"{place}: {path}")
    if lock.target.path != path or any(part in {"", ".", ".."} for part in path.split("/")):
        raise LockError(f"it is the lock of {lock.target}", place=f"{place}: {path}")
    if path.count("/") != 2:
        raise LockError("its target is no release/platform/framework", place=f"{place}: {path}")
    return lock


def _check_same(path: Path, data: bytes) -> None:
    if path.exists() and read_bytes(path, error=LockError) != data:
        hint = "import into another folder: --project DIR; or delete this lock first"
        raise LockError("differs from the lock in the bundle", place=str(path), hint=hint)


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if file == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        with file.open("rb") as source:
            yield source
    except OSError as cause:
        raise UsageError(f"cannot be read: {cause.strerror or cause}", place=str(file)) from cause


def _report(project: Project, bundle: Bundle, result: dict[str, str], *, json: bool) -> None:
    counts = {
        kind: sum(file.kind == kind for file in bundle.files) for kind in {f.kind for f in bundle.files}
    }
    if json:
        told = {"locks": [lock.path for lock in bundle.locks], "files": len(bundle.files)}
        project.console.json({**result, **told, "bytes": bundle.size})
        return
    rows = [(str(kind), str(count)) for kind, count in sorted(counts.items())]
    project.console.table(("kind", "files"), [("lock", str(len(bundle.locks))), *rows])
    if "sha256" in result:
        project.console.data(f"sha256:{result['sha256']}  {result['file']}")
    else:
        project.console.data(f"imported: {human(bundle.size)}; the store is {result['store']}")
