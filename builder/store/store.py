"""The store: files by their SHA-256, `<root>/sha256/ab/cdef…`, never changed and never half-written.

Its journals list what may have been lost when the machine went down. Waiting for
the disk after each file would make a fetch of many files several times slower.
A kill loses nothing that was written; only a crash of the whole machine does. So
each fetch first writes down, durably, what it is about to store, and the first
fetch after a crash hashes those files again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from builder.errors import BuilderError, DigestMismatchError, FetchError, UsageError
from builder.io import NO_HOME, sync_folder, user_cache_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ELSEWHERE",
    "STAMP",
    "Incoming",
    "Store",
    "journal",
    "recover",
    "store_root",
    "sweep",
    "unwritable",
]


_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK = 2**20  # bytes
_FILE_MODE = 0o444
ELSEWHERE = "name another directory with --store or LOCKWRIGHT_STORE"
"""What to do about a store that cannot be written."""

STAMP = 1_000_000_000
"""The time of every stored file, in nanoseconds, so that a touched one is noticed."""


def store_root(option: Path | None = None, *, environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the store's directory: `option`, else `LOCKWRIGHT_STORE`, else below the user's caches.

    None where the user has no home folder.
    """
    named = (os.environ if environ is None else environ).get("LOCKWRIGHT_STORE")
    if option is not None or named:
        return option if option is not None else Path(cast("str", named))
    caches = user_cache_folder()
    return None if caches is None else caches / "store"


class Incoming:
    """A file on its way into the store: write to `file`, then `keep` it under its digest."""

    def __init__(self, store: Store, file: IO[bytes]) -> None:
        self.file = cast("BinaryIO", file)
        self._store = store
        self.kept = False

    def keep(self, sha256: str) -> None:
        """Publish what was written, whose digest the caller has computed."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self._store.publish(self.file.fileno(), Path(self.file.name), sha256)
        self.kept = True


class Store:
    """A content-addressed store below `root`, safe to use from many threads and processes at once.

    A digest is 64 lower-case hexadecimal digits; ValueError for anything
    else, because no such text comes from a checked lock. Without a root
    (`store_root` found none) whatever asks for the store's place is refused
    (UsageError), so that verbs which do not use it work.
    """

    def __init__(self, root: Path | None) -> None:
        self._root = root

    @property
    def root(self) -> Path:
        """The store's directory (UsageError where the user has no home folder and named no place)."""
        if self._root is None:
            raise UsageError(
                NO_HOME,
                place="the store",
                hint="set HOME, or name a directory with --store or LOCKWRIGHT_STORE",
            )
        return self._root

    @cached_property
    def _files_root(self) -> str:
        return str(self.root / "sha256")

    def path(self, sha256: str) -> Path:
        """Return where the file with this digest is, or would be."""
        return Path(self._file_place(sha256))

    def _file_place(self, sha256: str) -> str:
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"not a sha256 digest: {sha256!r}")
        return f"{self._files_root}/{sha256[:2]}/{sha256[2:]}"

    @property
    def arriving(self) -> Path:
        """The folder of what is not complete yet."""
        return self.root / "tmp"

    def has(self, sha256: str, size: int | None = None) -> bool:
        """Whether the file is here, with `size` bytes if that is given.

        One that was touched since it was stored is hashed again.
        """
        place = self._file_place(sha256)
        try:
            status = os.stat(place)  # noqa: PTH116 - asked of thousands of files
        except OSError:
            return False
        if size is not None and status.st_size != size:
            return False
        return status.st_mtime_ns == STAMP or self._is_proven(sha256)

    def _is_proven(self, sha256: str) -> bool:
        """Hash a file, and mark it as right for the next time."""
        try:
            self.verify(sha256)
        except BuilderError:
            return False
        with suppress(OSError):  # not ours to mark: it is hashed each time
            os.utime(self.path(sha256), ns=(STAMP, STAMP))
        return True

    def publish(self, descriptor: int, path: Path, sha256: str) -> None:
        """Make the complete file at `path`, open as `descriptor`, the one with this digest (OSError)."""
        os.fchmod(descriptor, _FILE_MODE)
        os.utime(descriptor, ns=(STAMP, STAMP))
        target = self.path(sha256)
        try:
            path.replace(target)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)

    def open(self, sha256: str) -> BinaryIO:
        """Open the file for reading; FetchError when it is not here."""
        try:
            # Without waiting: a pipe in the place of a file would never be written to.
            descriptor = os.open(self._file_place(sha256), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as cause:
            raise _absent_file(sha256, cause) from cause
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise FetchError(
                "is not a file in the store", place=f"sha256:{sha256}", hint=f"delete {self.path(sha256)}"
            )
        return cast("BinaryIO", os.fdopen(descriptor, "rb"))

    def read(self, sha256: str) -> bytes:
        """Return the file's content without hashing it; FetchError when it is not here."""
        with self.open(sha256) as file:
            return file.read()

    def digests(self) -> Iterator[str]:
        """Yield the digest of every file here, in order."""
        for folder in sorted(path for path in (self.root / "sha256").glob("??") if path.is_dir()):
            yield from sorted(
                name for file in folder.iterdir() if _SHA256.fullmatch(name := folder.name + file.name)
            )

    def add_bytes(self, data: bytes) -> str:
        """Store `data` and return its digest."""
        return self.ingest((data,))

    def ingest(self, chunks: Iterable[bytes], expected: str | None = None) -> str:
        """Store the bytes of `chunks` and return their digest; DigestMismatchError unless `expected`."""
        digest = hashlib.sha256()
        with self.incoming() as arriving:
            for chunk in chunks:
                digest.update(chunk)
                arriving.file.write(chunk)
            _compare_digests(digest.hexdigest(), expected, self.root)
            arriving.keep(digest.hexdigest())
        return digest.hexdigest()

    @contextmanager
    def incoming(self) -> Iterator[Incoming]:
        """Open a new file that becomes part of the store only if it is kept.

        FetchError when the store cannot be written.
        """
        try:
            folder = self.arriving
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=f"{os.getpid()}-", delete=False) as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # in use, however old it grows
                arriving = Incoming(self, file)
                try:
                    yield arriving
                finally:
                    if not arriving.kept:
                        Path(file.name).unlink(missing_ok=True)
        except OSError as cause:
            raise unwritable(self.root, cause) from cause

    def verify(self, sha256: str) -> int:
        """Hash the stored file again and return its size; DigestMismatchError when it was damaged."""
        digest, size = hashlib.sha256(), 0
        with self.open(sha256) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
        _compare_digests(digest.hexdigest(), sha256, self.path(sha256))
        return size


def _compare_digests(observed: str, expected: str | None, place: Path) -> None:
    if expected is not None and observed != expected:
        raise DigestMismatchError(f"expected sha256 {expected}, got {observed}", place=str(place))


def unwritable(root: Path, cause: OSError) -> FetchError:
    """Return the error for a store at `root` that cannot be written."""
    return FetchError(
        f"the store cannot be written: {cause.strerror or cause}",
        place=str(root),
        hint=ELSEWHERE,
    )


def _absent_file(sha256: str, cause: OSError) -> FetchError:
    if isinstance(cause, FileNotFoundError):
        return FetchError(
            "is not in the store", place=f"sha256:{sha256}", hint="run `python -m builder fetch`"
        )
    return FetchError(f"cannot be read from the store: {cause.strerror or cause}", place=f"sha256:{sha256}")


_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PREFIX = "unsynced-"
_WRITTEN_BACK = 600.0  # seconds after its last write the kernel has long written a file
_ABANDONED = 7 * 86400.0  # seconds after which an incomplete file is deleted


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
            sync_folder(store.arriving)
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
    """Delete what killed processes left half-written a week ago, and no later run resumed."""
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
