"""What a store has and nothing names any more, found by the digests that kept files name, and deleted.

A stored file can name others: the manifest of an image its layers, a signed list of packages its
indexes. So every kept file that is text is searched for digests too, until none is new. That keeps
rather too much than too little: a package list that an archive has replaced cannot be had again.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from builder.store.store import Store, unwritable

__all__ = ["StoreUse", "collect_garbage", "named_digests", "reachable_digests"]

_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_LARGEST_DOCUMENT = 8 * 2**20  # bytes; of a file that is searched for digests


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreUse:
    """How many files of a store are of one fate, and their bytes."""

    files: int = 0
    bytes: int = 0

    def plus(self, size: int) -> StoreUse:
        """Return the sum with one more file."""
        return StoreUse(files=self.files + 1, bytes=self.bytes + size)


def named_digests(texts: Iterable[bytes]) -> set[str]:
    """Return every SHA-256 that stands in the texts, as 64 lower-case hexadecimal digits."""
    return {match.decode("ascii") for text in texts for match in _DIGEST.findall(text)}


def reachable_digests(store: Store, roots: Iterable[str]) -> set[str]:
    """Return the digests of the stored files that `roots` name, and those that these name, and so on."""
    here = set(store.digests())
    found: set[str] = set()
    waiting = here.intersection(roots)
    while waiting:
        found |= waiting
        waiting = (here & named_digests(_document_text(store.path(digest)) for digest in waiting)) - found
    return found


def _document_text(path: Path) -> bytes:
    """Return the bytes of a file that can name digests: a text of bounded size; else nothing."""
    with suppress(OSError):
        if path.stat().st_size <= _LARGEST_DOCUMENT:
            with path.open("rb") as file:
                head = file.read(1024)
                return b"" if b"\0" in head else head + file.read()
    return b""


def collect_garbage(
    store: Store, kept: set[str], *, arrived_since: float, dry_run: bool
) -> tuple[StoreUse, StoreUse, StoreUse]:
    """Delete what is not `kept` and arrived before a moment; return what is kept, young, and deleted.

    `arrived_since` is in seconds since 1970: a file that arrived since then may belong to work that
    goes on. The layouts of images that are not kept go as well. FetchError for a store that cannot be
    written.
    """
    named, young, gone = StoreUse(), StoreUse(), StoreUse()
    for digest in tuple(store.digests()):
        path = store.path(digest)
        try:
            status = path.stat()
            if digest in kept:
                named = named.plus(status.st_size)
            # Every stored file has one time of change; the time of its last status is that of its arrival.
            elif status.st_ctime >= arrived_since:
                young = young.plus(status.st_size)
            else:
                gone = gone.plus(status.st_size)
                if not dry_run:
                    path.unlink()
                    _delete_layout(store, digest)
        except FileNotFoundError:
            continue  # another run deleted it
        except OSError as cause:
            raise unwritable(store.root, cause) from cause
    return named, young, gone


def _delete_layout(store: Store, manifest: str) -> None:
    """Delete the layout of an image, whose blobs are links to stored files."""
    folder = store.root / "oci" / manifest[:2] / manifest[2:]
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
