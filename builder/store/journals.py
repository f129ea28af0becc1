"""What may have been lost when the machine went down: files that were stored and perhaps not yet on the disk.

Waiting for the disk after each file would make a fetch of many files several
times slower. A kill loses nothing that was written; only a crash of the whole
machine does. So each fetch first writes down, durably, what it is about to
store, and the first fetch after a crash hashes those files again.
"""

from __future__ import annotations

__all__ = ["journal", "recover", "sweep"]

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from builder.errors import BuilderError
from builder.store.store import STAMP, Store, unwritable

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PREFIX = "unsynced-"
_WRITTEN_BACK = 600.0  # seconds after its last write the kernel has long written a file
_ABANDONED = 7 * 86400.0  # seconds after which a file that nobody completes is litter


@contextmanager
def journal(store: Store, digests: Iterable[str]) -> Iterator[None]:
    """Hold a durable record that these files are about to be stored (FetchError)."""
    try:
        path = store.arriving / f"{_PREFIX}{os.getpid()}-{time.monotonic_ns()}"
        store.arriving.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except OSError as cause:
        raise unwritable(store.root, cause) from cause
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            os.write(descriptor, "\n".join((_boot_id(), f"{time.monotonic():.0f}", *digests, "")).encode())
            os.fsync(descriptor)
            _sync_folder(store.arriving)
        except OSError as cause:
            raise unwritable(store.root, cause) from cause
        yield
    finally:
        os.close(descriptor)


def recover(store: Store) -> tuple[str, ...]:
    """Hash again what a crash of the machine may have damaged; return the digests of what it had.

    Such a file is deleted, and fetched again like any other that is missing.
    """
    lost: list[str] = []
    for path in sorted(filter(Path.is_file, store.arriving.glob(f"{_PREFIX}*"))):
        with suppress(OSError), path.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # its fetch still runs: BlockingIOError
            boot, began, *digests = (*file.read().decode("utf-8", "replace").split("\n"), "")
            if boot and boot == _boot_id():
                if began.isdecimal() and time.monotonic() - int(began) > _WRITTEN_BACK:
                    path.unlink()
                continue
            lost += [digest for digest in digests if _is_damaged(store, digest)]
            path.unlink()
    return tuple(lost)


def sweep(store: Store) -> None:
    """Delete what killed processes left half-written a week ago and nobody has gone on with."""
    left = (*store.arriving.glob("*.part"), *store.arriving.glob("[0-9]*-*"))
    for path in filter(Path.is_file, left):  # a pipe would be waited for
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            status = path.stat()
            # One that is complete has the time of all stored files, and was not yet renamed.
            changed = status.st_ctime if status.st_mtime_ns == STAMP else status.st_mtime
            if time.time() - changed > _ABANDONED:
                path.unlink()


def _is_damaged(store: Store, digest: str) -> bool:
    """Hash one file; delete it when it is damaged."""
    try:
        if store.path(digest).exists():
            store.verify(digest)
    except (BuilderError, ValueError) as error:
        if isinstance(error, BuilderError):
            store.path(digest).unlink(missing_ok=True)
            return True
    return False


def _boot_id() -> str:
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""  # no Linux: every fetch hashes what the ones before it stored


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
