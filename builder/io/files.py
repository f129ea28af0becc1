"""Files: whole reads, and writes that happen completely or not at all."""

from __future__ import annotations

__all__ = [
    "locked",
    "open_regular",
    "read_bytes",
    "read_text",
    "remove",
    "replacing",
    "sync_folder",
    "write_atomic",
]

import errno
import fcntl
import os
import re
import stat
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from builder.errors import BuilderError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FILE_MODE = 0o644
_LEFT_BEHIND = re.compile(r"\..+\.[a-z0-9_]{8}\.tmp")
_SURELY_LOCKED = 60.0  # seconds after it was made
_ELSEWHERE = "make the folder writable, or name another one where the verb has --output"


def open_regular(path: Path) -> BinaryIO:
    """Open the regular file `path` for reading; OSError for anything else: a FIFO would be waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    file = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "is not a regular file", str(path))
    return file


def read_bytes(path: Path, *, error: type[BuilderError] = UsageError) -> bytes:
    """Return the content of `path`; `error` naming it when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as cause:
        raise error(f"cannot be read: {_os_reason(cause)}", place=str(path)) from cause


def read_text(path: Path, *, error: type[BuilderError] = UsageError) -> str:
    """Return the UTF-8 text of `path`, line ends untouched; `error` naming it and the bad byte's offset."""
    data = read_bytes(path, error=error)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise error(
            f"is not UTF-8: byte 0x{data[cause.start]:02x} at offset {cause.start}",
            place=str(path),
            hint="save the file as UTF-8",
        ) from cause


def write_atomic(path: Path, data: bytes) -> bool:
    """Make `data` the content of `path`, mode 0644 whatever the umask; return whether anything changed.

    A file that has this content already is not touched. Parent directories
    are made. On any failure or interrupt the old file stays as it was and no
    temporary file is left. UsageError when the file system refuses.
    """
    _sweep_left_behind(path.parent)
    try:
        if _has_content(path, data):
            return False
    except OSError as cause:
        raise UsageError(
            f"cannot be written: {_os_reason(cause)}", place=str(path), hint=_ELSEWHERE
        ) from cause
    with replacing(path) as file:
        file.write(data)
    return True


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that replaces `path` when the block ends well.

    On any failure or interrupt the old file stays as it was and nothing is
    left of the new one. Parent directories are made. UsageError when the file
    system refuses. What a killed process left behind beside it is swept.
    """
    import tempfile  # noqa: PLC0415 - what only reads should start fast

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep_left_behind(path.parent)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(descriptor, "w+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # while it lives, nobody sweeps it
                yield file
                file.flush()
                os.fchmod(descriptor, _FILE_MODE)
                os.fsync(descriptor)
            Path(name).replace(path)
        except BaseException:  # an interrupt too must not leave the sibling behind
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as cause:
        raise UsageError(
            f"cannot be written: {_os_reason(cause)}", place=str(path), hint=_ELSEWHERE
        ) from cause


def remove(path: Path) -> bool:
    """Delete the file `path`; return whether there was one. UsageError when it cannot be deleted."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as cause:
        raise UsageError(f"cannot be deleted: {_os_reason(cause)}", place=str(path)) from cause
    return True


@contextmanager
def locked(path: Path, *, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock file `path` against other processes and threads while the body runs.

    The file is made where it is missing, stays afterwards, and is empty.
    `on_wait` is called once when somebody else holds it.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - costs 80 ms, and most commands need no lock

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if on_wait is not None:
                on_wait()
            lock.acquire()
    except OSError as cause:
        raise UsageError(f"cannot be locked: {_os_reason(cause)}", place=str(path)) from cause
    try:
        yield
    finally:
        lock.release()


def _has_content(path: Path, data: bytes) -> bool:
    """Whether `path` is a regular file with exactly this content."""
    try:
        return path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data
    except PermissionError:
        return False  # an unreadable file is replaced; the replacement says whether that is allowed


def _sweep_left_behind(folder: Path) -> None:
    """Delete the temporary files of `replacing` whose process was killed.

    A living process holds a lock on its file; it takes it after it has made the file, hence the age.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        old = [entry.path for entry in entries if _LEFT_BEHIND.fullmatch(entry.name) and _is_old(entry)]
        for path in old:
            with suppress(OSError), open_regular(Path(path)) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                Path(path).unlink()


def _is_old(entry: os.DirEntry[str]) -> bool:
    return time.time() - entry.stat(follow_symlinks=False).st_mtime > _SURELY_LOCKED


def sync_folder(path: Path) -> None:
    """Make what was renamed in a folder durable (OSError)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _os_reason(cause: OSError) -> str:
    return cause.strerror or str(cause)
