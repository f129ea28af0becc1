"""The build context `store`: exactly the files that a build reads, by hash, as hard links."""

from __future__ import annotations

__all__ = ["build_context"]

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from builder.errors import FetchError, UsageError
from builder.io import locked
from builder.store import Store


@contextmanager
def build_context(store: Store, digests: Sequence[str]) -> Iterator[Path]:
    """Yield a folder that holds these files of the store as `sha256/ab/cdef…`, and nothing else.

    It has the same name whenever its content is the same, because BuildKit
    sends again only what changed below a name. FetchError for a file that the
    store has not, UsageError when the folder cannot be made.
    """
    listed = sorted(set(digests))
    name = hashlib.sha256("\n".join(listed).encode()).hexdigest()[:16]
    folder = store.root / "contexts" / name
    with locked(folder.with_name(f"{name}.lock")):
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for digest in listed:
                _link_into_context(store, digest, folder)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _link_into_context(store: Store, digest: str, folder: Path) -> None:
    source = store.path(digest)
    target = folder / "sha256" / digest[:2] / digest[2:]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except PermissionError:
            shutil.copyfile(source, target)  # some systems forbid links to files of other owners
            target.chmod(0o444)
    except FileNotFoundError as cause:
        hint = "run `python -m builder fetch`"
        raise FetchError("is not in the store", place=f"sha256:{digest}", hint=hint) from cause
    except OSError as cause:
        raise UsageError(f"cannot be made: {cause.strerror or cause}", place=str(target)) from cause
