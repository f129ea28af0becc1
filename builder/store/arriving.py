"""Files on their way into the store: one writer each, resumable after a kill.

A request names a file that the store should have, who may be asked, and who hears of it.
Files that must all be right before the first of them is seen are staged together.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from builder.errors import BuilderError, DigestMismatchError, FetchError, UsageError
from builder.io import Access, locked, read_bytes
from builder.store.store import ELSEWHERE, Store, unwritable

__all__ = [
    "Partial",
    "Progress",
    "Quiet",
    "Request",
    "Staging",
    "arrived_size",
    "open_partial",
    "partial_path",
    "staging",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A file that the store should have: its digest, size in bytes where known, and where to try in order."""

    sha256: str
    size: int | None
    urls: tuple[str, ...]
    label: str
    known: Path | None = None
    """A file with the right bytes, to explain wrong ones by."""
    access: Access | None = None


class Progress(Protocol):
    """What is told about a fetch."""

    def planned(self, requests: Sequence[Request]) -> None:
        """Hear which files will be fetched: those that the store lacks."""

    def started(self, request: Request, url: str) -> None:
        """Hear that `url` is tried."""

    def advanced(self, request: Request, position: int) -> None:
        """Hear how many bytes have arrived; a restart makes it smaller."""

    def finished(self, request: Request) -> None:
        """Hear that the store has the file."""

    def failed(self, request: Request, error: BuilderError) -> None:
        """Hear that one place, named by the error, did not give the file."""


class Quiet:
    """Progress that is not shown."""

    def planned(self, requests: Sequence[Request]) -> None:
        """Say nothing."""

    def started(self, request: Request, url: str) -> None:
        """Say nothing."""

    def advanced(self, request: Request, position: int) -> None:
        """Say nothing."""

    def finished(self, request: Request) -> None:
        """Say nothing."""

    def failed(self, request: Request, error: BuilderError) -> None:
        """Say nothing."""


_CHUNK = 2**20  # bytes
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # the last for a pipe
_MODE = 0o600


class Partial:
    """A file that is arriving piece by piece, for this process alone; what arrived survives a kill.

    `position` and `received` are the number of bytes that are there, and their hash.
    """

    def __init__(self, store: Store, sha256: str, descriptor: int) -> None:
        self._store = store
        self._sha256 = sha256
        self._descriptor = descriptor
        self.path = partial_path(store, sha256)
        self.position, self.received = self._hash_arrived()

    def write(self, data: bytes) -> None:
        """Append `data`; OSError when the disk is full."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def seek(self, offset: int) -> None:
        """Go to `offset`."""
        os.lseek(self._descriptor, offset, os.SEEK_SET)

    def truncate(self) -> None:
        """Cut off what follows the present offset."""
        os.ftruncate(self._descriptor, os.lseek(self._descriptor, 0, os.SEEK_CUR))

    def keep(self) -> None:
        """Publish the file, whose digest the caller has found to be right, and close it."""
        self._store.publish(self._descriptor, self.path, self._sha256)
        self._close_file()

    def discard(self) -> None:
        """Delete and close the file."""
        self.path.unlink(missing_ok=True)
        self._close_file()

    def leave(self) -> None:
        """Close the file; whoever comes next goes on with it."""
        if os.fstat(self._descriptor).st_size:
            self._close_file()
        else:
            self.discard()

    def _close_file(self) -> None:
        os.close(self._descriptor)  # and with it, the lock

    def _hash_arrived(self) -> tuple[int, hashlib._Hash]:
        digest, size = hashlib.sha256(), 0
        while chunk := os.read(self._descriptor, _CHUNK):
            digest.update(chunk)
            size += len(chunk)
        return size, digest


def partial_path(store: Store, sha256: str) -> Path:
    """Return where the file with this digest arrives."""
    published = store.path(sha256)
    return store.arriving / f"{published.parent.name}{published.name}.part"


def arrived_size(store: Store, sha256: str, size: int | None) -> int:
    """Return how many bytes of a file have arrived; none where there are more than the file has."""
    try:
        found = partial_path(store, sha256).stat().st_size
    except OSError:
        return 0
    return found if size is None or found <= size else 0


def open_partial(store: Store, sha256: str) -> Partial | None:
    """Open the file that is arriving, with what is there of it; None while somebody else has it.

    FetchError when the store cannot be written.
    """
    path = partial_path(store, sha256)
    try:
        while True:
            descriptor = _open_file(path)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                path.unlink()  # a pipe or a device: nothing of ours
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return None
            if _is_still(path, descriptor):
                return Partial(store, sha256, descriptor)
            os.close(descriptor)  # it was published or deleted before it was ours
    except OSError as cause:
        raise unwritable(store.root, cause) from cause


def _open_file(path: Path) -> int:
    try:
        return os.open(path, _FLAGS, _MODE)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    except PermissionError:
        path.chmod(_MODE)  # complete, and its writer was killed just before it was published
    return os.open(path, _FLAGS, _MODE)


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one at `path`."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


_PREFIX = "import-"


class Staging:
    """Files that were verified and are not yet part of the store."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._held: dict[str, Path] = {}

    def add(self, sha256: str, size: int, chunks: Iterable[bytes], *, place: str) -> None:
        """Take the bytes of one file; DigestMismatchError at `place` unless they are the right ones.

        What the store has undamaged is compared and not written again.
        """
        path = None if self._is_intact(sha256) else self._folder / sha256
        digest, count = hashlib.sha256(), 0
        try:
            with open(path or os.devnull, "wb") as file:  # noqa: PTH123 - `path` may be the null device
                for chunk in chunks:
                    digest.update(chunk)
                    count += len(chunk)
                    file.write(chunk)
                if path is not None:
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as cause:
            raise unwritable(self._store.root, cause) from cause
        if (count, digest.hexdigest()) != (size, sha256):
            what = f"{size} bytes with sha256 {sha256}"
            raise DigestMismatchError(
                f"expected {what}, got {count} with {digest.hexdigest()}", place=place, hint="copy it again"
            )
        if path is not None:
            self._held[sha256] = path

    def fetch(self, requests: Sequence[Request], fetch: Callable[[Store, Sequence[Request]], None]) -> None:
        """Take files from `fetch`, which brings what is asked for into the store that it is given.

        What the store has undamaged is not asked for.
        """
        wanted = [request for request in requests if not self._is_intact(request.sha256)]
        arrived = Store(self._folder / "arrived")
        fetch(arrived, wanted)
        try:
            for request in wanted:
                path = arrived.path(request.sha256)
                with path.open("rb") as file:
                    os.fsync(file.fileno())
                self._held[request.sha256] = path
        except OSError as cause:
            raise unwritable(self._store.root, cause) from cause

    def read(self, sha256: str) -> bytes:
        """Return the bytes of a file that was added, or that the store has (FetchError)."""
        held = self._held.get(sha256)
        return self._store.read(sha256) if held is None else read_bytes(held)

    def publish(self) -> None:
        """Make everything that was added part of the store; what is interrupted leaves whole files only."""
        try:
            for sha256, path in self._held.items():
                with path.open("rb") as file:
                    self._store.publish(file.fileno(), path, sha256)
        except OSError as cause:
            raise unwritable(self._store.root, cause) from cause

    def _is_intact(self, sha256: str) -> bool:
        try:
            self._store.verify(sha256)
        except BuilderError:
            return False
        return True


@contextmanager
def staging(store: Store) -> Iterator[Staging]:
    """Yield a staging folder of the store; what is not published is gone afterwards.

    One at a time for each store: the next one removes what a killed one left.
    FetchError when the store cannot be written.
    """
    folder = store.arriving
    with ExitStack() as held:
        try:
            held.enter_context(locked(folder / "import.lock"))
        except UsageError as error:
            raise FetchError(error.cause, place=error.place, hint=ELSEWHERE) from None
        try:
            for left in folder.glob(f"{_PREFIX}*"):
                shutil.rmtree(left)
            made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
        except OSError as cause:
            raise unwritable(store.root, cause) from cause
        try:
            yield Staging(store, made)
        finally:
            shutil.rmtree(made, ignore_errors=True)
