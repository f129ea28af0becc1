"""Files on their way into the store that must all be right before the first of them is seen."""

from __future__ import annotations

__all__ = ["Staging", "staging"]

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from builder.errors import BuilderError, DigestMismatchError, FetchError, UsageError
from builder.io import locked, read_bytes
from builder.store.request import Request
from builder.store.store import ELSEWHERE, Store, unwritable

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
            with open(path or os.devnull, "wb") as file:  # noqa: PTH123 - one of both is no file of ours
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
